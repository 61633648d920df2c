"""Writes a chain config as TOML text with a comment on every key, to start a new chain from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from textwrap import wrap
from typing import Any, Final

from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from protocol.config import Chain, ChainConfig, FutureHardFork, GenesisAccount, GenesisWitness
from protocol.integers import INT32_MAX
from protocol.rules import Rules, section_of
from protocol.times import time_text

_WIDTH: Final = 116
_TIME_KEYS: Final = frozenset({"time", "mining_time"})


def render_template(config: ChainConfig | None = None) -> str:
    """Returns TOML text that `ChainConfig.parse` reads back as an equal config.

    Without a config it is a new chain like the development chain, with a chain id derived from its genesis.
    """
    if config is None:
        dev = ChainConfig.preset("dev")
        config = dev.model_copy(
            update={"chain": dev.chain.model_copy(update={"name": "my-chain", "chain_id": "derive"})}
        )
    lines = list(_comment("A chain config. Amounts are integers in the smallest unit of their token, times are UTC."))
    lines += _comment("Nodes whose files differ are on different chains.")
    lines += ["", *_table("chain", config.chain, Chain)]
    lines += ["", *_table("genesis", config.genesis, type(config.genesis), leave_out=("accounts", "witnesses"))]
    lines += ["", *_list_of_tables("genesis.accounts", config.genesis.accounts, GenesisAccount)]
    lines += ["", *_list_of_tables("genesis.witnesses", config.genesis.witnesses, GenesisWitness)]
    lines += ["", *_rules(config.rules)]
    lines += ["", *_table("hardforks", config.hardforks, type(config.hardforks), leave_out=("future",))]
    lines += ["", *_list_of_tables("hardforks.future", config.hardforks.future, FutureHardFork)]
    lines += ["", *_table("history", config.history, type(config.history))]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, _WIDTH)]


def _limits(field: FieldInfo) -> str:
    """Names the smallest and largest value a field accepts, where it has them."""
    low = next((str(part.ge) for part in field.metadata if isinstance(part, Ge)), "")
    high = next((str(part.le) for part in field.metadata if isinstance(part, Le)), "")
    return f" ({low} to {high})" if low and high else f" (at least {low})" if low else ""


def _value(key: str, value: Any) -> str:
    """Returns a value in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return json.dumps(value.value)
    if isinstance(value, int):
        return json.dumps(time_text(value)) if key in _TIME_KEYS and value <= INT32_MAX else str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_value(key, item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_value(name, item)}" for name, item in value.items()) + "}"
    raise TypeError(f"{key} has a value that TOML cannot hold: {value!r}")


def _keys(section: BaseModel, leave_out: tuple[str, ...] = (), are_explained: bool = True) -> Iterator[str]:
    for key, field in type(section).model_fields.items():
        value = getattr(section, key)
        if key in leave_out or value is None:
            continue
        if are_explained:
            yield from _comment((field.description or "") + _limits(field))
        yield f"{key} = {_value(key, value)}"


def _table(name: str, section: BaseModel, model: type[BaseModel], leave_out: tuple[str, ...] = ()) -> list[str]:
    return [*_comment(_summary(model)), f"[{name}]", *_keys(section, leave_out)]


def _list_of_tables(name: str, sections: tuple[BaseModel, ...], model: type[BaseModel]) -> list[str]:
    """Explains the keys once, then gives the tables without comments."""
    lines = _comment(f"[[{name}]]: {_summary(model)} Keys:")
    for key, field in model.model_fields.items():
        lines += _comment(f"- {key}: {field.description or ''}{_limits(field)}")
    for section in sections:
        lines += ["", f"[[{name}]]", *_keys(section, are_explained=False)]
    return lines


def _rules(rules: Rules) -> list[str]:
    lines = [*_comment(_summary(Rules)), "[rules]"]
    title = ""
    for key, field in Rules.model_fields.items():
        if section_of(field) != title:
            title = section_of(field)
            lines += ["", f"# --- {title} ---"]
        lines += _comment((field.description or "") + _limits(field))
        lines.append(f"{key} = {_value(key, getattr(rules, key))}")
    return lines


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]
