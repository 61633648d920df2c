"""Synchronisation: which blocks a peer has that this node lacks, fetching them from all peers, applying them in order.

Each side runs it towards the other. The one that asks sends a synopsis, a few ids of its chain that lie ever closer
towards its head; the other answers with the ids behind the newest of them that it knows. Blocks are fetched in batches
from all peers that have them, their signers are recovered elsewhere meanwhile, and each is applied when its parent is.

Source: libraries/net/node.cpp, on_fetch_blockchain_item_ids_message, on_blockchain_item_ids_inventory_message,
fetch_sync_items_loop and process_block_during_sync.
"""

from __future__ import annotations

from typing import NamedTuple

from chain.chain import Chain
from chain.finality import Mode
from node.core.hub import Hub, Intake, TooEarly
from node.core.peer import AskedBlock, Peer
from node.core.settings import Checkpoint
from node.core.synopsis import count_known, find_ids, is_answer, make_synopsis
from node.core.waiting_blocks import WaitingBlocks
from protocol.block import Block, block_number
from protocol.errors import BlockLinkError, ProtocolError
from protocol.p2p.messages import (
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
        self._waiting = WaitingBlocks(chain.reader.is_known_block, self._recover)
        self._typical_bytes = 0
        self._moved_at_ms = 0
        self._progress = Progress(0, 0, 0)

    # How far it is

    @property
    def is_running(self) -> bool:
        """Whether there are blocks that a peer has and this node lacks, as far as it knows."""
        return bool(len(self._waiting) or self._asked) or any(
            peer.ids_to_fetch or peer.remaining for peer in self._hub.active()
        )

    def count_missing(self) -> int:
        """How many blocks are known to be missing, at least."""
        ahead = [
            block_number(peer.ids_to_fetch[-1]) + peer.remaining for peer in self._hub.active() if peer.ids_to_fetch
        ]
        return max(0, max([*ahead, self._waiting.find_highest()]) - self._chain.head_number)

    def count_waiting(self) -> tuple[int, int, int]:
        """Returns how many blocks were asked for, how many wait to be applied, and the bytes of these."""
        return len(self._asked), len(self._waiting), self._waiting.size_bytes

    # Asking for ids

    def begin(self, peer: Peer) -> None:
        """Asks a peer what it has that this node lacks, unless it has been asked."""
        peer.we_need_its_blocks = True
        if peer.synopsis is None and len(peer.ids_to_fetch) < IDS_AHEAD_MAX:
            peer.synopsis = make_synopsis(self._chain, tuple(peer.ids_to_fetch), peer.last_common)
            peer.synopsis_at_ms = self._hub.world.now_ms()
            self._hub.send(peer, FetchBlockchainItemIds(BLOCK_ITEM, peer.synopsis))

    def on_ids(self, peer: Peer, message: BlockchainItemIdsInventory) -> None:
        """A peer tells which blocks it has behind the synopsis."""
        if peer.synopsis is None:
            return
        peer.charge(len(message.item_hashes_available) // IDS_PER_COST, self._hub.world.now_ms())
        synopsis, peer.synopsis = peer.synopsis, None
        ids, remaining = message.item_hashes_available, message.total_remaining_item_count
        if not is_answer(ids, synopsis) or (remaining and len(ids) <= 1):
            self._hub.close(peer, "You gave an invalid response to my request for sync blocks")
            return
        if ids and self._is_too_long(block_number(ids[-1]) + remaining):
            self._hub.close(peer, "You offered me a list of more sync blocks than could possibly exist")
            return
        if synopsis and not ids:
            self._note_stranger(peer)
        self._take_ids(peer, ids)
        peer.remaining, peer.look_again_at = remaining, 0
        if remaining:
            self.begin(peer)
        elif not peer.ids_to_fetch:
            self._finish(peer, is_answered=not ids or (len(ids) == 1 and bool(synopsis)))
        if self._chain.mode is not Mode.BULK and self._is_far_behind():
            self._chain.enter(Mode.BULK)
        self.fetch()

    def _note_stranger(self, peer: Peer) -> None:
        """A peer with blocks knows none of ours from the last irreversible one on: one of us is on a chain of its own.

        (Or it has our chain from a later block on only, as after a snapshot.) Both sides count as in sync all the same.
        """
        if peer.has_blocks and not peer.is_stranger:
            peer.is_stranger = True
            self._hub.notes.tell("no_common_block", peer=peer.name, irreversible=self._chain.irreversible_number)

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
        known = count_known(self._chain, ids)
        if known:
            peer.last_common = ids[known - 1]
        waiting.extend(ids[known:])

    def _finish(self, peer: Peer, is_answered: bool) -> None:
        """It has nothing that is missing: the peer is in sync, once it has been asked and had nothing new to tell."""
        peer.we_need_its_blocks = not is_answered
        if is_answered:
            self._leave_bulk()
        else:
            self.begin(peer)

    def _leave_bulk(self) -> None:
        if self._chain.mode is Mode.BULK and (not self.is_running or self._head_age() < RECENT_SECONDS):
            self._chain.enter(Mode.LIVE)
            self._hub.world.note("synced", head=self._chain.head_number)

    # Fetching blocks

    def fetch(self) -> None:
        """Asks every peer that is idle for the next blocks that it has and nobody else was asked for."""
        if self._chain.finality.write_problem is not None:
            return
        head = self._chain.head_number
        for peer in self._hub.active():
            if peer.ids_to_fetch and len(peer.blocks_asked) <= BATCH_BLOCKS // 2 and head >= peer.look_again_at:
                self._fetch_from(peer, head)

    def _fetch_from(self, peer: Peer, head: int) -> None:
        self._skip_known(peer)
        waiting = peer.ids_to_fetch
        has_room = self._waiting.size_bytes + len(self._asked) * self._typical_bytes < RECEIVED_BYTES_MAX
        last = head + (WINDOW_BLOCKS if has_room else NEAR_BLOCKS)
        now_ms = self._hub.world.now_ms()
        wanted: dict[bytes, AskedBlock] = {}
        before = self._find_before(peer)
        for block_id in waiting:
            if block_number(block_id) > last or len(wanted) == BATCH_BLOCKS:
                break
            if not (block_id in self._asked or block_id in self._waiting or block_id in peer.blocks_asked):
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
        while waiting and self._chain.reader.is_known_block(waiting[0]):
            peer.last_common = waiting.popleft()

    def on_block(self, peer: Peer, block: Block) -> None:
        """A block that was asked for has come: it is checked as far as that goes without its parent."""
        before = peer.blocks_asked[block.id].before
        self._forget_request(peer, block.id)
        peer.blocks_at_ms = self._moved_at_ms = self._hub.world.now_ms()
        if block.merkle_root() != block.transaction_merkle_root:
            reason = "You offered us a block whose transactions are not those of its header"
            self._hub.fault(peer, reason, closes=True)
            return
        if self._is_foreign(block):
            self._hub.fault(peer, "You offered us a block that is not the one of our checkpoint", closes=True)
            return
        if before is not None and block.previous != before:
            self._hub.close(peer, "You listed blocks that do not follow one another")
            return
        self._typical_bytes = (7 * self._typical_bytes + block.size) // 8
        if self._is_new(block):
            if self._has_room(block):
                self._waiting.add(block, peer, is_last=not peer.blocks_asked)
            else:
                peer.look_again_at = self._chain.head_number + 1
        self.fetch()

    def _is_new(self, block: Block) -> bool:
        """Whether a block did not come from another peer in the meantime."""
        return block.id not in self._waiting and not self._chain.reader.is_known_block(block.id)

    def _has_room(self, block: Block) -> bool:
        """Whether a block can be kept until it is applied; one that can not is fetched again when it is nearer."""
        if self._waiting.size_bytes < RECEIVED_BYTES_MAX:
            return True
        is_near = block.number <= self._chain.head_number + NEAR_BLOCKS and self._waiting.size_bytes < NEAR_BYTES_MAX
        return is_near or self._chain.reader.is_known_block(block.previous)

    def _is_foreign(self, block: Block) -> bool:
        checkpoint = self._checkpoint
        return checkpoint is not None and block.number == checkpoint.number and block.id != checkpoint.id

    def _is_trusted(self, block: Block) -> bool:
        return self._checkpoint is not None and block.number <= self._checkpoint.number

    def _recover(self, job: int, blocks: list[Block]) -> None:
        self._hub.world.recover(job, [block for block in blocks if not self._is_trusted(block)])

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
        self._waiting.send_job()
        self._look_again()

    def _look_again(self) -> None:
        for peer in self._hub.active():
            peer.look_again_at = 0
        self.fetch()

    # Applying blocks

    def on_recovered(self, job: int) -> None:
        """The signers of some blocks are known: they can be applied once their parents are."""
        self._waiting.on_recovered(job)
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting.has_next and self._chain.finality.write_problem is None:
            self._hub.world.set_timer(APPLY_TIMER, self._hub.world.now_ms())

    def on_apply(self) -> bool:
        """Applies some of the blocks whose parents are there; returns whether the new head is worth telling."""
        world = self._hub.world
        head, end_ms = self._chain.head_id, world.now_ms() + APPLY_MS_MAX
        for _ in range(APPLY_BLOCKS_MAX):
            if not self._waiting.has_next or world.now_ms() > end_ms or self._chain.finality.write_problem is not None:
                break
            received = self._waiting.take_next()
            if received is not None:
                self._apply(*received)
        self._moved_at_ms = world.now_ms()
        self.fetch()
        self._go_on()
        self._ask_again()
        is_all = not (len(self._waiting) or self._asked) or self._head_age() < RECENT_SECONDS
        return is_all and not self._waiting.has_next and self._chain.head_id != head

    def _apply(self, block: Block, peer: Peer) -> None:
        try:
            self._intake.take_block(block, skip_signatures=self._is_trusted(block))
        except BlockLinkError:
            self._waiting.forget(block.id)
        except TooEarly as error:
            if error.seconds > EARLY_SECONDS_MAX:
                self._refuse(block, peer, error)
            else:
                self._waiting.postpone(block.id)
        except ProtocolError as error:
            self._refuse(block, peer, error)
        else:
            peer.news += 1
            since, blocks, transactions = self._progress
            self._progress = Progress(since, blocks + 1, transactions + len(block.transactions))
            self._waiting.settle(block.id)
            if self._chain.reader.is_doubtful_block(block.id) and not peer.charge_doubtful(
                block.size, self._moved_at_ms
            ):
                self._hub.close(peer, "You offer too many blocks that their witnesses did not sign")

    def _refuse(self, block: Block, peer: Peer, error: ProtocolError) -> None:
        """A block cannot be taken: neither can those behind it, and who offers it is not of this chain."""
        self._waiting.forget_with_children(block.id)
        self._hub.notes.tell("block_refused", number=block.number, peer=peer.name, error=error.message)
        reason = "You offered us a block that we reject as invalid"
        if self._chain.reader.is_invalid_block(block.id):
            self._hub.fault(peer, reason, closes=True)
        for other in list(self._hub.active()):
            if other is peer or block.id in other.ids_to_fetch:
                self._hub.close(other, reason)

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
        self._waiting.send_job()
        self._waiting.wake()
        if self._waiting.is_stuck and not self._asked and self._moved_at_ms < late:
            self._waiting.clear()
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

    def _tell_progress(self, now_ms: int) -> None:
        missing = self.count_missing()
        if self._chain.mode is not Mode.BULK or not missing:
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
        peer.has_blocks = bool(synopsis)
        ids, remaining = find_ids(self._chain, synopsis)
        self._hub.send(peer, BlockchainItemIdsInventory(remaining, BLOCK_ITEM, ids))
        peer.charge(SYNOPSIS_COST + len(ids) // IDS_PER_COST, self._hub.world.now_ms())
        was_behind = peer.needs_our_blocks
        peer.needs_our_blocks = bool(ids) and not (len(ids) == 1 and ids[0] in synopsis)
        if synopsis and not peer.we_need_its_blocks and not self._chain.reader.is_known_block(synopsis[-1]):
            self.begin(peer)
        return was_behind and not peer.needs_our_blocks
