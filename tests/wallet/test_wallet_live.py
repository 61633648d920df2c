"""Every command against a real development node: what it prints, what the chain then holds, and the exit codes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from client.json_rpc import NodeClient
from protocol.keys import PrivateKey, encode_public_key
from tests.wallet.live import running_node
from wallet.cli import wallet
from wallet.keystore import Keystore, ScryptCost

PASSWORD = "pass"
DEV_PASSWORD = "plaudit-dev"
USERS = ("alice", "bob", "initminer")
WEEK = 7 * 86_400


class Wallet:
    """Runs commands of the wallet against one node, with a key file of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.keystore = folder / "wallet.json"
        store = Keystore.create(self.keystore, PASSWORD, ScryptCost(n=16))
        for name in USERS:
            for role in ("owner", "active", "posting", "memo"):
                store.add(PrivateKey.from_password(name, role, DEV_PASSWORD), name, role)
        store.save()

    def run(self, command: str, answer: str | None = None) -> Result:
        """Runs a command line with the node, the key file and its password given."""
        password = self.file("password", PASSWORD)
        settings = ["--node", self.url, "--keystore", str(self.keystore), "--password-file", str(password)]
        result = CliRunner().invoke(wallet, [*settings, *shlex.split(command)], input=answer)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    def json(self, command: str, answer: str | None = None) -> Any:
        """Runs a command that must succeed, with --json and --yes."""
        result = self.run(f"{command} --json --yes", answer)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refused(self, command: str, answer: str | None = None, code: int = 1) -> str:
        """Runs a command that must fail; returns its error as printed for people, in one line."""
        result = self.run(f"{command} --yes", answer)
        assert result.exit_code == code, result.output
        assert not result.stdout
        return " ".join(result.stderr.split())

    def call(self, method: str, params: Any) -> Any:
        return NodeClient(self.url).call(method, params)

    def account(self, name: str) -> Any:
        return self.call("condenser_api.get_accounts", [[name]])[0]

    def mine(self, count: int = 1, skip_seconds: int = 0) -> None:
        """Lets time pass on the chain."""
        self.call("dev_api.mine", {"count": count, "skip_seconds": skip_seconds})

    def file(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)
        return path


@pytest.fixture(scope="module")
def make_wallet() -> Iterator[Callable[[Path], Wallet]]:
    with running_node() as url:
        # After a round the chain has the witnesses' properties, whichever test comes first.
        NodeClient(url).call("dev_api.mine", {"count": 25})
        yield lambda folder: Wallet(url, folder)


@pytest.fixture
def user(make_wallet: Callable[[Path], Wallet], tmp_path: Path) -> Wallet:
    wallet = make_wallet(tmp_path)
    wallet.mine(1, 400)
    return wallet


def test_status(user: Wallet) -> None:
    shown = user.json("status")
    assert shown["head_block"] >= 1
    assert (shown["address_prefix"], shown["chain_id"]) == ("STM", "0" * 64)
    assert "head block" in user.run("status").stdout


def test_transfer_asks_first_and_shows_where_it_went(user: Wallet) -> None:
    before = user.account("bob")["balance"]
    refused = user.run('transfer alice bob "1.000 STEEM" --memo lunch', "n\n")
    assert refused.exit_code == 1
    assert "nothing was done" in refused.stderr
    assert user.account("bob")["balance"] == before
    agreed = user.run('transfer alice bob "1.000 STEEM" --memo lunch', "y\n")
    assert agreed.exit_code == 0
    assert "lunch" in agreed.stderr
    assert "active key of alice" in agreed.stderr
    assert "transaction" in agreed.stdout
    assert "lunch" in user.run("history bob --limit 1").stdout
    silent = user.run('transfer alice bob "1.000 STEEM"', "")
    assert silent.exit_code == 1
    assert "--yes" in silent.stderr


def test_a_receipt_names_transaction_and_block(user: Wallet) -> None:
    receipt = user.json('transfer alice bob "0.5 SBD"')
    block = user.json(f"block {receipt['block_num']}")
    assert block["transaction_ids"][receipt["trx_num"]] == receipt["transaction_id"]
    assert block["operations"][0]["op"] == receipt["operations"][0]
    shown = user.json(f"transaction {receipt['transaction_id']}")
    assert shown["operations"] == receipt["operations"]
    assert "amount=0.500 SBD" in user.run(f"transaction {receipt['transaction_id']}").stdout
    assert "producer_reward" in user.run(f"block {receipt['block_num']}").stdout
    assert "producer_reward" not in user.run(f"block {receipt['block_num']} --no-virtual").stdout


def test_an_encrypted_memo_can_only_be_read_with_the_key(user: Wallet) -> None:
    receipt = user.json('transfer alice bob "0.001 STEEM" --memo "#for your eyes"')
    memo = receipt["operations"][0][1]["memo"]
    assert memo.startswith("#")
    assert "eyes" not in memo
    assert "#for your eyes" in user.run("history bob --limit 1 --decrypt").stdout
    written = "#two\nlines,  größer 👨\u200d👩 \x1b[31m and no key="
    operation = user.json(f"transfer alice bob '0.001 STEEM' --memo {shlex.quote(written)}")["operations"][0]
    (entry,) = user.json("history bob --limit 1 --decrypt")["history"]
    assert (entry["operation"][1]["memo"], entry["decrypted"]) == (written, True)
    lines = user.run("history bob --limit 1 --decrypt").stdout.splitlines()
    (first,) = (line.find("#two") for line in lines if "#two" in line)
    assert [line[first:] for line in lines if "größer" in line] == ["lines,  größer 👨\u200d👩 <1b>[31m and no key="]
    assert "#two" not in user.run("history bob --limit 1").stdout
    assert user.json("history bob --limit 1")["history"][0]["operation"] == operation
    memo = operation[1]["memo"]
    for name in USERS:
        key = PrivateKey.from_password(name, "memo", DEV_PASSWORD).public_key
        user.run(f"keys remove {encode_public_key(key, 'STM')} --yes")
    assert memo[:40] in user.run("history bob --limit 1 --decrypt").stdout
    assert "memo key of alice is not in this wallet" in user.refused('transfer alice bob "1 STEEM" --memo "#x"')


def test_power(user: Wallet) -> None:
    vests = float(user.account("alice")["vesting_shares"].split()[0])
    user.json('power-up alice "10 STEEM"')
    assert float(user.account("alice")["vesting_shares"].split()[0]) > vests
    user.json('power-down alice "100 STEEM"')
    assert "power-down" in user.run("balance alice").stdout
    assert "power_down" in user.json("balance alice")
    user.json("power-down alice --cancel")
    assert "power_down" not in user.json("balance alice")
    assert "either an amount or --cancel" in user.refused("power-down alice", code=2)
    user.json('delegate alice bob "50.000 STEEM"')
    assert [row["delegatee"] for row in user.json("delegations alice")["delegations"]] == ["bob"]
    assert "bob" in user.run("delegations alice").stdout
    user.json("undelegate alice bob")
    assert user.json("delegations alice")["delegations"] == []


def test_routes(user: Wallet) -> None:
    user.json("route set alice bob 25% --as-power")
    (route,) = user.json("route list alice")["routes"]
    assert route.items() >= {"from_account": "alice", "to_account": "bob", "percent": 2500, "auto_vest": True}.items()
    assert "25.00%" in user.run("route list alice").stdout
    user.json("route remove alice bob")
    assert user.json("route list alice")["routes"] == []
    assert "0%" in user.refused("route set alice bob 0%", code=2)


def test_a_post_lives_and_is_paid(user: Wallet) -> None:
    body = user.file("post.md", "# Hello\nA *post* \x1b[31mwith colour\n")
    options = "--tags test,Foo --beneficiary initminer:10% --percent-sbd 50%"
    post = user.json(f'post alice --title "Hello, wörld!" --body-file {body} {options}')
    assert post["post"] == "@alice/hello-world"
    assert [name for name, _fields in post["operations"]] == ["comment", "comment_options"]
    assert "every 5 minutes" in user.refused(f"post alice --title Again --tags x --body-file {body}")
    reply = user.json("reply bob https://example.com/test/@alice/hello-world", "from standard input")
    assert reply["post"] == "@bob/re-alice-hello-world"
    user.json(f"edit @alice/hello-world --title New --body-file {user.file('new.md', 'new text')} --tags bar")
    shown = user.json("show @alice/hello-world")
    assert (shown["title"], shown["body"]) == ("New", "new text")
    assert json.loads(shown["json_metadata"])["tags"] == ["bar"]
    user.mine(100)
    user.json("vote bob @alice/hello-world 50%")
    assert "already carries this vote" in user.refused("vote bob @alice/hello-world 50%")
    user.mine(1)
    user.json("vote initminer @alice/hello-world")
    assert "100.00%" in user.run("show @alice/hello-world").stdout
    assert "would be paid" in user.run("explain @alice/hello-world").stdout
    assert user.json("explain @alice/hello-world")["pending"] is True
    user.mine(2, WEEK)
    paid = user.json("explain @alice/hello-world")
    assert paid["pending"] is False
    assert int(paid["curation_paid"]) == sum(int(part["steem"]) for part in paid["curators"]) > 0
    assert "was paid" in user.run("explain @alice/hello-world").stdout
    waiting = user.account("alice")["reward_vesting_balance"]
    claimed = user.json("claim-rewards alice")
    assert claimed["operations"][0][1]["reward_vests"] == waiting
    assert "no rewards to claim" in user.refused("claim-rewards alice")
    assert "replies cannot be deleted" in user.refused("delete-post @alice/hello-world")


def test_posts_that_are_deleted_declined_or_wrong(user: Wallet) -> None:
    post = user.json("post bob --title Short --tags x --decline-payout --no-votes --no-curation", "text")
    options = post["operations"][1][1]
    assert options["max_accepted_payout"] == "0.000 SBD"
    assert (options["allow_votes"], options["allow_curation_rewards"]) == (False, False)
    assert "does not allow votes" in user.refused("vote alice @bob/short")
    user.json("delete-post @bob/short")
    assert "no post @bob/short" in user.refused("show @bob/short")
    assert "nothing to change" in user.refused("edit @bob/short", code=2)
    assert "needs a tag" in user.refused("post bob --title x", "text", code=2)
    assert "is not a tag" in user.refused("post bob --title x --tags a_b", "text", code=2)
    assert "not a beneficiary" in user.refused("post bob --title x --tags x --beneficiary bob", "text", code=2)
    assert "exclude each other" in user.refused(
        'post bob --title x --tags x --decline-payout --max-payout "1 SBD"', "text", code=2
    )
    assert "cannot be read" in user.refused("post bob --title x --tags x --body-file /nonexistent")
    asked = user.run("post bob --title x --tags x", "text")
    assert asked.exit_code == 2
    assert "nobody to ask" in asked.stderr


def test_the_same_title_gets_another_permlink(user: Wallet) -> None:
    first = user.json("post bob --title Diary --tags x", "one")["post"]
    user.mine(1, 400)
    second = user.json("post bob --title Diary --tags x", "two")["post"]
    assert first == "@bob/diary"
    assert second.startswith("@bob/diary-")


def test_accounts(user: Wallet) -> None:
    made = user.json("account create newbie --creator alice --show-password")
    assert made["operations"][0][1]["fee"] == "3.000 STEEM"
    for role in ("owner", "active", "posting", "memo"):
        key = PrivateKey.from_password("newbie", role, made["password"])
        assert made[f"{role}_key"] == encode_public_key(key.public_key, "STM")
    assert made["memo_key"] == user.account("newbie")["memo_key"]
    assert made["active_key"] in user.run("account show newbie").stdout
    assert len([key for key in user.json("keys list")["keys"] if key["account"] == "newbie"]) == 4
    user.json('transfer alice newbie "5 STEEM"')
    user.json('transfer newbie alice "1 STEEM"')
    assert "already" in user.refused("account create newbie --creator alice")
    assert "cannot be the name" in user.refused("account create 1st --creator alice", code=2)


def test_the_keys_of_a_refused_account_stay(user: Wallet) -> None:
    """A node might refuse a transaction and have it carried out all the same: the keys must not be lost then."""
    before = user.json("keys list")
    assert user.run("account create nobody1 --creator alice", "n\n").exit_code == 1
    assert user.json("keys list") == before
    assert "must be exactly 3.000 STEEM" in user.refused('account create nobody1 --creator alice --fee "1 STEEM"')
    refused = user.refused("account create nobody1 --creator bob --claimed")
    assert "no claimed accounts" in refused
    assert "keys stay in the key file" in refused
    labels = [key["account"] for key in user.json("keys list")["keys"]]
    assert labels.count("nobody1") == 8


def test_claimed_accounts(user: Wallet) -> None:
    user.json("account claim alice --pay")
    user.json("account create claimed-one --creator alice --claimed")
    assert user.account("claimed-one")["recovery_account"] == "alice"


def test_witnesses(user: Wallet) -> None:
    user.json("witness register bob --url https://bob.example")
    labels = [(key["account"], key["role"], key["public_key"]) for key in user.json("keys list")["keys"]]
    shown = user.json("witness show bob")
    assert ("bob", "signing", shown["signing_key"]) in labels
    user.json('witness update bob --interest 5% --creation-fee "4 STEEM"')
    props = user.json("witness show bob")["props"]
    assert (props["sbd_interest_rate"], props["account_creation_fee"]) == (500, "4.000 STEEM")
    assert user.json("witness show bob")["signing_key"] == shown["signing_key"]
    user.json("witness vote alice bob")
    assert "already" in user.refused("witness vote alice bob")
    assert int(user.json("witness show bob")["votes"]) > 0
    user.json("witness unvote alice bob")
    assert "does not vote" in user.refused("witness unvote alice bob")
    user.json("witness proxy alice bob")
    assert "Clear it first" in user.refused("witness vote alice bob")
    user.json('witness proxy alice ""')
    user.json('witness feed bob "0.300 SBD"')
    assert user.json("witness show bob")["sbd_exchange_rate"] == {"base": "0.300 SBD", "quote": "1.000 STEEM"}
    assert "0.300 SBD for 1.000 STEEM" in user.run("witness show bob").stdout
    user.json("witness disable bob")
    assert "bob" in user.run("witness list").stdout
    assert "witness already" in user.refused("witness register bob")
    assert "is not a witness" in user.refused("witness show alice")
    assert "exclude each other" in user.refused("witness update bob --new-key --signing-key STM1", code=2)


def test_market(user: Wallet) -> None:
    placed = user.json('market sell alice "10 STEEM" --for "5 SBD"')
    number = placed["order_id"]
    assert [row["orderid"] for row in user.json("market orders alice")["orders"]] == [number]
    assert str(number) in user.run("market orders alice").stdout
    assert "10.000 STEEM" in user.run("market book").stdout
    user.json(f"market cancel alice {number}")
    assert user.json("market orders alice")["orders"] == []
    assert "does not exist" in user.refused("market cancel alice 77")
    assert "Allowed: STEEM" in user.refused('market sell alice "1 SBD" --for "1 SBD"', code=2)
    assert "either --for or --price" in user.refused('market sell alice "1 STEEM"', code=2)
    assert "no 0 in it" in user.refused('market buy bob "0.001 STEEM" --price "0.3 SBD"', code=2)
    assert "cannot be filled whole" in user.refused('market sell alice "1 STEEM" --for "1 SBD" --fill-or-kill')


def test_market_trades_and_ticker(user: Wallet) -> None:
    sold = user.json('market sell alice "0.007 STEEM" --price "0.333 SBD"')
    assert sold["operations"][0][1]["min_to_receive"] == "0.003 SBD"
    user.json(f"market cancel alice {sold['order_id']}")
    user.json('market sell alice "4 STEEM" --price "0.250 SBD" --id 5')
    bought = user.json('market buy bob "2 STEEM" --price "0.250 SBD" --fill-or-kill')
    assert bought["operations"][0][1]["amount_to_sell"] == "0.500 SBD"
    trades = user.json("market trades")["trades"]
    assert (trades[0]["current_pays"], trades[0]["open_pays"]) == ("0.500 SBD", "2.000 STEEM")
    shown = user.run("market trades --limit 1").stdout
    assert "bought" in shown and "0.250000" in shown
    ticker = user.json("market ticker")
    assert float(ticker["latest"]) == float(ticker["lowest_ask"]) == 0.25
    assert "0.250000" in user.run("market ticker").stdout
    user.json("market cancel alice 5")


def test_convert(user: Wallet) -> None:
    number = user.json('convert alice "1 SBD"')["request_id"]
    other = user.json('convert alice "2 SBD"')["request_id"]
    found = user.json("conversions alice")["conversions"]
    assert [(row["requestid"], row["amount"]) for row in found] == [(number, "1.000 SBD"), (other, "2.000 SBD")]
    assert str(number) in user.run("conversions alice").stdout
    assert "Allowed: SBD" in user.refused('convert alice "1 STEEM"', code=2)
    assert "the amount is 0" in user.refused('convert alice "0 SBD"', code=2)


def test_savings(user: Wallet) -> None:
    user.json('savings deposit alice "3 STEEM"')
    user.json('savings deposit alice "1 SBD" --to bob --memo gift')
    first = user.json('savings withdraw alice "1 STEEM" --to bob --memo rent')["request_id"]
    second = user.json('savings withdraw alice "1 STEEM"')["request_id"]
    found = user.json("savings list alice")["withdrawals"]
    assert [(row["request_id"], row["to"], row["memo"]) for row in found] == [
        (first, "bob", "rent"),
        (second, "alice", ""),
    ]
    assert "rent" in user.run("savings list alice").stdout
    user.json(f"savings cancel alice {second}")
    assert len(user.json("savings list alice")["withdrawals"]) == 1
    assert user.account("alice")["savings_balance"] == "2.000 STEEM"
    assert user.account("bob")["savings_sbd_balance"] == "1.000 SBD"
    assert user.json("savings interest bob")["savings"]["balance"] == 1000
    assert "1.000 SBD" in user.run("savings interest bob").stdout
    assert "less than that in its savings" in user.refused('savings withdraw alice "100 STEEM"')


def test_escrow(user: Wallet) -> None:
    number = user.json('escrow transfer alice bob initminer "2 STEEM" "1 SBD" --fee "0.1 STEEM"')["escrow_id"]
    assert "has not approved" in user.run(f"escrow show alice {number}").stdout
    assert "not approved by bob and initminer" in user.run("escrow list alice").stdout
    user.json(f"escrow approve alice {number} --as bob")
    assert "not approved by initminer" in user.run("escrow list alice").stdout
    assert "bob has approved this escrow already" in user.refused(f"escrow approve alice {number} --as bob")
    assert "not both approved" in user.refused(f"escrow dispute alice {number} --as bob")
    user.json(f"escrow approve alice {number} --as initminer")
    assert "only to the other one" in user.refused(f'escrow release alice {number} "1 STEEM" --as bob --to bob')
    assert "holds less" in user.refused(f'escrow release alice {number} "9 STEEM" --as alice --to bob')
    user.json(f'escrow release alice {number} "1 STEEM" --as alice --to bob')
    (listed,) = user.json("escrow list alice")["escrows"]
    assert (listed["escrow_id"], listed["to_approved"], listed["agent_approved"]) == (number, True, True)
    user.json(f"escrow dispute alice {number} --as bob")
    listed_text = user.run("escrow list alice").stdout
    assert "1.000 STEEM" in listed_text and "1.000 SBD" in listed_text and "disputed" in listed_text
    assert "only its agent initminer" in user.refused(f"escrow release alice {number} --as alice --to bob")
    shown = user.json(f"escrow show alice {number}")
    assert (shown["steem_balance"], shown["sbd_balance"], shown["disputed"]) == ("1.000 STEEM", "1.000 SBD", True)
    user.json(f"escrow release alice {number} --as initminer --to alice")
    assert "no escrow" in user.refused(f"escrow show alice {number}")
    assert user.json("escrow list alice") == {"escrows": []}
    refused = user.json('escrow transfer alice bob initminer "2 STEEM" --id 7 --terms {}')["escrow_id"]
    assert refused == 7
    user.json("escrow approve alice 7 --as bob --refuse")
    assert "no escrow" in user.refused("escrow show alice 7")
    assert "give each token once" in user.refused('escrow transfer alice bob initminer "2 STEEM" "1 STEEM"', code=2)


def make_account(user: Wallet, name: str) -> Any:
    made = user.json(f"account create {name} --creator alice --show-password")
    user.json(f'transfer alice {name} "20 STEEM"')
    user.json(f'transfer alice {name} "20 SBD"')
    user.json(f'power-up alice "50 STEEM" --to {name}')
    return made


def test_account_update(user: Wallet) -> None:
    made = make_account(user, "changer")
    user.json("""account update changer --profile '{"profile": {"name": "x"}}'""")
    assert json.loads(user.account("changer")["posting_json_metadata"]) == {"profile": {"name": "x"}}
    user.json(f"account update changer --posting {made['posting_key']} --posting bob=2 --posting-threshold 2")
    assert user.account("changer")["posting"] == {
        "weight_threshold": 2,
        "account_auths": [["bob", 2]],
        "key_auths": [[made["posting_key"], 1]],
    }
    renewed = user.json("account update changer --new-password --show-password")
    assert renewed["active_key"] == user.account("changer")["active"]["key_auths"][0][0] != made["active_key"]
    assert renewed["memo_key"] == user.account("changer")["memo_key"]
    user.json('transfer changer bob "1 STEEM"')
    assert "changed within the last hour" in user.refused("account update changer --new-password")
    assert "nobody could meet" in user.refused("account update changer --active bob --active-threshold 2", code=2)
    assert "no weight from 1" in user.refused("account update changer --active bob=x", code=2)
    assert "nothing to change" in user.refused("account update changer", code=2)
    assert "no account 'nobody'" in user.refused("account update changer --active nobody")


def test_recovery(user: Wallet) -> None:
    old = make_account(user, "victim")
    stolen = user.json("keys generate --account victim --role owner")["keys"][0]["public_key"]
    fresh = user.json("keys generate --account victim --role owner")["keys"][0]["public_key"]
    user.json(f"account update victim --owner {stolen}")
    assert "no request to recover" in user.refused("recover confirm victim")
    user.json(f"recover request victim {stolen}")
    user.json("recover request victim --cancel")
    user.json(f"recover request victim {fresh}")
    assert "only the account's recovery account" in user.refused(f"recover request victim {fresh} --by bob")
    shown = user.json("recover show victim")
    assert shown["recovery_account"] == "alice"
    assert shown["request"]["new_owner_authority"]["key_auths"] == [[fresh, 1]]
    assert shown["former_owner_authorities"][0]["previous_owner_authority"]["key_auths"] == [[old["owner_key"], 1]]
    assert fresh in user.run("recover show victim").stdout
    user.mine(1, 3700)
    user.json("recover confirm victim")
    assert user.account("victim")["owner"]["key_auths"] == [[fresh, 1]]
    user.json("recover change victim bob")
    assert user.json("recover show victim")["change"]["recovery_account"] == "bob"
    assert "either a new owner key or --cancel" in user.refused("recover request victim", code=2)


def test_declined_voting_rights(user: Wallet) -> None:
    make_account(user, "silent")
    user.json("decline-voting silent")
    user.json("decline-voting silent --cancel")
    user.json("decline-voting silent")
    user.mine(2, 31 * 86_400)
    assert "given its voting rights up" in user.refused("witness vote silent initminer")


def test_proposals(user: Wallet) -> None:
    user.json("post bob --title Plan --tags x", "what I would do")
    start, end = "2036-01-01", "2036-03-01"
    user.json(f'proposal create bob "Paint the fence" --pay "2 SBD" --start {start} --end {end} --post @bob/plan')
    (found,) = user.json("proposal list")["proposals"]
    assert (found["subject"], found["status"]) == ("Paint the fence", "inactive")
    number = found["proposal_id"]
    user.json(f"proposal vote alice {number}")
    user.json(f"proposal unvote alice {number}")
    assert "Paint the fence" in user.run("proposal list --status votable").stdout
    assert "2.000 SBD" in user.run("proposal list").stdout
    (part,) = user.json("proposal explain")["proposals"]
    assert (part["receiver"], part["outcome"]) == ("bob", "not started")
    assert "not started" in user.run("proposal explain").stdout
    user.json(f"proposal remove bob {number}")
    assert user.json("proposal list")["proposals"] == []
    assert "neither the creator" in user.refused(
        f'proposal create bob x --pay "2 SBD" --start {start} --end {end} --post @alice/plan', code=2
    )
    assert (
        "no time" in user.run(f'proposal create bob x --pay "2 SBD" --start soon --end {end} --post @bob/plan').stderr
    )


def test_signing_together(user: Wallet) -> None:
    """Two of three keys move tokens: each signer has a key file of its own."""
    make_account(user, "shared")
    signers = []
    members = ""
    for name in ("ann", "ben", "cyd"):
        (user.folder / name).mkdir()
        signer = Wallet(user.url, user.folder / name)
        signers.append(signer)
        public = signer.json("keys generate --account shared --role active")["keys"][0]["public_key"]
        members += f" --active {public}"
    user.json(f"account update shared {members} --active-threshold 2")
    assert "multisig build" in signers[0].refused('transfer shared bob "1 STEEM"')

    transfer = json.dumps(["transfer", {"from": "shared", "to": "bob", "amount": "1.000 STEEM", "memo": "together"}])
    owner_keys = [key for key in user.json("keys list")["keys"] if key["account"] == "shared"]
    for key in owner_keys:
        user.run(f"keys remove {key['public_key']} --yes")
    file = user.folder / "tx.json"
    built = user.json(f"multisig build {file} '{transfer}' --minutes 30")
    assert (built["complete"], built["needed"][0]["threshold"], built["needed"][0]["reached"]) == (False, 2, 0)
    assert "no key that is needed" in user.refused(f"multisig sign {file}")
    assert "exists already" in user.refused(f"multisig build {file} '{transfer}'")
    assert "signatures are missing" in user.refused(f"multisig broadcast {file}")
    copies = []
    for signer in signers:
        copy = signer.file("copy.json", file.read_text())
        assert signer.json(f"multisig sign {copy}")["needed"][0]["reached"] == 1
        copies.append(copy)
    assert "0 of 2" in user.run(f"multisig show {file}").stdout
    combined = user.json(f"multisig combine {file} {copies[0]} {copies[1]} {copies[2]}")
    assert combined["complete"] is True
    assert sum(member["signed"] for member in combined["needed"][0]["members"]) == 2
    assert "complete, it can be sent" in user.run(f"multisig show {file}").stdout
    assert "all signatures it needs" in signers[2].refused(f"multisig sign {file}")
    before = float(user.account("bob")["balance"].split()[0])
    receipt = user.json(f"multisig broadcast {file}")
    assert receipt["operations"] == [json.loads(transfer)]
    assert float(user.account("bob")["balance"].split()[0]) == before + 1
    assert "already has exactly this transaction" in user.refused(f"multisig broadcast {file}")
    other = user.folder / "other.json"
    user.json(f"multisig build {other} '{transfer}'")
    assert "holds another transaction" in user.refused(f"multisig combine {file} {other}")


def test_custom_json_and_any_operation(user: Wallet) -> None:
    sent = user.json("""custom-json alice follow '["follow",{"what":["blog"]}]'""")
    assert sent["operations"][0][1]["required_posting_auths"] == ["alice"]
    active = user.json("custom-json alice app '{}' --active")
    assert active["operations"][0][1]["required_auths"] == ["alice"]
    assert "not JSON" in user.refused("custom-json alice app '['", code=2)
    transfer = ["transfer", {"from": "alice", "to": "bob", "amount": "1.000 STEEM", "memo": ""}]
    path = user.file("ops.json", json.dumps([transfer, transfer]))
    assert len(user.json(f"send @{path}")["operations"]) == 2
    assert user.json("send -", json.dumps(transfer))["operations"] == [transfer]
    assert "Invalid object name" in user.refused("""send '["transfr",{}]'""", code=2)
    assert "this is no operation" in user.refused("send '[]'", code=2)


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ('transfer alice bob "99999999 STEEM"', 1, "Send less, or fund the account first"),
        ('transfer carol bob "1 STEEM"', 1, "keys import --account carol --role active"),
        ('transfer alice nobody-here "1 STEEM"', 1, "no account 'nobody-here'"),
        ('transfer nobody-here bob "1 STEEM"', 1, "no account 'nobody-here'"),
        ('transfer alice bob "1.0001 STEEM"', 2, "more than 3 decimals"),
        ('transfer alice bob "0 STEEM"', 2, "the amount is 0"),
        ('transfer alice bob "1 STEM"', 2, "Allowed: STEEM, SBD"),
        ("transfer alice", 2, "Missing argument"),
        ("vote alice @bob/nothing", 1, "does not exist"),
        ("vote alice bobnothing 50%", 2, "write @author/permlink"),
        ("vote alice @bob/x 101%", 2, "outside of -100% to 100%"),
        ("block 99999999", 1, "no block 99999999"),
        ("transaction " + "0" * 40, 1, "knows no transaction"),
        ("explain @alice/nothing", 1, "Could not find comment"),
    ],
)
def test_errors_have_words_and_exit_codes(user: Wallet, command: str, code: int, words: str) -> None:
    assert words in user.refused(command, code=code)


def test_errors_for_programs_are_json(user: Wallet) -> None:
    result = user.run('--json transfer alice bob "99999999 STEEM" --yes')
    assert result.exit_code == 1
    error = json.loads(result.stdout)["error"]
    assert error["node_message"].startswith("Assert Exception:available >= -delta")
    assert "is needed" in error["cause"]
    assert error["remedy"]


def test_control_characters_of_others_do_not_reach_the_terminal(user: Wallet) -> None:
    user.json("custom-json alice evil '{}'")
    transfer = ["transfer", {"from": "alice", "to": "bob", "amount": "0.001 STEEM", "memo": "\x1b[2J[red]\u202e"}]
    user.json("send -", json.dumps(transfer))
    shown = user.run("history bob --limit 1").stdout
    assert "<1b>[2J[red]<202e>" in shown
    assert "\x1b" not in shown


def test_keys_of_a_master_password_are_checked_with_the_node(user: Wallet) -> None:
    good = user.file("good", DEV_PASSWORD)
    bad = user.file("bad", "wrong")
    assert len(user.json(f"keys password carol --secret-file {good}")["keys"]) == 4
    assert "none of the keys" in user.refused(f"keys password carol --secret-file {bad}")
    assert len(user.json(f"keys password carol --secret-file {bad} --no-check --role active")["keys"]) == 1
    user.json('transfer carol bob "0.001 STEEM"')
