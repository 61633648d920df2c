"""Never two different blocks for one slot from one key, also after a crash: the slots that were used are remembered.

The time of a slot is written, and the disk waited for, before its block is signed. A node that dies in between has
missed the slot; it can not sign for it again.

After a clock was far ahead the newest slot lies in the future. Only the operator can say that the clock is right again;
`reset` then gives free what was surely never used: the slots between those before the jump and those after it.
"""

from struct import Struct, error
from typing import NamedTuple

from node.core.world import Disk
from protocol.keys import PUBLIC_KEY_BYTES
from state.engine.errors import StoreWriteFailed

FILE = "production_guard"
GAP_SECONDS = 600
"""Slots further apart begin a new run; what lies between the two newest runs is remembered as unused."""

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
        """The same with one more slot, which is free."""
        if slot_time < self.first:
            return self._replace(floor=slot_time)
        if slot_time - self.latest > GAP_SECONDS:
            return Used(self.latest, slot_time, slot_time)
        return Used(self.floor, self.first, slot_time)


UNUSED = Used(0, 0, 0)


class ProductionGuard:
    """What each signing key was used for."""

    def __init__(self, disk: Disk) -> None:
        """Reads what an earlier run wrote. Raises ValueError when the file is damaged."""
        self._disk = disk
        self.write_problem: StoreWriteFailed | None = None
        """Why the last write failed; None when all is well."""
        try:
            self._used = _unpack(disk.read(FILE) or _MAGIC)
        except error as wrong:
            raise ValueError(f"{FILE} is damaged; if no other node signs with these keys, remove it") from wrong

    def find_latest(self, key: bytes) -> int:
        """The time of the newest slot that a public key was used for, 0 for none."""
        return self._used.get(key, UNUSED).latest

    def is_free(self, key: bytes, slot_time: int) -> bool:
        """Whether a public key may sign a block of that slot."""
        return self._used.get(key, UNUSED).is_free(slot_time)

    def reserve(self, key: bytes, slot_time: int) -> None:
        """Remembers the slot, durably; to be called before signing. Raises StoreWriteFailed."""
        self._take(self._used | {key: self._used.get(key, UNUSED).add(slot_time)})

    def reset(self, now: int) -> dict[bytes, Used]:
        """Lets keys whose newest slot is in the future sign in the unused slots before it, from `now` on.

        Returns the keys whose newest slot is in the future, with what they may not sign for. A key has no such slots
        when `floor` is not before `first`. Raises StoreWriteFailed.
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
        """Finds out whether the disk takes the file again after a problem. Raises StoreWriteFailed."""
        if self.write_problem is not None:
            self._take(self._used)

    def _take(self, used: dict[bytes, Used]) -> None:
        """Writes what is used, then goes by it."""
        try:
            self._disk.write(FILE, _MAGIC + b"".join(_ENTRY.pack(key, *used[key]) for key in sorted(used)))
        except StoreWriteFailed as error:
            self.write_problem = error
            raise
        self.write_problem = None
        self._used = used


def _unpack(data: bytes) -> dict[bytes, Used]:
    """Reads the file; what an earlier version wrote says nothing about unused slots. Raises struct.error."""
    if data.startswith(_MAGIC):
        return {key: Used(*values) for key, *values in _ENTRY.iter_unpack(data[len(_MAGIC) :])}
    return {key: Used(latest, latest, latest) for key, latest in _FORMER_ENTRY.iter_unpack(data)}
