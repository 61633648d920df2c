"""block_api: blocks and their headers. Source: plugins/apis/block_api."""

from collections import OrderedDict
from typing import Any

import orjson

from rpc.apis.access import ApiBase, NodeAccess
from rpc.json_bytes import dump_json
from rpc.method import Unsigned32, rpc_method
from rpc.objects import Json

JSON_BYTES_MAX = 16 << 20
"""Bytes of JSON that are kept; one block alone may be more."""


class BlockApi(ApiBase):
    """The methods of block_api; the JSON of blocks made last is kept and spliced into the answers."""

    def __init__(self, node: NodeAccess, legacy: bool = False) -> None:
        super().__init__(node, legacy)
        self._cache: OrderedDict[bytes, bytes] = OrderedDict()
        self._cached_bytes = 0

    @rpc_method()
    def get_block_header(self, block_num: Unsigned32) -> Json:
        """The header of a block; an empty object when there is no such block."""
        block = self.chain.get_block(block_num)
        return {} if block is None else {"header": block.header_to_json(self.codec, self.legacy)}

    @rpc_method()
    def get_block(self, block_num: Unsigned32) -> Json:
        """A block with its id, signing key and transaction ids; an empty object when there is no such block."""
        found = self.find_block_json(block_num)
        return {} if found is None else {"block": found}

    def find_block_json(self, block_num: int) -> Any:
        """The JSON of a block as a fragment, or None."""
        block = self.chain.get_block(block_num)
        if block is None:
            return None
        text = self._cache.get(block.id)
        if text is None:
            text = dump_json(block.to_json(self.codec, self.legacy))
            self._keep(block.id, text)
        return orjson.Fragment(text)

    def _keep(self, block_id: bytes, text: bytes) -> None:
        self._cache[block_id] = text
        self._cached_bytes += len(text)
        while self._cached_bytes > JSON_BYTES_MAX and len(self._cache) > 1:
            self._cached_bytes -= len(self._cache.popitem(last=False)[1])
