"""block_api: blocks and their headers. Source: plugins/apis/block_api."""

from collections import OrderedDict
from typing import Any

import orjson

from rpc.apis.access import ApiBase, NodeAccess
from rpc.json_bytes import dump_json
from rpc.method import Unsigned32, rpc_method
from rpc.slices import Steps, StepsTo

JSON_BYTES_MAX = 16 << 20
"""Bytes of JSON that are kept; one block alone may be more."""


class BlockApi(ApiBase):
    """The methods of block_api; the JSON of blocks made last is kept and spliced into the answers."""

    def __init__(self, node: NodeAccess, legacy: bool = False) -> None:
        super().__init__(node, legacy)
        self._cache: OrderedDict[bytes, bytes] = OrderedDict()
        self._cached_bytes = 0

    @rpc_method()
    def get_block_header(self, block_num: Unsigned32) -> Steps:
        """The header of a block; an empty object when there is no such block."""
        header = yield from self.read_block(block_num, lambda block: block.header_to_json(self.codec, self.legacy))
        return {} if header is None else {"header": header}

    @rpc_method()
    def get_block(self, block_num: Unsigned32) -> Steps:
        """A block with its id, signing key and transaction ids; an empty object when there is no such block."""
        found = yield from self.find_block_json(block_num)
        return {} if found is None else {"block": found}

    def find_block_json(self, block_num: int) -> StepsTo[Any]:
        """The JSON of a block as a fragment, or None."""
        block_id = self.chain.get_block_id(block_num)
        if block_id is None:
            return None
        text = self._cache.get(block_id)
        if text is None:
            text = yield from self.read_block(
                block_num, lambda block: dump_json(block.to_json(self.codec, self.legacy))
            )
            if text is None:
                return None
            self._keep(block_id, text)
        return orjson.Fragment(text)

    def _keep(self, block_id: bytes, text: bytes) -> None:
        self._cache[block_id] = text
        self._cached_bytes += len(text)
        while self._cached_bytes > JSON_BYTES_MAX and len(self._cache) > 1:
            self._cached_bytes -= len(self._cache.popitem(last=False)[1])
