"""Where settings come from, which one counts, and what is said about wrong ones."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node.settings import Address, Settings, SettingsError, collect_settings, list_secret_files
from protocol.keys import PrivateKey

KEY = PrivateKey.from_seed("one")
OTHER = PrivateKey.from_seed("other")


def collect(flags: dict[str, Any] | None = None, environment: dict[str, str] | None = None) -> Settings:
    return collect_settings(flags or {}, environment or {})


def problem(flags: dict[str, Any] | None = None, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        collect(flags, environment).read_witness_keys()
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    settings = collect()
    assert settings.rpc == Address("127.0.0.1", 8090)
    assert settings == Settings()


def test_a_flag_counts_more_than_the_environment_and_that_more_than_the_file(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(
        'rpc = "file:1"\nlog-level = "error"\nparticipation = 10\nwitness = ["a", "b"]\ndata_dir = "here"\n'
    )
    environment = {"PLAUDIT_RPC": "env:2", "PLAUDIT_PARTICIPATION": "20", "PLAUDIT_CONFIG": str(file)}
    settings = collect({"rpc": "flag:3", "log_json": None, "witness": ()}, environment)
    assert settings.rpc == Address("flag", 3)
    assert settings.participation == 20
    assert settings.log_level == "error"
    assert settings.witness == ("a", "b")
    assert settings.data_dir == tmp_path / "here"


def test_the_chain_is_one_choice() -> None:
    assert collect({"chain": Path("x.toml")}, {"PLAUDIT_PRESET": "steem"}).preset is None
    assert "exclude each other" in problem({"preset": "dev", "chain": Path("x.toml")})


def test_lists_are_words_in_the_environment() -> None:
    environment = {"PLAUDIT_WITNESS": "one two", "PLAUDIT_WITNESS_KEY": f"{KEY.to_wif()} {OTHER.to_wif()}"}
    settings = collect({}, environment)
    assert settings.witness == ("one", "two")
    assert settings.read_witness_keys() == {KEY.public_key: KEY, OTHER.public_key: OTHER}


def test_keys_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# signing key\n{KEY.to_wif()}\n\n")
    flags = {"witness": ("one",), "witness_key_file": file, "witness_key": (OTHER.to_wif(),)}
    assert set(collect(flags).read_witness_keys()) == {KEY.public_key, OTHER.public_key}


@pytest.mark.parametrize("address", ["8090", "host", "host:", ":8090", "host:65536", "host:-1", "host:x", "a:b:1"])
def test_a_wrong_address_is_named_with_its_place(address: str) -> None:
    expected = f"--rpc = {address}: an address is HOST:PORT or [IPV6]:PORT with a port from 0 to 65535"
    assert problem({"rpc": address}) == expected
    assert problem({}, {"PLAUDIT_P2P": address}).startswith(f"PLAUDIT_P2P in the environment = {address}: ")


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert collect({"rpc": "[::1]:80"}).rpc == Address("::1", 80)
    assert str(Address("::1", 80)) == "[::1]:80"


def test_a_witness_without_a_key_and_a_key_without_a_witness_are_named() -> None:
    assert "witness alice has no signing key" in problem({"witness": ("alice",)})
    assert "no witness" in problem({"witness_key": (KEY.to_wif(),)})


def test_an_unreadable_key_is_never_repeated(tmp_path: Path) -> None:
    secret = KEY.to_wif()[:-1]
    text = problem({"witness": ("a",), "witness_key": (KEY.to_wif(), secret)})
    assert text.startswith("witness_key: key 2 is not a private key")
    assert secret not in text
    file = tmp_path / "keys"
    file.write_text(secret)
    text = problem({"witness": ("a",), "witness_key_file": file})
    assert f"file {file}: key 1" in text
    assert secret not in text
    file = tmp_path / "node.toml"
    file.write_text(f"witness_key = [{secret!r}, 5]")
    assert secret not in problem({"config": file})
    assert "No such file" in problem({"witness": ("a",), "witness_key_file": tmp_path / "absent"})


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    assert "No such file" in problem({"config": file})
    file.write_text("rpc = ")
    assert "is not TOML" in problem({"config": file})
    file.write_text('rcp = "a:1"\nlog_level = "loud"\n')
    text = problem({"config": file})
    assert f"rcp in {file}: there is no such setting" in text
    assert f"log_level in {file} = loud: " in text


def test_files_with_private_keys_are_known(tmp_path: Path) -> None:
    config = tmp_path / "node.toml"
    config.write_text('witness = ["a"]\nwitness_key_file = "keys"\n')
    flags = {"config": config}
    assert list_secret_files(collect(flags)) == [tmp_path / "keys"]
    config.write_text(f'witness = ["a"]\nwitness_key = "{KEY.to_wif()}"\n')
    assert list_secret_files(collect(flags)) == [config]
    environment = {"PLAUDIT_CONFIG": str(config)}
    assert list_secret_files(collect({}, environment)) == [config]
    assert list_secret_files(collect()) == []


def test_a_key_in_the_place_of_a_file_or_a_name_is_not_repeated() -> None:
    for flags in ({"witness_key_file": Path(KEY.to_wif())}, {"witness": (KEY.to_wif(),)}):
        text = problem({"witness": ("a",)} | flags)
        assert KEY.to_wif() not in text
        assert "may be a private key" in text
    assert KEY.secret.hex() not in problem({"rpc": KEY.secret.hex()})


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_key_file_that_others_can_read_is_warned_of_at_the_start(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys"
    file.write_text(KEY.to_wif())
    file.chmod(mode)
    no_directory = tmp_path / "file"
    no_directory.write_text("")
    words = [
        "--preset",
        "dev",
        "--data-dir",
        str(no_directory / "x"),
        "--witness",
        "a",
        "--witness-key-file",
        str(file),
    ]
    command = [sys.executable, "-m", "node", "node", *words, "--witness-key-file", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert (f"WARN  {file} holds a secret" in done.stderr) is (mode == 0o644)
    assert KEY.to_wif() not in done.stderr


def test_proxies_are_ip_addresses() -> None:
    assert collect({}, {"PLAUDIT_RPC_PROXY": "127.0.0.1 ::1"}).rpc_proxy == ("127.0.0.1", "::1")
    assert problem({"rpc_proxy": ("proxy.example",)}).startswith("--rpc-proxy")
