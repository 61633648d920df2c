"""A node's error becomes a cause and a remedy; none that is unknown gets lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.errors import NodeRefused, strip_assertion
from protocol.errors import (
    IrrelevantSignature,
    MissingActiveAuthority,
    MissingOtherAuthority,
    MissingOwnerAuthority,
    MissingPostingAuthority,
    ProtocolError,
    Rejected,
    TransactionExpired,
    TransactionTapos,
    UnknownKey,
)
from rpc.errors import METHOD_NOT_FOUND, SERVER_ERROR, assert_error, to_rpc_error
from wallet.advice import ADVICE, advise
from wallet.failures import describe_failure

ROOT = Path(__file__).resolve().parents[2]
STEEM = {"precision": 3, "nai": "@@000000021"}


def broken(rule: str, /, **figures: str) -> Callable[..., ProtocolError]:
    """A refusal with a name, as a rule raises it."""
    return lambda **values: Rejected("a >= b", "some text", **values).named(rule, **figures)


def meet(error: ProtocolError) -> NodeRefused:
    """What the wallet says of an error when a node has sent it."""
    sent = to_rpc_error(error, SERVER_ERROR, "test").to_json()
    return advise(NodeRefused(sent["code"], sent["message"], sent["data"]))


@pytest.mark.parametrize(
    ("error", "cause", "remedy"),
    [
        (
            broken("funds_missing")(acc="alice", r={"amount": "-5000", **STEEM}, a={"amount": "1000", **STEEM}),
            "alice has 1.000 STEEM, and 5.000 STEEM is needed",
            "balance alice",
        ),
        (
            broken("creation_fee_differs")(p={"amount": "1", **STEEM}, f={"amount": "3000", **STEEM}),
            "must be exactly 3.000 STEEM, not 0.001 STEEM",
            "run the command again",
        ),
        (
            MissingPostingAuthority("", "Missing Posting Authority ${id}", id="alice"),
            "lacks the posting authority of alice",
            "keys import --account alice --role posting",
        ),
        (MissingActiveAuthority("", "", id="bob"), "active authority of bob", "keys password"),
        (MissingOwnerAuthority("", "", id="bob"), "owner authority of bob", "keys password"),
        (MissingOtherAuthority("", ""), "spells out", ""),
        (IrrelevantSignature("", "Unnecessary signature(s) detected"), "no operation needs", "again"),
        (broken("transaction_known")(), "already has exactly this", "history"),
        (TransactionExpired("", ""), "had expired", "status"),
        (TransactionTapos("", ""), "not on the node's chain", "again"),
        (broken("votes_too_close", every="3 seconds")(), "once every 3 seconds", "Wait"),
        (broken("posts_too_close", every="5 minutes")(), "one post every 5 minutes", "Wait"),
        (broken("replies_too_close", every="1 minute")(), "reply every 1 minute", "Wait"),
        (broken("edits_too_close", often="every 9 seconds")(), "once every 9 seconds", ""),
        (broken("mana_missing", action="downvote")(), "mana is left to downvote", "Power"),
        (
            broken("credits_missing")(account="alice", rc_current=5, rc_needed=1000),
            "alice has 5 resource credits, and 1000 are needed",
            "power up",
        ),
        (UnknownKey(name="nobody"), "does not exist", "spelling"),
        (broken("operation_not_enabled")(name="escrow_transfer"), "escrow_transfer", ""),
        (broken("order_not_filled")(), "cannot be filled whole", ""),
        (broken("order_expired")(), "in the future", "--hours"),
        (broken("order_too_long", longest="28 days")(), "at most 28 days", "--hours"),
        (broken("owner_changes_too_close", pause="2 days")(), "last 2 days", "again"),
        (broken("owner_changes_too_close", pause="hour")(), "within the last hour", "again"),
        (broken("price_unknown")(), "no price of STEEM", "witnesses"),
        (broken("savings_withdrawals_used_up")(), "as many withdrawals", "savings list"),
        (broken("escrow_dates_past")(), "have passed already", "--expires"),
        (broken("escrow_not_approved")(), "not both approved", "escrow show"),
        (broken("escrow_only_parties_release")(f="alice", t="bob"), "only alice and bob may release", ""),
        (broken("recovery_owner_not_recent")(), "not valid lately", ""),
        (broken("voting_rights_declined")(), "for good", ""),
        (broken("proposal_post_foreign")(), "must be by its creator or receiver", "Publish"),
        (broken("authorities_mixed")(), "may not mix", ""),
    ],
)
def test_known_errors_have_a_cause_and_a_remedy(error: ProtocolError, cause: str, remedy: str) -> None:
    found = meet(error)
    assert cause in found.cause
    assert remedy in found.remedy
    assert "?" not in found.cause + found.remedy


def test_what_a_node_does_not_offer_is_named() -> None:
    sent = assert_error(METHOD_NOT_FOUND, "x", "Could not find API ${api}", "find_api_method", api="plaudit_api")
    found = advise(NodeRefused(sent.code, sent.message, sent.data))
    assert "does not offer plaudit_api" in found.cause
    assert "--node" in found.remedy


def test_the_wallet_knows_every_rule_that_has_a_name_and_no_other() -> None:
    packages = ("protocol", "state", "consensus", "rewards", "operations", "chain", "rpc")
    text = "".join(file.read_text(encoding="utf-8") for name in packages for file in (ROOT / name).rglob("*.py"))
    rules = set(re.findall(r'\.named\(\s*"(\w+)"', text))
    assert len(rules) > 50
    kinds: list[type[ProtocolError]] = [Rejected, *_list_kinds(ProtocolError)]
    assert set(ADVICE) - {kind.name for kind in kinds} == rules


def _list_kinds(kind: type[ProtocolError]) -> Iterator[type[ProtocolError]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from _list_kinds(inner)


def test_a_node_of_the_reference_names_the_kind_of_an_error_only() -> None:
    data = {"code": 3030000, "name": "tx_missing_posting_auth", "stack": [{"data": {"id": "alice"}}]}
    assert "lacks the posting authority of alice" in advise(NodeRefused(-32000, "a:b", data)).cause
    assert advise(NodeRefused(-32000, "a:b", {**data, "stack": []})).cause == "the node refused: b"


def test_an_unknown_error_is_shown_as_the_node_said_it() -> None:
    error = advise(NodeRefused(-32000, "Assert Exception:a.b == c: Something that nobody foresaw", {"code": 10}))
    assert error.cause == "the node refused: Something that nobody foresaw"
    assert error.node_message.startswith("Assert Exception")


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("Assert Exception:a: b", "b"),
        ("Assert Exception:a.size() > 0: ", "a.size() > 0"),
        ("plain", "plain"),
        ("Bad Cast:no", "no"),
        ("blockchain exception:", "blockchain exception"),
    ],
)
def test_the_expression_is_left_out_where_there_is_a_sentence(message: str, sentence: str) -> None:
    assert strip_assertion(message) == sentence


def test_an_answer_that_nobody_expected_is_not_blamed_on_the_wallet_alone() -> None:
    failure = describe_failure(KeyError("time"))
    assert "KeyError: 'time'" in str(failure)
    assert "The node's response is invalid" in failure.remedy
