"""What may be a private key is not repeated; public keys, ids and words are."""

from unittest.mock import Mock

import pytest

from protocol import base58, secrecy
from protocol.keys import NULL_KEY, PrivateKey, encode_public_key
from protocol.secrecy import HIDDEN, WORDS_MAX, hide_keys

KEY = PrivateKey.from_seed("some key")
WIF = KEY.to_wif()
COMPRESSED = base58.encode_check(b"\x80" + KEY.secret + b"\x01")


@pytest.mark.parametrize("secret", [WIF, COMPRESSED, f"P{WIF}", WIF[:-3], WIF[1:], WIF.replace(WIF[9], "0"), f"{WIF}x"])
def test_private_keys_are_hidden_even_when_mistyped(secret: str) -> None:
    assert hide_keys(secret) == HIDDEN
    assert hide_keys(f"no such option --{secret}: '{secret}', {secret}.") == (
        f"no such option --{HIDDEN}: '{HIDDEN}', {HIDDEN}."
    )


@pytest.mark.parametrize(
    "shown",
    [
        encode_public_key(KEY.public_key, "STM"),
        encode_public_key(KEY.public_key, "TST"),
        encode_public_key(NULL_KEY, "STM"),
        "0a" * 20,
        "0a" * 32,
        "1f" * 65,
        "a-long-permlink-with-many-words-2020-01-01t00-00-00-000z",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        "UPPERCASEUPPERCASEUPPERCASEUPPERCASEUPPERCASEUPPERCASE",
        "Aa1" * 100,
    ],
)
def test_what_is_no_private_key_stays(shown: str) -> None:
    assert hide_keys(shown) == shown


def test_raw_secrets_are_hidden_where_only_arguments_stand() -> None:
    digits = KEY.secret.hex()
    assert hide_keys(f"no account {digits!r}", raw=True) == f"no account '{HIDDEN}'"
    assert hide_keys(f"the node follows chain {digits}", raw=True).endswith(digits)
    assert hide_keys(f"block {digits}") == f"block {digits}"


def test_a_text_of_many_such_words_takes_no_long_time(monkeypatch: pytest.MonkeyPatch) -> None:
    public = encode_public_key(KEY.public_key, "STM")
    look = Mock(wraps=secrecy.is_public_key)
    monkeypatch.setattr(secrecy, "is_public_key", look)
    shown = hide_keys(" ".join([public] * 10_000)).split(" ", WORDS_MAX)
    assert shown[:WORDS_MAX] == [public] * WORDS_MAX
    assert set(shown[WORDS_MAX].replace(HIDDEN, "x")) == {"x", " "}
    assert look.call_count == WORDS_MAX
