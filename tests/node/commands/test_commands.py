"""Commands are found by their modules, and what they say of settings comes from the settings' declarations."""

from __future__ import annotations

import subprocess
import sys
from inspect import cleandoc
from pathlib import Path

import click
import pytest

from client.commands import ModuleGroup
from docs.generate import DOCS, PAGES
from node.cli import main
from node.commands.node import node as node_command
from node.settings import collect_settings, list_settings
from wallet.cli import wallet

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", ["reference/commands.md", "reference/settings.md"])
def test_no_option_default_or_variable_changes_unseen(name: str) -> None:
    """The pages of commands and settings are in the repository: `make docs` shows what changed."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run make docs"


@pytest.mark.parametrize("group", [main, wallet], ids=["plaudit", "wallet"])
def test_a_command_is_what_its_module_says(group: ModuleGroup) -> None:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        assert found.name == name
        assert cleandoc(found.help or "") == group.found[name].text != ""


def test_every_file_of_the_commands_has_one() -> None:
    assert isinstance(main, ModuleGroup)
    files = {file.stem for file in (ROOT / "node" / "commands").glob("*.py")} - {"__init__"}
    assert files == {place.module.removeprefix("node.commands.") for place in main.found.values()} - {"wallet.cli"}


def test_a_node_takes_every_setting_as_a_flag_and_from_the_environment() -> None:
    flags = {option for parameter in node_command.params for option in parameter.opts}
    for name, setting in list_settings().items():
        assert setting.flag in flags
        value = {"witness_key": "x", "cache_rows": "2000", "preset": "dev", "log_level": "debug"}.get(name)
        if value is not None:
            assert str(getattr(collect_settings({}, {setting.variable: value}), name)).strip("()',") == value


def test_a_command_that_is_not_there_is_refused() -> None:
    assert main.get_command(click.Context(main), "__init__") is None
    assert main.get_command(click.Context(main), "options") is None


@pytest.mark.parametrize(
    ("words", "left_out"),
    [
        ([], ("node.commands.", "wallet.cli", "aiohttp", "chain")),
        (["node"], ("chain", "state.engine.store", "aiohttp", "asyncio", "plyvel", "rich", "protocol.keys")),
        (["dev"], ("chain", "state.engine.store", "aiohttp", "asyncio", "plyvel", "rich", "protocol.keys")),
    ],
)
def test_help_loads_only_what_it_says(words: list[str], left_out: tuple[str, ...]) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from node.cli import main;"
        f"done = CliRunner().invoke(main, [*{words}, '--help']); assert done.exit_code == 0, done.output;"
        f"print([name for name in sys.modules if name.startswith({left_out})])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
