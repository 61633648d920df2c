"""Answers made in slices: others have their turn between two of them, and an answer is of one state."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from protocol.errors import Rejected
from rpc.dispatch import Dispatcher
from rpc.kinds import REQUEST_BYTES_MAX, REQUEST_MARKS_MAX
from rpc.method import collect_methods, rpc_method
from rpc.slices import ATTEMPTS_MAX, PAUSE, Aside, Steps, Version, collect, make_at_once
from state.engine.errors import ScanInvalidated
from tests.rpc.service import Service, busy_world


class Slow:
    """Methods of many steps, over a state that tests change."""

    def __init__(self) -> None:
        self.head, self.pending = 0, 0
        self.begun = 0
        self.at_step: dict[int, Any] = {}
        self.threads: set[str] = set()

    def get_version(self) -> Version:
        """The state that is shown."""
        return Version(self.head.to_bytes(4, "big"), self.pending)

    def steps(self) -> Iterator[int]:
        """Ten steps; tests have the state change at some of them, counted over all attempts."""
        self.begun += 1
        for number in range(10):
            if change := self.at_step.pop((self.begun - 1) * 10 + number, None):
                change()
            yield number

    @rpc_method(rows="numbers")
    def list_numbers(self) -> Steps:
        """Rows and another member."""
        for number in self.steps():
            yield [self.head, self.pending] if number % 2 else PAUSE
        return {"count": 5}

    @rpc_method(rows="")
    def list_bare(self) -> Steps:
        """Rows alone, null among them."""
        for number in self.steps():
            yield number or None

    @rpc_method()
    def get_sum(self) -> Steps:
        """No rows."""
        numbers = yield from collect(self.steps())
        return sum(numbers)

    @rpc_method()
    def work_aside(self) -> Steps:
        """Work in the other thread, and an error there."""

        def work() -> int:
            self.threads.add(threading.current_thread().name)
            self.pending += 1
            return 5

        first = yield Aside(work)
        yield PAUSE
        yield Aside(lambda: work() // 0)
        return first

    @rpc_method(rows="")
    def fail_late(self) -> Steps:
        """An error after the first row."""
        yield 1
        raise Rejected("late", "too late")

    @rpc_method(rows="")
    def list_large(self) -> Steps:
        """More than an answer may hold."""
        while True:
            yield "x" * 1_000_000


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """An API whose every step is a slice."""
    monkeypatch.setattr("rpc.slices.SLICE_SECONDS", 0)
    return Slow()


async def ask(slow: Slow, method: str) -> dict[str, Any]:
    dispatcher = Dispatcher(collect_methods({"x": slow}, frozenset()), 10, 1.0, get_version=slow.get_version)
    body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": f"x.{method}"})
    answer: dict[str, Any] = orjson.loads(await dispatcher.answer(body))
    return answer


async def test_shapes(slow: Slow) -> None:
    assert (await ask(slow, "list_numbers"))["result"] == {"numbers": [[0, 0]] * 5, "count": 5}
    assert (await ask(slow, "list_bare"))["result"] == [None, *range(1, 10)]
    assert (await ask(slow, "get_sum"))["result"] == 45
    assert (await ask(slow, "fail_late"))["error"]["message"] == "Assert Exception:late: too late"
    assert orjson.loads(b"".join(make_at_once(slow.list_numbers(), "numbers"))) == {
        "numbers": [[0, 0]] * 5,
        "count": 5,
    }


async def test_others_have_their_turn_between_two_slices(slow: Slow) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await ask(slow, "get_sum")
    counting.cancel()
    assert turns >= 10


@pytest.mark.parametrize("member", ["head", "pending"])
async def test_an_answer_is_made_again_when_the_state_changes(slow: Slow, member: str) -> None:
    slow.at_step[5] = lambda: setattr(slow, member, 1)
    answer = (await ask(slow, "list_numbers"))["result"]
    assert slow.begun == 2
    assert answer["numbers"] == [[slow.head, slow.pending]] * 5


async def test_an_answer_is_made_again_when_a_scan_breaks_off(slow: Slow) -> None:
    def invalidate() -> None:
        raise ScanInvalidated("keys changed")

    slow.at_step[5] = invalidate
    assert (await ask(slow, "get_sum"))["result"] == 45
    assert slow.begun == 2


async def test_a_chain_that_goes_on_and_on_ends_the_attempts(slow: Slow) -> None:
    def go_on() -> None:
        slow.head += 1

    slow.at_step = {number: go_on for number in range(3, 10 * ATTEMPTS_MAX, 10)}
    error = (await ask(slow, "list_numbers"))["error"]
    assert f"{ATTEMPTS_MAX} times" in error["message"]
    assert slow.begun == ATTEMPTS_MAX


async def test_waiting_transactions_do_not_end_the_attempts(slow: Slow) -> None:
    """In the last attempt they may come in between; with each block all begins again with a new head."""

    def arrive() -> None:
        slow.pending += 1

    slow.at_step = {number: arrive for number in range(3, 10 * ATTEMPTS_MAX, 10)}
    assert (await ask(slow, "get_sum"))["result"] == 45
    assert slow.begun == ATTEMPTS_MAX


async def test_what_is_done_aside_is_done_in_another_thread(slow: Slow) -> None:
    answer = await ask(slow, "work_aside")
    assert "ZeroDivisionError" in answer["error"]["message"]
    assert threading.current_thread().name not in slow.threads
    assert slow.pending == 2
    assert slow.begun == 0


async def test_an_answer_that_grows_too_large_is_refused(slow: Slow) -> None:
    assert "ask for less" in (await ask(slow, "list_large"))["error"]["message"]


async def test_long_answers_of_one_client_come_one_after_the_other(slow: Slow) -> None:
    dispatcher = Dispatcher(collect_methods({"x": slow}, frozenset()), 10, 1.0, get_version=slow.get_version)
    body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "x.get_sum"})
    asked = [asyncio.create_task(dispatcher.answer(body)) for _ in range(4)]
    await asyncio.sleep(0)
    asked[2].cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(answer, bytes) for answer in answers] == [True, True, False, True]
    assert b"45" in await dispatcher.answer(body)


def test_rows_need_a_generator() -> None:
    with pytest.raises(TypeError, match="yields no rows"):

        @rpc_method(rows="numbers")
        def plain() -> int:
            """No generator."""
            return 1


# Requests


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[" + b"1," * REQUEST_MARKS_MAX + b"1]", "commas"),
        (b"[" + b"[]," * REQUEST_MARKS_MAX + b"1]", "commas"),
        (b'"' + b"x" * REQUEST_BYTES_MAX + b'"', "bytes"),
    ],
)
async def test_a_request_that_is_too_much_to_read_is_refused(slow: Slow, body: bytes, problem: str) -> None:
    dispatcher = Dispatcher({}, 10, 1.0)
    for message in (body, body.decode()):
        error = orjson.loads(await dispatcher.answer(message))["error"]
        assert error["code"] == -32000
        assert problem in error["message"]


async def test_a_large_transaction_is_read_as_a_small_one_is() -> None:
    """Beside the loop, with the same answers and errors."""
    world = busy_world()
    service = Service(world)
    block = world.chain.reader.get_block(3)
    assert block is not None
    trx = block.transactions[0].to_json(world.codec, True)
    large = trx | {"operations": trx["operations"] * 50}
    for method in ("condenser_api.get_transaction_hex", "condenser_api.get_potential_signatures"):
        assert len(await service.result(method, [large])) >= len(await service.result(method, [trx]))
    broken = large | {"operations": [*large["operations"], ["vote", {"voter": 5}], ["nothing", {}]]}
    error = await service.error("condenser_api.get_transaction_hex", [broken])
    small = trx | {"operations": [["nothing", {}]]}
    assert error["message"] == (await service.error("condenser_api.get_transaction_hex", [small]))["message"]
    error = await service.error("condenser_api.broadcast_transaction", [broken])
    assert error["code"] == -32000
