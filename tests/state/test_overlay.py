"""What an overlay keeps in memory; what it answers is shown by the store's tests."""

from __future__ import annotations

import weakref

from state.engine.keys import TOP
from state.engine.overlay import KeyOverlay


class Part(str):
    """A text that can be watched until nothing holds it any more."""


def test_keys_that_come_and_go_are_let_go_of_though_nobody_scans() -> None:
    overlay = KeyOverlay()
    watched = []
    for number in range(100):
        part = Part(number)
        watched.append(weakref.ref(part))
        overlay.move(None, (part,), None)
        overlay.move((part,), None, None)
        del part
    assert [ref() for ref in watched] == [None] * 100


def test_keys_that_were_scanned_and_went_are_let_go_of_by_the_next_scan() -> None:
    overlay = KeyOverlay()
    part = Part("a")
    watched = weakref.ref(part)
    overlay.move(None, (part,), None)
    overlay.move(None, ("b",), None)
    assert list(overlay.scan((), (TOP,), False)) == [("a",), ("b",)]
    overlay.move((part,), None, None)
    overlay.move(None, ("c",), None)
    del part
    assert list(overlay.scan((), (TOP,), False)) == [("b",), ("c",)]
    assert watched() is None


def test_a_key_that_comes_back_before_the_next_scan_is_there() -> None:
    overlay = KeyOverlay()
    overlay.move(None, ("a",), None)
    assert list(overlay.scan((), (TOP,), False)) == [("a",)]
    overlay.move(("a",), None, None)
    overlay.move(None, ("a",), None)
    assert list(overlay.scan((), (TOP,), False)) == [("a",)]
    overlay.move(("a",), None, None)
    assert list(overlay.scan((), (TOP,), False)) == []
