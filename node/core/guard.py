"""Double-signing protection: remembers the slots each key has signed for, also across a crash.

The time of a slot is written and synced to disk before its block is signed. A node that dies in between misses the
slot: it can not sign for it again.

If the clock was far ahead, the newest used slot lies in the future. Only the operator can say that the clock is right
again; `reset` then releases the slots that were certainly not used: those between the slots before the jump and after
it."""

from struct import Struct, error
from typing import NamedTuple

from node.core.world import Disk
from protocol.keys import PUBLIC_KEY_BYTES
from state.engine.errors import StoreWriteFailed

FILE = "production_guard"
GAP_SECONDS = 600
"""Slots further apart start a new run; the slots between the two newest runs are remembered as unused."""

_MAGIC = b"guard 2\n"
_ENTRY = Struct(f"<{PUBLIC_KEY_BYTES}sQQQ?")
_FORMER_ENTRY = Struct(f"<{PUBLIC_KEY_BYTES}sQ")


class Used(NamedTuple):
    """The slots that a key may have signed for, as times: up to `floor`, and from `first` to `latest`.

    Between `floor` and `first` none was used; the key may sign for these only once `has_reset`.
    """

    floor: int
    first: int
    latest: int
    has_reset: bool = False

    def is_free(self, slot_time: int) -> bool:
        """Whether the key may sign for a slot."""
        return slot_time > self.latest or (self.has_reset and self.floor < slot_time < self.first)

    def add(self, slot_time: int) -> "Used":
        """Returns the record with one more slot, which must be free."""
        if slot_time < self.first:
            return self._replace(floor=slot_time)
        if slot_time - self.latest > GAP_SECONDS:
            return Used(self.latest, slot_time, slot_time)
        return Used(self.floor, self.first, slot_time)


UNUSED = Used(0, 0, 0)


class ProductionGuard:
    """The slots each signing key was used for."""

    def __init__(self, disk: Disk) -> None:
        """Reads the file of an earlier run. Raises ValueError when it is damaged."""
        self._disk = disk
        self.write_problem: StoreWriteFailed | None = None
        """Why the last write failed; None when all is well."""
        try:
            self._used = _unpack(disk.read(FILE) or _MAGIC)
        except error as wrong:
            raise ValueError(f"{FILE} is damaged; if no other node signs with these keys, remove it") from wrong

    def find_latest(self, key: bytes) -> int:
        """Returns the time of the newest slot that a public key was used for, 0 for none."""
        return self._used.get(key, UNUSED).latest

    def is_free(self, key: bytes, slot_time: int) -> bool:
        """Whether a public key may sign a block of that slot."""
        return self._used.get(key, UNUSED).is_free(slot_time)

    def reserve(self, key: bytes, slot_time: int) -> None:
        """Records the slot durably; must be called before signing. Raises StoreWriteFailed."""
        self._take(self._used | {key: self._used.get(key, UNUSED).add(slot_time)})

    def reset(self, now: int) -> dict[bytes, Used]:
        """Allows keys whose newest slot is in the future to sign in the unused slots before it, from `now` on.

        Returns the keys whose newest slot is in the future with their records. A key has no unused slots when `floor`
        is not before `first`. Raises StoreWriteFailed.
        """
        ahead = {
            key: used._replace(floor=max(used.floor, now), has_reset=True)
            for key, used in self._used.items()
            if used.latest > now
        }
        if ahead:
            self._take(self._used | ahead)
        return ahead

    def retry_write(self) -> None:
        """Tries to write the file again after a failure. Raises StoreWriteFailed."""
        if self.write_problem is not None:
            self._take(self._used)

    def _take(self, used: dict[bytes, Used]) -> None:
        """Writes the new record, then uses it."""
        try:
            self._disk.write(FILE, _MAGIC + b"".join(_ENTRY.pack(key, *used[key]) for key in sorted(used)))
        except StoreWriteFailed as error:
            self.write_problem = error
            raise
        self.write_problem = None
        self._used = used


def _unpack(data: bytes) -> dict[bytes, Used]:
    """Decodes the file; files of earlier versions have no unused slots. Raises struct.error."""
    if data.startswith(_MAGIC):
        return {key: Used(*values) for key, *values in _ENTRY.iter_unpack(data[len(_MAGIC) :])}
    return {key: Used(latest, latest, latest) for key, latest in _FORMER_ENTRY.iter_unpack(data)}
