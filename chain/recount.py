"""Recounts of invariants of the committed state, concurrent with a running chain, over a database view."""

from collections.abc import Iterable

from chain.ledger import Ledger
from protocol.config import ChainConfig
from state.engine.kv import FrozenBackend, View
from state.engine.store import Store
from state.invariants import RECOUNTS, InvariantBroken
from state.tables.tables import Tables
from state.watch import Complaint

CACHE_ROWS = 10_000
"""Maximum number of cached rows; nearly all rows are read once."""


def recount(view: View, config: ChainConfig, names: Iterable[str]) -> list[Complaint]:
    """Recounts the named invariants and returns the violations; reads the whole state, and closes the view.

    May run in any thread. Raises KeyError for an unknown name, and StoreError when the database is closed.
    """
    store = Store(FrozenBackend(view), Tables, chain_id=config.chain_id, cache_rows=CACHE_ROWS)
    try:
        ledger = Ledger(store, config)
        complaints = []
        for name in names:
            try:
                RECOUNTS[name](ledger.ctx)
            except InvariantBroken as error:
                complaints.append(Complaint(name, ledger.head_number, "something up to here", b"", str(error)))
        return complaints
    finally:
        store.close()
