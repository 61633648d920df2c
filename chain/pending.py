"""Transactions that were accepted but are in no block yet, in the order in which they were accepted.

Source: libraries/chain/database.cpp, push_transaction, and db_with.hpp, pending_transactions_restorer.
"""

from collections.abc import Iterable, Iterator

from protocol.errors import PluginRefused, Rejected
from protocol.transaction import Transaction

PENDING_BYTES_MAX = 64 << 20
"""Bytes of all pending transactions together."""

PENDING_COUNT_MAX = 50_000
"""Number of pending transactions."""

REAPPLIED_MAX = 2_000
"""Transactions that are applied again after a block; the rest waits, as the reference lets it after 200 ms."""

CUSTOM_OPERATIONS = frozenset({"custom", "custom_json", "custom_binary"})

PRODUCER_OPERATIONS = frozenset({"claim_account"})
"""Operations whose outcome depends on who makes the block, which is not known when they are tried on arrival."""


def depends_on_producer(transaction: Transaction) -> bool:
    """Whether a block may have to leave a transaction out that was valid on arrival."""
    return any(operation.wire_name in PRODUCER_OPERATIONS for operation in transaction.operations)


class PendingTransactions:
    """The pool: bounded in number and bytes, ordered."""

    def __init__(self, bytes_max: int = PENDING_BYTES_MAX, count_max: int = PENDING_COUNT_MAX) -> None:
        self._bytes_max = bytes_max
        self._count_max = count_max
        self._transactions: dict[bytes, Transaction] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._transactions)

    def __iter__(self) -> Iterator[Transaction]:
        return iter(self._transactions.values())

    def __contains__(self, trx_id: bytes) -> bool:
        return trx_id in self._transactions

    @property
    def size_bytes(self) -> int:
        """Bytes of all transactions together."""
        return self._bytes

    def find(self, trx_id: bytes) -> Transaction | None:
        """Returns the pending transaction with this id, or None."""
        return self._transactions.get(trx_id)

    def check_room(self, transaction: Transaction) -> None:
        """Raises Rejected when the pool has no room for a transaction."""
        if len(self._transactions) >= self._count_max or self._bytes + transaction.size > self._bytes_max:
            raise Rejected(
                "",
                "Too many transactions are waiting: ${count} with ${bytes} bytes",
                count=len(self._transactions),
                bytes=self._bytes,
            )

    def add(self, transaction: Transaction) -> None:
        """Appends a transaction."""
        if transaction.id not in self._transactions:
            self._transactions[transaction.id] = transaction
            self._bytes += transaction.size

    def take_all(self) -> list[Transaction]:
        """Empties the pool and returns what it held."""
        taken = list(self._transactions.values())
        self._transactions.clear()
        self._bytes = 0
        return taken

    def restore(self, transactions: Iterable[Transaction]) -> None:
        """Appends transactions as far as there is room."""
        for transaction in transactions:
            if len(self._transactions) >= self._count_max or self._bytes + transaction.size > self._bytes_max:
                return
            self.add(transaction)


class CustomOperationLimit:
    """Counts the custom operations of each account since the last block; more than a few are not accepted.

    The limit is one for accepting transactions, not for blocks.
    Source: libraries/plugins/witness/witness_plugin.cpp, on_pre_apply_operation.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def clear(self) -> None:
        """Begins a new block."""
        self._counts.clear()

    def count(self, transaction: Transaction, limit: int) -> dict[str, int]:
        """Returns the counts that `keep` takes once the transaction is accepted; raises PluginRefused."""
        counts: dict[str, int] = {}
        for op in transaction.operations:
            if op.wire_name not in CUSTOM_OPERATIONS:
                continue
            for account in sorted(op.impacted()):
                used = counts.get(account, self._counts.get(account, 0))
                # The reference counts the first one without a look at the limit.
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
        """Takes over the counts of an accepted transaction."""
        self._counts.update(counts)
