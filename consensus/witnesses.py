"""Lookup of witnesses, and the initial row of a new one."""

from protocol.assets import STEEM, Asset, Price
from protocol.errors import UnknownKey
from protocol.integers import UINT128_MAX
from protocol.rules import Rules
from protocol.types import NULL_PUBLIC_KEY, ChainProperties
from state.context import Context
from state.tables.witnesses import SCHEDULE_NONE, Witness


def get_witness(ctx: Context, name: str) -> Witness:
    """The witness with this name; raises UnknownKey. Source: database.cpp, database::get_witness."""
    witness = ctx.tables.witnesses.find(name)
    if witness is None:
        raise UnknownKey(name=name)
    return witness


def make_witness(ctx: Context, owner: str, created: int) -> Witness:
    """A row for a witness with the reference's defaults: no votes, never scheduled, version 0.0.0."""
    return Witness(
        id=ctx.tables.witnesses.next_id(),
        owner=owner,
        created=created,
        url="",
        votes=0,
        schedule=SCHEDULE_NONE,
        virtual_last_update=0,
        virtual_position=0,
        virtual_scheduled_time=UINT128_MAX,
        total_missed=0,
        last_aslot=0,
        last_confirmed_block_num=0,
        pow_worker=0,
        signing_key=NULL_PUBLIC_KEY,
        props=default_properties(ctx.rules),
        sbd_exchange_rate=Price(),
        last_sbd_exchange_update=0,
        last_work=bytes(32),
        running_version=0,
        hardfork_version_vote=0,
        hardfork_time_vote=ctx.config.genesis.time,
        available_witness_account_subsidies=0,
    )


def default_properties(rules: Rules) -> ChainProperties:
    """The chain properties of a witness that has set none. Source: witness_objects.hpp, chain_properties."""
    return ChainProperties(
        account_creation_fee=Asset(rules.min_account_creation_fee, STEEM),
        maximum_block_size=rules.default_maximum_block_size_bytes,
        sbd_interest_rate=rules.default_sbd_interest_rate_bp,
        account_subsidy_budget=rules.default_account_subsidy_budget,
        account_subsidy_decay=rules.default_account_subsidy_decay,
    )
