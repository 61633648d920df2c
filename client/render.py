"""Output: tables for people, JSON for programs.

Texts from a chain are untrusted, so all output goes through the console below, which sanitizes it (client/terminal.py)
and never interprets it as markup.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from client.errors import ClientError
from client.terminal import clean, clean_json, clean_lines
from protocol.errors import Invalid
from protocol.secrecy import hide_keys
from protocol.times import date_text, parse_time

Columns = Mapping[str, str | Callable[[Any], Any]]
"""Columns of a table of JSON objects: heading to the name of a field or a function of the object."""

PIPE_WIDTH = 200
"""Width of a table written to a file or a pipe."""


def text(value: Any, style: str = "") -> Text:
    """Returns a value as rich text without markup; may have several lines."""
    return Text(clean_lines(value), style=style, overflow="fold")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "", right: Sequence[int] = ()) -> Table:
    """Returns a table; the columns numbered in `right` are right-aligned. A cell is one line unless it is rich text."""
    shown = Table(
        title=Text(clean_lines(title)) if title else None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for number, column in enumerate(columns):
        shown.add_column(Text(clean(column)), justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else text(clean(cell)) for cell in row))
    return shown


def fields(values: Mapping[str, Any] | Iterable[tuple[str, Any]], title: str = "") -> RenderableType:
    """Returns names with values, one per line."""
    shown = Table.grid(padding=(0, 2))
    shown.add_column(style="bold")
    shown.add_column(overflow="fold")
    for name, value in values.items() if isinstance(values, Mapping) else values:
        shown.add_row(text(name), text(value))
    return Group(Text(clean_lines(title), style="bold underline"), shown) if title else shown


def table_of(rows: Iterable[Any], columns: Columns, title: str = "", right: Sequence[int] = ()) -> Table:
    """Returns a table of JSON objects."""
    shown = ([row[cell] if isinstance(cell, str) else cell(row) for cell in columns.values()] for row in rows)
    return table(tuple(columns), shown, title, right)


NEVER = "1969-12-31T23:59:59"
"""The maximum time as a node shows it, which means never."""

TIME_FIELDS = ("date", "deadline", "expiration", "time")
"""Suffixes of names of time fields in operations."""


def moment(shown: str) -> str:
    """Corrects a time as shown by a node, in which times from 2038 on wrap around to 1901."""
    return "never" if shown == NEVER else date_text(parse_time(shown))


def utc(name: str) -> Callable[[Any], str]:
    """Shows the time in the field of an object."""
    return lambda row: f"{moment(row[name])} UTC"


def field_text(name: str, value: str) -> str:
    """Formats a value of an operation, as a date if the field's name says so."""
    try:
        return moment(value) if name.endswith(TIME_FIELDS) else value
    except Invalid:
        return value


class Output:
    """Output of results to standard output, as text or JSON. Questions and notes go to standard error."""

    def __init__(self, is_json: bool) -> None:
        self.is_json = is_json

    def show(self, data: Any, draw: Callable[[], RenderableType]) -> None:
        """Prints a result: `data` as JSON, or `draw` of it for people."""
        if self.is_json:
            print(clean_json(json.dumps(data, indent=2, ensure_ascii=False)))
        else:
            _print(draw())

    def list(self, name: str, rows: Sequence[Any], columns: Columns, *right: int) -> None:
        """Prints JSON objects as a list of this name, or as the table of `table_of`."""
        self.show({name: rows}, lambda: table_of(rows, columns, right=right))

    def ask(self, question: RenderableType) -> None:
        """Prints the subject of a question."""
        _print(question, is_error=True)

    def note(self, sentence: str) -> None:
        """Prints a note for people beside the result."""
        if not self.is_json:
            _print(text(sentence, "dim"), is_error=True)

    def warn(self, sentence: str) -> None:
        """Prints a warning to standard error, for people and programs."""
        _print(Text.assemble(("Warning: ", "bold yellow"), hide_keys(clean(sentence))), is_error=True)

    def fail(self, error: ClientError) -> None:
        """Prints an error; JSON to standard output instead of the result."""
        told = {"cause": error.cause, "remedy": error.remedy, "node_message": error.node_message}
        shown = {name: hide_keys(value, raw=True) for name, value in told.items() if value}
        signed = error.signed
        if self.is_json:
            print(clean_json(json.dumps({"error": shown | (signed._asdict() if signed else {})}, indent=2)))
            return
        _print(Text.assemble(("Error: ", "bold red"), clean(shown.get("cause", "")), "."), is_error=True)
        if error.remedy:
            _print(text(clean(shown["remedy"])), is_error=True)
        if error.node_message and error.node_message not in error.cause:
            _print(text(clean(f"The node said: {shown['node_message']}"), "dim"), is_error=True)
        if signed is not None:
            what = f"It was signed as transaction {signed.transaction_id}"
            _print(text(f"{what}, which no block takes after {signed.valid_until} UTC.", "dim"), is_error=True)


class _HarmlessConsole(Console):
    """A console that prints texts literally, without terminal control characters."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Returns the segments to print."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(clean_lines(segment.text), segment.style)


def _print(shown: RenderableType, is_error: bool = False) -> None:
    """Prints with colours to a terminal; to anything else without colours and trailing blanks."""
    stream = sys.stderr if is_error else sys.stdout
    if stream.isatty():
        _HarmlessConsole(file=stream).print(shown)
        return
    console = _HarmlessConsole(file=io.StringIO(), width=PIPE_WIDTH, color_system=None)
    with console.capture() as captured:
        console.print(shown)
    stream.write("".join(line.rstrip() + "\n" for line in captured.get().removesuffix("\n").split("\n")))
