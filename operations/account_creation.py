"""Shared parts of the operations that create accounts: the new rows, and claims of subsidised accounts.

Source: libraries/chain/steem_evaluator.cpp, initialize_account_object, account_create_evaluator,
claim_account_evaluator and create_claimed_account_evaluator.
"""

from typing import Protocol

from operations.authority_change import check_authority_accounts, store_authorities
from protocol.errors import Rejected
from protocol.resources import Resources, state_size
from protocol.types import Authority
from state.context import Context
from state.tables.accounts import Account, AccountMetadata, Manabar
from state.tables.witnesses import SCHEDULE_ELECTED

SCHEDULE_NAMES = ("elected", "timeshare", "miner", "none")
"""The values of a witness's `schedule` in error texts."""


class NewAccount(Protocol):
    """The fields that describe a new account in the operations that create one."""

    creator: str
    new_account_name: str
    owner: Authority
    active: Authority
    posting: Authority
    memo_key: bytes
    json_metadata: str


def check_new_authorities(ctx: Context, op: NewAccount) -> None:
    """Refuses authorities of a new account that name unknown accounts."""
    check_authority_accounts(ctx, op.owner, op.new_account_name, "owner")
    check_authority_accounts(ctx, op.active, op.new_account_name, "active")
    check_authority_accounts(ctx, op.posting, op.new_account_name, "posting")


_AUTHORITY_BASE = state_size("authority_base_size", 4)
_AUTHORITY_ACCOUNT = state_size("authority_account_member_size", 18)
_AUTHORITY_KEY = state_size("authority_key_member_size", 35)


def count_new_account(op: NewAccount, base: Resources) -> Resources:
    """The resources that a new account consumes, including its authorities."""
    weight = sum(
        _AUTHORITY_BASE + _AUTHORITY_ACCOUNT * len(authority.account_auths) + _AUTHORITY_KEY * len(authority.key_auths)
        for authority in (op.owner, op.active, op.posting)
    )
    return base.more(state_bytes=weight)


def create_account(ctx: Context, op: NewAccount) -> Account:
    """Creates the rows of the account that the operation describes, without tokens or mana.

    The creator becomes its recovery account, unless the creator is the temp account, which anybody can sign for. Raises
    RowExists when the name is taken (the ledger turns it into NotUnique).
    """
    now, tables, name = ctx.time, ctx.tables, op.new_account_name
    account = tables.accounts.insert(
        Account(
            id=tables.accounts.next_id(),
            name=name,
            memo_key=op.memo_key,
            created=now,
            mined=False,
            reset_account=ctx.rules.null_account,
            recovery_account="" if op.creator == ctx.rules.temp_account else op.creator,
            voting_manabar=Manabar(0, now),
            downvote_manabar=Manabar(0, now),
        )
    )
    metadata = tables.account_metadata
    metadata.insert(AccountMetadata(metadata.next_id(), name, op.json_metadata, ""))
    store_authorities(ctx, name, op.owner, op.active, op.posting)
    return account


def use_account_subsidy(ctx: Context) -> None:
    """Takes one account from the global pool of subsidised accounts and from the block producer's own pool.

    Only elected witnesses may include such a claim. The producer is unknown when a transaction arrives, so the
    producer's part is skipped then.
    """
    precision = ctx.rules.account_subsidy_precision
    if not ctx.is_pending:
        _use_witness_subsidy(ctx, precision)
    gpo = ctx.gpo
    if not gpo.available_account_subsidies >= precision:
        raise Rejected(
            "gpo.available_account_subsidies >= STEEM_ACCOUNT_SUBSIDY_PRECISION",
            "There are not enough subsidized accounts to claim",
        )
    ctx.update_gpo(available_account_subsidies=gpo.available_account_subsidies - precision)


def _use_witness_subsidy(ctx: Context, precision: int) -> None:
    witnesses = ctx.tables.witnesses
    witness = witnesses.get(ctx.gpo.current_witness)
    if witness.schedule != SCHEDULE_ELECTED:
        raise Rejected(
            "current_witness.schedule == witness_object::elected",
            "Subsidized accounts can only be claimed by elected witnesses. current_witness:${w} witness_type:${t}",
            w=witness.owner,
            t=SCHEDULE_NAMES[witness.schedule],
        )
    available = witness.available_witness_account_subsidies
    if not available >= precision:
        raise Rejected(
            "current_witness.available_witness_account_subsidies >= STEEM_ACCOUNT_SUBSIDY_PRECISION",
            "Witness ${w} does not have enough subsidized accounts to claim",
            w=witness.owner,
        )
    witnesses.update(witness, available_witness_account_subsidies=available - precision)
