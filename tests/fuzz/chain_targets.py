"""Transactions and blocks: decoded and pushed to a chain, where what is refused must leave no trace."""

from __future__ import annotations

from random import Random
from typing import Any

from consensus.slots import get_scheduled_witness, get_slot_time
from operations.transfer import Transfer
from protocol.block import Block
from protocol.errors import Invalid, ProtocolError
from protocol.keys import PrivateKey, is_canonical, sign_digest
from protocol.operation import Operation
from protocol.transaction import Transaction
from state.engine.errors import RowMissing
from tests.fuzz.mutate import NUMBERS, Mutator
from tests.fuzz.samples import operations, transactions
from tests.fuzz.target import Broken, Target
from tests.harness import Harness, empty_pool, steem
from tests.rpc.service import busy_world

INIT_KEY = PrivateKey.from_seed("init_key")
KEY_CHANGES = ("account_update", "account_update2", "recover_account", "decline_voting_rights")
"""Operations after which an account can do less or signs with other keys; few of them, or nothing else is accepted."""

LATEST = 0xF0000000
"""A chain whose time went on so far has little left of it."""

SIZE_MAX = 60_000
"""Transactions above it are refused for their size, of which a few are enough."""


class Trace(tuple[Any, ...]):
    """What a chain shows of its state without being read as a whole."""


def trace_of(world: Harness) -> Trace:
    """The head, what is final, and what waits."""
    chain = world.chain
    return Trace(
        (chain.head_id, chain.state_digest, chain.irreversible_number, len(chain.pending), chain.pending.size_bytes)
    )


def spoil_operation(random: Random, mutator: Mutator, world: Harness) -> Operation | None:
    """A sample whose packed fields were spoiled and can still be decoded, or None."""
    sample = random.choice(operations())
    if sample.wire_name in KEY_CHANGES and random.random() < 0.95:
        return None
    packed = world.codec.encode_operation(sample)
    try:
        return world.codec.decode_operation(packed[:1] + mutator.spoil(packed[1:]))
    except Invalid:
        return None


def sign(random: Random, world: Harness, transaction: Transaction) -> Transaction:
    """Signed by all whose authority it needs, as far as they exist; now and then by somebody else, too."""
    try:
        keys = world.signers_of(transaction)
    except (ProtocolError, RowMissing, UnicodeEncodeError):
        keys = []
    if random.random() < 0.05:
        keys.append(world.key("bob", "active"))
    return world.sign(transaction, *keys[:20])


class Transactions(Target):
    """Transactions: spoiled bytes, and well-signed ones with spoiled operations, which reach the rules."""

    name = "transactions"
    share = 15
    INPUTS_PER_WORLD = 5_000
    DEEP_EVERY = 20
    """Of so many refused ones, one is followed by a look at all rows."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._inputs = self._refused = 0
        self._world = busy_world()
        samples = transactions(self._world.config.identity)
        packed = [self._world.codec.encode_operation(op) for op in operations()]
        self._mutator = Mutator(random, [*samples, *packed])
        self._samples = samples

    def make(self) -> bytes:
        self._renew()
        if self.random.random() < 0.35:
            return self._mutator.spoil(self.random.choice(self._samples))
        made = [spoil_operation(self.random, self._mutator, self._world) for _ in range(self.random.choice((1, 1, 2)))]
        found = [operation for operation in made if operation is not None]
        if not found:
            found = [Transfer("alice", "bob", steem(self.random.choice(NUMBERS) >> 1), "fuzz")]
        try:
            transaction = self._world.build(*found)
        except (Invalid, OverflowError):
            return b""
        return sign(self.random, self._world, transaction).packed_signed[:SIZE_MAX]

    def run(self, data: bytes) -> bool:
        world = self._world
        before = trace_of(world)
        is_deep = self._refused % self.DEEP_EVERY == 0
        rows = world.chain.store.compute_digest_from_scratch() if is_deep else b""
        try:
            world.chain.push_transaction(Transaction.from_bytes(world.codec, data))
        except ProtocolError as error:
            error.message.encode("utf-8", "surrogateescape")
        else:
            return True
        self._refused += 1
        if trace_of(world) != before:
            raise Broken("a refused transaction leaves a trace in the pool or the head")
        if is_deep and world.chain.store.compute_digest_from_scratch() != rows:
            raise Broken("a refused transaction leaves rows behind")
        return False

    def _renew(self) -> None:
        self._inputs += 1
        if self._inputs % self.INPUTS_PER_WORLD == 0:
            self._world = busy_world()
        elif len(self._world.chain.pending) >= 50 or self._inputs % 500 == 0:
            self._world.generate_block()

    def check(self) -> None:
        self._world.generate_block()
        self._world.recount()
        store = self._world.chain.store
        if store.compute_digest_from_scratch() != store.digest:
            raise Broken("the running digest is not that of the rows")


class Blocks(Target):
    """Blocks: spoiled bytes, and headers that their witness signed over spoiled contents."""

    name = "blocks"
    share = 10
    INPUTS_PER_WORLD = 5_000

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._inputs = 0
        self._begin()

    def _begin(self) -> None:
        self._world = Harness()
        self._world.create_accounts("alice", "bob")
        self._world.fund("alice", steem_amount=100_000)
        self._world.generate_blocks(3)
        self._samples = [self._read(number).packed for number in range(1, self._world.chain.head_number + 1)]
        packed = transactions(self._world.config.identity)
        self._mutator = Mutator(self.random, [*self._samples, *packed])

    def _read(self, number: int) -> Block:
        block = self._world.chain.reader.get_block(number)
        assert block is not None
        return block

    def make(self) -> bytes:
        self._renew()
        if self.random.random() < 0.3:
            return self._mutator.pick()
        try:
            block = Block.make(self._world.codec, **self._make_fields())
        except (Invalid, OverflowError):
            return b""
        if self.random.random() < 0.9:
            block = block.with_signature(sign_digest(block.digest, INIT_KEY, is_canonical))
        return block.packed if self.random.random() < 0.8 else self._mutator.spoil(block.packed)

    def _make_fields(self) -> dict[str, Any]:
        """The fields of the next block, some of them as they must not be."""
        ctx, chain, random = self._world.ctx, self._world.chain, self.random
        slot = random.choice((1, 1, 1, 2, 30))
        fields: dict[str, Any] = {
            "previous": chain.head_id,
            "timestamp": get_slot_time(ctx, slot),
            "witness": get_scheduled_witness(ctx, slot),
            "transactions": [self._make_transaction() for _ in range(random.choice((0, 0, 1, 3)))],
        }
        if random.random() < 0.3:
            name, values = random.choice(
                (
                    ("previous", (bytes(20), self._read(chain.head_number - 2).id, random.randbytes(20))),
                    ("timestamp", (0, 0xFFFFFFFF, chain.head_time, fields["timestamp"] + 1)),
                    ("witness", ("", "alice", "nobody", "x" * 16)),
                    ("transaction_merkle_root", (bytes(20), random.randbytes(20))),
                )
            )
            fields[name] = random.choice(values)
        return fields

    def _make_transaction(self) -> Transaction:
        operation = spoil_operation(self.random, self._mutator, self._world)
        if operation is None or self.random.random() < 0.3:
            operation = Transfer("alice", "bob", steem(self.random.randrange(1, 9)), "fuzz")
        try:
            transaction = self._world.build(operation)
        except (Invalid, OverflowError):
            transaction = self._world.build(Transfer("alice", "bob", steem(1), "fuzz"))
        return sign(self.random, self._world, transaction)

    def run(self, data: bytes) -> bool:
        chain = self._world.chain
        before = trace_of(self._world)
        try:
            block = Block.from_bytes(self._world.codec, data)
            result = chain.push_block(block)
        except ProtocolError as error:
            error.message.encode("utf-8", "surrogateescape")
            if trace_of(self._world) != before:
                raise Broken("a refused block leaves a trace") from error
            return False
        if result.applied and not result.undone:
            self._take_back(len(result.applied), before)
        return True

    def _take_back(self, count: int, before: Trace) -> None:
        """Undoes what was applied, which must give back the state before it; what became final stays so."""
        chain = self._world.chain
        for _ in range(count):
            chain.undo_head()
        chain.pool.drop_state()
        empty_pool(chain.pending)
        if trace_of(self._world)[:2] != before[:2]:
            raise Broken("a block that was undone leaves a trace")
        if chain.store.compute_digest_from_scratch() != chain.state_digest:
            raise Broken("a block that was undone leaves rows behind")

    def _renew(self) -> None:
        self._inputs += 1
        if self._inputs % self.INPUTS_PER_WORLD == 0 or self._world.now > LATEST:
            self.check()
            self._begin()
        elif self._inputs % 250 == 0:
            self._world.generate_block()

    def check(self) -> None:
        self._world.recount()
        chain = self._world.chain
        if chain.store.compute_digest_from_scratch() != chain.state_digest:
            raise Broken("the running digest is not that of the rows")
