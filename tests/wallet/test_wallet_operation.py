"""The commands that are made from the declarations of the operations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from operations.registry import ALL_OPERATIONS
from protocol.codec import codec_for
from protocol.identity import STEEM_MAINNET
from protocol.operation import Operation
from tests.operations.samples import SAMPLES
from wallet.app import App
from wallet.commands.operation import PLAIN, make_flag, operation

CODEC = codec_for(STEEM_MAINNET)


class Sent(App):
    """Settings that keep what would be sent."""

    def __init__(self) -> None:
        super().__init__("", Path("none"))
        self.__dict__["session"] = type("Session", (), {"codec": CODEC})()
        self.sent: list[Operation] = []

    def send(self, *operations: Operation, **_: Any) -> None:  # type: ignore[override]
        self.sent += operations


def run(*arguments: str) -> tuple[click.testing.Result, list[Operation]]:
    app = Sent()
    return CliRunner().invoke(operation, arguments, obj=app), app.sent


@pytest.mark.parametrize("name", SAMPLES)
def test_every_operation_can_be_given_field_by_field(name: str) -> None:
    sample = SAMPLES[name]
    shown = CODEC.operation_to_json(sample, legacy=True)[1]
    shapes = {field.json_name: field.shape for field in CODEC.fields(type(sample)).fields}
    arguments = [name]
    for key, value in shown.items():
        is_text = isinstance(shapes[key], PLAIN) and not isinstance(value, dict)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        arguments += [make_flag(key), text if is_text else json.dumps(value)]
    result, sent = run(*arguments)
    assert result.exit_code == 0, result.output
    assert sent == [sample]


def test_each_operation_that_can_be_sent_has_its_command_and_its_fields_as_options() -> None:
    context = click.Context(operation)
    assert operation.list_commands(context) == sorted(SAMPLES)
    for name in SAMPLES:
        command = operation.get_command(context, name)
        assert command is not None
        described = {option.name: option.help for option in command.params if isinstance(option, click.Option)}
        for field in CODEC.fields(type(SAMPLES[name])).fields:
            assert described[field.json_name] == field.text
    assert all(operation.get_command(context, cls.wire_name) is None for cls in ALL_OPERATIONS.values() if cls.virtual)


def test_a_field_that_is_wrong_is_named() -> None:
    result, sent = run("transfer", "--from", "alice", "--to", "bob", "--amount", "1 STEEM")
    assert not sent
    assert "--amount '1 STEEM'" in str(result.exception) and "Incorrect decimal places" in str(result.exception)
