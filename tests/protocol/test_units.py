"""That a unit has one definition."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("protocol", "state", "consensus", "rewards", "operations", "chain", "rpc", "wallet")
DAY = 86_400


def test_nobody_but_units_writes_out_a_day_or_names_the_whole_again() -> None:
    found = []
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        if path.name == "units.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_day = isinstance(node, ast.Constant) and node.value == DAY
            is_whole = isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id in ("BASIS_POINTS", "PERCENT_100", "HUNDRED_PERCENT_BP")
                for target in node.targets
            )
            if isinstance(node, ast.expr | ast.stmt) and (is_day or is_whole):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
