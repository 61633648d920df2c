"""Periodic recounts of invariants in a running node, in a separate thread."""

import asyncio
import logging
from contextlib import suppress

from chain.chain import Chain
from chain.recount import recount
from node.core.invariants import BrokenInvariants
from state.engine.errors import StoreError

log = logging.getLogger("plaudit.node")

SECONDS_PER_MINUTE = 60


async def recount_repeatedly(chain: Chain, names: tuple[str, ...], minutes: int, broken: BrokenInvariants) -> None:
    """Recounts the committed state every given number of minutes until cancelled."""
    with suppress(StoreError):  # The chain is closed, or damaged; then the daemon stops the node.
        while True:
            number = chain.irreversible_number
            view = chain.store.backend.snapshot()
            try:
                complaints = await asyncio.to_thread(recount, view, chain.config, names)
            except StoreError:
                raise
            except Exception:
                log.exception("recounting %s up to block %d failed", ",".join(names), number)
            else:
                log.info("recounted %s up to block %d", ",".join(names), number)
                for complaint in complaints:
                    broken.tell(complaint)
            await asyncio.sleep(minutes * SECONDS_PER_MINUTE)
