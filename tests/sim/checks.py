"""What must hold at every moment of a run, and what must hold once the weather is over.

The checker sees every change of every chain. It keeps its own books by block id: the digest of the state, who made the
latest blocks of that branch, which transactions are in it. None of that is asked of the node that is checked.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from chain.chain import Chain
from chain.effects import Applied, FeedItem, Irreversible, Undone
from consensus.slots import get_round_witnesses
from protocol.block import Block
from protocol.errors import ProtocolError
from protocol.transaction import Transaction
from protocol.types import NULL_ID
from state.engine.store import Store
from state.invariants import InvariantBroken, assert_invariants
from tests.sim.chains import GENESIS_TIME, INTERVAL_SECONDS, may_lack
from tests.sim.limits import find_excess
from tests.sim.loop import Failure

if TYPE_CHECKING:
    from tests.sim.host import Host
    from tests.sim.run import Simulation

FUTURE_MS_MAX = 5_000 + 999
"""A block may be five whole seconds ahead of the clock that takes it in."""
MEASURED_EVERY = 200
"""Queues are measured after every so many events of a host."""
RECOUNTED_EVERY = 3
"""The state is recounted at blocks of such numbers, and wherever blocks were undone: what is wrong stays wrong."""


class Branch(NamedTuple):
    """What is known of the chain that ends with a block: its parent, the latest block of each witness on it, who can be
    in the round after it (one tuple when that is sure), and which block can be irreversible at most."""

    number: int
    previous: bytes
    time: int
    confirmed: dict[str, int]
    rounds: tuple[tuple[str, ...], ...]
    is_round_sure: bool
    irreversible: int


class Checker:
    """The books of one run."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._keys = {name: key.public_key for name, key in sim.chain.block_keys.items()}
        self._branches: dict[bytes, Branch] = {}
        self._is_beginning: set[bytes] = set()
        self._digests: dict[bytes, bytes] = {}
        self._is_sound: set[bytes] = set()
        self._irreversible: dict[int, bytes] = {}
        self._signed: dict[tuple[str, int], bytes] = {}
        self._transactions: dict[bytes, list[tuple[int, bytes]]] = {}
        self._contents: dict[bytes, tuple[Transaction, ...]] = {}
        self._committed: dict[int, int] = {}
        self._irreversible_by_host: dict[int, int] = {}
        self._expected_head: dict[int, tuple[int, bytes] | None] = {}
        self._events: dict[int, int] = {}
        self.undone = 0
        self.blocks = 0
        self.deepest_switch = 0
        self.largest: dict[str, int] = {}
        self._take_beginning()

    def _take_beginning(self) -> None:
        sim = self._sim
        witnesses = sim.chain.witnesses
        self._branches[NULL_ID] = Branch(0, NULL_ID, 0, dict.fromkeys(witnesses, 0), (witnesses[:1],), True, 0)
        for packed in () if sim.plan.from_genesis else sim.chain.beginning_blocks:
            block = Block.from_bytes(sim.chain.codec, packed)
            self._signed[block.witness, block.timestamp] = block.id
            self._learn(block, None)
            self._is_beginning.add(block.id)

    # While it goes on

    def on_note(self, host: Host, event: str, figures: dict[str, object]) -> None:
        """An honest node never finds fault with an honest one, and so never bans it."""
        if event == "synced":
            self._sim.count("grouped commits ended")
        if event in ("peer_fault", "banned") and host.is_honest:
            blamed = self._sim.find_host(str(figures.get("address")))
            self._sim.count("faults of peers" if event == "peer_fault" else "bans")
            if blamed is not None and blamed.is_honest:
                raise Failure("no honest peer is blamed", f"{host} blamed {blamed}: {figures.get('reason')}")

    def on_death(self, host: Host, head: tuple[int, bytes] | None) -> None:
        """A process ended; `head` is what the next one must begin with, None when blocks may be lost."""
        self._expected_head[host.index] = head
        self._irreversible_by_host.pop(host.index, None)

    def on_start(self, host: Host, chain: Chain) -> None:
        """A process opened its chain, from scratch or after a crash."""
        committed = self._committed.get(host.index, 0)
        if chain.finality.committed_number < committed:
            text = f"{host} had committed block {committed} and starts with {chain.finality.committed_number}"
            raise Failure("irreversible never goes back", text)
        expected = self._expected_head.pop(host.index, None)
        if expected is not None and expected != (chain.head_number, chain.head_id):
            text = f"{host} ended with block {expected[0]} and starts with block {chain.head_number}"
            raise Failure("restart equals replay", text)
        self._learn_main_branch(host, chain)
        self._check_digest(host, chain, chain.head_number, chain.head_id, "restart equals replay")
        self._check_scratch(host, chain, "restart equals replay")
        self._note_irreversible(host, chain)

    def on_published(self, host: Host, items: tuple[FeedItem, ...]) -> None:
        """A node's chain changed."""
        chain = host.chain
        assert chain is not None, "a process that runs has a chain"
        undone = sum(isinstance(item, Undone) for item in items)
        self.undone += undone
        self.deepest_switch = max(self.deepest_switch, undone)
        self._check_feed(host, chain, items)
        for item in items:
            if isinstance(item, Applied):
                self._check_block(host, item.block)
        if undone:  # First, as it tells best what is wrong: a table that is not sound soon has another digest, too.
            self._check_tables(host, chain)
        for item in items:
            if isinstance(item, Applied) and chain.reader.get_block_id(item.block.number) == item.block.id:
                self._check_digest(host, chain, item.block.number, item.block.id, "equal digest at equal block")
        self._check_count(host, chain, [item.block.id for item in items if isinstance(item, Applied)])
        self._note_irreversible(host, chain)
        if undone or chain.head_number % RECOUNTED_EVERY == 0:
            self._check_invariants(host, chain)
        if undone:
            self._check_orphans(host, chain, items)

    def _check_feed(self, host: Host, chain: Chain, items: tuple[FeedItem, ...]) -> None:
        """The feed tells of whole steps: what is undone was the head, what is applied builds on it."""
        head = host.told_head
        final = host.told_final
        for item in items:
            if isinstance(item, Irreversible):
                if item.number <= final:
                    raise Failure("the feed tells all", f"{host} tells of {item.number} as final after {final}")
                final = item.number
            if isinstance(item, Undone):
                if head is not None and item.id != head:
                    raise Failure("the feed tells all", f"{host} undid block {item.number}, which was not its head")
                branch = self._branches.get(item.id)
                head = None if branch is None else branch.previous
            elif isinstance(item, Applied):
                if head is not None and item.block.previous != head:
                    raise Failure("the feed tells all", f"{host} applied block {item.block.number} on another head")
                head = item.block.id
        if head is not None and head != chain.head_id:
            raise Failure("the feed tells all", f"{host} has block {chain.head_number} as head and told of another")
        host.told_head, host.told_final = chain.head_id, final

    def _check_block(self, host: Host, block: Block) -> None:
        """A block that a node took in is signed by its witness, not early, and holds true transactions only."""
        if block.id not in self._branches:
            self.blocks += 1
            if block.signer() != self._keys.get(block.witness):
                raise Failure("blocks are valid", f"{host} took block {block.number} with a wrong signature")
            for transaction in block.transactions:
                if transaction.packed_signed not in self._sim.true_transactions:
                    text = f"{host} took block {block.number} with transaction {transaction.id.hex()} that nobody made"
                    raise Failure("blocks are valid", text)
                self._transactions.setdefault(transaction.id, []).append((block.number, block.id))
            if block.transactions:
                self._contents[block.id] = block.transactions
            self._check_signed_once(host, block)
            self._learn(block, host)
        if block.timestamp * 1000 > host.local_ms() + FUTURE_MS_MAX:
            raise Failure("blocks are valid", f"{host} took block {block.number} of a time to come")

    def _check_signed_once(self, host: Host, block: Block) -> None:
        slot = block.witness, block.timestamp
        known = self._signed.setdefault(slot, block.id)
        if known != block.id and block.witness not in self._sim.faulty_witnesses:
            text = f"{block.witness} signed two blocks for one slot, {known.hex()} and {block.id.hex()}, seen by {host}"
            raise Failure("one signature for a slot", text)

    def _learn(self, block: Block, host: Host | None) -> None:
        parent = self._branches.get(block.previous)
        if parent is None:
            raise Failure("blocks are valid", f"{host} took block {block.number} without its parent")
        if parent.number + 1 != block.number or block.timestamp <= parent.time:
            raise Failure("blocks are valid", f"{host} took block {block.number} out of order")
        self._check_slot(block, parent)
        confirmed = {**parent.confirmed, block.witness: block.number}
        counts = [_count_irreversible(confirmed, names) for names in parent.rounds]
        self._branches[block.id] = Branch(
            block.number,
            block.previous,
            block.timestamp,
            confirmed,
            parent.rounds,
            False,
            max(parent.irreversible, *counts),
        )

    def _check_slot(self, block: Block, parent: Branch) -> None:
        """Who may make a block follows from the round after its parent and the slots since the genesis."""
        if parent.is_round_sure:
            names = parent.rounds[0]
            scheduled = names[(block.timestamp - GENESIS_TIME) // INTERVAL_SECONDS % len(names)]
            if block.witness != scheduled:
                raise Failure("blocks are valid", f"{block.witness} made block {block.number} in a slot of {scheduled}")

    def _learn_main_branch(self, host: Host, chain: Chain) -> None:
        """Books blocks that nobody told of, because a process died before it could."""
        missing = []
        number, block_id = chain.head_number, chain.head_id
        while block_id not in self._branches:
            block = chain.reader.get_block(number)
            if block is None:
                raise Failure("restart equals replay", f"{host} misses block {number} of its own chain")
            missing.append(block)
            number, block_id = number - 1, block.previous
        for block in reversed(missing):
            self._check_block(host, block)
        self._check_count(host, chain, [block.id for block in reversed(missing)])
        host.told_head, host.told_final = chain.head_id, 0

    def _check_digest(self, host: Host, chain: Chain, number: int, block_id: bytes, checker: str) -> None:
        digest = chain.state_digest if number == chain.head_number else chain.store.find_digest(number)
        if digest is None:
            return
        known = self._digests.setdefault(block_id, digest)
        if known != digest:
            raise Failure(checker, f"{host} has another state after block {number} {block_id.hex()} than others had")

    def _check_count(self, host: Host, chain: Chain, new: list[bytes]) -> None:
        """Recounts from the headers alone which block can be irreversible at the head at most.

        Of several new blocks only the last one's round can be read from the state; those before it are given the best
        of the rounds that they can have.
        """
        names = get_round_witnesses(chain.ctx)
        for block_id in new:
            branch = self._branches[block_id]
            is_sure = branch.is_round_sure or block_id == chain.head_id
            if branch.is_round_sure:
                rounds = branch.rounds
            elif is_sure:
                rounds = (names,)
            else:
                rounds = tuple(dict.fromkeys((*branch.rounds, names)))
            parent = self._branches[branch.previous]
            counts = [_count_irreversible(branch.confirmed, each) for each in (*parent.rounds, *rounds)]
            self._branches[block_id] = branch._replace(
                rounds=rounds,
                is_round_sure=is_sure,
                irreversible=max(parent.irreversible, branch.irreversible, *counts),
            )
        head = self._branches[chain.head_id]
        stated = chain.ctx.gpo.last_irreversible_block_num
        if stated > head.irreversible and chain.head_id not in self._is_beginning:
            text = f"{host} has block {stated} irreversible in its state; by the headers {head.irreversible} can be"
            raise Failure("irreversible by three quarters", text)

    def _note_irreversible(self, host: Host, chain: Chain) -> None:
        """Books what became irreversible. The state of a longer branch can count fewer blocks as irreversible than
        this node has committed; what is committed never changes."""
        before = self._committed.get(host.index, 0)
        if chain.finality.committed_number < before:
            text = f"{host} had committed block {before}, and now {chain.finality.committed_number}"
            raise Failure("irreversible never goes back", text)
        number = max(chain.irreversible_number, chain.finality.committed_number)
        for height in range(self._irreversible_by_host.get(host.index, 0) + 1, number + 1):
            self._note_final(host, chain, height)
        if self._irreversible_by_host.get(host.index, 0) < number:
            self._irreversible_by_host[host.index] = number
        self._committed[host.index] = chain.finality.committed_number
        self._note_final(host, chain, chain.finality.committed_number)

    def _note_final(self, host: Host, chain: Chain, height: int) -> None:
        block_id = chain.reader.get_block_id(height) if height else NULL_ID
        if block_id is None:
            raise Failure("irreversible never goes back", f"{host} misses its irreversible block {height}")
        known = self._irreversible.setdefault(height, block_id)
        if known != block_id:
            text = f"block {height}: {known.hex()} and, on {host}, {block_id.hex()}"
            raise Failure("one irreversible chain", text)

    def _check_invariants(self, host: Host, chain: Chain) -> None:
        """Recounts the state, once for each block; transactions that wait are part of it and break nothing."""
        if chain.head_id in self._is_sound:
            return
        try:
            assert_invariants(chain.ctx)
        except InvariantBroken as error:
            raise Failure("invariants", f"{host} after block {chain.head_number}: {error}") from error
        self._is_sound.add(chain.head_id)

    def _check_tables(self, host: Host, chain: Chain) -> None:
        """After blocks were undone: every index lists exactly the rows that its key says, in order."""
        problem = find_broken_index(chain.store)
        if problem is not None:
            raise Failure("indexes fit their rows", f"{host} after block {chain.head_number}: {problem}")
        self._check_scratch(host, chain, "digest fits the rows")

    def _check_orphans(self, host: Host, chain: Chain, items: tuple[FeedItem, ...]) -> None:
        """Transactions of undone blocks wait again, unless they are in the new branch or do not fit it."""
        for item in items:
            if not isinstance(item, Undone):
                continue
            for transaction in self._contents.get(item.id, ()):
                if transaction.id in chain.pending or self.is_in_chain(transaction, chain):
                    continue
                if applies(chain, transaction):
                    text = f"{host} undid block {item.number} and lost transaction {transaction.id.hex()}"
                    raise Failure("undone transactions wait again", text)

    def _check_scratch(self, host: Host, chain: Chain, checker: str) -> None:
        if chain.store.depth == 0 and chain.store.compute_digest_from_scratch() != chain.state_digest:
            raise Failure(checker, f"{host} after block {chain.head_number}: the rows have another digest")

    def after_event(self, host: Host) -> None:
        """Measures the queues now and then."""
        count = self._events[host.index] = self._events.get(host.index, 0) + 1
        if count % MEASURED_EVERY == 0:
            self.measure(host)

    def measure(self, host: Host) -> None:
        """Compares every collection of a node with its named limit."""
        if host.node is None:
            return
        excess = find_excess(host.node, self.largest)
        if excess is not None:
            raise Failure("queues are bounded", f"{host}: {excess}")

    # Once the weather is over

    def check_end(self) -> None:
        """What every node must show at the very end: true digests and sound tables without what waits."""
        for host in self._sim.hosts:
            chain = host.chain
            if chain is None:
                continue
            self.measure(host)
            while chain.store.depth:
                chain.store.rollback()
            self._check_tables(host, chain)
            self._check_invariants(host, chain)
            self._check_digest(host, chain, chain.head_number, chain.head_id, "equal digest at equal block")

    def is_in_chain(self, transaction: Transaction, chain: Chain) -> bool:
        """Whether a transaction is in a block of a node's main chain."""
        places = self._transactions.get(transaction.id, ())
        return any(chain.reader.get_block_id(number) == block_id for number, block_id in places)

    def time_of(self, block_id: bytes) -> int:
        """The time of a block in seconds since the epoch."""
        return self._branches[block_id].time


def _count_irreversible(confirmed: dict[str, int], names: tuple[str, ...]) -> int:
    """The newest block that three quarters of a round have built on, the odd one rounded in favour of fewer."""
    return sorted(confirmed[name] for name in names)[may_lack(len(names))]


def find_broken_index(store: Store[Any]) -> str | None:
    """Returns what is wrong with an index of a store, or None."""
    for table in store._all:
        rows = list(table.scan())
        for index in table._indexes:
            placed = [(place, row) for row in rows if (place := index.place(row)) is not None]
            wanted = [row for _, row in sorted(placed, key=itemgetter(0))]
            try:
                found = list(table.index(index.name).scan())
            except Exception as error:
                return f"{table.name}.{index.name} cannot be read: {type(error).__name__}: {error}"
            if found != wanted:
                return f"{table.name}.{index.name} lists {len(found)} rows, its table has {len(wanted)} for it"
    return None


def applies(chain: Chain, transaction: Transaction) -> bool:
    """Whether a transaction could follow those that wait at a node."""
    store = chain.store
    depth = store.depth
    store.begin()
    try:
        chain.ledger.apply_transaction(transaction, needs_credits=True)
    except ProtocolError:
        return False
    finally:
        while store.depth > depth:
            store.rollback()
    return True
