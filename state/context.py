"""The context of operations and per-block steps: tables, rules, time, and sinks for events and reports."""

from functools import partial
from operator import attrgetter, methodcaller
from typing import Any, NamedTuple

from protocol.actions import OptionalAction, RequiredAction
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.operation import Operation
from protocol.rules import Rules
from state.arrival import Arrival
from state.tables.globals import GlobalProperties
from state.tables.tables import Tables

SINGLETON = 0
"""The primary key of the tables that hold one row."""


class BlockInProgress(NamedTuple):
    """The block being applied, with the data of its header that the per-block steps need.

    `signing_key` is the key of its witness before the block, with which the block was signed.
    """

    block: Block
    signing_key: bytes
    required_actions: tuple[RequiredAction, ...]
    optional_actions: tuple[OptionalAction, ...]


class Context:
    """The state as one operation or step sees it.

    `ctx.tables` holds every table. `emit` records a virtual operation, `report` a record that explains the chain, such
    as a payout; reports are not part of the state. Both only append: there are no callbacks while a block is applied.
    `arrival` is set while a transaction is applied on its arrival, before it is in a block: a few rules are stricter
    then, and one is laxer. It is not set when a producer tries a transaction for a block, or when pending ones are
    applied again after a block. Source: database.hpp, is_pending_tx and is_producing (the reference sets both
    together). `block` is set while a block is applied; the per-block steps read `applied_block`. The most frequently
    read attributes are looked up without a Python call.
    """

    __slots__ = ("_read_gpo", "arrival", "block", "config", "emit", "events", "report", "reports", "rules", "tables")

    gpo: GlobalProperties = property(methodcaller("_read_gpo"))  # type: ignore[assignment]
    """The current dynamic global properties."""
    time: int = property(attrgetter("gpo.time"))  # type: ignore[assignment]
    """The time of the head block, in seconds since the epoch (the reference's head_block_time())."""
    applied_block: BlockInProgress = property(attrgetter("block"))  # type: ignore[assignment]
    """The block that is being applied."""

    def __init__(self, config: ChainConfig, rules: Rules, tables: Tables) -> None:
        self.config = config
        self.rules = rules
        self.tables = tables
        self.arrival: Arrival | None = None
        self.block: BlockInProgress | None = None
        self.events: list[Operation] = []
        self.emit = self.events.append
        """Records a virtual operation at this point of the block."""
        self.reports: list[Any] = []
        self.report = self.reports.append
        """Records figures that explain the block, for observers outside consensus."""
        self._read_gpo = partial(tables.global_properties.get, SINGLETON)

    @property
    def is_pending(self) -> bool:
        """Whether a transaction is being applied on its arrival."""
        return self.arrival is not None

    def update_gpo(self, **changes: Any) -> GlobalProperties:
        """Changes fields of the dynamic global properties and returns the new row."""
        table = self.tables.global_properties
        return table.update(table.get(SINGLETON), **changes)
