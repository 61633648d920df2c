"""Two chains that the C++ node made, each followed once: blocks, events, states, refusals and payouts are equal."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple

import orjson
import pytest

from chain.effects import Applied
from protocol.times import parse_time
from rewards.payout import PayoutExplanation
from rpc.apis.registry import build_dispatcher
from rpc.dispatch import Dispatcher
from state.invariants import assert_invariants
from tests.audit.auditor import Auditor
from tests.reference.explanations import compare_explanations
from tests.reference.follow import Follower, differences
from tests.vectors import read_jsonl, recorded_path

SHOWN = 40
"""Differences that are shown."""


class Recorded(NamedTuple):
    """A recorded chain, and where this node means to differ from it.

    `waiting` holds the heights whose state was recorded while transactions waited, with the latest expiration of these.
    `different` has the message that this node means to answer to a rule instead, `not_compared` the rules to leave out.
    """

    name: str
    blocks: int
    refusals: int
    payouts: int
    waiting: Mapping[int, str] = {}
    different: Mapping[str, str] = {}
    not_compared: Mapping[str, str] = {}


CHAINS = (
    Recorded(
        "reference_chain_a",
        blocks=1297,
        refusals=23,
        payouts=88,
        # The reference drops a flag of the operation while it reads the legacy form and then finds that the signature
        # is not for what is left; this node keeps what the client signed.
        different={
            "comment_options through condenser_api with allow_votes false": (
                "Assert Exception:comment.abs_rshares == 0: One of the included comment options requires the comment "
                "to have no rshares allocated to it."
            )
        },
    ),
    Recorded(
        "reference_chain_b",
        blocks=2407,
        refusals=197,
        payouts=15,
        # The recorder asked after it had sent the next transaction.
        waiting={356: "2020-09-13T16:45:58"},
        not_compared={
            "transaction larger than the maximum block size less 256": "the record was cut",
            "feed in the wrong direction": "right but for the outer code: the reference fails while it reads JSON",
        },
    ),
)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("recorded", CHAINS, ids=lambda recorded: recorded.name)
async def test_everything_recorded_of_a_chain_is_equal(recorded: Recorded) -> None:
    comparison = Comparison(recorded)
    found: list[str] = []
    async for difference in comparison.run():
        found.append(difference)
        if len(found) == SHOWN:
            break
    assert not found, "\n".join(found)
    assert (comparison.blocks, comparison.refusals, comparison.payouts) == (
        recorded.blocks,
        recorded.refusals,
        recorded.payouts,
    )


class Comparison:
    """One pass over a recorded chain with everything that was recorded at each height."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._follower = Follower(recorded.name)
        self._auditor = Auditor(self._follower.chain.config.rules, self._follower.chain.ctx.tables)
        self._dispatcher: Dispatcher = build_dispatcher(
            self._follower.shell, batch_length_max=500, batch_seconds_max=10.0
        )
        self.blocks = self.refusals = self.payouts = 0

    async def run(self) -> AsyncIterator[str]:
        """Every difference, as a sentence with its place."""
        name = self._recorded.name
        states = {state["height"]: state for state in read_jsonl(recorded_path(name, "states.jsonl"))}
        refusals: dict[int, list[dict[str, Any]]] = {}
        for refusal in read_jsonl(recorded_path(name, "rejections.jsonl")):
            refusals.setdefault(refusal["height"], []).append(refusal)
        for line in read_jsonl(recorded_path(name, "blocks.jsonl")):
            applied = self._follower.push_next()
            number = applied.block.number
            self.blocks += 1
            self._auditor.follow(applied.block, [entry.op for entry in applied.effects.operations])
            for difference in self._compare_block(applied, line):
                yield difference
            if number in states:
                for difference in self._compare_state(states[number]):
                    yield difference
            for refusal in refusals.get(number, ()):
                for difference in await self._compare_refusal(refusal):
                    yield difference
        assert_invariants(self._follower.chain.ctx)
        self._auditor.compare_all()

    def _compare_block(self, applied: Applied, recorded: dict[str, Any]) -> Iterator[str]:
        """The block, its id and its operations in every form in which they were recorded, and its payouts explained."""
        number = recorded["height"]
        assert (applied.block.number, applied.block.id.hex()) == (number, recorded["block"]["block_id"])
        # A testnet of the reference passes through its old hard forks in block 1.
        theirs = [entry for entry in recorded["ops"] if entry["op"][0] != "hardfork"]
        mine = [entry for entry in self._follower.operations(number) if entry["op"][0] != "hardfork"]
        yield from differences(mine, theirs, f"block {number} ops")
        call = self._follower.call
        if "ops_account_history_api" in recorded:
            shown = call("account_history_api.get_ops_in_block", {"block_num": number, "only_virtual": False})
            yield from differences(shown["ops"], recorded["ops_account_history_api"], f"block {number} history")
        shown = call("block_api.get_block", {"block_num": number})["block"]
        yield from differences(shown, recorded["block"], f"block {number}")
        reports = [report for report in applied.effects.reports if isinstance(report, PayoutExplanation)]
        compare_explanations(reports, [entry["op"] for entry in theirs], number)
        self.payouts += sum(report.reward > 0 for report in reports)

    def _compare_state(self, state: dict[str, Any]) -> Iterator[str]:
        height = state["height"]
        if height in self._recorded.waiting:
            self._follower.push_waiting(parse_time(self._recorded.waiting[height]))
        for api, answers in self._follower.state(state).items():
            for key, answer in answers.items():
                yield from differences(answer, state[api][key], f"state {height} {api}.{key}")

    async def _compare_refusal(self, refusal: dict[str, Any]) -> Iterator[str]:
        """Tries a refused transaction while those of the next block wait that were sent before it."""
        rule = refusal["rule"].split(":")[0]
        if rule in self._recorded.not_compared:
            return iter(())
        self.refusals += 1
        self._follower.push_waiting(parse_time(refusal["transaction"]["expiration"]))
        params = [refusal["transaction"]]
        request = {"jsonrpc": "2.0", "method": "condenser_api.broadcast_transaction", "params": params, "id": 0}
        answer = orjson.loads(await self._dispatcher.answer(orjson.dumps(request)))
        where = f"refusal at {refusal['height']} ({refusal['rule']})"
        if not isinstance(answer.get("error", {}).get("data"), dict):
            return iter([f"{where}: {answer}, should be {refusal['error']['message']!r}"])
        if rule in self._recorded.different:
            return differences(answer["error"]["message"], self._recorded.different[rule], where)
        return differences(describe(answer["error"]), describe(refusal["error"]), where)


def describe(error: dict[str, Any]) -> dict[str, Any]:
    """What clients see of an error; the place in the source and the time of the context are left aside."""
    data = error["data"]
    first = data["stack"][0]
    return {
        "code": error["code"],
        "message": error["message"],
        "data.code": data["code"],
        "data.name": data["name"],
        "data.message": data["message"],
        "format": first["format"],
        "data": first["data"],
    }
