"""Never two different blocks for one slot from one key, also after a crash: the slots that were used are remembered.

The time of a slot is written, and the disk waited for, before its block is signed. A node that dies in between has
missed the slot; it can not sign for it again.
"""

from struct import Struct, error

from node.core.world import Disk
from protocol.keys import PUBLIC_KEY_BYTES
from state.errors import StoreWriteFailed

FILE = "production_guard"
_ENTRY = Struct(f"<{PUBLIC_KEY_BYTES}sQ")


class ProductionGuard:
    """The time of the newest slot that each signing key was used for."""

    def __init__(self, disk: Disk) -> None:
        """Reads what an earlier run wrote. Raises ValueError when the file is damaged."""
        self._disk = disk
        self.write_problem: StoreWriteFailed | None = None
        """Why the last write failed; None when all is well."""
        try:
            entries = _ENTRY.iter_unpack(disk.read(FILE) or b"")
        except error as wrong:
            raise ValueError(f"{FILE} is damaged; if no other node signs with these keys, remove it") from wrong
        self._latest: dict[bytes, int] = dict(entries)

    def find_latest(self, key: bytes) -> int:
        """The time of the newest slot that a public key was used for, 0 for none."""
        return self._latest.get(key, 0)

    def is_free(self, key: bytes, slot_time: int) -> bool:
        """Whether a public key may sign a block of that slot."""
        return slot_time > self.find_latest(key)

    def reserve(self, key: bytes, slot_time: int) -> None:
        """Remembers the slot, durably; to be called before signing. Raises StoreWriteFailed."""
        latest = self._latest | {key: slot_time}
        self._write(latest)
        self._latest = latest

    def retry_write(self) -> None:
        """Finds out whether the disk takes the file again after a problem. Raises StoreWriteFailed."""
        if self.write_problem is not None:
            self._write(self._latest)

    def _write(self, latest: dict[bytes, int]) -> None:
        try:
            self._disk.write(FILE, b"".join(_ENTRY.pack(name, latest[name]) for name in sorted(latest)))
        except StoreWriteFailed as error:
            self.write_problem = error
            raise
        self.write_problem = None
