"""Texts of others on a terminal: harmless, and otherwise as they are."""

import io
import json
import re
import sys

import pytest
from rich.console import Group, RenderableType
from rich.text import Text

from client.errors import ClientError
from client.render import Output, fields, table, text
from client.terminal import clean, clean_json, clean_lines

HOSTILE = "a\x00\x07\x1b]0;x\x07\x1b[31m\x7f\x9b2J\u200b\u202e\u2066\ufeff\u2028\u2029\r\U000e0041\ud800[red]b[/red]"
KEPT = "größe 漢字 👨\u200d👩 नमस्ते\u200c עברית"


def is_harmless(shown: str) -> bool:
    """Whether a text commands no terminal: line breaks are all it may have that is not printed."""
    return all(letter.isprintable() or letter in "\n\u200c\u200d" for letter in shown)


def test_one_line_and_several() -> None:
    assert clean("a\nb\tc") == "a<a>b<9>c"
    assert clean_lines("a\nb\tc") == "a\nb\tc"
    assert clean(HOSTILE).isprintable()
    assert is_harmless(clean_lines(HOSTILE))
    assert clean_lines(KEPT) == KEPT
    assert "<1b>[31m" in clean(HOSTILE)


def test_json_says_the_same() -> None:
    value = {"memo": HOSTILE + KEPT, HOSTILE: [1]}
    shown = clean_json(json.dumps(value, indent=2, ensure_ascii=False))
    assert json.loads(shown) == value
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert "größe 漢字" in shown


@pytest.mark.parametrize("is_json", [False, True])
def test_whatever_is_shown_comes_out_harmless(is_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(is_json)

    def show(drawn: RenderableType) -> None:
        output.show({"a": HOSTILE}, lambda: drawn)
        output.ask(drawn)

    shapes = (fields({HOSTILE: HOSTILE}, HOSTILE), table((HOSTILE,), ((HOSTILE,),), HOSTILE))
    for drawn in (HOSTILE, Text(HOSTILE), text(HOSTILE), *shapes):
        show(drawn)
    output.note(HOSTILE)
    output.warn(HOSTILE)
    output.fail(ClientError(HOSTILE, HOSTILE, f"other {HOSTILE}"))
    shown = capsys.readouterr()
    assert is_harmless(shown.out)
    assert is_harmless(shown.err)
    assert "[red]b[/red]" in shown.out + shown.err


def test_a_terminal_gets_no_codes_but_those_of_the_wallet(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    Output(False).show(None, lambda: Group(HOSTILE, Text(HOSTILE, style="bold red"), fields({HOSTILE: HOSTILE})))
    shown = screen.getvalue()
    assert "\x1b[1;31m" in shown
    assert is_harmless(re.sub(r"\x1b\[[\d;]*m", "", shown))
    assert shown.count("<1b>[31m") == 4


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Output(False).fail(ClientError("no\nError: all is well", "x\ny", "z\nw"))
    assert capsys.readouterr().err.splitlines() == ["Error: no<a>Error: all is well.", "x<a>y", "The node said: z<a>w"]
