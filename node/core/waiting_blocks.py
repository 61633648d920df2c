"""Fetched blocks that can not be applied yet: their signers are being recovered, or their parents are missing.

A block goes through three stages: *received*, *ready* once its signers are recovered, and *queued* once its parent is
in the chain. Blocks arrive in any order from several peers, on several branches.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from node.core.peer import Peer
from protocol.block import Block

JOB_SIGNATURES = 400
"""Number of signatures that are recovered as one job."""


class Received(NamedTuple):
    """A waiting block and its sender."""

    block: Block
    peer: Peer


class WaitingBlocks:
    """Waiting blocks by id; `is_known` tells whether a block is in the chain, on any branch."""

    def __init__(self, is_known: Callable[[bytes], bool], recover: Callable[[int, list[Block]], None]) -> None:
        """`recover` starts recovery of the signers of a numbered job's blocks; `on_recovered` is called later."""
        self._is_known = is_known
        self._recover = recover
        self._received: dict[bytes, Received] = {}
        self._ready: dict[bytes, None] = {}
        self._children: dict[bytes, list[bytes]] = {}
        self._queue: deque[bytes] = deque()
        self._postponed: list[bytes] = []
        self._gathered: list[Block] = []
        self._gathered_signatures = 0
        self._jobs: dict[int, list[Block]] = {}
        self._last_job = 0
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._received)

    def __contains__(self, block_id: bytes) -> bool:
        return block_id in self._received

    @property
    def has_next(self) -> bool:
        """Whether a block can be applied now."""
        return bool(self._queue)

    @property
    def is_stuck(self) -> bool:
        """Whether blocks wait, but none can be applied."""
        return bool(self._received) and not (self._queue or self._jobs or self._gathered or self._postponed)

    def find_highest(self) -> int:
        """Returns the highest number of a waiting block, 0 if there is none."""
        return max((received.block.number for received in self._received.values()), default=0)

    def add(self, block: Block, peer: Peer, is_last: bool) -> None:
        """Adds a block; starts signer recovery when there are enough for a job, or this is the last for now."""
        self._received[block.id] = Received(block, peer)
        self.size_bytes += block.size
        self._gathered.append(block)
        self._gathered_signatures += 1 + len(block.transactions)
        if is_last or self._gathered_signatures >= JOB_SIGNATURES:
            self.send_job()

    def send_job(self) -> None:
        """Starts signer recovery of the gathered blocks."""
        if self._gathered:
            self._last_job += 1
            self._jobs[self._last_job] = self._gathered
            self._recover(self._last_job, self._gathered)
            self._gathered, self._gathered_signatures = [], 0

    def on_recovered(self, job: int) -> None:
        """Handles the recovered signers of a job; its blocks are ready."""
        for block in self._jobs.pop(job, ()):
            if block.id not in self._received:
                continue
            self._ready[block.id] = None
            self._children.setdefault(block.previous, []).append(block.id)
            if self._is_known(block.previous):
                self._queue.append(block.id)

    def take_next(self) -> Received | None:
        """Returns the next block to apply, which stays until it is settled; None if it was removed."""
        return self._received.get(self._queue.popleft())

    def settle(self, block_id: bytes) -> None:
        """Removes a block that is in the chain, and queues its children."""
        children = self._children.pop(block_id, [])
        self.forget(block_id)
        self._queue += [child for child in children if child in self._ready]

    def postpone(self, block_id: bytes) -> None:
        """Postpones a block from the future until the next `wake`."""
        self._postponed.append(block_id)

    def wake(self) -> None:
        """Queues postponed blocks, and those whose parents reached the chain in another way."""
        self._queue += self._postponed
        self._postponed.clear()
        queued = set(self._queue)
        for block_id in self._ready:
            if block_id not in queued and self._is_known(self._received[block_id].block.previous):
                self._queue.append(block_id)

    def clear(self) -> None:
        """Removes all blocks."""
        for block_id in list(self._received):
            self.forget_with_children(block_id)

    def forget_with_children(self, block_id: bytes) -> None:
        """Removes a block and all that build on it."""
        doomed = [block_id]
        while doomed:
            bad = doomed.pop()
            doomed += self._children.pop(bad, [])
            self.forget(bad)

    def forget(self, block_id: bytes) -> None:
        """Removes a block."""
        received = self._received.pop(block_id, None)
        self._ready.pop(block_id, None)
        if received is not None:
            self.size_bytes -= received.block.size
            siblings = self._children.get(received.block.previous)
            if siblings is not None and block_id in siblings:
                siblings.remove(block_id)
                if not siblings:
                    del self._children[received.block.previous]
