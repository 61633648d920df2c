"""A node core among peers that a test plays, and whole networks of cores, all in memory under one clock.

    lab = Lab(chain)
    peer = lab.meet("10.0.0.1")
    peer.shake()
    peer.say(ItemIdsInventory(BLOCK_ITEM, (item,)))
    assert peer.take(FetchItems) == [FetchItems(BLOCK_ITEM, (item,))]

Chains have seven witnesses whose keys are known; a block is irreversible when six of them built on it, so that a test
that lets only some of them make blocks has branches of any length.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Any, TypeVar

from chain.chain import Chain
from chain.effects import FeedItem
from chain.pending import Dropped
from consensus.slots import get_scheduled_witness, get_slot_time
from node.core import Link, NetworkSettings, Node, NodeSettings
from node.core.gossip import Offers
from node.core.hello import PROTOCOL_VERSION
from node.core.offering import Listener
from node.core.peer import Peer
from node.core.serving import Wants
from node.core.sync import Source
from node.core.world import Disk, MemoryDisk
from operations.transfer import Transfer
from protocol.assets import STEEM, Asset
from protocol.block import Block
from protocol.codec import Codec
from protocol.config import ChainConfig, GenesisAccount, GenesisWitness
from protocol.keys import PrivateKey, encode_public_key, sign_digest
from protocol.p2p.messages import (
    BLOCK_ITEM,
    AddressMessage,
    AddressRequest,
    BlockchainItemIdsInventory,
    BlockMessage,
    ClosingConnection,
    ConnectionAccepted,
    Endpoint,
    FetchBlockchainItemIds,
    FetchItems,
    Hello,
    ItemIdsInventory,
    Message,
    message_id,
    message_number,
    pack_message,
    unpack_message,
)
from protocol.transaction import Transaction

M = TypeVar("M")

GENESIS_TIME = 1_750_000_002
"""A multiple of the block interval."""
SLOT_MS = 3_000
WITNESSES = tuple(f"witness{number}" for number in range(7))
MINORITY = WITNESSES[:5]
"""Too few for any block to become irreversible."""
BLOCK_KEYS = {name: PrivateKey.from_seed(f"{name} block") for name in WITNESSES}
ACTIVE_KEYS = {name: PrivateKey.from_seed(f"{name} active") for name in WITNESSES}
NODE_KEY = PrivateKey.from_seed("the node under test")
OUR_PORT = 2001


@cache
def config() -> ChainConfig:
    """The chain of these tests."""
    dev = ChainConfig.preset("dev")
    prefix = dev.chain.address_prefix
    accounts = tuple(
        GenesisAccount(
            name=name,
            owner_key=encode_public_key(key.public_key, prefix),
            balance=1_000_000_000,
            vesting_shares=20_000_000_000_000_000,
        )
        for name, key in ACTIVE_KEYS.items()
    )
    witnesses = tuple(
        GenesisWitness(owner=name, signing_key=encode_public_key(key.public_key, prefix))
        for name, key in BLOCK_KEYS.items()
    )
    genesis = dev.genesis.model_copy(update={"time": GENESIS_TIME, "accounts": accounts, "witnesses": witnesses})
    rules = dev.rules.replace(
        max_witnesses=len(WITNESSES),
        max_voted_witnesses=len(WITNESSES),
        max_runner_witnesses=0,
        hardfork_required_witnesses=len(WITNESSES),
        irreversible_by_witness_from_block=0,
        min_feeds=len(WITNESSES),
        witness_shutdown_blocks=0,
    )
    return dev.model_copy(update={"genesis": genesis, "rules": rules})


@cache
def codec() -> Codec:
    """The codec of the chain."""
    return Codec(config().identity)


def open_chain(blocks: Iterable[Block] = ()) -> Chain:
    """A chain in memory that has taken some blocks."""
    chain = Chain.open(config())
    push(chain, blocks)
    return chain


def push(chain: Chain, blocks: Iterable[Block]) -> None:
    """Gives a chain blocks, as if they had come over the network: decoded anew."""
    for block in blocks:
        chain.push_block(Block.from_bytes(codec(), block.packed), skip_signatures=True)


def grow(chain: Chain, count: int, by: Iterable[str] = WITNESSES, skip: int = 0) -> list[Block]:
    """Makes blocks, each in the next slot of one of the given witnesses; `skip` leaves slots out before the first."""
    allowed = frozenset(by)
    made: list[Block] = []
    slot = 1 + skip
    while len(made) < count:
        witness = get_scheduled_witness(chain.ctx, slot)
        if witness in allowed:
            made.append(chain.generate_block(witness, BLOCK_KEYS[witness], get_slot_time(chain.ctx, slot)))
            slot = 0
        slot += 1
    return made


@cache
def trunk(count: int) -> tuple[Block, ...]:
    """The first blocks of the chain, which all tests share."""
    return tuple(grow(open_chain(), count))


def branch(base: Iterable[Block], count: int, by: Iterable[str] = MINORITY, skip: int = 0) -> list[Block]:
    """Makes blocks behind others on a chain of their own."""
    return grow(open_chain(base), count, by, skip)


def forge(previous: bytes, timestamp: int, witness: str = WITNESSES[0], size: int = 0) -> Block:
    """A block that nobody signed, with about so many bytes of transactions."""
    filling: list[Transaction] = []
    while size > 0:
        filling.append(make_transfer(len(filling), memo="x" * min(size, 2000)))
        size -= filling[-1].size
    return Block.make(codec(), previous=previous, timestamp=timestamp, witness=witness, transactions=filling)


def make_transfer(amount: int, memo: str = "", expires_in: int = 60, chain: Chain | None = None) -> Transaction:
    """A transfer between two witnesses, signed; without a `chain` it refers to no block."""
    unsigned = Transaction.make(
        codec(),
        ref_block_num=chain.head_number & 0xFFFF if chain else 0,
        ref_block_prefix=int.from_bytes(chain.head_id[4:8], "little") if chain else 0,
        expiration=(chain.head_time if chain else GENESIS_TIME) + expires_in,
        operations=(Transfer(WITNESSES[0], WITNESSES[1], Asset(amount + 1, STEEM), memo),),
    )
    return unsigned.with_signatures([sign_digest(unsigned.digest(config().chain_id), ACTIVE_KEYS[WITNESSES[0]])])


def item_of(block: Block) -> bytes:
    """What gossip calls a block."""
    return message_id(pack_message(codec(), BlockMessage(block, block.id)))


class Clock:
    """The time of everybody."""

    def __init__(self, ms: int = GENESIS_TIME * 1000) -> None:
        self.ms = ms


class FakeWorld:
    """What surrounds one node: timers, dials, jobs and whatever it sends wait here until somebody looks."""

    def __init__(self, clock: Clock, disk: Disk | None = None, name: str = "") -> None:
        self.clock = clock
        self._disk = disk or MemoryDisk()
        self.timers: dict[str, int] = {}
        self.sent: deque[tuple[int, int, bytes]] = deque()
        self.dials: list[Endpoint] = []
        self.jobs: list[int] = []
        self.closed: list[int] = []
        self.full: set[int] = set()
        """Connections that have no room."""
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.feed: list[FeedItem] = []
        self._random = itertools.count(1)
        self._name = name

    @property
    def disk(self) -> Disk:
        return self._disk

    def now_ms(self) -> int:
        return self.clock.ms

    def monotonic_ms(self) -> int:
        return self.clock.ms

    def tell_dropped(self, dropped: list[Dropped]) -> None:
        pass

    def set_timer(self, name: str, at_ms: int) -> None:
        self.timers[name] = at_ms

    def random_bytes(self, count: int) -> bytes:
        seed = f"{self._name} {next(self._random)}".encode()
        return (sha256(seed).digest() * (count // 32 + 1))[:count]

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        self.feed += items

    def note(self, event: str, **figures: object) -> None:
        self.notes.append((event, figures))

    def connect(self, endpoint: Endpoint) -> None:
        self.dials.append(endpoint)

    def send(self, connection: int, number: int, payload: bytes) -> None:
        assert connection not in self.closed, "the connection is closed"
        self.sent.append((connection, number, payload))

    def has_room(self, connection: int) -> bool:
        return connection not in self.full

    def disconnect(self, connection: int) -> None:
        self.closed.append(connection)

    def recover(self, job: int, blocks: list[Block]) -> None:
        self.jobs.append(job)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The figures of all notes of one event."""
        return [figures for event, figures in self.notes if event == name]

    def run_due(self, node: Node) -> bool:
        """Lets one thing happen that is due; False if nothing is."""
        if self.jobs:
            node.on_recovered(self.jobs.pop(0))
            return True
        due = [(at, name) for name, at in self.timers.items() if at <= self.clock.ms]
        if not due:
            return False
        _, name = min(due)
        del self.timers[name]
        node.on_timer(name)
        return True


class Lab:
    """One node, and the time."""

    def __init__(
        self,
        chain: Chain | None = None,
        *,
        disk: Disk | None = None,
        clock: Clock | None = None,
        witnesses: Iterable[str] = (),
        **network: Any,
    ) -> None:
        self.chain = chain or open_chain()
        self.clock = clock or Clock(max(self.chain.head_time, GENESIS_TIME) * 1000)
        self.world = FakeWorld(self.clock, disk)
        settings = NodeSettings(
            witnesses=tuple(witnesses),
            witness_keys={key.public_key: key for key in BLOCK_KEYS.values()},
            network=NetworkSettings(NODE_KEY, listen=Endpoint(0, OUR_PORT), **network),
        )
        self.node = Node(self.world, self.chain, settings)
        assert self.node.network is not None
        self.network = self.node.network
        self.hub, self.handshake = self.network._hub, self.network._handshake
        self.sync, self.gossip = self.network._sync, self.network._gossip
        self._connections = itertools.count(1)
        self.node.on_start()
        self.settle()

    def settle(self) -> None:
        """Lets everything happen that is due now."""
        for _ in range(10_000):
            if not self.world.run_due(self.node):
                return
        raise AssertionError("the node never comes to rest")

    def wait(self, ms: int) -> None:
        """Lets time pass; whatever is due happens at its moment."""
        end = self.clock.ms + ms
        while True:
            self.settle()
            following = min(self.world.timers.values(), default=end)
            if following > end:
                break
            self.clock.ms = max(self.clock.ms, following)
        self.clock.ms = end
        self.settle()

    def meet(self, host: str = "10.0.0.1", *, port: int = 0, dialled: bool = False, name: str = "") -> Remote:
        """A connection from a host, or to it."""
        number = next(self._connections)
        parsed = Endpoint.parse(f"{host}:{port or 40_000 + number}")
        link = Link(dialled, parsed, Endpoint.parse(f"10.0.9.9:{OUR_PORT}"), sha256(b"%d" % number).digest())
        self.node.on_connect(number, link)
        self.settle()
        return Remote(self, number, link, name or f"remote {number}")

    def friend(self, host: str = "10.0.0.1", **arguments: Any) -> Remote:
        """A peer whose handshake is done, and that has the very chain that this node has."""
        remote = self.meet(host, **arguments)
        remote.shake()
        remote.follow()
        return remote

    @property
    def banned(self) -> list[int]:
        """The addresses that are banned."""
        return [ban.address for ban in self.network.figures.bans]


class Remote:
    """The other end of a connection, played by a test."""

    def __init__(self, lab: Lab, number: int, link: Link, name: str) -> None:
        self.lab = lab
        self.number = number
        self.link = link
        self.key = PrivateKey.from_seed(name)
        self.heard: list[Message] = []

    @property
    def peer(self) -> Peer:
        """What the node knows of this peer."""
        return self.lab.hub.peers[self.number]

    @property
    def source(self) -> Source:
        """What the node knows of this peer's blocks."""
        return self.peer.part(Source)

    @property
    def listener(self) -> Listener:
        """What the node told this peer."""
        return self.peer.part(Listener)

    @property
    def offers(self) -> dict[int, OrderedDict[bytes, int]]:
        """What this peer offered and the node has not fetched, by item type."""
        return self.peer.part(Offers).by_type

    @property
    def wants(self) -> Wants:
        """What this peer asked for and has not got."""
        return self.peer.part(Wants)

    @property
    def owed(self) -> list[bytes]:
        """The ids of blocks and hashes of items that this peer owes."""
        return [*self.lab.sync._requests.owed(self.peer), *self.lab.gossip._requests.owed(self.peer)]

    @property
    def is_closed(self) -> bool:
        """Whether the node closed the connection."""
        return self.number in self.lab.world.closed

    @property
    def goodbye(self) -> str | None:
        """Why the node said that it closes the connection."""
        self._listen()
        found = [message for message in self.heard if isinstance(message, ClosingConnection)]
        return found[-1].reason_for_closing if found else None

    def say(self, *messages: Message) -> None:
        """Sends messages to the node, and lets it act."""
        for message in messages:
            self.say_bytes(message_number(message), pack_message(codec(), message))

    def say_bytes(self, number: int, payload: bytes) -> None:
        """Sends a message that is packed already, or is none."""
        self.lab.node.on_message(self.number, number, payload)
        self.lab.settle()

    def hang_up(self) -> None:
        """Closes the connection from this side."""
        self.lab.node.on_disconnect(self.number, "it closed the connection")
        self.lab.settle()

    def _listen(self) -> None:
        kept = deque[tuple[int, int, bytes]]()
        for connection, number, payload in self.lab.world.sent:
            if connection == self.number:
                self.heard.append(unpack_message(codec(), number, payload))
            else:
                kept.append((connection, number, payload))
        self.lab.world.sent = kept

    def take(self, kind: type[M]) -> list[M]:
        """The messages of a kind that the node sent since the last look."""
        self._listen()
        found: list[M] = [message for message in self.heard if isinstance(message, kind)]
        self.heard = [message for message in self.heard if not isinstance(message, kind)]
        return found

    def hello(self, **changes: Any) -> Hello:
        """What this side says of itself: a good hello, changed as a test wants."""
        user_data = {
            "node_id": sha256(self.key.public_key).hexdigest() + "00",
            "chain_id": config().chain_id.hex(),
            **changes.pop("user_data", {}),
        }
        hello = Hello(
            "test",
            PROTOCOL_VERSION,
            self.link.remote.address,
            2001,
            self.link.remote.port,
            self.key.public_key,
            sign_digest(self.link.digest, self.key),
            {name: value for name, value in user_data.items() if value is not None},
        )
        return hello._replace(**changes)

    def plaudit_hello(self) -> Hello:
        """The hello of a node of our kind, which is asked for many items at once."""
        digest = self.lab.handshake.own.config_digest
        return self.hello(user_data={"config_digest": digest})

    def shake(self, hello: Hello | None = None) -> None:
        """Does the handshake up to the end."""
        self.say(hello or self.plaudit_hello(), ConnectionAccepted(), AddressRequest())
        self.say(AddressMessage(()))
        assert self.peer.is_active

    def ask_synopsis(self) -> tuple[bytes, ...]:
        """The synopsis that the node asked with; it must have asked."""
        asked = self.take(FetchBlockchainItemIds)
        assert len(asked) == 1, asked
        return asked[0].blockchain_synopsis

    def tell_ids(self, ids: Iterable[bytes], remaining: int = 0) -> None:
        """Answers a synopsis."""
        self.say(BlockchainItemIdsInventory(remaining, BLOCK_ITEM, tuple(ids)))

    def follow(self) -> None:
        """Both sides learn that they have the same chain."""
        head = self.lab.chain.head_id
        is_begun = self.lab.chain.head_number > 0
        self.ask_synopsis()
        self.tell_ids((head,) if is_begun else ())
        self.say(FetchBlockchainItemIds(BLOCK_ITEM, (head,) if is_begun else ()))
        self.take(object)
        assert not self.source.is_needed and not self.listener.is_behind

    def serve(self, blocks: Iterable[Block], kinds: int = BLOCK_ITEM) -> int:
        """Sends those blocks that the node asked for, by either name; returns how many."""
        named: dict[bytes, Block] = {}
        for block in blocks:
            named[block.id] = named[item_of(block)] = block
        sent = 0
        while wanted := [item for asked in self.take(FetchItems) for item in asked.items_to_fetch]:
            for item in wanted:
                if item in named:
                    self.say(BlockMessage(named[item], named[item].id))
                    sent += 1
        return sent

    def offer(self, *blocks: Block) -> None:
        """Offers blocks by gossip."""
        self.say(ItemIdsInventory(BLOCK_ITEM, tuple(map(item_of, blocks))))

    def give(self, *blocks: Block) -> None:
        """Offers blocks one by one and sends each when it is asked for."""
        for block in blocks:
            self.offer(block)
            self.serve([block])


class Web:
    """Some nodes that are connected in memory: what one sends, the other hears after a moment."""

    def __init__(self, chains: Iterable[Chain], start_ms: int | None = None, delay_ms: int = 10) -> None:
        opened = list(chains)
        self.clock = Clock(start_ms or max(chain.head_time for chain in opened) * 1000)
        self.delay_ms = delay_ms
        self.labs = [self._make(chain, place) for place, chain in enumerate(opened)]
        self._ends: dict[tuple[int, int], tuple[int, int]] = {}
        self._flying: deque[tuple[int, int, int, int, bytes]] = deque()

    def _make(self, chain: Chain, place: int) -> Lab:
        lab = Lab(chain, clock=self.clock, discovers=False)
        lab.world._name = f"node {place}"
        lab.handshake.own = lab.handshake.own._replace(node_id=lab.world.random_bytes(33))
        return lab

    def connect(self, one: int, two: int) -> None:
        """Lets one node dial another."""
        digest = sha256(b"%d %d %d" % (one, two, len(self._ends))).digest()
        ends = [Endpoint.parse(f"10.1.0.{place + 1}:{OUR_PORT}") for place in (one, two)]
        numbers = [next(self.labs[place]._connections) for place in (one, two)]
        self._ends[one, numbers[0]] = (two, numbers[1])
        self._ends[two, numbers[1]] = (one, numbers[0])
        self.labs[one].node.on_connect(numbers[0], Link(True, ends[1], ends[0], digest))
        self.labs[two].node.on_connect(numbers[1], Link(False, ends[0]._replace(port=50_000), ends[1], digest))

    def run(self, ms: int) -> None:
        """Lets time pass."""
        end = self.clock.ms + ms
        while self.clock.ms < end:
            for place, lab in enumerate(self.labs):
                lab.settle()
                while lab.world.sent:
                    connection, number, payload = lab.world.sent.popleft()
                    where = self._ends.get((place, connection))
                    if where is not None:
                        self._flying.append((self.clock.ms + self.delay_ms, *where, number, payload))
                for connection in lab.world.closed:
                    self._hang_up(place, connection)
            self.clock.ms += 1
            while self._flying and self._flying[0][0] <= self.clock.ms:
                _, place, connection, number, payload = self._flying.popleft()
                self.labs[place].node.on_message(connection, number, payload)

    def _hang_up(self, place: int, connection: int) -> None:
        other = self._ends.pop((place, connection), None)
        if other is not None:
            self._ends.pop(other, None)
            self.labs[other[0]].node.on_disconnect(other[1], "it closed the connection")

    @property
    def heads(self) -> list[int]:
        """The height of every node."""
        return [lab.chain.head_number for lab in self.labs]

    @property
    def head_ids(self) -> set[bytes]:
        """The heads that there are."""
        return {lab.chain.head_id for lab in self.labs}

    @property
    def links(self) -> int:
        """How many connections are left."""
        return len(self._ends) // 2


def only(messages: list[M]) -> M:
    """The one message of a list."""
    assert len(messages) == 1, messages
    return messages[0]
