"""The first block of a node that was restored from a snapshot and has no older blocks.

A snapshot contains the state of one block and that block. The block is stored in the state database under its own
prefix, so that state and block are written atomically; the block log gets it at the first start (and again if it is
lost).
"""

from state.engine.kv import Backend

KEY = b"\x12origin"
"""Key of the packed block."""


def read_origin(backend: Backend) -> bytes | None:
    """Returns the packed block, or None on a node with all blocks from block 1 on."""
    return backend.get(KEY)
