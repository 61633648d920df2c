"""Changes of an account's authorities, with the history of owner authorities and the index of keys.

Everything that creates an account or changes its authorities goes through `store_authorities`.

Source: libraries/chain/database.cpp, update_owner_authority; libraries/chain/steem_evaluator.cpp,
verify_authority_accounts_exist; libraries/plugins/account_by_key (the index of keys).
"""

from protocol.errors import Rejected
from protocol.measures import duration_text
from protocol.types import Authority
from protocol.units import HOUR_SECONDS
from state.context import Context
from state.tables.accounts import AccountAuthority, KeyReference, OwnerAuthorityHistory


def check_authority_accounts(ctx: Context, authority: Authority, account: str, kind: str) -> None:
    """Refuses an authority that names an unknown account; `kind` is "owner", "active" or "posting"."""
    for name, _weight in authority.account_auths:
        if ctx.tables.accounts.find(name) is None:
            raise Rejected(
                "a != nullptr",
                "New ${ac} authority on account ${aa} references non-existing account ${aref}",
                aref=name,
                ac=kind,
                aa=account,
            )


def refuse_owner_update(assertion: str, seconds: int) -> Rejected:
    """The refusal with the reference's text, which its testnet shows too, although the limit is 0 there."""
    pause = "hour" if seconds in (0, HOUR_SECONDS) else duration_text(seconds)
    often = "an hour" if pause == "hour" else f"every {pause}"
    text = f"Owner authority can only be updated once {often}."
    return Rejected(assertion, text).named("owner_changes_too_close", pause=pause)


def check_owner_update_limit(ctx: Context, authorities: AccountAuthority) -> None:
    """Refuses a second change of the owner authority within the time limit; 0 means no limit."""
    limit = ctx.rules.owner_update_limit_seconds
    if limit and not ctx.time - authorities.last_owner_update > limit:
        raise refuse_owner_update(
            "_db.head_block_time() - account_auth.last_owner_update > STEEM_OWNER_UPDATE_LIMIT", limit
        )


def store_authorities(
    ctx: Context,
    account: str,
    owner: Authority | None = None,
    active: Authority | None = None,
    posting: Authority | None = None,
) -> AccountAuthority:
    """Stores the given authorities and keeps the others; returns the new row.

    Inserts the row of a new account, for which all three must be given. A replaced owner authority is added to the
    history, from which the account can be recovered.
    """
    old = ctx.tables.account_authorities.find(account)
    if old is None:
        new = _create(ctx, account, owner, active, posting)
    else:
        new = _change(ctx, old, owner, active, posting)
    _update_key_references(ctx, old, new)
    return new


def _create(
    ctx: Context, account: str, owner: Authority | None, active: Authority | None, posting: Authority | None
) -> AccountAuthority:
    assert owner is not None and active is not None and posting is not None, "a new account needs all authorities"
    table = ctx.tables.account_authorities
    return table.insert(
        AccountAuthority(
            id=table.next_id(), account=account, owner=owner, active=active, posting=posting, last_owner_update=0
        )
    )


def _change(
    ctx: Context,
    old: AccountAuthority,
    owner: Authority | None,
    active: Authority | None,
    posting: Authority | None,
) -> AccountAuthority:
    last_owner_update = old.last_owner_update
    if owner is not None:
        last_owner_update = ctx.time
        if ctx.gpo.head_block_number >= ctx.rules.owner_auth_history_from_block:
            _remember_owner(ctx, old)
    return ctx.tables.account_authorities.update(
        old,
        owner=old.owner if owner is None else owner,
        active=old.active if active is None else active,
        posting=old.posting if posting is None else posting,
        last_owner_update=last_owner_update,
    )


def _remember_owner(ctx: Context, old: AccountAuthority) -> None:
    histories = ctx.tables.owner_histories
    histories.insert(
        OwnerAuthorityHistory(
            id=histories.next_id(),
            account=old.account,
            previous_owner_authority=old.owner,
            last_valid_time=ctx.time,
        )
    )


def _find_keys(authorities: AccountAuthority | None) -> set[bytes]:
    if authorities is None:
        return set()
    kinds = (authorities.owner, authorities.active, authorities.posting)
    return {key for authority in kinds for key, _weight in authority.key_auths}


def _update_key_references(ctx: Context, old: AccountAuthority | None, new: AccountAuthority) -> None:
    references = ctx.tables.key_references
    old_keys, new_keys = _find_keys(old), _find_keys(new)
    for key in sorted(old_keys - new_keys):
        references.delete(references.get((key, new.account)))
    for key in sorted(new_keys - old_keys):
        references.insert(KeyReference(key, new.account))
