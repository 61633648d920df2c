"""What follows a block: the account and market history of as many operations as wished."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from chain.effects import NO_TRANSACTION_ID, AppliedOperation
from index.account_history import AccountHistory
from index.market_history import MarketHistory
from index.record import Record
from operations.transfer import Transfer
from protocol.codec import Codec
from protocol.config import ChainConfig
from protocol.identity import STEEM_MAINNET
from protocol.operation import Operation
from protocol.virtual_operations import FillOrder
from state.engine.kv import Backend
from tests.harness import sbd, steem


class ObserverCase(NamedTuple):
    """An observer and the operation that costs it most."""

    name: str
    row: str
    make: Callable[[Backend], Any]
    operation: Operation


RULES = ChainConfig.preset("dev").rules
FILL = FillOrder("alice", 1, steem(1000), "bob", 2, sbd(1000))

OBSERVER_CASES: tuple[ObserverCase, ...] = (
    ObserverCase(
        "account history",
        "operation",
        lambda backend: AccountHistory(backend, Codec(STEEM_MAINNET)),
        Transfer("alice", "bob", steem(1), "m" * 2000),
    ),
    ObserverCase("market history", "order filled", MarketHistory, FILL),
)


def observe(observer: Any, backend: Backend, operation: Operation, rows: int) -> None:
    """Takes in a block with so many operations, and writes it."""
    applied = AppliedOperation(NO_TRANSACTION_ID, 1, 0, 0, 1, 1_600_000_000, operation)
    observer.apply(Record(1, bytes(20), bytes(20), 1_600_000_000, "", (applied,) * rows, (), RULES, ()))
    observer.write(1)
