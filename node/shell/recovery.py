"""Recovers signers in a second process while this one applies blocks: ahead for imports, on request for event loops.

Recovery releases the GIL, but a thread would starve beside busy Python code; a process does not. Digests and signatures
are sent, keys come back. If anything fails there, the block's signatures are checked in this process.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

from protocol import keys
from protocol.block import Block
from protocol.errors import Invalid

_DIGEST_BYTES: Final = 32
_JOB_BYTES: Final = _DIGEST_BYTES + keys.SIGNATURE_BYTES
BATCH_SIGNATURES: Final = 400
"""Signatures per batch: all batches in flight fit into the buffers of the pipe, so sending never blocks."""
BATCHES_AHEAD: Final = 4
WORTH_SIGNATURES: Final = 16
"""Minimum number of signatures to send; fewer are recovered faster here."""
IDLE_SECONDS: Final = 60


def recover_batch(jobs: bytes) -> bytes:
    """Returns the 33-byte keys of jobs (digest and signature, 97 bytes each); zeros where recovery fails."""
    found = []
    for at in range(0, len(jobs), _JOB_BYTES):
        digest = jobs[at : at + _DIGEST_BYTES]
        try:
            found.append(keys.recover(digest, jobs[at + _DIGEST_BYTES : at + _JOB_BYTES]))
        except Invalid:
            found.append(keys.NULL_KEY)
    return b"".join(found)


def serve_batches(pipe: Connection) -> None:
    """Runs in the second process until the pipe is closed or it is terminated; Ctrl-C is left to the first process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while True:
            pipe.send_bytes(recover_batch(pipe.recv_bytes()))
    except (EOFError, OSError):
        return


class RecoveryProcess:
    """The second process: takes batches of blocks, and returns them in order with their recovered signers."""

    def __init__(self, chain_id: bytes) -> None:
        self._chain_id = chain_id
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=serve_batches, args=(other,), daemon=True, name="plaudit-recovery")
        self._process.start()
        other.close()

    def fileno(self) -> int:
        """The descriptor that becomes readable when a batch is done."""
        return self._pipe.fileno()

    def send(self, blocks: list[Block]) -> None:
        """Sends a batch. Raises OSError when the process has ended."""
        jobs = []
        for block in blocks:
            jobs += [block.digest, block.witness_signature]
            for transaction in block.transactions:
                digest = transaction.digest(self._chain_id)
                for signature in transaction.signatures:
                    jobs += [digest, signature]
        self._pipe.send_bytes(b"".join(jobs))

    def receive(self, blocks: list[Block]) -> None:
        """Waits for the oldest batch sent, which was `blocks`. Raises EOFError or OSError when the process has
        ended."""
        _fill(blocks, self._pipe.recv_bytes(), self._chain_id)

    def close(self) -> None:
        """Stops the process."""
        self._pipe.close()
        self._process.join(timeout=5)
        if self._process.is_alive():
            self._process.terminate()


class _Batch(NamedTuple):
    blocks: list[Block]
    is_sent: bool


class RecoveryAhead:
    """Yields blocks in order, with the signers of headers and transactions recovered where possible.

    With one CPU, or when the second process has ended, the blocks are unchanged.
    """

    def __init__(self, chain_id: bytes, processors: int | None = None) -> None:
        is_worth_it = (processors or os.cpu_count() or 1) > 1
        self._process = RecoveryProcess(chain_id) if is_worth_it else None

    def close(self) -> None:
        """Stops the second process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def prepare(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Iterates over the blocks, reading ahead."""
        under_way: deque[_Batch] = deque()
        for blocks_of_batch in _cut(blocks):
            under_way.append(_Batch(blocks_of_batch, self._send(blocks_of_batch)))
            if len(under_way) >= BATCHES_AHEAD:
                yield from self._finish(under_way.popleft())
        while under_way:
            yield from self._finish(under_way.popleft())

    def _send(self, blocks: list[Block]) -> bool:
        if self._process is not None:
            try:
                self._process.send(blocks)
            except OSError:
                self.close()
        return self._process is not None

    def _finish(self, batch: _Batch) -> list[Block]:
        if batch.is_sent and self._process is not None:
            try:
                self._process.receive(batch.blocks)
            except (EOFError, OSError):
                self.close()
        return batch.blocks


class RecoveryAside:
    """The second process for an event loop: takes jobs, and calls `on_done(job)` in order.

    It is started for the first job that is large enough, and stopped after an idle period. Small jobs, and all jobs
    with one CPU or when the process has ended, are returned unchanged.
    """

    def __init__(self, chain_id: bytes, on_done: Callable[[int], None], processors: int | None = None) -> None:
        self._chain_id = chain_id
        self._on_done = on_done
        self._may_start = (processors or os.cpu_count() or 1) > 1
        self._process: RecoveryProcess | None = None
        self._waiting: deque[tuple[int, list[Block]]] = deque()
        self._sent: deque[tuple[int, list[Block]]] = deque()
        self._idle_timer: asyncio.TimerHandle | None = None

    def recover(self, job: int, blocks: list[Block]) -> None:
        """Queues a job; `on_done` is called later in any case."""
        self._waiting.append((job, blocks))
        asyncio.get_running_loop().call_soon(self._go_on)

    def close(self) -> None:
        """Stops the process; queued jobs are dropped."""
        self._waiting.clear()
        self._sent.clear()
        self._end_process()
        self._may_start = False

    def _go_on(self) -> None:
        """Sends jobs while the pipe has room; small ones complete in turn without being sent."""
        while self._waiting and len(self._sent) < BATCHES_AHEAD:
            job, blocks = self._waiting[0]
            if not self._is_worth_it(blocks):
                if self._sent:
                    return
                self._waiting.popleft()
                self._on_done(job)
                continue
            try:
                self._find_process().send(blocks)
            except OSError:
                self._give_up()
                return
            self._sent.append(self._waiting.popleft())

    def _is_worth_it(self, blocks: list[Block]) -> bool:
        signatures = len(blocks) + sum(len(block.transactions) for block in blocks)
        return self._may_start and signatures >= WORTH_SIGNATURES

    def _find_process(self) -> RecoveryProcess:
        if self._process is None:
            self._process = RecoveryProcess(self._chain_id)
            asyncio.get_running_loop().add_reader(self._process.fileno(), self._on_readable)
        self._wait_for_idleness()
        return self._process

    def _wait_for_idleness(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._on_idle)

    def _on_readable(self) -> None:
        if self._process is None or not self._sent:
            return self._give_up()
        try:
            self._process.receive(self._sent[0][1])
        except (EOFError, OSError):
            return self._give_up()
        job, _ = self._sent.popleft()
        self._on_done(job)
        self._go_on()

    def _give_up(self) -> None:
        """The process has ended: returns its jobs, and all further ones, unchanged."""
        self._may_start = False
        self._end_process()
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        self._go_on()

    def _on_idle(self) -> None:
        if self._sent:
            self._wait_for_idleness()
        else:
            self._end_process()

    def _end_process(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if self._process is not None:
            asyncio.get_running_loop().remove_reader(self._process.fileno())
            self._process.close()
            self._process = None


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
    """Stores the recovered keys; where one is missing, the check of the block reports why."""
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
