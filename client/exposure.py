"""Detection of secret files that other users can read."""

from __future__ import annotations

import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def find_exposure(path: str | Path) -> str:
    """Returns what is wrong with the permissions of a secret file, with the remedy, or an empty text.

    Pipes and devices are not checked; errors are left to the code that reads the file.
    """
    try:
        found = Path(path).stat()
    except OSError:
        return ""
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & _OTHERS:
        return ""
    mode = stat.S_IMODE(found.st_mode)
    return f"{path} holds a secret, and others on this machine may open it (mode {mode:03o}): `chmod 600` prevents it"
