"""Parameter types of methods, declared as annotations with a maximum; conversion, checks and schema are derived.

    Limit = Annotated[Unsigned, AtMost(1000)]
    Names = Annotated[list[Annotated[str, Length(256)]], Items(1000)]

Strings, lists and arbitrary JSON need a maximum; integers have that of their size unless a lower one is declared.
"""

import types
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from protocol.errors import Rejected
from rpc.casts import (
    UINT64_MAX,
    Cast,
    as_array,
    as_bool,
    as_integer,
    as_moment,
    as_signed,
    as_text,
    as_unsigned,
    as_unsigned32,
)
from rpc.errors import BadCast, ParseFailure

REQUEST_BYTES_MAX = 4 << 20
"""Maximum bytes of one request or batch."""

REQUEST_MARKS_MAX = 100_000
"""Maximum number of commas, colons and opening brackets of a request or batch: bounds its values and the cost of
parsing."""

SHOWN_MAX = 60
"""Maximum characters of an invalid value that an error shows."""

TEXT_PER_VALUE = 256
"""Characters of text that count as one value in JSON of any form."""

Schema = dict[str, Any]


# Maxima


@dataclass(frozen=True, slots=True)
class Maximum:
    """An upper limit of a parameter.

    `rule` and `text` are those of the reference, if it has such a check: `{name}` in the rule is the parameter's name,
    `found_as` is the name of the given value in the text, if that is not the parameter's name.
    """

    value: int
    rule: str = ""
    text: str = ""
    found_as: str = ""

    def guard(self, cast: Cast) -> Cast:
        """Wraps a cast with the check, which raises OverMaximum."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """The maximum in a JSON schema."""
        raise NotImplementedError

    def describe(self) -> str:
        """The maximum in words."""
        raise NotImplementedError

    def check(self, found: int) -> None:
        """Raises OverMaximum."""
        if found > self.value:
            raise OverMaximum(self, found)

    def refuse(self, name: str, method: str, found: int, given: Any) -> Rejected:
        """Returns the error for a value over the maximum; a negative number counts as the one it wraps to."""
        found_as = self.found_as or name
        shown = given if isinstance(given, int) and given < 0 else found
        sentence = f"argument {name} of {method} may be up to {self.describe()}, not {shown}"
        data = {found_as: found, "maximum": self.value, "argument": name, "method": method}
        if not self.rule:
            return Rejected(f"{name} <= {self.value}", sentence, **data)
        return Rejected(self.rule.format(name=name), self.text, **data).explain(sentence)


class AtMost(Maximum):
    """The greatest number."""

    def guard(self, cast: Cast) -> Cast:
        """The cast with the check."""

        def take(value: Any) -> Any:
            number = cast(value)
            self.check(number)
            return number

        return take

    def schema(self) -> Schema:
        """The maximum in a JSON schema."""
        return {"maximum": self.value}

    def describe(self) -> str:
        """The maximum in words."""
        return str(self.value)


class Length(Maximum):
    """The maximum length of a string, in characters."""

    def guard(self, cast: Cast) -> Cast:
        """The cast with the check."""

        def take(value: Any) -> Any:
            text = cast(value)
            self.check(len(text))
            return text

        return take

    def schema(self) -> Schema:
        """The maximum in a JSON schema."""
        return {"maxLength": self.value}

    def describe(self) -> str:
        """The maximum in words."""
        return f"{self.value} characters"


class Items(Maximum):
    """The maximum length of a list."""

    def guard(self, cast: Cast) -> Cast:
        """The cast with the check, which comes first."""

        def take(value: Any) -> Any:
            self.check(len(as_array(value)))
            return cast(value)

        return take

    def schema(self) -> Schema:
        """The maximum in a JSON schema."""
        return {"maxItems": self.value}

    def describe(self) -> str:
        """The maximum in words."""
        return f"{self.value} members"


class Values(Maximum):
    """The maximum number of values in arbitrary JSON; a string counts as one per TEXT_PER_VALUE characters."""

    def guard(self, cast: Cast) -> Cast:
        """The cast with the check, which comes first."""

        def take(value: Any) -> Any:
            self.check(count_values(value, self.value))
            return cast(value)

        return take

    def schema(self) -> Schema:
        """The maximum in a JSON schema, in words."""
        return {"description": f"At most {self.describe()}, each of at most {TEXT_PER_VALUE} characters."}

    def describe(self) -> str:
        """The maximum in words."""
        return f"{self.value} values"


class WholeRequest(Maximum):
    """Arbitrary JSON, limited only by the size of the request."""

    def guard(self, cast: Cast) -> Cast:
        """Returns the cast unchanged."""
        return cast

    def schema(self) -> Schema:
        """The maximum in a JSON schema, in words."""
        return {"description": f"At most {self.describe()}."}

    def describe(self) -> str:
        """The maximum in words."""
        return f"{self.value} bytes"


class OverMaximum(Exception):
    """A value over its maximum; caught where the parameter's name is known."""

    def __init__(self, maximum: Maximum, found: int) -> None:
        super().__init__(f"{found} is more than {maximum.value}")
        self.maximum = maximum
        self.found = found


def count_values(value: Any, enough: int) -> int:
    """Counts the values in arbitrary JSON; stops as soon as there are more than `enough`."""
    waiting, count = [value], 0
    while waiting and count <= enough:
        part = waiting.pop()
        count += 1
        if isinstance(part, str):
            count += len(part) // TEXT_PER_VALUE
        elif isinstance(part, list | dict):
            if len(part) > enough:
                return count + len(part)
            waiting.extend(part)
            if isinstance(part, dict):
                waiting.extend(part.values())
    return count


# Members of enumerations


class OneOf(NamedTuple):
    """An enumeration whose members are given by name or position, with its name in the reference."""

    names: tuple[str, ...]
    enum: str

    def cast(self, value: Any) -> str:
        """Returns the name of a member. Raises BadCast. Source: fc reflect.hpp, from_string and from_int."""
        if isinstance(value, str) and value in self.names:
            return value
        try:
            number = as_integer(value, "int64")
        except ParseFailure:
            number = -1
        if value != "" and 0 <= number < len(self.names):
            return self.names[number]
        what = "name" if isinstance(value, str) else "index"
        shown = value[:SHOWN_MAX] if isinstance(value, str) else value
        raise BadCast(f"invalid {what} '${{key}}' in enum '${{enum}}'", key=shown, enum=self.enum)


class Shown(NamedTuple):
    """The description of a type on the reference page, with the form of its values."""

    text: str


# Kinds


class Kind(NamedTuple):
    """A parameter type: cast, JSON schema, description on the reference page, number of parts without a maximum."""

    cast: Cast
    schema: Schema
    text: str
    gaps: int


def build_kind(declared: Any) -> Kind:
    """Builds the kind of an annotation: str, bool, int, Any, list, tuple of fixed length, X | None, or one
    Annotated."""
    if declared in _PLAIN:
        return _PLAIN[declared]
    origin, inside = get_origin(declared), get_args(declared)
    if origin is Annotated:
        kind = build_kind(inside[0])
        for mark in inside[1:]:
            kind = _MARKED[mark] if isinstance(mark, str) else _close(kind, mark)
        return kind
    if origin in (types.UnionType, Union):
        (part,) = (part for part in inside if part is not type(None))
        return _build_optional(build_kind(part))
    if origin is list:
        return _build_list(build_kind(inside[0]))
    if origin is tuple:
        return _build_tuple([build_kind(part) for part in inside])
    raise TypeError(f"no cast is known for {declared!r}")


def _close(kind: Kind, mark: Maximum | OneOf | Shown) -> Kind:
    if isinstance(mark, Shown):
        return kind._replace(text=mark.text)
    if isinstance(mark, OneOf):
        schema = {"type": "string", "enum": list(mark.names), "maxLength": max(map(len, mark.names))}
        return Kind(mark.cast, schema, f"one of {', '.join(mark.names)}", 0)
    return _bound(kind, mark)


def _bound(kind: Kind, maximum: Maximum) -> Kind:
    closed = 0 if isinstance(maximum, AtMost) else 1
    text = f"{kind.text} (up to {maximum.describe()})"
    return Kind(maximum.guard(kind.cast), kind.schema | maximum.schema(), text, kind.gaps - closed)


def _build_optional(kind: Kind) -> Kind:
    cast = kind.cast
    schema = {"anyOf": [kind.schema, {"type": "null"}]}
    return Kind(lambda value: None if value is None else cast(value), schema, f"{kind.text} or null", kind.gaps)


def _build_list(member: Kind) -> Kind:
    cast = member.cast
    schema = {"type": "array", "items": member.schema}
    return Kind(
        lambda value: [cast(part) for part in as_array(value)], schema, f"[{member.text}, ...]", member.gaps + 1
    )


def _build_tuple(parts: list[Kind]) -> Kind:
    casts = [part.cast for part in parts]

    def cast_all(value: Any) -> tuple[Any, ...]:
        members = as_array(value)
        if len(members) != len(casts):
            raise BadCast(
                "an array of ${wanted} values is needed, not of ${found}", wanted=len(casts), found=len(members)
            )
        return tuple(cast(member) for cast, member in zip(casts, members, strict=True))

    size = {"minItems": len(parts), "maxItems": len(parts)}
    schema = {"type": "array", "prefixItems": [part.schema for part in parts], **size}
    text = f"[{', '.join(part.text for part in parts)}]"
    return Kind(cast_all, schema, text, sum(part.gaps for part in parts))


def _pass(value: Any) -> Any:
    return value


_PLAIN: dict[Any, Kind] = {
    str: Kind(as_text, {"type": "string"}, "string", 1),
    bool: Kind(as_bool, {"type": "boolean"}, "bool", 0),
    int: Kind(as_signed, {"type": "integer", "minimum": -(1 << 63), "maximum": (1 << 63) - 1}, "integer", 0),
    Any: Kind(_pass, {}, "any JSON", 1),
}
_MARKED: dict[str, Kind] = {
    "uint64": Kind(as_unsigned, {"type": "integer", "minimum": -1, "maximum": UINT64_MAX}, "uint64", 0),
    "uint32": Kind(as_unsigned32, {"type": "integer", "minimum": -1, "maximum": (1 << 32) - 1}, "uint32", 0),
    "time": Kind(as_moment, {"type": "string", "maxLength": 19}, "time `2026-01-31T12:00:00`", 0),
}

# What several methods take

Unsigned = Annotated[int, "uint64"]
"""An unsigned 64-bit integer; -1 means the largest, as in the reference, where it wraps around."""

Unsigned32 = Annotated[int, "uint32"]
"""An unsigned 32-bit integer; higher bits are cut off, as in the reference."""

Moment = Annotated[int, "time"]
"""A time as text, converted to seconds since the epoch."""

Name = Annotated[str, Shown("name"), Length(256)]
"""A name of an account (a longer one than 16 bytes matches none), an order or an operation."""

Permlink = Annotated[str, Shown("permlink"), Length(256)]
"""The name of a post, unique per author."""

HexText = Annotated[str, Shown("hex digits"), Length(256)]
"""A digest, an id or a signature as hex digits."""

KeyText = Annotated[str, Shown("public key `STM…`"), Length(128)]
"""A public key as text."""

Keys = Annotated[list[KeyText], Items(1000)]
"""Public keys."""

Start = Annotated[Any, Values(32)]
"""The start of a list: a value, or an array of the first parts of the key."""

Scalar = Annotated[Any, Values(1)]
"""One value of any type: a member of an enumeration by name or position, or a time."""

AnyJson = Annotated[Any, WholeRequest(REQUEST_BYTES_MAX)]
"""A transaction or a block, in either JSON form."""
