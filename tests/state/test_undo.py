"""Undo of created, changed and removed rows of the real tables. Counterparts of the reference's undo_tests.

After each undo the tables must be what they were: their rows by primary key and in the order of every index, the object
ids they will give next, and the digest of the whole state. Where the reference renames an account, here the row
is removed and put in again with its id, because a primary key never changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from operations.content import Comment
from state.engine.errors import RowExists, SchemaError
from state.engine.table import Table
from state.tables.accounts import Account
from state.tables.content import Comment as CommentRow
from state.tables.content import CommentContent
from tests.harness import Harness
from tests.operations.world import World
from tests.rewards.rows import make_comment


@pytest.fixture
def world() -> World:
    return World()


def count(table: Table[Any, Any]) -> int:
    return len(list(table.scan()))


def read_table(table: Table[Any, Any]) -> list[Any]:
    """All rows by primary key and by every index, and how many ids are taken."""
    orders = [list(table.index(index.name).scan()) for index in table.spec.indexes]
    return [list(table.scan()), *orders, table.count_ids()]


def read_state(world: World) -> list[Any]:
    accounts, comments, contents = world.tables.accounts, world.tables.comments, world.tables.comment_contents
    rows = [read_table(accounts), read_table(comments), read_table(contents)]
    return [world.store.compute_digest_from_scratch(), *rows]


@contextmanager
def undone(world: World) -> Iterator[None]:
    """Undoes what the block does, and checks that everything is as before."""
    before = read_state(world)
    world.store.begin()
    yield
    world.store.rollback()
    assert read_state(world) == before


def add_account(world: World, name: str, **fields: Any) -> Account:
    accounts = world.tables.accounts
    return accounts.insert(Account(id=accounts.next_id(), name=name, **fields))


def rename(world: World, row: Account, name: str) -> Account:
    world.tables.accounts.delete(row)
    return world.tables.accounts.insert(row.replace(name=name))


def add_comment(world: World, cashout_time: int, author: str = "") -> CommentRow:
    comments = world.tables.comments
    number = comments.next_id()
    return comments.insert(make_comment(id=number, author=author, cashout_time=cashout_time))


def add_content(world: World, comment: int) -> CommentContent:
    contents = world.tables.comment_contents
    return contents.insert(CommentContent(contents.next_id(), comment, "", "", ""))


def test_undo_of_one_kind_of_object(world: World) -> None:
    """Counterpart of undo_basic."""
    accounts = world.tables.accounts
    with undone(world):
        pass
    with undone(world):
        assert add_account(world, "name00").name == "name00"
        assert accounts.get("name00").id == accounts.count_ids() - 1
    with undone(world):
        row = rename(world, add_account(world, "name00"), "name01")
        assert accounts.get("name01") == row and accounts.find("name00") is None
    with undone(world):
        accounts.delete(add_account(world, "name00"))
        assert accounts.find("name00") is None
    with undone(world):
        accounts.delete(accounts.update(add_account(world, "name00"), proxy="proxy00"))
    with undone(world):
        accounts.delete(add_account(world, "name00"))
        add_account(world, "name00")
    with undone(world):
        accounts.delete(accounts.update(add_account(world, "name00"), proxy="proxy00"))
        assert accounts.index("by_proxy").find(("proxy00",)) is None
        add_account(world, "name00")
    with undone(world):
        add_account(world, "name00")
        rename(world, add_account(world, "name01"), "name02")
        accounts.delete(add_account(world, "name03"))
        assert [accounts.find(f"name0{number}") is None for number in range(4)] == [False, True, False, True]


def test_a_refused_change_removes_nothing(world: World) -> None:
    """Counterpart of undo_object_disapear, with the collision that the reference had to leave out."""
    accounts = world.tables.accounts
    size = count(accounts)
    add_account(world, "name00", proxy="proxy00")
    assert count(accounts) == size + 1
    row = add_account(world, "name01", proxy="proxy01")
    assert count(accounts) == size + 2
    with undone(world):
        with pytest.raises(SchemaError):
            accounts.update(row, name="name00", proxy="proxy00")
        assert accounts.get("name01") == row
        with pytest.raises(RowExists):
            accounts.insert(row.replace(name="name00"))
        assert count(accounts) == size + 2
        accounts.update(rename(world, row, "nameXYZ"), proxy="proxyXYZ")
        assert count(accounts) == size + 2
    assert count(accounts) == size + 2
    assert [found.name for found in accounts.index("by_proxy").scan(("proxy01",))] == ["name01"]


def test_a_key_passes_to_another_object(world: World) -> None:
    """Counterpart of undo_key_collision, with the collision that the reference had to leave out."""
    accounts, comments = world.tables.accounts, world.tables.comments
    with undone(world):
        add_account(world, "name00")
        with pytest.raises(RowExists):
            add_account(world, "name00")
    row = add_account(world, "name00")
    with undone(world):
        size = count(accounts)
        rename(world, accounts.update(row, post_count=1), "name01")
        other = add_account(world, "name00")
        assert accounts.get("name00") == other and other.id != row.id == accounts.get("name01").id
        assert count(accounts) == size + 1
    assert accounts.get("name00") == row
    post = add_comment(world, 20, "a1")
    with undone(world):
        size = count(comments)
        comments.update(comments.update(post, depth=1), cashout_time=21)
        add_comment(world, 20, "a2")
        assert count(comments) == size + 1
        assert [found.author for found in comments.index("by_cashout_time").scan(stop=(22,))] == ["a2", "a1"]


def test_undo_of_different_kinds_of_objects(world: World) -> None:
    """Counterpart of undo_different_indexes."""
    accounts, comments, contents = world.tables.accounts, world.tables.comments, world.tables.comment_contents
    before = [count(accounts), count(comments), count(contents)]

    def grown() -> list[int]:
        after = [count(accounts), count(comments), count(contents)]
        return [now - then for now, then in zip(after, before, strict=True)]

    with undone(world):
        assert add_account(world, "name00").name == "name00"
        assert add_comment(world, 11).cashout_time == 11
        assert grown() == [1, 1, 0]
    with undone(world):
        rows = [add_account(world, f"name0{number}") for number in range(3)]
        assert grown() == [3, 0, 0]
        accounts.update(rows[1], proxy="proxy01")
        accounts.delete(rows[2])
        assert grown() == [2, 0, 0]
        add_comment(world, 11, "a0")
        comments.update(add_comment(world, 12, "a1"), cashout_time=13)
        assert grown() == [2, 2, 0]
    with undone(world):
        add_account(world, "name01")
        post = add_comment(world, 12, "a1")
        content = add_content(world, 13)
        assert grown() == [1, 1, 1]
        comments.update(post, author="a2")
        contents.delete(content)
        assert grown() == [1, 1, 0]
    content, post, account = add_content(world, 0), add_comment(world, 12, "0"), add_account(world, "0")
    with undone(world):
        for number in range(1, 6):
            post = comments.update(post, cashout_time=12 + number, author=str(number))
            account = rename(world, account, str(number))
            assert grown() == [1, 1, 1]
        contents.delete(content)
        assert grown() == [1, 1, 0]
    assert grown() == [1, 1, 1]


def test_undo_of_blocks_with_posts() -> None:
    """Counterpart of undo_generate_blocks."""
    chain = Harness()
    chain.create_accounts("alice", "bob", "chuck", "dan")
    comments = chain.tables.comments

    def undo(number: int) -> None:
        """Makes and undoes a block with what waits, which then waits again with the same ids."""
        digest, ids = chain.chain.state_digest, comments.count_ids()
        chain.generate_block()
        rows = read_table(comments)
        assert count(comments) == number and chain.chain.state_digest != digest
        chain.chain.undo_head()
        assert chain.chain.state_digest == digest
        assert read_table(comments) == rows
        assert comments.count_ids() == ids

    chain.post("bob", "post4", parent=("", "pl4"), body="b4")
    chain.generate_blocks(2)
    assert count(comments) == 1
    chain.post("alice", "post", parent=("", "pl"), body="b")
    undo(2)
    chain.generate_block()
    chain.push(
        Comment("bob", "post4", "dan", "post2", "t2", "b2", ""),
        Comment("bob", "post4", "chuck", "post3", "t3", "b3", ""),
    )
    assert chain.comment("bob", "post4").children == 2
    undo(4)
    chain.generate_block()
    assert [(row.id, row.author) for row in comments.scan()] == [(0, "bob"), (1, "alice"), (2, "dan"), (3, "chuck")]
    chain.recount()
