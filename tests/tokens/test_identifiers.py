"""Identifiers: check digits, numbers, generation, and the pool."""

from __future__ import annotations

from typing import Any

import pytest

from operations.token import SmtCreate
from protocol.assets import (
    CONTROL_MASK,
    NAI_SHIFT,
    nai_string,
    paired_symbol,
    symbol_from_nai_string,
    symbol_to_nai,
)
from protocol.codec import codec_for
from protocol.types import Symbol
from state.tables.tokens import IdentifierPool
from tests.harness import sbd
from tests.tokens.examples import get_example
from tests.tokens.world import TokenWorld
from tokens.creation import insert_token
from tokens.identifiers import compute_seed, generate_identifier, process_identifier_pool


def stripped(nai: str) -> int:
    return symbol_from_nai_string(nai, 0)


def test_nai_check_digit() -> None:
    for data, nai in get_example("nai_check_digit")["expected"].items():
        number = int(data)
        symbol = symbol_from_nai_string(nai, {1: 3, 2: 3, 3: 6}.get(number, 0))
        assert nai_string(symbol) == nai
        assert symbol_to_nai(symbol) // 10 == number


def test_nai_generate() -> None:
    for seed, expected in get_example("nai_generate")["expected"].items():
        symbol = generate_identifier(int(seed))
        assert symbol == expected["data"] << NAI_SHIFT | CONTROL_MASK
        assert nai_string(symbol) == expected["nai"]


def test_symbol_numbers() -> None:
    example = get_example("symbol_numbers")
    for precision, expected in example["expected"].items():
        symbol = symbol_from_nai_string(example["input"]["nai"], int(precision))
        codec = codec_for(TokenWorld().ctx.config.identity)
        assert symbol == expected["liquid"]
        assert paired_symbol(symbol) == expected["vesting"]
        assert codec.encode(Symbol, symbol).hex() == expected["liquid_wire"]
        assert codec.encode(Symbol, paired_symbol(symbol)).hex() == expected["vesting_wire"]
        assert nai_string(paired_symbol(symbol)) == expected["vesting_nai"]


@pytest.mark.parametrize("name", ["nai_pool_refill", "nai_pool_refill_collisions"])
def test_nai_pool_refill(world: TokenWorld, name: str) -> None:
    """Collisions with tokens and with what is in the pool are counted alike (F3)."""
    example = get_example(name)
    given, expected = example["input"], example["expected"]
    block_id = bytes.fromhex(given["block_id"])
    if "seed" in expected:
        assert compute_seed(block_id) == expected["seed"]
    for nai in given["tokens"]:
        insert_token(world.ctx, "alice", stripped(nai) | 5, "")
    pools = world.tables.identifier_pool
    pools.delete(pools.get(0))
    pools.insert(IdentifierPool(0, tuple(map(stripped, given["pool"])), 0, 0, block_id))
    if given["pool"]:  # The same block again: what it had tried before counts on.
        first = get_example("nai_pool_refill")["expected"]
        pools.update(pools.get(0), attempts_per_block=0, collisions_per_block=0)
        assert first["attempts_per_block"] == 10
    world.ctx.update_gpo(head_block_id=block_id)
    world.run(process_identifier_pool)
    pool = pools.get(0)
    assert [nai_string(nai) for nai in pool.nais] == expected["pool"]
    assert pool.attempts_per_block == expected["attempts_per_block"]
    assert pool.collisions_per_block == expected["collisions_per_block"]


def test_a_block_whose_identifiers_all_collide_stops_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    world = TokenWorld()
    taken = generate_identifier(10**6)
    insert_token(world.ctx, "alice", taken | 3, "")
    tried: list[int] = []

    def generate(seed: int) -> int:
        tried.append(seed)
        return taken

    monkeypatch.setattr("tokens.identifiers.generate_identifier", generate)
    symbol = world.make_token()
    world.forward(3)
    world.fill_pool()
    assert len(tried) == world.ctx.rules.smt_max_nai_generation_tries
    assert len(world.pool) == 9
    world.run(process_identifier_pool)
    assert len(tried) == world.ctx.rules.smt_max_nai_generation_tries, "the same block is not asked again"
    assert symbol not in world.pool


def test_smt_nai_pool_removal(world: TokenWorld) -> None:
    """A created identifier is no more in the pool, and the last one has its place."""
    before = world.pool
    symbol = world.make_token(decimals=4)
    assert symbol & ~0xF == before[0]
    assert world.pool == (before[-1], *before[1:-1])
    assert symbol & ~0xF not in world.pool


def test_smt_nai_pool_count(world: TokenWorld) -> None:
    """The pool holds ten; each creation takes one; when none is left nobody can create; then it is full again."""
    assert len(world.pool) == 10
    last = world.pool[0]
    for left in range(9, -1, -1):
        last = world.make_token()
        assert len(world.pool) == left
    other = SmtCreate("alice", last & ~0xF ^ 1 << 7 | 3, "", sbd(1000), 3, ())
    world.refuse(other, "Cannot create an SMT that didn't come from the NAI pool.")
    world.forward(3)
    world.fill_pool()
    assert len(world.pool) == 10
    assert len(set(world.pool)) == 10


def test_a_full_pool_changes_nothing(world: TokenWorld) -> None:
    before: Any = world.tables.identifier_pool.get(0)
    world.ctx.update_gpo(head_block_id=bytes(range(20)))
    world.run(process_identifier_pool)
    assert world.tables.identifier_pool.get(0) is before
