"""The layout of composite values, and the mapping from annotations to shapes.

Source: libraries/fc/include/fc/io/raw.hpp, container/flat.hpp, static_variant.hpp; condenser_api_legacy_operations.hpp
for what the legacy form leaves out or adds.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, NamedTuple, get_args, get_origin, get_type_hints

from protocol import shapes
from protocol.assets import Asset
from protocol.codec_source import Filled, Show, ShowSource
from protocol.errors import Invalid
from protocol.identity import ChainIdentity
from protocol.operation import OPERATIONS, OPERATIONS_BY_NAME, Operation
from protocol.shapes import Shape
from protocol.types import Default, LegacyChainProperties, Max, Union_, Wire, wire_name_of
from protocol.wire import (
    COLLECTION_MEMORY_BYTES,
    DEPTH_MAX,
    STRING_BYTES_MAX,
    Malformed,
    Reader,
    json_list,
    pack_varint,
)

LEGACY_KEEPS_NAI = frozenset({"pow", "clear_null_account_balance"})
"""Operations whose assets the reference renders as NAI objects even in the legacy form."""

LEGACY_OMITS = {"create_proposal": frozenset({"extensions"})}
"""Fields that the reference's legacy form leaves out."""

LEGACY_PROPERTIES_ADDED = {"account_subsidy_budget": 797, "account_subsidy_decay": 347_321}
"""The reference's legacy form shows the three old chain properties inside the five new ones, with default values."""


class Field(NamedTuple):
    """One field of a structure; ``json_name`` is the attribute without a trailing underscore."""

    attribute: str
    json_name: str
    shape: Shape
    default: Any
    has_default: bool
    text: str


class Structure(Shape):
    """Fields one after another. JSON shows an object; absent optional members are left out.

    A class that states ``bare = True`` has one field and shows only that field's value.
    """

    def __init__(self, cls: type, fields: tuple[Field, ...]) -> None:
        self.cls = cls
        self.name = wire_name_of(cls)
        self.fields = fields
        self.is_tuple = issubclass(cls, tuple)
        self.depth = 1 + max((field.shape.depth for field in fields), default=0)
        self.bare = bool(getattr(cls, "bare", False))
        is_operation = issubclass(cls, Operation)
        self.keeps_nai = is_operation and self.name in LEGACY_KEEPS_NAI
        self.legacy_omits = LEGACY_OMITS.get(self.name, frozenset()) if is_operation else frozenset()
        self.legacy_adds = LEGACY_PROPERTIES_ADDED if cls is LegacyChainProperties else {}

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, self.cls):
            raise Malformed(f"{self.cls.__name__} is needed, not {type(value).__name__}")
        for field in self.fields:
            call_at(field.json_name, field.shape.write, getattr(value, field.attribute), out)

    def read(self, reader: Reader) -> Any:
        return self.cls(*[call_at(field.json_name, field.shape.read, reader) for field in self.fields])

    def shown(self, value: str, source: ShowSource) -> str:
        if not self.bare:
            return f"{source.bind(source.show(self))}({value})"
        return self.fields[0].shape.shown(f"{value}.{self.fields[0].attribute}", source)

    def from_json(self, data: Any) -> Any:
        if self.bare:
            return self.cls(self.fields[0].shape.from_json(data))
        if not isinstance(data, dict):
            raise Malformed("an object is needed")
        values = []
        for _attribute, json_name, shape, default, has_default, _text in self.fields:
            if json_name in data:
                values.append(json_at(json_name, shape, data[json_name]))
            else:
                values.append(default if has_default else shape.zero())
        return self.cls(*values)

    def schema(self) -> dict[str, Any]:
        if self.bare:
            return self.fields[0].shape.schema()
        properties = {}
        for field in self.fields:
            properties[field.json_name] = field.shape.schema()
            if field.text:
                properties[field.json_name]["description"] = field.text
        required = [field.json_name for field in self.fields if not isinstance(field.shape, Maybe)]
        return {"type": "object", "title": self.name, "properties": properties, "required": required}

    def zero(self) -> Any:
        return self.cls(*(field.default if field.has_default else field.shape.zero() for field in self.fields))


def call_at(step: str | int, work: Callable[..., Any], *arguments: Any) -> Any:
    """Runs `work`; adds ``step`` (a field or a position) to the path of an error."""
    try:
        return work(*arguments)
    except Malformed as error:
        error.add_step(step)
        raise


def json_at(step: str | int, shape: Shape, data: Any) -> Any:
    """Reads a value from its JSON form; adds ``step`` to the path of an error, also of one that has its own text."""
    try:
        return shape.from_json(data)
    except Malformed as error:
        error.add_step(step)
        raise
    except Invalid as error:
        wrapped = Malformed(str(error))
        wrapped.cause = error
        wrapped.add_step(step)
        raise wrapped from error


class Sequence(Shape):
    """A length prefix, then the members. In ``is_sorted`` sets and maps members are strictly ascending.

    Input is sorted, and the first of equal members is kept. Source: container/flat.hpp.
    """

    memory = 24

    def __init__(self, member: Shape, maximum: int, *, is_sorted: bool, is_strict: bool = False) -> None:
        self.member = member
        self.maximum = min(maximum, (COLLECTION_MEMORY_BYTES - 1) // max(member.memory, 8))
        self.is_sorted = is_sorted
        self.is_strict = is_strict
        self.depth = 1 + member.depth

    def key(self, member: Any) -> Any:
        """The sort key of a member."""
        return self.member.order(member)

    def write(self, value: Any, out: bytearray) -> None:
        if len(value) > self.maximum:
            raise Malformed(f"{len(value)} members are more than the maximum of {self.maximum}")
        out += pack_varint(len(value))
        for position, member in enumerate(value):
            call_at(position, self.member.write, member, out)

    def read(self, reader: Reader) -> Any:
        members: list[Any] = []
        left = reader.count(self.maximum, "members")
        while left:
            start = reader.position
            members.append(call_at(len(members), self.member.read, reader))
            left -= 1
            if self.is_sorted:
                left -= _skip_copies(reader, start, left)
        if not self.is_sorted or self.is_ascending(members):
            return tuple(members)
        reader.is_canonical = False
        return self.in_order(members)

    def is_ascending(self, members: list[Any]) -> bool:
        """Whether the members of a set are strictly ascending."""
        keys = [self.key(member) for member in members]
        return all(keys[at] < keys[at + 1] for at in range(len(keys) - 1))

    def in_order(self, members: list[Any]) -> tuple[Any, ...]:
        """The members of a set in ascending order, without duplicates; the first of equal members is kept."""
        ordered: dict[Any, Any] = {}
        for member in members:
            ordered.setdefault(self.key(member), member)
        return tuple(ordered[key] for key in sorted(ordered))

    def shown(self, value: str, source: ShowSource) -> str:
        name = source.fresh("x")
        return f"[{self.member.shown(name, source)} for {name} in {value}]"

    def from_json(self, data: Any) -> Any:
        items = enumerate(json_list(data))
        return self.arrange([json_at(position, self.member, item) for position, item in items])

    def arrange(self, members: list[Any]) -> tuple[Any, ...]:
        """Sorts the members of a set and removes duplicates; the first of equal members is kept."""
        if len(members) > self.maximum:
            raise Malformed(f"{len(members)} members are more than the maximum of {self.maximum}")
        if not self.is_sorted:
            return tuple(members)
        result = self.in_order(members)
        if self.is_strict and result != tuple(members):
            raise Invalid("tmp > last", "Items should be unique and sorted")
        return result

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.member.schema()}

    def zero(self) -> Any:
        return ()


def _skip_copies(reader: Reader, start: int, count_max: int) -> int:
    """Skips and counts repetitions of the bytes since ``start``, which cost a set little in the reference."""
    data, position = reader.data, reader.position
    member = data[start:position]
    count = 0
    while count < count_max and data.startswith(member, position):
        position += len(member)
        count += 1
    if count:
        reader.position = position
        reader.is_canonical = False
    return count


class Pair(Shape):
    """A key and a value; JSON shows an array of two."""

    def __init__(self, first: Shape, second: Shape) -> None:
        self.first, self.second = first, second
        self.memory = first.memory + second.memory
        self.depth = max(first.depth, second.depth)

    def write(self, value: Any, out: bytearray) -> None:
        self.first.write(value[0], out)
        self.second.write(value[1], out)

    def read(self, reader: Reader) -> Any:
        return (self.first.read(reader), self.second.read(reader))

    def shown(self, value: str, source: ShowSource) -> str:
        return f"[{self.first.shown(f'{value}[0]', source)}, {self.second.shown(f'{value}[1]', source)}]"

    def from_json(self, data: Any) -> Any:
        items = json_list(data)
        if len(items) != 2:
            raise Malformed(f"a pair has 2 members, not {len(items)}")
        return (self.first.from_json(items[0]), self.second.from_json(items[1]))

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "prefixItems": [self.first.schema(), self.second.schema()], "items": False}

    def zero(self) -> Any:
        return (self.first.zero(), self.second.zero())

    def order(self, value: Any) -> Any:
        return self.first.order(value[0])


class Maybe(Shape):
    """An optional value: a byte 0, or a byte 1 and the value. JSON omits an absent value, or shows null in arrays."""

    def __init__(self, inner: Shape) -> None:
        self.inner = inner
        self.depth = 1 + inner.depth

    def write(self, value: Any, out: bytearray) -> None:
        out.append(0 if value is None else 1)
        if value is not None:
            self.inner.write(value, out)

    def read(self, reader: Reader) -> Any:
        start = reader.position
        byte = reader.take(1)[0]
        if byte > 1:
            raise Malformed(f"the mark of an optional value is 0 or 1, not {byte}", start)
        return self.inner.read(reader) if byte else None

    def shown(self, value: str, source: ShowSource) -> str:
        name = source.fresh("m")
        return f"(None if ({name} := {value}) is None else {self.inner.shown(name, source)})"

    def from_json(self, data: Any) -> Any:
        return None if data is None else self.inner.from_json(data)

    def schema(self) -> dict[str, Any]:
        return self.inner.schema()

    def zero(self) -> Any:
        return None


class Choice(Shape):
    """A tagged union: the position of the member's type, then the value.

    JSON: [position, value] in the legacy form, {"type": name, "value": value} in the other; both are accepted, with
    position or name in either.
    """

    memory = 16

    def __init__(self, members: tuple[Structure, ...]) -> None:
        self.members = members
        self.tags: dict[type, int] = {member.cls: tag for tag, member in enumerate(members)}
        self.tag_by_name = {member.name: tag for tag, member in enumerate(members)}
        self.depth = 1 + max(member.depth for member in members)

    def member(self, tag: int) -> Structure | None:
        """The member with this tag; None if there is none."""
        return self.members[tag] if 0 <= tag < len(self.members) else None

    def member_of(self, cls: type) -> tuple[int, Structure]:
        """The tag and the layout of a class; raises LookupError."""
        tag = self.tags[cls]
        return tag, self.members[tag]

    def all_tags(self) -> list[int]:
        """The tags of all members."""
        return list(range(len(self.members)))

    def tag_of(self, value: Any) -> int:
        """The tag of a value; raises Malformed."""
        tag = self.tags.get(type(value))
        if tag is None:
            raise Malformed(f"{type(value).__name__} is no member of this union")
        return tag

    def find_name(self, name: str) -> int | None:
        """The tag that a JSON name means."""
        return self.tag_by_name.get(name)

    def find_tag(self, name: Any) -> int | None:
        """The tag that a JSON name, number or text of a number means."""
        tag = name
        if isinstance(name, str):
            tag = self.find_name(name)
            if tag is None and name.isascii() and name.isdigit():
                tag = int(name[:9])
        return tag if type(tag) is int and self.member(tag) is not None else None

    def json_tag(self, tag: int, legacy: bool) -> Any:
        """The JSON form of a tag: a position, or a name."""
        return tag if legacy else self.members[tag].name

    def write(self, value: Any, out: bytearray) -> None:
        tag = self.tag_of(value)
        out += pack_varint(tag)
        member = self.member(tag)
        assert member is not None
        call_at(member.name, member.write, value, out)

    def read(self, reader: Reader) -> Any:
        start = reader.position
        tag = reader.varint()
        member = self.member(tag)
        if member is None:
            raise Malformed(f"unknown union number {tag}", start)
        return call_at(member.name, member.read, reader)

    def shown(self, value: str, source: ShowSource) -> str:
        return f"{source.bind(self.make_show(source))}({value})"

    def make_show(self, source: ShowSource) -> Show:
        """The function that shows a value of any member."""

        def entry(cls: type) -> tuple[Any, Show]:
            tag, member = self.member_of(cls)
            return self.json_tag(tag, source.is_legacy), source.show(member)

        entries = Filled(entry)

        def show(value: Any) -> Any:
            name, show_member = entries[type(value)]
            return {"type": name, "value": show_member(value)}

        def show_legacy(value: Any) -> Any:
            name, show_member = entries[type(value)]
            return [name, show_member(value)]

        return show_legacy if source.is_legacy else show

    def from_json(self, data: Any) -> Any:
        if isinstance(data, dict):
            if "type" not in data or "value" not in data:
                missing = "value" if "type" in data else "type"
                title = missing.capitalize()
                raise Invalid(f'v_object.contains( "{missing}" )', f"{title} field doesn't exist.")
            name, body = data["type"], data["value"]
        else:
            items = json_list(data)
            if len(items) != 2:
                raise Malformed(f"a union is [name, value], not {len(items)} members")
            name, body = items
        tag = self.find_tag(name)
        if tag is None:
            raise Invalid("itr != to_tag.end()", "Invalid object name: ${n}", n=name)
        member = self.member(tag)
        assert member is not None
        return call_at(member.name, member.from_json, body)

    def schema(self) -> dict[str, Any]:
        choices = []
        for tag in self.all_tags():
            member = self.member(tag)
            assert member is not None
            properties = {"type": {"const": self.json_tag(tag, False)}, "value": member.schema()}
            choices.append({"type": "object", "properties": properties, "required": ["type", "value"]})
        return {"oneOf": choices}

    def zero(self) -> Any:
        return self.members[0].zero()

    def order(self, value: Any) -> Any:
        return self.tag_of(value)


class AnyOperation(Choice):
    """The union of all registered operations; its JSON names are "transfer" and "transfer_operation"."""

    def __init__(self, resolve: Callable[[Any], Shape]) -> None:
        self.resolve = resolve
        self.depth = 3

    def member(self, tag: int) -> Structure | None:
        cls = OPERATIONS.get(tag)
        if cls is None:
            return None
        shape = self.resolve(cls)
        assert isinstance(shape, Structure)
        return shape

    def member_of(self, cls: type) -> tuple[int, Structure]:
        member = self.resolve(cls)
        assert issubclass(cls, Operation) and isinstance(member, Structure) and OPERATIONS[cls.number] is cls
        return cls.number, member

    def tag_of(self, value: Any) -> int:
        if not isinstance(value, Operation):
            raise Malformed(f"{type(value).__name__} is no operation")
        return type(value).number

    def find_name(self, name: str) -> int | None:
        cls = OPERATIONS_BY_NAME.get(name.removesuffix("_operation"))
        return None if cls is None else cls.number

    def json_tag(self, tag: int, legacy: bool) -> Any:
        name = OPERATIONS[tag].wire_name
        return name if legacy else f"{name}_operation"

    def all_tags(self) -> list[int]:
        return sorted(OPERATIONS)

    def zero(self) -> Any:
        raise Malformed("an operation has no default")


class ShapeBook:
    """The shapes of annotations for one chain, built once each."""

    def __init__(self, identity: ChainIdentity) -> None:
        self.identity = identity
        self.symbol = shapes.SymbolShape(identity)
        self.asset = shapes.AssetShape(self.symbol)
        self.key = shapes.Key(identity.address_prefix)
        self.known: dict[Any, Shape] = {Asset: self.asset}
        self.known[Operation] = AnyOperation(self.shape)
        self.open: list[Any] = []

    def shape(self, annotation: Any) -> Shape:
        """The shape of an annotation; raises TypeError if it has no wire layout."""
        found = self.known.get(annotation)
        if found is not None:
            return found
        if annotation in self.open or len(self.open) > 4 * DEPTH_MAX:
            raise TypeError(f"{annotation} nests in itself, which the wire does not allow")
        self.open.append(annotation)
        try:
            made = self.make(annotation)
        finally:
            self.open.pop()
        if made.depth > DEPTH_MAX:
            raise TypeError(f"{annotation} nests {made.depth} deep, the maximum is {DEPTH_MAX}")
        self.known[annotation] = made
        return made

    def make(self, annotation: Any) -> Shape:
        """Builds the shape of an annotation seen for the first time."""
        if get_origin(annotation) is Annotated:
            base, *metadata = get_args(annotation)
            return self.make_marked(base, metadata)
        if get_origin(annotation) in (typing.Union, types.UnionType):
            inner = [member for member in get_args(annotation) if member is not type(None)]
            if len(inner) != 1:
                raise TypeError(f"{annotation}: write StaticVariant[...] for a tagged union")
            return Maybe(self.shape(inner[0]))
        if isinstance(annotation, type) and (dataclasses.is_dataclass(annotation) or issubclass(annotation, tuple)):
            return self.make_structure(annotation)
        raise TypeError(f"{annotation!r} has no layout on the wire; use a type of protocol.types")

    def make_marked(self, base: Any, metadata: list[Any]) -> Shape:
        """Builds the shape of an annotated type; the last marker wins, and a marker that is a shape is used as is."""
        marker = next((item for item in reversed(metadata) if isinstance(item, Wire | Union_ | Shape)), None)
        limit = next((item.count for item in metadata if isinstance(item, Max)), STRING_BYTES_MAX)
        match marker:
            case None:
                return self.shape(base)
            case shapes.Text() | shapes.Blob() if limit < marker.maximum:
                return type(marker)(limit)
            case Shape():
                return marker
            case Union_(members=members):
                return Choice(tuple(self.make_member(member) for member in members))
            case Wire("vector" | "set" | "strict_set" as kind):
                member = self.shape(get_args(base)[0])
                return Sequence(member, limit, is_sorted=kind != "vector", is_strict=kind == "strict_set")
            case Wire("map"):
                key, value = get_args(get_args(base)[0])
                return Sequence(Pair(self.shape(key), self.shape(value)), limit, is_sorted=True)
            case Wire("amount"):
                return shapes.Amount(self.asset, marker.symbol)
            case Wire("public_key"):
                return self.key
            case Wire("symbol"):
                return self.symbol
            case Wire("legacy_asset"):
                return shapes.LegacyAssetShape(self.symbol)
        raise TypeError(f"unknown kind of layout {marker.kind!r}")

    def make_member(self, member: Any) -> Structure:
        """The shape of a member of a union, which must be a class of its own."""
        shape = self.shape(member)
        if not isinstance(shape, Structure):
            raise TypeError(f"{member!r} can not be told from other members of a union; wrap it in a NamedTuple")
        return shape

    def make_structure(self, cls: type) -> Structure:
        """Builds the shape of a declared class."""
        defaults: dict[str, Any] = dict(getattr(cls, "_field_defaults", {}))
        if dataclasses.is_dataclass(cls):
            for item in dataclasses.fields(cls):
                if item.default is not dataclasses.MISSING:
                    defaults[item.name] = item.default
        fields = []
        for attribute, annotation in get_type_hints(cls, include_extras=True).items():
            if get_origin(annotation) is ClassVar or annotation is ClassVar:
                continue
            metadata = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
            for item in metadata:
                if isinstance(item, Default):
                    defaults[attribute] = item.value
            text = " ".join(item for item in metadata if isinstance(item, str))
            has_default = attribute in defaults
            shape = self.shape(annotation)
            fields.append(
                Field(attribute, attribute.removesuffix("_"), shape, defaults.get(attribute), has_default, text)
            )
        return Structure(cls, tuple(fields))
