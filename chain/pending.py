"""The pool of pending transactions: bounded, in the order of arrival and of payment.

Source of the custom operations' limit: libraries/plugins/witness/witness_plugin.cpp, on_pre_apply_operation. The bounds
and the order of payment are policies of this node; docs/decisions/0012-pool.md says why they are as they are.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sortedcontainers import SortedList

from protocol.errors import PluginRefused, ProtocolError, Rejected
from protocol.transaction import Transaction

PENDING_BYTES_MAX = 16 << 20
"""Bytes of all pending transactions together."""

PENDING_OPERATIONS_MAX = 30_000
"""Maximum number of operations of all pending transactions together, and so of pending transactions."""

ACCOUNT_SHARE = 5
"""Divisor of the pool's maximum size that gives the maximum share of one account."""

FAILURES_MAX = 3
"""Number of failures on new heads after which a transaction is dropped, even if it may depend on another."""

RATE_BYTES = 1_000_000
"""Unit of a transaction's rate, credits per this many bytes: large enough for integer rates."""


def depends_on_producer(transaction: Transaction) -> bool:
    """Whether the validity of a transaction can depend on the block's producer."""
    return any(operation.depends_on_producer for operation in transaction.operations)


class Payment(NamedTuple):
    """The payment of a transaction: payer, and resource credits at the prices of its arrival."""

    account: str
    credits: int


NOBODY = Payment("", 0)


class Dropped(NamedTuple):
    """A transaction that was removed from the pool; `error` says why."""

    trx_id: bytes
    error: ProtocolError


class Waiting:
    """A transaction in the pool. `problem` is the error of its last application; None if it succeeded."""

    __slots__ = ("failures", "number", "payment", "problem", "rate", "transaction")

    def __init__(self, transaction: Transaction, payment: Payment, number: int) -> None:
        self.transaction = transaction
        self.payment = payment
        self.number = number
        """Arrival number; transactions of undone blocks get lower numbers than all pending ones."""
        self.rate = payment.credits * RATE_BYTES // transaction.size
        self.failures = 0
        self.problem: ProtocolError | None = None

    @property
    def order(self) -> tuple[int, int, bytes]:
        """The sort key: by descending payment per byte, then by age."""
        return -self.rate, self.number, self.transaction.id

    def fail(self, problem: ProtocolError) -> bool:
        """Records a failed application; returns whether there were too many."""
        self.problem = problem
        self.failures += 1
        return self.failures >= FAILURES_MAX


class Share:
    """One account's share of the pool: its transactions in the order of arrival, and their bytes and operations."""

    __slots__ = ("operations", "size_bytes", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[bytes, Waiting] = {}
        self.size_bytes = 0
        self.operations = 0

    def count(self, transaction: Transaction, sign: int) -> None:
        """Adds a transaction to the sums, or subtracts it."""
        self.size_bytes += sign * transaction.size
        self.operations += sign * len(transaction.operations)


class PendingTransactions:
    """The pool: bounded in bytes and operations, together and for each account.

    When it is full, the transactions that pay least per byte are evicted for better-paying ones; of equals the
    youngest.
    """

    def __init__(self, bytes_max: int = PENDING_BYTES_MAX, operations_max: int = PENDING_OPERATIONS_MAX) -> None:
        self._bytes_max = bytes_max
        self._operations_max = operations_max
        self._waiting: dict[bytes, Waiting] = {}
        self._total = Share()
        self._shares: dict[str, Share] = {}
        self._by_rate: SortedList = SortedList()
        self._by_expiration: SortedList = SortedList()
        self._newest = self._oldest = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Transaction]:
        return (waiting.transaction for waiting in self._waiting.values())

    def __contains__(self, trx_id: bytes) -> bool:
        return trx_id in self._waiting

    @property
    def size_bytes(self) -> int:
        """Bytes of all transactions together."""
        return self._total.size_bytes

    @property
    def earliest_expiration(self) -> int | None:
        """The earliest expiration of a transaction, in seconds since the epoch; None if the pool is empty."""
        return self._by_expiration[0][0] if self._by_expiration else None

    def find(self, trx_id: bytes) -> Transaction | None:
        """Returns the pending transaction with this id, or None."""
        waiting = self._waiting.get(trx_id)
        return None if waiting is None else waiting.transaction

    def find_waiting(self, trx_id: bytes) -> Waiting | None:
        """Returns a pending transaction with its payment, or None."""
        return self._waiting.get(trx_id)

    # In the order of payment

    def by_payment(self) -> Iterator[Waiting]:
        """Iterates by descending payment per byte, then by age, with each account's transactions in the order of
        arrival.

        A well-paying transaction comes after earlier ones of its account that pay less, on which it may depend.
        """
        turns: dict[str, Iterator[Waiting]] = {}
        heads: dict[str, Waiting | None] = {}
        held: set[bytes] = set()
        for _, _, trx_id in self._by_rate:
            account = self._waiting[trx_id].payment.account
            if account not in turns:
                turns[account] = iter(self._shares[account].waiting.values())
                heads[account] = next(turns[account])
            held.add(trx_id)
            while (head := heads[account]) is not None and head.transaction.id in held:
                held.discard(head.transaction.id)
                heads[account] = next(turns[account], None)
                yield head

    def find_place(self, trx_id: bytes) -> tuple[int, int, int]:
        """The number of transactions before one in the order of payment, their bytes, and those of its own account."""
        place = ahead = own = 0
        account = self._waiting[trx_id].payment.account
        for waiting in self.by_payment():
            if waiting.transaction.id == trx_id:
                break
            place += 1
            ahead += waiting.transaction.size
            own += waiting.transaction.size if waiting.payment.account == account else 0
        return place, ahead, own

    # Adding and removing

    def check_room(self, transaction: Transaction, payment: Payment = NOBODY) -> list[bytes]:
        """Returns the ids to evict for a transaction. Raises Rejected if those pay as much or more."""
        share = self._shares.get(payment.account) or Share()
        of_account = (self._bytes_max // ACCOUNT_SHARE, self._operations_max // ACCOUNT_SHARE)
        if _exceeds(share, transaction, *of_account):
            raise Rejected(
                "",
                "Too many transactions of ${account} are waiting: with this one ${operations} operations and ${bytes} "
                "bytes; one account may have ${operations_max} and ${bytes_max}",
                account=payment.account,
                operations=share.operations + len(transaction.operations),
                bytes=share.size_bytes + transaction.size,
                operations_max=of_account[1],
                bytes_max=of_account[0],
            )
        return self._choose_leaving(transaction, Waiting(transaction, payment, self._newest).rate)

    def _choose_leaving(self, transaction: Transaction, rate: int) -> list[bytes]:
        """The transactions with the lowest rates to evict; all pay less per byte than the new one."""
        left = Share()
        left.size_bytes, left.operations = self._total.size_bytes, self._total.operations
        leaving: list[bytes] = []
        for negative_rate, _, trx_id in reversed(self._by_rate):
            if not _exceeds(left, transaction, self._bytes_max, self._operations_max):
                return leaving
            if not -negative_rate < rate:
                break
            left.count(self._waiting[trx_id].transaction, -1)
            leaving.append(trx_id)
        if not _exceeds(left, transaction, self._bytes_max, self._operations_max):
            return leaving
        cheapest = -self._by_rate[-1][0] if self._by_rate else 0
        raise Rejected(
            "",
            "Too many transactions are waiting: ${count} with ${bytes} bytes and ${operations} operations. This one "
            "pays ${rate} RC for ${unit} bytes; what would have to make room pays from ${cheapest} on",
            count=len(self._waiting),
            bytes=self._total.size_bytes,
            operations=self._total.operations,
            rate=rate,
            unit=RATE_BYTES,
            cheapest=cheapest,
        )

    def add(self, transaction: Transaction, payment: Payment = NOBODY) -> None:
        """Adds a transaction as the youngest one."""
        if transaction.id not in self._waiting:
            self._newest += 1
            self._insert(Waiting(transaction, payment, self._newest))

    def add_first(self, transactions: list[tuple[Transaction, Payment]]) -> list[Dropped]:
        """Adds transactions of undone blocks, in their order, before all pending ones, as far as there is room.

        Returns those without room.
        """
        dropped: list[Dropped] = []
        others = list(self._waiting)
        self._oldest -= len(transactions)
        for number, (transaction, payment) in enumerate(transactions, start=self._oldest):
            if transaction.id in self._waiting:
                continue
            try:
                leaving = self.check_room(transaction, payment)
            except Rejected as error:
                dropped.append(Dropped(transaction.id, error))
                continue
            dropped += self.drop(leaving)
            self._insert(Waiting(transaction, payment, number))
        for trx_id in others:
            self._move_behind(trx_id)
        return dropped

    def _move_behind(self, trx_id: bytes) -> None:
        """Moves a transaction, if it is still pending, to the end of the order of arrival; its number stays."""
        waiting = self._waiting.pop(trx_id, None)
        if waiting is not None:
            self._waiting[trx_id] = waiting
            queue = self._shares[waiting.payment.account].waiting
            queue[trx_id] = queue.pop(trx_id)

    def _insert(self, waiting: Waiting) -> None:
        transaction = waiting.transaction
        self._waiting[transaction.id] = waiting
        share = self._shares.setdefault(waiting.payment.account, Share())
        share.waiting[transaction.id] = waiting
        for counted in (share, self._total):
            counted.count(transaction, 1)
        self._by_rate.add(waiting.order)
        self._by_expiration.add((transaction.expiration, transaction.id))

    def remove(self, trx_id: bytes) -> Waiting | None:
        """Removes and returns a transaction; None if it is not pending."""
        waiting = self._waiting.pop(trx_id, None)
        if waiting is None:
            return None
        share = self._shares[waiting.payment.account]
        del share.waiting[trx_id]
        for counted in (share, self._total):
            counted.count(waiting.transaction, -1)
        if not share.waiting:
            del self._shares[waiting.payment.account]
        self._by_rate.remove(waiting.order)
        self._by_expiration.remove((waiting.transaction.expiration, trx_id))
        return waiting

    def remove_expired(self, time: int) -> None:
        """Removes transactions that no block after `time` can include."""
        while self._by_expiration and self._by_expiration[0][0] <= time:
            self.remove(self._by_expiration[0][1])

    def drop(self, trx_ids: list[bytes]) -> list[Dropped]:
        """Evicts transactions, and returns them with the reason."""
        dropped: list[Dropped] = []
        for trx_id in trx_ids:
            waiting = self.remove(trx_id)
            assert waiting is not None, "it was found in the pool"
            text = (
                "This node's pool is full and the transaction paid least for its bytes: ${rate} RC for ${unit} bytes. "
                "The node no longer keeps it; another one may still include it until it expires"
            )
            dropped.append(Dropped(trx_id, Rejected("", text, rate=waiting.rate, unit=RATE_BYTES)))
        return dropped


def _exceeds(share: Share, transaction: Transaction, bytes_max: int, operations_max: int) -> bool:
    """Whether a share plus a transaction exceeds the limits."""
    return (
        share.size_bytes + transaction.size > bytes_max
        or share.operations + len(transaction.operations) > operations_max
    )


class CustomOperationLimit:
    """Limits the custom operations of each account since the last block.

    The limit applies to arriving transactions, not to blocks.
    Source: libraries/plugins/witness/witness_plugin.cpp, on_pre_apply_operation.
    """

    def __init__(self) -> None:
        self._head_id = b""
        self._counts: dict[str, int] = {}

    def count(self, transaction: Transaction, limit: int, head_id: bytes) -> dict[str, int]:
        """Returns the counts to pass to `keep` once the transaction is accepted; raises PluginRefused."""
        if head_id != self._head_id:
            self._head_id = head_id
            self._counts.clear()
        counts: dict[str, int] = {}
        for op in transaction.operations:
            if not op.is_custom:
                continue
            for account in sorted(op.impacted()):
                used = counts.get(account, self._counts.get(account, 0))
                # The reference does not check the limit for the first one.
                if used > 0 and not used < limit:
                    raise PluginRefused(
                        "",
                        "Account ${a} already submitted ${n} custom json operation(s) this block.",
                        a=account,
                        n=limit,
                    )
                counts[account] = used + 1
        return counts

    def keep(self, counts: dict[str, int]) -> None:
        """Stores the counts of an accepted transaction."""
        self._counts.update(counts)
