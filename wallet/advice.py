"""Explanations of a node's errors for users: cause and remedy."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, NamedTuple

from client.durations import describe_seconds
from client.errors import NodeRefused

METHOD_NOT_FOUND: Final = -32002
"""The JSON-RPC code for an unknown method."""


class Advice(NamedTuple):
    """The explanation of an error; names in braces are replaced by the values of the error."""

    cause: str
    remedy: str = ""


def advise(error: NodeRefused) -> NodeRefused:
    """Adds cause and remedy to an error if it is known and has the values; otherwise the node's message is shown."""
    advice = _NOT_OFFERED if error.code == METHOD_NOT_FOUND else ADVICE.get(error.kind)
    if advice is not None:
        said = {"method": error.values.get("api"), **error.values, **error.advice}
        values = {name: _describe_value(value) for name, value in said.items()}
        with suppress(KeyError):
            error.cause, error.remedy = (text.format_map(values) for text in advice)
    error.remedy = describe_credits(error.advice) or error.remedy
    return error


def _describe_value(shown: Any) -> str:
    """Formats a value of an error; an amount as far as possible without the chain's symbols."""
    try:
        amount, precision, nai = abs(int(shown["amount"])), int(shown["precision"]), str(shown["nai"])
    except (KeyError, TypeError, ValueError):
        return str(shown)
    name = {"@@000000021": "STEEM", "@@000000013": "SBD", "@@000000037": "VESTS"}.get(nai, nai)
    if not 0 < precision < 20:
        return f"{amount} {name}"
    whole, part = divmod(amount, 10**precision)
    return f"{whole}.{part:0{precision}d} {name}"


def describe_credits(advice: dict[str, Any]) -> str:
    """Returns the remedy for missing resource credits if the node says how many and how long; else ""."""
    if "rc_missing" not in advice:
        return ""
    seconds = advice.get("seconds_until_enough")
    if isinstance(seconds, int):
        return f"Wait {describe_seconds(seconds)} until they have come back, or power up (`plaudit wallet power-up`)."
    return (
        "The account can never hold as many with the power it has: power up (`plaudit wallet power-up`), or ask "
        "somebody to delegate power to it."
    )


def import_hint(account: str, role: str) -> str:
    """Returns how to import a missing key."""
    return (
        f"Import it with `plaudit wallet keys import --account {account} --role {role}` (asks for the private key), "
        f"or derive it with `plaudit wallet keys password {account}` (asks for the account's password)."
    )


def _missing(role: str) -> Advice:
    return Advice(f"the transaction lacks the {role} authority of {{id}}", import_hint("{id}", role))


_WAIT: Final = "Wait a few seconds and run the command again."
_SHOW: Final = "`plaudit wallet escrow show`."
_SPELLING: Final = "Check the spelling."

_CREDITS: Final = Advice(
    "{account} has {rc_current} resource credits, and {rc_needed} are needed",
    "Wait until they have come back, or power up.",
)
_NOT_OFFERED: Final = Advice(
    "the node does not offer {method}", "Use a node that does: --node URL, or the environment PLAUDIT_NODE."
)

ADVICE: Final[dict[str, Advice]] = {
    "tx_missing_posting_auth": _missing("posting"),
    "tx_missing_active_auth": _missing("active"),
    "tx_missing_owner_auth": _missing("owner"),
    "tx_missing_other_auth": Advice("the transaction lacks an authority that an operation spells out"),
    "tx_irrelevant_sig": Advice(
        "the transaction carries a signature that no operation needs",
        "The account's keys may just have changed: run the command again.",
    ),
    "transaction_expiration_exception": Advice(
        "the transaction had expired when the node looked at it",
        "Run the command again; if it happens again, the node's head block is old (`plaudit wallet status`).",
    ),
    "transaction_tapos_exception": Advice(
        "the block that the transaction refers to is not on the node's chain any more", _WAIT
    ),
    "N5boost10wrapexceptISt12out_of_rangeEE": Advice(
        "the transaction names an account, witness or post that does not exist", "Check the spelling of all names."
    ),
    "funds_missing": Advice(
        "{acc} has {a}, and {r} is needed",
        "Send less, or fund the account first; `plaudit wallet balance {acc}` shows what it has.",
    ),
    "creation_fee_unpayable": Advice(
        "the creator has too little liquid STEEM to pay the account creation fee",
        "Fund the creator, or use --claimed if it has claimed accounts.",
    ),
    "creation_fee_differs": Advice(
        "the account creation fee must be exactly {f}, not {p}",
        "The witnesses may just have changed it: run the command again, the wallet asks the node for the fee.",
    ),
    "transaction_known": Advice(
        "the node already has exactly this transaction",
        "It was sent before: `plaudit wallet history` shows whether it was carried out.",
    ),
    "votes_too_close": Advice("an account may vote once every {every}", _WAIT),
    "posts_too_close": Advice(
        "an account may publish one post every {every}",
        "Wait and run the command again; replies are not held up by this.",
    ),
    "replies_too_close": Advice("an account may reply every {every}", _WAIT),
    "edits_too_close": Advice("an account may edit once {often}", _WAIT),
    "mana_missing": Advice(
        "too little mana is left to {action}",
        "Power up, wait until mana has come back, or use a smaller weight; `plaudit wallet balance` shows mana.",
    ),
    "credits_missing": _CREDITS,
    "plugin_exception": _CREDITS,
    "vote_unchanged": Advice(
        "the post already carries this vote with this weight", "Give another weight to change the vote."
    ),
    "vote_changes_used_up": Advice("the vote on this post was changed as often as is allowed"),
    "vote_missing": Advice("a vote of 0% only takes an existing vote back, and there is none"),
    "votes_not_allowed": Advice("the author does not allow votes on this post"),
    "replies_not_allowed": Advice("the author does not allow replies to this post"),
    "post_has_replies": Advice("a post with replies cannot be deleted"),
    "post_has_votes": Advice("a post with positive votes cannot be deleted"),
    "edit_changes_nothing": Advice("the edit would change nothing", "Give a new title, text or tags."),
    "beneficiary_unknown": Advice("the beneficiary {a} does not exist", _SPELLING),
    "claim_too_large": Advice(
        "less is waiting to be claimed than asked for", "Another claim came first: run the command again."
    ),
    "claim_empty": Advice("there are no rewards to claim"),
    "proxy_is_set": Advice(
        "the account has a proxy that votes for witnesses in its place",
        'Clear it first: `plaudit wallet witness proxy ACCOUNT ""`.',
    ),
    "proxy_unchanged": Advice("the account has this proxy already"),
    "proxy_loop": Advice("the proxy's votes would come back to the account itself"),
    "witness_votes_used_up": Advice("the account votes for as many witnesses as is allowed"),
    "witness_vote_exists": Advice("the account votes for this witness already"),
    "witness_vote_missing": Advice("the account does not vote for this witness"),
    "power_missing": Advice(
        "the account has too little power for this", "`plaudit wallet balance` shows what is free."
    ),
    "delegation_too_small": Advice("a delegation has a least size, and this is less", "Delegate more."),
    "delegation_change_too_small": Advice(
        "the change to the delegation is too small", "Change it by more, or remove it and begin again."
    ),
    "power_down_unchanged": Advice("the power-down would stay exactly as it is"),
    "order_not_filled": Advice("the order cannot be filled whole now, so it was not placed"),
    "order_too_long": Advice("an order lives for at most {longest} from now", "Give another --hours."),
    "order_expired": Advice("an order must expire in the future", "Give another --hours."),
    "price_unknown": Advice(
        "no price of STEEM is known yet, so SBD cannot be converted", "The witnesses have to publish one first."
    ),
    "savings_missing": Advice(
        "the account has less than that in its savings", "`plaudit wallet balance` shows what it has."
    ),
    "savings_withdrawals_used_up": Advice(
        "the account has as many withdrawals from savings on their way as is allowed",
        "Wait for one, or cancel one: `plaudit wallet savings list` shows them.",
    ),
    "escrow_dates_past": Advice(
        "the dates of the escrow have passed already", "Give later --approve-until and --expires."
    ),
    "escrow_dates_crossed": Advice("the escrow would expire before its approval ends", "Give a later --expires."),
    "escrow_agent_is_party": Advice("the agent must be neither the payer nor the receiver"),
    "escrow_approved": Advice("{by} has approved this escrow already"),
    "escrow_approval_over": Advice("the time to approve this escrow is over", "Make a new one."),
    "escrow_expired": Advice("the escrow has expired; either side may release"),
    "escrow_disputed": Advice("the escrow is under dispute already", "The agent decides now."),
    "escrow_not_approved": Advice("the receiver and the agent have not both approved this escrow yet", _SHOW),
    "escrow_balance_exceeded": Advice("the escrow holds less than that", _SHOW),
    "escrow_only_agent_releases": Advice("the escrow is under dispute: only its agent {a} may release"),
    "escrow_only_parties_release": Advice("without a dispute only {f} and {t} may release this escrow"),
    "escrow_only_to_other_side": Advice(
        "before it expires each side may release only to the other one", "Name the other side with --to."
    ),
    "recovery_partner_differs": Advice(
        "only the account's recovery account may do this", "`plaudit wallet recover show` says which it is."
    ),
    "recovery_request_missing": Advice(
        "there is no open request to recover this account", "Its recovery account makes one, for a short time."
    ),
    "recovery_owner_differs": Advice("the request names another new owner key"),
    "recovery_owner_not_recent": Advice("the old owner key was not valid lately, so it proves nothing"),
    "owner_changes_too_close": Advice(
        "the owner key was changed within the last {pause}", "Wait and run the command again."
    ),
    "voting_rights_declined": Advice("the account has given its voting rights up for good"),
    "proposal_dates_past": Advice(
        "a proposal must end in the future and after its start", "Give another --start or --end."
    ),
    "proposal_post_foreign": Advice(
        "the post that explains a proposal must be by its creator or receiver", "Publish it first."
    ),
    "proposal_receiver_unknown": Advice("there is no account {r}", _SPELLING),
    "claimed_accounts_missing": Advice("{creator} has no claimed accounts", "Create without --claimed."),
    "operation_not_enabled": Advice("the operation {name} is not enabled on this chain"),
    "authorities_mixed": Advice(
        "a transaction may not mix posting operations with those that need active or owner authority"
    ),
    "transaction_unknown": Advice(
        "the node knows no transaction {t}", "If it was sent just now, ask again after the next block."
    ),
}
"""By the name of the rule (`ProtocolError.named`), or by the reference's name of the kind of error."""
