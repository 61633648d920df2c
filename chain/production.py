"""The next block: which of the waiting transactions it holds, in which order, and its header.

Source: libraries/plugins/witness/block_producer.cpp. The choice among more than fits is this node's own:
docs/decisions/0012-pool.md.
"""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from chain.actions import EXTENSION_BYTES, choose_actions, compute_partition, has_due_actions
from chain.ledger import Ledger
from chain.pending import Waiting
from chain.pool import Budget, Pool
from consensus.header import HeaderActions, build_header_extensions
from consensus.slots import get_scheduled_witness, get_slot_at_time
from consensus.witnesses import get_witness
from protocol.block import Block
from protocol.codec import Codec
from protocol.errors import PluginRefused, ProtocolError, Rejected
from protocol.keys import PrivateKey, is_canonical, sign_digest
from protocol.p2p.channel import PAYLOAD_BYTES_MAX
from protocol.p2p.messages import ID_BYTES
from protocol.transaction import Transaction

PRODUCED_BYTES_MAX = PAYLOAD_BYTES_MAX - ID_BYTES
"""The largest block that this node makes, whatever size the witnesses vote for: peers take no larger one."""

TRANSACTION_LENGTH_BYTES = 4
"""Room for the number of transactions in a block, as the reference's producer reserves it."""

TRANSACTION_SIZE_MARGIN = 256
"""How much smaller than the room in a block a transaction must be to be accepted; the header takes less."""

TRANSACTION_BYTES_MIN = 80
"""No transaction with a signature is smaller: a block with less room is full."""

TRIED_OPERATIONS_MAX = 20_000
"""Operations that are tried for one block at most."""

LOOKED_AT_MAX = 30_000
"""Transactions that are looked at for one block at most."""

FAIR_SHARE = 4
"""No account gets more than one part in so many of a block while others wait."""

ROUNDS_MAX = 8
"""How often what failed is tried again once something else got in: it may depend on that."""


class Place(NamedTuple):
    """Where a waiting transaction stands: how many come before it, with how many bytes, and what it pays.

    `rate` is for RATE_BYTES bytes. `block` is the one it is expected in, None when `problem` says why not.
    """

    position: int
    bytes_ahead: int
    credits: int
    rate: int
    block: int | None
    problem: str | None


class BlockBuilder:
    """Makes the blocks of one chain out of what waits."""

    def __init__(self, ledger: Ledger, pool: Pool, codec: Codec) -> None:
        self._ledger = ledger
        self._pool = pool
        self._codec = codec

    def find_bytes_max(self) -> int:
        """How large a block of this node gets, automated actions left out."""
        ctx = self._ledger.ctx
        return min(ctx.gpo.maximum_block_size - compute_partition(ctx), PRODUCED_BYTES_MAX)

    def check_size(self, transaction: Transaction) -> None:
        """Refuses a transaction that no block of this node has room for. Raises Rejected."""
        maximum = self._ledger.ctx.gpo.maximum_block_size
        if not transaction.size <= maximum - TRANSACTION_SIZE_MARGIN:
            text = "The transaction has ${found} bytes; a block holds one of at most ${needed}"
            assertion = "fc::raw::pack_size(trx) <= (get_dynamic_global_properties().maximum_block_size - 256)"
            raise Rejected(assertion, text, found=transaction.size, needed=maximum - TRANSACTION_SIZE_MARGIN)
        room = self.find_bytes_max()
        if not transaction.size <= room - TRANSACTION_SIZE_MARGIN:
            text = (
                "The transaction has ${found} bytes; a block of this node holds one of at most ${needed}: of the "
                "witnesses' maximum_block_size of ${maximum} only ${room} are for transactions and the header"
            )
            needed = room - TRANSACTION_SIZE_MARGIN
            raise Rejected("", text, found=transaction.size, needed=needed, maximum=maximum, room=room)

    def find_place(self, trx_id: bytes) -> Place | None:
        """Where a waiting transaction stands; None when it does not wait."""
        waiting = self._pool.pending.find_waiting(trx_id)
        if waiting is None:
            return None
        position, ahead, own = self._pool.pending.find_place(trx_id)
        room = self.find_bytes_max()
        until = ahead + waiting.transaction.size
        blocks = 0 if until <= room else max(until // room, own * FAIR_SHARE // room)
        problem = None if waiting.problem is None else waiting.problem.message
        number = self._ledger.head_number + 1 + blocks if problem is None else None
        return Place(position, ahead, waiting.payment.credits, waiting.rate, number, problem)

    def build(
        self, witness: str, private_key: PrivateKey, timestamp: int, *, skip_signatures: bool, budget: Budget
    ) -> Block:
        """Makes and signs the next block. Leaves the state at that of the head block. Raises Rejected."""
        ctx, tried = self._ledger.ctx, self._pool.find_tried()
        self._pool.drop_state()
        slot = get_slot_at_time(ctx, timestamp)
        if not slot > 0:
            raise Rejected("slot_num > 0")
        scheduled = get_scheduled_witness(ctx, slot)
        if scheduled != witness:
            raise Rejected("scheduled_witness == witness_owner", "", scheduled=scheduled, witness=witness)
        if get_witness(ctx, witness).signing_key != private_key.public_key and not skip_signatures:
            raise Rejected("witness_obj.signing_key == block_signing_private_key.get_public_key()")
        reports = build_header_extensions(ctx, witness)
        head_id = self._ledger.head_id
        empty = Block.make(self._codec, previous=head_id, timestamp=timestamp, witness=witness, extensions=reports)
        size = empty.size + TRANSACTION_LENGTH_BYTES + (2 * EXTENSION_BYTES if ctx.rules.tokens_enabled else 0)
        if tried is not None and self._fits(tried, timestamp, size):
            transactions, actions = tried, HeaderActions((), ())
        else:
            transactions, actions = self._choose_contents(witness, timestamp, size, budget)
        block = Block.make(
            self._codec,
            previous=head_id,
            timestamp=timestamp,
            witness=witness,
            transactions=transactions,
            extensions=(*reports, *actions.as_extensions()),
        )
        return block.with_signature(sign_digest(block.digest, private_key, is_canonical))

    def _fits(self, transactions: list[Transaction], timestamp: int, size: int) -> bool:
        """Whether transactions have room and time in the next block, and nothing else belongs into it.

        `size` is that of the block without transactions, in bytes.
        """
        return (
            size + sum(transaction.size for transaction in transactions) < self.find_bytes_max()
            and all(transaction.expiration >= timestamp for transaction in transactions)
            and not has_due_actions(self._ledger.ctx, timestamp)
        )

    def _choose_contents(
        self, witness: str, timestamp: int, size: int, budget: Budget
    ) -> tuple[list[Transaction], HeaderActions]:
        """Fills the block with transactions, then with the automated actions that are due, for which they left room."""
        ctx, store = self._ledger.ctx, self._ledger.store
        store.begin()
        try:
            ctx.update_gpo(current_witness=witness)
            filling = Filling(self._ledger, self.find_bytes_max(), size, timestamp, budget, self._pool.needs_credits)
            filling.fill(islice(self._pool.pending.by_payment(), LOOKED_AT_MAX))
            ctx.update_gpo(time=timestamp, head_block_number=self._ledger.head_number + 1)
            actions = choose_actions(ctx, timestamp, filling.size, store.session)
        finally:
            store.rollback()
            ctx.events.clear()
        return filling.chosen, actions


class Filling:
    """One block while it is filled: each transaction is tried on those that are in it."""

    def __init__(
        self, ledger: Ledger, bytes_max: int, size: int, timestamp: int, budget: Budget, needs_credits: bool
    ) -> None:
        self.chosen: list[Transaction] = []
        self.size = size
        self._ledger = ledger
        self._bytes_max = bytes_max
        self._timestamp = timestamp
        self._budget = budget
        self._needs_credits = needs_credits
        self._share_max = (bytes_max - size) // FAIR_SHARE
        self._used: dict[str, int] = {}
        self._is_over = False

    def fill(self, candidates: Iterable[Waiting]) -> None:
        """Takes as many as fit, in their order; first nobody more than its share, and those last that failed before.

        What fails is tried again while others get in: it may depend on them. Then the share is lifted.
        """
        left = self._try_all(candidates, is_first=True)
        for _ in range(ROUNDS_MAX):
            if not left or self._is_over:
                break
            count = len(self.chosen)
            left = self._try_all(left)
            if len(self.chosen) == count:
                if self._share_max == self._bytes_max:
                    break
                self._share_max = self._bytes_max
        for waiting in left:
            if waiting.problem is not None and not isinstance(waiting.problem, PluginRefused):
                waiting.fail(waiting.problem)

    def _try_all(self, candidates: Iterable[Waiting], is_first: bool = False) -> list[Waiting]:
        """Tries what has room and time; returns what may get in later."""
        left: list[Waiting] = []
        waits: set[str] = set()
        for waiting in candidates:
            transaction, account = waiting.transaction, waiting.payment.account
            if self._is_over or self._bytes_max - self.size <= TRANSACTION_BYTES_MIN:
                self._is_over = True
                break
            if self.size + transaction.size >= self._bytes_max or transaction.expiration < self._timestamp:
                continue
            if is_first and waiting.failures:
                left.append(waiting)
            elif account in waits or self._used.get(account, 0) + transaction.size > self._share_max:
                waits.add(account)  # With all that follows: it may depend on this one.
                left.append(waiting)
            elif not self._budget.take(transaction):
                self._is_over = True
            elif self._try(waiting):
                self._used[account] = self._used.get(account, 0) + transaction.size
            else:
                left.append(waiting)
        return left

    def _try(self, waiting: Waiting) -> bool:
        try:
            self._ledger.apply_transaction(waiting.transaction, needs_credits=self._needs_credits)
        except ProtocolError as error:
            waiting.problem = error
            return False
        waiting.problem = None
        self.size += waiting.transaction.size
        self.chosen.append(waiting.transaction)
        return True
