"""A state in memory to which operations and per-block steps are applied one by one, without blocks or signatures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from hashlib import sha256
from typing import Any, TypeVar

import pytest

from chain.genesis import initialize_genesis
from operations.account import AccountCreate
from operations.account_creation import create_account
from operations.vesting import TransferToVesting
from protocol.assets import Asset
from protocol.errors import ProtocolError
from protocol.operation import Operation
from protocol.rules import Rules
from protocol.types import Authority
from state.arrival import Arrival
from state.balances import LIQUID
from state.context import SINGLETON, Context
from state.engine.errors import RowError
from state.engine.kv import MemoryBackend
from state.engine.store import Store
from state.invariants import assert_invariants
from state.issuance import issue
from state.tables.accounts import Account
from state.tables.tables import Tables
from tests.chains import FIRST, TESTNET
from tests.harness import sbd, steem, vests

__all__ = ["World", "account_authority", "changed", "key_authority", "make_key", "sbd", "steem", "vests"]

OperationT = TypeVar("OperationT", bound=Operation)


def make_key(seed: str) -> bytes:
    """33 bytes in the place of a public key; nobody checks a signature here."""
    return b"\x02" + sha256(seed.encode()).digest()


def key_authority(seed: str, weight: int = 1) -> Authority:
    """An authority of one key, which satisfies it alone."""
    return Authority(weight, (), ((make_key(seed), weight),))


def changed(op: OperationT, **fields: Any) -> OperationT:
    """A copy of an operation with some fields changed."""
    made = copy(op)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def account_authority(name: str) -> Authority:
    """An authority of one account, which satisfies it alone."""
    return Authority(1, ((name, 1),), ())


class World:
    """The genesis of the testnet, with the means to fill it, to let time pass and to count again."""

    def __init__(self, **rules: int) -> None:
        config = TESTNET
        changed: Rules = config.rules.replace(**rules) if rules else config.rules
        self.store: Store[Tables] = Store(MemoryBackend(), Tables, is_strict=True)
        self.ctx = Context(config, changed, self.store.tables)
        self.store.begin()
        initialize_genesis(self.ctx)
        self.forward(3)

    @property
    def tables(self) -> Tables:
        return self.store.tables

    @property
    def now(self) -> int:
        return self.ctx.time

    def __getitem__(self, name: str) -> Account:
        return self.tables.accounts.get(name)

    def create(self, *names: str) -> None:
        """Creates accounts without balances."""
        for name in names:
            owner, posting = key_authority(name), key_authority(name + " posting")
            create_account(
                self.ctx, AccountCreate(steem(0), FIRST, name, owner, owner, posting, make_key(name), json_metadata="")
            )

    def fund(self, name: str, amount: Asset) -> None:
        """Issues liquid tokens to an account."""
        issue(self.ctx, amount.symbol, (amount.amount, (LIQUID, name)))

    def vest(self, name: str, amount: int) -> None:
        """Issues STEEM to an account and powers it up."""
        self.fund(name, steem(amount))
        self.push(TransferToVesting(name, "", steem(amount)))

    def set_fee(self, amount: int) -> None:
        """Sets the median account creation fee in thousandths of STEEM."""
        schedule = self.tables.witness_schedule.get(SINGLETON)
        props = schedule.median_props._replace(account_creation_fee=steem(amount))
        self.tables.witness_schedule.update(schedule, median_props=props)

    def push(self, op: Operation) -> list[Operation]:
        """Validates and applies an operation, all or nothing; returns the virtual operations it caused."""
        self.ctx.events.clear()
        op.validate(self.ctx.rules)
        with self.store.session():
            op.apply(self.ctx)
        return self._take_events()

    def refuse(self, op: Operation, expected: str) -> str:
        """Checks that an operation is refused with `expected` in the message and changes nothing."""
        before = self.store.compute_digest_from_scratch()
        with pytest.raises((ProtocolError, RowError)) as refused:
            self.push(op)
        assert expected in str(refused.value)
        assert self.store.compute_digest_from_scratch() == before
        return str(refused.value)

    @contextmanager
    def pending(self) -> Iterator[None]:
        """What is pushed meanwhile counts as a transaction that just arrived."""
        self.ctx.arrival = Arrival()
        try:
            yield
        finally:
            self.ctx.arrival = None

    def forward(self, seconds: int) -> None:
        """Lets time pass with one block at its end."""
        gpo = self.ctx.gpo
        self.ctx.update_gpo(time=gpo.time + seconds, head_block_number=gpo.head_block_number + 1)

    def run(self, step: Callable[[Context], None]) -> list[Operation]:
        """Runs a per-block step and returns the virtual operations it caused."""
        self.ctx.events.clear()
        step(self.ctx)
        return self._take_events()

    def _take_events(self) -> list[Operation]:
        events = list(self.ctx.events)
        self.ctx.events.clear()
        return events

    def recount(self) -> None:
        """Adds up everything that exists twice and compares."""
        assert_invariants(self.ctx)
