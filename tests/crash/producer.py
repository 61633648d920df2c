"""A node that makes blocks with transactions as fast as it can, until somebody kills it.

    python -m tests.crash.producer DIRECTORY SEED

It says on standard output what it must not lose: a line "ready", then "NUMBER ID" for each last irreversible block.
Every now and then it takes blocks back and makes others in their place, as a fork switch does.
"""

import random
import sys
from typing import Any

from chain.chain import Chain
from chain.effects import FeedItem, Irreversible
from index.indexes import open_chain
from node.core import Node, NodeSettings
from node.core.writes import COMMIT_TIMER
from operations.content import Comment
from operations.transfer import Transfer
from operations.vote import Vote
from protocol.assets import STEEM, Asset
from protocol.config import ChainConfig
from protocol.errors import ProtocolError
from protocol.keys import PrivateKey, sign_digest
from protocol.operation import Operation
from protocol.transaction import Transaction
from tests.node.lab import Clock, FakeWorld

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")


def crash_config() -> ChainConfig:
    """Preset dev, but blocks can be undone for 21 blocks, and posts are paid after a minute."""
    config = ChainConfig.preset("dev")
    rules = config.rules.replace(
        irreversible_by_witness_from_block=1_000_000_000,
        cashout_window_seconds=60,
        reverse_auction_seconds=20,
        min_reply_interval_seconds=0,
    )
    return config.model_copy(update={"rules": rules})


class PrintingWorld(FakeWorld):
    """Prints what is irreversible, once the chain says so."""

    def __init__(self, chain: Chain) -> None:
        super().__init__(Clock(1_800_000_000_000))
        self.chain = chain

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        for item in items:
            if isinstance(item, Irreversible):
                block_id = self.chain.reader.get_block_id(item.number)
                assert block_id is not None
                print(item.number, block_id.hex(), flush=True)


class Producer:
    """Makes random transactions and blocks."""

    def __init__(self, directory: str, seed: int) -> None:
        self.chance = random.Random(seed)
        config = crash_config()
        self.chain, _indexes = open_chain(config, directory)
        keys = {key.public_key: key for _, _, key in config.development_keys()}
        self.node = Node(PrintingWorld(self.chain), self.chain, NodeSettings(("initminer",), keys, automine=True))
        self.posts: list[tuple[str, str]] = []

    def run(self) -> None:
        while True:
            for _ in range(self.chance.randrange(12)):
                self.push(*self.make_operation())
            self.node.miner.mine(1, self.chance.choice((0, 0, 0, 0, 3, 30)))
            if self.chance.randrange(3) == 0:
                self.node.on_timer(COMMIT_TIMER)
            if self.chance.randrange(15) == 0:
                for _ in range(self.chance.randint(1, 4)):
                    if self.chain.head_number > self.chain.irreversible_number:
                        self.chain.undo_head()

    def make_operation(self) -> tuple[str, str, Operation]:
        name, other = self.chance.sample(NAMES, 2)
        kind = self.chance.randrange(4)
        if kind == 0:
            permlink = f"post-{self.chance.randrange(1 << 40)}"
            self.posts.append((name, permlink))
            return name, "posting", Comment("", "test", name, permlink, "title", "body " * 20, "{}")
        if kind == 1 and self.posts:
            author, permlink = self.chance.choice(self.posts[-30:])
            return name, "posting", Vote(name, author, permlink, self.chance.randint(1, 100) * 100)
        return name, "active", Transfer(name, other, Asset(self.chance.randint(1, 50), STEEM), "")

    def push(self, name: str, role: Any, operation: Operation) -> None:
        head_id = self.chain.head_id
        unsigned = Transaction.make(
            self.chain.codec,
            ref_block_num=self.chain.head_number & 0xFFFF,
            ref_block_prefix=int.from_bytes(head_id[4:8], "little"),
            expiration=self.chain.head_time + 3000 + self.chance.randrange(500),
            operations=(operation,),
        )
        key = PrivateKey.from_password(name, role, "plaudit-dev")
        signed = unsigned.with_signatures([sign_digest(unsigned.digest(self.chain.config.chain_id), key)])
        try:
            self.node.on_transaction(signed)
        except ProtocolError:
            return


if __name__ == "__main__":
    producer = Producer(sys.argv[1], int(sys.argv[2]))
    print("ready", flush=True)
    producer.run()
