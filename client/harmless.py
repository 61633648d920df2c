"""The errors of a command line, made harmless before they are shown: they repeat what was typed or what a node said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from client.terminal import clean_lines


class HarmlessGroup(click.Group):
    """A group whose errors, and those of all its commands, show no key and send nothing to the terminal."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Reads the group's own options."""
        with harmless_errors():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Reads the options of the command and runs it."""
        with harmless_errors():
            return super().invoke(ctx)


@contextmanager
def harmless_errors() -> Iterator[None]:
    """Makes the text of click's errors harmless."""
    try:
        yield
    except click.ClickException as error:
        from protocol.secrecy import hide_keys  # noqa: PLC0415 - loads the curve, and help needs none

        shown = hide_keys(clean_lines(error.format_message()), raw=isinstance(error, click.UsageError))
        vars(error)["format_message"] = lambda: shown
        raise
