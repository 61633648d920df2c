"""Who sends transactions: the people of the chain, who transfer, post and vote in turn."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from operations.content import Comment
from operations.transfer import Transfer
from operations.vote import Vote
from protocol.assets import STEEM, Asset
from protocol.keys import sign_digest
from protocol.operation import Operation
from protocol.transaction import Transaction
from tests.network.chains import NetworkChain, account_key
from tests.network.daemons import Daemon

EXPIRATION_SECONDS = 120
"""So long each node remembers the id of a transaction."""

POSTS_KEPT = 1000
POST_SECONDS = 15.0
"""So old is a post before somebody votes for it: by then every node knows it."""
PAUSE_SECONDS = 15.0
"""So long a person waits between two votes, and between two posts: the chain refuses those that come too close, and its
time only moves with blocks, of which some may be missing."""

BODY = "A post of some length, as people write them. " * 8


class Reference(NamedTuple):
    """A block that a transaction refers to; it is valid on the branches that contain this block."""

    number: int
    block_id: bytes


class Post(NamedTuple):
    """A post, when it was made, and who voted for it."""

    made_at: float
    author: str
    permlink: str
    voters: set[str]


async def find_reference(daemon: Daemon) -> Reference:
    """The last irreversible block of a node: what refers to it is valid on every branch."""
    number = (await daemon.get_properties())["last_irreversible_block_num"]
    block = await daemon.get_block(number)
    assert block is not None, f"{daemon} has its last irreversible block"
    return Reference(number, bytes.fromhex(block["block_id"]))


class People:
    """Makes signed transactions, the next one always of the next person."""

    def __init__(self, chain: NetworkChain, seed: int, now: Callable[[], float] = time.time) -> None:
        self._chain = chain
        self._now = now
        self._chance = random.Random(seed)
        self._keys = {name: account_key(name) for name in chain.people}
        self._count = 0
        self._posts: deque[Post] = deque(maxlen=POSTS_KEPT)
        self._voted_at: dict[str, float] = {}
        self._posted_at: dict[str, float] = {}

    def make(self, reference: Reference) -> Transaction:
        """A transfer in half of the cases, or else mostly a vote, sometimes a post."""
        choice = self._chance.randrange(10)
        if choice == 0:
            return self.make_post(reference)
        return self.make_vote(reference) if choice < 5 else self.make_transfer(reference)

    def make_transfer(self, reference: Reference) -> Transaction:
        """A transfer of a small amount; its memo is unlike any other."""
        sender = self._next_person()
        receiver = self._chance.choice(self._chain.people)
        amount = Asset(self._chance.randint(1, 100), STEEM)
        return self._sign(sender, Transfer(sender, receiver, amount, f"number {self._count}"), reference)

    def make_post(self, reference: Reference) -> Transaction:
        """A new post; a transfer if this person has made one just now."""
        author, permlink = self._next_person(), f"post-{self._count}"
        if not self._has_paused(self._posted_at, author):
            return self.make_transfer(reference)
        self._posted_at[author] = self._now()
        self._posts.append(Post(self._now(), author, permlink, set()))
        return self._sign(author, Comment("", "network", author, permlink, "A title", BODY, "{}"), reference)

    def make_vote(self, reference: Reference) -> Transaction:
        """A vote for some post; a transfer if that is new or has a vote of this person, or if they voted just now."""
        voter = self._next_person()
        post = self._chance.choice(self._posts) if self._posts else None
        if post is None or voter in post.voters or self._now() - post.made_at <= POST_SECONDS:
            return self.make_transfer(reference)
        if not self._has_paused(self._voted_at, voter):
            return self.make_transfer(reference)
        post.voters.add(voter)
        self._voted_at[voter] = self._now()
        weight = self._chance.randint(1, 10) * 100
        return self._sign(voter, Vote(voter, post.author, post.permlink, weight), reference)

    def _has_paused(self, latest: dict[str, float], name: str) -> bool:
        return self._now() - latest.get(name, 0.0) > PAUSE_SECONDS

    def _next_person(self) -> str:
        self._count += 1
        return self._chain.people[self._count % len(self._chain.people)]

    def _sign(self, name: str, operation: Operation, reference: Reference) -> Transaction:
        unsigned = Transaction.make(
            self._chain.codec,
            ref_block_num=reference.number & 0xFFFF,
            ref_block_prefix=int.from_bytes(reference.block_id[4:8], "little"),
            expiration=int(self._now()) + EXPIRATION_SECONDS,
            operations=(operation,),
        )
        return unsigned.with_signatures([sign_digest(unsigned.digest(self._chain.config.chain_id), self._keys[name])])


async def broadcast(daemon: Daemon, chain: NetworkChain, transaction: Transaction) -> None:
    """Sends a transaction to a node. Raises RpcError when it is refused."""
    await daemon.call("condenser_api.broadcast_transaction", [transaction.to_json(chain.codec, True)])
