"""A cache of accounts as JSON, invalidated when a row that went into them changes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from rpc.json_bytes import dump_json
from rpc.objects import Json
from state.context import Context
from state.tables.accounts import Account

ACCOUNTS_KEPT = 8192


class _Kept(NamedTuple):
    """A cached JSON with the rows it was made of, which are referenced so that their identities are not reused."""

    account: Account
    authority: Any
    metadata: Any
    reputation: Any
    rules: Any
    json: Any


class AccountJson:
    """Returns accounts as JSON fragments, in one form.

    Rows are immutable, so the cached JSON is valid while all rows are the same objects. Witness votes need no row here,
    because every vote also changes the account's count of votes.
    """

    def __init__(self, ctx: Context, show: Callable[[Account], Json]) -> None:
        self._ctx = ctx
        self._show = show
        self._kept: dict[str, _Kept] = {}

    def find(self, name: str) -> Any:
        """The JSON of the account of this name, or None."""
        account = self._ctx.tables.accounts.find(name)
        return None if account is None else self.show(account)

    def show(self, account: Account) -> Any:
        """The JSON of an account."""
        tables = self._ctx.tables
        name = account.name
        authority = tables.account_authorities.find(name)
        metadata = tables.account_metadata.find(name)
        reputation = tables.reputations.find(name)
        kept = self._kept.get(name)
        if (
            kept is not None
            and kept.account is account
            and kept.authority is authority
            and kept.metadata is metadata
            and kept.reputation is reputation
            and kept.rules is self._ctx.rules
        ):
            return kept.json
        json = orjson.Fragment(dump_json(self._show(account)))
        if name not in self._kept and len(self._kept) >= ACCOUNTS_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = _Kept(account, authority, metadata, reputation, self._ctx.rules, json)
        return json
