"""Every method with arguments of every kind: always an answer, never a fault of the node."""

import asyncio
import logging
import os
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations.transfer import Transfer
from tests.harness import steem
from tests.rpc.service import Service, busy_world

EXAMPLES = int(os.environ.get("PLAUDIT_JUNK_EXAMPLES", "1000"))

NEVER_CALLED = ("dev_api.mine", "dev_api.advance_time")
"""They make as many blocks as they are told; test_dev_api covers them."""

FC_MEMBERS = ["code", "name", "message", "stack"]
"""What fc tells of an error; advice is ours."""


class JunkService(Service):
    """A service with its own event loop, and the log of its faults."""

    def __init__(self) -> None:
        super().__init__(busy_world())
        self.loop = asyncio.new_event_loop()
        self.methods = sorted(set(self.dispatcher.methods) - set(NEVER_CALLED))
        transaction = self.world.build(Transfer("alice", "bob", steem(5), "hi"))
        self.trx: dict[str, Any] = transaction.to_json(self.world.codec, True)
        self.block: dict[str, Any] = self.world.chain.reader.get_block(2).to_json(self.world.codec, False)  # type: ignore[union-attr]

    def send_now(self, body: bytes) -> dict[str, Any]:
        """The answer to one request."""
        answer = self.loop.run_until_complete(asyncio.wait_for(self.dispatcher.answer(body), 5))
        shown: dict[str, Any] = orjson.loads(answer)
        return shown


@pytest.fixture(scope="module")
def junk_service() -> Iterator[JunkService]:
    service = JunkService()
    yield service
    service.loop.close()


numbers = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.sampled_from([0, 1, -1, 1000, 1001, 2**31, 2**32, 2**32 - 1, 2**63, 2**64 - 1]),
    st.floats(allow_nan=False, allow_infinity=False),
)
names = st.sampled_from(["", "alice", "bob", "initminer", "first", "re-first", "post", "2016-01-01T00:00:00"])
odd_texts = st.sampled_from(["x" * 5000, "\x00", "🙂" * 40, "-1", "00" * 20, "STM1", "9999-99-99T99:99:99", "1-"])
texts = st.one_of(names, st.text(max_size=20), odd_texts)
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
junk = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
starts = st.one_of(st.lists(st.one_of(names, numbers, st.none(), odd_texts), max_size=5), names, leaves)
orders = st.sampled_from(
    [
        "by_name",
        "by_proxy",
        "by_next_vesting_withdrawal",
        "by_account",
        "by_expiration",
        "by_effective_date",
        "by_vote_name",
        "by_schedule_time",
        "by_account_witness",
        "by_witness_account",
        "by_from_id",
        "by_ratification_deadline",
        "by_withdraw_route",
        "by_destination",
        "by_complete_from_id",
        "by_to_complete",
        "by_delegation",
        "by_account_expiration",
        "by_conversion_date",
        "by_cashout_time",
        "by_permlink",
        "by_root",
        "by_parent",
        "by_last_update",
        "by_author_last_update",
        "by_comment_voter",
        "by_voter_comment",
        "by_price",
        "by_creator",
        "by_start_date",
        "by_end_date",
        "by_total_votes",
        "by_voter_proposal",
        "by_proposal_voter",
    ]
)
LIKELY = {
    "order": orders,
    "order_direction": st.sampled_from(["ascending", "descending"]),
    "start": starts,
    "limit": st.one_of(st.integers(-1, 1001), numbers),
}
"""What arguments of these names are mostly given."""


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """A value with one part of it replaced by junk, or removed."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 9)):
            return {name: member for name, member in value.items() if name != key}
        return value | {key: draw(mutated(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], draw(mutated(value[at])), *value[at + 1 :]]
    return draw(junk)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_junk_is_answered(junk_service: JunkService, caplog: pytest.LogCaptureFixture, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(junk_service.methods))
    method = junk_service.dispatcher.methods[name]
    argument = st.one_of(
        junk, starts, st.lists(texts, max_size=4), mutated(junk_service.trx), mutated(junk_service.block)
    )
    params: Any
    if data.draw(st.integers(0, 19)) == 0:
        params = data.draw(junk)
    elif method.positional:
        count = data.draw(st.integers(max(method.required - 1, 0), len(method.parameters) + 1))
        params = data.draw(st.lists(argument, min_size=count, max_size=count))
    else:
        params = {
            parameter.name: data.draw(argument) for parameter in method.parameters if data.draw(st.integers(0, 7))
        }
    body = orjson.dumps({"jsonrpc": "2.0", "method": name, "params": params, "id": 9})
    caplog.clear()
    with caplog.at_level(logging.ERROR, "plaudit.rpc"):
        answer = junk_service.send_now(body)
    assert not caplog.records, caplog.text
    assert answer["jsonrpc"] == "2.0"
    assert answer["id"] == 9
    assert ("result" in answer) != ("error" in answer)
    if "error" in answer:
        check_error(answer["error"])


def check_error(error: dict[str, Any]) -> None:
    """The shape that clients rely on."""
    assert type(error["code"]) is int
    assert isinstance(error["message"], str)
    assert error["message"]
    if "data" in error:
        assert list(error["data"]) in (FC_MEMBERS, [*FC_MEMBERS, "advice"])
        assert error["data"]["stack"]
        for frame in error["data"]["stack"]:
            assert isinstance(frame["format"], str)
            assert isinstance(frame["data"], dict)
            assert isinstance(frame["context"], dict)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=junk)
def test_any_json_is_answered(junk_service: JunkService, caplog: pytest.LogCaptureFixture, message: Any) -> None:
    caplog.clear()
    answer: Any = junk_service.send_now(orjson.dumps(message))
    assert not [record for record in caplog.records if record.name == "plaudit.rpc"]
    assert isinstance(answer, list) == (isinstance(message, list) and 0 < len(message) <= 20)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered(junk_service: JunkService, body: bytes) -> None:
    assert junk_service.send_now(body)
