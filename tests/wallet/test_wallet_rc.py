"""Resource credits in the wallet: the command, and what a refusal for the lack of them says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from client.durations import describe_seconds
from client.errors import NodeRefused
from tests.wallet.live import running_node
from wallet.advice import advise
from wallet.cli import wallet

VALUES = {
    "name": "plugin_exception",
    "stack": [{"data": {"account": "alice", "rc_current": 5, "rc_needed": 1000}}],
}
REFUSAL = "plugin exception:Account: alice has 5 RC, needs 1000 RC. Please wait to transact, or power up STEEM.rethrow"


def refused(**advice: Any) -> NodeRefused:
    return advise(NodeRefused(-32000, REFUSAL, {**VALUES, "advice": {"rc_missing": 995, "max_rc": 2_000, **advice}}))


def test_a_refusal_says_how_long_to_wait() -> None:
    error = refused(seconds_until_enough=97_260)
    assert error.cause == "alice has 5 resource credits, and 1000 are needed"
    assert "Wait 1 day 3 hours" in error.remedy and "power-up" in error.remedy


def test_an_account_that_can_never_have_enough_is_told_to_power_up() -> None:
    assert "never" in refused(seconds_until_enough=None).remedy


def test_another_node_gives_no_advice() -> None:
    assert "Wait until they have come back" in advise(NodeRefused(-32000, REFUSAL, VALUES)).remedy


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (1, "1 second"),
        (61, "1 minute 1 second"),
        (7_200, "2 hours"),
        (90_061, "1 day 1 hour"),
        (432_000, "5 days"),
    ],
)
def test_lengths_of_time(seconds: int, words: str) -> None:
    assert describe_seconds(seconds) == words


def test_the_command_shows_credits_and_what_they_are_enough_for() -> None:
    with running_node() as url:
        shown = CliRunner().invoke(wallet, ["--node", url, "rc", "alice"])
        assert shown.exit_code == 0 and "Resource credits of alice" in shown.output and "transfers" in shown.output
        answer = json.loads(CliRunner().invoke(wallet, ["--node", url, "--json", "rc", "alice"]).output)
        assert answer["rc"] == answer["max_rc"] > 0 and answer["seconds_until_full"] == 0
        costs = answer["costs"]
        assert 0 < costs["custom_json of 50 characters"] < costs["transfers"] < costs["posts of 1,000 characters"]
        assert answer["enough_for"]["transfers"] == answer["rc"] // costs["transfers"]
        missing = CliRunner().invoke(wallet, ["--node", url, "rc", "nobody"])
        assert missing.exit_code == 1 and "no account" in missing.output + missing.stderr
