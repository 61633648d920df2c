"""A ledger whose state can be filled row by row and committed, to see what one operation or one step costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

from chain.ledger import Ledger
from chain.resource_credits import open_books
from operations.account import AccountCreate
from operations.account_creation import create_account
from protocol.assets import Asset
from protocol.codec import Codec
from protocol.config import ChainConfig, GenesisAccount
from protocol.keys import PrivateKey, encode_public_key, sign_digest
from protocol.operation import Operation
from protocol.transaction import Transaction
from state.context import Context
from state.engine.kv import Backend, MemoryBackend
from state.engine.store import Store
from state.resource_credits import insert_rc_account
from state.tables.tables import Tables
from state.tables.witnesses import Witness
from tests.harness import authority_of, config_with

KEY = PrivateKey.from_seed("init_key")
"""The key of every account of these chains."""

CONTROL = authority_of(KEY)
"""The authority of every one of them."""

FREE = {
    "min_root_comment_interval_seconds": 0,
    "min_reply_interval_seconds": 0,
    "min_vote_interval_seconds": 0,
    "min_comment_edit_interval_seconds": 0,
    "owner_update_limit_seconds": 0,
}
"""Rules that only make the preparation shorter."""

USERS = 60


def user(number: int) -> str:
    """The name of one of the accounts, by turns."""
    return f"user{number % USERS:04}"


class World:
    """A chain whose rows are changed directly; `commit` puts them where the node has them: into the database."""

    def __init__(self, backend: Backend | None = None) -> None:
        config = make_config()
        self.backend = MemoryBackend() if backend is None else backend
        self.store: Store[Tables] = Store(self.backend, Tables, chain_id=config.chain_id)
        self.ledger = Ledger(self.store, config)
        self.ctx: Context = self.ledger.ctx
        self._numbers = count(1)
        self.store.begin()
        now = self.ctx.time
        self.ctx.update_gpo(head_block_number=1, time=now + 3, next_maintenance_time=now + 10**7, last_budget_time=now)
        open_books(self.ctx)
        self.commit()

    @property
    def tables(self) -> Tables:
        """The tables of the state."""
        return self.ctx.tables

    def apply(self, *operations: Operation) -> None:
        """Applies operations to the open checkpoint."""
        for op in operations:
            op.apply(self.ctx)
        self.ctx.events.clear()

    def edit(self, change: Callable[[Context], object]) -> None:
        """Changes rows directly."""
        change(self.ctx)

    @property
    def now(self) -> int:
        """Time of the head block."""
        return self.ctx.time

    def witness(self, name: str) -> Witness:
        """The row of a witness."""
        return self.tables.witnesses.get(name)

    def add_accounts(self, n: int) -> None:
        """Lets there be accounts more000000, more000001 and so on, as far as they are not there yet."""
        for number in range(n):
            name = f"more{number:06}"
            if self.tables.accounts.find(name) is None:
                key = KEY.public_key
                op = AccountCreate(Asset(), "initminer", name, CONTROL, CONTROL, CONTROL, key, json_metadata="")
                create_account(self.ctx, op)
                insert_rc_account(self.ctx, self.tables.accounts.get(name), 0)

    def seal(self) -> None:
        """Ends a block."""
        number = next(self._numbers)
        self.store.seal_block(number, number.to_bytes(20, "big"))
        self.ctx.events.clear()
        self.ctx.reports.clear()

    def commit(self) -> None:
        """Ends a block, makes it irreversible and begins the next one."""
        self.seal()
        head = self.store.head
        assert head is not None
        self.store.commit(head.number)
        self.store.begin()

    def forget_rows(self) -> None:
        """Lets every row that did not change be read from the database again."""
        for spec in Tables.SPECS:
            table = getattr(self.tables, spec.name)
            table.age()
            table.age()

    def pass_time(self, seconds: int) -> None:
        """Lets time pass."""
        self.ctx.update_gpo(time=self.ctx.time + seconds)

    def sign(self, operations: Sequence[Operation], keys: Sequence[PrivateKey] = (KEY,)) -> Transaction:
        """A signed transaction that refers to the head block."""
        config = self.ledger.config
        made = Transaction.make(
            Codec(config.identity),
            ref_block_num=1,
            ref_block_prefix=0,
            expiration=self.ctx.time + 60,
            operations=operations,
        )
        return made.with_signatures([sign_digest(made.digest(config.chain_id), key) for key in keys])


def make_config() -> ChainConfig:
    """Preset dev with some more accounts of one key."""
    config = config_with("dev", **FREE)
    key = encode_public_key(KEY.public_key, config.identity.address_prefix)
    names = [user(number) for number in range(USERS)]
    users = tuple(GenesisAccount(name=name, owner_key=key, balance=10**11, vesting_shares=10**15) for name in names)
    genesis = config.genesis.model_copy(update={"accounts": config.genesis.accounts + users})
    return config.model_copy(update={"genesis": genesis})
