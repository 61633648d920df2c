"""Files with secrets that others on this machine can read."""

from __future__ import annotations

import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def find_exposure(path: str | Path) -> str:
    """What is wrong with the permissions of a file that holds a secret, with the remedy; empty if nothing is.

    A pipe or a device is no file, and one that cannot be looked at is for whoever reads it to tell.
    """
    try:
        found = Path(path).stat()
    except OSError:
        return ""
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & _OTHERS:
        return ""
    mode = stat.S_IMODE(found.st_mode)
    return f"{path} holds a secret, and others on this machine may open it (mode {mode:03o}): `chmod 600` prevents it"
