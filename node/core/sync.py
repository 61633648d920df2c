"""Synchronisation: which blocks a peer has that this node lacks, and fetching them from all peers.

Each side runs it towards the other. The one that asks sends a synopsis, a few ids of its chain that lie ever closer
towards its head; the other answers with the ids behind the newest of them that it knows. Blocks are fetched in batches
from all peers that have them, their signers are recovered elsewhere meanwhile, and each is applied when its parent is.

Source: libraries/net/node.cpp, on_blockchain_item_ids_inventory_message, fetch_sync_items_loop and
process_block_during_sync.
"""

from collections import deque
from dataclasses import dataclass, field

from chain.chain import Chain
from node.core.applying import REFUSED_BLOCK, Applier
from node.core.catching_up import CatchingUp
from node.core.hub import Hub
from node.core.intake import Intake
from node.core.peer import Peer
from node.core.requests import Requests
from node.core.settings import Checkpoint
from node.core.synopsis import count_known, is_answer, make_synopsis
from protocol.block import Block, block_number
from protocol.p2p import messages as p2p
from protocol.types import NULL_ID

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

PATIENCE_MS = 3_000
"""A block that a peer has owed for so long is asked of another one, too: whoever sends slowly holds up nobody."""

ANSWER_MS_MAX = 6_000
"""A peer that owes an answer for so long is dropped. Source: node_configuration.hpp."""

IDS_PER_COST = 5
"""How many ids that it tells cost a peer one unit."""


@dataclass(slots=True)
class Source:
    """What a peer told of its blocks."""

    is_needed: bool = True
    """Whether it has blocks that this node lacks, as far as is known."""
    synopsis: tuple[bytes, ...] | None = None
    """The ids of the request for block ids that it has not answered yet."""
    synopsis_at_ms: int = 0
    ids: deque[bytes] = field(default_factory=deque)
    """Those of blocks that it has and that are not linked here."""
    remaining: int = 0
    """Blocks that it has beyond the ids it named."""
    look_again_at: int = 0
    """The height of the head from which on more of its blocks may be near enough to be fetched."""
    is_stranger: bool = False
    """Whether it said that it knows none of our newer blocks."""
    has_blocks: bool = True
    """Whether its chain has begun, as far as it tells."""
    last_common: bytes = b""
    """The newest block that it is known to have and that is linked here."""


class Sync:
    """What is fetched from whom."""

    def __init__(self, hub: Hub, chain: Chain, intake: Intake, checkpoint: Checkpoint | None) -> None:
        """Raises Rejected when the chain has another block where the checkpoint is."""
        self._hub = hub
        self._chain = chain
        self._catching_up = CatchingUp(hub.world, chain)
        self._applier = Applier(hub, chain, intake, checkpoint, self._catching_up)
        self._waiting = self._applier.waiting
        self._requests = Requests()
        self._typical_bytes = 0
        self._moved_at_ms = 0

    # For others

    @property
    def is_running(self) -> bool:
        """Whether there are blocks that a peer has and this node lacks, as far as it knows."""
        sources = (peer.part(Source) for peer in self._hub.active())
        return bool(len(self._waiting) or len(self._requests)) or any(
            source.ids or source.remaining for source in sources
        )

    def count_missing(self) -> int:
        """How many blocks are known to be missing, at least."""
        sources = (peer.part(Source) for peer in self._hub.active())
        ahead = [block_number(source.ids[-1]) + source.remaining for source in sources if source.ids]
        return max(0, max([*ahead, self._waiting.find_highest()]) - self._chain.head_number)

    def lacks_blocks_of(self, peer: Peer) -> bool:
        """Whether a peer has blocks that this node lacks, as far as is known."""
        return peer.part(Source).is_needed

    def has_last(self, peer: Peer, block_id: bytes) -> bool:
        """Whether a block is the newest that a peer is known to have."""
        return peer.part(Source).last_common == block_id

    def expects(self, peer: Peer, block_id: bytes) -> bool:
        """Whether a peer was asked for a block and owes it."""
        return block_id in self._requests.owed(peer)

    # Asking for ids

    def on_active(self, peer: Peer) -> None:
        """The handshake with a peer is done."""
        peer.part(Source).has_blocks = peer.who.has_blocks
        self.begin(peer)

    def on_synopsis(self, peer: Peer, synopsis: tuple[bytes, ...]) -> None:
        """A peer told where its chain ends, as it asked for ours."""
        source = peer.part(Source)
        source.has_blocks = bool(synopsis)
        if synopsis and not source.is_needed and not self._chain.reader.is_known_block(synopsis[-1]):
            self.begin(peer)

    def begin(self, peer: Peer) -> None:
        """Asks a peer what it has that this node lacks, unless it has been asked."""
        source = peer.part(Source)
        source.is_needed = True
        if source.synopsis is None and len(source.ids) < IDS_AHEAD_MAX:
            source.synopsis = make_synopsis(self._chain, tuple(source.ids), source.last_common)
            source.synopsis_at_ms = self._hub.world.now_ms()
            self._hub.send(peer, p2p.FetchBlockchainItemIds(p2p.BLOCK_ITEM, source.synopsis))

    def on_ids(self, peer: Peer, message: p2p.BlockchainItemIdsInventory) -> None:
        """A peer tells which blocks it has behind the synopsis."""
        source = peer.part(Source)
        if source.synopsis is None:
            return
        ids, remaining = message.item_hashes_available, message.total_remaining_item_count
        peer.work.charge(len(ids) // IDS_PER_COST, self._hub.world.now_ms())
        synopsis, source.synopsis = source.synopsis, None
        if not is_answer(ids, synopsis) or (remaining and len(ids) <= 1):
            self._hub.close(peer, "You gave an invalid response to my request for sync blocks")
            return
        if ids and self._catching_up.is_too_long(block_number(ids[-1]) + remaining):
            self._hub.close(peer, "You offered me a list of more sync blocks than could possibly exist")
            return
        if synopsis and not ids:
            self._note_stranger(peer)
        self._take_ids(source, ids)
        source.remaining, source.look_again_at = remaining, 0
        if not (remaining or source.ids) and (not ids or (len(ids) == 1 and synopsis)):
            source.is_needed = False  # It has been asked, and has nothing new to tell.
            self._catching_up.end(self.is_running)
        elif remaining or not source.ids:
            self.begin(peer)
        self._catching_up.begin(self.count_missing())
        self.fetch()

    def _note_stranger(self, peer: Peer) -> None:
        """A peer with blocks knows none of ours from the last irreversible one on: one of us is on a chain of its own.

        (Or it has our chain from a later block on only, as after a snapshot.) Both sides count as in sync all the same.
        """
        source = peer.part(Source)
        if source.has_blocks and not source.is_stranger:
            source.is_stranger = True
            self._hub.notes.tell("no_common_block", peer=peer.name, irreversible=self._chain.irreversible_number)

    def _take_ids(self, source: Source, ids: tuple[bytes, ...]) -> None:
        """Appends the ids that are new; where the peer has changed its branch, those of the old one go."""
        if not ids:
            return
        number = block_number(ids[0])
        while source.ids and block_number(source.ids[-1]) >= number and source.ids[-1] != ids[0]:
            source.ids.pop()
        if source.ids:
            source.ids.extend(ids[1:] if source.ids[-1] == ids[0] else ids)
            return
        known = count_known(self._chain, ids)
        if known:
            source.last_common = ids[known - 1]
        source.ids.extend(ids[known:])

    def _ask_again(self) -> None:
        """Each peer that has more than it named, or all of whose blocks are linked by now, is asked what follows."""
        for peer in self._hub.active():
            source = peer.part(Source)
            if source.is_needed:
                self._skip_known(source)
                if source.remaining or not source.ids:
                    self.begin(peer)

    # Fetching blocks

    def fetch(self) -> None:
        """Asks every peer that is idle for the next blocks that it has and nobody else was asked for."""
        if self._chain.finality.write_problem is not None:
            return
        head = self._chain.head_number
        for peer in self._hub.active():
            source = peer.part(Source)
            if source.ids and len(self._requests.owed(peer)) <= BATCH_BLOCKS // 2 and head >= source.look_again_at:
                self._fetch_from(peer, source, head)

    def _fetch_from(self, peer: Peer, source: Source, head: int) -> None:
        self._skip_known(source)
        has_room = self._waiting.size_bytes + len(self._requests) * self._typical_bytes < RECEIVED_BYTES_MAX
        last = head + (WINDOW_BLOCKS if has_room else NEAR_BLOCKS)
        wanted: dict[bytes, bytes | None] = {}
        owed, before = self._requests.owed(peer), self._find_before(source)
        for block_id in source.ids:
            if block_number(block_id) > last or len(wanted) == BATCH_BLOCKS:
                break
            if not (block_id in self._requests or block_id in self._waiting or block_id in owed):
                wanted[block_id] = before
            before = block_id
        if not wanted:
            source.look_again_at = head + BATCH_BLOCKS // 2
            return
        self._requests.add(peer, wanted, self._hub.world.now_ms())
        self._hub.send(peer, p2p.FetchItems(p2p.BLOCK_ITEM, tuple(wanted)))

    def _find_before(self, source: Source) -> bytes | None:
        """The id of the block in front of those that a peer has for us, None if it is not known."""
        first = block_number(source.ids[0]) if source.ids else 0
        if first == 1:
            return NULL_ID
        return source.last_common if source.last_common and block_number(source.last_common) + 1 == first else None

    def _skip_known(self, source: Source) -> None:
        """Takes ids of blocks that are linked by now off the front of what a peer has."""
        while source.ids and self._chain.reader.is_known_block(source.ids[0]):
            source.last_common = source.ids.popleft()

    def on_block(self, peer: Peer, block: Block) -> None:
        """A block that was asked for has come: it is checked as far as that goes without its parent."""
        before = self._requests.owed(peer)[block.id].before
        self._moved_at_ms = self._hub.world.now_ms()
        self._requests.settle(peer, block.id, self._moved_at_ms)
        if block.merkle_root() != block.transaction_merkle_root:
            reason = "You offered us a block whose transactions are not those of its header"
            self._hub.fault(peer, reason, closes=True)
            return
        if self._applier.is_foreign(block):
            self._hub.fault(peer, "You offered us a block that is not the one of our checkpoint", closes=True)
            return
        if before is not None and block.previous != before:
            self._hub.close(peer, "You listed blocks that do not follow one another")
            return
        self._typical_bytes = (7 * self._typical_bytes + block.size) // 8
        if block.id not in self._waiting and not self._chain.reader.is_known_block(
            block.id
        ):  # Another peer may have sent it.
            if self._has_room(block):
                self._waiting.add(block, peer, is_last=not self._requests.owed(peer))
            else:
                peer.part(Source).look_again_at = self._chain.head_number + 1
        self.fetch()

    def _has_room(self, block: Block) -> bool:
        """Whether a block can be kept until it is applied; one that can not is fetched again when it is nearer."""
        if self._waiting.size_bytes < RECEIVED_BYTES_MAX:
            return True
        is_near = block.number <= self._chain.head_number + NEAR_BLOCKS and self._waiting.size_bytes < NEAR_BYTES_MAX
        return is_near or self._chain.reader.is_known_block(block.previous)

    def on_not_available(self, peer: Peer, block_id: bytes) -> None:
        """A peer does not have a block that it claimed to have."""
        if self.expects(peer, block_id):
            self._hub.close(peer, "You are missing a sync item you claim to have, your database is probably corrupted")

    def on_gone(self, peer: Peer) -> None:
        """A peer left: what it was asked for is asked of others."""
        self._requests.drop(peer)
        self._waiting.send_job()
        self._look_again()

    def _look_again(self) -> None:
        for peer in self._hub.active():
            peer.part(Source).look_again_at = 0
        self.fetch()

    # Applying blocks

    def on_recovered(self, job: int) -> None:
        """The signers of some blocks are known: they can be applied once their parents are."""
        self._waiting.on_recovered(job)
        self._applier.go_on()

    def on_apply(self) -> bool:
        """Applies some of the blocks whose parents are there; returns whether the new head is worth telling."""
        head = self._chain.head_id
        for refused in self._applier.apply():
            self._close_sources(refused.block.id, refused.peer)
        self._moved_at_ms = self._hub.world.now_ms()
        self.fetch()
        self._applier.go_on()
        self._ask_again()
        is_all = not (len(self._waiting) or len(self._requests)) or self._catching_up.is_recent
        return is_all and not self._waiting.has_next and self._chain.head_id != head

    def _close_sources(self, block_id: bytes, sender: Peer) -> None:
        """Who offers a block that is refused is not of this chain."""
        for peer in self._hub.active():
            if peer is sender or block_id in peer.part(Source).ids:
                self._hub.close(peer, REFUSED_BLOCK)

    # What has to be looked at every now and then

    def on_tick(self, now_ms: int) -> None:
        """Drops peers that do not answer, and what waits for a block that nobody sends."""
        late_ms = now_ms - ANSWER_MS_MAX
        for peer in self._hub.active():
            self._requests.share(peer, now_ms - PATIENCE_MS)
            source = peer.part(Source)
            is_silent = source.synopsis is not None and source.synopsis_at_ms < late_ms
            if is_silent or self._requests.is_late(peer, late_ms):
                self._hub.drop(peer, "it does not answer requests for sync items")
        self._waiting.send_job()
        self._waiting.wake()
        if self._waiting.is_stuck and not len(self._requests) and self._moved_at_ms < late_ms:
            self._waiting.clear()
        self._ask_again()
        self._look_again()
        self._applier.go_on()
        self._catching_up.end(self.is_running)
        self._catching_up.tell(self.count_missing(), now_ms)
