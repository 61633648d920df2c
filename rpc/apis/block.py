"""block_api: blocks and their headers. Source: plugins/apis/block_api."""

from collections import OrderedDict
from typing import Annotated, Any

import orjson

from protocol.errors import Rejected
from rpc.apis.access import ApiBase, NodeAccess
from rpc.json_bytes import dump_json
from rpc.kinds import AtMost
from rpc.method import Unsigned32, rpc_method
from rpc.slices import Steps, StepsTo

RANGE_MAX = 1000
"""Maximum number of blocks per call."""

RANGE_BYTES_MAX = 8 << 20
"""Maximum JSON size of a response, unless the first block alone is larger."""

RangeCount = Annotated[Unsigned32, AtMost(RANGE_MAX)]

JSON_BYTES_MAX = 16 << 20
"""Size of the JSON cache; a single block may exceed it."""


class BlockApi(ApiBase):
    """The methods of block_api; the JSON of recent blocks is cached."""

    def __init__(self, node: NodeAccess, legacy: bool = False) -> None:
        super().__init__(node, legacy)
        self._cache: OrderedDict[bytes, bytes] = OrderedDict()
        self._cached_bytes = 0

    @rpc_method()
    def get_block_header(self, block_num: Unsigned32) -> Steps:
        """The header of a block; an empty object when there is no such block."""
        header = yield from self.read_block(block_num, lambda block: block.header_to_json(self.codec))
        return {} if header is None else {"header": header}

    @rpc_method()
    def get_block(self, block_num: Unsigned32) -> Steps:
        """A block with its id, signing key and transaction ids; an empty object when there is no such block."""
        found = yield from self.find_block_json(block_num)
        return {} if found is None else {"block": found}

    @rpc_method(rows="blocks")
    def get_block_range(self, starting_block_num: Unsigned32, count: RangeCount) -> Steps:
        """Consecutive blocks as in `get_block`: 1 to 1,000, fewer at the head or for large blocks.

        The next call starts after the last block returned.
        """
        if starting_block_num == 0:
            raise Rejected("args.starting_block_num > 0", "blocks are counted from 1")
        if count == 0:
            raise Rejected("args.count > 0", "1 to ${most} blocks may be asked for", most=RANGE_MAX)
        size = 0
        for number in range(starting_block_num, starting_block_num + count):
            text = yield from self._find_block_text(number)
            size += len(text or b"")
            if text is None or (number > starting_block_num and size > RANGE_BYTES_MAX):
                return
            yield orjson.Fragment(text)

    def find_block_json(self, block_num: int) -> StepsTo[Any]:
        """The JSON of a block as a fragment, or None."""
        text = yield from self._find_block_text(block_num)
        return None if text is None else orjson.Fragment(text)

    def _find_block_text(self, block_num: int) -> StepsTo[bytes | None]:
        block_id = self.chain.reader.get_block_id(block_num)
        if block_id is None:
            return None
        text: bytes | None = self._cache.get(block_id)
        if text is None:
            text = yield from self.read_block(
                block_num, lambda block: dump_json(block.to_json(self.codec, self.legacy))
            )
            if text is not None:
                self._keep(block_id, text)
        return text

    def _keep(self, block_id: bytes, text: bytes) -> None:
        self._cache[block_id] = text
        self._cached_bytes += len(text)
        while self._cached_bytes > JSON_BYTES_MAX and len(self._cache) > 1:
            self._cached_bytes -= len(self._cache.popitem(last=False)[1])
