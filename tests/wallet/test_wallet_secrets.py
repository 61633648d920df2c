"""Secrets as people have them: forms of keys, passwords, files that others can read, and keys in the wrong place."""

import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner

from client.errors import UsageError
from client.exposure import find_exposure
from node.cli import main
from protocol import base58
from protocol.keys import PrivateKey, encode_public_key, suggest_brain_key
from wallet import keystore
from wallet.key_forms import read_private_key
from wallet.keystore import Keystore, ScryptCost, WrongPassword
from wallet.passwords import find_weakness

CHEAP = ScryptCost(n=16)
KEY = PrivateKey.from_seed("some key")
WIF = KEY.to_wif()
COMPRESSED = base58.encode_check(b"\x80" + KEY.secret + b"\x01")
PUBLIC = encode_public_key(KEY.public_key, "STM")


@pytest.mark.parametrize("text", [WIF, COMPRESSED, f"  {WIF}\n", f"{COMPRESSED[:20]} {COMPRESSED[20:]}"])
def test_every_form_that_the_hint_names_is_read(text: str) -> None:
    assert COMPRESSED[0] in "KL"
    assert read_private_key(text) == KEY


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PUBLIC, "is a public key"),
        (f"P{WIF}", "keys password"),
        (suggest_brain_key(bytes(32)), "keys brain"),
        (WIF[:-1], "begins with 5, K or L"),
        (COMPRESSED[:-1] + "1", "begins with 5, K or L"),
        (base58.encode_check(b"\x80" + bytes(32)), "begins with 5, K or L"),
        (base58.encode_check(b"\x80" + KEY.secret + b"\x02"), "begins with 5, K or L"),
        ("", "begins with 5, K or L"),
    ],
)
def test_what_is_no_private_key_is_called_what_it_is(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_private_key(text)
    assert words in caught.value.remedy
    assert not text or text not in caught.value.cause + caught.value.remedy


@pytest.mark.parametrize("typed", ["NFC", "NFD"])
def test_a_password_opens_the_file_however_it_is_typed(tmp_path: Path, typed: str) -> None:
    Keystore.create(tmp_path / "k", unicodedata.normalize("NFD", "größer"), CHEAP)
    Keystore.open(tmp_path / "k", unicodedata.normalize(typed, "größer"))  # type: ignore[arg-type]
    with pytest.raises(WrongPassword):
        Keystore.open(tmp_path / "k", "grosser")


@pytest.mark.parametrize("written", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["NFC", "NFD"])
def test_files_of_earlier_versions_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, typed: str
) -> None:
    """These encrypted with the password as it was typed."""
    with monkeypatch.context() as before:
        before.setattr(keystore, "normalize_password", lambda password: password)
        store = Keystore.create(tmp_path / "k", unicodedata.normalize(written, "größer"), CHEAP)  # type: ignore[arg-type]
        store.add(KEY)
        store.save()
    opened = Keystore.open(tmp_path / "k", unicodedata.normalize(typed, "größer"))  # type: ignore[arg-type]
    assert opened.find(KEY.public_key) == KEY
    opened.change_password(unicodedata.normalize("NFD", "süß"))
    assert Keystore.open(tmp_path / "k", "süß").find(KEY.public_key) == KEY


@pytest.mark.parametrize(
    "password",
    [
        "pass",
        "a" * 24,
        "Password123!",
        "qwertyuiop123456",
        "steemsteemsteem",
        "83746519287364",
        "Tr0ub4dor&3",
    ],
)
def test_weak_passwords_are_found(password: str) -> None:
    assert find_weakness(password)


@pytest.mark.parametrize("password", ["correct horse battery staple", "7fG!kq93Lm#zQ", "größere Wörter überall", WIF])
def test_good_passwords_are_left_alone(password: str) -> None:
    assert find_weakness(password) == ""


def test_a_weak_password_is_warned_of_and_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAUDIT_WALLET_PASSWORD", raising=False)
    words = ["wallet", "--keystore", str(tmp_path / "k"), "init"]
    result = CliRunner().invoke(main, words, input="hunter2\nhunter2\n")
    assert (result.exit_code, "password is weak" in result.stderr) == (0, True)
    assert "hunter2" not in result.output
    good = ["wallet", "--keystore", str(tmp_path / "l"), "init"]
    assert "weak" not in CliRunner().invoke(main, good, input="7fG!kq93Lm#zQ\n7fG!kq93Lm#zQ\n").stderr


def test_files_that_others_can_read_are_named(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    assert find_exposure(file) == ""
    assert find_exposure("/dev/null") == ""
    file.write_text("x")
    for mode, is_exposed in ((0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o620, True)):
        file.chmod(mode)
        assert bool(find_exposure(file)) is is_exposed


@pytest.mark.parametrize("option", ["--password-file", "--key-file"])
def test_the_wallet_warns_of_such_a_file(tmp_path: Path, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Keystore.create(tmp_path / "wallet.json", "pass", CHEAP)
    files = {"--password-file": tmp_path / "password", "--key-file": tmp_path / "key"}
    files["--password-file"].write_text("pass\n")
    files["--key-file"].write_text(WIF)
    for name, file in files.items():
        file.chmod(0o644 if name == option else 0o600)
    command = ["wallet", "--node", "http://127.0.0.1:9", "--keystore", str(tmp_path / "wallet.json"), "--password-file"]
    command += [str(files["--password-file"]), "keys", "import", "--key-file", str(files["--key-file"])]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert [line for line in result.stderr.splitlines() if "Warning" in line] == [
        f"Warning: {files[option]} holds a secret, and others on this machine may open it (mode 644): "
        "`chmod 600` prevents it."
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("{}",),
        ("wallet", "{}"),
        ("wallet", "--{}"),
        ("wallet", "balance", "alice", "{}"),
        ("wallet", "balance", "alice", "--{}"),
        ("wallet", "vote", "alice", "{}"),
        ("wallet", "block", "{}"),
        ("wallet", "keys", "import", "--role", "{}"),
        ("wallet", "keys", "import", "--key-file", "{}"),
        ("wallet", "keys", "import", "--account={}", "--what"),
        ("wallet", "keys", "reveal", "{}"),
        ("wallet", "transaction", "{}"),
        ("wallet", "transfer", "{}", "bob", "1 STEEM"),
        ("wallet", "transfer", "alice", "bob", "{}"),
        ("wallet", "account", "show", "{}"),
        ("wallet", "account", "update", "alice", "--posting", "{}"),
        ("wallet", "multisig", "show", "{}"),
        ("wallet", "send", "{}"),
        ("wallet", "send", "@{}"),
        ("wallet", "--keystore", "{}", "keys", "list"),
        ("wallet", "--password-file", "{}", "keys", "list"),
        ("node", "--witness-key-file", "{}", "--witness", "a", "--preset", "dev"),
        ("node", "--witness-key", "x{}", "--witness", "a", "--preset", "dev"),
        ("node", "--witness", "{}", "--preset", "dev"),
        ("node", "--preset", "{}"),
        ("node", "--chain", "{}"),
        ("node", "--rpc", "{}", "--preset", "dev"),
        ("node", "--config", "{}"),
        ("config", "check", "{}"),
        ("peers", "ban", "1.2.3.4", "--seconds", "{}"),
        ("peers", "list", "--admin", "{}"),
        ("status", "--node", "{}"),
    ],
)
@pytest.mark.parametrize("secret", [WIF, WIF[:-1], f"P{WIF}", COMPRESSED])
def test_no_error_repeats_an_argument_that_may_be_a_key(
    words: tuple[str, ...], secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Keystore.create(tmp_path / "wallet.json", "pass", CHEAP)
    monkeypatch.setenv("PLAUDIT_WALLET_PASSWORD", "pass")
    monkeypatch.setenv("PLAUDIT_KEYSTORE", str(tmp_path / "wallet.json"))
    monkeypatch.setenv("PLAUDIT_NODE", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [word.format(secret) for word in words])
    assert result.exit_code in (1, 2)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert secret not in "".join(result.output.split())
