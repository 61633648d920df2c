"""A state in memory to which operations and per-block steps are applied one by one, without blocks or signatures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest

from chain.genesis import initialize_genesis
from operations.account_creation import create_account
from operations.vesting import TransferToVesting
from protocol.assets import SBD, STEEM, VESTS, Asset
from protocol.config import ChainConfig
from protocol.errors import ProtocolError
from protocol.operation import Operation
from protocol.rules import Rules
from protocol.types import Authority
from state.context import SINGLETON, Context
from state.errors import RowError
from state.kv import MemoryBackend
from state.money import issue
from state.schema import Account, Tables
from state.store import Store

CORE_ACCOUNTS = ("initminer", "null", "temp", "steem.dao")


def steem(amount: int) -> Asset:
    """An amount in thousandths of STEEM."""
    return Asset(amount, STEEM)


def sbd(amount: int) -> Asset:
    """An amount in thousandths of SBD."""
    return Asset(amount, SBD)


def vests(amount: int) -> Asset:
    """An amount in millionths of VESTS."""
    return Asset(amount, VESTS)


def make_key(seed: str) -> bytes:
    """33 bytes in the place of a public key; nobody checks a signature here."""
    return b"\x02" + sha256(seed.encode()).digest()


def key_authority(seed: str, weight: int = 1) -> Authority:
    """An authority of one key, which satisfies it alone."""
    return Authority(weight, (), ((make_key(seed), weight),))


def account_authority(name: str) -> Authority:
    """An authority of one account, which satisfies it alone."""
    return Authority(1, ((name, 1),), ())


class World:
    """The genesis of the testnet, with the means to fill it, to let time pass and to count again."""

    def __init__(self, **rules: int) -> None:
        config = ChainConfig.preset("testnet")
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
            create_account(
                self.ctx,
                name=name,
                creator="initminer",
                memo_key=make_key(name),
                json_metadata="",
                owner=key_authority(name),
                active=key_authority(name),
                posting=key_authority(name + " posting"),
            )

    def fund(self, name: str, amount: Asset) -> None:
        """Issues liquid tokens to an account."""
        issue(self.ctx, name, amount)

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
        self.ctx.is_pending = True
        try:
            yield
        finally:
            self.ctx.is_pending = False

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
        """Adds up all balances and compares them with the supplies. Source: database::validate_invariants."""
        tables, gpo = self.tables, self.ctx.gpo
        accounts = list(tables.accounts.scan())
        liquid = {STEEM: sum(row.balance for row in accounts), SBD: sum(row.sbd_balance for row in accounts)}
        for order in tables.limit_orders.scan():
            liquid[order.sell_price.base.symbol] += order.for_sale
        liquid[STEEM] += gpo.total_vesting_fund_steem + sum(fund.reward_balance for fund in tables.reward_funds.scan())
        assert liquid[STEEM] == gpo.current_supply
        assert liquid[SBD] == gpo.current_sbd_supply + gpo.init_sbd_supply
        assert sum(row.vesting_shares for row in accounts) == gpo.total_vesting_shares
        assert sum(row.witness_vote_weight for row in accounts if not row.proxy) == gpo.total_vesting_shares
        lent = sum(row.vesting_shares for row in tables.vesting_delegations.scan())
        returning = sum(row.vesting_shares for row in tables.vesting_delegation_expirations.scan())
        assert sum(row.received_vesting_shares for row in accounts) == lent
        assert sum(row.delegated_vesting_shares for row in accounts) == lent + returning
        self._recount_votes_and_keys()

    def _recount_votes_and_keys(self) -> None:
        tables = self.tables
        votes = {witness.owner: 0 for witness in tables.witnesses.scan()}
        for vote in tables.witness_votes.scan():
            votes[vote.witness] += tables.accounts.get(vote.account).witness_vote_weight
        assert votes == {witness.owner: witness.votes for witness in tables.witnesses.scan()}
        members = {
            (key, row.account)
            for row in tables.account_authorities.scan()
            for authority in (row.owner, row.active, row.posting)
            for key, _weight in authority.key_auths
        }
        assert {(row.key, row.account) for row in tables.key_references.scan()} == members
