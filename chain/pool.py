"""Pending transactions applied on the head: acceptance, re-application after a block, and drops.

The state that clients read, the ledger's `ctx`, is that of the head block plus the pending transactions applied so far.
After a block there are none; `reapply` applies them again in slices, oldest first, up to a limit per head. Code that
needs the state of the head block alone calls `drop_state` first.

Source: libraries/chain/database.cpp, push_transaction, and db_with.hpp, pending_transactions_restorer, which stops
after 200 ms. docs/decisions/0012-pool.md.
"""

from collections import deque
from collections.abc import Callable, Iterable

from chain.ledger import Ledger, make_seen_refusal
from chain.pending import CustomOperationLimit, Dropped, Payment, PendingTransactions, Waiting, depends_on_producer
from protocol.errors import PluginRefused, ProtocolError
from protocol.transaction import Transaction
from state.arrival import OPERATION_STEPS, Arrival

REAPPLIED_OPERATIONS_MAX = 10_000
"""Maximum number of operations applied again on one head; the rest stays pending without being applied."""

SLICE_OPERATIONS_MAX = 250
"""Maximum number of operations in one slice of re-application. A transaction with more is not applied again, because it
would block everything else, and stays pending.
"""

DROPPED_KEPT_MAX = 10_000
"""Maximum number of dropped transactions kept until `take_dropped`."""


class Budget:
    """A work budget: a number of operations, and a time that the caller measures."""

    __slots__ = ("_is_time_up", "operations")

    def __init__(self, operations: int, is_time_up: Callable[[], bool] = lambda: False) -> None:
        self.operations = operations
        self._is_time_up = is_time_up

    def take(self, transaction: Transaction) -> bool:
        """Takes the operations of a transaction; returns False if the budget was already empty."""
        if self.operations <= 0 or self._is_time_up():
            return False
        self.operations -= len(transaction.operations)
        return True


class Pool:
    """The pending transactions of one ledger, and the state with them applied."""

    def __init__(self, ledger: Ledger) -> None:
        self.pending = PendingTransactions()
        self.custom_limit = CustomOperationLimit()
        self.needs_credits = True
        self._ledger = ledger
        self._store = ledger.store
        self._applied: dict[bytes, Transaction] = {}
        """Transactions applied on this head, in order; some may have left the pool since."""
        self._to_apply: deque[bytes] = deque()
        self._operations_left = 0
        self._is_skipping = False
        """Whether a transaction on which later ones may depend was skipped on this head."""
        self.has_head = True
        """Whether `begin_head` has been called since the state was dropped."""
        self._dropped: deque[Dropped] = deque(maxlen=DROPPED_KEPT_MAX)

    def knows(self, trx_id: bytes) -> bool:
        """Whether the transaction is pending, or in a block and not expired."""
        return trx_id in self.pending or self._ledger.ctx.tables.seen_transactions.find(trx_id) is not None

    # Arrival

    def push(self, transaction: Transaction) -> None:
        """Applies a transaction and adds it to the pool. Raises Rejected, Invalid, PluginRefused."""
        ctx = self._ledger.ctx
        if transaction.id in self.pending:
            raise make_seen_refusal(transaction.id)
        counts = self.custom_limit.count(transaction, ctx.rules.custom_op_block_limit, self._ledger.head_id)
        payment = Payment(*self._ledger.quote(transaction))
        leaving = self.pending.check_room(transaction, payment)
        ctx.arrival = Arrival()
        try:
            ctx.arrival.spend(OPERATION_STEPS * len(transaction.operations))
            self._apply(transaction)
        finally:
            ctx.arrival = None
        self._dropped += self.pending.drop(leaving)
        self.pending.add(transaction, payment)
        self.custom_limit.keep(counts)

    def _apply(self, transaction: Transaction) -> None:
        if self._store.depth == 0:
            self._store.begin()
        self._ledger.apply_transaction(transaction, needs_credits=self.needs_credits)
        self._applied[transaction.id] = transaction

    # A new head

    def drop_state(self) -> None:
        """Restores the state of the head block; the transactions stay in the pool."""
        self._applied.clear()
        self._to_apply.clear()
        self.has_head = False
        while self._store.depth:
            self._store.rollback()

    def begin_head(self, included: Iterable[bytes] = (), undone: Iterable[Transaction] = ()) -> None:
        """Updates the pool for a new head, on which no transaction is applied yet.

        `included` are the ids of transactions in applied blocks, `undone` the transactions of undone blocks: those that
        are not in the chain become pending again, before all others.
        """
        self.has_head = True
        for trx_id in included:
            self.pending.remove(trx_id)
        self.pending.remove_expired(self._ledger.ctx.time)
        seen = self._ledger.ctx.tables.seen_transactions
        again = [transaction for transaction in undone if seen.find(transaction.id) is None]
        if again:
            payments = [Payment(*self._ledger.quote(transaction)) for transaction in again]
            self._dropped += self.pending.add_first(list(zip(again, payments, strict=True)))
        self._to_apply = deque(transaction.id for transaction in self.pending)
        self._operations_left = REAPPLIED_OPERATIONS_MAX
        self._is_skipping = False

    def reapply(self, budget: Budget) -> bool:
        """Applies pending transactions again, oldest first, within the budget; returns whether more are left.

        A transaction that fails is dropped: at once if all before it were applied, otherwise after some blocks, because
        it may depend on one that was not applied. One that lacks resource credits stays pending.
        """
        while self._to_apply and self._operations_left > 0:
            waiting = self.pending.find_waiting(self._to_apply[0])
            if waiting is None or waiting.transaction.id in self._applied:
                self._to_apply.popleft()
            elif len(waiting.transaction.operations) > SLICE_OPERATIONS_MAX:
                self._to_apply.popleft()
                self._is_skipping = True
            elif not budget.take(waiting.transaction):
                return True
            else:
                self._to_apply.popleft()
                self._operations_left -= len(waiting.transaction.operations)
                self._try_again(waiting)
        self._to_apply.clear()
        return False

    def stop_reapplying(self) -> None:
        """Ends re-application on this head; the rest stays pending."""
        self._to_apply.clear()

    def _try_again(self, waiting: Waiting) -> None:
        try:
            self._apply(waiting.transaction)
            waiting.problem = None
        except PluginRefused as error:
            waiting.problem = error
            self._is_skipping = True
        except ProtocolError as error:
            if waiting.fail(error) or not self._is_skipping:
                self.pending.remove(waiting.transaction.id)
                self._dropped.append(Dropped(waiting.transaction.id, error))

    def find_tried(self) -> list[Transaction] | None:
        """All pending transactions, in the order in which they were applied on this head; None if any was not.

        None as well if any depends on the producer, who was unknown then.
        """
        applied = list(self._applied.values())
        is_all = len(applied) == len(self.pending) and all(trx_id in self.pending for trx_id in self._applied)
        return None if not is_all or any(map(depends_on_producer, applied)) else applied

    def take_dropped(self) -> list[Dropped]:
        """Returns and clears the transactions dropped since the last call."""
        dropped = list(self._dropped)
        self._dropped.clear()
        return dropped
