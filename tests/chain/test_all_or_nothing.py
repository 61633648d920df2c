"""An error that is ours at any step of a push leaves the chain as it was, or unusable and saying so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest

from chain.block_log import MemoryBlockLog
from chain.chain import Chain
from chain.finality import ChainUnusable, Finality
from chain.fork_tree import ForkTree
from chain.ledger import Ledger
from chain.pool import Pool
from operations.transfer import Transfer
from protocol.block import Block
from protocol.errors import BlockLinkError, Invalid
from protocol.transaction import Transaction
from state.engine.errors import StoreCorrupt
from state.engine.kv import MemoryBackend
from state.engine.store import Store
from tests.chains import FIRST, NULL
from tests.harness import Harness, steem

STEPS: list[tuple[type[Any], str]] = [
    (MemoryBackend, "get"),
    (MemoryBackend, "scan"),
    (Store, "seal_block"),
    (Store, "undo_block"),
    (Ledger, "apply_block"),
    (Ledger, "undo_block"),
    (ForkTree, "push"),
    (ForkTree, "set_head"),
    (Pool, "drop_state"),
    (Pool, "begin_head"),
    (Finality, "take"),
]


CALLS = [*range(1, 10), 13, 19, 28, 42, 63, 94, 141, 211, 316, 474, 711, 1000]
"""Which call of a method fails; so many reads are much alike."""


class Scene(NamedTuple):
    """Blocks of two branches from one block on, and transactions that wait on the first of them."""

    world: Harness
    trunk: list[Block]
    own: list[Block]
    other: list[Block]
    waiting: list[Transaction]


@pytest.fixture(scope="module")
def scene() -> Scene:
    world, other = Harness(first_block=False), Harness(first_block=False)
    trunk = world.generate_blocks(3)
    for block in trunk:
        other.chain.push_block(block)
    own, theirs = [], []
    for number in range(2):
        world.push(Transfer(FIRST, NULL, steem(number + 1), ""))
        own.append(world.generate_block())
    for number in range(3):
        other.push(Transfer(FIRST, NULL, steem(number + 100), ""))
        theirs.append(other.generate_block(skip_slots=1))
    waiting = [world.push(Transfer(FIRST, NULL, steem(7), "waits"))]
    return Scene(world, trunk, own, theirs, waiting)


def open_chain(scene: Scene, backend: MemoryBackend, log: MemoryBlockLog) -> Chain:
    chain = Chain(scene.world.config, backend, log, scene.world.codec, cache_rows=1)
    chain.refuses_without_credits = False
    return chain


def make_chain(scene: Scene, blocks: list[Block]) -> tuple[Chain, MemoryBackend, MemoryBlockLog]:
    """A chain whose rows are read from its database again and again."""
    backend, log = MemoryBackend(), MemoryBlockLog()
    chain = open_chain(scene, backend, log)
    for block in blocks:
        chain.push_block(block)
    if scene.own[-1] in blocks:
        for transaction in scene.waiting:
            chain.push_transaction(transaction)
    return chain, backend, log


def describe(chain: Chain) -> tuple[object, ...]:
    """All that a push may change, and the state of the head computed from its rows."""
    waiting = [transaction.id for transaction in chain.pending]
    chain.pool.drop_state()
    digest = chain.store.compute_digest_from_scratch()
    chain.pool.begin_head()
    ids = chain.reader.get_block_ids(1, chain.head_number)
    return chain.head_number, chain.head_id, chain.state_digest, digest, ids, waiting, chain.irreversible_number


@contextmanager
def failing(kind: type[Any], name: str, call: int, *, is_late: bool, is_lasting: bool) -> Iterator[list[int]]:
    """One call of a method (and all that follow, if it lasts) raises, before or after it did its work."""
    original: Callable[..., Any] = getattr(kind, name)
    calls = [0]

    def faulty(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        is_bad = calls[0] >= call if is_lasting else calls[0] == call
        if is_bad and not is_late:
            raise StoreCorrupt("planted")
        result = original(*arguments, **options)
        if is_bad:
            raise StoreCorrupt("planted")
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, name, faulty)
        yield calls


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("is_lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize(("kind", "name"), STEPS, ids=[f"{kind.__name__}.{name}" for kind, name in STEPS])
def test_a_switch_is_whole_or_taken_back_or_the_chain_is_unusable(
    scene: Scene, kind: type[Any], name: str, is_lasting: bool, is_late: bool
) -> None:
    *early, last = scene.other
    for call in CALLS:
        chain, backend, log = make_chain(scene, [*scene.trunk, *scene.own, *early])
        before = describe(chain)
        with failing(kind, name, call, is_late=is_late, is_lasting=is_lasting) as calls:
            try:
                chain.push_block(last)
            except StoreCorrupt:
                pass
            else:
                assert calls[0] < call, "the error was dropped in silence"
        if calls[0] < call:
            assert chain.head_id == last.id
            return
        if chain.problem is None:
            assert describe(chain) == before
            assert chain.push_block(last).undone
        else:
            assert isinstance(chain.problem, ChainUnusable)
            with pytest.raises(ChainUnusable):
                chain.push_block(last)
            with pytest.raises(ChainUnusable):
                chain.push_transaction(scene.waiting[0])
            with pytest.raises(ChainUnusable):
                chain.finality.commit()
            again = open_chain(scene, backend, log)
            assert again.head_id in (before[1], last.id), "one of both, with the state that belongs to it"
            assert again.state_digest == again.store.compute_digest_from_scratch()
            for block in scene.other:
                again.push_block(block)
            chain = again
        assert chain.head_id == last.id
        assert describe(chain)[2] == describe(chain)[3]
    pytest.fail("the step is taken without an end")


@pytest.mark.parametrize(("kind", "name"), STEPS, ids=[f"{kind.__name__}.{name}" for kind, name in STEPS])
def test_blocks_that_waited_wait_again_after_an_error(scene: Scene, kind: type[Any], name: str) -> None:
    first, *waiting = scene.own
    for call in CALLS:
        chain, _, _ = make_chain(scene, scene.trunk)
        for block in waiting:
            with pytest.raises(BlockLinkError):
                chain.push_block(block)
        before = describe(chain)
        with failing(kind, name, call, is_late=False, is_lasting=False) as calls, suppress(StoreCorrupt):
            chain.push_block(first)
        if chain.problem is None and calls[0] >= call:
            assert describe(chain) == before
            assert len(chain.push_block(first).applied) == len(scene.own), "the others followed at once"
        if calls[0] < call:
            return


def test_a_head_that_can_not_be_undone_stays(scene: Scene) -> None:
    chain, _, _ = make_chain(scene, [*scene.trunk, *scene.own])
    before = describe(chain)
    with failing(Store, "undo_block", 1, is_late=True, is_lasting=False), pytest.raises(StoreCorrupt):
        chain.undo_head()
    assert chain.problem is None and describe(chain) == before


def test_a_reversible_block_that_a_start_refuses_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _, backend, log = make_chain(scene, [*scene.trunk, *scene.own])
    apply = Ledger.apply_block

    def refuse(ledger: Ledger, block: Block, *arguments: Any) -> Any:
        if block.id == scene.own[0].id:
            raise Invalid("", "another rule")
        return apply(ledger, block, *arguments)

    monkeypatch.setattr(Ledger, "apply_block", refuse)
    again = open_chain(scene, backend, log)
    assert again.head_id == scene.trunk[-1].id
    (refused,) = again.refused_at_start
    assert (refused.number, "another rule" in refused.error.message) == (scene.own[0].number, True)
    assert open_chain(scene, backend, log).refused_at_start == (), "it and what built on it was forgotten"
