"""Output: tables for people, JSON for programs.

Whatever comes from a chain is somebody else's text: it is shown without control characters, so that no post or memo
can send commands to the terminal.
"""

from __future__ import annotations

import io
import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from wallet.errors import WalletError

PIPE_WIDTH = 200
"""Columns of a table that goes to a file or a pipe."""
_KEPT = ("\n", "\t")


def clean(value: Any) -> str:
    """The text of a value, with control and direction characters made visible as their code points."""
    return "".join(
        f"<{ord(character):x}>"
        if unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in _KEPT
        else character
        for character in str(value)
    )


def text(value: Any, style: str = "") -> Text:
    """A value as rich text without markup."""
    return Text(clean(value), style=style, overflow="fold")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "", right: Sequence[int] = ()) -> Table:
    """A table; the columns numbered in `right` are aligned right."""
    shown = Table(
        title=Text(clean(title)) if title else None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for number, column in enumerate(columns):
        shown.add_column(Text(column), justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(text(value) for value in row))
    return shown


def fields(values: Mapping[str, Any] | Iterable[tuple[str, Any]], title: str = "") -> RenderableType:
    """Names with their values, one a line."""
    shown = Table.grid(padding=(0, 2))
    shown.add_column(style="bold")
    shown.add_column(overflow="fold")
    for name, value in values.items() if isinstance(values, Mapping) else values:
        shown.add_row(text(name), text(value))
    return Group(Text(clean(title), style="bold underline"), shown) if title else shown


class Output:
    """Where results go: standard output, in one of two forms. Questions and notes go to standard error."""

    def __init__(self, is_json: bool) -> None:
        self.is_json = is_json

    def show(self, data: Any, draw: Callable[[], RenderableType]) -> None:
        """Prints a result: `data` as JSON, or what `draw` makes of it for people."""
        if self.is_json:
            print(json.dumps(data, indent=2, ensure_ascii=False))
        else:
            _print(draw())

    def ask(self, question: RenderableType) -> None:
        """Prints what a question is about."""
        _print(question, is_error=True)

    def note(self, sentence: str) -> None:
        """Tells people something beside the result."""
        if not self.is_json:
            _print(text(sentence, "dim"), is_error=True)

    def fail(self, error: WalletError) -> None:
        """Prints an error: JSON goes where the result would have gone."""
        if self.is_json:
            shown = {"cause": error.cause, "remedy": error.remedy, "node_message": error.node_message}
            print(json.dumps({"error": {name: value for name, value in shown.items() if value}}, indent=2))
            return
        _print(Text.assemble(("Error: ", "bold red"), clean(error.cause), "."), is_error=True)
        if error.remedy:
            _print(text(error.remedy), is_error=True)
        if error.node_message and error.node_message not in error.cause:
            _print(text(f"The node said: {error.node_message}", "dim"), is_error=True)


def _print(shown: RenderableType, is_error: bool = False) -> None:
    """Prints to a terminal with colours, to anything else without them and without blanks at the ends of lines."""
    stream = sys.stderr if is_error else sys.stdout
    if stream.isatty():
        Console(file=stream, highlight=False).print(shown)
        return
    console = Console(file=io.StringIO(), width=PIPE_WIDTH, highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(shown)
    stream.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))
