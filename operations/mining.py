"""Mining, and reports of double production: disabled for good, kept because old blocks contain them."""

import hashlib
import struct
from typing import Annotated, NamedTuple

from operations.checks import check_account_name, check_chain_properties
from protocol.block_header import BlockHeader, SignedBlockHeader
from protocol.codec import Codec
from protocol.errors import Invalid
from protocol.identity import STEEM_MAINNET
from protocol.keys import PrivateKey, recover, sign_digest
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.resources import UNCOUNTED
from protocol.rules import Rules
from protocol.types import (
    U32,
    U64,
    AccountName,
    Authority,
    LegacyChainProperties,
    PublicKey,
    Ripemd160,
    Sha256,
    Signature,
    StaticVariant,
    Vector,
)

EQUIHASH_N = 140
EQUIHASH_K = 6
NULL_HASH = bytes(32)
_CODEC = Codec(STEEM_MAINNET)
"""Encodes types without symbols, for which the chain does not matter."""


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _any_form(signature: bytes) -> bool:
    """Accepts every form of a signature, as the reference does for mined work."""
    return True


def compute_approx_log_32(digest: bytes) -> int:
    """The logarithm of a 256-bit number in 8 integer bits and 24 bits of fraction, rounded down.

    Source: fc/src/crypto/sha256.cpp, sha256::approx_log_32.
    """
    number = int.from_bytes(digest, "big")
    if number == 0:
        return 0
    exponent = number.bit_length() - 1
    fraction = (number << 24 >> exponent) & 0xFFFFFF
    return exponent << 24 | fraction


class Pow(NamedTuple):
    """Work of the first kind of mining. Source: steem_operations.hpp and steem_operations.cpp, pow."""

    worker: Annotated[PublicKey, "Key that the miner worked for."]
    input: Annotated[Sha256, "Digest that is signed."]
    signature: Annotated[Signature, "The worker's signature of the input."]
    work: Annotated[Sha256, "Hash of the key recovered from the signature's own hash; the smaller the better."]

    def validate(self) -> None:
        """Checks that the worker signed the input, and that the work is derived from the signature."""
        if self.work == NULL_HASH:
            raise Invalid("work != fc::sha256()")
        if recover(self.input, self.signature, _any_form) != self.worker:
            raise Invalid("public_key_type(fc::ecc::public_key( signature, input, fc::ecc::non_canonical ) ) == worker")
        if self.work != _sha256(recover(_sha256(self.signature), self.signature, _any_form)):
            raise Invalid("work == fc::sha256::hash(recover)")


@operation(number=14, takes=UNCOUNTED, impacts=("worker_account",))
class PowOperation(Operation):
    """Proof of work for one block. Disabled since hard fork 13.

    Source: steem_operations.hpp, pow_operation; steem_operations.cpp, pow_operation::validate; steem_evaluator.cpp,
    pow_evaluator.
    """

    wire_name = "pow"
    refused = ("!db().has_hardfork( STEEM_HARDFORK_0_13__256 )", "pow is deprecated. Use pow2 instead")

    worker_account: Annotated[AccountName, "Account of the miner; the work stands for its signature."]
    block_id: Annotated[Ripemd160, "Head block that was mined on."]
    nonce: Annotated[U64, "Number that was tried."]
    work: Annotated[Pow, "The work."]
    props: Annotated[LegacyChainProperties, "Chain properties the miner votes for."]

    def validate(self, rules: Rules) -> None:
        check_chain_properties(self.props, rules, canonical=True)
        check_account_name(self.worker_account)
        if self.work_input() != self.work.input:
            raise Invalid("work_input() == work.input", "Determninistic input does not match recorded input")
        self.work.validate()

    def work_input(self) -> bytes:
        """The digest that had to be signed: 32 bytes. Source: steem_operations.cpp, pow_operation::work_input."""
        start = _sha256(self.block_id)
        return _sha256(struct.pack("<Q", self.nonce) + start[8:])


class Pow2Input(NamedTuple):
    """The input of the hash of the second kind of mining. Source: steem_operations.hpp, pow2_input."""

    worker_account: Annotated[AccountName, "Account of the miner; its active authority signs."]
    prev_block: Annotated[Ripemd160, "Head block that was mined on."]
    nonce: Annotated[U64, "Number that was tried."]

    def digest(self) -> bytes:
        """The sha256 of the packed fields."""
        name = self.worker_account.encode("utf-8")
        return _sha256(bytes([len(name)]) + name + self.prev_block + struct.pack("<Q", self.nonce))


class Pow2(NamedTuple):
    """Work by signatures. Source: steem_operations.hpp and steem_operations.cpp, pow2."""

    input: Annotated[Pow2Input, "What was hashed."]
    pow_summary: Annotated[U32, "Logarithm of the work; the smaller the better."]

    def validate(self) -> None:
        """Repeats the work and compares the result."""
        check_account_name(self.input.worker_account)
        secret = self.input.digest()
        digest = _sha256(secret)
        signature = sign_digest(digest, PrivateKey(secret))
        key = recover(_sha256(signature), signature)
        if self.pow_summary != compute_approx_log_32(_sha256(digest + key)):
            raise Invalid("pow_summary == tmp.pow_summary", "reported work does not match calculated work")


class EquihashProof(NamedTuple):
    """A solution of the equihash puzzle. Source: fc/crypto/equihash.hpp, proof."""

    n: Annotated[U32, "Width of the puzzle in bits."]
    k: Annotated[U32, "Rounds of the puzzle."]
    seed: Annotated[Sha256, "Seed of the puzzle."]
    inputs: Annotated[Vector[U32], "The solution."]


class EquihashPow(NamedTuple):
    """Work by equihash. Source: steem_operations.hpp and steem_operations.cpp, equihash_pow."""

    input: Annotated[Pow2Input, "Input from which the seed is derived."]
    proof: Annotated[EquihashProof, "The solution."]
    prev_block: Annotated[Ripemd160, "Head block that was mined on."]
    pow_summary: Annotated[U32, "Logarithm of the work; the smaller the better."]

    def validate(self) -> None:
        """Checks the parameters, the seed and the summary.

        Whether the solution solves the puzzle is not checked: the operation is refused afterwards in any case.
        """
        check_account_name(self.input.worker_account)
        if self.proof.n != EQUIHASH_N:
            raise Invalid("proof.n == STEEM_EQUIHASH_N", "proof of work 'n' value is incorrect")
        if self.proof.k != EQUIHASH_K:
            raise Invalid("proof.k == STEEM_EQUIHASH_K", "proof of work 'k' value is incorrect")
        if self.proof.seed != self.input.digest():
            raise Invalid("proof.seed == seed", "proof of work seed does not match expected seed")
        packed = _CODEC.encode(Vector[U32], self.proof.inputs)
        if self.pow_summary != compute_approx_log_32(_sha256(packed)):
            raise Invalid("pow_summary == fc::sha256::hash( proof.inputs ).approx_log_32()")


@operation(number=30, takes=UNCOUNTED)
class Pow2Operation(Operation):
    """Proof of work of the second kind. Disabled since hard fork 17.

    Source: steem_operations.hpp, pow2_operation; steem_operations.cpp, pow2_operation::validate;
    steem_evaluator.cpp, pow2_evaluator.
    """

    wire_name = "pow2"
    refused = ("!db.has_hardfork( STEEM_HARDFORK_0_17__770 )", "mining is now disabled")

    work: Annotated[StaticVariant[Pow2, EquihashPow], "The work; its account signs, unless a new key is given."]
    new_owner_key: Annotated[PublicKey | None, "Key of an account that is mined with this work; it signs then."]
    props: Annotated[LegacyChainProperties, "Chain properties the miner votes for."]

    def validate(self, rules: Rules) -> None:
        check_chain_properties(self.props, rules, canonical=True)
        self.work.validate()

    def authorities(self, required: RequiredAuthorities) -> None:
        if self.new_owner_key is None:
            required.active(self.work.input.worker_account)
        else:
            required.other(Authority(1, (), ((self.new_owner_key, 1),)))

    def impacted(self) -> set[str]:
        return {self.work.input.worker_account}


@operation(number=16, takes=UNCOUNTED)
class ReportOverProduction(Operation):
    """Reports a witness that signed two blocks for one slot. Disabled since hard fork 4.

    Source: steem_operations.hpp, report_over_production_operation; steem_operations.cpp,
    report_over_production_operation::validate; steem_evaluator.cpp, report_over_production_evaluator.
    """

    refused = ("!_db.has_hardfork( STEEM_HARDFORK_0_4 )", "report_over_production_operation is disabled.")

    reporter: Annotated[AccountName, "Account that reports; nobody has to sign."]
    first_block: Annotated[SignedBlockHeader, "Header of one block."]
    second_block: Annotated[SignedBlockHeader, "Header of another block by the same witness for the same time."]

    def validate(self, rules: Rules) -> None:
        first, second = self.first_block, self.second_block
        check_account_name(self.reporter)
        check_account_name(first.witness)
        if first.witness != second.witness:
            raise Invalid("first_block.witness == second_block.witness")
        if first.timestamp != second.timestamp:
            raise Invalid("first_block.timestamp == second_block.timestamp")
        if _signee(first) != _signee(second):
            raise Invalid("first_block.signee() == second_block.signee()")
        if first == second:
            raise Invalid("first_block.id() != second_block.id()")


def _signee(header: SignedBlockHeader) -> bytes:
    """The key that signed a header. Source: block.cpp, signed_block_header::signee."""
    packed = _CODEC.encode(BlockHeader, BlockHeader(*header[:-1]))
    return recover(_sha256(packed), header.witness_signature)
