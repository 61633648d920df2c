"""block_api: blocks and their headers. Source: plugins/apis/block_api."""

from collections import OrderedDict
from typing import Any

import orjson

from rpc.apis.access import ApiBase, NodeAccess
from rpc.json_bytes import dump_json
from rpc.method import Unsigned32, rpc_method
from rpc.objects import Json

BLOCKS_CACHED = 64


class BlockApi(ApiBase):
    """The methods of block_api; the JSON of the blocks asked for last is kept and spliced into the answers."""

    def __init__(self, node: NodeAccess, legacy: bool = False) -> None:
        super().__init__(node, legacy)
        self._cache: OrderedDict[bytes, bytes] = OrderedDict()

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
            self._cache[block.id] = text
            if len(self._cache) > BLOCKS_CACHED:
                self._cache.popitem(last=False)
        return orjson.Fragment(text)
