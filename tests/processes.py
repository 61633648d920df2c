"""What processes take of the machine (Linux)."""

import os
from pathlib import Path


def read_resident_bytes(pid: int | None = None) -> int:
    """The resident memory of a process, or of this one."""
    pages = int(Path(f"/proc/{pid or os.getpid()}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
