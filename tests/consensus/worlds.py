"""Small worlds for tests of single consensus steps: a context over memory, with witnesses as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chain.genesis import initialize_genesis
from protocol.assets import Asset, Price, symbol_from_nai_string
from protocol.config import ChainConfig
from protocol.hardforks import parse_version
from protocol.keys import decode_public_key
from protocol.types import ChainProperties
from state.context import SINGLETON, Context
from state.engine.kv import MemoryBackend
from state.engine.store import Store
from state.tables.accounts import Account
from state.tables.tables import Tables
from state.tables.witnesses import Witness
from tests.chains import TESTNET


def make_context(config: ChainConfig = TESTNET) -> Context:
    """A context with the genesis of a chain, inside an open checkpoint."""
    store: Store[Tables] = Store(MemoryBackend(), Tables, chain_id=config.chain_id, is_strict=True)
    store.begin()
    ctx = Context(config, config.rules, store.tables)
    initialize_genesis(ctx)
    return ctx


def add_witness(ctx: Context, name: str, votes: int = 0, **changes: Any) -> Witness:
    """Adds an account and a witness with a key; `changes` are fields of the witness row."""
    tables = ctx.tables
    if tables.accounts.find(name) is None:
        tables.accounts.insert(Account(id=tables.accounts.next_id(), name=name))
    pattern = next(iter(tables.witnesses.scan()))
    fields: dict[str, Any] = {
        "id": tables.witnesses.next_id(),
        "owner": name,
        "votes": votes,
        "signing_key": b"\x02" + name.encode().ljust(32, b"\x01"),
        "hardfork_time_vote": ctx.config.genesis.time,
        "running_version": 0,
        "hardfork_version_vote": 0,
    }
    return tables.witnesses.insert(pattern.replace(**{**fields, **changes}))


def change_witness(ctx: Context, name: str, **changes: Any) -> Witness:
    """Changes fields of a witness row."""
    return ctx.tables.witnesses.update(ctx.tables.witnesses.get(name), **changes)


def set_round(ctx: Context, names: Sequence[str]) -> None:
    """Makes these witnesses the round, in this order."""
    padding = ("",) * (ctx.rules.max_witnesses - len(names))
    table = ctx.tables.witness_schedule
    table.update(
        table.get(SINGLETON), current_shuffled_witnesses=(*names, *padding), num_scheduled_witnesses=len(names)
    )


def make_round(ctx: Context, count: int, **changes: Any) -> list[str]:
    """Adds `count` witnesses and makes them the round."""
    names = [f"wit{number:02}" for number in range(count)]
    for number, name in enumerate(names):
        add_witness(ctx, name, votes=1000 - number, **changes)
    set_round(ctx, names)
    return names


# --- states of a reference chain --------------------------------------------------------------------------------


def parse_time(text: str) -> int:
    """Seconds since the epoch of a time such as 2020-09-13T12:30:00."""
    return int(datetime.fromisoformat(text + "+00:00").timestamp())


def parse_asset(data: dict[str, Any]) -> Asset:
    """An amount in its form with a numeric asset identifier."""
    return Asset(int(data["amount"]), symbol_from_nai_string(data["nai"], data["precision"]))


def parse_properties(data: dict[str, Any]) -> ChainProperties:
    """The chain properties of a witness or the median ones."""
    return ChainProperties(
        parse_asset(data["account_creation_fee"]),
        data["maximum_block_size"],
        data["sbd_interest_rate"],
        data["account_subsidy_budget"],
        data["account_subsidy_decay"],
    )


def parse_witness(data: dict[str, Any]) -> Witness:
    """A witness as database_api shows it; how it was scheduled is not shown and left at 0."""
    rate = data["sbd_exchange_rate"]
    return Witness(
        id=data["id"],
        owner=data["owner"],
        created=parse_time(data["created"]),
        url=data["url"],
        votes=int(data["votes"]),
        schedule=0,
        virtual_last_update=int(data["virtual_last_update"]),
        virtual_position=int(data["virtual_position"]),
        virtual_scheduled_time=int(data["virtual_scheduled_time"]),
        total_missed=data["total_missed"],
        last_aslot=data["last_aslot"],
        last_confirmed_block_num=data["last_confirmed_block_num"],
        pow_worker=data["pow_worker"],
        signing_key=decode_public_key(data["signing_key"], "TST"),
        props=parse_properties(data["props"]),
        sbd_exchange_rate=Price(parse_asset(rate["base"]), parse_asset(rate["quote"])),
        last_sbd_exchange_update=parse_time(data["last_sbd_exchange_update"]),
        last_work=bytes.fromhex(data["last_work"]),
        running_version=parse_version(data["running_version"]),
        hardfork_version_vote=parse_version(data["hardfork_version_vote"]),
        hardfork_time_vote=parse_time(data["hardfork_time_vote"]),
        available_witness_account_subsidies=int(data["available_witness_account_subsidies"]),
    )


def load_state(state: dict[str, Any]) -> Context:
    """A context with the witnesses, the schedule and the head of one line of states.jsonl."""
    ctx = make_context()
    tables = ctx.tables
    for old in list(tables.witnesses.scan()):
        tables.witnesses.delete(old)
    for witness in state["database_api"]["witnesses"]["witnesses"]:
        tables.witnesses.insert(parse_witness(witness))
    schedule = state["database_api"]["witness_schedule"]
    tables.witness_schedule.update(
        tables.witness_schedule.get(SINGLETON),
        current_virtual_time=int(schedule["current_virtual_time"]),
        next_shuffle_block_num=schedule["next_shuffle_block_num"],
        current_shuffled_witnesses=tuple(schedule["current_shuffled_witnesses"]),
        num_scheduled_witnesses=schedule["num_scheduled_witnesses"],
        witness_pay_normalization_factor=schedule["witness_pay_normalization_factor"],
        median_props=parse_properties(schedule["median_props"]),
        majority_version=parse_version(schedule["majority_version"]),
    )
    gpo = state["database_api"]["dynamic_global_properties"]
    ctx.update_gpo(
        head_block_number=gpo["head_block_number"],
        time=parse_time(gpo["time"]),
        current_aslot=gpo["current_aslot"],
        recent_slots_filled=int(gpo["recent_slots_filled"]),
        participation_count=gpo["participation_count"],
        last_irreversible_block_num=gpo["last_irreversible_block_num"],
        current_witness=gpo["current_witness"],
        available_account_subsidies=gpo["available_account_subsidies"],
    )
    return ctx
