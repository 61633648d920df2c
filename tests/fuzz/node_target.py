"""A live node in memory among peers in every state of the handshake, each behind an encrypted channel."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from node.core.hello import Rejection
from node.core.states import State
from node.core.world import MemoryDisk
from protocol.block import Block
from protocol.keys import PrivateKey
from protocol.p2p.channel import SecureChannel
from protocol.p2p.messages import (
    BLOCK_ITEM,
    MESSAGES,
    TRANSACTION_ITEM,
    AddressMessage,
    AddressRequest,
    BlockchainItemIdsInventory,
    BlockMessage,
    ConnectionAccepted,
    ConnectionRejected,
    Endpoint,
    FetchBlockchainItemIds,
    FetchItems,
    ItemIdsInventory,
    ItemNotAvailable,
    Message,
    TransactionMessage,
    message_id,
    message_number,
    pack_message,
)
from protocol.transaction import Transaction
from tests.fuzz.mutate import NUMBERS, Mutator
from tests.fuzz.samples import packed_messages
from tests.fuzz.target import Broken, Target
from tests.node.lab import Lab, Remote, branch, codec, forge, item_of, make_transfer, open_chain, trunk
from tests.sim.limits import find_excess

LENGTH = 30
NEW_BLOCKS = 10
INPUTS_PER_NODE = 4_000
"""A node sees so many inputs before a new one takes its place."""

SENT_BYTES_MAX = 8 << 20
"""The most that a node says because of one message, the seconds after it included."""

NOTES_MAX = 50
"""The most that it tells the operator because of one message."""


class LiveNode(Target):
    """Messages to a node: one of six peers says something, sometimes time passes, the answers are counted."""

    name = "node"
    share = 25

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._packed = packed_messages(codec())
        self._mutator = Mutator(random, [payload for _, payload in self._packed])
        self._new_blocks = branch(trunk(LENGTH), NEW_BLOCKS)
        self._side_blocks = branch(trunk(LENGTH)[:-3], NEW_BLOCKS, skip=1)
        last = trunk(LENGTH)[-1]
        self._forged = [forge(last.id, last.timestamp + 3 + 3 * number, size=300 * number) for number in range(4)]
        self._blocks = [*trunk(LENGTH), *self._new_blocks, *self._side_blocks, *self._forged]
        self._states: tuple[Callable[[Remote], None], ...] = (
            _stay_silent,
            _say_hello,
            _be_accepted,
            _be_refused,
            _be_behind,
            _be_in_sync,
            self._be_ahead,
        )
        self._inputs = 0
        self._hosts = 0
        self._largest: dict[str, int] = {}
        self._begin()

    def _begin(self) -> None:
        chain = open_chain(trunk(LENGTH))
        self._transactions = [make_transfer(number, chain=chain) for number in range(20)]
        self._lab = Lab(chain, disk=_Files(), connections_max=1_000, per_subnet_max=1_000)
        self._remotes = [self._meet(state) for state in self._states]

    def _be_ahead(self, remote: Remote) -> None:
        """Has told ids of blocks that the node lacks, which it now asks for."""
        remote.shake()
        remote.take(object)
        blocks = self.random.choice((self._new_blocks, self._forged[:1]))
        remote.tell_ids([trunk(LENGTH)[-1].id, *(block.id for block in blocks)])

    def _meet(self, state: Callable[[Remote], None]) -> _Peer:
        self._hosts += 1
        host = Endpoint(0x0A000000 + self._hosts, 1)
        remote = self._lab.meet(str(host).partition(":")[0], dialled=self.random.random() < 0.2)
        state(remote)
        return _Peer(remote, state, self.random)

    # Input: the place of the peer (1 byte), the milliseconds that pass afterwards (2), the number (4), the payload.

    def make(self) -> bytes:
        self._renew()
        place = self.random.randrange(len(self._remotes))
        passing = self.random.choice((0, 0, 0, 0, 0, 10, 100, 1_000, 7_000)) if self.random.random() < 0.2 else 0
        if self.random.random() < 0.5:
            message = self._make_message(self._remotes[place].remote)
            number, payload = message_number(message), pack_message(codec(), message)
            if self.random.random() < 0.3:
                payload = self._mutator.spoil(payload)
        else:
            number, payload = self.random.choice(self._packed)
            payload = self._mutator.spoil(payload)
        if self.random.random() < 0.02:
            number = self.random.choice((*MESSAGES, *NUMBERS)) & 0xFFFFFFFF
        return bytes((place,)) + passing.to_bytes(2, "little") + number.to_bytes(4, "little") + payload

    def _make_message(self, remote: Remote) -> Message:
        """A message that means something to the node, in the state in which it is."""
        wanted = remote.owed if remote.number in self._lab.hub.peers else []
        ids = self._pick_ids()
        return self.random.choice(
            (
                lambda: self._pick_answer(wanted),
                lambda: self._pick_answer(wanted),
                lambda: ItemIdsInventory(BLOCK_ITEM, tuple(item_of(self._pick_block()) for _ in range(3))),
                lambda: ItemIdsInventory(TRANSACTION_ITEM, tuple(map(_item, self._transactions))),
                lambda: ItemIdsInventory(self.random.choice((BLOCK_ITEM, TRANSACTION_ITEM, 7)), ids),
                lambda: BlockchainItemIdsInventory(self._pick_number(), BLOCK_ITEM, self._pick_run()),
                lambda: BlockchainItemIdsInventory(0, BLOCK_ITEM, self._pick_run()),
                lambda: FetchBlockchainItemIds(BLOCK_ITEM, ids),
                lambda: FetchItems(BLOCK_ITEM, ids),
                lambda: ItemNotAvailable(BLOCK_ITEM, self.random.choice([bytes(20), *wanted])),
                remote.hello,
                ConnectionAccepted,
                lambda: ConnectionRejected("", 106, Endpoint(0, 0), self.random.choice(list(Rejection)), ""),
                AddressRequest,
                lambda: AddressMessage(()),
            )
        )()

    def _pick_answer(self, wanted: list[bytes]) -> Message:
        """Something that the node asked for, if it asked."""
        if wanted and self.random.random() < 0.8:
            item = self.random.choice(wanted)
            for block in self._blocks:
                if item in (block.id, item_of(block)):
                    return BlockMessage(block, block.id)
            for transaction in self._transactions:
                if _item(transaction) == item:
                    return TransactionMessage(transaction)
        block = self._pick_block()
        return BlockMessage(block, self.random.choice((block.id, bytes(20))))

    def _pick_block(self) -> Block:
        return self.random.choice(self._blocks)

    def _pick_ids(self) -> tuple[bytes, ...]:
        known = [block.id for block in self._blocks]
        made_up = [number.to_bytes(4, "big") + self.random.randbytes(16) for number in (0, 1, LENGTH, 0xFFFFFFFF)]
        return tuple(self.random.choice((*known, *made_up)) for _ in range(self.random.choice((0, 1, 2, 12, 90))))

    def _pick_run(self) -> tuple[bytes, ...]:
        """Ids of blocks that follow one another, true or made up."""
        begin = self.random.randrange(LENGTH)
        chain = [*trunk(LENGTH), *self.random.choice((self._new_blocks, self._forged[:1]))]
        if self.random.random() < 0.3:
            chain = [*trunk(LENGTH)[:-3], *self._side_blocks]
        ids = [block.id for block in chain[begin:]]
        while self.random.random() < 0.3 and len(ids) < 2_000:
            ids.append((begin + 1 + len(ids)).to_bytes(4, "big") + self.random.randbytes(16))
        return tuple(ids[: self.random.choice((1, 2, 2_000))])

    def _pick_number(self) -> int:
        return self.random.choice(NUMBERS) & 0xFFFFFFFF

    # Feeding

    def run(self, data: bytes) -> bool:
        if len(data) < 7:
            return False
        place = data[0] % len(self._remotes)
        peer = self._remotes[place]
        world, head = self._lab.world, self._lab.chain.head_number
        notes = len(world.notes)
        peer.say(int.from_bytes(data[3:7], "little"), data[7:])
        self._lab.wait(int.from_bytes(data[1:3], "little"))
        sent = sum(len(payload) for _, _, payload in world.sent)
        if sent > SENT_BYTES_MAX:
            raise Broken(f"the node sends {sent} bytes because of one message")
        if len(world.notes) - notes > NOTES_MAX:
            raise Broken(f"the node tells {len(world.notes) - notes} things because of one message")
        if self._lab.chain.head_number < head:
            raise Broken("the chain became shorter")
        world.sent.clear()
        return not peer.remote.is_closed

    def _renew(self) -> None:
        """Lets new peers take the place of closed ones, and a new node that of an old one."""
        self._inputs += 1
        if self._inputs % INPUTS_PER_NODE == 0:
            self.check()
            self._begin()
        for place, peer in enumerate(self._remotes):
            if peer.remote.is_closed:
                self._remotes[place] = self._meet(peer.state)
        del self._lab.world.notes[:-100], self._lab.world.closed[:-50], self._lab.world.feed[:-50]
        self._lab.world.dials.clear()

    def check(self) -> None:
        excess = find_excess(self._lab.node, self._largest)
        if excess is not None:
            raise Broken(excess)
        chain = self._lab.chain
        valid = {block.id for block in self._blocks} - {block.id for block in self._forged}
        if chain.head_id not in valid:
            raise Broken(f"a false block is the head: {chain.head_id.hex()}")
        if not chain.store.depth and chain.store.compute_digest_from_scratch() != chain.state_digest:
            raise Broken("the running digest is not that of the rows")


class _Files(MemoryDisk):
    """The node's files, which are none of its collections."""


class _Peer:
    """A remote whose bytes go through two channels, as they would through a socket."""

    def __init__(self, remote: Remote, state: Callable[[Remote], None], random: Random) -> None:
        self.remote = remote
        self.state = state
        self._random = random
        ours = SecureChannel(PrivateKey.from_seed("node end"))
        self._channel = SecureChannel(PrivateKey.from_seed("peer end"))
        self._channel.receive(ours.greeting)
        ours.receive(self._channel.greeting)
        self._node_end = ours

    def say(self, number: int, payload: bytes) -> None:
        """Sends one message in one or two pieces."""
        data = self._channel.seal(number, payload)
        cut = self._random.choice((0, len(data) // 2))
        for piece in (data[:cut], data[cut:]):
            for frame in self._node_end.receive(piece):
                self.remote.say_bytes(*frame)


def _item(transaction: Transaction) -> bytes:
    return message_id(transaction.packed_signed)


def _stay_silent(_remote: Remote) -> None:
    """Has said nothing yet."""


def _say_hello(remote: Remote) -> None:
    remote.say(remote.plaudit_hello())


def _be_accepted(remote: Remote) -> None:
    remote.say(remote.hello(), ConnectionAccepted())


def _be_refused(remote: Remote) -> None:
    remote.say(remote.hello(user_data={"node_id": None}, user_agent="second"))
    remote.peer.state = State.REFUSED


def _be_behind(remote: Remote) -> None:
    remote.shake()


def _be_in_sync(remote: Remote) -> None:
    remote.shake()
    source = remote.source
    source.synopsis, source.is_needed, remote.listener.is_behind = None, False, False
