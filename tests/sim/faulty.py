"""Nodes that do not keep to the rules: the real node, with somebody who changes what it says.

Two-faced nodes show one block of a slot to some peers and another one to the others. Withholding nodes keep their
blocks back and show them later. Mute ones offer what they have and do not answer whoever asks for it. Makers of invalid
blocks sign what no honest node may take, and senders of rubbish say anything at all. Twins are no matter of this file:
two honest programs with the same keys.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from chain.effects import Applied, FeedItem
from consensus.slots import get_scheduled_witness, get_slot_time
from operations.transfer import Transfer
from protocol.assets import STEEM, Asset
from protocol.block import Block
from protocol.errors import Invalid
from protocol.keys import PrivateKey, is_canonical, sign_digest
from protocol.p2p.messages import (
    BLOCK_ITEM,
    TRANSACTION_ITEM,
    AddressInfo,
    AddressMessage,
    BlockchainItemIdsInventory,
    ClosingConnection,
    Endpoint,
    FetchBlockchainItemIds,
    FetchItems,
    ItemIdsInventory,
    Message,
    message_id,
    message_number,
    pack_message,
    unpack_message,
)
from protocol.transaction import Transaction
from tests.sim.host import Host, SimWorld, sign_again
from tests.sim.weather import Fault

if TYPE_CHECKING:
    from tests.sim.run import Simulation

INVENTORY_NUMBER = 5001
CHAIN_IDS_NUMBER = 5002
FETCH_NUMBER = 5004
QUESTIONS = (5003, FETCH_NUMBER)
INVALID_BLOCKS = 4
"""So many invalid blocks are made at a time, each for another part of the peers."""
STRANGER = PrivateKey.from_seed("a key that nobody knows")


class FaultyWorld(SimWorld):
    """Changes what a node sends, and answers some requests in its place."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.special: dict[bytes, tuple[int, bytes]] = {}
        """Messages that this world serves itself, by what gossip calls them."""
        self.sent: deque[tuple[int, bytes]] = deque(maxlen=40)
        self.withheld: dict[bytes, bytes] = {}
        """Blocks that are kept back: by what gossip calls them, their ids."""
        self.ignored: tuple[int, ...] = ()
        self._replaced: dict[bytes, list[tuple[bytes, ...]]] = {}
        """What is offered in place of a block of its own, each to another part of the peers."""

    @property
    def _codec(self) -> Any:
        return self._sim.chain.codec

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        super().publish(items)
        for item in items:
            if isinstance(item, Applied) and item.block.witness in self.host.plan.witnesses:
                self._on_own_block(item.block)

    def _on_own_block(self, block: Block) -> None:
        original = message_id(block.packed + block.id)
        if original in self._replaced or original in self.special:
            return
        fault = self.host.plan.fault
        if fault is Fault.WITHHOLDING:
            self.withheld[original] = block.id
            self.special[original] = (BLOCK_ITEM, block.packed + block.id)
            self._sim.count("withheld blocks")
        elif fault is Fault.TWO_FACED:
            self._replaced[original] = [(original,), (self._keep_block(self._make_twin(block)),)]
            self._sim.count("two-faced blocks")
        elif fault is Fault.INVALID_BLOCKS:
            self._replaced[original] = [self._offer_invalid(block, original) for _ in range(INVALID_BLOCKS)]
            self._sim.count("invalid blocks", INVALID_BLOCKS)

    def _offer_invalid(self, block: Block, original: bytes) -> tuple[bytes, ...]:
        """What is offered for an invalid block; with one that builds on the true block that is offered, too."""
        invalid, claimed_id = self._make_invalid(block)
        item = self._keep_block(invalid, claimed_id)
        return (original, item) if invalid.previous == block.id else (item,)

    def _keep_block(self, block: Block, claimed_id: bytes | None = None) -> bytes:
        return self.keep(BLOCK_ITEM, block.packed + (claimed_id or block.id))

    def keep(self, number: int, payload: bytes) -> bytes:
        """Serves a message to whoever asks for it; returns its name."""
        item = message_id(payload)
        self.special[item] = (number, payload)
        return item

    def _make_twin(self, block: Block) -> Block:
        kind = self._sim.random.random()
        if block.transactions and kind < 0.6:
            return self._sign(block, transactions=())
        if kind < 0.8:
            return self._sign(block, timestamp=block.timestamp + 1)  # Still in its slot.
        return sign_again(block, self._sim.chain.block_keys)

    def _sign(self, block: Block, key: PrivateKey | None = None, **changes: Any) -> Block:
        fields: dict[str, Any] = {
            "previous": block.previous,
            "timestamp": block.timestamp,
            "witness": block.witness,
            "transactions": block.transactions,
            "extensions": block.extensions,
        }
        made = Block.make(self._codec, **{**fields, **changes})
        key = key or self._sim.chain.block_keys[made.witness]
        return made.with_signature(sign_digest(made.digest, key, is_canonical))

    def _make_invalid(self, block: Block) -> tuple[Block, bytes | None]:
        """A block that nobody may take, and the id it comes with if that is not its own."""
        random, sim = self._sim.random, self._sim
        kind = random.randrange(9)
        if kind == 0:
            return self._sign(block, transactions=(self._forge(STRANGER, 1),)), None
        if kind == 1:
            return self._sign(block, transactions=(self._forge(sim.chain.client_keys["alice"], 10**15),)), None
        if kind == 2:
            ahead = sim.chain.places * 3 * random.randint(1, 3)
            return self._sign(block, timestamp=block.timestamp + ahead), None
        if kind == 3:
            return self._steal_slot(block), None
        if kind == 4:
            return self._sign(block, STRANGER), None
        if kind == 5:
            return self._sign(block, previous=block.previous[:4] + random.randbytes(16)), None
        if kind == 6:
            transactions = (*block.transactions, self._forge(sim.chain.client_keys["alice"], 1))
            whole = self._sign(block, transactions=transactions)
            return Block((*whole.header, block.transactions), whole.packed_header, _without_last(whole)), None
        if kind == 7:
            return block, block.id[:4] + random.randbytes(16)
        return self._sign(block, timestamp=block.timestamp + 3), None

    def _steal_slot(self, block: Block) -> Block:
        """A block of the next slot, in the name of whose turn it is, signed with the key of this node's witness."""
        chain = self.host.chain
        assert chain is not None, "the node is running"
        return self._sign(
            block,
            self._sim.chain.block_keys[block.witness],
            previous=block.id,
            timestamp=get_slot_time(chain.ctx, 1),
            witness=get_scheduled_witness(chain.ctx, 1),
            transactions=(),
        )

    def _forge(self, key: PrivateKey, amount: int) -> Transaction:
        chain = self.host.chain
        assert chain is not None, "the node is running"
        number = chain.irreversible_number
        transaction = Transaction.make(
            chain.codec,
            ref_block_num=number & 0xFFFF,
            ref_block_prefix=int.from_bytes((chain.reader.get_block_id(number) or bytes(20))[4:8], "little"),
            expiration=chain.head_time + 600,
            operations=(Transfer("alice", "bob", Asset(amount, STEEM), "forged"),),
        )
        return transaction.with_signatures([sign_digest(transaction.digest(self._sim.chain.config.chain_id), key)])

    # What goes out and comes in

    def send(self, connection: int, number: int, payload: bytes) -> None:
        self.sent.append((number, payload))
        if number == INVENTORY_NUMBER and (self._replaced or self.withheld):
            message = unpack_message(self._codec, number, payload)
            assert isinstance(message, ItemIdsInventory)
            ids = [item for item in message.item_hashes_available if item not in self.withheld]
            ids = [shown for item in ids for shown in self._find_shown(connection, item)]
            if not ids:
                return
            payload = pack_message(self._codec, message._replace(item_hashes_available=tuple(ids)))
        if number == CHAIN_IDS_NUMBER and self.withheld:
            payload = self._hide(payload)
        super().send(connection, number, payload)

    def _find_shown(self, connection: int, item: bytes) -> tuple[bytes, ...]:
        choices = self._replaced.get(item)
        return (item,) if choices is None else choices[connection % len(choices)]

    def _hide(self, payload: bytes) -> bytes:
        message = unpack_message(self._codec, CHAIN_IDS_NUMBER, payload)
        assert isinstance(message, BlockchainItemIdsInventory)
        ids = message.item_hashes_available
        hidden = frozenset(self.withheld.values())
        first = next((place for place, block_id in enumerate(ids) if block_id in hidden), None)
        if first is None:
            return payload
        return pack_message(
            self._codec, message._replace(total_remaining_item_count=0, item_hashes_available=ids[:first])
        )

    def intercept(self, connection: int, number: int, payload: bytes) -> bytes | None:
        """What of a message is left for the node after this world answered its part; None for nothing."""
        if number in self.ignored:
            self._sim.count("questions not answered")
            return None
        if number != FETCH_NUMBER or not self.special:
            return payload
        try:
            message = unpack_message(self._codec, number, payload)
        except Invalid:
            return payload
        assert isinstance(message, FetchItems)
        rest = []
        for item in message.items_to_fetch:
            if item in self.special:
                self.say_raw(connection, *self.special[item])
            else:
                rest.append(item)
        return pack_message(self._codec, message._replace(items_to_fetch=tuple(rest))) if rest else None

    def say(self, connection: int, message: Message) -> None:
        """Sends a message of its own."""
        self.say_raw(connection, message_number(message), pack_message(self._codec, message))

    def say_raw(self, connection: int, number: int, payload: bytes) -> None:
        """Sends any bytes."""
        self._sim.wires.send(self, connection, number, payload)


def _without_last(block: Block) -> bytes:
    last = block.transactions[-1].packed_signed
    start = len(block.packed_header) + 65
    return block.packed[:start] + bytes((len(block.transactions) - 1,)) + block.packed[start + 1 : -len(last)]


class Mischief:
    """What a faulty host does from time to time."""

    def __init__(self, sim: Simulation, host: Host) -> None:
        self._sim = sim
        self._host = host

    def schedule(self) -> None:
        """Plans the next time."""
        self._sim.loop.after(self._sim.random.randint(500, 8_000), self._act)

    def _act(self) -> None:
        world = self._host.world
        if isinstance(world, FaultyWorld):
            connections = self._sim.wires.connections_of(world)
            if connections:
                if self._host.plan.fault is Fault.MUTE:
                    world.ignored = self._sim.random.choice(((), QUESTIONS, (FETCH_NUMBER,)))
                elif self._host.plan.fault is Fault.WITHHOLDING:
                    self._release(world, connections)
                elif self._host.plan.fault is Fault.RUBBISH:
                    self._talk_rubbish(world, self._sim.random.choice(connections))
        self.schedule()

    def _release(self, world: FaultyWorld, connections: list[int]) -> None:
        """Shows what was kept back, all at once."""
        items = tuple(world.withheld)
        world.withheld.clear()
        if items:
            self._sim.count("released blocks", len(items))
            for connection in connections:
                world.say(connection, ItemIdsInventory(BLOCK_ITEM, items))

    def _talk_rubbish(self, world: FaultyWorld, connection: int) -> None:
        random, chain = self._sim.random, self._host.chain
        assert chain is not None, "the node is running"
        self._sim.count("rubbish messages")
        kind = random.randrange(12)
        if kind == 0:
            world.say_raw(
                connection,
                random.choice((0, 1000, 1001, 2000, 5001, 5006, 5050, 5099, 5100)),
                random.randbytes(random.randint(0, 300)),
            )
        elif kind == 1 and world.sent:
            number, payload = random.choice(tuple(world.sent))
            world.say_raw(connection, number, _mutate(payload, random))
        elif kind == 2:
            count = random.choice((10, 3_000, 30_000))
            ids = tuple(random.randbytes(20) for _ in range(count))
            world.say(connection, ItemIdsInventory(random.choice((BLOCK_ITEM, TRANSACTION_ITEM, 7)), ids))
        elif kind == 3:
            block = chain.reader.get_block(random.randint(1, max(1, chain.head_number)))
            if block is not None:
                world.say_raw(connection, BLOCK_ITEM, block.packed + block.id)
        elif kind == 4:
            world.say_raw(connection, TRANSACTION_ITEM, world._forge(STRANGER, 5).packed_signed)
        elif kind == 5:
            ids = tuple(
                (number).to_bytes(4, "big") + random.randbytes(16) for number in range(1, random.randint(2, 200))
            )
            world.say(connection, BlockchainItemIdsInventory(random.choice((0, 5, 2**32 - 1)), BLOCK_ITEM, ids))
        elif kind == 6:
            ids = tuple(random.randbytes(20) for _ in range(random.choice((1, 50, 2_000))))
            world.say(connection, FetchItems(random.choice((BLOCK_ITEM, TRANSACTION_ITEM, 9)), ids))
        elif kind == 7:
            ids = tuple(random.randbytes(20) for _ in range(random.randint(0, 99)))
            world.say(connection, FetchBlockchainItemIds(random.choice((BLOCK_ITEM, 3)), ids))
        elif kind == 8:
            infos = tuple(
                AddressInfo(
                    Endpoint(10 << 24 | random.randint(1, 2**16), random.randint(0, 65_535)),
                    0,
                    0,
                    random.randbytes(33),
                    1,
                    2,
                )
                for _ in range(random.choice((1, 300)))
            )
            world.say(connection, AddressMessage(infos))
        elif kind == 9:
            world.say(connection, ClosingConnection("for no reason", True, None))
        elif kind == 10:
            item = world.keep(TRANSACTION_ITEM, world._forge(STRANGER, random.randint(1, 1000)).packed_signed)
            world.say(connection, ItemIdsInventory(TRANSACTION_ITEM, (item,)))
        else:
            for _ in range(random.choice((3, 150))):
                world.say(connection, FetchBlockchainItemIds(BLOCK_ITEM, ()))


def _mutate(payload: bytes, random: Any) -> bytes:
    """The payload with some bytes changed, cut off or added."""
    changed = bytearray(payload)
    for _ in range(random.randint(1, 4)):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    kind = random.random()
    if kind < 0.3:
        del changed[random.randint(0, len(changed)) :]
    elif kind < 0.5:
        changed += random.randbytes(random.randint(1, 40))
    return bytes(changed)
