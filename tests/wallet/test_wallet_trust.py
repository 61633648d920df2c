"""A node that lies: what the wallet does not believe, asks about, or refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from client.defaults import CLOCK_DIFFERENCE_MAX
from client.errors import ClientError, NodeConfused, NodeRefused
from protocol.config import ChainConfig
from protocol.identity import ChainIdentity
from protocol.keys import PrivateKey, encode_public_key
from protocol.times import parse_time, time_text
from tests.wallet.test_wallet_session import CHAIN_ID, IDENTITY, SIGNING, START, TRANSFER, Chain
from wallet import app as app_module
from wallet.amounts import Power
from wallet.cli import wallet
from wallet.keystore import Keystore, ScryptCost
from wallet.session import ClockDiffers, NotIncluded, Session
from wallet.trust import describe_chain, doubt_chain, doubt_memo_key, doubt_rate

OTHER_ID = "11" * 32


# --- time ----------------------------------------------------------------------------------------------------------


def lying(chain: Chain, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Session:
    """A session with a node that changes what it says of its head."""
    said = chain.get_dynamic_global_properties
    monkeypatch.setattr(
        chain,
        "get_dynamic_global_properties",
        lambda: said() | {name: value() for name, value in changes.items()},
        raising=True,
    )
    return chain.session()


def test_a_head_beyond_the_expiration_does_not_make_the_wallet_say_that_nothing_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The node takes a payment, shows blocks without it, and says that it is late: the user would pay twice."""
    chain = Chain()
    chain.include_at = None
    sent_at: list[float] = []

    def head_time() -> str:
        if chain.broadcast is None:
            return time_text(int(chain.clock))
        sent_at.append(chain.clock)
        return time_text(chain.broadcast.expiration + 3600)

    with pytest.raises(NotIncluded) as caught:
        lying(chain, monkeypatch, time=head_time).send([TRANSFER], SIGNING)
    assert chain.broadcast is not None
    assert chain.clock > chain.broadcast.expiration
    assert "as this node shows its blocks" in caught.value.cause
    assert "another one" in caught.value.remedy
    assert "othing has happened" not in caught.value.cause + caught.value.remedy


def test_a_head_that_stays_behind_is_not_known_to_have_lost_it(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    chain.include_at = None
    begin = time_text(int(chain.clock))
    with pytest.raises(NotIncluded, match="is not known") as caught:
        lying(chain, monkeypatch, time=lambda: begin).send([TRANSFER], SIGNING)
    assert chain.broadcast is not None
    assert "has not come past the transaction's expiration" in caught.value.cause
    assert caught.value.signed is not None
    assert caught.value.signed.valid_until == time_text(chain.broadcast.expiration)
    assert "do not send it again before" in caught.value.remedy


@pytest.mark.parametrize("hours", [1, 24 * 365])
def test_the_expiration_is_not_the_nodes_to_choose(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    chain = Chain()
    session = lying(chain, monkeypatch, time=lambda: time_text(int(chain.clock) + 3600 * hours))
    with pytest.raises(ClockDiffers) as caught:
        session.send([TRANSFER], SIGNING)
    assert chain.broadcast is None
    assert time_text(int(chain.clock)) in caught.value.cause
    assert time_text(int(chain.clock) + 3600 * hours) in caught.value.cause
    for make in (lambda: session.build([TRANSFER], 600), session.now):
        with pytest.raises(ClockDiffers):
            make()


def test_the_time_of_the_development_chain_may_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys are public: a node that pretends to follow it gets a signature that is worth nothing elsewhere."""
    chain = Chain()
    session = lying(chain, monkeypatch, time=lambda: time_text(int(chain.clock) + 604_800))
    with pytest.raises(ClockDiffers):
        session.now()
    development = ChainConfig.preset("dev").identity
    monkeypatch.setattr(session, "identity", replace(session.identity, chain_id=development.chain_id))
    assert session.now() == int(chain.clock) + 604_800


@pytest.mark.parametrize("ahead", [-300, 300, CLOCK_DIFFERENCE_MAX])
def test_a_difference_within_bounds_is_warned_of_once_with_both_times(
    monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    chain = Chain()
    told: list[str] = []
    begin = chain.clock
    session = lying(chain, monkeypatch, time=lambda: time_text(int(chain.clock) + ahead))
    session._warn = told.append
    session.send([TRANSFER], SIGNING)
    assert chain.broadcast is not None
    assert 60 <= chain.broadcast.expiration - begin - max(ahead, 0) < 120
    (sentence,) = told
    assert time_text(int(begin)) in sentence
    assert time_text(int(begin) + ahead) in sentence


def test_a_node_that_names_a_head_without_end_holds_the_wallet_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    chain.include_at = None
    asked = []

    def get_block(number: int) -> dict[str, Any]:
        asked.append(number)
        chain.clock += 1
        return {"transaction_ids": []}

    monkeypatch.setattr(chain, "get_block", get_block)
    with pytest.raises(NotIncluded, match="is not known"):
        lying(chain, monkeypatch, head_block_number=lambda: 5 if chain.broadcast is None else 10**12).send(
            [TRANSFER], SIGNING
        )
    assert len(asked) < 200


@pytest.mark.parametrize(
    "failure", [NodeConfused("gone"), KeyError("time"), ValueError("x"), ClientError("what"), TypeError("no")]
)
def test_any_strange_answer_after_the_signature_leaves_the_outcome_open(failure: Exception) -> None:
    """Not only a lost connection: whoever reads another error runs the command again."""
    chain = Chain()
    chain.failure_after_broadcast = failure
    with pytest.raises(NotIncluded, match="whether a block holds it is not known"):
        chain.session().send([TRANSFER], SIGNING)


def test_a_strange_answer_to_the_broadcast_leaves_the_outcome_open() -> None:
    chain = Chain()
    chain.refusal = NodeConfused("HTTP status 502")
    with pytest.raises(NotIncluded, match="not known whether the node took"):
        chain.session().send([TRANSFER], SIGNING)


def test_a_refusal_says_what_was_signed_and_until_when_it_is_valid() -> None:
    chain = Chain()
    chain.refusal = NodeRefused(-32000, "Assert Exception:no")
    with pytest.raises(NodeRefused) as caught:
        chain.session().send([TRANSFER], SIGNING)
    assert caught.value.signed is not None
    assert 60 <= parse_time(caught.value.signed.valid_until) - START - 15 < 120


# --- what is remembered --------------------------------------------------------------------------------------------


def test_an_unknown_chain_is_a_doubt_unless_it_is_the_first() -> None:
    chain_id = CHAIN_ID.hex()
    known = {chain_id: describe_chain(IDENTITY)}
    assert doubt_chain({}, IDENTITY) == ""
    assert doubt_chain(known, IDENTITY) == ""
    assert OTHER_ID in doubt_chain({OTHER_ID: {}}, IDENTITY)
    assert chain_id in doubt_chain({OTHER_ID: {}}, IDENTITY)
    renamed = ChainIdentity(CHAIN_ID, "ABC", "GOLD", "TBD", "VESTS")
    with pytest.raises(ClientError, match="GOLD"):
        doubt_chain(known, renamed)


def test_rates_that_cannot_be_are_doubted() -> None:
    usual = Power(3_000_000_000_000, 1_000_000)
    assert doubt_rate({}, usual) == ""
    for absurd in (Power(0, 1), Power(1, 1), Power(10**18, 1), Power(999, 1)):
        assert "outside the plausible range" in doubt_rate({}, absurd)
    before = {"rate": [usual.shares, usual.fund]}
    assert doubt_rate(before, usual) == ""
    assert doubt_rate(before, Power(usual.shares * 2, usual.fund)) == ""
    assert "3,000.000000 VESTS when it was last used" in doubt_rate(before, Power(usual.shares * 2 + 1, usual.fund))
    assert "last used" in doubt_rate(before, Power(usual.shares, usual.fund * 2 + 1))


def test_another_memo_key_is_doubted() -> None:
    assert doubt_memo_key({}, "bob", "STM1") == ""
    facts = {"memo_keys": {"bob": "STM1"}}
    assert doubt_memo_key(facts, "bob", "STM1") == doubt_memo_key(facts, "carol", "STM2") == ""
    assert "STM2, and it was STM1 before" in doubt_memo_key(facts, "bob", "STM2")


# --- commands ------------------------------------------------------------------------------------------------------

NAMES = ("alice", "bob")


class Liar(Chain):
    """A node by hand with two accounts, whose chain, rate and keys can be changed."""

    def __init__(self) -> None:
        super().__init__()
        self.include_at = None
        self.chain_id = CHAIN_ID.hex()
        self.fund = "1000.000 TESTS"
        self.memo_key = encode_public_key(PrivateKey.from_seed("bob memo").public_key, "ABC")
        self.signing_key = encode_public_key(PrivateKey.from_seed("mallory").public_key, "ABC")

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"STEEM_CHAIN_ID": self.chain_id}

    def get_dynamic_global_properties(self) -> dict[str, Any]:
        return super().get_dynamic_global_properties() | {"total_vesting_fund_steem": self.fund}

    def get_accounts(self, names: list[str]) -> list[dict[str, Any]]:
        def authority(name: str, role: str) -> dict[str, Any]:
            key = encode_public_key(PrivateKey.from_password(name, role, "x").public_key, "ABC")
            return {"weight_threshold": 1, "account_auths": [], "key_auths": [[key, 1]]}

        own = encode_public_key(PrivateKey.from_password("alice", "memo", "x").public_key, "ABC")
        return [
            {role: authority(name, role) for role in ("owner", "active", "posting")}
            | {"name": name, "memo_key": own if name == "alice" else self.memo_key}
            for name in names
        ]

    def get_witness_by_account(self, name: str) -> dict[str, Any]:
        props = {"account_creation_fee": "3.000 TESTS", "maximum_block_size": 65536, "sbd_interest_rate": 0}
        return {"owner": name, "url": "-", "signing_key": self.signing_key, "props": props}

    def broadcast_transaction(self, shown: dict[str, Any]) -> dict[str, Any]:
        super().broadcast_transaction(shown)
        self.include_at = self.head + 1
        return {}


class User:
    """Runs commands of the wallet against the liar."""

    def __init__(self, folder: Path, node: Liar) -> None:
        self.node = node
        self.path = folder / "wallet.json"
        store = Keystore.create(self.path, "pass", ScryptCost(n=16))
        for role in ("active", "memo"):
            store.add(PrivateKey.from_password("alice", role, "x"), "alice", role)
        store.save()

    def run(self, *words: str, answer: str = "") -> Result:
        self.node.broadcast = None
        result = CliRunner().invoke(wallet, ["--keystore", str(self.path), *words], input=answer)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    @property
    def has_signed(self) -> bool:
        return self.node.broadcast is not None

    def facts(self) -> dict[str, Any]:
        return Keystore.open(self.path, "pass").chains


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    node = Liar()
    monkeypatch.setenv("PLAUDIT_WALLET_PASSWORD", "pass")
    monkeypatch.setattr(
        app_module,
        "Session",
        lambda client, chain_id, **options: Session(
            node, chain_id, clock=lambda: node.clock, sleep=node.wait, **options
        ),
    )
    return User(tmp_path, node)


PAY = ("transfer", "alice", "bob", "1.000 TESTS")


def test_the_chain_is_remembered_and_another_one_needs_a_word(user: User) -> None:
    first = user.run(*PAY, answer="y\n")
    assert f"first signature for chain {CHAIN_ID.hex()}" in first.stderr
    assert first.exit_code == 0
    assert list(user.facts()) == [CHAIN_ID.hex()]
    again = user.run(*PAY, answer="y\n")
    assert (again.exit_code, "first signature" in again.stderr) == (0, False)
    user.node.chain_id = OTHER_ID
    refused = user.run("--yes", *PAY)
    assert (refused.exit_code, user.has_signed) == (1, False)
    assert CHAIN_ID.hex() in refused.stderr and OTHER_ID in refused.stderr
    assert user.run(*PAY, answer="n\n").exit_code == 1
    assert not user.has_signed
    assert user.run("--yes", "--chain-id", CHAIN_ID.hex(), *PAY).exit_code == 1
    assert list(user.facts()) == [CHAIN_ID.hex()]
    named = user.run("--yes", "--chain-id", OTHER_ID, *PAY)
    assert (named.exit_code, user.has_signed) == (0, True)
    assert list(user.facts()) == [CHAIN_ID.hex(), OTHER_ID]
    assert user.run("--yes", *PAY).exit_code == 0


def test_a_person_may_agree_to_another_chain(user: User) -> None:
    user.run("--yes", *PAY)
    user.node.chain_id = OTHER_ID
    agreed = user.run(*PAY, answer="y\ny\n")
    assert agreed.exit_code == 0, agreed.output
    assert OTHER_ID in agreed.stderr
    assert user.has_signed


def test_a_converted_amount_is_shown_in_what_is_signed(user: User) -> None:
    shown = user.run("delegate", "alice", "bob", "10.000 TESTS", answer="y\n").stderr
    assert "1 STEEM is 3,000.000000 VESTS: 30000.000000 VESTS are signed for" in " ".join(shown.split())
    assert user.facts()[CHAIN_ID.hex()]["rate"] == [3_000_000_000_000, 1_000_000]


def test_a_lie_about_the_rate_is_refused(user: User) -> None:
    """At this rate "10 TESTS" would lend all power to somebody else."""
    command = ("delegate", "alice", "bob", "10.000 TESTS")
    assert user.run("--yes", *command).exit_code == 0
    user.node.fund = "1.000 TESTS"
    refused = user.run("--yes", *command)
    assert (refused.exit_code, user.has_signed) == (1, False)
    assert "3,000,000.000000 VESTS" in refused.stderr
    user.run(*command, answer="n\n")
    assert not user.has_signed
    bounded = user.run("--yes", *command, "--at-most", "40000 VESTS")
    assert (bounded.exit_code, user.has_signed) == (2, False)
    assert "is more than --at-most" in bounded.stderr
    user.node.fund = "100000000000.000 TESTS"
    assert "outside the plausible range" in user.run("--yes", "power-down", "alice", "5 TESTS").stderr
    assert not user.has_signed
    user.node.fund = "1000.000 TESTS"
    assert user.run("--yes", *command, "--at-most", "30000 VESTS").exit_code == 0


def test_a_memo_key_that_changes_is_asked_about(user: User) -> None:
    """A node that names its own key could read what was meant for somebody else."""
    command = (*PAY, "--memo", "#for you")
    assert user.run("--yes", *command).exit_code == 0
    true_key, user.node.memo_key = user.node.memo_key, user.node.signing_key
    refused = user.run("--yes", *command)
    assert (refused.exit_code, user.has_signed) == (1, False)
    assert "memo key of bob" in refused.stderr
    assert user.run("--yes", *command, "--memo-key", true_key).exit_code == 0
    assert user.facts()[CHAIN_ID.hex()]["memo_keys"] == {"bob": true_key}
    assert user.run(*command, answer="y\ny\n").exit_code == 0
    assert user.facts()[CHAIN_ID.hex()]["memo_keys"] == {"bob": user.node.memo_key}


def test_a_signing_key_of_the_node_is_not_signed_for_unseen(user: User) -> None:
    """Changing the url would make the node's key sign the witness's blocks."""
    refused = user.run("--yes", "witness", "update", "alice", "--url", "x")
    assert (refused.exit_code, user.has_signed) == (1, False)
    assert "--signing-key" in refused.stderr
    own = encode_public_key(PrivateKey.from_seed("own").public_key, "ABC")
    assert user.run("--yes", "witness", "update", "alice", "--url", "x", "--signing-key", own).exit_code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("transfer", "alice", "bob", "-1.000 TESTS"),
        ("power-up", "alice", "-1 TESTS"),
        ("power-down", "alice", "-.5 VESTS"),
        ("delegate", "alice", "bob", "-1.000000 VESTS", "--yes"),
        ("convert", "alice", "-1 TBD"),
        ("savings", "deposit", "alice", "-1.5 TESTS"),
        ("escrow", "transfer", "alice", "bob", "carol", "1 TESTS", "-1 TBD"),
        ("market", "sell", "alice", "-1 TESTS", "--for", "1 TBD"),
        ("market", "sell", "alice", "1 TESTS", "--for", "-1 TBD"),
        ("witness", "feed", "alice", "-1 TBD"),
    ],
)
def test_a_negative_amount_is_an_amount(user: User, words: tuple[str, ...]) -> None:
    refused = user.run(*words)
    assert (refused.exit_code, user.has_signed) == (2, False)
    assert "is negative" in refused.stderr
    assert "No such option" not in refused.stderr


def test_options_that_do_not_exist_are_still_named(user: User) -> None:
    assert "No such option" in user.run("transfer", "alice", "bob", "1 TESTS", "--what").stderr
    assert "--what" in user.run("transfer", "alice", "bob", "-1 TESTS", "--what").stderr
    assert "-5 is not in the range" in user.run("market", "cancel", "alice", "-5").stderr


def test_the_answer_about_a_transaction_must_be_about_that_one(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    user.run("--yes", *PAY)
    sent = user.node.broadcast
    assert sent is not None
    shown = sent.to_json(Session(user.node).codec, legacy=True)
    found = shown | {"transaction_id": sent.id.hex(), "block_num": 3, "transaction_num": 0}
    monkeypatch.setattr(user.node, "get_transaction", lambda wanted: found | {"transaction_id": wanted}, raising=False)
    assert user.run("transaction", sent.id.hex()).exit_code == 0
    other = user.run("transaction", "00" * 20)
    assert other.exit_code == 1
    assert "answers with another transaction" in other.stderr


def test_errors_for_programs_say_what_was_signed(user: User) -> None:
    user.node.refusal = NodeRefused(-32000, "Assert Exception:no")
    error = json.loads(user.run("--json", "--yes", *PAY).stdout)["error"]
    assert len(error["transaction_id"]) == 40
    assert parse_time(error["valid_until"]) > user.node.clock


# --- the same again ------------------------------------------------------------------------------------------------


def test_what_may_still_be_done_is_not_signed_again_without_a_word(user: User) -> None:
    """A node refuses a payment, and whoever reads that runs the command again: then both are in a block."""
    user.node.refusal = NodeRefused(-32000, "transaction tapos exception:")
    assert user.run("--yes", *PAY).exit_code == 1
    ((transaction_id, expiration),) = user.facts()[CHAIN_ID.hex()]["unresolved"].values()
    user.node.refusal = None
    refused = user.run("--yes", *PAY)
    assert (refused.exit_code, user.has_signed) == (1, False)
    assert transaction_id in refused.stderr
    assert time_text(expiration) in refused.stderr
    assert user.run(*PAY, answer="n\n").exit_code == 1
    assert not user.has_signed
    assert user.run("--yes", "transfer", "alice", "bob", "1.001 TESTS").exit_code == 0
    user.node.clock = expiration + 16
    user.node.head = (expiration + 16 - START) // 3
    assert user.run("--yes", *PAY).exit_code == 0
    assert user.facts()[CHAIN_ID.hex()]["unresolved"] == {}


def test_a_person_may_send_it_again(user: User) -> None:
    user.node.refusal = NodeConfused("HTTP status 502")
    assert user.run("--yes", *PAY).exit_code == 1
    user.node.refusal = None
    assert user.run(*PAY, answer="y\ny\n").exit_code == 0
    assert user.has_signed


def test_what_a_block_holds_may_be_done_again(user: User) -> None:
    assert user.run("--yes", *PAY).exit_code == 0
    assert user.run("--yes", *PAY).exit_code == 0


def test_an_encrypted_memo_does_not_make_it_another_payment(user: User) -> None:
    user.node.refusal = NodeRefused(-32000, "Assert Exception:no")
    assert user.run("--yes", *PAY, "--memo", "#rent").exit_code == 1
    user.node.refusal = None
    assert user.run("--yes", *PAY, "--memo", "#rent").exit_code == 1
    assert not user.has_signed


def test_what_pays_nothing_may_be_tried_again(user: User) -> None:
    user.node.refusal = NodeRefused(-32000, "Assert Exception:no")
    assert user.run("--yes", "delegate", "alice", "bob", "1 VESTS").exit_code == 1
    user.node.refusal = None
    assert user.run("--yes", "delegate", "alice", "bob", "1 VESTS").exit_code == 0


def test_signing_together_asks_about_the_chain_and_shows_the_expiration(user: User, tmp_path: Path) -> None:
    transfer = json.dumps(["transfer", {"from": "alice", "to": "bob", "amount": "1.000 TESTS", "memo": ""}])
    file = str(tmp_path / "tx.json")
    assert user.run("--yes", *PAY).exit_code == 0
    user.node.chain_id = OTHER_ID
    assert user.run("multisig", "build", file, transfer, "--minutes", "9").exit_code == 0
    refused = user.run("--yes", "multisig", "sign", file)
    assert refused.exit_code == 1
    assert OTHER_ID in refused.stderr
    agreed = user.run("multisig", "sign", file, answer="y\ny\n")
    assert agreed.exit_code == 0, agreed.output
    expiration = json.loads(Path(file).read_text())["transaction"]["expiration"]
    assert f"expires  {expiration} UTC" in agreed.stderr
    assert list(user.facts()) == [CHAIN_ID.hex(), OTHER_ID]
