"""The layout of every scalar value: how it is written, read, and converted to and from JSON.

Shapes are the plain, exact form of the codec: they walk a value field by field and say precisely where input is wrong.
The generated functions of ``codec_generate`` are the fast path for well-formed input; where they fail, the shape
repeats the work and reports the error. JSON is rendered in one way only, by functions generated from ``shown``.

Leniency: the reference reads bytes that it would not write (over-long variable-length integers, unsorted maps, names
longer than 16 bytes), keeps what it read, and computes ids over the bytes that it packs again. So do these readers:
they take what the reference takes, and a ``Reader`` tells whether the bytes were canonical. Every case is listed in
docs/reference/wire_leniency.md.

Source: libraries/fc/include/fc/io/raw.hpp, container/flat.hpp, reflect/variant.hpp; libraries/protocol
fixed_string.hpp.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

from protocol import assets, keys
from protocol.assets import Asset
from protocol.codec_source import ShowSource
from protocol.errors import JSON_NUMBER_MAX, Invalid
from protocol.identity import ChainIdentity
from protocol.integers import INT32_MAX, INT64_MAX, INT64_MIN
from protocol.times import parse_time, time_text
from protocol.wire import (
    STRING_BYTES_MAX,
    Malformed,
    Reader,
    json_hex,
    json_int,
    json_text,
    pack_varint,
)

_BLANKS = " \t\n\r\v\f"
_INT64_DIGITS = 19


def text_to_bytes(text: str) -> bytes:
    """Encodes text as UTF-8; bytes that were invalid UTF-8 when read are restored unchanged."""
    return text.encode("utf-8", "surrogateescape")


def text_from_bytes(data: bytes) -> str:
    """Decodes UTF-8; invalid bytes become lone surrogates, which only ``text_to_bytes`` turns back into bytes."""
    return str(data, "utf-8", "surrogateescape")


def presentable(text: str) -> str:
    """Text fit for JSON: bytes that were invalid UTF-8 show as U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text_to_bytes(text).decode("utf-8", "replace")
    return text


class Shape:
    """One type of the wire. ``fixed`` is its letter for the struct module if it has one."""

    fixed: str = ""
    depth: int = 1
    memory: int = 8
    """Minimum bytes of memory that the reference counts for a member of a collection, which limits their number."""

    def write(self, value: Any, out: bytearray) -> None:
        """Appends the packed value."""
        raise NotImplementedError

    def read(self, reader: Reader) -> Any:
        """Takes one value from the reader; raises Malformed."""
        raise NotImplementedError

    def shown(self, value: str, source: ShowSource) -> str:
        """Python source of the JSON form of ``value``, itself the source of a value."""
        raise NotImplementedError

    def from_json(self, data: Any) -> Any:
        """The value of a JSON form, either one; raises Malformed or Invalid."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the appbase form."""
        raise NotImplementedError

    def zero(self) -> Any:
        """The value of a field that is absent in JSON."""
        raise NotImplementedError

    def order(self, value: Any) -> Any:
        """The sort key in sets and maps."""
        return value


class Integer(Shape):
    """A little-endian integer of 8 to 64 bits."""

    def __init__(self, bits: int, signed: bool) -> None:
        self.bits, self.signed = bits, signed
        letter = {8: "b", 16: "h", 32: "i", 64: "q"}[bits]
        self.fixed = letter if signed else letter.upper()
        self.packer = struct.Struct("<" + self.fixed)
        self.low = -(1 << (bits - 1)) if signed else 0
        self.high = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, int) or not self.low <= value <= self.high:
            raise Malformed(f"{value!r} is not an integer from {self.low} to {self.high}")
        out += self.packer.pack(value)

    def read(self, reader: Reader) -> Any:
        return self.packer.unpack(reader.take(self.packer.size))[0]

    def shown(self, value: str, source: ShowSource) -> str:
        if self.bits < 64:
            return value
        name = source.fresh("i")
        return f"({name} if ({name} := {value}) <= {JSON_NUMBER_MAX} else str({name}))"

    def from_json(self, data: Any) -> Any:
        return json_int(data, self.low, self.high)

    def schema(self) -> dict[str, Any]:
        if self.bits == 64:
            return {"type": ["integer", "string"], "description": "a string above 4294967295"}
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def zero(self) -> Any:
        return 0


class Boolean(Shape):
    """One byte, 0 or 1."""

    fixed = "?"

    def write(self, value: Any, out: bytearray) -> None:
        out.append(1 if value else 0)

    def read(self, reader: Reader) -> Any:
        start = reader.position
        byte = reader.take(1)[0]
        if byte > 1:
            raise Malformed(f"a boolean is 0 or 1, not {byte}", start)
        return byte == 1

    def shown(self, value: str, source: ShowSource) -> str:
        return value

    def from_json(self, data: Any) -> Any:
        if isinstance(data, str):
            if data in ("true", "false"):
                return data == "true"
            raise Malformed(f"{data[:20]!r} is not a boolean")
        if data is None or isinstance(data, (bool, int, float)):
            return bool(data)
        raise Malformed("a boolean is needed")

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def zero(self) -> Any:
        return False


class WideInteger(Shape):
    """An unsigned 128-bit integer: upper 8 bytes, then lower 8 bytes, each little-endian. JSON shows a string."""

    def write(self, value: Any, out: bytearray) -> None:
        if not 0 <= value < 1 << 128:
            raise Malformed(f"{value} is not an unsigned 128-bit integer")
        out += (value >> 64).to_bytes(8, "little") + (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")

    def read(self, reader: Reader) -> Any:
        data = reader.take(16)
        return int.from_bytes(data[:8], "little") << 64 | int.from_bytes(data[8:], "little")

    def shown(self, value: str, source: ShowSource) -> str:
        return f"str({value})"

    def from_json(self, data: Any) -> Any:
        return json_int(data, 0, (1 << 128) - 1)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]+$"}

    def zero(self) -> Any:
        return 0


class Moment(Integer):
    """A time in seconds; JSON shows YYYY-MM-DDTHH:MM:SS in UTC."""

    def __init__(self) -> None:
        super().__init__(32, False)

    def shown(self, value: str, source: ShowSource) -> str:
        return f"{source.bind(time_text)}({value})"

    def from_json(self, data: Any) -> Any:
        if isinstance(data, int) and not isinstance(data, bool):
            return json_int(data, 0, INT32_MAX)
        return parse_time(json_text(data))

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$"}


class VersionNumber(Integer):
    """A version number in 32 bits; JSON shows "0.24.0". Source: version.cpp."""

    def __init__(self, is_hardfork: bool) -> None:
        super().__init__(32, False)
        self.is_hardfork = is_hardfork

    def shown(self, value: str, source: ShowSource) -> str:
        return f"{source.bind(version_text)}({value})"

    def from_json(self, data: Any) -> Any:
        version = parse_version(json_text(data))
        return version & 0xFFFF0000 if self.is_hardfork else version

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"}


def version_text(version: int) -> str:
    """The text of a version number: "0.24.0"."""
    return f"{version >> 24}.{version >> 16 & 0xFF}.{version & 0xFFFF}"


def parse_version(text: str) -> int:
    """The number of a version text with dots or underscores; raises Invalid. Source: version.cpp, from_variant."""
    parts = text.split("_" if "_" in text else ".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise Invalid(
            "( dot_a == '.' || dot_a == '_' ) && dot_a == dot_b",
            "Variant does not contain proper dotted decimal format",
        )
    major, hardfork, revision = (int(part) for part in parts)
    if major > 0xFF:
        raise Invalid("major <= 0xFF", "Major version is out of range")
    if hardfork > 0xFF:
        raise Invalid("hardfork <= 0xFF", "Hardfork version is out of range")
    if revision > 0xFFFF:
        raise Invalid("revision <= 0xFFFF", "Revision version is out of range")
    return major << 24 | hardfork << 16 | revision


class Enumeration(Integer):
    """A choice: a signed 64-bit integer on the wire, its name in JSON."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(64, True)
        self.names = names
        self.high = len(names) - 1
        self.low = 0

    def read(self, reader: Reader) -> Any:
        start = reader.position
        packed = super().read(reader)
        value = packed & 0xFFFFFFFF  # What an enumeration of the reference holds.
        reader.is_canonical &= value == packed
        if value >= len(self.names):
            raise Malformed(f"{value} is none of {', '.join(self.names)}", start)
        return value

    def shown(self, value: str, source: ShowSource) -> str:
        return f"{source.bind(self.names)}[{value}]"

    def from_json(self, data: Any) -> Any:
        if isinstance(data, str) and data in self.names:
            return self.names.index(data)
        return json_int(data, self.low, self.high)

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.names)}


class FixedBytes(Shape):
    """A fixed number of bytes; JSON shows hexadecimal digits. An empty text means zeros."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.fixed = f"{size}s"

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, bytes) or len(value) != self.size:
            raise Malformed(f"{self.size} bytes are needed")
        out += value

    def read(self, reader: Reader) -> Any:
        return reader.take(self.size)

    def shown(self, value: str, source: ShowSource) -> str:
        return f"{value}.hex()"

    def from_json(self, data: Any) -> Any:
        value = json_hex(data)
        if not value:
            return bytes(self.size)
        if len(value) != self.size:
            raise Malformed(f"{self.size} bytes are needed, not {len(value)}")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^[0-9a-f]{{{2 * self.size}}}$"}

    def zero(self) -> Any:
        return bytes(self.size)


class Key(FixedBytes):
    """A compressed public key; JSON shows the chain's prefix and base58."""

    def __init__(self, prefix: str) -> None:
        super().__init__(33)
        self.prefix = prefix
        self.show = lru_cache(maxsize=16384)(lambda key: keys.encode_public_key(key, prefix))
        self.parse = lru_cache(maxsize=16384)(lambda text: keys.decode_public_key(text, prefix))

    def shown(self, value: str, source: ShowSource) -> str:
        return f"{source.bind(self.show)}({value})"

    def from_json(self, data: Any) -> Any:
        return self.parse(json_text(data))

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.prefix}[1-9A-HJ-NP-Za-km-z]+$"}


class Text(Shape):
    """A string prefixed by its length in bytes. Invalid UTF-8 survives decoding and encoding."""

    memory = 32

    def __init__(self, maximum: int = STRING_BYTES_MAX) -> None:
        self.maximum = min(maximum, STRING_BYTES_MAX)

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, str):
            raise Malformed(f"a string is needed, not {type(value).__name__}")
        try:
            data = text_to_bytes(value)
        except UnicodeEncodeError:
            raise Malformed("the string holds half of a surrogate pair") from None
        if len(data) > self.maximum:
            raise Malformed(f"{len(data)} bytes are more than the maximum of {self.maximum}")
        out += pack_varint(len(data)) + data

    def read(self, reader: Reader) -> Any:
        return text_from_bytes(reader.take(reader.count(self.maximum, "bytes")))

    def shown(self, value: str, source: ShowSource) -> str:
        name = source.fresh("t")
        return f"({name} if ({name} := {value}).isascii() else {source.bind(presentable)}({name}))"

    def from_json(self, data: Any) -> Any:
        text = json_text(data)
        if len(text) > self.maximum:
            raise Malformed(f"{len(text)} characters are more than the maximum of {self.maximum}")
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def zero(self) -> Any:
        return ""

    def order(self, value: Any) -> Any:
        return text_to_bytes(value)


class Name(Text):
    """A string of at most ``maximum`` bytes without zero bytes; longer input is truncated, as in the reference.

    Source: fixed_string.hpp.
    """

    def __init__(self, maximum: int) -> None:
        super().__init__(maximum)
        self.memory = maximum

    def read(self, reader: Reader) -> Any:
        data = reader.take(reader.count(STRING_BYTES_MAX, "bytes"))
        kept = data[: self.maximum].partition(b"\0")[0]
        reader.is_canonical &= len(kept) == len(data)
        return text_from_bytes(kept)

    def write(self, value: Any, out: bytearray) -> None:
        if isinstance(value, str) and "\0" in value:
            raise Malformed("a name holds a zero byte")
        super().write(value, out)

    def from_json(self, data: Any) -> Any:
        text = json_text(data)
        if len(text) <= self.maximum and text.isascii() and "\0" not in text:
            return text
        return text_from_bytes(text_to_bytes(text)[: self.maximum].split(b"\0")[0])

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.maximum}


class Blob(Shape):
    """Bytes prefixed by their length; JSON shows hexadecimal digits."""

    memory = 24

    def __init__(self, maximum: int = STRING_BYTES_MAX) -> None:
        self.maximum = min(maximum, STRING_BYTES_MAX)

    def write(self, value: Any, out: bytearray) -> None:
        if len(value) > self.maximum:
            raise Malformed(f"{len(value)} bytes are more than the maximum of {self.maximum}")
        out += pack_varint(len(value)) + value

    def read(self, reader: Reader) -> Any:
        return reader.take(reader.count(self.maximum, "bytes"))

    def shown(self, value: str, source: ShowSource) -> str:
        return f"{value}.hex()"

    def from_json(self, data: Any) -> Any:
        return json_hex(data)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^([0-9a-f]{2})*$"}

    def zero(self) -> Any:
        return b""


class SymbolShape(Shape):
    """A symbol: 8 bytes with the name for a core symbol, the 4 bytes of the asset number for a token."""

    memory = 4

    def __init__(self, identity: ChainIdentity) -> None:
        self.names = identity.symbol_names
        self.by_name = {name: symbol for symbol, name in self.names.items()}
        self.packed = identity.symbol_bytes
        self.by_start = {data[:4]: (data, symbol) for symbol, data in self.packed.items()}

    def write(self, value: Any, out: bytearray) -> None:
        known = self.packed.get(value)
        out += known if known is not None else assets.check_symbol(value).to_bytes(4, "little")

    def read(self, reader: Reader) -> Any:
        start = reader.position
        first = reader.take(4)
        core = self.by_start.get(first)
        if core is not None:
            if first + reader.take(4) != core[0]:
                raise Malformed("invalid asset bits", start)
            return core[1]
        symbol = int.from_bytes(first, "little")
        if symbol in self.packed:  # The reference also accepts the number, and always writes the name.
            reader.is_canonical = False
            return symbol
        try:
            return assets.check_symbol(symbol)
        except Invalid:
            raise Malformed(f"unknown asset symbol {symbol}", start) from None

    def shown(self, value: str, source: ShowSource) -> str:
        return f"{source.bind(self.show)}({value})"

    @staticmethod
    def show(symbol: int) -> dict[str, Any]:
        """The JSON form of a symbol."""
        return {"nai": assets.nai_string(symbol), "precision": assets.decimals(symbol)}

    def from_json(self, data: Any) -> Any:
        if isinstance(data, str) and data in self.by_name:
            return self.by_name[data]
        if not isinstance(data, dict):
            raise Malformed("an asset symbol is an object with nai and precision")
        decimals = data.get("precision", data.get("decimals"))
        return assets.symbol_from_nai_string(json_text(data.get("nai")), json_int(decimals, 0, 255))

    def schema(self) -> dict[str, Any]:
        properties = {"nai": {"type": "string"}, "precision": {"type": "integer"}}
        return {"type": "object", "properties": properties, "required": ["nai", "precision"]}

    def zero(self) -> Any:
        return 0


class AssetShape(Shape):
    """An amount and its symbol. JSON: "1.000 STEEM" or an object with amount, precision and nai.

    A token has no legacy form and shows the object in both. Source: asset.cpp; condenser_api_legacy_asset.cpp.
    """

    def __init__(self, symbol: SymbolShape) -> None:
        self.symbol = symbol

    def write(self, value: Any, out: bytearray) -> None:
        try:
            amount, symbol = value
            out += struct.pack("<q", amount)
        except (TypeError, ValueError, struct.error):
            raise Malformed(f"{value!r} is not an asset") from None
        self.symbol.write(symbol, out)

    def read(self, reader: Reader) -> Any:
        amount = struct.unpack("<q", reader.take(8))[0]
        return Asset(amount, self.symbol.read(reader))

    def shown(self, value: str, source: ShowSource) -> str:
        return f"{source.bind(self.show_legacy if source.is_legacy else self.show)}({value})"

    @staticmethod
    def show(value: tuple[int, int]) -> Any:
        """The object of an amount."""
        amount, symbol = value
        return {"amount": str(amount), "precision": symbol & 0xF, "nai": assets.nai_string(symbol)}

    def show_legacy(self, value: tuple[int, int]) -> Any:
        """The text of an amount, or the object if it is of a token."""
        amount, symbol = value
        name = self.symbol.names.get(symbol)
        return self.show(value) if name is None else f"{legacy_amount(amount, symbol & 0xF)} {name}"

    def from_json(self, data: Any) -> Any:
        if isinstance(data, str):
            return self.parse(data)
        if isinstance(data, (list, tuple)) and len(data) == 3:
            data = {"amount": data[0], "precision": data[1], "nai": data[2]}
        if not isinstance(data, dict):
            raise Malformed("an asset is a string or an object")
        for member, name, kind, is_kind in (
            ("amount", "Amount", "a string", "string"),
            ("precision", "Precision", "an unsigned integer", "uint64"),
            ("nai", "NAI", "a string", "string"),
        ):
            key = f"ASSET_{member.upper()}_KEY"
            if member not in data:
                raise Invalid(f"v_object.contains( {key} )", f"{name} field doesn't exist.")
            if type(data[member]) is not (str if is_kind == "string" else int):
                text = f"Expected {kind} type for value '${{key}}'."
                raise Invalid(f"v_object[ {key} ].is_{is_kind}()", text, key=member)
        amount = parse_int64(data["amount"])
        if amount < 0:
            raise Invalid("vo.amount >= 0", "Asset amount cannot be negative")
        precision = json_int(data["precision"], 0, 255)
        return Asset(amount, assets.symbol_from_nai_string(data["nai"], precision))

    def parse(self, text: str) -> Asset:
        """The asset of a legacy string; the number of decimals must be the symbol's.

        Whole part and fraction are read as two numbers and added, so that -1.500 is -0.500. Source:
        condenser_api_legacy_asset.cpp, from_string.
        """
        number, space, name = text.strip(_BLANKS).partition(" ")
        if not space:
            raise Invalid("space_pos != std::string::npos")
        whole, _dot, fraction = number.partition(".")
        symbol = self.symbol.by_name.get(name.strip(_BLANKS))
        if symbol is None:
            raise Invalid("false", "Cannot parse asset symbol")
        if len(fraction) != symbol & 0xF:
            raise Invalid(f"decimals == {symbol & 0xF}", "Incorrect decimal places")
        unit = 10 ** len(fraction)
        amount = parse_int64(whole + str(unit)[1:]) + parse_int64("1" + fraction) - unit
        if amount > INT64_MAX:
            raise Invalid("", "Couldn't parse int64_t")
        return Asset(amount, symbol)

    def schema(self) -> dict[str, Any]:
        names = "amount", "precision", "nai"
        return {"type": "object", "properties": {name: {} for name in names}, "required": list(names)}

    def zero(self) -> Any:
        return Asset()


def parse_int64(text: str) -> int:
    """A signed number of 64 bits with any number of leading zeros, as boost reads it; raises Invalid.

    Source: libraries/fc/src/string.cpp, to_int64.
    """
    digits = text[1:] if text[:1] in ("+", "-") else text
    significant = digits.lstrip("0")
    if not (digits.isascii() and digits.isdecimal()) or len(significant) > _INT64_DIGITS:
        raise Invalid("", "Couldn't parse int64_t")
    number = int(significant or "0") * (-1 if text[0] == "-" else 1)
    if not INT64_MIN <= number <= INT64_MAX:
        raise Invalid("", "Couldn't parse int64_t")
    return number


def legacy_amount(amount: int, precision: int) -> str:
    """An amount with its decimal point. A negative one follows the reference, whose digits go wrong below zero.

    Source: condenser_api_legacy_asset.cpp, legacy_asset::to_string.
    """
    if amount >= 0:
        digits = f"{amount:0{precision + 1}d}"
        return f"{digits[:-precision]}.{digits[-precision:]}" if precision else digits
    unit = 10**precision
    whole, rest = divmod(-amount, unit)
    text = f"-{whole}" if whole else "0"
    return f"{text}.{str(unit - rest)[1:]}" if precision else text


class Amount(Integer):
    """A number of the smallest units of one symbol; JSON shows the asset."""

    def __init__(self, asset: AssetShape, symbol: int) -> None:
        super().__init__(64, True)
        self.asset, self.symbol = asset, symbol

    def shown(self, value: str, source: ShowSource) -> str:
        return self.asset.shown(f"({value}, {self.symbol})", source)

    def from_json(self, data: Any) -> Any:
        amount, symbol = self.asset.from_json(data)
        if symbol != self.symbol:
            raise Malformed(f"an amount of {self.asset.symbol.names[self.symbol]} is needed")
        return amount

    def schema(self) -> dict[str, Any]:
        return self.asset.schema()


class LegacyAssetShape(AssetShape):
    """An amount of STEEM whose symbol bytes may be one of five misspellings. Source: legacy_asset.hpp."""

    def __init__(self, symbol: SymbolShape) -> None:
        super().__init__(symbol)
        canonical = symbol.packed[assets.STEEM]
        spellings = [bytes([digit]) + canonical[1:] for digit in (1, 2, 5)]
        spellings += [b"\x030.001\0\0", b"\x036.000\0\0"]
        self.spellings = {int.from_bytes(spelling, "little") for spelling in spellings}

    def write(self, value: Any, out: bytearray) -> None:
        amount, symbol = value
        if symbol != assets.STEEM and symbol not in self.spellings:
            raise Malformed("the amount must be in STEEM")
        out += struct.pack("<q", amount)
        out += self.symbol.packed[symbol] if symbol == assets.STEEM else symbol.to_bytes(8, "little")

    def read(self, reader: Reader) -> Any:
        amount = struct.unpack("<q", reader.take(8))[0]
        start = reader.position
        spelling = reader.take(8)
        if spelling == self.symbol.packed[assets.STEEM]:
            return Asset(amount, assets.STEEM)
        number = int.from_bytes(spelling, "little")
        if number not in self.spellings:
            raise Malformed(f"cannot deserialize legacy symbol {number}", start)
        return Asset(amount, number)

    def shown(self, value: str, source: ShowSource) -> str:
        return super().shown(f"({value}[0], {assets.STEEM})", source)

    def from_json(self, data: Any) -> Any:
        asset = super().from_json(data)
        if asset.symbol != assets.STEEM:
            raise Invalid("a.symbol == STEEM_SYMBOL")
        return asset
