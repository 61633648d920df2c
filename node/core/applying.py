"""Applies fetched blocks in order, once their signers are recovered and their parents are in the chain."""

from collections.abc import Iterator

from chain.chain import Chain
from node.core.catching_up import CatchingUp
from node.core.guests import count_news
from node.core.hub import Hub
from node.core.intake import Intake, TooEarly
from node.core.peer import DOUBTFUL_BYTES_PER_COST
from node.core.settings import Checkpoint
from node.core.waiting_blocks import Received, WaitingBlocks
from protocol.block import Block
from protocol.errors import BlockLinkError, ProtocolError, Rejected

APPLY_TIMER = "apply"
APPLY_BLOCKS_MAX = 100
APPLY_MS_MAX = 40
"""Maximum time spent applying blocks before other events are handled."""

EARLY_SECONDS_MAX = 60
"""A block at most this far in the future is held until its time, since clocks differ; later ones are rejected."""

REFUSED_BLOCK = "You offered us a block that we reject as invalid"


class Applier:
    """Applies waiting blocks. Signatures are not checked up to the checkpoint, which the operator trusts."""

    def __init__(
        self, hub: Hub, chain: Chain, intake: Intake, checkpoint: Checkpoint | None, catching_up: CatchingUp
    ) -> None:
        """Raises Rejected when the chain has a different block at the checkpoint's height."""
        self._hub = hub
        self._chain = chain
        self._intake = intake
        self._checkpoint = checkpoint
        self._catching_up = catching_up
        self.waiting = WaitingBlocks(chain.reader.is_known_block, self._recover)
        self._check_checkpoint()

    def _check_checkpoint(self) -> None:
        checkpoint = self._checkpoint
        found = None if checkpoint is None else self._chain.reader.get_block_id(checkpoint.number)
        if checkpoint is not None and found is not None and found != checkpoint.id:
            raise Rejected(
                "checkpoint",
                "block ${number} of this chain is ${found}, not ${wanted} as the checkpoint says",
                number=checkpoint.number,
                found=found.hex(),
                wanted=checkpoint.id.hex(),
            )

    def is_foreign(self, block: Block) -> bool:
        """Whether a block has the number of the checkpoint and another id."""
        checkpoint = self._checkpoint
        return checkpoint is not None and block.number == checkpoint.number and block.id != checkpoint.id

    def _is_trusted(self, block: Block) -> bool:
        return self._checkpoint is not None and block.number <= self._checkpoint.number

    def _recover(self, job: int, blocks: list[Block]) -> None:
        self._hub.world.recover(job, [block for block in blocks if not self._is_trusted(block)])

    @property
    def can_go_on(self) -> bool:
        """Whether a block can be applied now."""
        return self.waiting.has_next and self._chain.finality.write_problem is None

    def go_on(self) -> None:
        """Schedules the next blocks to be applied, if there are any."""
        if self.can_go_on:
            self._hub.world.set_timer(APPLY_TIMER, self._hub.world.now_ms())

    def apply(self) -> Iterator[Received]:
        """Applies some of the blocks whose parents are in the chain; yields each rejected block with its sender."""
        world = self._hub.world
        end_ms = world.now_ms() + APPLY_MS_MAX
        for _ in range(APPLY_BLOCKS_MAX):
            if not self.can_go_on or world.now_ms() > end_ms:
                return
            received = self.waiting.take_next()
            if received is not None and not self._apply(received):
                yield received

    def _apply(self, received: Received) -> bool:
        """Applies a block or postpones it; returns False if it is rejected."""
        block, peer = received
        try:
            self._intake.take_block(block, skip_signatures=self._is_trusted(block))
        except BlockLinkError:
            self.waiting.forget(block.id)
        except ProtocolError as error:
            if not isinstance(error, TooEarly) or error.seconds > EARLY_SECONDS_MAX:
                self._refuse(received, error)
                return False
            self.waiting.postpone(block.id)
        else:
            count_news(peer)
            self._catching_up.count(block)
            self.waiting.settle(block.id)
            if self._chain.reader.is_unsigned_side_block(block.id):
                cost = block.size // DOUBTFUL_BYTES_PER_COST
                self._hub.charge(peer, cost, "You send too many blocks not signed by their witnesses")
        return True

    def _refuse(self, received: Received, error: ProtocolError) -> None:
        """Drops a rejected block and all that build on it."""
        block, peer = received
        self.waiting.forget_with_children(block.id)
        self._hub.notes.tell("block_refused", number=block.number, peer=peer.name, error=error.message)
        if self._chain.reader.is_invalid_block(block.id):
            self._hub.fault(peer, REFUSED_BLOCK, closes=True)
