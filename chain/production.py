"""Block production: selection and order of pending transactions, and the header.

Source: libraries/plugins/witness/block_producer.cpp. The selection when not all fit is a policy of this node:
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
"""Maximum size of a block made by this node, whatever the witnesses vote for: peers accept no larger message."""

TRANSACTION_LENGTH_BYTES = 4
"""Bytes reserved for the number of transactions in a block, as by the reference's producer."""

TRANSACTION_SIZE_MARGIN = 256
"""Margin in bytes between an acceptable transaction and the maximum block size; the header takes less."""

TRANSACTION_BYTES_MIN = 80
"""Minimum size of a signed transaction: a block with less room is full."""

TRIED_OPERATIONS_MAX = 20_000
"""Maximum number of operations tried for one block."""

LOOKED_AT_MAX = 30_000
"""Maximum number of transactions considered for one block."""

FAIR_SHARE = 4
"""Divisor of a block's room that gives the maximum share of one account while others are pending."""

ROUNDS_MAX = 8
"""Maximum number of passes over failed transactions, which may depend on others included since."""


class Place(NamedTuple):
    """The position of a pending transaction: number and bytes of those before it, and its rate.

    `rate` is per RATE_BYTES bytes. `block` is the expected block; None if `problem` says why there is none.
    """

    position: int
    bytes_ahead: int
    credits: int
    rate: int
    block: int | None
    problem: str | None


class BlockBuilder:
    """Makes the blocks of one chain from pending transactions."""

    def __init__(self, ledger: Ledger, pool: Pool, codec: Codec) -> None:
        self._ledger = ledger
        self._pool = pool
        self._codec = codec

    def find_bytes_max(self) -> int:
        """Maximum size of this node's next block, without automated actions."""
        ctx = self._ledger.ctx
        return min(ctx.gpo.maximum_block_size - compute_partition(ctx), PRODUCED_BYTES_MAX)

    def check_size(self, transaction: Transaction) -> None:
        """Raises Rejected for a transaction that does not fit into any block of this node."""
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
        """The position of a transaction; None if it is not pending."""
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
        """Makes and signs the next block, and restores the state of the head block. Raises Rejected."""
        ctx, tried = self._ledger.ctx, self._pool.find_tried()
        has_actions = has_due_actions(ctx, timestamp)  # Those that waiting transactions schedule, too.
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
        if tried is not None and not has_actions and self._fits(tried, timestamp, size):
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
        """Whether all transactions fit into the next block by size and expiration.

        `size` is that of the block without transactions, in bytes.
        """
        return size + sum(transaction.size for transaction in transactions) < self.find_bytes_max() and all(
            transaction.expiration >= timestamp for transaction in transactions
        )

    def _choose_contents(
        self, witness: str, timestamp: int, size: int, budget: Budget
    ) -> tuple[list[Transaction], HeaderActions]:
        """Fills the block with transactions, then with due automated actions, for which room was reserved."""
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
    """A block being filled: each transaction is applied on top of those already included."""

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
        """Includes candidates in order while they fit; at first each account up to its share, and former failures last.

        Failed candidates are retried while others get in, because they may depend on them. Then the share is lifted.
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
        """Tries candidates that fit and have not expired; returns those that may get in later."""
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
                waits.add(account)  # Later ones of the account too, as they may depend on this one.
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
