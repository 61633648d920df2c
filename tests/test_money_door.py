"""Money has one door: the code is read with `ast`, and random operations are played, to see that nothing passes it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from state.engine.table import Table
from state.places import HELD_IN, find_money_fields
from state.tables.tables import Tables
from tests.audit.play import Player
from tests.test_layers import ROOT, read_imports, source_files

DOOR: Final = frozenset(f"state/{name}.py" for name in ("supply", "balances", "issuance", "stake", "reward_balances"))
"""The files that change balances and supplies."""
MAY_MAKE_MONEY: Final = frozenset(
    {
        "chain/delayed_payments.py",  # SBD are burned and STEEM made of them when they are converted.
        "rewards/cashout.py",  # A part of what a post earns is burned, and SBD made of it.
        "rewards/inflation.py",
        "rewards/null_account.py",
        "tokens/emissions.py",
        "tokens/launch.py",
    }
)
"""The files that may import state/issuance.py."""
MAY_RECOUNT: Final = frozenset({"rewards/virtual_supply.py"})
"""The files outside the door that may import state/supply.py."""
BEGINNING: Final = frozenset({"chain/genesis.py"})
"""The files that make the rows money is in before block 1."""
READERS: Final = frozenset({"rpc", "node", "client", "wallet"})
"""Packages that read balances and never change them."""
NAMED_ELSEWHERE: Final = frozenset(
    {"chain/hardforks.py", "consensus/header.py", "rewards/voting.py", "state/context.py"}
)
"""Files that pass changes of rows on by `**`: of rules, witnesses and posts."""
FIELDS: Final = frozenset(field for spec in Tables.SPECS for field in find_money_fields(spec.name))
"""The fields that hold money, and those that follow from them."""
HOLDERS: Final = frozenset({*HELD_IN, "vesting_delegations", "vesting_delegation_expirations"})
"""Tables whose rows are inserted and deleted by the door alone."""


def find_violations(path: str, text: str) -> list[str]:
    """Returns where a file goes round the door, as sentences with file and line."""
    if path in DOOR:
        return []
    tree = ast.parse(text)
    module = path.removesuffix(".py").replace("/", ".")
    found = [
        f"{path}:{line}: {sentence}"
        for line, sentence in (*_check_imports(path, tree, module), *_check_calls(path, tree))
    ]
    return found


def _check_imports(path: str, tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    for imported in read_imports(tree, module.rpartition(".")[0]):
        whole = f"{imported.module}.{imported.name}"
        for file in DOOR:
            door = file.removesuffix(".py").replace("/", ".")
            if imported.module != door and whole != door:
                continue
            if path.partition("/")[0] in READERS:
                yield imported.line, f"imports {door}, and may only read"
            elif door == "state.issuance" and path not in MAY_MAKE_MONEY:
                yield imported.line, "imports state.issuance, and may not make money"
            elif door == "state.supply" and path not in MAY_RECOUNT:
                yield imported.line, "imports state.supply, the hand of the door"


def _check_calls(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    aliases = _find_aliases(tree)
    updates = () if path in NAMED_ELSEWHERE else ("update", "update_gpo")
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        callee = node.func
        name = callee.attr if isinstance(callee, ast.Attribute) else callee.id if isinstance(callee, ast.Name) else ""
        table = _find_table(callee.value, aliases) if isinstance(callee, ast.Attribute) else ""
        if name == "change" and isinstance(callee, ast.Attribute):
            yield node.lineno, "changes a purse"
        elif name in ("insert", "delete") and table in HOLDERS:
            yield node.lineno, f"{name}s a row of {table}"
        elif name in updates and {keyword.arg for keyword in node.keywords} >= {None}:
            yield node.lineno, "updates a row with fields that have no names here"
        if name[:1].islower() and name != "pay_out":  # What begins with a capital only makes a row or an operation.
            for keyword in node.keywords:
                if keyword.arg in FIELDS:
                    yield node.lineno, f"gives {name} another {keyword.arg}"
        if name == "insert" and path not in BEGINNING:
            for made in node.args:
                if isinstance(made, ast.Call) and any(keyword.arg in FIELDS for keyword in made.keywords):
                    yield node.lineno, "inserts a row with money in it"


def _find_aliases(tree: ast.AST) -> dict[str, str]:
    """Names that stand for tables somewhere in the file."""
    aliases = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=False))
                for left, right in pairs:
                    if isinstance(left, ast.Name) and isinstance(right, ast.Attribute):
                        aliases[left.id] = right.attr
    return aliases


def _find_table(receiver: ast.expr, aliases: dict[str, str]) -> str:
    if isinstance(receiver, ast.Attribute):
        return receiver.attr
    return aliases.get(receiver.id, "") if isinstance(receiver, ast.Name) else ""


def test_nothing_goes_round_the_door() -> None:
    files = [file.relative_to(ROOT).as_posix() for file in source_files()]
    assert set(files) >= DOOR | MAY_MAKE_MONEY | MAY_RECOUNT | BEGINNING | NAMED_ELSEWHERE
    violations = [line for file in files for line in find_violations(file, Path(ROOT, file).read_text())]
    assert not violations, "\n".join(violations)


@pytest.mark.parametrize("maker", sorted(MAY_MAKE_MONEY))
def test_who_may_make_money_does(maker: str) -> None:
    assert "from state.issuance import" in Path(ROOT, maker).read_text()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("operations/x.py", "from state.issuance import issue"),
        ("operations/x.py", "from state import issuance"),
        ("rewards/x.py", "import state.issuance"),
        ("operations/x.py", "from state.supply import change_supply"),
        ("rpc/x.py", "from state.balances import move"),
        ("rpc/apis/x.py", "from state.stake import STAKE"),
        ("node/x.py", "from state.issuance import burn"),
        ("operations/x.py", "ctx.tables.accounts.update(account, balance=1)"),
        ("rewards/x.py", "ctx.update_gpo(current_supply=1)"),
        ("chain/x.py", "accounts.update(account, received_vesting_shares=0)"),
        ("chain/x.py", "accounts.update(account, **changes)"),
        (
            "operations/x.py",
            "update_with_mana(ctx, account, bars, vesting_shares=9)",
        ),
        ("chain/x.py", "power_down.finish(balance=5)"),
        ("operations/x.py", "LIQUID.change(ctx, name, symbol, 5)"),
        ("operations/x.py", "ctx.tables.limit_orders.delete(order)"),
        ("operations/x.py", "orders = ctx.tables.limit_orders\norders.insert(order)"),
        ("chain/x.py", "now, due = ctx.time, ctx.tables.vesting_delegation_expirations\ndue.delete(row)"),
        ("operations/x.py", "accounts.insert(Account(name='a', vesting_shares=5))"),
    ],
)
def test_what_is_forbidden_is_found(path: str, text: str) -> None:
    assert find_violations(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("operations/x.py", "from state.balances import LIQUID, move\nmove(ctx, amount, (LIQUID, 'a'), (LIQUID, 'b'))"),
        ("operations/x.py", "from state.stake import STAKE\naccounts.update(account, can_vote=False)"),
        ("rewards/inflation.py", "from state.issuance import issue"),
        ("rewards/virtual_supply.py", "from state.supply import set_virtual_supply"),
        ("rpc/x.py", "from state.prices import get_median_price\nfrom state.interest import compute_earned"),
        ("chain/genesis.py", "accounts.insert(Account(name='a', balance=5))"),
    ],
)
def test_what_is_allowed_is_not_found(path: str, text: str) -> None:
    assert find_violations(path, text) == []


# What is played


def _read_money(table: Table[Any, Any], row: Any) -> list[Any]:
    return [] if row is None else [getattr(row, field) for field in sorted(find_money_fields(table.name))]


def test_only_the_door_changes_money(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()

    def watch(name: str) -> None:
        original = getattr(Table, name)

        def watched(self: Any, row: Any, /, **changes: Any) -> Any:
            new = original(self, row, **changes)
            after = _read_money(self, {"insert": row, "update": new, "delete": None}[name])
            if any(after) if name == "insert" else after != _read_money(self, row):
                file = Path(sys._getframe(1).f_code.co_filename).relative_to(ROOT).as_posix()
                seen.add((file, self.name))
            return new

        monkeypatch.setattr(Table, name, watched)

    for name in ("insert", "update", "delete"):
        watch(name)
    player = Player(5)
    player.start()
    for _ in range(400):
        player.step()
    files = {file for file, _ in seen if not file.startswith("tests/")}
    assert files <= DOOR | BEGINNING
    assert files >= DOOR - {"state/issuance.py"}
    assert {table for _, table in seen} >= {"accounts", "global_properties", "reward_funds", "limit_orders"}


def test_the_page_for_contributors_names_the_files() -> None:
    page = Path(ROOT, "docs/contributing.md").read_text(encoding="utf-8")
    for file in DOOR | MAY_MAKE_MONEY | MAY_RECOUNT | BEGINNING:
        assert f"`{file}`" in page
