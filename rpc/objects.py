"""Rows of the state as the JSON objects of the API, in the reference's order of fields.

Every object exists in two forms that differ in how amounts are written: `legacy` ("1.000 STEEM", condenser_api) and
the numeric asset identifier form (all other APIs). Both are derived from the kinds of the row's fields. This module has
the exceptions: hidden fields, fields joined from other rows, and fields of one form only.

Source: libraries/plugins/apis/database_api/database_api_objects.hpp and condenser_api.hpp of the reference.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from protocol.assets import SBD, STEEM, VESTS, Asset, Price, multiply
from protocol.codec import codec_for
from protocol.composites import Field, Structure
from protocol.identity import ChainIdentity
from protocol.keys import encode_public_key
from protocol.times import time_text
from protocol.types import Authority, ChainProperties
from protocol.units import BASIS_POINTS
from state.context import Context
from state.engine.rows import Row, list_fields
from state.mana import compute_effective_vesting_shares
from state.tables.accounts import Account, AccountAuthority, AccountMetadata, Manabar
from state.tables.content import Comment, CommentContent, CommentVote
from state.tables.globals import GlobalProperties
from state.tables.market import LimitOrder
from state.tables.proposals import Proposal, ProposalVote
from state.tables.tables import Tables
from state.tables.witnesses import RdParams, Witness, WitnessSchedule

Json = dict[str, Any]

JSON_NUMBER_MAX = 0xFFFFFFFF

HIDDEN: Final[dict[type[Row], set[str]]] = {
    AccountAuthority: {"id", "account"},
    AccountMetadata: {"id", "account"},
    Comment: {"root_comment", "beneficiary_payout_value"},
    CommentContent: {"id", "comment"},
    CommentVote: {"voter_id", "comment"},
    Proposal: {"removed"},
    ProposalVote: {"proposal_id"},
    Witness: {"schedule"},
}
"""Hidden fields: internal ones of the node, and those shown by an object that joins the row."""

HIDDEN_LEGACY: Final[dict[type[Row], set[str]]] = {
    Account: {"last_post_edit"},
    GlobalProperties: {"id", "smt_creation_fee"},
}
"""Fields hidden in the legacy form."""

JOINED: Final[dict[str, tuple[str, ...]]] = {
    "name": ("owner", "active", "posting"),
    "memo_key": ("json_metadata", "posting_json_metadata"),
    "proxy": ("last_owner_update",),
    "recovery_account": ("last_account_recovery",),
    "downvote_manabar": ("voting_power",),
    "withdraw_routes": ("curation_rewards", "posting_rewards"),
}
"""Fields of an account's object that are inserted after a field, from other rows or another position."""


def big(value: int) -> int | str:
    """Returns an integer as the reference prints it: a string above 32 bits."""
    return value if value <= JSON_NUMBER_MAX else str(value)


class ObjectForms:
    """Converts rows to API objects in one of the two forms, with one chain's symbols and key prefix."""

    def __init__(self, identity: ChainIdentity, legacy: bool) -> None:
        self.legacy = legacy
        self.prefix = identity.address_prefix
        self._codec = codec_for(identity)
        show = self._codec.generator.show
        self.asset: Callable[[tuple[int, int]], Any] = self._show_part(Asset)
        self.price: Callable[[Price], Json] = self._show_part(Price)
        """A price: what `base` costs in `quote`."""
        self.authority: Callable[[Authority], Json] = self._show_part(Authority)
        self.chain_properties: Callable[[ChainProperties], Json] = self._show_part(ChainProperties)
        """The properties witnesses vote for."""
        self._rows: dict[type[Row], Callable[[Any], Json]] = {
            spec.row: show(self.describe(spec.row), legacy) for spec in Tables.SPECS
        }

    def _show_part(self, kind: Any) -> Callable[[Any], Any]:
        return self._codec.generator.show(self._codec.shape(kind), self.legacy)

    def describe(self, row: type[Row]) -> Structure:
        """Returns the shown fields of a row, with forms and JSON schema; raises TypeError for an unknown kind."""
        hidden = HIDDEN.get(row, set()) | (HIDDEN_LEGACY.get(row, set()) if self.legacy else set())
        kinds = list_fields(row)
        unknown = hidden - kinds.keys()
        if unknown:
            raise TypeError(f"{row.__name__} has no fields {sorted(unknown)} to hide")
        fields = [
            Field(name, name.removesuffix("_"), self._codec.shape(kind), None, False, "")
            for name, kind in kinds.items()
            if name not in hidden
        ]
        return Structure(row, tuple(fields))

    # Parts

    def steem(self, amount: int) -> Any:
        """An amount of STEEM."""
        return self.asset((amount, STEEM))

    def sbd(self, amount: int) -> Any:
        """An amount of SBD."""
        return self.asset((amount, SBD))

    def vests(self, amount: int) -> Any:
        """An amount of VESTS."""
        return self.asset((amount, VESTS))

    def key(self, key: bytes) -> str:
        """A public key as text."""
        return encode_public_key(key, self.prefix)

    # Objects

    def show(self, row: Row) -> Json:
        """Returns the object of a row without joins."""
        return self._rows[type(row)](row)

    def global_properties(self, gpo: GlobalProperties, irreversible_number: int) -> Json:
        """The dynamic global properties.

        The last irreversible block is a parameter, since the node may know a newer one than the state at the head
        (after a start from a snapshot, or a reorg).
        """
        return self.show(gpo) | {"last_irreversible_block_num": irreversible_number}

    def account(self, ctx: Context, account: Account) -> Json:
        """An account with its authorities and texts; `voting_power` is legacy, `is_smt` in the other form."""
        name = account.name
        own = self.show(account)
        parts = own | self.show(ctx.tables.account_authorities.get(name))
        texts = ctx.tables.account_metadata.find(name)
        parts |= self.show(texts) if texts else {"json_metadata": "", "posting_json_metadata": ""}
        if self.legacy:
            parts["voting_power"] = compute_voting_power(account, ctx.rules.voting_mana_regeneration_seconds)
        moved = {field for fields in JOINED.values() for field in fields}
        result: Json = {}
        for field, value in own.items():
            if field not in moved:
                result[field] = value
            for other in JOINED.get(field, ()):
                if other in parts:
                    result[other] = parts[other]
        return result if self.legacy else result | {"is_smt": False}

    def comment(self, ctx: Context, comment: Comment) -> Json:
        """A post or reply with its texts."""
        root = ctx.tables.comments.find(comment.root_comment)
        texts = self.show(ctx.tables.comment_contents.get(comment.id))
        roots = {"root_author": root.author if root else "", "root_permlink": root.permlink if root else ""}
        return insert(insert(self.show(comment), "parent_permlink", texts), "net_votes", roots)

    def witness_schedule(self, schedule: WitnessSchedule) -> Json:
        """The round's witnesses and medians."""
        pools = ("account_subsidy_rd", "account_subsidy_witness_rd")
        return self.show(schedule) | {name: rd_params(getattr(schedule, name)) for name in pools}

    def limit_order(self, order: LimitOrder) -> Json:
        """An open order; the legacy form adds the price as a number and `rewarded`."""
        more = {"real_price": float_text(real_price(order.sell_price)), "rewarded": False} if self.legacy else {}
        return self.show(order) | more

    def market_order(self, order: LimitOrder, price: float) -> Json:
        """An open order of the market of STEEM and SBD as an order book shows it, at the given price."""
        selling = order.sell_price.base.symbol
        receives = multiply(Asset(order.for_sale, selling), order.sell_price).amount
        steem, sbd = (order.for_sale, receives) if selling == STEEM else (receives, order.for_sale)
        return {
            "order_price": self.price(order.sell_price),
            "real_price": float_text(price),
            "steem": big(steem),
            "sbd": big(sbd),
            "created": time_text(order.created),
        }

    def proposal(self, row: Proposal, now: int) -> Json:
        """A proposal; the status at time `now` is not in the legacy form."""
        return self.show(row) | ({} if self.legacy else {"status": proposal_status(row, now)})

    def proposal_vote(self, row: ProposalVote, proposal: Json) -> Json:
        """An account's approval of a proposal."""
        return self.show(row) | {"proposal": proposal}

    def comment_vote(self, row: CommentVote, comment: Comment) -> Json:
        """A vote on a post (database_api)."""
        return insert(self.show(row), "voter", {"author": comment.author, "permlink": comment.permlink})

    def active_vote(self, ctx: Context, row: CommentVote) -> Json:
        """A vote on a post with the voter's reputation (condenser_api)."""
        shown = self.show(row)
        reputation = ctx.tables.reputations.find(row.voter)
        return {
            "voter": shown["voter"],
            "weight": shown["weight"],
            "rshares": shown["rshares"],
            "percent": shown["vote_percent"],
            "reputation": big(reputation.reputation if reputation else 0),
            "time": shown["last_update"],
        }


def insert(shown: Json, field: str, more: Json) -> Json:
    """Returns an object with further members inserted after a field."""
    result: Json = {}
    for name, value in shown.items():
        result[name] = value
        if name == field:
            result |= more
    return result


# Parts without amounts, the same in both forms.


def manabar(bar: Manabar) -> Json:
    """A mana bar."""
    return {"current_mana": big(bar.current_mana), "last_update_time": bar.last_update_time}


def rd_params(params: RdParams) -> Json:
    """The parameters of a regenerating pool, two of which are in a nested object as in the reference."""
    return {
        "resource_unit": params.resource_unit,
        "budget_per_time_unit": params.budget_per_time_unit,
        "pool_eq": big(params.pool_eq),
        "max_pool_size": big(params.max_pool_size),
        "decay_params": {
            "decay_per_time_unit": params.decay_per_time_unit,
            "decay_per_time_unit_denom_shift": params.decay_per_time_unit_denom_shift,
        },
        "min_decay": params.min_decay,
    }


def compute_voting_power(account: Account, regeneration_seconds: int) -> int:
    """Returns the voting power in basis points at the time of the last vote, as shown before mana was introduced.

    Source: condenser_api.cpp, api_account_object::_compute_voting_power.
    """
    vests = compute_effective_vesting_shares(account)
    if vests <= 0:
        return 0
    elapsed = max(0, account.voting_manabar.last_update_time - account.last_vote_time)
    regenerated = BASIS_POINTS * elapsed // regeneration_seconds
    power = min(BASIS_POINTS, BASIS_POINTS * account.voting_manabar.current_mana // vests)
    return power - min(power, regenerated)


@lru_cache(maxsize=64)
def forms_for(identity: ChainIdentity, legacy: bool) -> ObjectForms:
    """The forms of a chain; the same object for equal identities, since all APIs of a node use them."""
    return ObjectForms(identity, legacy)


def real_price(price: Price) -> float:
    """SBD per STEEM as a floating point number, for display only."""
    if price.base.symbol == STEEM:
        return price.quote.amount / price.base.amount
    return price.base.amount / price.quote.amount


def float_text(value: float) -> str:
    """A floating point number as the reference prints it."""
    return f"{value:.17f}"


def proposal_status(row: Proposal, now: int) -> str:
    """Returns the status of a proposal at time `now`."""
    if now < row.start_date:
        return "inactive"
    return "active" if now <= row.end_date else "expired"
