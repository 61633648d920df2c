"""The chain reference_chain_a, made by the C++ node: every block accepted, every event and every state equal."""

import pytest

from tests.reference.follow import Follower, differences, read_lines
from tests.vectors import vectors_path

SHOWN = 40
"""Differences printed of one comparison."""


@pytest.mark.timeout(600)
def test_every_block_event_and_state_equals_the_reference() -> None:
    directory = vectors_path("reference_chain_a")
    follower = Follower(directory)
    states = {state["height"]: state for state in read_lines(directory / "states.jsonl")}
    found: list[str] = []
    for recorded in read_lines(directory / "blocks.jsonl"):
        block = follower.push_next()
        number = recorded["height"]
        assert block.number == number
        assert block.id.hex() == recorded["block"]["block_id"]
        theirs = [entry for entry in recorded["ops"] if entry["op"][0] != "hardfork"]
        mine = [entry for entry in follower.operations(number) if entry["op"][0] != "hardfork"]
        found += [f"block {number}{text}" for text in differences(mine, theirs, " ops")]
        found += differences(
            follower.call("block_api.get_block", {"block_num": number})["block"], recorded["block"], f"block {number}"
        )
        if number in states:
            state = states[number]
            mine_state = follower.state(state)
            for api, answers in mine_state.items():
                for key, answer in answers.items():
                    found += differences(answer, state[api][key], f"state {number} {api}.{key}")
        assert not found, "\n".join(found[:SHOWN])
