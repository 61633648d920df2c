"""Error output of the wallet's commands."""

from __future__ import annotations

import click

from client.errors import ClientError, NodeRefused
from client.render import Output
from protocol.errors import ProtocolError
from wallet.advice import advise
from wallet.app import App
from wallet.cli import DEBUG_VARIABLE


def tell(error: Exception, context: click.Context) -> int:
    """Prints an error in the command's output format; returns the exit code."""
    failure = describe_failure(error)
    app = context.find_object(App)
    (app.output if app else Output(False)).fail(failure)
    return failure.exit_code


def describe_failure(error: Exception) -> ClientError:
    """Converts any exception to a ClientError."""
    match error:
        case NodeRefused():
            return advise(error)
        case ClientError():
            return error
        case ProtocolError():
            return ClientError(error.message.partition(":")[2].strip(": ") or error.message)
        case OSError():
            return ClientError(f"{error.filename or 'file'}: {error.strerror or error}")
        case _:
            return ClientError(
                f"the wallet failed: {type(error).__name__}: {error}",
                "The node's response is invalid, or this is a bug in the wallet; "
                f"{DEBUG_VARIABLE}=1 in the environment shows where.",
            )
