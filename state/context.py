"""What an operation or a per-block step may see and touch: the tables, the rules, the time, and a place for events."""

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
    """The block that is being applied, with what its header carries for the per-block steps.

    `signing_key` is that of its witness before the block, which it was signed with.
    """

    block: Block
    signing_key: bytes
    required_actions: tuple[RequiredAction, ...]
    optional_actions: tuple[OptionalAction, ...]


class Context:
    """The state as one operation or step sees it.

    `ctx.tables` holds every table. `emit` records a virtual operation, `report` a record for those who explain
    the chain (it is no part of the state). Both only append: nobody is called back while a block is applied.
    `arrival` is set while a transaction is tried on its arrival, before any block holds it: a few rules are
    stricter then, and one is laxer. It is not set when a producer tries it for a block, or when the waiting ones are
    tried again after a block. Source: database.hpp, is_pending_tx and is_producing (the reference sets both together).
    `block` is there while a block is applied; the per-block steps ask for `applied_block`.
    What every rule reads is looked up without a Python call.
    """

    __slots__ = ("_read_gpo", "arrival", "block", "config", "emit", "events", "report", "reports", "rules", "tables")

    gpo: GlobalProperties = property(methodcaller("_read_gpo"))  # type: ignore[assignment]
    """The dynamic global properties as they stand now."""
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
        """Records figures that explain what was done, for observers outside the consensus."""
        self._read_gpo = partial(tables.global_properties.get, SINGLETON)

    @property
    def is_pending(self) -> bool:
        """Whether a transaction is tried on its arrival."""
        return self.arrival is not None

    def update_gpo(self, **changes: Any) -> GlobalProperties:
        """Changes fields of the dynamic global properties and returns the new row."""
        table = self.tables.global_properties
        return table.update(table.get(SINGLETON), **changes)
