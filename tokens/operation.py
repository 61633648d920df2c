"""What all operations of tokens have in common."""

from typing import ClassVar

from protocol.operation import Operation
from protocol.resources import Resources
from state.context import Context


class TokenOperation(Operation):
    """An operation that works only where tokens are live; elsewhere it is refused as one that is not enabled."""

    __slots__ = ()

    live: ClassVar[Resources]
    """What it takes where tokens are live. The reference's chains without them publish that it takes nothing."""

    def count_resources(self) -> Resources:
        return self.live

    def apply(self, ctx: Context) -> None:
        if not ctx.rules.tokens_live:
            Operation.apply(self, ctx)
        self.apply_live(ctx)

    def apply_live(self, ctx: Context) -> None:
        """Changes the state; raises Rejected."""
        raise NotImplementedError
