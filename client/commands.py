"""Command groups that discover their commands in modules and load them lazily, so that help is fast."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import click

from client.harmless import HarmlessGroup


class FoundCommand(NamedTuple):
    """Location and docstring of a command function."""

    module: str
    function: str
    text: str


class ModuleGroup(HarmlessGroup):
    """A group whose commands are the functions decorated by `command` or `group` in modules and packages."""

    def __init__(self, *args: Any, sources: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sources = sources

    @cached_property
    def found(self) -> dict[str, FoundCommand]:
        """Returns all commands, sorted by name."""
        modules = (module for source in self._sources for module in _list_modules(source))
        return dict(sorted(command for name, path in modules for command in _read_commands(name, path)))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of all commands."""
        return list(self.found)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads the module of a command."""
        if cmd_name not in self.found:
            return None
        place = self.found[cmd_name]
        command: click.Command = getattr(import_module(place.module), place.function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands with their first sentences, without loading them."""
        limit = formatter.width - 6 - max(map(len, self.found))
        shown = [click.Command(name, help=command.text) for name, command in self.found.items()]
        with formatter.section("Commands"):
            formatter.write_dl([(str(command.name), command.get_short_help_str(limit)) for command in shown])


def _list_modules(source: str) -> Iterator[tuple[str, Path]]:
    """Returns the modules of a package (or a single module) with their files."""
    spec = find_spec(source)
    assert spec is not None and spec.origin is not None, f"{source} is a module or a package"
    if spec.submodule_search_locations is None:
        yield source, Path(spec.origin)
        return
    for path in Path(spec.origin).parent.glob("*.py"):
        yield f"{source}.{path.stem}", path


def _read_commands(module: str, path: Path) -> Iterator[tuple[str, FoundCommand]]:
    functions = (node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.FunctionDef))
    for function in functions:
        for decorator in function.decorator_list:
            match decorator:
                case ast.Call(func=ast.Name("command" | "group"), args=arguments):
                    name = ast.literal_eval(arguments[0]) if arguments else function.name
                    yield name, FoundCommand(module, function.name, ast.get_docstring(function) or "")
