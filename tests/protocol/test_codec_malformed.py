"""Malformed bytes and JSON are refused with the place and the reason; lenient JSON is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import pytest

from protocol.assets import SBD, STEEM, VESTS, Asset
from protocol.codec import Codec
from protocol.errors import Invalid
from protocol.identity import STEEM_MAINNET
from protocol.operation import Operation
from protocol.transaction import Transaction
from protocol.types import (
    I64,
    U8,
    U16,
    U64,
    U128,
    AccountName,
    Authority,
    Bool,
    Bytes,
    CurveId,
    Default,
    FutureExtensions,
    LegacyAsset,
    Max,
    PublicKey,
    SortedMap,
    SortedSet,
    SortedSetStrict,
    StaticVariant,
    String,
    Symbol,
    Time,
    Vector,
    Version,
)

CODEC = Codec(STEEM_MAINNET)


class Left(NamedTuple):
    """One side of a union."""

    number: U8


class Right(NamedTuple):
    """The other side."""

    text: String


@dataclass(slots=True)
class Sample:
    """One field of each kind that can be malformed in its own way."""

    owner: Annotated[AccountName, "Who."]
    memo: Annotated[String, "What.", Max(300)]
    flag: Bool
    names: SortedSet[AccountName]
    weights: SortedMap[String, U16]
    side: StaticVariant[Left, Right]
    maybe: U8 | None
    curve: CurveId
    amount: Asset
    count: Annotated[U16, Default(7)]


VALUE = Sample("alice", "hi", True, ("a", "b"), (("x", 1), ("y", 2)), Left(9), 3, 1, Asset(5, SBD), 8)
PARTS = {
    "owner": b"\x05alice",
    "memo": b"\x02hi",
    "flag": b"\x01",
    "names": b"\x02\x01a\x01b",
    "weights": b"\x02\x01x\x01\x00\x01y\x02\x00",
    "side": b"\x00\x09",
    "maybe": b"\x01\x03",
    "curve": b"\x01" + bytes(7),
    "amount": b"\x05" + bytes(7) + b"\x03SBD\0\0\0\0",
    "count": b"\x08\x00",
}


def changed(**parts: bytes) -> bytes:
    """The packed sample with some fields replaced."""
    return b"".join((PARTS | parts).values())


def test_sample_is_packed_field_by_field() -> None:
    assert CODEC.encode(Sample, VALUE) == changed()
    assert CODEC.decode(Sample, changed()) == VALUE


@pytest.mark.parametrize(
    ("parts", "where", "why"),
    [
        ({"memo": b"\xad\x02" + b"m" * 301}, "Sample.memo", "301 bytes are more than the maximum of 300"),
        ({"flag": b"\x02"}, "Sample.flag", "a boolean is 0 or 1, not 2"),
        ({"names": b"\xff\xff\xff\x7f"}, "Sample.names", "268435455 members are more than the maximum of 655359"),
        ({"side": b"\x02\x09"}, "Sample.side", "unknown union number 2"),
        ({"side": b"\x80\x01\x09"}, "Sample.side", "unknown union number 128"),
        ({"side": b"\x01\xf0"}, "Sample.side.right.text", None),
        ({"maybe": b"\x02\x03"}, "Sample.maybe", "the mark of an optional value is 0 or 1, not 2"),
        ({"curve": b"\x09" + bytes(7)}, "Sample.curve", None),
        ({"amount": bytes(8) + b"\x03STEEN\0\0"}, "Sample.amount", "invalid asset bits"),
        ({"amount": bytes(8) + b"\x03ABC"}, "Sample.amount", None),
        ({"count": b"\x08"}, "Sample.count", "the data ends 1 bytes too early"),
        ({"count": b"\x08\x00\x00"}, "Sample", "1 bytes are left over"),
    ],
)
def test_malformed_bytes_name_the_place(parts: dict[str, bytes], where: str, why: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        CODEC.decode(Sample, changed(**parts))
    assert caught.value.data["where"] == where
    assert why is None or caught.value.data["why"] == why
    assert isinstance(caught.value.data["offset"], int)


def test_unknown_operation_number() -> None:
    with pytest.raises(Invalid, match="unknown union number 126"):
        CODEC.decode_operation(b"\x7e")
    data = bytes(10) + b"\x01\x7e"
    with pytest.raises(Invalid, match=r"transaction.operations\[0\] at offset 11: unknown union number 126"):
        Transaction.from_bytes(CODEC, data)


def test_truncated_and_trailing_transaction() -> None:
    empty = bytes(10) + b"\x00\x00\x00"
    assert Transaction.from_bytes(CODEC, empty).operations == ()
    with pytest.raises(Invalid, match=r"transaction\.signatures"):
        Transaction.from_bytes(CODEC, empty[:-1] + b"\x01" + bytes(64))
    with pytest.raises(Invalid, match="1 bytes are left over"):
        Transaction.from_bytes(CODEC, empty + b"\x00")


def test_too_deep_declarations_are_refused() -> None:
    layout: Any = U8
    for _ in range(30):
        layout = Vector[layout]
    with pytest.raises(TypeError, match="maximum is 20"):
        CODEC.shape(layout)


class Endless(NamedTuple):
    """A declaration that holds itself."""

    inner: Vector[Endless]


def test_recursive_declarations_are_refused() -> None:
    with pytest.raises(TypeError, match="nests in itself"):
        CODEC.shape(Endless)


def test_wrong_values_are_not_encoded() -> None:
    bad = Sample("alice", "hi", True, (), (), Left(300), None, 1, Asset(5, SBD), 8)
    with pytest.raises(Invalid, match=r"Sample.side.left.number: 300 is not an integer"):
        CODEC.encode(Sample, bad)


def test_wrong_sizes_are_not_encoded() -> None:
    with pytest.raises(Invalid, match="33 bytes are needed"):
        CODEC.encode(Authority, Authority(1, (), ((bytes(32), 1),)))
    with pytest.raises(Invalid, match="17 bytes are more than the maximum of 16"):
        CODEC.encode(Authority, Authority(1, (("a" * 17, 1),), ()))
    with pytest.raises(Invalid, match="4 members are more than the maximum of 3"):
        CODEC.encode(Annotated[Vector[U8], Max(3)], (1, 2, 3, 4))


def test_text_that_is_no_utf8_survives() -> None:
    data = b"\x03a\xff\xe9"
    text = CODEC.decode(String, data)
    assert CODEC.encode(String, text) == data
    assert CODEC.to_json(String, text) == "a\ufffd\ufffd"


@pytest.mark.parametrize(
    ("declared", "given", "value"),
    [
        (U16, "100", 100),
        (U16, 1000.0, 1000),
        (U16, None, 0),
        (U16, True, 1),
        (U64, "18446744073709551615", 18446744073709551615),
        (I64, "-5", -5),
        (U128, "340282366920938463463374607431768211455", (1 << 128) - 1),
        (Bool, "true", True),
        (Bool, 0, False),
        (AccountName, "abcdefghijklmnopqrstuv", "abcdefghijklmnop"),
        (String, 5, "5"),
        (String, None, ""),
        (Bytes, "00ff", b"\0\xff"),
        (Asset, "1.000 STEEM", Asset(1000, STEEM)),
        (Asset, "0.000001 VESTS", Asset(1, VESTS)),
        (Asset, {"amount": "1000", "precision": 3, "nai": "@@000000013"}, Asset(1000, SBD)),
        (Asset, {"amount": "+0001000", "precision": 3, "nai": "@@000000013"}, Asset(1000, SBD)),
        (Asset, "+1.000 STEEM", Asset(1000, STEEM)),
        (Asset, ".500 STEEM", Asset(500, STEEM)),
        (Asset, "-.500 STEEM", Asset(500, STEEM)),
        (Asset, "-1.500 STEEM", Asset(-500, STEEM)),
        (Asset, f"{'0' * 40}1.000 STEEM", Asset(1000, STEEM)),
        (Asset, "9223372036854775.807 STEEM", Asset((1 << 63) - 1, STEEM)),
        (Asset, "\t1.000 \n STEEM\r\n", Asset(1000, STEEM)),
        (LegacyAsset, "1.000 STEEM", Asset(1000, STEEM)),
        (Symbol, {"nai": "@@000000021", "decimals": 3}, STEEM),
        (Symbol, {"nai": "@@000000021", "precision": 3}, STEEM),
        (Time, "1969-12-31T23:59:59", 0xFFFFFFFF),
        (Time, "2016-03-24T16:05:00", 1458835500),
        (Time, "2016-03-24T16:05:00Z", 1458835500),
        (Time, "2038-01-19T03:14:07", 0x7FFFFFFF),
        (Time, "1901-12-13T20:45:52", 0x80000000),
        (Version, "0.24.1", 0x00180001),
        (CurveId, "linear", 2),
        (CurveId, 2, 2),
        (SortedSet[AccountName], ["b", "a", "b"], ("a", "b")),
        (SortedMap[String, U16], [["b", "1"], ["a", 2], ["b", 3]], (("a", 2), ("b", 1))),
        (FutureExtensions, [], ()),
        (StaticVariant[Left, Right], [1, {"text": "t"}], Right("t")),
        (StaticVariant[Left, Right], ["right", {"text": "t"}], Right("t")),
        (StaticVariant[Left, Right], {"type": "right", "value": {"text": "t"}}, Right("t")),
        (StaticVariant[Left, Right], {"type": 1, "value": {"text": "t"}}, Right("t")),
    ],
)
def test_lenient_json(declared: Any, given: Any, value: Any) -> None:
    assert CODEC.from_json(declared, given) == value


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        (U16, 65536),
        (U16, -1),
        (U16, 1.5),
        (U16, float("nan")),
        (U16, float("inf")),
        (U16, "x"),
        (U16, ""),
        (U16, [1]),
        (U64, "9" * 5000),
        (Bool, "yes"),
        (String, {}),
        (String, "\ud800"),
        (Bytes, "0"),
        (PublicKey, "STM1"),
        (Asset, "1 STEEM"),
        (Asset, "1.00 STEEM"),
        (Asset, "1.000 TESTS"),
        (Asset, "1.000"),
        (Asset, "9223372036854775.808 STEEM"),
        (Asset, "1.+00 STEEM"),
        (Asset, "--1.000 STEEM"),
        (Asset, {"amount": 1000, "precision": 3, "nai": "@@000000013"}),
        (Asset, {"amount": "1000", "precision": "3", "nai": "@@000000013"}),
        (Asset, {"amount": " 1000", "precision": 3, "nai": "@@000000013"}),
        (Asset, "99999999999999999.000 STEEM"),
        (Asset, {"amount": "-1", "precision": 3, "nai": "@@000000013"}),
        (Asset, {"amount": "1", "precision": 2, "nai": "@@000000013"}),
        (Asset, {"amount": "1", "precision": 3, "nai": "@@000000014"}),
        (LegacyAsset, "1.000 SBD"),
        (Time, "yesterday"),
        (Time, "2016-13-24T16:05:00"),
        (Time, "2038-01-19T03:14:08"),
        (Time, "2106-02-07T06:28:15"),
        (Time, "1901-12-13T20:45:51"),
        (Time, 0x80000000),
        (Version, "1.2"),
        (CurveId, "round"),
        (SortedSetStrict[I64], [2, 1]),
        (SortedSetStrict[I64], [1, 1]),
        (StaticVariant[Left, Right], [2, {}]),
        (StaticVariant[Left, Right], {"type": "up"}),
        (Authority, []),
        (Authority, {"account_auths": [["a"]]}),
        (Operation, ["no_such_operation", {}]),
        (Operation, "transfer"),
    ],
)
def test_wrong_json_is_refused(declared: Any, given: Any) -> None:
    with pytest.raises(Invalid):
        CODEC.from_json(declared, given)


def test_wrong_json_names_the_field() -> None:
    with pytest.raises(Invalid, match=r"invalid Sample.side.left.number: 300 is outside of 0 to 255"):
        CODEC.from_json(Sample, {"side": [0, {"number": 300}]})
    with pytest.raises(Invalid) as caught:
        CODEC.from_json(Sample, {"amount": "1 SBD"})
    assert caught.value.message == "Assert Exception:decimals == 3: Incorrect decimal places"
    assert caught.value.data["where"] == "Sample.amount"


def test_absent_json_fields_have_defaults() -> None:
    value = CODEC.from_json(Sample, {"unknown": 1})
    assert value == Sample("", "", False, (), (), Left(0), None, 0, Asset(0, STEEM), 7)


@pytest.mark.parametrize(
    ("declared", "value", "legacy", "shown"),
    [
        (U64, 0xFFFFFFFF, False, 0xFFFFFFFF),
        (U64, 0x100000000, False, "4294967296"),
        (I64, -(1 << 40), False, -(1 << 40)),
        (U128, 1, False, "1"),
        (Asset, Asset(1, STEEM), True, "0.001 STEEM"),
        (Asset, Asset(-1500, STEEM), True, "-1.00 STEEM"),
        (Asset, Asset(1234567, VESTS), True, "1.234567 VESTS"),
        (Asset, Asset(1, STEEM), False, {"amount": "1", "precision": 3, "nai": "@@000000021"}),
        (Time, 0xFFFFFFFF, False, "1969-12-31T23:59:59"),
        (Version, 0x00180001, False, "0.24.1"),
        (StaticVariant[Left, Right], Left(1), True, [0, {"number": 1}]),
        (StaticVariant[Left, Right], Left(1), False, {"type": "left", "value": {"number": 1}}),
        (SortedMap[String, U16], (("a", 1),), False, [["a", 1]]),
        (PublicKey, bytes(33), False, "STM1111111111111111111111111111111114T1Anm"),
    ],
)
def test_json_out(declared: Any, value: Any, legacy: bool, shown: Any) -> None:
    assert CODEC.to_json(declared, value, legacy) == shown


def test_absent_optional_members_are_left_out() -> None:
    without = CODEC.to_json(Sample, Sample("a", "", False, (), (), Left(0), None, 0, Asset(), 0))
    assert list(without) == ["owner", "memo", "flag", "names", "weights", "side", "curve", "amount", "count"]


def test_misspelt_symbols_of_old_witnesses_survive() -> None:
    for spelling in (b"\x01STEEM\0\0", b"\x02STEEM\0\0", b"\x05STEEM\0\0", b"\x030.001\0\0", b"\x036.000\0\0"):
        data = b"\x07" + bytes(7) + spelling
        value = CODEC.decode(LegacyAsset, data)
        assert value.amount == 7 and value.symbol != STEEM
        assert CODEC.encode(LegacyAsset, value) == data
        assert CODEC.to_json(LegacyAsset, value, True) == "0.007 STEEM"
    with pytest.raises(Invalid, match="cannot deserialize legacy symbol"):
        CODEC.decode(LegacyAsset, bytes(8) + b"\x04STEEM\0\0")
