"""Synchronisation: finds the blocks this node lacks, and fetches them from all peers.

Both sides run it. The requesting side sends a synopsis, a few ids of its chain that get denser towards the head; the
other answers with the ids after the newest one it knows. Blocks are fetched in batches from all peers that have them,
their signers are recovered in another process, and each is applied once its parent is.

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
"""High-water mark of a peer's ids to be fetched; above it no more ids are requested."""

BATCH_BLOCKS = 200
"""Maximum number of blocks in one request."""

WINDOW_BLOCKS = 2_000
"""Fetch window: how far above the head blocks are fetched."""

RECEIVED_BYTES_MAX = 32 << 20
"""High-water mark of waiting blocks in bytes; above it only blocks near the head are fetched and kept. In memory they
take several times as much."""

NEAR_BLOCKS = 50
"""Blocks this close to the head are always fetched, as waiting blocks cannot be applied without them."""

NEAR_BYTES_MAX = 2 * RECEIVED_BYTES_MAX
"""Limit of waiting blocks in bytes; above it even near blocks are kept only if they can be applied at once."""

PATIENCE_MS = 3_000
"""Delay after which an outstanding block is also requested from another peer, so that a slow peer holds up nothing."""

ANSWER_MS_MAX = 6_000
"""Timeout after which a peer that has not answered is disconnected. Source: node_configuration.hpp."""

IDS_PER_COST = 5
"""Received block ids per cost unit."""


@dataclass(slots=True)
class Source:
    """What is known about a peer's blocks."""

    is_needed: bool = True
    """Whether the peer may have blocks that this node lacks."""
    synopsis: tuple[bytes, ...] | None = None
    """Synopsis of the outstanding request for block ids, if any."""
    synopsis_at_ms: int = 0
    ids: deque[bytes] = field(default_factory=deque)
    """Ids of its blocks that are not yet linked to this node's chain."""
    remaining: int = 0
    """Number of its blocks beyond the ids it has sent."""
    look_again_at: int = 0
    """Head number from which on more of its blocks may be in the fetch window."""
    is_stranger: bool = False
    """Whether it does not know any block from this node's last irreversible one on."""
    has_blocks: bool = True
    """Whether its chain has any block, as far as it says."""
    last_common: bytes = b""
    """Newest block that it is known to have and that is linked to this node's chain."""


class Sync:
    """Requests block ids and blocks, and applies them."""

    def __init__(self, hub: Hub, chain: Chain, intake: Intake, checkpoint: Checkpoint | None) -> None:
        """Raises Rejected when the chain has a different block at the checkpoint's height."""
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
        """Whether any peer is known to have blocks that this node lacks."""
        sources = (peer.part(Source) for peer in self._hub.active())
        return bool(len(self._waiting) or len(self._requests)) or any(
            source.ids or source.remaining for source in sources
        )

    def count_missing(self) -> int:
        """Returns how many blocks are known to be missing, at least."""
        sources = (peer.part(Source) for peer in self._hub.active())
        ahead = [block_number(source.ids[-1]) + source.remaining for source in sources if source.ids]
        return max(0, max([*ahead, self._waiting.find_highest()]) - self._chain.head_number)

    def lacks_blocks_of(self, peer: Peer) -> bool:
        """Whether a peer is known to have blocks that this node lacks."""
        return peer.part(Source).is_needed

    def has_last(self, peer: Peer, block_id: bytes) -> bool:
        """Whether a block is the newest that a peer is known to have."""
        return peer.part(Source).last_common == block_id

    def expects(self, peer: Peer, block_id: bytes) -> bool:
        """Whether a request for a block to a peer is outstanding."""
        return block_id in self._requests.owed(peer)

    # Requesting ids

    def on_active(self, peer: Peer) -> None:
        """Starts synchronisation with a peer whose handshake is done."""
        peer.part(Source).has_blocks = peer.who.has_blocks
        self.begin(peer)

    def on_synopsis(self, peer: Peer, synopsis: tuple[bytes, ...]) -> None:
        """Uses a peer's own synopsis, which shows its head."""
        source = peer.part(Source)
        source.has_blocks = bool(synopsis)
        if synopsis and not source.is_needed and not self._chain.reader.is_known_block(synopsis[-1]):
            self.begin(peer)

    def begin(self, peer: Peer) -> None:
        """Requests block ids from a peer, unless a request is outstanding."""
        source = peer.part(Source)
        source.is_needed = True
        if source.synopsis is None and len(source.ids) < IDS_AHEAD_MAX:
            source.synopsis = make_synopsis(self._chain, tuple(source.ids), source.last_common)
            source.synopsis_at_ms = self._hub.world.now_ms()
            self._hub.send(peer, p2p.FetchBlockchainItemIds(p2p.BLOCK_ITEM, source.synopsis))

    def on_ids(self, peer: Peer, message: p2p.BlockchainItemIdsInventory) -> None:
        """Handles the block ids that answer a synopsis."""
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
            source.is_needed = False  # It answered with nothing new.
            self._catching_up.end(self.is_running)
        elif remaining or not source.ids:
            self.begin(peer)
        self._catching_up.begin(self.count_missing())
        self.fetch()

    def _note_stranger(self, peer: Peer) -> None:
        """Reports a peer that knows no block from this node's last irreversible one on: one of the two is on its own
        fork.

        (Or it has only later blocks of the chain, as after a snapshot.) Both sides still count as in sync.
        """
        source = peer.part(Source)
        if source.has_blocks and not source.is_stranger:
            source.is_stranger = True
            self._hub.notes.tell("no_common_block", peer=peer.name, irreversible=self._chain.irreversible_number)

    def _take_ids(self, source: Source, ids: tuple[bytes, ...]) -> None:
        """Appends the new ids; if the peer has switched branches, removes those of the old branch."""
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
        """Requests further ids from peers that have more than they sent, or whose sent blocks are all linked."""
        for peer in self._hub.active():
            source = peer.part(Source)
            if source.is_needed:
                self._skip_known(source)
                if source.remaining or not source.ids:
                    self.begin(peer)

    # Fetching blocks

    def fetch(self) -> None:
        """Requests from each idle peer the next blocks that it has and that are not requested elsewhere."""
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
        """Returns the id of the parent of a peer's first block to be fetched, None if it is not known."""
        first = block_number(source.ids[0]) if source.ids else 0
        if first == 1:
            return NULL_ID
        return source.last_common if source.last_common and block_number(source.last_common) + 1 == first else None

    def _skip_known(self, source: Source) -> None:
        """Removes ids of blocks that are already linked from the front of a peer's list."""
        while source.ids and self._chain.reader.is_known_block(source.ids[0]):
            source.last_common = source.ids.popleft()

    def on_block(self, peer: Peer, block: Block) -> None:
        """Handles a requested block: does the checks that do not need its parent."""
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
        ):  # Another peer may have sent the block.
            if self._has_room(block):
                self._waiting.add(block, peer, is_last=not self._requests.owed(peer))
            else:
                peer.part(Source).look_again_at = self._chain.head_number + 1
        self.fetch()

    def _has_room(self, block: Block) -> bool:
        """Whether a block can be kept until it is applied; if not, it is fetched again later."""
        if self._waiting.size_bytes < RECEIVED_BYTES_MAX:
            return True
        is_near = block.number <= self._chain.head_number + NEAR_BLOCKS and self._waiting.size_bytes < NEAR_BYTES_MAX
        return is_near or self._chain.reader.is_known_block(block.previous)

    def on_not_available(self, peer: Peer, block_id: bytes) -> None:
        """Handles a peer's answer that it does not have a block it announced."""
        if self.expects(peer, block_id):
            self._hub.close(peer, "You are missing a sync item you claim to have, your database is probably corrupted")

    def on_gone(self, peer: Peer) -> None:
        """Handles a disconnected peer: its outstanding blocks are requested from others."""
        self._requests.drop(peer)
        self._waiting.send_job()
        self._look_again()

    def _look_again(self) -> None:
        for peer in self._hub.active():
            peer.part(Source).look_again_at = 0
        self.fetch()

    # Applying blocks

    def on_recovered(self, job: int) -> None:
        """Handles recovered signers: the blocks can be applied once their parents are."""
        self._waiting.on_recovered(job)
        self._applier.go_on()

    def on_apply(self) -> bool:
        """Applies some of the blocks whose parents are in the chain; returns whether the new head should be
        announced."""
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
        """Disconnects the peers that have a rejected block: they are on another chain."""
        for peer in self._hub.active():
            if peer is sender or block_id in peer.part(Source).ids:
                self._hub.close(peer, REFUSED_BLOCK)

    # Periodic work

    def on_tick(self, now_ms: int) -> None:
        """Disconnects peers that do not answer, and drops blocks whose parent no peer sends."""
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
