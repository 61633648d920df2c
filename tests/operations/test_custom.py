"""Data for programs above the chain."""

import pytest

from operations.custom import Custom, CustomBinary, CustomJson
from protocol.operation import RequiredAuthorities
from tests.operations.world import World

NAMES = tuple(sorted(f"user{number:02d}" for number in range(41)))


def test_large_data_is_refused_on_arrival_only(world: World) -> None:
    for op, text in (
        (Custom(("alice",), 1, bytes(8_193)), "o.data.size() <= STEEM_CUSTOM_OP_DATA_MAX_LENGTH: Operation data"),
        (CustomJson(("alice",), (), "test", '"' + "x" * 8_191 + '"'), "o.json.length() <= STEEM_CUSTOM_OP_DATA_MAX"),
    ):
        with world.pending():
            assert world.refuse(op, text).endswith("must be less than 8192 bytes.")
        world.push(op)


def test_json_is_measured_in_bytes(world: World) -> None:
    op = CustomJson((), ("alice",), "test", '"' + "ü" * 4_095 + '"')
    with world.pending():
        world.push(op)
        world.refuse(CustomJson((), ("alice",), "test", '"' + "ü" * 4_096 + '"'), "STEEM_CUSTOM_OP_DATA_MAX_LENGTH")


@pytest.mark.parametrize(
    ("op", "assertion"),
    [
        (Custom(NAMES, 1, b""), "o.required_auths.size() <= STEEM_MAX_AUTHORITY_MEMBERSHIP"),
        (CustomJson(NAMES[:1], NAMES[1:], "test", "{}"), "num_auths <= STEEM_MAX_AUTHORITY_MEMBERSHIP"),
    ],
)
def test_signers_are_limited(world: World, op: Custom | CustomJson, assertion: str) -> None:
    message = world.refuse(op, assertion)
    assert message.endswith("Authority membership exceeded. Max: 40 Current: 41")
    world.push(Custom(NAMES[:40], 1, b""))
    world.push(CustomJson(NAMES[:20], NAMES[20:40], "test", "{}"))


def test_custom_binary_is_refused_on_arrival_only(world: World) -> None:
    op = CustomBinary((), ("alice",), (), (), "test", b"\x00")
    with world.pending():
        assert world.refuse(op, "false: ").endswith("custom_binary_operation is deprecated")
    world.push(op)
    world.refuse(CustomBinary(NAMES[:1], NAMES[1:], (), (), "test", b""), "num_auths <= STEEM_MAX_AUTHORITY_MEMBERSHIP")


def test_changes_nothing(world: World) -> None:
    before = world.store.compute_digest_from_scratch()
    assert world.push(Custom(("alice",), 7, b"\x00")) == []
    assert world.push(CustomJson((), ("alice",), "follow", '["follow",{}]')) == []
    assert world.store.compute_digest_from_scratch() == before


def test_authorities() -> None:
    required = RequiredAuthorities()
    Custom(("alice", "bob"), 1, b"").authorities(required)
    assert (required.actives, required.postings, required.owners) == ({"alice", "bob"}, set(), set())
    required = RequiredAuthorities()
    CustomJson(("alice",), ("bob",), "x", "{}").authorities(required)
    assert (required.actives, required.postings, required.owners) == ({"alice"}, {"bob"}, set())
