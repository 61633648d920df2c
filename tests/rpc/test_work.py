"""No request holds the loop: every method at every maximum, over a large state, in counted steps."""

import orjson
import pytest

from operations.market import LimitOrderCreate
from tests.harness import Harness, config_with, sbd, steem
from tests.rpc.service import Service
from tests.rpc.work import LargeWorld, Meter, list_calls, patch_turns

ROWS = 1_200
"""Rows in every table: more than any answer shows at once."""

ROWS_LARGE = 50_000

STEPS_MAX = 50_000
"""Steps between two turns: 20 ms are above 100,000 of them on a slow machine."""


NEVER_ANSWERED = {
    "condenser_api.get_account_references",
    # The largest transaction is of many accounts that did not sign. What applying a valid one costs is not the APIs'.
    "condenser_api.broadcast_transaction",
    "condenser_api.broadcast_transaction_synchronous",
    "condenser_api.verify_authority",
    "database_api.verify_authority",
    "network_broadcast_api.broadcast_transaction",
}


def check_all(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls every method at every maximum."""
    world = LargeWorld(rows)
    service = Service(world)
    meter = Meter(counts=True)
    patch_turns(monkeypatch, meter, 0)
    answered = set()
    over = []
    for method, given in list_calls(world, service.dispatcher.methods):
        measured = meter.measure(service, method, given)
        answer = orjson.loads(measured.answer)
        if "result" in answer:
            answered.add(method.full_name)
        if measured.steps > STEPS_MAX:
            over.append((method.full_name, given.get("order"), measured.steps))
    assert not over
    missing = {name for name in service.dispatcher.methods if not name.startswith("dev_api.")} - answered
    assert sorted(missing) == sorted(NEVER_ANSWERED)


def test_every_method_at_every_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    check_all(ROWS, monkeypatch)


def test_the_digest_of_a_large_reversible_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found over 50,000 rows: the rows of all reversible blocks were hashed in one step, 190,000 calls."""
    world = Harness(config_with("dev", irreversible_by_witness_from_block=1_000_000))
    for number in range(3):
        ids = range(200 * number, 200 * number + 200)
        world.push(*(LimitOrderCreate("alice", at, steem(1), sbd(1000), False, world.now + 3600) for at in ids))
        world.generate_block()
    assert sum(len(delta.changes) for delta in world.chain.store.reversible) > 500
    service = Service(world)
    meter = Meter(counts=True)
    patch_turns(monkeypatch, meter, 0)
    measured = meter.measure(service, service.dispatcher.methods["plaudit_api.get_state_digest"], {})
    assert orjson.loads(measured.answer)["result"]["digest"] == world.chain.state_digest.hex()
    assert measured.steps < 1_000 < measured.all_steps


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_method_at_every_maximum_over_a_large_state(monkeypatch: pytest.MonkeyPatch) -> None:
    check_all(ROWS_LARGE, monkeypatch)
