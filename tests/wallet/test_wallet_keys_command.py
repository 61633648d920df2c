"""The commands for the key file, without a node: making it, keys in and out, and what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from protocol.keys import PrivateKey, encode_public_key
from wallet.app import App
from wallet.cli import wallet
from wallet.keystore import Keystore, ScryptCost

CHEAP = ScryptCost(n=16)
NOBODY = "http://127.0.0.1:9"
KEY = PrivateKey.from_seed("some key")
SHOWN = encode_public_key(KEY.public_key, "STM")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key file with one key; its password is in the environment."""
    store = Keystore.create(tmp_path / "wallet.json", "pass", CHEAP)
    store.add(KEY, "alice", "active")
    store.save()
    monkeypatch.setenv("PLAUDIT_WALLET_PASSWORD", "pass")
    return store.path


def run(path: Path, *arguments: str, answer: str | None = None) -> Result:
    result = CliRunner().invoke(wallet, ["--node", NOBODY, "--keystore", str(path), *arguments], input=answer)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def listed(path: Path) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = json.loads(run(path, "--json", "keys", "list", "--offline").stdout)["keys"]
    return keys


def test_init_makes_an_empty_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAUDIT_WALLET_PASSWORD", raising=False)
    path = tmp_path / "deep" / "wallet.json"
    made = run(path, "init", answer="secret\nsecret\n")
    assert made.exit_code == 0, made.output
    assert Keystore.open(path, "secret").list() == ()
    again = run(path, "init", answer="secret\nsecret\n")
    assert again.exit_code == 1
    assert "exists already" in again.stderr


def test_list(path: Path) -> None:
    assert listed(path) == [{"public_key": SHOWN, "account": "alice", "role": "active"}]
    assert SHOWN in run(path, "keys", "list").stdout


def test_import(path: Path, tmp_path: Path) -> None:
    other = PrivateKey.from_seed("other")
    assert run(path, "keys", "import", "--account", "bob", "--role", "memo", answer=other.to_wif()).exit_code == 0
    third = tmp_path / "third"
    third.write_text(PrivateKey.from_seed("third").to_wif() + "\n")
    assert run(path, "keys", "import", "--key-file", str(third)).exit_code == 0
    assert {(key["account"], key["role"]) for key in listed(path)} == {("alice", "active"), ("bob", "memo"), ("", "")}


def test_what_is_no_key_is_refused_and_not_repeated(path: Path) -> None:
    result = run(path, "keys", "import", answer="hunter2\n")
    assert result.exit_code == 2
    assert "not a private key" in result.stderr
    assert "hunter2" not in result.output


def test_brain_keys_and_random_keys(path: Path) -> None:
    assert run(path, "keys", "brain", "--account", "b", answer="alpha beta\n").exit_code == 0
    expected = encode_public_key(PrivateKey.from_brain_key("ALPHA BETA").public_key, "STM")
    assert expected in [key["public_key"] for key in listed(path)]
    made = json.loads(run(path, "--json", "keys", "generate", "--brain").stdout)
    expected = encode_public_key(PrivateKey.from_brain_key(made["brain_key"]).public_key, "STM")
    assert made["keys"][0]["public_key"] == expected
    assert run(path, "keys", "generate").exit_code == 0
    assert len(listed(path)) == 4


def test_reveal_and_remove_ask_first(path: Path) -> None:
    refused = run(path, "keys", "reveal", SHOWN, answer="n\n")
    assert (refused.exit_code, KEY.to_wif() in refused.output) == (1, False)
    assert KEY.to_wif() in run(path, "keys", "reveal", SHOWN, answer="y\n").stdout
    assert run(path, "keys", "remove", SHOWN, answer="n\n").exit_code == 1
    assert len(listed(path)) == 1
    assert run(path, "keys", "remove", SHOWN, "--yes").exit_code == 0
    assert listed(path) == []
    gone = run(path, "keys", "remove", SHOWN, "--yes")
    assert (gone.exit_code, "holds no key" in gone.stderr) == (1, True)


def test_change_password(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(path, "keys", "change-password", answer="new\nnew\n").exit_code == 0
    refused = run(path, "keys", "list", "--offline")
    assert refused.exit_code == 1
    assert "does not open" in refused.stderr
    monkeypatch.setenv("PLAUDIT_WALLET_PASSWORD", "new")
    assert len(listed(path)) == 1


def test_the_password_is_asked_for_where_none_is_given(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAUDIT_WALLET_PASSWORD")
    assert run(path, "keys", "list", "--offline", answer="pass\n").exit_code == 0
    nobody = run(path, "keys", "list", "--offline", answer="")
    assert nobody.exit_code == 1
    assert "PLAUDIT_WALLET_PASSWORD" in nobody.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "plaudit wallet init"), ("{}", "right file"), ('{"format": "plaudit-keystore", "ver', "Restore it")],
)
def test_other_files_are_explained(path: Path, content: str | None, words: str) -> None:
    path.unlink()
    if content is not None:
        path.write_text(content)
    result = run(path, "keys", "list", "--offline")
    assert result.exit_code == 1
    assert words in result.stderr


def test_an_unreachable_node_is_explained(path: Path) -> None:
    result = run(path, "transfer", "alice", "bob", "1 STEEM")
    assert result.exit_code == 1
    assert "cannot be reached" in result.stderr
    assert "plaudit dev" in result.stderr
    shown = json.loads(run(path, "--json", "status").stdout)
    assert "cannot be reached" in shown["error"]["cause"]


def test_a_fault_of_the_wallet_shows_no_stack_trace(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(App, "session", property(fail))
    result = run(path, "status")
    assert result.exit_code == 1
    assert "the wallet failed: ZeroDivisionError: oh" in result.stderr
    assert "Traceback" not in result.output


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "wallet", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "python -m wallet" in done.stdout
    assert "transfer" in done.stdout
