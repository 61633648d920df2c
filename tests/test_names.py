"""No code below the declarations knows the name of an account, a symbol or a key prefix: they are data of the chain."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from protocol.config import Chain
from protocol.rules import Rules, section_of
from tests.test_layers import LAYERS, ROOT

NAMES: Final = frozenset(
    str(value)
    for value in (
        *(field.default for field in Rules.model_fields.values() if section_of(field) == "Reserved names"),
        *(Chain.model_fields[key].default for key in ("address_prefix", "steem_symbol", "sbd_symbol", "vests_symbol")),
    )
    if value
)
"""The defaults of every name in a chain config."""

DECLARATIONS: Final = frozenset({"protocol/config.py", "protocol/rules.py", "protocol/identity.py"})
"""Where the names are declared."""

WORDS: Final = {
    "post": "also a word of ours, for a command and for error texts",
    "comment": "also the name of an operation and of a field",
    "null": "also a word of JSON",
    "STEEM": "also part of the names of the reference's constants, in which its errors speak",
    "SBD": "as STEEM",
    "VESTS": "as STEEM",
}
ALLOWED: Final = {
    "docs/rpc_methods.py": {"null"},
    "operations/account.py": {"temp"},
    "operations/reward.py": {"STEEM", "SBD", "VESTS"},
    "operations/token.py": {"STEEM", "SBD", "VESTS"},
    "protocol/assets.py": {"STEEM", "SBD", "VESTS"},
    "protocol/json_text.py": {"null"},
    "protocol/wire.py": {"null"},
    "rpc/apis/rc.py": {"comment"},
    "rpc/dispatch.py": {"null"},
    "rpc/objects.py": {"comment"},
    "rpc/kinds.py": {"null"},
    "operations/vesting.py": {"VESTS"},
    "state/tables/content.py": {"comment"},
    "state/tables/tokens.py": {"comment"},
    "wallet/commands/content.py": {"post"},
    "wallet/advice.py": {"STEEM", "SBD", "VESTS"},
}
"""Texts that are a name and mean something else: words of JSON, an operation, a command, parts of the reference's
constants in its error texts ("Cannot update temp account." among them), what the wallet calls a token when it does not
know the chain."""


def find_texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Iterates over the texts of the code with their lines; docstrings and descriptions are left out."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Annotated":
            skipped.update(id(part) for part in ast.walk(node.slice) if isinstance(part, ast.Constant))
        if isinstance(node, ast.keyword) and node.arg in ("metavar", "help", "description"):
            skipped.update(id(part) for part in ast.walk(node.value) if isinstance(part, ast.Constant))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in skipped:
            text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            if isinstance(text, str):
                yield node.lineno, text


def find_names(path: str, text: str) -> list[str]:
    """The places of a file where a name that is data stands as a text of its own, or inside of a longer one."""
    found = []
    for line, value in find_texts(ast.parse(text)):
        for name in NAMES:
            is_word = name in WORDS
            stands_there = value == name if is_word else re.search(rf"(?<![\w.@-]){re.escape(name)}(?![\w-])", value)
            if stands_there and name not in ALLOWED.get(path, ()):
                found.append(f"{path}:{line}: {name!r} in {value[:60]!r} is data of the chain")
    return found


def test_names_that_are_data_stand_only_where_they_are_declared() -> None:
    found = []
    for package in (*LAYERS, "docs"):
        for file in sorted((ROOT / package).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            if path not in DECLARATIONS:
                found += find_names(path, file.read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


def test_what_is_allowed_is_there() -> None:
    for path, names in ALLOWED.items():
        texts = {text for _, text in find_texts(ast.parse((ROOT / path).read_text(encoding="utf-8")))}
        assert all(any(name in text for text in texts) for name in names), path


@pytest.mark.parametrize(
    "text",
    [
        'PRE_APPROVED = "temp"',
        'if name == "steem.dao": pass',
        'reset_account = "null"',
        'f"only initminer may {verb}"',
        'names = {b"miners"}',
        'prefix = "STM"',
        'SYMBOLS = ("STEEM", "SBD")',
        'fund = "post"',
    ],
)
def test_a_name_in_the_code_is_found(text: str) -> None:
    assert find_names("operations/x.py", text)


@pytest.mark.parametrize(
    "text",
    [
        '"""Only temp may."""',
        "name = rules.temp_account",
        'word = "template"',
        'amount: Annotated[Asset, "STEEM paid, of temp"]',
        'raise Invalid("is_asset_type( fee, STEEM_SYMBOL )")',
    ],
)
def test_what_is_no_name_is_not_found(text: str) -> None:
    assert find_names("operations/x.py", text) == []


def test_the_names_are_those_of_the_config() -> None:
    assert {"temp", "null", "miners", "initminer", "steem.dao", "STM", "STEEM", "SBD", "VESTS", "post"} <= NAMES
    assert Path("protocol/rules.py").as_posix() in DECLARATIONS
