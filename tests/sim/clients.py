"""Clients: they sign transfers, posts, votes and votes for witnesses, and send each to a node drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from operations.content import Comment
from operations.transfer import Transfer
from operations.vote import Vote
from operations.witness import AccountWitnessVote
from protocol.assets import SBD, STEEM, Asset
from protocol.keys import PrivateKey, sign_digest
from protocol.operation import Operation
from protocol.transaction import Transaction
from tests.sim.chains import CLIENTS

if TYPE_CHECKING:
    from tests.sim.host import Host
    from tests.sim.run import Simulation

LONG_SECONDS = 1_800
SHORT_SECONDS = 20


class Sent(NamedTuple):
    """A transaction that a node took. `must_arrive`: nothing that others do can make it invalid."""

    transaction: Transaction
    must_arrive: bool


class Clients:
    """All clients together."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._count = 0
        self._posts: list[tuple[str, str]] = []
        self.taken: list[Sent] = []

    def send_one(self) -> None:
        """One client sends one transaction to one node."""
        sim = self._sim
        host = sim.random.choice(sim.hosts)
        if host.chain is None or host.node is None:
            return
        operation, signer, is_safe = self._draw_operation()
        is_long = sim.random.random() < 0.9
        transaction = self._sign(host, operation, sim.chain.client_keys[signer], is_long)
        sim.true_transactions.add(transaction.packed_signed)
        if host.submit(transaction):
            sim.count("transactions taken")
            sent = Sent(transaction, is_safe and is_long and host.is_honest)
            self.taken.append(sent)
            sim.on_taken(sent)
            if isinstance(operation, Comment):
                self._posts.append((operation.author, operation.permlink))
        else:
            sim.count("transactions refused")

    def _draw_operation(self) -> tuple[Operation, str, bool]:
        random = self._sim.random
        self._count += 1
        one, other = random.sample(CLIENTS, 2)
        kind = random.random()
        if kind < 0.6 or (kind < 0.8 and not self._posts):
            symbol = random.choice((STEEM, SBD))
            return Transfer(one, other, Asset(random.randint(1, 1000), symbol), f"number {self._count}"), one, True
        if kind < 0.8:
            author, permlink = random.choice(self._posts)
            return Vote(one, author, permlink, random.choice((-10_000, 100, 10_000))), one, False
        if kind < 0.9:
            return Comment("", "simulation", one, f"post-{self._count}", "title", "body", ""), one, False
        witness = random.choice(self._sim.chain.witnesses)
        return AccountWitnessVote(one, witness, random.random() < 0.7), one, False

    def _sign(self, host: Host, operation: Operation, key: PrivateKey, is_long: bool) -> Transaction:
        """Refers to the node's newest irreversible block, or now and then to its head, which may be undone."""
        chain, sim = host.chain, self._sim
        assert chain is not None, "the node is running"
        is_reversible = sim.random.random() < 0.1
        number = chain.head_number if is_reversible else chain.irreversible_number
        block_id = chain.reader.get_block_id(number) or bytes(20)
        seconds = LONG_SECONDS if is_long else SHORT_SECONDS
        transaction = Transaction.make(
            chain.codec,
            ref_block_num=number & 0xFFFF,
            ref_block_prefix=int.from_bytes(block_id[4:8], "little"),
            expiration=max(chain.head_time, sim.loop.now_ms // 1000) + seconds,
            operations=(operation,),
        )
        return transaction.with_signatures([sign_digest(transaction.digest(sim.chain.config.chain_id), key)])
