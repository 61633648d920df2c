"""What a command of the wallet says when it fails."""

from __future__ import annotations

import click

from client.errors import ClientError, NodeRefused
from client.render import Output
from protocol.errors import ProtocolError
from wallet.advice import advise
from wallet.app import App
from wallet.cli import DEBUG_VARIABLE


def tell(error: Exception, context: click.Context) -> int:
    """Shows an error in the form that the command would have shown its result in; returns the exit code."""
    failure = describe_failure(error)
    app = context.find_object(App)
    (app.output if app else Output(False)).fail(failure)
    return failure.exit_code


def describe_failure(error: Exception) -> ClientError:
    """Any error as one that can be shown."""
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
                "The node's answer is not as it should be, or this is a fault of the wallet; "
                f"{DEBUG_VARIABLE}=1 in the environment shows where.",
            )
