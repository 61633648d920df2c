"""Indexes that live elsewhere: through fork switches and kills of either side nothing is lost or doubled."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from chain.finality import Mode
from index import outbox
from index.account_history import AccountHistory
from index.base import BEGINNING, Cursor
from index.indexes import open_chain
from index.outbox import IndexLost, SourceBehind
from operations.transfer import Transfer
from protocol.errors import HistoryUnavailable, Rejected
from state.engine.kv import MemoryBackend
from tests.crash.producer import crash_config
from tests.harness import Harness, Told, steem
from tests.index.lab import DictIndex, FinalIndex, Killed, Node, decoder, feed, index_from_nothing

CONFIG = crash_config()
NAMES = ("alice", "bob", "carol", "dave", "erin")


class Story:
    """A chain that is made elsewhere, a node that follows it, and two indexes that follow the node."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.maker = Harness(CONFIG, has_history=False)
        self.node = Node(CONFIG)
        self.disks: dict[type[DictIndex], list[bytes]] = {DictIndex: [], FinalIndex: []}
        self.indexes: dict[type[DictIndex], DictIndex] = {}
        self.posts: list[tuple[str, str]] = []
        for kind in self.disks:
            self.start_index(kind)
        self.follow()

    # The chain

    def make_blocks(self, count: int, skip_slots: int = 0) -> None:
        for number in range(count):
            for _ in range(self.chance.randrange(4)):
                self.push()
            self.maker.generate_block(skip_slots=0 if number else skip_slots)

    def push(self) -> None:
        name, other = self.chance.sample(NAMES, 2)
        try:
            kind = self.chance.randrange(3)
            if kind == 0:
                self.posts.append((name, f"post-{len(self.posts)}"))
                self.maker.post(*self.posts[-1])
            elif kind == 1 and self.posts:
                self.maker.vote(name, *self.chance.choice(self.posts[-5:]), self.chance.randint(1, 100) * 100)
            else:
                self.maker.push(Transfer(name, other, steem(self.chance.randint(1, 50)), ""))
        except Rejected:
            return  # A post that an undone block held, say.

    def switch(self) -> None:
        """Another branch, longer than the one that is there."""
        depth = self.chance.randint(1, 6)
        for _ in range(depth):
            if self.maker.chain.head_number > self.maker.chain.irreversible_number:
                self.maker.chain.undo_head()
        self.make_blocks(depth + self.chance.randint(0, 2), skip_slots=self.chance.randint(1, 3))

    # The node

    def follow(self) -> None:
        """Gives the node the blocks of the chain; it may be killed at a write."""
        self.push_all(self.chance.choice((Mode.LIVE, Mode.PROMPT)))
        if self.chance.randrange(2):
            self.node.chain.finality.try_commit()

    def push_all(self, mode: Mode) -> None:
        chain = self.node.chain
        chain.enter(mode)
        for number in range(chain.irreversible_number + 1, self.maker.chain.head_number + 1):
            block = self.maker.chain.reader.get_block(number)
            assert block is not None
            chain.push_block(block, skip_signatures=True)

    def kill_node(self) -> None:
        """At the next writes, or between them; the power may be gone as well."""
        if self.chance.randrange(2):
            self.node.backend.writes_left = self.chance.randint(1, 4)
            self.node.backend.is_behind = bool(self.chance.randrange(2))
            with suppress(Killed):
                self.make_blocks(self.chance.randint(1, 5))
                self.follow()
        self.node.start(power_failed=bool(self.chance.randrange(2)))

    # The indexes

    def start_index(self, kind: type[DictIndex]) -> None:
        """Goes on from what the last process left; the first one has to be filled."""
        self.indexes[kind] = kind(self.disks[kind])
        if not self.disks[kind]:
            self.node.indexes.join(self.indexes[kind])

    def kill_index(self, kind: type[DictIndex]) -> None:
        """Before or behind its write, or between two."""
        index = self.indexes[kind]
        moment = self.chance.randrange(3)
        if moment:
            write = index.write

            def die(final: int) -> None:
                if moment == 1:
                    write(final)
                raise Killed

            index.write = die  # type: ignore[method-assign]
            with suppress(Killed):
                feed(self.node, index)
        self.start_index(kind)

    # What must be

    def step(self) -> None:
        kind = self.chance.choice((DictIndex, FinalIndex))
        what = self.chance.randrange(12)
        if what == 0:
            self.kill_node()
        elif what == 1:
            self.kill_index(kind)
        elif what in (2, 3):
            self.switch()
            if self.chance.randrange(2):
                self.follow()
        elif what < 8:
            self.make_blocks(self.chance.randint(1, 4))
            self.follow()
        else:
            feed(self.node, self.indexes[kind], self.chance.randint(1, 3))

    def check(self) -> None:
        """All catch up; then each index is what it would be had it been made from nothing."""
        self.follow()
        for kind, index in self.indexes.items():
            feed(self.node, index, 10)
            committed = self.node.chain.finality.committed_number
            last = committed if index.is_final_only else self.node.chain.head_number
            assert index.content() == index_from_nothing(self.node, kind, last).content()
            assert kind(self.disks[kind]).content() == index.content(), "what is written is what there is"


@pytest.mark.parametrize("seed", range(6))
def test_forks_and_kills_of_either_side_lose_and_double_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "ANSWER_BYTES_MAX", 20_000)  # Several answers are needed to catch up.
    story = Story(seed)
    for _ in range(4):
        for _ in range(25):
            story.step()
        story.check()
    assert story.node.chain.finality.committed_number > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(1000, 1040))
def test_a_thousand_forks_and_kills(seed: int) -> None:
    story = Story(seed)
    for _ in range(10):
        for _ in range(30):
            story.step()
        story.check()


def test_an_index_ahead_of_a_node_that_lost_blocks_is_led_to_the_branch_that_came_instead() -> None:
    story = Story(1)
    story.make_blocks(30)
    story.follow()
    story.make_blocks(3)
    story.push_all(Mode.LIVE)
    index = story.indexes[DictIndex]
    feed(story.node, index)
    ahead = index.head
    story.node.start(power_failed=True)
    assert story.node.chain.head_number < ahead.number
    feed(story.node, index)
    assert index.head.number == story.node.chain.head_number
    story.chance.seed(5)
    story.switch()
    story.check()
    assert ahead.id not in [cursor.id for cursor in index.cursors]


@pytest.mark.parametrize("dies", [False, True])
def test_what_was_acknowledged_of_blocks_that_went_is_kept_again_of_those_that_came(dies: bool) -> None:
    """The index does not ask until the other branch is irreversible; its head was acknowledged on the one that went."""
    story = Story(9)
    node, index = story.node, story.indexes[DictIndex]
    node.outbox.unregister("finals")
    del story.indexes[FinalIndex]
    story.make_blocks(30)
    story.push_all(Mode.PROMPT)
    story.make_blocks(3)
    story.push_all(Mode.BULK)  # What is not committed then is not kept for the next start.
    feed(node, index, 5)
    assert node.outbox.acknowledged == {"dicts": node.chain.head_number}
    if dies:
        node.outbox.register("other")  # Writes down how far everybody is.
        node.outbox.unregister("other")
        node.start()
        assert node.chain.head_number < index.head.number
    for _ in range(3):
        story.maker.chain.undo_head()
    story.make_blocks(60, skip_slots=2)
    story.push_all(Mode.PROMPT)
    assert node.chain.finality.committed_number > 40
    story.check()


def test_an_index_waits_for_a_node_that_has_yet_to_come_to_its_irreversible_blocks() -> None:
    story = Story(2)
    story.make_blocks(40)
    story.follow()
    index = story.indexes[DictIndex]
    feed(story.node, index)
    before = index.content()
    fresh = Node(CONFIG)
    with pytest.raises(SourceBehind, match=f"Index dicts has block {index.cursors[0].number}, this node is at block 0"):
        fresh.outbox.read(index.name, index.cursors)
    assert index.content() == before
    story.node = fresh
    story.follow()
    fresh.chain.finality.try_commit()
    with pytest.raises(IndexLost, match="fill it from the block log again"):  # Nobody had told that it was needed.
        fresh.outbox.read(index.name, [BEGINNING])
    feed(fresh, index)
    assert index.content() == before


def test_a_foreign_index_is_refused() -> None:
    story = Story(3)
    story.make_blocks(30)
    story.follow()
    foreign = Cursor(3, (3).to_bytes(4, "big") + bytes(16))
    with pytest.raises(IndexLost, match="which is not on this node's chain"):
        story.node.outbox.read("foreign", [foreign])


# What is kept


def kept(node: Node) -> dict[int, int]:
    """The numbers of the records on the disk, and their sizes."""
    return {int.from_bytes(key[2:], "big"): len(data) for key, data in node.backend.scan(b"\x22\x01", b"\x22\x02")}


def test_records_are_kept_until_every_index_has_them() -> None:
    story = Story(4)
    node, (head, final) = story.node, story.indexes.values()
    story.make_blocks(40)
    story.follow()
    node.chain.finality.try_commit()
    committed = node.chain.finality.committed_number
    assert sorted(kept(node)) == list(range(1, committed + 1))
    feed(node, head, 5)
    feed(node, final, 5)
    story.make_blocks(1)
    story.follow()
    node.chain.finality.try_commit()
    assert sorted(kept(node)) == [committed + 1], "the other index has only what is irreversible"
    node.outbox.unregister("finals")
    feed(node, head, 5)
    story.make_blocks(10)
    feed(node, head, 5)
    story.follow()
    node.chain.finality.try_commit()
    assert kept(node) == {}, "the index that is left had all of it before it became irreversible"
    node.outbox.unregister("dicts")
    assert not [key for key, _data in node.backend.scan(b"\x22", b"\x23")]
    story.make_blocks(10)
    story.follow()
    assert not [key for key, _data in node.backend.scan(b"\x22", b"\x23")]


def test_an_index_that_is_too_far_behind_makes_room_and_is_filled_again() -> None:
    story = Story(5)
    node, index = story.node, story.indexes[DictIndex]
    node.outbox.unregister("finals")
    node.outbox._bytes_max = 30_000
    story.make_blocks(60)
    story.follow()
    node.chain.finality.try_commit()
    assert kept(node) == {} and not node.outbox.acknowledged, "nobody is left to keep records for"
    with pytest.raises(
        IndexLost, match=r"Index dicts has the blocks up to 0, but the records here begin with block \d+"
    ):
        feed(node, index)
    node.indexes.join(index)
    assert index.head.number == node.chain.finality.committed_number
    story.indexes = {DictIndex: index}
    story.check()


def test_filling_goes_on_where_a_kill_ended_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chain.finality.GROUP_BLOCKS", 10)
    story = Story(6)
    story.make_blocks(60)
    story.follow()
    node = story.node
    node.chain.finality.try_commit()
    disk: list[bytes] = []
    told = Told(Killed, at=2)
    node.indexes._progress = told
    with pytest.raises(Killed):
        node.indexes.join(DictIndex(disk))
    index = DictIndex(disk)
    assert index.head.number == 20
    node.indexes.join(index)
    committed = node.chain.finality.committed_number
    assert told.figures[2:] == [(number, committed) for number in (*range(10, committed, 10), committed)]
    feed(node, index, 5)
    assert index.content() == index_from_nothing(node, DictIndex, node.chain.head_number).content()


def test_saving_and_dropping() -> None:
    story = Story(7)
    story.make_blocks(30)
    story.follow()
    index = story.indexes[DictIndex]
    feed(story.node, index, 5)
    saved, before = list(index.save()), index.content()
    index.drop()
    assert index.head == BEGINNING and DictIndex(story.disks[DictIndex]).rows == {}
    index.restore(saved)
    assert index.content() == before


def test_history_can_not_begin_in_the_middle_and_rows_can() -> None:
    story = Story(8)
    story.make_blocks(30)
    story.follow()
    node = story.node
    node.chain.finality.try_commit()
    node.log._first = node.chain.finality.committed_number  # As after a restore.
    start = node.chain.finality.committed_number
    node.log._blocks = node.log._blocks[start - 1 :]
    index = FinalIndex([])
    node.indexes.join(index)
    assert index.head.number == start
    blocks = [story.maker.chain.reader.get_block(number) for number in range(1, start + 1)]
    chain, indexes = open_chain(CONFIG, has_history=False)
    whole = DictIndex([])
    indexes.join(whole)
    for block in blocks:
        assert block is not None
        chain.push_block(block, skip_signatures=True)
    whole.take(indexes.outbox.read(whole.name, whole.cursors), decoder(node))
    assert index.rows == whole.rows and index.operations == []
    with pytest.raises(HistoryUnavailable, match="account_history is made from block 1 on"):
        node.indexes.join(AccountHistory(MemoryBackend(), node.chain.codec))
