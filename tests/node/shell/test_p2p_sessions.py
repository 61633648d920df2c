"""Two sessions with the reference, played again with our node in either place.

In the first a probe dials the reference, fetches its 55 blocks and follows it for ten seconds; in the second the
reference dials the probe and fetches 40 blocks from it. Here the node core is told what one side received, at the
recorded moments, and must say what that side said: byte for byte where nothing but the chain and the question decides,
and in the same form where clocks, keys and names differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import pytest

from chain.chain import Chain
from chain.effects import FeedItem
from chain.pending import Dropped
from node.core import Link, NetworkSettings, Node, NodeSettings
from node.core.world import MemoryDisk
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.keys import PrivateKey, recover
from protocol.p2p.channel import Frame
from protocol.p2p.messages import (
    AddressMessage,
    AddressRequest,
    BlockchainItemIdsInventory,
    BlockMessage,
    CheckFirewall,
    CheckFirewallReply,
    ClosingConnection,
    ConnectionAccepted,
    CurrentTimeReply,
    CurrentTimeRequest,
    Endpoint,
    FetchBlockchainItemIds,
    FetchItems,
    GetCurrentConnectionsReply,
    GetCurrentConnectionsRequest,
    Hello,
    ItemIdsInventory,
    Message,
    TransactionMessage,
    message_id,
    pack_message,
    unpack_message,
)
from tests.protocol.p2p.recorded import CODEC, Recorded, frames_of, sessions

CONNECTION = 7
NODE_KEY = PrivateKey.from_seed("node")
PATIENCE_MS = 1_000
"""How much later than in the recording our node may say something."""

EXACT = (
    AddressRequest,
    BlockchainItemIdsInventory,
    BlockMessage,
    CheckFirewallReply,
    ConnectionAccepted,
    FetchBlockchainItemIds,
    FetchItems,
    ItemIdsInventory,
    TransactionMessage,
)
"""What must be said to the last byte."""


class FakeWorld:
    """A clock that the test moves, one connection, and what the node sent on it and nobody has looked at yet."""

    def __init__(self, now_ms: int, node_id: bytes) -> None:
        self.disk = MemoryDisk()
        self.clock_ms = now_ms
        self.node_id = node_id
        self.timers: dict[str, int] = {}
        self.soon: list[Callable[[Node], None]] = []
        self.sent: list[Frame] = []
        self.is_connected = True

    def now_ms(self) -> int:
        return self.clock_ms

    def monotonic_ms(self) -> int:
        return self.clock_ms

    def tell_dropped(self, dropped: list[Dropped]) -> None:
        pass

    def set_timer(self, name: str, at_ms: int) -> None:
        self.timers[name] = at_ms

    def random_bytes(self, count: int) -> bytes:
        return self.node_id if count == len(self.node_id) else bytes(count)

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        pass

    def note(self, event: str, **figures: object) -> None:
        pass

    def connect(self, endpoint: Endpoint) -> None:
        raise AssertionError(f"nobody told the node to dial {endpoint}")

    def send(self, connection: int, number: int, payload: bytes) -> None:
        assert connection == CONNECTION and self.is_connected
        self.sent.append(Frame(number, payload))

    def has_room(self, connection: int) -> bool:
        return True

    def disconnect(self, connection: int) -> None:
        self.is_connected = False

    def recover(self, job: int, blocks: list[Block]) -> None:
        self.soon.append(lambda node: node.on_recovered(job))

    def run_until(self, node: Node, at_ms: int) -> None:
        """Lets everything happen that is due up to a moment."""
        while True:
            while self.soon:
                self.soon.pop(0)(node)
            due = [(when, name) for name, when in self.timers.items() if when <= at_ms]
            if not due:
                break
            when, name = min(due)
            del self.timers[name]
            self.clock_ms = max(self.clock_ms, when)
            node.on_timer(name)
        self.clock_ms = max(self.clock_ms, at_ms)


class Said(NamedTuple):
    """A recorded message, unpacked, and whether our side said it."""

    recorded: Recorded
    message: Message
    is_ours: bool


class Stage:
    """A recorded session and our node in one of its two places, where that side's chain was when it began."""

    def __init__(self, session: dict[str, Any], *, is_reference: bool) -> None:
        self.session = session
        self.said = [
            Said(recorded, unpack_message(CODEC, *recorded.frame), recorded.is_sent_by_reference == is_reference)
            for recorded in frames_of(session)
        ]
        self.hello, self.their_hello = self._find_hello(True), self._find_hello(False)
        self.chain = Chain.open(ChainConfig.preset("testnet"))
        self._take_first_blocks()
        self.start_ms = self._find_start_ms()
        self.world = FakeWorld(self.start_ms, bytes.fromhex(self.hello.user_data["node_id"]))
        self.local = Endpoint(self.hello.inbound_address, self.hello.outbound_port)
        probe_key = PrivateKey(bytes.fromhex(session["our_node_private_key"]))
        self.node_key = NODE_KEY if is_reference else probe_key
        listen = Endpoint(self.local.address, self.hello.inbound_port) if self.hello.inbound_port else None
        network = NetworkSettings(self.node_key, listen=listen, discovers=False)
        self.node = Node(self.world, self.chain, NodeSettings(network=network))
        is_outbound = session["role"].startswith("dialling") != is_reference
        self.link = Link(
            is_outbound,
            Endpoint(self.their_hello.inbound_address, self.their_hello.outbound_port),
            self.local,
            sha256(bytes.fromhex(session["shared_secret_sha512"])).digest(),
        )

    def _find_hello(self, is_ours: bool) -> Hello:
        hellos = [said.message for said in self.said if isinstance(said.message, Hello) and said.is_ours == is_ours]
        assert len(hellos) == 1
        return hellos[0]

    def _take_first_blocks(self) -> None:
        """Gives our side the blocks that it had at the beginning, which it sends in the session."""
        height = self.hello.user_data["last_known_block_number"]
        for said in self.said:
            if said.is_ours and isinstance(said.message, BlockMessage) and said.message.block.number <= height:
                self.chain.push_block(said.message.block)
        assert self.chain.head_number == height

    def _find_start_ms(self) -> int:
        """When the session began: the moment in its first question for the time, less what had passed until then."""
        for said in self.said:
            if isinstance(said.message, CurrentTimeRequest):
                return said.message.request_sent_time // 1000 - round(said.recorded.time * 1000)
        raise AssertionError("the session holds no question for the time")

    def play(self) -> None:
        """Plays the session to its end, or until our node closes the connection."""
        self.node.on_start()
        self.node.on_connect(CONNECTION, self.link)
        for said in self.said:
            if not self.world.is_connected:
                return
            self.world.run_until(self.node, self.start_ms + round(said.recorded.time * 1000))
            if said.is_ours:
                self._expect(said)
            else:
                self.node.on_message(CONNECTION, *said.recorded.frame)

    def _expect(self, said: Said) -> None:
        """Our node says the same, at once or a little later, in whichever order."""
        if isinstance(said.message, ItemIdsInventory):
            self._give_items(said.message)
        end_ms = self.world.clock_ms + PATIENCE_MS
        if isinstance(said.message, CheckFirewall | GetCurrentConnectionsRequest | ClosingConnection):
            return  # Our node never asks for these, and has no reason to close.
        if isinstance(said.message, AddressRequest) and said.recorded.time > 1:
            return  # The probe was curious.
        while True:
            for frame in self.world.sent:
                if self._is_like(said, frame):
                    self.world.sent.remove(frame)
                    return
            assert self.world.clock_ms < end_ms, f"not said: {said.recorded.label} {said.recorded.decoded}"
            self.world.run_until(self.node, self.world.clock_ms + 10)

    def _give_items(self, inventory: ItemIdsInventory) -> None:
        """What our side offers and got from nobody in the session was made by it."""
        for said in self.said:
            if said.is_ours and message_id(said.recorded.frame.payload) in inventory.item_hashes_available:
                if isinstance(said.message, BlockMessage):
                    self.node.on_block(said.message.block)
                elif isinstance(said.message, TransactionMessage):
                    self.node.on_transaction(said.message.transaction)

    def _is_like(self, said: Said, frame: Frame) -> bool:
        """Whether our node says what was recorded, as far as it is not free to say something else."""
        if frame.number != said.recorded.frame.number:
            return False
        if isinstance(said.message, EXACT):
            return frame == said.recorded.frame
        message = unpack_message(CODEC, *frame)
        if isinstance(message, Hello):
            self._check_hello(message)
        else:
            assert without_measurements(message) == without_measurements(said.message)
        return True

    def _check_hello(self, hello: Hello) -> None:
        assert hello.core_protocol_version == self.hello.core_protocol_version
        assert (hello.inbound_address, hello.inbound_port) == (self.hello.inbound_address, self.hello.inbound_port)
        assert hello.outbound_port == self.hello.outbound_port
        assert hello.node_public_key == self.node_key.public_key
        signer = recover(self.link.digest, hello.signed_shared_secret, lambda _form: True)
        assert signer == hello.node_public_key
        told = {name: value for name, value in hello.user_data.items() if name != "config_digest"}
        expected = {
            name: value for name, value in self.hello.user_data.items() if not name.startswith("fc_git_revision")
        }
        assert told == expected, "the reference tells its revision on top, and our node what its genesis and rules are"


def without_measurements(message: Message) -> Message:
    """A message without what clocks and counters made."""
    match message:
        case CurrentTimeRequest():
            return CurrentTimeRequest(0)
        case CurrentTimeReply():
            return message._replace(request_received_time=0, reply_transmitted_time=0)
        case AddressMessage():
            return AddressMessage(tuple(info._replace(last_seen_time=0, latency=0) for info in message.addresses))
        case GetCurrentConnectionsReply():
            connections = [
                connection._replace(clock_offset=0, round_trip_delay=0, user_data={})
                for connection in message.current_connections
            ]
            return GetCurrentConnectionsReply(0, 0, 0, 0, 0, 0, tuple(connections))
    return message


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    position, is_reference = request.param
    made = Stage(sessions()[position], is_reference=is_reference)
    yield made
    made.chain.close()


def in_place_of_the_probe(position: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stage", [(position, False)], indirect=True)


def in_place_of_the_reference(position: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stage", [(position, True)], indirect=True)


def assert_nothing_else_was_said(stage: Stage) -> None:
    assert stage.world.sent == []


@in_place_of_the_probe(0)
def test_our_node_fetches_the_chain_of_the_reference_and_follows_it(stage: Stage) -> None:
    stage.play()
    assert stage.world.is_connected
    assert stage.chain.head_number == 59
    assert stage.chain.head_id.hex() == "0000003b680a8476b63ce9936f433c03e458a7cb"
    assert stage.node.network is not None and not stage.node.network.is_syncing
    assert_nothing_else_was_said(stage)


@in_place_of_the_probe(0)
def test_our_node_has_the_head_of_the_reference_after_the_first_second(stage: Stage) -> None:
    stage.said = [said for said in stage.said if said.recorded.time < 1]
    stage.play()
    assert stage.chain.head_id.hex() == stage.their_hello.user_data["last_known_block_hash"]
    assert stage.chain.head_number == 55


@in_place_of_the_reference(0)
def test_our_node_serves_its_chain_as_the_reference_does(stage: Stage) -> None:
    stage.play()
    assert not stage.world.is_connected, "the probe says goodbye, and is not talked to any more"
    assert stage.chain.head_number == 58
    assert_nothing_else_was_said(stage)


@in_place_of_the_probe(1)
def test_the_reference_fetches_our_chain_and_follows_it(stage: Stage) -> None:
    stage.play()
    assert stage.world.is_connected
    assert stage.chain.head_number == 42
    assert len(stage.chain.pending) == 1, "the transaction of the reference"
    assert_nothing_else_was_said(stage)


@in_place_of_the_reference(1)
def test_our_node_dials_and_fetches_as_the_reference_does(stage: Stage) -> None:
    stage.play()
    assert stage.world.is_connected
    assert stage.chain.head_number == 42
    assert_nothing_else_was_said(stage)


@in_place_of_the_reference(0)
def test_no_measurement_that_a_peer_claims_breaks_an_answer(stage: Stage) -> None:
    stage.said = [said for said in stage.said if said.recorded.time < 1]
    stage.play()
    least, most = -(1 << 63), (1 << 63) - 1
    for times in ((least, most, least), (most, least, most), (most, most, most), (least, least, least)):
        reply = pack_message(CODEC, CurrentTimeReply(*times))
        stage.node.on_message(CONNECTION, 5013, reply)
        stage.node.on_message(CONNECTION, 5009, b"")
        stage.node.on_message(CONNECTION, 5016, b"")
    stage.world.clock_ms -= 3_600_000
    stage.node.on_message(CONNECTION, 5016, b"")
    assert [frame.number for frame in stage.world.sent] == [5010, 5017] * 4 + [5017]
