"""plaudit_api: what no other node offers: why a payout was what it was, and the digest of the whole state."""

from typing import Any

from protocol.assets import Price
from protocol.errors import Rejected
from rewards.explain import explain_pending
from rpc.apis.access import ApiBase, NodeAccess
from rpc.method import Unsigned32, rpc_method
from rpc.objects import Json, big
from state.schema import TIME_MAX


class PlauditApi(ApiBase):
    """The methods of plaudit_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=False)

    @rpc_method()
    def explain_payout(self, author: str, permlink: str) -> Json:
        """Every step of a post's payout as figures in the smallest unit of each token.

        For a paid post these are the figures of its payout, kept since then; for a pending one those of a payout at
        this moment (`pending` is true). docs/explain-payout.md says what each figure means.
        """
        comment = self.chain.ctx.tables.comments.index("by_permlink").find((author, permlink))
        payouts = self.chain.history.get_payouts(author, permlink)
        paid = payouts[-1] if payouts else None
        if comment is None and paid is None:
            raise Rejected("comment != nullptr", "Could not find comment ${a}/${p}", a=author, p=permlink)
        if comment is not None and comment.cashout_time != TIME_MAX:
            paid = explain_pending(self.chain.ctx, comment)
        if paid is None:
            raise Rejected(
                "payout != nullptr",
                "the payout of ${a}/${p} is not in this node's history; a rebuilt history would hold it",
                a=author,
                p=permlink,
            )
        return {"explanation": explain_json(paid)}

    @rpc_method()
    def get_state_digest(self, block_num: Unsigned32 | None = None) -> Json:
        """The digest over every row of the state after a block (the head, or a block that is still reversible).

        Two nodes of one chain that show the same digest for the same block id have the same state to the last bit.
        """
        number = self.chain.head_number if block_num is None else block_num
        digest = self.chain.store.find_digest(number)
        if digest is None:
            text = "no digest of block ${n} is kept: it is not between the last irreversible block and the head"
            raise Rejected("digest != nullptr", text, n=number)
        block = self.chain.get_block(number)
        return {"block_num": number, "block_id": block.id.hex() if block else "0" * 40, "digest": digest.hex()}


def explain_json(value: Any) -> Any:
    """A record of figures as JSON: named tuples become objects, integers above 32 bits strings."""
    if isinstance(value, Price):
        return value.nai_json
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: explain_json(member) for name, member in zip(value._fields, value, strict=True)}
    if isinstance(value, tuple):
        return [explain_json(member) for member in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return big(value)
