"""What the wallet tells people when a node refuses: the cause, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from client.durations import describe_seconds
from client.errors import NodeRefused, strip_assertion


class Reason(NamedTuple):
    """A node's error in words for people."""

    cause: str
    remedy: str = ""


def explain(message: str) -> Reason:
    """Turns the message of a node's error into cause and remedy; an unknown one is shown as it is."""
    for pattern, make in _REASONS:
        match = pattern.search(message)
        if match is not None:
            return make(match)
    return Reason(f"the node refused: {strip_assertion(message)}")


def read_advice(advice: dict[str, Any]) -> str:
    """What to do when resource credits are missing, as far as the node says how many and how long; else ""."""
    if "rc_missing" not in advice:
        return ""
    seconds = advice.get("seconds_until_enough")
    if isinstance(seconds, int):
        return f"Wait {describe_seconds(seconds)} until they have come back, or power up (`plaudit wallet power-up`)."
    return (
        "The account can never hold as many with the power it has: power up (`plaudit wallet power-up`), or ask "
        "somebody to delegate power to it."
    )


def advise(error: NodeRefused) -> NodeRefused:
    """Gives a node's refusal the cause and the remedy in words for people."""
    reason = explain(error.node_message)
    error.cause, error.remedy = reason.cause, read_advice(error.advice) or reason.remedy
    return error


def import_hint(account: str, role: str) -> str:
    """How a missing key comes into the wallet."""
    return (
        f"Import it with `plaudit wallet keys import --account {account} --role {role}` (asks for the private key), "
        f"or derive it with `plaudit wallet keys password {account}` (asks for the account's password)."
    )


def _missing(role: str) -> Callable[[re.Match[str]], Reason]:
    def make(match: re.Match[str]) -> Reason:
        account = match[1]
        return Reason(f"the transaction lacks the {role} authority of {account}", import_hint(account, role))

    return make


def _asset(text: str) -> str:
    """An amount of an error message for people, as far as it can be read without knowing the chain's symbols."""
    match = re.search(r'"amount":"?(-?\d+)"?,"precision":(\d+),"nai":"([^"]+)"', text)
    if match is None:
        return text
    amount, precision, nai = abs(int(match[1])), int(match[2]), match[3]
    name = {"@@000000021": "STEEM", "@@000000013": "SBD", "@@000000037": "VESTS"}.get(nai, nai)
    whole, part = divmod(amount, 10**precision)
    return f"{whole}.{part:0{precision}d} {name}" if precision else f"{whole} {name}"


def _insufficient(match: re.Match[str]) -> Reason:
    name, required, available = match[1], _asset(match[2]), _asset(match[3])
    return Reason(
        f"{name} has {available}, and {required} is needed",
        f"Send less, or fund the account first; `plaudit wallet balance {name}` shows what it has.",
    )


def _creation_fee(match: re.Match[str]) -> Reason:
    return Reason(
        f"the account creation fee must be exactly {_asset(match[2])}, not {_asset(match[1])}",
        "The witnesses may just have changed it: run the command again, the wallet asks the node for the fee.",
    )


def _plain(cause: str, remedy: str = "") -> Callable[[re.Match[str]], Reason]:
    def make(match: re.Match[str]) -> Reason:
        groups = {str(number): value for number, value in enumerate(match.groups(), 1)}
        return Reason(cause.format(**{f"g{key}": value for key, value in groups.items()}), remedy)

    return make


_WAIT = "Wait a few seconds and run the command again."
_POWER = "Power up, wait until mana has come back, or use a smaller weight; `plaudit wallet balance` shows mana."

_TABLE: tuple[tuple[str, Callable[[re.Match[str]], Reason]], ...] = (
    (r"Missing Posting Authority (\S+)", _missing("posting")),
    (r"Missing Active Authority (\S+)", _missing("active")),
    (r"Missing Owner Authority (\S+)", _missing("owner")),
    (r"missing required other authority", _plain("the transaction lacks an authority that an operation spells out")),
    (
        r"irrelevant signature included",
        _plain(
            "the transaction carries a signature that no operation needs",
            "The account's keys may just have changed: run the command again.",
        ),
    ),
    (
        r"Account (\S+) does not have sufficient funds for balance adjustment\. "
        r"Required: (\{.*?\}|[^,]+), Available: (\{.*?\}|.+)",
        _insufficient,
    ),
    (
        r"Insufficient balance to create account",
        _plain(
            "the creator has too little liquid STEEM to pay the account creation fee",
            "Fund the creator, or use --claimed if it has claimed accounts.",
        ),
    ),
    (r"Must pay the exact account creation fee\. paid: (\{.*?\}|\S+ \S+) fee: (\{.*?\}|.+)", _creation_fee),
    (
        r"Duplicate transaction check failed",
        _plain(
            "the node already has exactly this transaction",
            "It was sent before: `plaudit wallet history` shows whether it was carried out.",
        ),
    ),
    (
        r"transaction expiration exception",
        _plain(
            "the transaction had expired when the node looked at it",
            "Run the command again; if it happens again, the node's head block is old (`plaudit wallet status`).",
        ),
    ),
    (
        r"transaction tapos exception",
        _plain("the block that the transaction refers to is not on the node's chain any more", _WAIT),
    ),
    (r"Can only vote once every (\d+ \w+)", _plain("an account may vote once every {g1}", _WAIT)),
    (
        r"You may only post once every (\d+ \w+)",
        _plain(
            "an account may publish one post every {g1}",
            "Wait and run the command again; replies are not held up by this.",
        ),
    ),
    (r"You may only comment once every (\d+ \w+)", _plain("an account may reply every {g1}", _WAIT)),
    (r"Can only perform one comment edit (per block|every \d+ \w+)", _plain("an account may edit once {g1}", _WAIT)),
    (r"Account does not have enough mana to (vote|downvote)", _plain("too little mana is left to {g1}", _POWER)),
    (
        r"plugin exception:Account: (\S+) has (\d+) RC, needs (\d+) RC",
        _plain("{g1} has {g2} resource credits, and {g3} are needed", "Wait until they have come back, or power up."),
    ),
    (
        r"Your current vote on this comment is identical to this vote",
        _plain("the post already carries this vote with this weight", "Give another weight to change the vote."),
    ),
    (
        r"Voter has used the maximum number of vote changes",
        _plain("the vote on this post was changed as often as is allowed"),
    ),
    (r"Vote weight cannot be 0", _plain("a vote of 0% only takes an existing vote back, and there is none")),
    (r"Votes are not allowed on the comment", _plain("the author does not allow votes on this post")),
    (r"The parent comment has disabled replies", _plain("the author does not allow replies to this post")),
    (r"Cannot delete a comment with replies", _plain("a post with replies cannot be deleted")),
    (r"Cannot delete a comment with net positive votes", _plain("a post with positive votes cannot be deleted")),
    (
        r"Cannot update comment because nothing appears to be changing",
        _plain("the edit would change nothing", "Give a new title, text or tags."),
    ),
    (r'Beneficiary "([^"]+)" must exist', _plain("the beneficiary {g1} does not exist", "Check the spelling.")),
    (
        r"Cannot claim that much",
        _plain("less is waiting to be claimed than asked for", "Another claim came first: run the command again."),
    ),
    (r"Must claim something", _plain("there are no rewards to claim")),
    (
        r"A proxy is currently set",
        _plain(
            "the account has a proxy that votes for witnesses in its place",
            'Clear it first: `plaudit wallet witness proxy ACCOUNT ""`.',
        ),
    ),
    (r"Proxy must change", _plain("the account has this proxy already")),
    (r"This proxy would create a proxy loop", _plain("the proxy's votes would come back to the account itself")),
    (r"Account has voted for too many witnesses", _plain("the account votes for as many witnesses as is allowed")),
    (r"Vote currently exists", _plain("the account votes for this witness already")),
    (r"Vote doesn't exist", _plain("the account does not vote for this witness")),
    (
        r"does not have (?:enough|sufficient) (.*?) ?(?:to delegate|for withdraw)",
        _plain("the account has too little power for this", "`plaudit wallet balance` shows what is free."),
    ),
    (
        r"Account must delegate a minimum of",
        _plain("a delegation has a least size, and this is less", "Delegate more."),
    ),
    (
        r"is not enough of a difference",
        _plain("the change to the delegation is too small", "Change it by more, or remove it and begin again."),
    ),
    (
        r"This operation would not change the vesting withdraw rate",
        _plain("the power-down would stay exactly as it is"),
    ),
    (
        r"Cancelling order because it was not filled",
        _plain("the order cannot be filled whole now, so it was not placed"),
    ),
    (
        r"Limit Order Expiration must not be more than (\d+ \w+)",
        _plain("an order lives for at most {g1} from now", "Give another --hours."),
    ),
    (
        r"Limit order has to expire after head block time",
        _plain("an order must expire in the future", "Give another --hours."),
    ),
    (
        r"Cannot convert SBD because there is no price feed",
        _plain(
            "no price of STEEM is known yet, so SBD cannot be converted", "The witnesses have to publish one first."
        ),
    ),
    (
        r"_db\.get_savings_balance\( from, op\.amount\.symbol \) >= op\.amount",
        _plain("the account has less than that in its savings", "`plaudit wallet balance` shows what it has."),
    ),
    (
        r"Account has reached limit for pending withdraw requests",
        _plain(
            "the account has as many withdrawals from savings on their way as is allowed",
            "Wait for one, or cancel one: `plaudit wallet savings list` shows them.",
        ),
    ),
    (
        r"The esc\w+ ratification deadline must be after|The escrow expiration must be after",
        _plain("the dates of the escrow have passed already", "Give later --approve-until and --expires."),
    ),
    (
        r"ratification deadline must be before escrow expiration",
        _plain("the escrow would expire before its approval ends", "Give a later --expires."),
    ),
    (r"agent must be a third party", _plain("the agent must be neither the payer nor the receiver")),
    (r"Account '(?:to|agent)' \((\S+)\) has already approved", _plain("{g1} has approved this escrow already")),
    (
        r"The escrow ratification deadline has passed",
        _plain("the time to approve this escrow is over", "Make a new one."),
    ),
    (r"Disputing the escrow must happen before expiration", _plain("the escrow has expired; either side may release")),
    (r"The escrow is already under dispute", _plain("the escrow is under dispute already", "The agent decides now.")),
    (
        r"must be approved by all parties before a dispute|Funds cannot be released prior to escrow approval",
        _plain("the receiver and the agent have not both approved this escrow yet", "`plaudit wallet escrow show`."),
    ),
    (
        r"Release amount exceeds escrow balance",
        _plain("the escrow holds less than that", "`plaudit wallet escrow show`."),
    ),
    (r"Only 'agent' \((\S+)\) can release", _plain("the escrow is under dispute: only its agent {g1} may release")),
    (
        r"Only 'from' \((\S+)\) and 'to' \((\S+)\) can release",
        _plain("without a dispute only {g1} and {g2} may release this escrow"),
    ),
    (
        r"Only '(?:from|to)' \((\S+)\) can release funds to",
        _plain("before it expires each side may release only to the other one", "Name the other side with --to."),
    ),
    (
        r"Cannot recover an account that does not have you as there recovery partner|"
        r"Top witness must recover an account with no recovery partner",
        _plain("only the account's recovery account may do this", "`plaudit wallet recover show` says which it is."),
    ),
    (
        r"There are no active recovery requests",
        _plain("there is no open request to recover this account", "Its recovery account makes one, for a short time."),
    ),
    (r"New owner authority does not match recovery request", _plain("the request names another new owner key")),
    (
        r"Recent authority not found in authority history",
        _plain("the old owner key was not valid lately, so it proves nothing"),
    ),
    (
        r"Owner authority can only be updated (?:once an|once every) (\d* ?\w+)",
        _plain("the owner key was changed within the last {g1}", "Wait and run the command again."),
    ),
    (
        r"declined (?:its|their) voting rights|declined the ability to vote",
        _plain("the account has given its voting rights up for good"),
    ),
    (
        r"Can't create inactive proposals|end date must be greater than start date",
        _plain("a proposal must end in the future and after its start", "Give another --start or --end."),
    ),
    (
        r"Proposal permlink must point to",
        _plain("the post that explains a proposal must be by its creator or receiver", "Publish it first."),
    ),
    (
        r"Specified receiver account: (\S+) must exist",
        _plain("there is no account {g1}", "Check the spelling."),
    ),
    (r"(\S+) has no claimed accounts to create", _plain("{g1} has no claimed accounts", "Create without --claimed.")),
    (
        r"(\w+)_operation is not enabled on this chain",
        _plain("the operation {g1} is not enabled on this chain"),
    ),
    (
        r"out_of_range.*unknown key|^unknown key|unknown key:",
        _plain(
            "the transaction names an account, witness or post that does not exist",
            "Check the spelling of all names.",
        ),
    ),
    (
        r"required_active\.size\(\) == 0",
        _plain("a transaction may not mix posting operations with those that need active or owner authority"),
    ),
    (
        r"Unknown Transaction (\w+)",
        _plain("the node knows no transaction {g1}", "If it was sent just now, ask again after the next block."),
    ),
    (
        r"Could not find (?:API|method) (\S+)",
        _plain("the node does not offer {g1}", "Use a node that does: --node URL, or the environment PLAUDIT_NODE."),
    ),
)

_REASONS = tuple((re.compile(pattern), make) for pattern, make in _TABLE)
