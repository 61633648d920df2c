"""Every declared operation survives bytes and both JSON forms, and the generated functions agree with the slow ones."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.codec import Codec
from protocol.codec_generate import FAST_PATH_ERRORS
from protocol.errors import Invalid
from protocol.operation import OPERATIONS, Operation
from tests.strategies import TESTNET, import_all_operations, values

import_all_operations()
CODEC = Codec(TESTNET)
NUMBERS = sorted(OPERATIONS)
FAST = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def assert_canonical(op: Operation, data: bytes) -> None:
    """A value is that of the bytes that it packs to, and the fast reader takes no others than these."""
    packed = CODEC.encode_operation(op)
    assert CODEC.decode_operation(packed) == op
    try:
        value, end = CODEC.generator.decoder(CODEC.shape(Operation))(data, 0)
    except FAST_PATH_ERRORS:
        return
    assert (value, data[:end]) == (op, packed)


@pytest.mark.parametrize("number", NUMBERS, ids=[OPERATIONS[number].wire_name for number in NUMBERS])
class TestEveryOperation:
    @FAST
    @given(data=st.data())
    def test_bytes_come_back(self, number: int, data: st.DataObject) -> None:
        op = data.draw(values(CODEC.shape(OPERATIONS[number])))
        packed = CODEC.encode_operation(op)
        assert packed == CODEC.encode_slowly(Operation, op)
        assert CODEC.decode_operation(packed) == op
        assert CODEC.decode_slowly(Operation, packed) == op

    @FAST
    @given(data=st.data())
    def test_json_comes_back(self, number: int, data: st.DataObject) -> None:
        op = data.draw(values(CODEC.shape(OPERATIONS[number]), json_safe=True))
        for legacy in (False, True):
            shown = CODEC.operation_to_json(op, legacy)
            expected = op
            if legacy and op.wire_name == "create_proposal":
                expected = type(op)(*(getattr(op, name) for name in op.__dataclass_fields__))
                expected.extensions = ()
            assert CODEC.operation_from_json(shown) == expected

    @FAST
    @given(data=st.data(), cut=st.integers(0, 10_000))
    def test_truncated_bytes_are_refused(self, number: int, data: st.DataObject, cut: int) -> None:
        packed = CODEC.encode_operation(data.draw(values(CODEC.shape(OPERATIONS[number]))))
        with pytest.raises(Invalid) as caught:
            CODEC.decode_operation(packed[: cut % len(packed)])
        assert caught.value.data["offset"] <= len(packed)
        with pytest.raises(Invalid):
            CODEC.decode_operation(packed + b"\0")

    @FAST
    @given(body=st.binary(max_size=200))
    def test_any_bytes_give_a_value_or_invalid(self, number: int, body: bytes) -> None:
        data = bytes([number]) + body
        try:
            op = CODEC.decode_operation(data)
        except Invalid:
            return
        assert_canonical(op, data)

    @FAST
    @given(data=st.data(), position=st.integers(0, 10_000), byte=st.integers(0, 255))
    def test_changed_bytes_give_a_canonical_value_or_invalid(
        self, number: int, data: st.DataObject, position: int, byte: int
    ) -> None:
        packed = bytearray(CODEC.encode_operation(data.draw(values(CODEC.shape(OPERATIONS[number])))))
        packed[position % len(packed)] = byte
        try:
            op = CODEC.decode_operation(bytes(packed))
        except Invalid:
            return
        assert_canonical(op, bytes(packed))

    def test_schema_names_every_field(self, number: int) -> None:
        schema = CODEC.json_schema(OPERATIONS[number])
        assert set(schema["properties"]) == {field.json_name for field in CODEC.fields(OPERATIONS[number]).fields}

    def test_absent_fields_have_defaults(self, number: int) -> None:
        op = CODEC.operation_from_json({"type": number, "value": {"not_a_field": 1}})
        assert type(op) is OPERATIONS[number]
