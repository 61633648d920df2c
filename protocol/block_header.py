"""Block headers and their extensions.

Source: libraries/protocol block_header.hpp, block.cpp, version.hpp.
"""

from typing import NamedTuple

from protocol.actions import OptionalAction, RequiredAction
from protocol.types import (
    HardforkVersionVote,
    Ripemd160,
    Signature,
    SortedSet,
    StaticVariant,
    String,
    Time,
    Vector,
    Version,
    Void,
    json_form,
)


@json_form("version", bare=True)
class VersionReport(NamedTuple):
    """The version of the program that a witness runs; JSON shows only "0.24.0"."""

    version: Version


@json_form("required_automated_actions", bare=True)
class RequiredActions(NamedTuple):
    """Actions that the block carries out because the chain demands them."""

    actions: Vector[RequiredAction]


@json_form("optional_automated_actions", bare=True)
class OptionalActions(NamedTuple):
    """Actions that the block carries out because its witness chose to."""

    actions: Vector[OptionalAction]


HeaderExtension = StaticVariant[Void, VersionReport, HardforkVersionVote, RequiredActions, OptionalActions]


class BlockHeader(NamedTuple):
    """What a witness signs: the parent's id, the time, its own name, the merkle root of the transactions."""

    previous: Ripemd160
    timestamp: Time
    witness: String
    transaction_merkle_root: Ripemd160
    extensions: SortedSet[HeaderExtension]


class SignedBlockHeader(NamedTuple):
    """A header with the witness's signature over the sha256 of the packed header, without chain id."""

    previous: Ripemd160
    timestamp: Time
    witness: String
    transaction_merkle_root: Ripemd160
    extensions: SortedSet[HeaderExtension]
    witness_signature: Signature
