"""A state machine over all enabled operations: valid and nearly valid ones by a dozen accounts over simulated weeks.

Every block is applied, recounted, undone and applied again; whatever is refused must leave the state as it was; and the
auditor keeps its books beside it all.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from copy import copy
from random import Random
from typing import Any

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from consensus.slots import get_scheduled_witness, get_slot_time
from operations.transfer import Transfer
from protocol.block import Block
from protocol.composites import Structure
from protocol.errors import ProtocolError
from protocol.keys import PrivateKey, is_canonical, sign_digest
from protocol.operation import OPERATIONS, Operation
from protocol.transaction import Transaction
from state.invariants import assert_invariants
from tests.audit.play import WEIGHTS, Player, audited, play_config
from tests.harness import steem
from tests.strategies import import_all_operations, values

import_all_operations()
SENDABLE = sorted((cls for cls in OPERATIONS.values() if not cls.virtual), key=lambda cls: cls.number)
MOVES = [name for name, weight in WEIGHTS.items() for _ in range(max(round(weight / 2), 1))]
MEND = {("feed_publish", "exchange_rate")}
"""A median of absurd prices stops the reference too (its 64-bit supplies overflow): no such feed is made up."""

SILENCES = st.sampled_from([0, 0, 0, 0, 1, 20, 120, 300, 1300, 9000, 29_000, 210_000, 450_000])
SEEDS = st.integers(0, 2**32 - 1)


class ChainMachine(RuleBasedStateMachine):
    """Plays the moves of `play.py` in an order that hypothesis chooses (and shrinks), with spoilt ones between them."""

    counts: dict[str, int] = {"accepted": 0, "refused": 0, "blocks": 0, "undone": 0}
    """What all runs did together, for reports."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    @initialize(seed=SEEDS, variant=st.sampled_from([{}, {"skip_price_feed_limit_check": True, "min_feeds": 1}]))
    def begin(self, seed: int, variant: dict[str, Any]) -> None:
        self.player = Player(seed, play_config(**variant))
        self.world = self.player.world
        self.digests = {0: self.world.chain.state_digest}
        self._watch()
        self.auditor = self.stack.enter_context(audited(self.world))
        self.player.start()

    def _watch(self) -> None:
        """Every block that is applied is recounted, taken back and applied again."""
        ledger: Any = self.world.chain.ledger
        store = self.world.chain.store
        apply_block = ledger.apply_block

        def apply_twice(block: Block, *trust: bool) -> Any:
            before = store.digest
            assert store.compute_digest_from_scratch() == before
            effects = apply_block(block, *trust)
            after = store.digest
            assert store.compute_digest_from_scratch() == after, "the digest misses a change"
            assert_invariants(ledger.ctx)
            ledger.undo_block()
            assert store.digest == before, "undoing a block leaves something behind"
            assert store.compute_digest_from_scratch() == before, "undoing a block leaves rows behind"
            again = apply_block(block, *trust)
            assert store.digest == after, "the same block gave another state"
            assert again == effects, "the same block had other effects"
            assert store.compute_digest_from_scratch() == after
            self.counts["blocks"] += 1
            return effects

        ledger.apply_block = apply_twice

    def teardown(self) -> None:
        if hasattr(self, "auditor"):
            self.world.generate_block()
            while len(self.world.chain.pending):  # They are more than one block holds.
                self.world.generate_block()
            self.auditor.compare_all()
        self.stack.close()

    # Transactions

    @rule(name=st.sampled_from(MOVES), seed=SEEDS)
    def move(self, name: str, seed: int) -> None:
        """One move as `play.py` makes it."""
        self._send(self._make(name, seed))

    @rule(names=st.lists(st.sampled_from(MOVES), min_size=4, max_size=12), seed=SEEDS)
    def moves(self, names: list[str], seed: int) -> None:
        """Several moves, each a transaction of its own."""
        for place, name in enumerate(names):
            self._send(self._make(name, seed + place))

    @rule(name=st.sampled_from(MOVES), seed=SEEDS, data=st.data())
    def nearly_valid_move(self, name: str, seed: int, data: st.DataObject) -> None:
        """A move with one field replaced by any value that the wire can carry."""
        made = self._make(name, seed)
        if not made:
            return
        place = data.draw(st.integers(0, len(made) - 1))
        op = copy(made[place])
        shape = self.world.codec.shape(type(op))
        assert isinstance(shape, Structure)
        fields = [field for field in shape.fields if (op.wire_name, field.attribute) not in MEND]
        if not fields:
            return
        field = data.draw(st.sampled_from(fields))
        setattr(op, field.attribute, data.draw(values(field.shape)))
        note(repr(op))
        self._send([*made[:place], op, *made[place + 1 :]])

    @rule(cls=st.sampled_from(SENDABLE), data=st.data())
    def any_operation(self, cls: type[Operation], data: st.DataObject) -> None:
        """An operation of arbitrary fields."""
        self._send([data.draw(values(self.world.codec.shape(cls)))])

    @rule(name=st.sampled_from(MOVES), seed=SEEDS)
    def move_then_overdraw(self, name: str, seed: int) -> None:
        """A transaction that breaks a rule in its last operation is refused whole."""
        made = self._make(name, seed)
        balance = self.world.account("alice").balance
        assert not self._send([*made, Transfer("alice", "bob", steem(balance + 10**12), "")])

    def _make(self, name: str, seed: int) -> list[Operation]:
        self.player.rng = Random(seed)
        made = self.player.moves[name]()
        if made is None:
            return []
        return made if isinstance(made, list) else [made]

    def _send(self, operations: list[Operation]) -> bool:
        """Pushes a transaction; a refused one must change nothing."""
        if not operations:
            return False
        store = self.world.chain.store
        before = store.compute_digest_from_scratch()
        transaction = self._sign(operations)
        try:
            self.world.chain.push_transaction(transaction)
        except ProtocolError:
            assert store.compute_digest_from_scratch() == before, "a refused transaction left something behind"
            self.counts["refused"] += len(operations)
            return False
        self.counts["accepted"] += len(operations)
        return True

    def _sign(self, operations: list[Operation]) -> Transaction:
        transaction = self.world.build(*operations)
        keys: list[PrivateKey] = []
        with suppress(UnicodeEncodeError):  # A name that is no text has no key; the transaction goes unsigned.
            keys = self.world.signers_of(transaction)
        return self.world.sign(transaction, *keys)

    # Blocks

    @rule(skip=SILENCES)
    def block(self, skip: int) -> None:
        """A block, now or after a while."""
        self.world.generate_block(skip_slots=skip)

    @rule(skip=SILENCES)
    def refused_block(self, skip: int) -> None:
        """A block with a bad transaction after good ones is refused whole."""
        world, chain = self.world, self.world.chain
        witness = get_scheduled_witness(chain.ctx, skip + 1)
        key = world._find_signing_key(chain, witness)
        if key is None:
            return
        balance = world.account("alice").balance
        bad = self._sign([Transfer("alice", "bob", steem(balance + 10**12), "")])
        block = chain.build_block(witness, key, get_slot_time(chain.ctx, skip + 1))
        spoilt = Block.make(
            world.codec,
            previous=block.previous,
            timestamp=block.timestamp,
            witness=witness,
            transactions=(*block.transactions, bad),
            extensions=block.extensions,
        )
        head = chain.state_digest
        try:
            chain.push_block(spoilt.with_signature(sign_digest(spoilt.digest, key, is_canonical)))
        except ProtocolError:
            assert chain.state_digest == head, "a refused block left something behind"
            return
        raise AssertionError("a block with a bad transaction was accepted")

    @precondition(lambda self: self.world.chain.head_number > self.world.chain.irreversible_number + 1)
    @rule(depth=st.integers(1, 15))
    def rewind(self, depth: int) -> None:
        """Some blocks are undone and applied again, as when a branch turns out to be shorter after all."""
        chain = self.world.chain
        self.world.generate_block()
        depth = min(depth, chain.head_number - chain.irreversible_number)
        ledger, store = chain.ledger, chain.store
        if store.depth:
            return
        blocks: list[Any] = [chain.reader.get_block(chain.head_number - place) for place in range(depth)]
        digests = []
        for block in blocks:
            digests.append(store.digest)
            assert block is not None and block.id == ledger.head_id
            ledger.undo_block()
            assert store.compute_digest_from_scratch() == store.digest == store.find_digest(ledger.head_number)
            self.counts["undone"] += 1
        for block in reversed(blocks):
            type(ledger).apply_block(ledger, block)
            assert store.digest == digests.pop(), "a block gave another state the second time"
        assert_invariants(ledger.ctx)
