"""Messages for errors of opening a chain or a port: cause and remedy."""

from __future__ import annotations

import errno
from typing import Final

import click

from chain.finality import ChainUnusable
from client.errors import ClientError
from node.settings import SettingsError
from protocol.config import ChainConfigError
from protocol.errors import BlockLogError, HistoryUnavailable, ProtocolError, UnknownHardfork
from state.engine import errors

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2

_REMEDIES: Final[dict[type[Exception], str]] = {
    errors.StoreLocked: "Stop the other process, or choose another --data-dir.",
    errors.ForeignConfig: "Use the chain config (and --block-time) it was made with, or choose another --data-dir; "
    "a chain that runs changes its rules by a hard fork.",
    errors.ForeignChain: "Name the chain it was made for with --preset or --chain, or choose another --data-dir.",
    errors.StoreTooNew: "Use the newer version of Plaudit that wrote it, or choose another --data-dir.",
    errors.NotAStore: "Choose an empty directory with --data-dir; nothing was changed.",
    errors.StoreCorrupt: "Restore the directory from a copy, or remove its folder `state`: at the next start it is "
    "rebuilt from the block log.",
    errors.StoreFull: "Free some disk space and start again; nothing is lost.",
    errors.StoreWriteFailed: "Check the disk and start again; nothing is lost.",
    ChainUnusable: "Restart the node: it continues from its files.",
    errors.StoreError: "Check the directory's files and their permissions.",
    UnknownHardfork: "Use the chain config that holds the hard fork, or the newer version of Plaudit that knows it.",
    HistoryUnavailable: "Run the node with --no-history, or restore a snapshot with history into another directory.",
    BlockLogError: "Restore `block_log` of the data directory from a copy. If only `block_log.index` is damaged, "
    "remove it: it is rebuilt.",
}


class CommandError(click.ClickException):
    """An error of a command: one line on standard error, and exit code 1 (2 for a usage error)."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = exit_code  # click declares it on the class


def explain(error: Exception) -> str | None:
    """Returns cause and remedy in one line, or None for a bug in the program."""
    for kind, remedy in _REMEDIES.items():
        if isinstance(error, kind):
            cause = _describe_protocol(error) if isinstance(error, ProtocolError) else str(error)
            return f"{_sentence(cause)} {remedy}"
    if isinstance(error, ProtocolError):
        return f"The blocks of the data directory do not fit the chain: {error.message}"
    if isinstance(error, OSError):
        return _explain_system(error)
    return None


def _explain_system(error: OSError) -> str:
    cause = error.strerror or str(error)
    if error.errno == errno.ENOSPC:
        return "The disk is full. Free some space and start again; nothing is lost."
    return f"{error.filename}: {cause}" if error.filename else cause


def explain_port(name: str, address: object, error: OSError) -> str:
    """Returns why a port could not be opened."""
    if error.errno == errno.EADDRINUSE:
        return f"{address} is in use by another program. Stop it, or choose another address with --{name}."
    return f"{address} can not be opened: {error.strerror or error}. Choose another address with --{name}."


def _describe_protocol(error: ProtocolError) -> str:
    """Returns the error's message, or the name of its class when it has none."""
    return error.message.removeprefix(f"{error.what}:") or error.what


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def make_plain(error: Exception) -> CommandError | None:
    """Converts an error that the user can fix to a CommandError; returns None for others, whose traceback is needed."""
    if isinstance(error, ClientError):
        return CommandError(f"{error.cause}. {error.remedy}".rstrip(), error.exit_code)
    if isinstance(error, (ChainConfigError, SettingsError)):
        return CommandError(str(error), EXIT_USAGE)
    text = explain(error)
    return None if text is None else CommandError(text)
