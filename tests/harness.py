"""A chain in memory with helpers, for tests: accounts with derived keys, signed transactions, blocks, recounts.

    world = Harness()
    world.create_account("alice")
    world.fund("alice", steem=1000)
    world.push(Transfer("alice", "bob", steem(5), "memo"))
    world.generate_block()
    world.recount()

Keys: the private key of an account's role is that of the seed name + role + "pw", as in the reference chains; genesis
accounts of preset dev keep the keys of their password, and initminer of preset testnet its one key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chain.chain import Chain
from chain.pending import PendingTransactions
from consensus.slots import get_scheduled_witness, get_slot_at_time, get_slot_time
from index.account_history import AccountHistory
from index.indexes import Indexes
from index.market_history import MarketHistory
from operations.account import AccountCreate
from operations.content import Comment
from operations.transfer import Transfer
from operations.vesting import TransferToVesting
from operations.vote import Vote
from operations.witness import AccountWitnessVote, FeedPublish, WitnessUpdate
from protocol.assets import SBD, STEEM, VESTS, Asset, Price
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.keys import PrivateKey, sign_digest
from protocol.operation import Operation
from protocol.transaction import Transaction
from protocol.types import Authority, LegacyChainProperties
from state.context import SINGLETON, Context
from state.invariants import assert_invariants
from state.tables.accounts import Account
from state.tables.content import Comment as CommentRow
from state.tables.globals import GlobalProperties
from state.tables.tables import Tables
from state.tables.witnesses import Witness
from tests.chains import FIRST, TESTNET, load_preset

PASSWORD = "pw"


def steem(amount: int) -> Asset:
    """Thousandths of STEEM."""
    return Asset(amount, STEEM)


def sbd(amount: int) -> Asset:
    """Thousandths of SBD."""
    return Asset(amount, SBD)


def vests(amount: int) -> Asset:
    """Millionths of VESTS."""
    return Asset(amount, VESTS)


def dev_config(**rules: Any) -> ChainConfig:
    """Preset dev with a cashout window of one hour (and other rules as given)."""
    return config_with("dev", **{"cashout_window_seconds": 3600, **rules})


def config_with(preset: Any, **rules: Any) -> ChainConfig:
    """A preset with some rules changed."""
    config = load_preset(preset)
    return config.model_copy(update={"rules": config.rules.replace(**rules)})


def authority_of(key: PrivateKey | bytes) -> Authority:
    """An authority of one key."""
    return Authority(1, (), ((key if isinstance(key, bytes) else key.public_key, 1),))


def empty_pool(pool: PendingTransactions) -> None:
    """Takes out all that waits."""
    for transaction in list(pool):
        pool.remove(transaction.id)


class Harness:
    """A chain in memory; counterpart of the reference's database_fixture."""

    def __init__(
        self,
        config: ChainConfig | None = None,
        *,
        chain: Chain | None = None,
        path: object | None = None,
        indexes: Indexes | None = None,
        has_history: bool | None = True,
        first_block: bool = True,
        needs_credits: bool = False,
    ) -> None:
        """Opens preset testnet unless another config (or an open chain) is given, and makes block 1.

        The chain is in memory, or in the directory `path`; with an open chain come its `indexes`, if it has any.
        As in the reference's fixture, accounts may act without resource credits unless a test asks for it.
        """
        self.config = config or (chain.config if chain else TESTNET)
        self.indexes = indexes or Indexes(has_history and chain is None)
        self.chain = chain or Chain.open(self.config, path, followers=(self.indexes,))
        self.chain.refuses_without_credits = needs_credits
        self.codec = self.chain.codec
        self._keys: dict[bytes, PrivateKey] = {}
        self._salt = 0
        self._learn_genesis_keys()
        if first_block and self.chain.head_number == 0:
            self.generate_block()

    # Reading

    @property
    def history(self) -> AccountHistory:
        """The account history."""
        return self.indexes.history

    @property
    def market(self) -> MarketHistory:
        """The market history."""
        return self.indexes.market

    @property
    def ctx(self) -> Context:
        """The state with pending transactions."""
        return self.chain.ctx

    @property
    def tables(self) -> Tables:
        """The tables of the state."""
        return self.chain.ctx.tables

    @property
    def gpo(self) -> GlobalProperties:
        """The dynamic global properties."""
        return self.chain.ctx.gpo

    @property
    def now(self) -> int:
        """Time of the head block."""
        return self.chain.ctx.time

    def account(self, name: str) -> Account:
        """The row of an account."""
        return self.tables.accounts.get(name)

    def witness(self, name: str) -> Witness:
        """The row of a witness."""
        return self.tables.witnesses.get(name)

    def comment(self, author: str, permlink: str) -> CommentRow:
        """The row of a post."""
        row = self.tables.comments.index("by_permlink").find((author, permlink))
        assert row is not None, f"no post {author}/{permlink}"
        return row

    def recount(self) -> None:
        """Recounts all supplies and sums; raises InvariantBroken."""
        assert_invariants(self.ctx)

    # Keys

    def key(self, name: str, role: str = "active") -> PrivateKey:
        """The private key of an account's role: owner, active, posting, memo, or block for a witness."""
        for account in self.config.genesis.accounts:
            if account.name == name and role != "block":
                if account.password:
                    return PrivateKey.from_password(name, role, account.password)
                return PrivateKey.from_seed("init_key")
        return self.remember(PrivateKey.from_seed(name + role + PASSWORD))

    def remember(self, key: PrivateKey) -> PrivateKey:
        """Lets the harness sign blocks with a key."""
        self._keys[key.public_key] = key
        return key

    def _learn_genesis_keys(self) -> None:
        for account in self.config.genesis.accounts:
            for role in ("owner", "active", "posting", "memo"):
                self.remember(self.key(account.name, role))
        self.remember(PrivateKey.from_seed("init_key"))
        for account in self.config.genesis.accounts:
            if account.password:
                for role in ("block", "signing", "witness"):
                    self.remember(PrivateKey.from_password(account.name, role, account.password))

    # Transactions

    def build(self, *operations: Operation, expires_in: int | None = None) -> Transaction:
        """A transaction without signatures that refers to the head block; no two are alike."""
        self._salt += 1
        longest = self.config.rules.max_time_until_expiration_seconds
        lifetime = expires_in if expires_in is not None else longest - self._salt % (longest - 60)
        return Transaction.make(
            self.codec,
            ref_block_num=self.chain.head_number & 0xFFFF,
            ref_block_prefix=int.from_bytes(self.chain.head_id[4:8], "little"),
            expiration=self.now + lifetime,
            operations=operations,
        )

    def sign(self, transaction: Transaction, *keys: PrivateKey) -> Transaction:
        """The transaction with these signatures added."""
        digest = transaction.digest(self.config.chain_id)
        signatures = (*transaction.signatures, *(sign_digest(digest, key) for key in keys))
        return transaction.with_signatures(signatures)

    def signers_of(self, transaction: Transaction) -> list[PrivateKey]:
        """The keys of the accounts whose authority the operations need."""
        required = transaction.required_authorities()
        keys = [self.key(name, "active") for name in sorted(required.actives - required.owners)]
        keys += [self.key(name, "owner") for name in sorted(required.owners)]
        keys += [self.key(name, "posting") for name in sorted(required.postings)]
        return list({key.public_key: key for key in keys}.values())

    def push(
        self, *operations: Operation, keys: list[PrivateKey] | None = None, expires_in: int | None = None
    ) -> Transaction:
        """Signs (with the keys the operations need, unless keys are given) and pushes one transaction."""
        transaction = self.build(*operations, expires_in=expires_in)
        transaction = self.sign(transaction, *(self.signers_of(transaction) if keys is None else keys))
        self.chain.push_transaction(transaction)
        return transaction

    def apply(self, *operations: Operation, keys: list[PrivateKey] | None = None) -> Block:
        """Pushes one transaction and makes a block that holds it."""
        transaction = self.push(*operations, keys=keys)
        block = self.generate_block()
        assert transaction.id in block.transaction_ids, "the transaction was left out of the block"
        return block

    # Blocks

    def twin(self) -> Harness:
        """Another node with the same blocks."""
        other = Harness(self.config, first_block=False)
        for number in range(1, self.chain.head_number + 1):
            block = self.chain.reader.get_block(number)
            assert block is not None
            other.chain.push_block(block)
        assert other.chain.state_digest == self.chain.state_digest
        return other

    def generate_block(self, skip_slots: int = 0, chain: Chain | None = None) -> Block:
        """Makes the next block with the scheduled witness's key, after some missed slots."""
        chain = chain or self.chain
        ctx = chain.ctx
        slot = 1 + skip_slots
        name = get_scheduled_witness(ctx, slot)
        key = self._find_signing_key(chain, name)
        while key is None:
            slot += 1
            assert slot <= skip_slots + 10 * ctx.rules.max_witnesses, "nobody whose key is known can make a block"
            name = get_scheduled_witness(ctx, slot)
            key = self._find_signing_key(chain, name)
        return chain.generate_block(name, key, get_slot_time(ctx, slot))

    def _find_signing_key(self, chain: Chain, name: str) -> PrivateKey | None:
        """The key a witness must sign with; the state shows what pending transactions change, the head counts."""
        key = self._keys.get(chain.ctx.tables.witnesses.get(name).signing_key)
        if key is None and len(chain.pending):
            key = self._keys.get(chain.read_head_signing_key(name))
        return key

    def generate_blocks(self, count: int) -> list[Block]:
        """Makes some blocks without gaps."""
        return [self.generate_block() for _ in range(count)]

    def generate_until(self, time: int, *, sparse: bool = True) -> None:
        """Makes blocks until the head block's time is `time` or later; sparse ones leave out all slots but the last.

        As in the reference's fixture, a sparse jump ends with a block in the last slot that is not after `time`.
        """
        if sparse:
            slot = get_slot_at_time(self.ctx, time)
            if slot > 1:
                self.generate_block(skip_slots=slot - 1)
        while self.now < time:
            self.generate_block()

    def pass_time(self, seconds: int, *, sparse: bool = True) -> None:
        """Makes blocks until so many seconds passed."""
        self.generate_until(self.now + seconds, sparse=sparse)

    # Accounts and money

    def create_account(self, name: str, creator: str = FIRST, *, fee: int | None = None) -> Account:
        """Creates an account with derived keys and puts it into a block. The fee is in thousandths of STEEM."""
        if fee is None:
            fee = self.tables.witness_schedule.get(SINGLETON).median_props.account_creation_fee.amount
        self.apply(
            AccountCreate(
                fee=steem(fee),
                creator=creator,
                new_account_name=name,
                owner=authority_of(self.key(name, "owner")),
                active=authority_of(self.key(name, "active")),
                posting=authority_of(self.key(name, "posting")),
                memo_key=self.key(name, "memo").public_key,
                json_metadata="",
            )
        )
        return self.account(name)

    def create_accounts(self, *names: str) -> None:
        """Creates some accounts."""
        for name in names:
            self.create_account(name)

    def fund(self, name: str, steem_amount: int = 0, sbd_amount: int = 0) -> None:
        """Gives an account liquid tokens of initminer, in thousandths."""
        operations: list[Operation] = []
        if steem_amount:
            operations.append(Transfer(FIRST, name, steem(steem_amount), ""))
        if sbd_amount:
            operations.append(Transfer(FIRST, name, sbd(sbd_amount), ""))
        self.apply(*operations)

    def vest(self, name: str, steem_amount: int) -> int:
        """Powers up STEEM of initminer (thousandths) for an account; returns the VESTS (millionths) it got."""
        before = self.account(name).vesting_shares
        self.apply(TransferToVesting(FIRST, name, steem(steem_amount)))
        return self.account(name).vesting_shares - before

    def set_price(self, sbd_amount: int, steem_amount: int) -> None:
        """Publishes a feed of initminer and makes it the median at once by a change of the row.

        Only for tests whose subject is not the feed: a median of real feeds takes an hour of blocks and 7 witnesses.
        """
        self.apply(FeedPublish(FIRST, Price(sbd(sbd_amount), steem(steem_amount))))
        self.edit(lambda ctx: self._set_median(ctx, Price(sbd(sbd_amount), steem(steem_amount))))

    def _set_median(self, ctx: Context, price: Price) -> None:
        table = ctx.tables.feed_history
        table.update(table.get(SINGLETON), current_median_history=price)
        gpo = ctx.gpo
        debt = gpo.current_sbd_supply * price.quote.amount // price.base.amount
        ctx.update_gpo(virtual_supply=gpo.current_supply + debt)

    def edit(self, change: Callable[[Context], object]) -> None:
        """Changes rows directly: `change(ctx)` runs at the beginning of a block that is made now.

        Such a block is valid on this chain object only.
        """
        ledger: Any = self.chain.ledger
        apply_block = ledger._apply_block

        def apply_after_change(*arguments: Any) -> Any:
            change(self.ctx)
            return apply_block(*arguments)

        ledger._apply_block = apply_after_change
        try:
            self.generate_block()
        finally:
            del ledger._apply_block

    # Content

    def post(self, author: str, permlink: str, *, parent: tuple[str, str] = ("", "test"), body: str = "body") -> None:
        """Pushes a post, or a reply to `parent`."""
        self.push(Comment(parent[0], parent[1], author, permlink, "title", body, ""))

    def vote(self, voter: str, author: str, permlink: str, weight: int = 10_000) -> None:
        """Pushes a vote, in basis points."""
        self.push(Vote(voter, author, permlink, weight))

    # Witnesses

    def make_witness(self, name: str) -> None:
        """Turns an account into a witness with the key of its role "block"."""
        props = LegacyChainProperties(steem(3000), 131_072, 1000)
        self.apply(WitnessUpdate(name, "https://example.com", self.key(name, "block").public_key, props, steem(0)))

    def vote_witness(self, account: str, witness: str, approve: bool = True) -> None:
        """Votes for a witness."""
        self.apply(AccountWitnessVote(account, witness, approve))


class Told:
    """A progress that keeps each position with the size of the work, and ends the work when it is told to."""

    def __init__(self, error: type[Exception] | None = None, at: int = 0) -> None:
        self.figures: list[tuple[int, int]] = []
        self._size = 0
        self._error, self._at = error, at

    def begin(self, size: int, position: int = 0) -> None:
        self._size = size

    def advance(self, position: int, title: str, **counts: int) -> None:
        self.figures.append((position, self._size))
        if self._error is not None and len(self.figures) == self._at:
            raise self._error
