"""Blocks: decoded once, with the bytes of every transaction kept.

Source: libraries/protocol block.hpp, block.cpp, block_header.hpp; block_api_objects.hpp for the annotated form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha224, sha256
from typing import Any, NamedTuple

from protocol import keys
from protocol.block_header import BlockHeader, HeaderExtension, SignedBlockHeader
from protocol.codec import Codec
from protocol.codec_generate import FAST_PATH_ERRORS
from protocol.errors import Invalid
from protocol.hashes import ripemd160
from protocol.transaction import SignedTransactionFields, Transaction
from protocol.types import Ripemd160, Signature, SortedSet, String, Time, Vector, json_form
from protocol.wire import MEMBERS_MAX, pack_varint, unpack_varint

_SIGNATURE_BYTES = 65
ID_BYTES = 20


@json_form("block")
class SignedBlockFields(NamedTuple):
    """The declared layout of a block; it names the fields when bytes or JSON are malformed."""

    previous: Ripemd160
    timestamp: Time
    witness: String
    transaction_merkle_root: Ripemd160
    extensions: SortedSet[HeaderExtension]
    witness_signature: Signature
    transactions: Vector[SignedTransactionFields]


def block_number(block_id: bytes) -> int:
    """The height that a block id carries in its first 4 bytes; 0 for the id of zeros before the first block."""
    return int.from_bytes(block_id[:4], "big")


def block_id(packed_signed_header: bytes) -> bytes:
    """The id of a header: the first 20 bytes of its sha224, the first 4 of them replaced by the height."""
    number = block_number(packed_signed_header) + 1
    return (number & 0xFFFFFFFF).to_bytes(4, "big") + sha224(packed_signed_header).digest()[4:ID_BYTES]


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over the transactions' sha256 digests: 20 bytes, zeros without leaves.

    Pairs are hashed together, an odd last digest moves up unchanged, and the root is the ripemd160 of the last digest.
    """
    if not leaves:
        return bytes(ID_BYTES)
    level = list(leaves)
    while len(level) > 1:
        pairs = [sha256(level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - 1 :] if len(level) & 1 else pairs
    return ripemd160(level[0])


class Block:
    """An immutable signed block. ``packed`` is its encoding, ``packed_header`` the part that the witness signs.

    Both are encoded from the fields, even if the block was read from non-canonical bytes, because ids and signatures
    are over the canonical encoding.
    """

    __slots__ = (
        "_merkle_root",
        "_signer",
        "extensions",
        "id",
        "number",
        "packed",
        "packed_header",
        "previous",
        "size",
        "timestamp",
        "transaction_merkle_root",
        "transactions",
        "witness",
        "witness_signature",
    )

    def __init__(self, fields: tuple[Any, ...], packed_header: bytes, packed: bytes) -> None:
        """Takes the seven fields in their order and the bytes; use the class methods to make one."""
        self.previous: bytes = fields[0]
        self.timestamp: int = fields[1]
        self.witness: str = fields[2]
        self.transaction_merkle_root: bytes = fields[3]
        self.extensions: tuple[Any, ...] = fields[4]
        self.witness_signature: bytes = fields[5]
        self.transactions: tuple[Transaction, ...] = fields[6]
        self.packed_header = packed_header
        self.packed = packed
        self.number = block_number(self.previous) + 1
        """The height of the block; the first one is 1."""
        self.size = len(packed)
        """The number of packed bytes."""
        self.id = block_id(packed_header + self.witness_signature)
        """The block id (20 bytes)."""
        self._merkle_root: bytes | None = None
        self._signer: bytes | None = None

    @classmethod
    def make(
        cls,
        codec: Codec,
        *,
        previous: bytes,
        timestamp: int,
        witness: str,
        transactions: Iterable[Transaction] = (),
        extensions: tuple[Any, ...] = (),
        transaction_merkle_root: bytes | None = None,
        witness_signature: bytes = bytes(_SIGNATURE_BYTES),
    ) -> Block:
        """Packs a block; the merkle root is computed unless one is given. Raises Invalid."""
        included = tuple(transactions)
        root = transaction_merkle_root
        if root is None:
            root = merkle_root([transaction.merkle_digest for transaction in included])
        header = BlockHeader(previous, timestamp, witness, root, extensions)
        packed_header = codec.encode(BlockHeader, header)
        bodies = b"".join(transaction.packed_signed for transaction in included)
        packed = packed_header + witness_signature + pack_varint(len(included)) + bodies
        return cls((*header, witness_signature, included), packed_header, packed)

    @classmethod
    def from_bytes(cls, codec: Codec, data: bytes) -> Block:
        """Decodes exactly these bytes; raises Invalid."""
        block, end = cls.read(codec, data)
        if end != len(data):
            codec.decode_slowly(SignedBlockFields, data)
        return block

    @classmethod
    def read(cls, codec: Codec, data: bytes) -> tuple[Block, int]:
        """Decodes the block at the beginning and returns it with the position behind it; raises Invalid."""
        try:
            return cls.read_fast(codec, data)
        except FAST_PATH_ERRORS:
            return cls.read_slowly(codec, data)

    @classmethod
    def read_fast(cls, codec: Codec, data: bytes) -> tuple[Block, int]:
        """Decodes canonical bytes; raises one of FAST_PATH_ERRORS for others."""
        header, header_end = codec.generator.decoder(codec.shape(BlockHeader))(data, 0)
        position = header_end + _SIGNATURE_BYTES
        signature = data[header_end:position]
        count, position = unpack_varint(data, position)
        if count > MEMBERS_MAX:
            raise ValueError(count)
        transactions = []
        for _ in range(count):
            transaction, position = Transaction.read_fast(codec, data, position)
            transactions.append(transaction)
        return cls((*header, signature, tuple(transactions)), data[:header_end], data[:position]), position

    @classmethod
    def read_slowly(cls, codec: Codec, data: bytes) -> tuple[Block, int]:
        """Decodes field by field and packs again; raises Invalid that names the place."""
        fields, end = codec.read_slowly(SignedBlockFields, data, 0)
        return cls.from_fields(codec, fields), end

    @classmethod
    def from_fields(cls, codec: Codec, fields: SignedBlockFields) -> Block:
        """Packs a block whose fields, the given merkle root included, are as declared."""
        *header, transactions = fields
        included = [Transaction.make(codec, **transaction._asdict()) for transaction in transactions]
        names = SignedBlockFields._fields[:-1]
        members: dict[str, Any] = dict(zip(names, header, strict=True))
        return cls.make(codec, transactions=included, **members)

    @classmethod
    def from_json(cls, codec: Codec, data: Any) -> Block:
        """Takes either JSON form; members that annotate are ignored. Raises Invalid."""
        return cls.from_fields(codec, codec.from_json(SignedBlockFields, data))

    @property
    def digest(self) -> bytes:
        """What the witness signs: the sha256 of the header, without chain id."""
        return sha256(self.packed_header).digest()

    @property
    def header(self) -> SignedBlockHeader:
        """The signed header alone."""
        return SignedBlockHeader(
            self.previous,
            self.timestamp,
            self.witness,
            self.transaction_merkle_root,
            self.extensions,
            self.witness_signature,
        )

    @property
    def transaction_ids(self) -> list[bytes]:
        """The ids of the transactions in their order."""
        return [transaction.id for transaction in self.transactions]

    def merkle_root(self) -> bytes:
        """The merkle root of the transactions, whatever the header states."""
        if self._merkle_root is None:
            self._merkle_root = merkle_root([transaction.merkle_digest for transaction in self.transactions])
        return self._merkle_root

    def signer(self) -> bytes:
        """The public key that signed the header, recovered once; raises Invalid for a bad signature."""
        if self._signer is None:
            self._signer = keys.recover(self.digest, self.witness_signature)
        return self._signer

    def keep_signer(self, key: bytes) -> None:
        """Stores the public key of the signer, as recovered by a trusted process."""
        self._signer = key

    def with_signature(self, signature: bytes) -> Block:
        """The same block with this witness signature."""
        if len(signature) != _SIGNATURE_BYTES:
            raise Invalid("", "a signature has 65 bytes, not ${found}", found=len(signature))
        start = len(self.packed_header)
        packed = self.packed_header + signature + self.packed[start + _SIGNATURE_BYTES :]
        return Block((*self.header[:5], signature, self.transactions), self.packed_header, packed)

    def header_to_json(self, codec: Codec, legacy: bool = False) -> dict[str, Any]:
        """The JSON form of the header without signature."""
        result: dict[str, Any] = codec.to_json(BlockHeader, BlockHeader(*self.header[:5]), legacy)
        return result

    def to_json(self, codec: Codec, legacy: bool = False, signing_key: bytes | None = None) -> dict[str, Any]:
        """The annotated JSON form.

        ``signing_key`` is recovered if it is not given. In the legacy form every transaction also carries its id, the
        height and its position. Source: block_api_objects.hpp; condenser_api_legacy_objects.hpp.
        """
        result: dict[str, Any] = codec.to_json(SignedBlockHeader, self.header, legacy)
        transactions = []
        for position, transaction in enumerate(self.transactions):
            shown = transaction.to_json(codec, legacy)
            if legacy:
                shown["transaction_id"] = transaction.id.hex()
                shown["block_num"] = self.number
                shown["transaction_num"] = position
            transactions.append(shown)
        result["transactions"] = transactions
        result["block_id"] = self.id.hex()
        result["signing_key"] = codec.book.key.show(signing_key if signing_key is not None else self.signer())
        result["transaction_ids"] = [identity.hex() for identity in self.transaction_ids]
        return result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Block) and self.packed == other.packed

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Block {self.number} {self.id.hex()} of {len(self.transactions)} transactions>"
