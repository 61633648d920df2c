"""Generates and compiles the Python functions that encode, decode and render one type, from its shape.

The generated functions are a fast path for well-formed, canonical values. Anything else (invalid UTF-8, over-long
variable-length integers, wrong types, truncated or non-canonical data) raises one of ``FAST_PATH_ERRORS``; the codec
then falls back to the shape's own slow path, which either succeeds or reports precisely what is wrong.

Runs of values of fixed size become one call of the struct module; lengths come from a table.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from protocol.assets import Asset
from protocol.codec_source import Filled, Show, ShowSource, Source
from protocol.composites import Choice, Maybe, Pair, Sequence, ShapeBook, Structure
from protocol.errors import ProtocolError
from protocol.shapes import (
    AssetShape,
    Blob,
    Boolean,
    Enumeration,
    FixedBytes,
    LegacyAssetShape,
    Name,
    Shape,
    Text,
)
from protocol.wire import VARINT_TABLE, Malformed, Reader, pack_varint, unpack_varint

FAST_PATH_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    Malformed,
    ProtocolError,
    TypeError,
    ValueError,  # among them UnicodeError
    struct.error,
)
"""What a generated function raises for input that its fast path does not handle. Callers catch these and fall back to
the shape's slow path, whose errors say what is wrong.
"""

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes, int], tuple[Any, int]]


def _refuse(value: Any) -> bytes:
    """Rejects a value of the wrong size, so that the slow path reports it."""
    raise ValueError(value)


class Generator:
    """Compiles functions for the shapes of one chain and keeps them."""

    def __init__(self, book: ShapeBook) -> None:
        self.book = book
        self.encoder: Callable[[Shape], Encode] = Filled(lambda shape: _Encoding(self).build(shape)).__getitem__
        """The function that packs a value of a shape."""
        self.decoder: Callable[[Shape], Decode] = Filled(lambda shape: _Decoding(self).build(shape)).__getitem__
        """The function that maps (data, position) to (value, position after it)."""
        self.shows: dict[tuple[Shape, bool], Show] = Filled(self.make_show)
        packed = book.symbol.packed
        self.symbol_packed = Filled(self.pack_token)
        self.symbol_packed.update(packed)
        self.symbol_unpacked = {data: symbol for symbol, data in packed.items()}

    def pack_token(self, symbol: int) -> bytes:
        """The bytes of a token's symbol; raises Invalid for a number that is not a symbol."""
        out = bytearray()
        self.book.symbol.write(symbol, out)
        return bytes(out)

    def show(self, shape: Shape, legacy: bool) -> Show:
        """The function that renders the JSON form."""
        return self.shows[shape, legacy]

    def make_show(self, key: tuple[Shape, bool]) -> Show:
        """Builds the function that ``show`` returns."""
        shape, legacy = key
        is_legacy = legacy and not (isinstance(shape, Structure) and shape.keeps_nai)
        return _Showing(partial(self.show, legacy=is_legacy), is_legacy).build(shape)


class _Encoding(Source):
    """Builds one encoding function, an expression that joins the packed parts."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def build(self, shape: Shape) -> Encode:
        self.names.update(VT=VARINT_TABLE, SYM=self.generator.symbol_packed, ODD=_refuse)
        if isinstance(shape, Choice):
            return self.build_choice(shape)
        if isinstance(shape, Sequence):
            part = self.joined(self.parts(shape.member, "x"))
            self.emit(f'return {self.lengths(shape)}[len(v)] + b"".join([{part} for x in v])')
        elif isinstance(shape, Maybe):
            self.emit('if v is None: return b"\\0"')
            self.emit(f'return b"\\1" + {self.joined(self.parts(shape.inner, "v"))}')
        else:
            self.emit(f"return {self.joined(self.parts(shape, 'v'))}")
        built: Encode = self.compile("def f(v):")
        return built

    def build_choice(self, shape: Choice) -> Encode:
        def entry(cls: type) -> tuple[bytes, Encode]:
            tag, member = shape.member_of(cls)
            return pack_varint(tag), self.generator.encoder(member)

        self.names["TAGS"] = Filled(entry)
        self.emit("tag, encode = TAGS[type(v)]")
        self.emit("return tag + encode(v)")
        built: Encode = self.compile("def f(v):")
        return built

    def parts(self, shape: Shape, value: str) -> list[tuple[str, str]]:
        """The packed parts of a value: (struct letter, expression), or ("", expression of bytes)."""
        if isinstance(shape, Structure):
            return self.structure_parts(shape, value)
        if isinstance(shape, FixedBytes):
            name = self.fresh("b")
            return [("", f"({name} if len({name} := {value}) == {shape.size} else ODD({name}))")]
        if isinstance(shape, LegacyAssetShape):
            return [("", f"{self.bind(self.slow_writer(shape))}({value})")]
        if isinstance(shape, AssetShape):
            name = self.fresh("a")
            return [("q", f"({name} := {value})[0]"), ("", f"SYM[{name}[1]]")]
        if shape.fixed:
            return [(shape.fixed, value)]
        if isinstance(shape, Text):
            name = self.fresh("b")
            return [("", f"{self.lengths(shape)}[len({name} := {value}.encode())]"), ("", name)]
        if isinstance(shape, Blob):
            name = self.fresh("b")
            return [("", f"{self.lengths(shape)}[len({name} := {value})]"), ("", name)]
        if isinstance(shape, Pair):
            return self.parts(shape.first, f"{value}[0]") + self.parts(shape.second, f"{value}[1]")
        if isinstance(shape, (Sequence, Choice, Maybe)):
            return [("", f"{self.bind(self.generator.encoder(shape))}({value})")]
        return [("", f"{self.bind(self.slow_writer(shape))}({value})")]

    def lengths(self, shape: Text | Blob | Sequence) -> str:
        """The table of packed lengths, cut off where the shape's maximum ends."""
        if shape.maximum >= len(VARINT_TABLE):
            return "VT"
        return self.bind(VARINT_TABLE[: shape.maximum + 1])

    def structure_parts(self, shape: Structure, value: str) -> list[tuple[str, str]]:
        """The parts of all fields; the structure itself is evaluated once."""
        name = value if value.isidentifier() else self.fresh("s")
        holder = value if value.isidentifier() else f"({name} := {value})"
        result: list[tuple[str, str]] = []
        for position, field in enumerate(shape.fields):
            access = f"[{position}]" if shape.is_tuple else f".{field.attribute}"
            result += self.parts(field.shape, holder + access)
            holder = name
        return result

    @staticmethod
    def slow_writer(shape: Shape) -> Encode:
        def write(value: Any) -> bytes:
            out = bytearray()
            shape.write(value, out)
            return bytes(out)

        return write

    def joined(self, parts: list[tuple[str, str]]) -> str:
        """One expression of bytes for all parts; neighbours of fixed size are packed together."""
        pieces: list[str] = []
        run: list[tuple[str, str]] = []
        for letter, expression in [*parts, ("", "")]:
            if letter:
                run.append((letter, expression))
                continue
            if run:
                packer = self.bind(struct.Struct("<" + "".join(item[0] for item in run)).pack)
                pieces.append(f"{packer}({', '.join(item[1] for item in run)})")
                run = []
            if expression:
                pieces.append(expression)
        if not pieces:
            return 'b""'
        return pieces[0] if len(pieces) == 1 else f'b"".join(({", ".join(pieces)}))'


class _Decoding(Source):
    """Builds one decoding function. ``o`` is the position; ``run`` collects adjacent fixed-size values."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        self.run: list[tuple[str, str, str]] = []

    def build(self, shape: Shape) -> Decode:
        self.names.update(VI=unpack_varint, SYM=self.generator.symbol_unpacked, Asset=Asset, Bad=Malformed)
        if isinstance(shape, Choice):
            return self.build_choice(shape)
        value = self.value(shape)
        self.flush()
        self.emit(f"return {value}, o")
        built: Decode = self.compile("def f(d, o):")
        return built

    def build_choice(self, shape: Choice) -> Decode:
        def entry(tag: int) -> Decode:
            member = shape.member(tag)
            if member is None or tag > 0x7F:
                raise LookupError(tag)
            return self.generator.decoder(member)

        self.names["TABLE"] = Filled(entry)
        self.emit("return TABLE[d[o]](d, o + 1)")
        built: Decode = self.compile("def f(d, o):")
        return built

    def flush(self) -> None:
        """Emits one unpack call for the fixed-size values collected in ``run``."""
        if not self.run:
            return
        layout = struct.Struct("<" + "".join(item[1] for item in self.run))
        unpack = self.bind(layout.unpack_from)
        targets = ", ".join(item[0] for item in self.run)
        self.emit(f"{targets}, = {unpack}(d, o)")
        self.emit(f"o += {layout.size}")
        for _name, _letter, check in self.run:
            if check:
                self.emit(f"if {check}: raise Bad('')")
        self.run = []

    def fixed(self, letter: str, check: str = "") -> str:
        """A value of fixed size; ``check`` is the condition on ``{}`` under which the fast path refuses it."""
        name = self.fresh("x")
        self.run.append((name, letter, check.format(name)))
        return name

    def value(self, shape: Shape) -> str:
        """Emits the reading of a value; the returned expression is valid only after ``flush``."""
        if isinstance(shape, Structure):
            values = [self.value(field.shape) for field in shape.fields]
            return f"{self.bind(shape.cls)}({', '.join(values)})"
        if isinstance(shape, Boolean):
            return f"{self.fixed('B', '{} > 1')} == 1"
        if isinstance(shape, Enumeration):
            return self.fixed("q", f"not 0 <= {{}} < {len(shape.names)}")
        if shape.fixed:
            return self.fixed(shape.fixed)
        if isinstance(shape, Pair):
            return f"({self.value(shape.first)}, {self.value(shape.second)})"
        if isinstance(shape, AssetShape) and not isinstance(shape, LegacyAssetShape):
            amount, symbol = self.fixed("q"), self.fixed("8s")
            self.flush()
            return f"Asset({amount}, SYM[{symbol}])"
        self.flush()
        if isinstance(shape, (Text, Blob)):
            return self.text(shape)
        if isinstance(shape, Sequence):
            return self.sequence(shape)
        name = self.fresh("x")
        if isinstance(shape, Maybe):
            self.emit(f"{name} = None")
            self.emit("k = d[o]")
            self.emit("o += 1")
            self.emit("if k:")
            self.indent += "    "
            self.emit("if k > 1: raise Bad('')")
            inner = self.value(shape.inner)
            self.flush()
            self.emit(f"{name} = {inner}")
            self.indent = self.indent[:-4]
            return name
        reader = self.generator.decoder(shape) if isinstance(shape, Choice) else self.slow_reader(shape)
        self.emit(f"{name}, o = {self.bind(reader)}(d, o)")
        return name

    def length(self, maximum: int) -> str:
        """Emits the reading of a length."""
        name = self.fresh("n")
        self.emit(f"{name} = d[o]")
        self.emit("o += 1")
        if maximum > 0x7F:
            self.emit(f"if {name} > 127: {name}, o = VI(d, o - 1)")
        if maximum < 1 << 30:
            self.emit(f"if {name} > {maximum}: raise Bad('')")
        return name

    def text(self, shape: Text | Blob) -> str:
        """Emits the reading of a string or of bytes; the generated variable ``b`` holds the raw bytes."""
        length = self.length(shape.maximum)
        name = self.fresh("b")
        self.emit(f"{name} = d[o:o + {length}]")
        self.emit(f"o += {length}")
        if isinstance(shape, Blob):
            return name
        text = self.fresh("t")
        self.emit(f"{text} = {name}.decode()")
        if isinstance(shape, Name):
            self.emit(f"if 0 in {name}: raise Bad('')")
        return text

    def sequence(self, shape: Sequence) -> str:
        """Emits a loop over the members."""
        length = self.length(shape.maximum)
        target = self.fresh("l")
        self.emit(f"{target} = []")
        order = self.bind(shape.key) if shape.is_sorted else ""
        last = self.fresh("k")
        if order:
            self.emit(f"{last} = None")
        self.emit(f"for _ in range({length}):")
        self.indent += "    "
        member = self.value(shape.member)
        self.flush()
        if order:
            item, key = self.fresh("m"), self.fresh("k")
            self.emit(f"{item} = {member}")
            self.emit(f"{key} = {order}({item})")
            self.emit(f"if {last} is not None and not {last} < {key}: raise Bad('')")
            self.emit(f"{last} = {key}")
            member = item
        self.emit(f"{target}.append({member})")
        self.indent = self.indent[:-4]
        return f"tuple({target})"

    @staticmethod
    def slow_reader(shape: Shape) -> Decode:
        def read(data: bytes, position: int) -> tuple[Any, int]:
            reader = Reader(data, position)
            value = shape.read(reader)
            if not reader.is_canonical:
                raise Malformed("the bytes are not those that the value packs to", position)
            return value, reader.position

        return read


class _Showing(ShowSource):
    """Builds one function that renders the JSON form."""

    def build(self, shape: Shape) -> Show:
        if isinstance(shape, Structure) and not shape.bare:
            self.structure(shape)
        else:
            shown = shape.shown("v", self)
            bound: Show | None = self.names.get(shown.removesuffix("(v)"))
            if bound is not None:
                return bound
            self.emit(f"return {shown}")
        built: Show = self.compile("def f(v):")
        return built

    def structure(self, shape: Structure) -> None:
        """Emits an object; optional members are added only if present."""
        self.emit("r = {}")
        open_items: list[str] = []

        def close() -> None:
            if open_items:
                items = ", ".join(open_items)
                only = len(self.lines) == 1
                if only:
                    self.lines[0] = f"{self.indent}r = {{{items}}}"
                else:
                    self.emit(f"r.update({{{items}}})")
                open_items.clear()

        for position, field in enumerate(shape.fields):
            if self.is_legacy and field.json_name in shape.legacy_omits:
                continue
            access = f"v[{position}]" if shape.is_tuple else f"v.{field.attribute}"
            if isinstance(field.shape, Maybe):
                close()
                name = self.fresh("m")
                self.emit(f"{name} = {access}")
                shown = field.shape.inner.shown(name, self)
                self.emit(f"if {name} is not None: r[{field.json_name!r}] = {shown}")
            else:
                open_items.append(f"{field.json_name!r}: {field.shape.shown(access, self)}")
        if self.is_legacy:
            open_items += [f"{name!r}: {value}" for name, value in shape.legacy_adds.items()]
        close()
        self.emit("return r")
