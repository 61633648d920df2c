"""Sanitized command-line errors, since they contain user input and texts of nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from client.terminal import clean_lines


class HarmlessGroup(click.Group):
    """A group that removes keys and terminal control characters from its errors and those of its commands."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parses the group's own options."""
        with harmless_errors():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Parses the options of the command and runs it."""
        with harmless_errors():
            return super().invoke(ctx)


@contextmanager
def harmless_errors() -> Iterator[None]:
    """Sanitizes the texts of click's errors."""
    try:
        yield
    except click.ClickException as error:
        from protocol.secrecy import hide_keys  # noqa: PLC0415 - loads the curve, and help needs none

        shown = hide_keys(clean_lines(error.format_message()), raw=isinstance(error, click.UsageError))
        vars(error)["format_message"] = lambda: shown
        raise
