"""The field types for declarations, and the value classes that several declarations share.

A declaration is a class with annotated fields. To a type checker the names below are plain Python types
(``AccountName`` is ``str``); at run time they carry a marker that tells the codec the layout on the wire and the form
in JSON. A field may add a sentence of documentation, a ``Default`` and a ``Max``::

    weight: Annotated[I16, "Strength and direction of the vote, in basis points.", Default(0)]

Source: libraries/protocol types.hpp, fixed_string.hpp, authority.hpp, base.hpp; libraries/fc/include/fc/io/raw.hpp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

from protocol import assets
from protocol.curves import CURVES
from protocol.shapes import (
    Blob,
    Boolean,
    Enumeration,
    FixedBytes,
    Integer,
    Moment,
    Name,
    Text,
    VersionNumber,
    WideInteger,
)

__all__ = ["StaticVariant"]  # The one name that a type checker takes from elsewhere.

NULL_PUBLIC_KEY = bytes(33)
NULL_ID = bytes(20)


@dataclass(frozen=True)
class Wire:
    """Marks a plain Python type with a layout that depends on the chain or on other types.

    ``symbol`` is that of an "amount".
    """

    kind: str
    symbol: int = 0


@dataclass(frozen=True)
class Union_:
    """Marks a tagged union; the tag on the wire is the position in ``members``."""

    members: tuple[Any, ...]


@dataclass(frozen=True)
class Default:
    """The value of a field that is absent in JSON input, if it is not zero or empty."""

    value: Any


@dataclass(frozen=True)
class Max:
    """Maximum number of bytes of a string, or of members of a collection, on the wire."""

    count: int


T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

# Integers and other values of fixed size.
Bool = Annotated[bool, Boolean()]
U8 = Annotated[int, Integer(8, signed=False)]
U16 = Annotated[int, Integer(16, signed=False)]
U32 = Annotated[int, Integer(32, signed=False)]
U64 = Annotated[int, Integer(64, signed=False)]
U128 = Annotated[int, WideInteger()]
I8 = Annotated[int, Integer(8, signed=True)]
I16 = Annotated[int, Integer(16, signed=True)]
I32 = Annotated[int, Integer(32, signed=True)]
I64 = Annotated[int, Integer(64, signed=True)]
Share = I64
"""An amount without symbol (share_type of the reference)."""
Time = Annotated[int, Moment()]
"""Seconds since the epoch."""
PublicKey = Annotated[bytes, Wire("public_key")]
Signature = Annotated[bytes, FixedBytes(65)]
Sha256 = Annotated[bytes, FixedBytes(32)]
Ripemd160 = Annotated[bytes, FixedBytes(20)]
Version = Annotated[int, VersionNumber(is_hardfork=False)]
"""Major number in the high byte, hard fork in the next, revision in the low 16 bits; JSON shows "0.24.0"."""
HardforkVersion = Annotated[int, VersionNumber(is_hardfork=True)]
"""A version whose revision is always 0."""

# Strings and bytes. Names are at most ``size`` bytes long: JSON input is cut, wire input is refused.
AccountName = Annotated[str, Name(16)]
CustomId = Annotated[str, Name(32)]
UnitTarget = Annotated[str, Name(32)]
TickerName = Annotated[str, Name(8)]
String = Annotated[str, Text()]
Permlink = String
Bytes = Annotated[bytes, Blob()]

# Tokens.
Symbol = Annotated[int, Wire("symbol")]
Asset = assets.Asset
Price = assets.Price
LegacyAsset = Annotated[assets.Asset, Wire("legacy_asset")]
"""An amount of STEEM whose symbol may be one of five misspellings that old witnesses signed.

A canonical one has the symbol STEEM; a misspelt one keeps the raw 8 bytes of its symbol as the number, which is above
2**32 and so never equals a real symbol. Source: legacy_asset.hpp.
"""

# Collections. In memory all of them are tuples.
Vector = Annotated[tuple[T, ...], Wire("vector")]
SortedSet = Annotated[tuple[T, ...], Wire("set")]
"""Members strictly ascending. JSON input is sorted and loses duplicates, as the reference's flat_set does."""
SortedSetStrict = Annotated[tuple[T, ...], Wire("strict_set")]
"""A sorted set whose JSON input must already be sorted (flat_set_ex of the reference)."""
SortedMap = Annotated[tuple[tuple[K, V], ...], Wire("map")]
"""(key, value) pairs, keys strictly ascending. Of two JSON pairs with one key the first stays."""

if TYPE_CHECKING:
    from typing import Union as StaticVariant
else:

    class StaticVariant:
        """``StaticVariant[A, B]`` is a tagged union: the value is an instance of A or B, the tag its position."""

        def __class_getitem__(cls, members: Any) -> Any:
            chosen = members if isinstance(members, tuple) else (members,)
            return Annotated[Any, Union_(chosen)]


class Void(NamedTuple):
    """Nothing, in no bytes; JSON shows {}."""


class Authority(NamedTuple):
    """Keys and accounts with weights; signatures whose weights reach the threshold satisfy it."""

    weight_threshold: U32
    account_auths: SortedMap[AccountName, U16]
    key_auths: SortedMap[PublicKey, U16]


class ChainProperties(NamedTuple):
    """What a witness votes for. Source: witness_objects.hpp, chain_properties."""

    account_creation_fee: Asset
    maximum_block_size: U32
    sbd_interest_rate: U16
    account_subsidy_budget: Annotated[I64, Integer(32, signed=True)]
    account_subsidy_decay: U32


class LegacyChainProperties(NamedTuple):
    """The three properties that witness_update and the mining operations carry.

    Source: steem_operations.hpp, legacy_chain_properties.
    """

    account_creation_fee: LegacyAsset
    maximum_block_size: Annotated[U32, Default(131_072)]
    sbd_interest_rate: Annotated[U16, Default(1000)]


class Beneficiary(NamedTuple):
    """An account that gets a share of an author's reward; the weight is in basis points."""

    account: AccountName
    weight: U16


class HardforkVersionVote(NamedTuple):
    """A witness's vote for the next hard fork and the time from which it shall hold."""

    hf_version: HardforkVersion
    hf_time: Time


NoExtensions = StaticVariant[Void]
FutureExtensions = SortedSet[NoExtensions]
"""Room for later additions; today at most one empty member is possible and clients always send none."""

CurveId = Annotated[int, Enumeration(tuple(map(str, CURVES)))]


def snake_case(class_name: str) -> str:
    """The wire name of a class: TransferToVesting becomes transfer_to_vesting."""
    letters: list[str] = []
    for position, letter in enumerate(class_name):
        if letter.isupper() and position and not class_name[position - 1].isupper():
            letters.append("_")
        letters.append(letter.lower())
    return "".join(letters)


Declared = TypeVar("Declared", bound=type)


def json_form(name: str, *, bare: bool = False) -> Callable[[Declared], Declared]:
    """Gives a declared class a name in JSON that is not its own; ``bare`` shows its one field without the object."""

    def mark(cls: Declared) -> Declared:
        setattr(cls, "wire_name", name)  # noqa: B010 - the type checker does not know these attributes
        setattr(cls, "bare", bare)  # noqa: B010
        return cls

    return mark


def wire_name_of(cls: type) -> str:
    """The name of a declared class in JSON: ``wire_name`` if it states one, else its own name in snake case."""
    stated = cls.__dict__.get("wire_name")
    return stated if isinstance(stated, str) else snake_case(cls.__name__)
