"""Start of a chain: repairs the log, then applies the blocks after the committed state.

Source: libraries/chain/database.cpp, database::open and reindex.
"""

from collections.abc import Iterable
from typing import NamedTuple

from chain.block_log import BlockStore
from chain.finality import Finality
from chain.origin import read_origin
from chain.reader import Reader
from chain.switch import APPLIED_BEFORE, Switch
from protocol.block import Block
from protocol.codec import Codec
from protocol.errors import BlockLogError, ProtocolError
from state.engine.kv import Backend

RESTORE_AGAIN = "restore a snapshot into another directory"
"""The remedy for a restored node whose block log has a gap."""


class RefusedBlock(NamedTuple):
    """A reversible block of the last run that was refused at the start; it and its descendants are dropped."""

    number: int
    error: ProtocolError


def mend_log(log: BlockStore, backend: Backend, codec: Codec, finality: Finality) -> None:
    """Appends blocks that the log lost but the state database still has. Raises BlockLogError if one is missing."""
    committed = finality.committed_number
    origin = read_origin(backend)
    if origin is not None and log.head_number == 0:
        number = Block.from_bytes(codec, origin).number
        log.begin_at(number)
        log.append(number, origin)
    if log.first_number > committed + 1:
        raise BlockLogError(
            "",
            "The block log begins with block ${first}, but the state is that of block ${state}: ${remedy}.",
            first=log.first_number,
            state=committed,
            remedy=RESTORE_AGAIN,
        )
    while log.head_number < committed:
        number = log.head_number + 1
        packed = finality.reversible.find(number)
        if packed is None:
            replay = "remove the state directory to replay the blocks there are"
            raise BlockLogError(
                "",
                "The block log ends with block ${log}, but the state is that of block ${state}. "
                "Restore the block log, or ${remedy}.",
                log=number - 1,
                state=committed,
                remedy=replay if origin is None else RESTORE_AGAIN,
            )
        log.append(number, packed)
    log.sync()


def replay(
    log: BlockStore, reader: Reader, codec: Codec, switch: Switch, finality: Finality
) -> tuple[RefusedBlock, ...]:
    """Applies the blocks of the log after the committed state, then the reversible ones.

    Returns the refused reversible block, if any. Raises BlockLogError, and ProtocolError for a refused block of the
    log.
    """
    committed = finality.committed_number
    kept = [(number, packed) for number, packed in finality.reversible.scan() if number > committed]
    last = log.head_number
    for number in range(committed + 1, last + 1):
        switch.push_block(reader.read_logged(number), APPLIED_BEFORE)
    finality.number = last  # All blocks of the log were irreversible; the later blocks that confirmed them may be lost.
    finality.try_commit()
    refused = _replay_reversible([block for block in kept if block[0] > last], codec, switch)
    if refused:
        finality.reversible.write({number: None for number, _packed in kept if number >= refused[0].number})
    return refused


def _replay_reversible(kept: Iterable[tuple[int, bytes]], codec: Codec, switch: Switch) -> tuple[RefusedBlock, ...]:
    for number, packed in kept:
        try:
            switch.push_block(Block.from_bytes(codec, packed), APPLIED_BEFORE)
        except ProtocolError as error:
            return (RefusedBlock(number, error),)
    return ()
