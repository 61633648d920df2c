"""Transactions: decoded once, with their bytes, id and recovered signers kept.

Source: libraries/protocol transaction.hpp, transaction.cpp; condenser_api_legacy_objects.hpp for the legacy form.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import Any, NamedTuple

from protocol import keys
from protocol.codec import Codec
from protocol.codec_generate import FAST_PATH_ERRORS
from protocol.errors import DuplicateSignature, Invalid
from protocol.operation import Operation, RequiredAuthorities
from protocol.resources import TRANSACTION_BASE, TRANSACTION_BYTE, Counts
from protocol.types import U16, U32, FutureExtensions, Signature, Time, Vector, Void, json_form
from protocol.wire import MEMBERS_MAX, VARINT_TABLE, VARINT_TABLE_SIZE, pack_varint, unpack_varint

_HEAD = Struct("<HII")
_SIGNATURE_BYTES = 65
ID_BYTES = 20
OP_JSON_SIGNATURES_MAX = 1024
"""Maximum number of signatures in JSON input; a valid transaction needs far fewer."""


class TransactionFields(NamedTuple):
    """The declared layout of an unsigned transaction."""

    ref_block_num: U16
    ref_block_prefix: U32
    expiration: Time
    operations: Vector[Operation]
    extensions: FutureExtensions


@json_form("transaction")
class SignedTransactionFields(NamedTuple):
    """The declared layout of a transaction; it names the fields when bytes or JSON are malformed."""

    ref_block_num: U16
    ref_block_prefix: U32
    expiration: Time
    operations: Vector[Operation]
    extensions: FutureExtensions
    signatures: Vector[Signature]


class Transaction:
    """An immutable transaction; ``with_signatures`` makes a new one.

    ``packed`` is the encoding without signatures, ``packed_signed`` with them. Both are encoded from the fields, even
    if the transaction was read from non-canonical bytes, because ids and signatures are over the canonical encoding.
    """

    __slots__ = (
        "_counts",
        "_id",
        "_merkle_digest",
        "_payer",
        "_signers",
        "expiration",
        "extensions",
        "operations",
        "packed",
        "packed_signed",
        "proof",
        "ref_block_num",
        "ref_block_prefix",
        "signatures",
    )

    def __init__(self, fields: tuple[Any, ...], packed: bytes, packed_signed: bytes) -> None:
        """Takes the six fields in their order and both packed forms; use the class methods to make one."""
        self.ref_block_num: int = fields[0]
        self.ref_block_prefix: int = fields[1]
        self.expiration: int = fields[2]
        self.operations: tuple[Operation, ...] = fields[3]
        self.extensions: tuple[Void, ...] = fields[4]
        self.signatures: tuple[bytes, ...] = fields[5]
        self.packed = packed
        self.packed_signed = packed_signed
        self._counts: Counts | None = None
        self._payer: str | None = None
        self._id: bytes | None = None
        self._merkle_digest: bytes | None = None
        self._signers: tuple[bytes, tuple[bytes, ...]] | None = None
        self.proof: object = None
        """Scratch space of the checker (`chain.proof`), which stores here what need not be checked twice."""

    @classmethod
    def make(
        cls,
        codec: Codec,
        *,
        ref_block_num: int,
        ref_block_prefix: int,
        expiration: int,
        operations: Iterable[Operation],
        extensions: tuple[Void, ...] = (),
        signatures: Iterable[bytes] = (),
    ) -> Transaction:
        """Packs a transaction from its fields; raises Invalid if one does not fit its type."""
        fields = TransactionFields(ref_block_num, ref_block_prefix, expiration, tuple(operations), extensions)
        packed = codec.encode(TransactionFields, fields)
        signed = tuple(signatures)
        return cls((*fields, signed), packed, packed + pack_signatures(signed))

    @classmethod
    def from_bytes(cls, codec: Codec, data: bytes) -> Transaction:
        """Decodes exactly these bytes; raises Invalid."""
        transaction, end = cls.read(codec, data, 0)
        if end != len(data):
            codec.decode_slowly(SignedTransactionFields, data)
        return transaction

    @classmethod
    def read(cls, codec: Codec, data: bytes, start: int) -> tuple[Transaction, int]:
        """Decodes the transaction at ``start`` and returns it with the position behind it; raises Invalid."""
        try:
            return cls.read_fast(codec, data, start)
        except FAST_PATH_ERRORS:
            return cls.read_slowly(codec, data, start)

    @classmethod
    def read_fast(cls, codec: Codec, data: bytes, start: int) -> tuple[Transaction, int]:
        """Decodes canonical bytes; raises one of FAST_PATH_ERRORS for others."""
        read_operation = codec.generator.decoder(codec.shape(Operation))
        num, prefix, expiration = _HEAD.unpack_from(data, start)
        count, position = unpack_varint(data, start + _HEAD.size)
        if count > MEMBERS_MAX:
            raise ValueError(count)
        operations = []
        for _ in range(count):
            op, position = read_operation(data, position)
            operations.append(op)
        extensions: tuple[Void, ...] = ()
        if data[position]:
            extensions, position = codec.generator.decoder(codec.shape(FutureExtensions))(data, position)
        else:
            position += 1
        end_unsigned = position
        count, position = unpack_varint(data, position)
        end = position + _SIGNATURE_BYTES * count
        if end > len(data):
            raise ValueError(count)
        signatures = tuple(data[at : at + _SIGNATURE_BYTES] for at in range(position, end, _SIGNATURE_BYTES))
        fields = (num, prefix, expiration, tuple(operations), extensions, signatures)
        return cls(fields, data[start:end_unsigned], data[start:end]), end

    @classmethod
    def read_slowly(cls, codec: Codec, data: bytes, start: int) -> tuple[Transaction, int]:
        """Decodes field by field and packs again; raises Invalid that names the place."""
        fields, end = codec.read_slowly(SignedTransactionFields, data, start)
        return cls.make(codec, **fields._asdict()), end

    @classmethod
    def from_json(cls, codec: Codec, data: Any) -> Transaction:
        """Takes either JSON form; unknown members are ignored, absent ones have their defaults. Raises Invalid."""
        fields = codec.from_json(SignedTransactionFields, data)
        if len(fields.signatures) > OP_JSON_SIGNATURES_MAX:
            text = "a transaction with ${count} signatures, at most ${max} allowed"
            raise Invalid("", text, count=len(fields.signatures), max=OP_JSON_SIGNATURES_MAX)
        return cls.make(codec, **fields._asdict())

    def to_json(self, codec: Codec, legacy: bool = False) -> dict[str, Any]:
        """The JSON form; the legacy one always shows empty extensions, as the reference does."""
        fields = (
            self.ref_block_num,
            self.ref_block_prefix,
            self.expiration,
            self.operations,
            () if legacy else self.extensions,
            self.signatures,
        )
        result: dict[str, Any] = codec.to_json(SignedTransactionFields, SignedTransactionFields(*fields), legacy)
        return result

    def with_signatures(self, signatures: Iterable[bytes]) -> Transaction:
        """The same transaction with these signatures instead of its own."""
        signed = tuple(signatures)
        fields = (self.ref_block_num, self.ref_block_prefix, self.expiration, self.operations, self.extensions, signed)
        return Transaction(fields, self.packed, self.packed + pack_signatures(signed))

    @property
    def id(self) -> bytes:
        """The first 20 bytes of the sha256 of the unsigned bytes."""
        if self._id is None:
            self._id = sha256(self.packed).digest()[:ID_BYTES]
        return self._id

    @property
    def size(self) -> int:
        """The number of packed bytes, with signatures."""
        return len(self.packed_signed)

    @property
    def merkle_digest(self) -> bytes:
        """The sha256 of the signed bytes: the leaf of the block's merkle tree."""
        if self._merkle_digest is None:
            self._merkle_digest = sha256(self.packed_signed).digest()
        return self._merkle_digest

    def digest(self, chain_id: bytes) -> bytes:
        """What a signature signs: the sha256 of the chain id and the unsigned bytes."""
        return sha256(chain_id + self.packed).digest()

    def signers(self, chain_id: bytes) -> tuple[bytes, ...]:
        """The public keys of the signatures in their order, recovered once; raises Invalid for a bad signature."""
        if self._signers is None or self._signers[0] != chain_id:
            digest = self.digest(chain_id)
            self._signers = (chain_id, tuple(keys.recover(digest, signature) for signature in self.signatures))
        return self._signers[1]

    def keep_signers(self, chain_id: bytes, signers: tuple[bytes, ...]) -> None:
        """Stores the public keys of the signatures, in their order, as recovered by a trusted process."""
        self._signers = (chain_id, signers)

    def take_checks(self, twin: Transaction) -> None:
        """Copies recovered keys and proofs from another instance of this transaction with the same signatures."""
        if self.proof is None and twin.packed_signed == self.packed_signed:
            self._signers = self._signers or twin._signers
            self.proof = twin.proof

    def signature_keys(self, chain_id: bytes) -> frozenset[bytes]:
        """The set of signing keys; raises DuplicateSignature if one signed twice.

        Source: transaction.cpp, signed_transaction::get_signature_keys.
        """
        signers = self.signers(chain_id)
        result = frozenset(signers)
        if len(result) != len(signers):
            raise DuplicateSignature("", "Duplicate Signature detected")
        return result

    @property
    def counts(self) -> Counts:
        """The amount it consumes of each resource, before multiplication by the resource's unit."""
        if self._counts is None:
            size = len(self.packed_signed)
            execution_time = new_accounts = 0
            state_bytes = TRANSACTION_BASE + TRANSACTION_BYTE * size
            is_market = False
            for op in self.operations:
                op_time, op_bytes, op_accounts, op_is_market = op.count_resources()
                execution_time += op_time
                state_bytes += op_bytes
                new_accounts += op_accounts
                is_market |= op_is_market
            self._counts = size, new_accounts, size if is_market else 0, state_bytes, execution_time
        return self._counts

    @property
    def payer(self) -> str:
        """The account whose resource credits pay: that of the first operation that names one; "" if none does."""
        if self._payer is None:
            self._payer = ""
            for op in self.operations:
                self._payer = op.payer()
                if self._payer:
                    break
        return self._payer

    def required_authorities(self) -> RequiredAuthorities:
        """All authorities that the operations need together."""
        required = RequiredAuthorities()
        for op in self.operations:
            op.authorities(required)
        return required

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transaction) and self.packed_signed == other.packed_signed

    def __hash__(self) -> int:
        return hash(self.packed_signed)

    def __repr__(self) -> str:
        return f"<Transaction {self.id.hex()} of {len(self.operations)} operations>"


def pack_signatures(signatures: tuple[bytes, ...]) -> bytes:
    """The number of signatures and the signatures; raises Invalid for one that is not 65 bytes long."""
    for signature in signatures:
        if len(signature) != _SIGNATURE_BYTES:
            text = "a signature has ${needed} bytes, not ${found}"
            raise Invalid("", text, needed=_SIGNATURE_BYTES, found=len(signature))
    count = len(signatures)
    head = VARINT_TABLE[count] if count < VARINT_TABLE_SIZE else pack_varint(count)
    return head + b"".join(signatures)
