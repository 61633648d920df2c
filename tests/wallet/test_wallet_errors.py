"""A node's error becomes a cause and a remedy; none that is unknown gets lost."""

from __future__ import annotations

import pytest

from client.errors import NodeRefused, strip_assertion
from wallet.advice import explain
from wallet.failures import describe_failure

FUNDS = (
    "Assert Exception:available >= -delta: Account alice does not have sufficient funds for balance adjustment. "
    'Required: {"amount":"-5000","precision":3,"nai":"@@000000021"}, '
    'Available: {"amount":"1000","precision":3,"nai":"@@000000021"}'
)
FEE = (
    "Assert Exception:o.fee == wso.median_props.account_creation_fee: Must pay the exact account creation fee. "
    'paid: {"amount":"1","precision":3,"nai":"@@000000021"} fee: {"amount":"3000","precision":3,"nai":"@@000000021"}'
)


@pytest.mark.parametrize(
    ("message", "cause", "remedy"),
    [
        (FUNDS, "alice has 1.000 STEEM, and 5.000 STEEM is needed", "balance alice"),
        (FEE, "must be exactly 3.000 STEEM, not 0.001 STEEM", "run the command again"),
        (
            "missing required posting authority:Missing Posting Authority alice",
            "lacks the posting authority of alice",
            "keys import --account alice --role posting",
        ),
        ("missing required active authority:Missing Active Authority bob", "active authority of bob", "keys password"),
        ("missing required owner authority:Missing Owner Authority bob", "owner authority of bob", "keys password"),
        ("irrelevant signature included:Unnecessary signature(s) detected", "no operation needs", "again"),
        ("Assert Exception:x == end(): Duplicate transaction check failed", "already has exactly this", "history"),
        ("transaction expiration exception:", "had expired", "status"),
        ("transaction tapos exception:", "not on the node's chain", "again"),
        ("Assert Exception:a >= b: Can only vote once every 3 seconds.", "once every 3 seconds", "Wait"),
        ("Assert Exception:a > b: You may only post once every 5 minutes.", "every 5 minutes", "Wait"),
        ("Assert Exception:a >= b: You may only comment once every 3 seconds.", "every 3 seconds", "Wait"),
        (
            "Assert Exception:a: Account does not have enough mana to downvote. x: 1",
            "mana is left to downvote",
            "Power",
        ),
        (
            "plugin exception:Account: alice has 5 RC, needs 1000 RC. Please wait to transact, or power up STEEM.",
            "alice has 5 resource credits, and 1000 are needed",
            "power up",
        ),
        ("unknown key:unknown key:", "does not exist", "spelling"),
        ("Assert Exception:false: escrow_transfer_operation is not enabled on this chain.", "escrow_transfer", ""),
        ("Assert Exception:filled: Cancelling order because it was not filled.", "cannot be filled whole", ""),
        (
            "Assert Exception:o.expiration > _db.head_block_time(): Limit order has to expire after head block time.",
            "in the future",
            "--hours",
        ),
        (
            "Assert Exception:a <= b: Limit Order Expiration must not be more than 28 days in the future",
            "at most 28 days",
            "--hours",
        ),
        ("Assert Exception:a >= b: Can only vote once every 3 seconds.", "once every 3 seconds", "Wait"),
        ("Assert Exception:a > b: You may only post once every 2 hours.", "one post every 2 hours", "Wait"),
        ("Assert Exception:a >= b: You may only comment once every 1 minute.", "reply every 1 minute", "Wait"),
        ("Assert Exception:a >= b: Can only perform one comment edit every 9 seconds.", "once every 9 seconds", ""),
        ("Assert Exception:a > b: Owner authority can only be updated once every 2 days.", "last 2 days", "again"),
        (
            "Assert Exception:!fhistory.current_median_history.is_null(): "
            "Cannot convert SBD because there is no price feed.",
            "no price of STEEM",
            "witnesses",
        ),
        (
            "Assert Exception:a < b: Account has reached limit for pending withdraw requests.",
            "as many withdrawals",
            "savings list",
        ),
        (
            "Assert Exception:a > b: The escorw ratification deadline must be after head block time.",
            "have passed already",
            "--expires",
        ),
        (
            "Assert Exception:e.to_approved && e.agent_approved: Funds cannot be released prior to escrow approval.",
            "not both approved",
            "escrow show",
        ),
        (
            "Assert Exception:o.who == e.from || o.who == e.to: Only 'from' (alice) and 'to' (bob) can release funds "
            "from a non-disputed escrow",
            "only alice and bob may release",
            "",
        ),
        (
            "Assert Exception:found: Recent authority not found in authority history.",
            "not valid lately",
            "",
        ),
        (
            "Assert Exception:x > y: Owner authority can only be updated once an hour.",
            "within the last hour",
            "again",
        ),
        ("Assert Exception:voter.can_vote: Voter has declined their voting rights.", "for good", ""),
        (
            "Assert Exception:commentObject != nullptr: "
            "Proposal permlink must point to the article posted by creator or receiver",
            "must be by its creator or receiver",
            "Publish",
        ),
        ("Assert Exception:x: Could not find API plaudit_api", "does not offer plaudit_api", "--node"),
        ("Assert Exception:required_active.size() == 0: ", "may not mix", ""),
    ],
)
def test_known_errors_have_a_cause_and_a_remedy(message: str, cause: str, remedy: str) -> None:
    reason = explain(message)
    assert cause in reason.cause
    assert remedy in reason.remedy


def test_an_unknown_error_is_shown_as_the_node_said_it() -> None:
    error = NodeRefused(-32000, "Assert Exception:a.b == c: Something that nobody foresaw", {"code": 10})
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
    assert "The node's answer is not as it should be" in failure.remedy
