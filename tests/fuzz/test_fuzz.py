"""A bounded part of `make fuzz`, inputs that once failed, and the fuzzer's own mistakes."""

from __future__ import annotations

from pathlib import Path
from random import Random
from unittest.mock import Mock

import pytest

from protocol.p2p.channel import SecureChannel
from tests.fuzz import corpus, run
from tests.fuzz.corpus import keep, read_corpus
from tests.fuzz.mutate import JsonMutator, Mutator
from tests.fuzz.run import Failure, Run, feed, make_target
from tests.fuzz.target import Broken, Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.wire_targets import Messages

INPUTS = {"frames": 600, "messages": 4_000, "node": 1_200, "rpc": 1_000, "transactions": 1_200, "blocks": 800}


@pytest.mark.parametrize("kind", TARGETS, ids=lambda kind: kind.name)
def test_no_input_does_what_it_must_not(kind: type[Target]) -> None:
    report = Run(make_target(kind, seed=1), INPUTS[kind.name]).play()
    assert not report.failures, "\n".join(f"{failure.what}\n{failure.trace}" for failure in report.failures[:3])
    assert report.accepted > report.inputs // 20 and report.refused > report.inputs // 20, "one-sided inputs"


def test_what_once_failed() -> None:
    for kept in read_corpus():
        (kind,) = (kind for kind in TARGETS if kind.name == kept.target)
        target = make_target(kind, seed=0)
        _, failure = feed(target, kept.data, 0)
        assert failure is None, f"{kept.target} {kept.word}: {failure.trace if failure else ''}"
        target.check()


def test_a_failing_input_is_kept_and_fed_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(corpus, "CORPUS", tmp_path)
    keep(Failure("messages", 7, b"\x89\x13\0\0data", "KeyError", ""), seed=3)
    (kept,) = read_corpus()
    assert (kept.target, kept.word, kept.data) == ("messages", "found-3-7", b"\x89\x13\0\0data")
    monkeypatch.setattr("tests.fuzz.wire_targets.unpack_message", Mock(side_effect=KeyError("missing")))
    with pytest.raises(AssertionError, match="found-3-7"):
        test_what_once_failed()


@pytest.mark.parametrize("kind", TARGETS, ids=lambda kind: kind.name)
def test_inputs_follow_from_the_seed(kind: type[Target]) -> None:
    one, two, other = (make_target(kind, seed) for seed in (5, 5, 6))
    first = []
    for target in (one, two, other):
        inputs = []
        for _ in range(30):
            inputs.append(target.make())
            target.run(inputs[-1])
        first.append(inputs)
    assert first[0] == first[1] != first[2]


def test_spoiled_bytes_do_not_grow_without_end() -> None:
    mutator = Mutator(Random(1), [b"abc" * 30_000])
    data = b"abc"
    for _ in range(3_000):
        data = mutator.spoil(data)
        assert len(data) <= 200_000
    values = JsonMutator(Random(1), ["x"])
    assert len({repr(values.spoil({"a": [1, 2, {"b": 3}]})) for _ in range(200)}) > 100


# Planted faults: each must be found.


def play(kind: type[Target], inputs: int) -> list[str]:
    return [failure.what for failure in Run(make_target(kind, seed=2), inputs).play().failures]


def test_an_exception_of_another_kind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.wire_targets.unpack_message", Mock(side_effect=KeyError("missing")))
    assert play(Messages, 10)[0].startswith("KeyError")


def test_a_hang_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr("tests.fuzz.wire_targets.unpack_message", hang)
    monkeypatch.setattr(run, "INPUT_SECONDS_MAX", 0.05)
    monkeypatch.setattr(run, "FAILURES_MAX", 1)
    assert play(Messages, 10)[0].startswith("hangs")


def test_growth_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hoard: list[bytes] = []
    make = Messages.make

    def make_and_keep(target: Messages) -> bytes:
        hoard.append(bytes(range(256)) * 8_000)
        return make(target)

    monkeypatch.setattr(Messages, "make", make_and_keep)
    if run.read_resident_mib() is None:
        pytest.skip("this system does not tell how much memory a process takes")
    assert "grew by" in play(Messages, 100)[-1]


def test_a_channel_that_depends_on_the_pieces_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = SecureChannel.receive
    monkeypatch.setattr(SecureChannel, "receive", lambda self, data: receive(self, data) if len(data) != 40 else [])
    kind = next(kind for kind in TARGETS if kind.name == "frames")
    monkeypatch.setattr(run, "FAILURES_MAX", 1)
    target = make_target(kind, seed=2)
    with pytest.raises(Broken):
        for _ in range(20_000):
            target.run(target.make())


@pytest.mark.parametrize("name", ["transactions", "blocks"])
def test_a_trace_of_what_was_refused_is_found(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    target = make_target(next(kind for kind in TARGETS if kind.name == name), seed=2)
    monkeypatch.setattr("state.engine.store.Store.rollback", _keep_all)
    with pytest.raises(Exception):  # noqa: B017 - whichever check sees it first
        for _ in range(400):
            target.run(target.make())
        target.check()


def _keep_all(store: object) -> None:
    """A rollback that keeps what was done."""
    store._marks.pop()  # type: ignore[attr-defined]
