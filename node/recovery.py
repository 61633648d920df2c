"""Recovers signers ahead in a second process, while this one applies blocks.

Recovery holds no lock of the interpreter, but threads starve beside busy Python code; a process does not. What goes
over is digests and signatures, what comes back are keys. Whatever goes wrong there, the block is checked here again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, NamedTuple, Self

from protocol import keys
from protocol.block import Block
from protocol.errors import Invalid

_DIGEST_BYTES: Final = 32
_JOB_BYTES: Final = _DIGEST_BYTES + keys.SIGNATURE_BYTES
BATCH_SIGNATURES: Final = 400
"""Signatures in a batch: all batches under way fit the buffers of the pipe, so nobody waits for room."""
BATCHES_AHEAD: Final = 4


def recover_batch(jobs: bytes) -> bytes:
    """Returns the 33-byte keys of jobs (digest and signature, 97 bytes each); zeros where none can be recovered."""
    found = []
    for at in range(0, len(jobs), _JOB_BYTES):
        digest = jobs[at : at + _DIGEST_BYTES]
        try:
            found.append(keys.recover(digest, jobs[at + _DIGEST_BYTES : at + _JOB_BYTES]))
        except Invalid:
            found.append(keys.NULL_KEY)
    return b"".join(found)


def serve_batches(pipe: Connection) -> None:
    """Runs in the second process until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        while True:
            pipe.send_bytes(recover_batch(pipe.recv_bytes()))
    except (EOFError, OSError):
        return


class _Batch(NamedTuple):
    blocks: list[Block]
    is_sent: bool


class RecoveryAhead:
    """Hands blocks on in their order, with the signers of headers and transactions recovered where that was possible.

    With one processor, or when the second process is gone, the blocks come as they are.
    """

    def __init__(self, chain_id: bytes, processors: int | None = None) -> None:
        self._chain_id = chain_id
        self._pipe: Connection | None = None
        self._process: multiprocessing.process.BaseProcess | None = None
        if (processors or os.cpu_count() or 1) > 1:
            self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=serve_batches, args=(other,), daemon=True, name="plaudit-recovery")
        self._process.start()
        other.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the second process."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.join(timeout=5)
            if self._process.is_alive():
                self._process.terminate()
            self._process = None

    def prepare(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Iterates over the blocks; some of them are read ahead."""
        under_way: deque[_Batch] = deque()
        for blocks_of_batch in _cut(blocks):
            under_way.append(_Batch(blocks_of_batch, self._send(blocks_of_batch)))
            if len(under_way) >= BATCHES_AHEAD:
                yield from self._finish(under_way.popleft())
        while under_way:
            yield from self._finish(under_way.popleft())

    def _send(self, blocks: list[Block]) -> bool:
        if self._pipe is None:
            return False
        jobs = []
        for block in blocks:
            jobs += [block.digest, block.witness_signature]
            for transaction in block.transactions:
                digest = transaction.digest(self._chain_id)
                for signature in transaction.signatures:
                    jobs += [digest, signature]
        try:
            self._pipe.send_bytes(b"".join(jobs))
        except OSError:
            self._pipe = None
        return self._pipe is not None

    def _finish(self, batch: _Batch) -> list[Block]:
        if batch.is_sent and self._pipe is not None:
            try:
                _fill(batch.blocks, self._pipe.recv_bytes(), self._chain_id)
            except (EOFError, OSError):
                self._pipe = None
        return batch.blocks


def _cut(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    batch: list[Block] = []
    count = 0
    for block in blocks:
        signatures = 1 + sum(len(transaction.signatures) for transaction in block.transactions)
        if batch and count + signatures > BATCH_SIGNATURES:
            yield batch
            batch, count = [], 0
        batch.append(block)
        count += signatures
    if batch:
        yield batch


def _fill(blocks: list[Block], found: bytes, chain_id: bytes) -> None:
    """Keeps the keys; where one is missing the block's own check finds out why."""
    size, null = keys.PUBLIC_KEY_BYTES, keys.NULL_KEY
    at = 0
    for block in blocks:
        key = found[at : at + size]
        at += size
        if key != null:
            block.keep_signer(key)
        for transaction in block.transactions:
            end = at + size * len(transaction.signatures)
            signers = tuple(found[place : place + size] for place in range(at, end, size))
            at = end
            if null not in signers:
                transaction.keep_signers(chain_id, signers)
