"""All targets, in the order in which they are fed."""

from __future__ import annotations

from typing import Final

from tests.fuzz.chain_targets import Blocks, Transactions
from tests.fuzz.node_target import LiveNode
from tests.fuzz.rpc_target import Requests
from tests.fuzz.target import Target
from tests.fuzz.wire_targets import Frames, Messages

TARGETS: Final[tuple[type[Target], ...]] = (Frames, Messages, LiveNode, Requests, Transactions, Blocks)
