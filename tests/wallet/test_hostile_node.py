"""Every command of the wallet and those that ask a running node, against one that sends what commands a terminal."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from client.declare import Parsed
from client.json_rpc import NodeClient
from node.cli import main
from protocol.keys import PrivateKey, encode_public_key
from tests.wallet.fake_node import FakeNode, answer_error, fake_node
from tests.wallet.live import running_node
from tests.wallet.test_terminal import HOSTILE, is_harmless
from wallet import session
from wallet.keystore import Keystore, ScryptCost

PASSWORD = "plaudit-dev"
KEY = encode_public_key(PrivateKey.from_seed("x").public_key, "STM")
TRANSFER = json.dumps(["transfer", {"from": "alice", "to": "bob", "amount": "1.000 STEEM", "memo": HOSTILE[:-20]}])
RECORD = """
post alice --title x --tags x --body-file {text}
vote bob @alice/x
transfer alice bob "1 STEEM" --memo "#x"
market sell alice "1 STEEM" --for "5 SBD"
market buy bob "1 STEEM" --for "5 SBD"
market sell alice "1 STEEM" --for "9 SBD"
savings deposit alice "3 STEEM"
savings withdraw alice "1 STEEM" --memo x
escrow transfer alice bob initminer "1 STEEM" --id 1
convert alice "1 SBD"
delegate alice bob "1000 VESTS"
route set alice bob 50%
witness register alice
proposal create alice x --pay "1 SBD" --start 2036-01-01 --end 2036-02-01 --post @alice/x
account create other --creator alice
recover request other {key} --by alice
"""
"""What happened on the chain, so that no list is empty."""

VALUES = {
    "amount": "1.000 STEEM",
    "STEEM": "1.000 STEEM",
    "[AMOUNT...]": "1.000 STEEM",
    "AMOUNT...": "1.000 STEEM",
    "percent": "50%",
    "price": "0.250 SBD",
    "JSON": TRANSFER,
    "public_key": KEY,
    "NEW_KEY": KEY,
    "transaction_id": "00" * 20,
    "TO": "bob",
    "RECEIVER": "bob",
    "new_name": "newname",
    "NEW_RECOVERY_ACCOUNT": "bob",
    "--pay": "1.000 SBD",
    "--for": "1.000 SBD",
    "--title": "x",
}
EXTRA = {
    "wallet history": "--decrypt",
    "wallet transfer": "--memo x",
    "wallet market buy": '--for "1 SBD"',
    "wallet market sell": '--for "1 SBD"',
    "wallet account update": "--profile {{}}",
    "wallet recover request": f"{KEY}",
    "wallet power-down": '"1 STEEM"',
    "wallet post": "--tags x --body-file {text}",
    "wallet reply": "--body-file {text}",
    "wallet edit": "--body-file {text}",
    "wallet keys import": "--key-file {wif}",
    "wallet keys brain": "--secret-file {text}",
    "wallet keys password": "--secret-file {secret}",
    "wallet keys change-password": "--new-password-file {secret}",
}
ASKING = ("status", "peers list", "peers bans", "peers ban", "peers unban", "peers disconnect", "peers add")


def commands() -> Iterator[tuple[str, click.Command]]:
    """All commands that ask a node, by their words."""
    for words in (*ASKING, "snapshot request", "wallet"):
        found: click.Command = main
        for word in words.split():
            assert isinstance(found, click.Group)
            step = found.get_command(click.Context(found), word)
            assert step is not None, words
            found = step
        yield from _leaves(words, found)


def _leaves(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name in command.list_commands(click.Context(command)):
        step = command.get_command(click.Context(command), name)
        assert step is not None
        yield from _leaves(f"{words} {name}", step)


def _argument(parameter: click.Parameter, file: str) -> str:
    match parameter.type:
        case click.IntRange():
            return "1"
        case click.Path():
            return file
        case Parsed(name="@author/permlink"):
            return "@alice/x"
        case Parsed(name="time"):
            return "2036-01-01"
        case _:
            name = parameter.opts[0] if isinstance(parameter, click.Option) else str(parameter.metavar)
            return VALUES.get(name, VALUES.get(str(parameter.name), "alice"))


def arguments(words: str, command: click.Command, file: str, files: dict[str, Path]) -> list[str]:
    """A command line with all that a command needs."""
    line = words.split()
    for parameter in command.params:
        if parameter.required:
            line += [parameter.opts[0]] if isinstance(parameter, click.Option) else []
            line.append(_argument(parameter, file))
    return line + shlex.split(EXTRA.get(words, "").format(**files))


FIGURES = re.compile(r"-?[\d.]+( [A-Z]+)?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|[0-9a-f]*|STM\w+|@@\d+")
NAMES = re.compile(FIGURES.pattern + "|alice|bob|initminer|other|null|temp")
NOTHING = re.compile("(?!)")


def poison(value: Any, spared: re.Pattern[str]) -> Any:
    """The value with something hostile behind every text but those of a form that is needed."""
    match value:
        case str():
            return value if spared.fullmatch(value) else value + HOSTILE
        case list():
            return [poison(part, spared) for part in value]
        case dict():
            more = {HOSTILE: HOSTILE} if spared is NOTHING else {}
            return {name: poison(part, spared) for name, part in value.items()} | more
        case _:
            return value


class Poisoned:
    """Asks a true node and poisons its answers."""

    def __init__(self, url: str, spared: re.Pattern[str]) -> None:
        self.client = NodeClient(url)
        self.spared = spared

    def __call__(self, request: dict[str, Any]) -> bytes:
        method, params = request["method"], request["params"]
        found = OPERATOR.get(method) or self.client.call(method, params)
        if self.spared is NOTHING or method != "condenser_api.get_config":
            found = poison(found, self.spared)
        return json.dumps({"jsonrpc": "2.0", "result": found, "id": request["id"]}).encode()


PEER = {
    "endpoint": "1.2.3.4:2001",
    "listens_at": None,
    "direction": "inbound",
    "user_agent": "agent",
    "connected_seconds": 5,
    "silent_seconds": 5,
    "clock_offset_us": 5,
    "round_trip_us": 5,
    "is_active": True,
    "we_need_its_blocks": False,
    "needs_our_blocks": False,
}
OPERATOR: dict[str, Any] = {
    "node_api.list_peers": {"peers": [PEER]},
    "node_api.list_bans": {"bans": [{"address": "1.2.3.4", "until": None, "reason": "because"}]},
    "node_api.ban": {"ban": {"address": "1.2.3.4", "until": "for ever", "reason": "because"}},
    "node_api.unban": {"was_banned": True},
    "node_api.disconnect": {"disconnected": 1},
    "node_api.add_seed": {"seed": "here"},
}


class Runner:
    """Runs commands with a node, an admin port and a key file of their own."""

    def __init__(self, folder: Path) -> None:
        self.keystore = folder / "wallet.json"
        store = Keystore.create(self.keystore, PASSWORD, ScryptCost(n=16))
        for name in ("alice", "bob", "initminer"):
            for role in ("owner", "active", "posting", "memo"):
                store.add(PrivateKey.from_password(name, role, PASSWORD), name, role)
        store.save()
        wif = PrivateKey.from_seed("x").to_wif()
        self.files = {}
        for file, content in (("text", "new"), ("secret", PASSWORD), ("wif", wif)):
            self.files[file] = folder / file
            self.files[file].write_text(content)
            self.files[file].chmod(0o600)

    def run(self, url: str, line: list[str], answer: str = "") -> Result:
        variables = {
            "PLAUDIT_NODE": url,
            "PLAUDIT_ADMIN": url.removeprefix("http://"),
            "PLAUDIT_KEYSTORE": str(self.keystore),
            "PLAUDIT_WALLET_PASSWORD": PASSWORD,
        }
        result = CliRunner(env=variables).invoke(main, line, input=answer)
        assert result.exception is None or isinstance(result.exception, SystemExit), (line, result.exception)
        return result


@pytest.fixture(scope="module")
def true_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node with something of everything."""
    runner = Runner(tmp_path_factory.mktemp("record"))
    with running_node() as url:
        for line in RECORD.strip().splitlines():
            words = shlex.split(line.format(key=KEY, **runner.files))
            result = runner.run(url, ["wallet", *words, "--yes"])
            assert result.exit_code == 0, result.output
        yield url


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNode]:
    monkeypatch.setattr(session, "WAIT_SECONDS_MAX", 0.1)
    with fake_node() as running:
        yield running


MARK = {False: "<1b>]0;x", True: "\\u001b]0;x"}
"""What is left of the hostile text for people and for programs."""


def walk(node: FakeNode, folder: Path, is_json: bool) -> dict[str, Result]:
    """The results of all commands, none of which lets anything through."""
    results: dict[str, Result] = {}
    runner = Runner(folder)
    begin = runner.keystore.read_bytes()
    for number, (words, command) in enumerate(commands()):
        runner.keystore.write_bytes(begin)
        line = arguments(words, command, str(folder / f"file{number}"), runner.files)
        result = runner.run(node.url, [*line, "--json"] if is_json else line, "y\ny\ny\n")
        results[words] = result
        for stream in (result.stdout, result.stderr):
            assert is_harmless(stream), (words, stream)
        if is_json and words.startswith("wallet"):
            assert result.stdout.startswith("{"), (words, result.output)
    return results


def test_all_commands_are_walked() -> None:
    found = [words for words, _ in commands()]
    assert len(found) > 70
    assert {"wallet multisig sign", "wallet escrow list", "wallet explain", "status", "peers list"} <= set(found)


@pytest.mark.parametrize("is_json", [False, True])
def test_errors(node: FakeNode, tmp_path: Path, is_json: bool) -> None:
    node.answer = answer_error(-32000, f"Assert Exception:{HOSTILE}", {"message": HOSTILE})
    results = walk(node, tmp_path, is_json)
    shown = [words for words, result in results.items() if MARK[is_json] in result.output]
    assert len(shown) > 60, sorted(results.keys() - set(shown))


@pytest.mark.parametrize(
    ("spared", "count", "is_json"),
    [
        pytest.param(NAMES, 12, False, id="texts"),
        pytest.param(FIGURES, 20, False, id="texts and names"),
        pytest.param(FIGURES, 12, True, id="for programs"),
        pytest.param(NOTHING, 15, False, id="everything"),
    ],
)
def test_answers(
    node: FakeNode, true_node: str, tmp_path: Path, spared: re.Pattern[str], count: int, is_json: bool
) -> None:
    node.answer = Poisoned(true_node, spared)
    results = walk(node, tmp_path, is_json)
    shown = [words for words, result in results.items() if MARK[is_json] in result.output]
    assert len(shown) >= count, sorted(results.keys() - set(shown))
