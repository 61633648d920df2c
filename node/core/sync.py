"""Synchronisation: which blocks a peer has that this node lacks, fetching them from all peers, applying them in order.

Each side runs it towards the other. The one that asks sends a synopsis, a few ids of its chain that lie ever closer
towards its head; the other answers with the ids behind the newest of them that it knows. Blocks are fetched in batches
from all peers that have them, their signers are recovered elsewhere meanwhile, and each is applied when its parent is.

Source: libraries/net/node.cpp, on_fetch_blockchain_item_ids_message, on_blockchain_item_ids_inventory_message,
fetch_sync_items_loop and process_block_during_sync; libraries/plugins/p2p/p2p_plugin.cpp, get_blockchain_synopsis and
get_block_ids.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from chain.chain import Chain
from node.core.hub import Hub, Intake, TooEarly
from node.core.peer import AskedBlock, Peer
from node.core.settings import Checkpoint
from protocol.block import Block, block_number
from protocol.errors import BlockLinkError, ProtocolError
from protocol.p2p.messages import (
    BLOCK_IDS_MAX,
    BLOCK_ITEM,
    BlockchainItemIdsInventory,
    FetchBlockchainItemIds,
    FetchItems,
)
from protocol.types import NULL_ID

APPLY_TIMER = "apply"

IDS_AHEAD_MAX = 10_000
"""Block ids of one peer that wait to be fetched before more of them are asked for."""

BATCH_BLOCKS = 200
"""Blocks that one request asks for."""

WINDOW_BLOCKS = 2_000
"""How far beyond the head blocks are fetched."""

RECEIVED_BYTES_MAX = 32 << 20
"""Bytes of blocks that wait to be applied before only near ones are fetched and kept; in memory they are several times
as large."""

NEAR_BLOCKS = 50
"""Blocks so close to the head are fetched all the same: without them nothing that waits can be applied."""

NEAR_BYTES_MAX = 2 * RECEIVED_BYTES_MAX
"""Bytes of waiting blocks before even near ones are not kept unless they can be applied at once."""

JOB_SIGNATURES = 400
"""Signatures that are recovered as one job."""

APPLY_BLOCKS_MAX = 100
APPLY_MS_MAX = 40
"""How much is applied at once before other events have their turn."""

BULK_BLOCKS = 500
"""So far behind, commits are grouped; what a crash loses is fetched again."""

PATIENCE_MS = 3_000
"""A block that a peer has owed for so long is asked of another one, too: whoever sends slowly holds up nobody."""

ANSWER_MS_MAX = 6_000
"""A peer that owes an answer for so long is dropped. Source: node_configuration.hpp."""

PROGRESS_MS = 10_000
"""How often the progress of a long synchronisation is told."""

FUTURE_SECONDS_MAX = 3_600
"""How much longer than the time that has passed a peer's chain may claim to be."""

SYNOPSIS_COST = 10
IDS_PER_COST = 5
"""What it costs a peer to ask for block ids, and how many ids cost one unit more."""

EARLY_SECONDS_MAX = 60
"""A block whose time has not come by so much waits for it: clocks are not alike. Others are refused."""

RECENT_SECONDS = 60
"""A head of that age is the newest block or nearly so, whatever peers claim."""


class Received(NamedTuple):
    """A block that waits to be applied, and who sent it."""

    block: Block
    peer: Peer


class Progress(NamedTuple):
    """What was applied since a moment."""

    since_ms: int
    blocks: int
    transactions: int


class Sync:
    """What is fetched from whom, and what waits to be applied."""

    def __init__(self, hub: Hub, chain: Chain, intake: Intake, checkpoint: Checkpoint | None) -> None:
        self._hub = hub
        self._chain = chain
        self._intake = intake
        self._checkpoint = checkpoint
        self._asked: dict[bytes, Peer] = {}
        self._received: dict[bytes, Received] = {}
        self._received_bytes = 0
        self._typical_bytes = 0
        self._unsent: list[Block] = []
        self._unsent_signatures = 0
        self._jobs: dict[int, list[Block]] = {}
        self._last_job = 0
        self._ready: dict[bytes, None] = {}
        self._children: dict[bytes, list[bytes]] = {}
        self._queue: deque[bytes] = deque()
        self._early: list[bytes] = []
        """Blocks whose time has not come."""
        self._moved_at_ms = 0
        self._progress = Progress(0, 0, 0)

    # How far it is

    @property
    def is_running(self) -> bool:
        """Whether there are blocks that a peer has and this node lacks, as far as it knows."""
        return bool(self._received or self._asked) or any(
            peer.ids_to_fetch or peer.remaining for peer in self._hub.active()
        )

    def count_missing(self) -> int:
        """How many blocks are known to be missing, at least."""
        ahead = [
            block_number(peer.ids_to_fetch[-1]) + peer.remaining for peer in self._hub.active() if peer.ids_to_fetch
        ]
        highest = max((received.block.number for received in self._received.values()), default=0)
        return max(0, max([*ahead, highest]) - self._chain.head_number)

    def count_waiting(self) -> tuple[int, int, int]:
        """Returns how many blocks were asked for, how many wait to be applied, and the bytes of these."""
        return len(self._asked), len(self._received), self._received_bytes

    # Asking for ids

    def begin(self, peer: Peer) -> None:
        """Asks a peer what it has that this node lacks, unless it has been asked."""
        peer.we_need_its_blocks = True
        if peer.synopsis is None and len(peer.ids_to_fetch) < IDS_AHEAD_MAX:
            peer.synopsis = self._make_synopsis(peer)
            peer.synopsis_at_ms = self._hub.world.now_ms()
            self._hub.send(peer, FetchBlockchainItemIds(BLOCK_ITEM, peer.synopsis))

    def _make_synopsis(self, peer: Peer) -> tuple[bytes, ...]:
        """Ids from the last irreversible block to the newest that the peer is known to have, ever closer together."""
        chain, ahead, common = self._chain, list(peer.ids_to_fetch), peer.last_common
        is_ours = bool(common) and chain.is_on_main_chain(common)
        high = block_number(ahead[0]) - 1 if ahead else block_number(common) if is_ours else chain.head_number
        last = high + len(ahead)
        found = []
        number = max(min(chain.irreversible_number, high), 1)
        while number <= last:
            block_id = ahead[number - high - 1] if number > high else chain.get_block_id(number)
            if block_id is not None:
                found.append(block_id)
            number += (last - number + 2) // 2
        if common and not ahead and not is_ours:
            found.append(common)  # The peer's head on another branch than ours: else it would tell that branch again.
        return tuple(found)

    def on_ids(self, peer: Peer, message: BlockchainItemIdsInventory) -> None:
        """A peer tells which blocks it has behind the synopsis."""
        if peer.synopsis is None:
            return
        peer.charge(len(message.item_hashes_available) // IDS_PER_COST, self._hub.world.now_ms())
        synopsis, peer.synopsis = peer.synopsis, None
        ids, remaining = message.item_hashes_available, message.total_remaining_item_count
        if not _answers(ids, synopsis) or (remaining and len(ids) <= 1):
            self._hub.close(peer, "You gave an invalid response to my request for sync blocks")
            return
        if ids and self._is_too_long(block_number(ids[-1]) + remaining):
            self._hub.close(peer, "You offered me a list of more sync blocks than could possibly exist")
            return
        self._take_ids(peer, ids)
        peer.remaining = remaining
        if remaining:
            self.begin(peer)
        elif not peer.ids_to_fetch:
            self._finish(peer, is_answered=len(ids) <= 1)
        if not self._chain.is_bulk and self._is_far_behind():
            self._chain.is_bulk = True
        self.fetch()

    def _head_age(self) -> int:
        return self._hub.world.now_ms() // 1000 - self._chain.head_time

    def _is_far_behind(self) -> bool:
        """Whether many blocks are missing: by the clock, too, since peers can claim anything."""
        seconds = BULK_BLOCKS * self._chain.ctx.rules.block_interval_seconds
        return self._head_age() > seconds and self.count_missing() > BULK_BLOCKS

    def _is_too_long(self, highest: int) -> bool:
        """Whether so many blocks cannot have been made until now."""
        chain = self._chain
        seconds = (highest - chain.head_number) * chain.ctx.rules.block_interval_seconds
        return chain.head_time + seconds > self._hub.world.now_ms() // 1000 + FUTURE_SECONDS_MAX

    def _take_ids(self, peer: Peer, ids: tuple[bytes, ...]) -> None:
        """Appends the ids that are new; where the peer has changed its branch, those of the old one go."""
        waiting = peer.ids_to_fetch
        if not ids:
            return
        if waiting:
            number = block_number(ids[0])
            while waiting and block_number(waiting[-1]) >= number and waiting[-1] != ids[0]:
                waiting.pop()
        if waiting:
            waiting.extend(ids[1:] if waiting[-1] == ids[0] else ids)
            return
        known = self._count_known(ids)
        if known:
            peer.last_common = ids[known - 1]
        waiting.extend(ids[known:])

    def _count_known(self, ids: tuple[bytes, ...]) -> int:
        """How many of consecutive ids, from the first on, are those of blocks that this node has."""
        if not ids:
            return 0
        ours = self._chain.get_block_ids(block_number(ids[0]), block_number(ids[-1]))
        count = 0
        while count < len(ours) and ours[count] == ids[count]:
            count += 1
        while count < len(ids) and self._chain.is_known_block(ids[count]):
            count += 1
        return count

    def _finish(self, peer: Peer, is_answered: bool) -> None:
        """It has nothing that is missing: the peer is in sync, once it has been asked and had nothing new to tell."""
        peer.we_need_its_blocks = not is_answered
        if is_answered:
            self._leave_bulk()
        else:
            self.begin(peer)

    def _leave_bulk(self) -> None:
        if self._chain.is_bulk and (not self.is_running or self._head_age() < RECENT_SECONDS):
            self._chain.leave_bulk()
            self._hub.world.note("synced", head=self._chain.head_number)

    # Fetching blocks

    def fetch(self) -> None:
        """Asks every peer that is idle for the next blocks that it has and nobody else was asked for."""
        if self._chain.write_problem is not None:
            return
        head = self._chain.head_number
        for peer in self._hub.active():
            if peer.ids_to_fetch and len(peer.blocks_asked) <= BATCH_BLOCKS // 2 and head >= peer.look_again_at:
                self._fetch_from(peer, head)

    def _fetch_from(self, peer: Peer, head: int) -> None:
        self._skip_known(peer)
        waiting = peer.ids_to_fetch
        has_room = self._received_bytes + len(self._asked) * self._typical_bytes < RECEIVED_BYTES_MAX
        last = head + (WINDOW_BLOCKS if has_room else NEAR_BLOCKS)
        now_ms = self._hub.world.now_ms()
        wanted: dict[bytes, AskedBlock] = {}
        before = self._find_before(peer)
        for block_id in waiting:
            if block_number(block_id) > last or len(wanted) == BATCH_BLOCKS:
                break
            if not (block_id in self._asked or block_id in self._received or block_id in peer.blocks_asked):
                wanted[block_id] = AskedBlock(before, now_ms)
            before = block_id
        if not wanted:
            peer.look_again_at = head + BATCH_BLOCKS // 2
            return
        peer.blocks_at_ms = now_ms
        for block_id in wanted:
            self._asked[block_id] = peer
        peer.blocks_asked |= wanted
        self._hub.send(peer, FetchItems(BLOCK_ITEM, tuple(wanted)))

    def _find_before(self, peer: Peer) -> bytes | None:
        """The id of the block in front of those that a peer has for us, None if it is not known."""
        first = block_number(peer.ids_to_fetch[0]) if peer.ids_to_fetch else 0
        if first == 1:
            return NULL_ID
        return peer.last_common if peer.last_common and block_number(peer.last_common) + 1 == first else None

    def _skip_known(self, peer: Peer) -> None:
        """Takes ids of blocks that are linked by now off the front of what a peer has."""
        waiting = peer.ids_to_fetch
        while waiting and self._chain.is_known_block(waiting[0]):
            peer.last_common = waiting.popleft()

    def on_block(self, peer: Peer, block: Block) -> None:
        """A block that was asked for has come: it is checked as far as that goes without its parent."""
        before = peer.blocks_asked[block.id].before
        self._forget_request(peer, block.id)
        peer.blocks_at_ms = self._moved_at_ms = self._hub.world.now_ms()
        if block.merkle_root() != block.transaction_merkle_root:
            self._hub.punish(peer, "You offered us a block whose transactions are not those of its header")
            return
        if self._is_foreign(block):
            self._hub.punish(peer, "You offered us a block that is not the one of our checkpoint")
            return
        if before is not None and block.previous != before:
            self._hub.close(peer, "You listed blocks that do not follow one another")
            return
        self._typical_bytes = (7 * self._typical_bytes + block.size) // 8
        if self._is_new(block):
            if self._has_room(block):
                self._keep(block, peer)
            else:
                peer.look_again_at = self._chain.head_number + 1
        self.fetch()

    def _is_new(self, block: Block) -> bool:
        """Whether a block did not come from another peer in the meantime."""
        return block.id not in self._received and not self._chain.is_known_block(block.id)

    def _has_room(self, block: Block) -> bool:
        """Whether a block can be kept until it is applied; one that can not is fetched again when it is nearer."""
        if self._received_bytes < RECEIVED_BYTES_MAX:
            return True
        is_near = block.number <= self._chain.head_number + NEAR_BLOCKS and self._received_bytes < NEAR_BYTES_MAX
        return is_near or self._chain.is_known_block(block.previous)

    def _keep(self, block: Block, peer: Peer) -> None:
        """Keeps a block until its signers are recovered and its parent is applied."""
        self._received[block.id] = Received(block, peer)
        self._received_bytes += block.size
        self._unsent.append(block)
        self._unsent_signatures += 1 + len(block.transactions)
        if not peer.blocks_asked or self._unsent_signatures >= JOB_SIGNATURES:
            self._send_job()

    def _is_foreign(self, block: Block) -> bool:
        checkpoint = self._checkpoint
        return checkpoint is not None and block.number == checkpoint.number and block.id != checkpoint.id

    def _is_trusted(self, block: Block) -> bool:
        return self._checkpoint is not None and block.number <= self._checkpoint.number

    def _send_job(self) -> None:
        self._last_job += 1
        self._jobs[self._last_job] = self._unsent
        self._hub.world.recover(self._last_job, [block for block in self._unsent if not self._is_trusted(block)])
        self._unsent, self._unsent_signatures = [], 0

    def on_not_available(self, peer: Peer, block_id: bytes) -> None:
        """A peer does not have a block that it claimed to have."""
        if block_id in peer.blocks_asked:
            self._hub.close(peer, "You are missing a sync item you claim to have, your database is probably corrupted")

    def _forget_request(self, peer: Peer, block_id: bytes) -> None:
        peer.blocks_asked.pop(block_id, None)
        if self._asked.get(block_id) is peer:
            del self._asked[block_id]

    def on_gone(self, peer: Peer) -> None:
        """A peer left: what it was asked for is asked of others."""
        for block_id in list(peer.blocks_asked):
            self._forget_request(peer, block_id)
        if self._unsent:
            self._send_job()
        self._look_again()

    def _look_again(self) -> None:
        for peer in self._hub.active():
            peer.look_again_at = 0
        self.fetch()

    # Applying blocks

    def on_recovered(self, job: int) -> None:
        """The signers of some blocks are known: they can be applied once their parents are."""
        for block in self._jobs.pop(job, ()):
            if block.id not in self._received:
                continue
            self._ready[block.id] = None
            self._children.setdefault(block.previous, []).append(block.id)
            if self._chain.is_known_block(block.previous):
                self._queue.append(block.id)
        self._go_on()

    def _go_on(self) -> None:
        if self._queue and self._chain.write_problem is None:
            self._hub.world.set_timer(APPLY_TIMER, self._hub.world.now_ms())

    def on_apply(self) -> bool:
        """Applies some of the blocks whose parents are there; returns whether the new head is worth telling."""
        world = self._hub.world
        head, end_ms = self._chain.head_id, world.now_ms() + APPLY_MS_MAX
        for _ in range(APPLY_BLOCKS_MAX):
            if not self._queue or world.now_ms() > end_ms or self._chain.write_problem is not None:
                break
            self._apply(self._queue.popleft())
        self._moved_at_ms = world.now_ms()
        self.fetch()
        self._go_on()
        self._ask_again()
        is_all = not (self._received or self._asked) or self._head_age() < RECENT_SECONDS
        return is_all and not self._queue and self._chain.head_id != head

    def _apply(self, block_id: bytes) -> None:
        received = self._received.get(block_id)
        if received is None:
            return
        block, peer = received
        try:
            self._intake.take_block(block, skip_signatures=self._is_trusted(block))
        except BlockLinkError:
            self._forget(block_id)
        except TooEarly as error:
            if error.seconds > EARLY_SECONDS_MAX:
                self._refuse(block, peer, error)
            else:
                self._early.append(block_id)
        except ProtocolError as error:
            self._refuse(block, peer, error)
        else:
            since, blocks, transactions = self._progress
            self._progress = Progress(since, blocks + 1, transactions + len(block.transactions))
            children = self._children.pop(block_id, [])
            self._forget(block_id)
            self._queue += [child for child in children if child in self._ready]

    def _refuse(self, block: Block, peer: Peer, error: ProtocolError) -> None:
        """A block cannot be taken: neither can those behind it, and who offers it is not of this chain."""
        self._forget_with_children(block.id)
        self._hub.notes.tell("block_refused", number=block.number, peer=peer.name, error=error.message)
        reason = "You offered us a block that we reject as invalid"
        if self._chain.is_invalid_block(block.id):
            self._hub.punish(peer, reason)
        for other in list(self._hub.active()):
            if other is peer or block.id in other.ids_to_fetch:
                self._hub.close(other, reason)

    def _forget_with_children(self, block_id: bytes) -> None:
        doomed = [block_id]
        while doomed:
            bad = doomed.pop()
            doomed += self._children.pop(bad, [])
            self._forget(bad)

    def _forget(self, block_id: bytes) -> None:
        received = self._received.pop(block_id, None)
        self._ready.pop(block_id, None)
        if received is not None:
            self._received_bytes -= received.block.size
            siblings = self._children.get(received.block.previous)
            if siblings is not None and block_id in siblings:
                siblings.remove(block_id)
                if not siblings:
                    del self._children[received.block.previous]

    def _ask_again(self) -> None:
        """Each peer that has more than it named, or all of whose blocks are linked by now, is asked what follows."""
        for peer in self._hub.active():
            if peer.we_need_its_blocks:
                self._skip_known(peer)
                if peer.remaining or not peer.ids_to_fetch:
                    self.begin(peer)

    # What has to be looked at every now and then

    def on_tick(self, now_ms: int) -> None:
        """Drops peers that do not answer, and what waits for a block that nobody sends."""
        late = now_ms - ANSWER_MS_MAX
        for peer in self._hub.active():
            self._release(peer, now_ms - PATIENCE_MS)
            if (peer.synopsis is not None and peer.synopsis_at_ms < late) or (
                peer.blocks_asked and peer.blocks_at_ms < late
            ):
                self._hub.drop(peer, "it does not answer requests for sync items")
        if self._unsent:
            self._send_job()
        self._wake()
        if self._received and not (self._queue or self._jobs or self._asked) and self._moved_at_ms < late:
            for block_id in list(self._received):
                self._forget_with_children(block_id)
        self._ask_again()
        self._look_again()
        self._go_on()
        self._leave_bulk()
        self._tell_progress(now_ms)

    def _release(self, peer: Peer, before_ms: int) -> None:
        """Lets others be asked for the blocks that a peer has owed for long, though it may still send them."""
        for block_id, asked in peer.blocks_asked.items():
            if asked.at_ms >= before_ms:
                break
            if self._asked.get(block_id) is peer:
                del self._asked[block_id]

    def _wake(self) -> None:
        """Queues blocks whose time has come, and those whose parent came in another way."""
        self._queue += self._early
        self._early.clear()
        queued = set(self._queue)
        for block_id in self._ready:
            if block_id not in queued and self._chain.is_known_block(self._received[block_id].block.previous):
                self._queue.append(block_id)

    def _tell_progress(self, now_ms: int) -> None:
        missing = self.count_missing()
        if not self._chain.is_bulk or not missing:
            self._progress = Progress(now_ms, 0, 0)
        elif now_ms - self._progress.since_ms >= PROGRESS_MS:
            _, blocks, transactions = self._progress
            seconds = PROGRESS_MS // 1000
            self._hub.world.note(
                "syncing",
                head=self._chain.head_number,
                missing=missing,
                blocks_per_second=blocks // seconds,
                transactions_per_second=transactions // seconds,
                seconds_left=missing * seconds // max(blocks, 1),
            )
            self._progress = Progress(now_ms, 0, 0)

    # Answering

    def on_synopsis(self, peer: Peer, message: FetchBlockchainItemIds) -> bool:
        """Answers a peer that asks for block ids; returns whether it has just caught up with this node."""
        synopsis = message.blockchain_synopsis
        ids, remaining = self._find_ids(synopsis)
        self._hub.send(peer, BlockchainItemIdsInventory(remaining, BLOCK_ITEM, ids))
        peer.charge(SYNOPSIS_COST + len(ids) // IDS_PER_COST, self._hub.world.now_ms())
        was_behind = peer.needs_our_blocks
        peer.needs_our_blocks = bool(ids) and not (len(ids) == 1 and ids[0] in synopsis)
        if synopsis and not peer.we_need_its_blocks and not self._chain.is_known_block(synopsis[-1]):
            self.begin(peer)
        return was_behind and not peer.needs_our_blocks

    def _find_ids(self, synopsis: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], int]:
        """The ids from the newest common block on, and how many blocks follow the last of them."""
        chain = self._chain
        common = next((block_id for block_id in reversed(synopsis) if chain.is_on_main_chain(block_id)), None)
        if common is None and synopsis:
            return (), 0  # The peer's chain leaves ours before its last irreversible block.
        first = max(block_number(common or NULL_ID), 1)
        last = min(chain.head_number, first + BLOCK_IDS_MAX - 1)
        ids = tuple(chain.get_block_ids(first, last))
        return (ids, chain.head_number - last) if len(ids) == last + 1 - first else ((), 0)


def _answers(ids: tuple[bytes, ...], synopsis: tuple[bytes, ...]) -> bool:
    """Whether ids are an answer to a synopsis: consecutive, from one of its blocks on (or from block 1)."""
    if not ids:
        return True
    first = block_number(ids[0])
    if any(block_number(block_id) != first + place for place, block_id in enumerate(ids)):
        return False
    return ids[0] in synopsis if synopsis else first == 1
