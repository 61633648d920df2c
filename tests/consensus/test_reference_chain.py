"""A whole chain of the reference, applied block by block: everything about witnesses, to the last unit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain.ledger import Ledger
from protocol.block import Block
from protocol.codec import Codec
from protocol.hardforks import parse_version
from state.context import SINGLETON, Context
from state.engine.kv import MemoryBackend
from state.engine.store import Store
from state.tables.tables import Tables
from tests.consensus.worlds import TESTNET, load_state, parse_asset, parse_time, parse_witness
from tests.strategies import import_all_operations
from tests.vectors import read_jsonl, vectors_path

SCHEDULE_FIELDS = (
    "current_virtual_time",
    "next_shuffle_block_num",
    "current_shuffled_witnesses",
    "num_scheduled_witnesses",
    "witness_pay_normalization_factor",
    "median_props",
    "majority_version",
)
GLOBAL_FIELDS = (
    "head_block_number",
    "current_witness",
    "current_aslot",
    "recent_slots_filled",
    "participation_count",
    "last_irreversible_block_num",
    "available_account_subsidies",
    "maximum_block_size",
    "sbd_interest_rate",
)


def read_block_log(path: Path) -> Iterator[bytes]:
    """The packed blocks of a block log, in order; each is followed by the offset it starts at."""
    data = path.read_bytes()
    starts = []
    end = len(data)
    while end > 0:
        end = int.from_bytes(data[end - 8 : end], "little")
        starts.append(end)
    starts.reverse()
    for start, following in zip(starts, [*starts[1:], len(data)], strict=True):
        yield data[start : following - 8]


@pytest.mark.parametrize("name", ["reference_chain_a"])
@pytest.mark.recorded
def test_witnesses_schedules_and_feeds(name: str) -> None:
    import_all_operations()
    states = {state["height"]: state for state in read_jsonl(vectors_path(name, "states.jsonl"))}
    store: Store[Tables] = Store(MemoryBackend(), Tables, chain_id=TESTNET.chain_id)
    ledger = Ledger(store, TESTNET)
    codec = Codec(TESTNET.identity)
    compared = 0
    for packed in read_block_log(vectors_path(name, "block_log")):
        block = Block.from_bytes(codec, packed)
        ledger.apply_block(block)
        if block.number in states:
            compare(ledger.ctx, states[block.number])
            compared += 1
    assert compared == len(states) - 1, "all states but the genesis"


def compare(ctx: Context, state: dict[str, Any]) -> None:
    height = state["height"]
    shown = state["database_api"]
    tables = ctx.tables
    witnesses = [parse_witness(witness) for witness in shown["witnesses"]["witnesses"]]
    assert len(witnesses) == len(list(tables.witnesses.scan()))
    for witness in witnesses:
        assert tables.witnesses.get(witness.owner)._replace(schedule=0) == witness, height

    expected = load_state(state).tables.witness_schedule.get(SINGLETON)
    schedule = tables.witness_schedule.get(SINGLETON)
    for field in SCHEDULE_FIELDS:
        assert getattr(schedule, field) == getattr(expected, field), (height, field)
    for pool in ("account_subsidy_rd", "account_subsidy_witness_rd"):
        row = getattr(schedule, pool)._asdict()
        wanted = {**shown["witness_schedule"][pool], **shown["witness_schedule"][pool]["decay_params"]}
        del wanted["decay_params"]
        assert row == {field: int(value) for field, value in wanted.items()}, (height, pool)

    for field in GLOBAL_FIELDS:
        assert str(getattr(ctx.gpo, field)) == str(shown["dynamic_global_properties"][field]), (height, field)

    hardfork = tables.hardfork_property.get(SINGLETON)
    wanted = shown["hardfork_properties"]
    assert hardfork.processed_hardforks == tuple(map(parse_time, wanted["processed_hardforks"])), height
    assert hardfork.last_hardfork == wanted["last_hardfork"]
    assert hardfork.current_hardfork_version == parse_version(wanted["current_hardfork_version"])
    assert hardfork.next_hardfork == parse_version(wanted["next_hardfork"]), height
    assert hardfork.next_hardfork_time == parse_time(wanted["next_hardfork_time"]), height

    feed = tables.feed_history.get(SINGLETON)
    prices = [feed.current_median_history, *feed.price_history]
    shown_feed = shown["feed_history"]
    for price, data in zip(prices, [shown_feed["current_median_history"], *shown_feed["price_history"]], strict=True):
        assert price == (parse_asset(data["base"]), parse_asset(data["quote"])), height

    votes = {(vote["account"], vote["witness"]) for vote in shown["witness_votes"]["votes"]}
    assert {(vote.account, vote.witness) for vote in tables.witness_votes.scan()} == votes, height
