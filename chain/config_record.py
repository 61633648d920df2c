"""The record of a database's chain config, which prevents its use with a different config.

The record holds the values that all nodes of a chain must agree on from its start, as JSON, under its own prefix in the
state database. A database of an older program without a record gets one from the config it is opened with.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import orjson

from protocol.config import Chain as NamesOfChain
from protocol.config import ChainConfig
from protocol.identity import ChainIdentity
from protocol.rules import Rules
from state.engine.errors import ForeignConfig, StoreCorrupt
from state.engine.kv import Backend, View

KEY = b"\x11config"
"""Key of the record."""

SHOWN_MAX = 3
"""Maximum number of differences that an error lists."""


def check_config(backend: Backend, config: ChainConfig) -> bool:
    """Returns whether the database has a record. Raises ForeignConfig if it does not match the config, StoreCorrupt."""
    data = backend.get(KEY)
    if data is None:
        return False
    differences = describe_differences(data, config)
    if differences:
        raise ForeignConfig(f"the database was made with another chain config: {differences}")
    return True


def describe_differences(data: bytes, config: ChainConfig) -> str:
    """Describes the differences between a record and a config; "" if there are none. Raises StoreCorrupt."""
    try:
        kept = dict(_flatten("", orjson.loads(data)))
    except ValueError as error:
        raise StoreCorrupt("the record of the chain config cannot be read") from error
    given = dict(_flatten("", orjson.loads(_pack(config))))
    differences = [key for key in sorted(kept.keys() | given.keys()) if kept.get(key) != given.get(key)]
    if not differences:
        return ""
    absent = dict(_flatten("", {"rules": Rules().model_dump(mode="json")}))
    shown = [
        f"{key} was {_show(key, kept, absent)}, now it is {_show(key, given, absent)}"
        for key in differences[:SHOWN_MAX]
    ]
    rest = len(differences) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more" if rest else "")


def record_config(backend: Backend, config: ChainConfig) -> None:
    """Writes the record. Raises StoreFull, StoreWriteFailed."""
    backend.write([(KEY, _pack(config))], sync=True)


def read_record(view: View, config: ChainConfig) -> bytes:
    """Returns the record of a database, or one made from the config if there is none."""
    return view.get(KEY) or _pack(config)


def read_identity(data: bytes, chain_id: bytes) -> ChainIdentity:
    """Returns the chain identity in a record. Raises ValueError for a malformed record."""
    names = NamesOfChain.model_validate(orjson.loads(data)["chain"])
    return ChainIdentity(chain_id, names.address_prefix, names.steem_symbol, names.sbd_symbol, names.vests_symbol)


def compute_config_digest(config: ChainConfig) -> bytes:
    """The SHA-256 over everything that the nodes of a chain agree on from its start: genesis and rules."""
    return sha256(_pack(config)).digest()


def _pack(config: ChainConfig) -> bytes:
    return orjson.dumps(config.agreed_values(), option=orjson.OPT_SORT_KEYS)


def _show(key: str, values: dict[str, Any], defaults: dict[str, Any]) -> object:
    """Formats a value for messages; rules with their default value are absent from the record."""
    return values.get(key, defaults.get(key, "absent"))


def _flatten(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yields (dotted key, value) of every leaf; empty lists and tables have none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flatten(f"{path}.{name}" if path else str(name), inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _flatten(f"{path}.{place}", inner)
    else:
        yield path, value
