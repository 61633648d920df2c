"""The page of all commands with their options and defaults, read from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

import click

from node.cli import main


def render_commands(notice: str) -> str:
    """Returns the page of all commands, in the order of their names."""
    lines = [notice, "", "# Commands", "", "All commands with their options, as shown by `--help`.", ""]
    for path, command in _walk("plaudit", main, None):
        lines += [f"## {path}", "", *_describe(path, command), ""]
    return "\n".join(lines)


def _walk(path: str, command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, parent, info_name=command.name)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, "a group has the commands that it lists"
            yield from _walk(f"{path} {name}", found, context)


def _describe(path: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=path, max_content_width=1000, terminal_width=1000)
    yield f"`{path} {' '.join(command.collect_usage_pieces(context))}`"
    yield ""
    yield from cleandoc(command.help or "").splitlines()
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        yield from ("", "| option | meaning | environment |", "| --- | --- | --- |")
    for option in options:
        record = option.get_help_record(context)
        assert record is not None, "no option is hidden"
        name, meaning = (text.replace("|", "\\|") for text in record)
        yield f"| `{name}` | {meaning} | {f'`{option.envvar}`' if option.envvar else ''} |"
