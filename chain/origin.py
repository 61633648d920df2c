"""The block with which a restored node begins: its chain's older blocks are not there.

A snapshot holds the state of one block and that block. The block lies in the state database under its own prefix, so
that state and block appear together, and the block log gets it at the first start (and again, should it be lost).
"""

from state.engine.kv import Backend

KEY = b"\x12origin"
"""Key of the packed block."""


def read_origin(backend: Backend) -> bytes | None:
    """Returns the packed block, or None on a node that has its chain from block 1 on."""
    return backend.get(KEY)
