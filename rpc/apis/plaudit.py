"""plaudit_api: methods that only Plaudit has: explanations of payouts and rules, and the digest of the state."""

from typing import Any

import orjson

from chain.pending import RATE_BYTES
from chain.resource_credits import explain_credits
from protocol.assets import Price
from protocol.codec import codec_for
from protocol.errors import Rejected
from protocol.layout import export_layout
from protocol.operation import operation_by_name
from protocol.times import time_text
from rewards.explain import make_terms_now
from rewards.payout import compute_payout
from rewards.proposals import explain_outlook, read_outlook
from rewards.virtual_supply import compute_sbd_figures
from rpc.apis.access import ApiBase, NodeAccess
from rpc.apis.market_history import MarketHistoryApi
from rpc.apis.transaction_status import parse_id
from rpc.json_bytes import dump_json
from rpc.kinds import AnyJson, HexText, Name, Permlink, Unsigned32
from rpc.method import rpc_method
from rpc.objects import Json, big
from rpc.slices import Aside, Steps, collect, in_steps
from state.engine.rows import Row
from state.interest import LIQUID_CLOCK, SAVINGS_CLOCK, compute_earned
from state.tables.kinds import TIME_MAX

PROPOSALS_MAX = 1000


class PlauditApi(ApiBase):
    """The methods of plaudit_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=False)
        self._market = MarketHistoryApi(node, exact=True)
        self._wire_layout = export_layout(codec_for(node.chain.config.identity))

    @rpc_method()
    def get_status(self) -> Json:
        """Status of the node: version, chain, head, peers, missing blocks, pending transactions, production.

        The same as GET /. `peers` is null for a node without a network, `production` for one without witnesses.
        """
        return self.node.get_status()

    @rpc_method()
    def explain_payout(self, author: Name, permlink: Permlink) -> Steps:
        """Every step of a post's payout, with amounts in the smallest unit of each token.

        For a paid post these are the recorded figures of its payout; for a pending one those of a payout at the current
        time (`pending` is true). docs/explain-payout.md says what each figure means.
        """
        comment = self.chain.ctx.tables.comments.index("by_permlink").find((author, permlink))
        payouts = self.indexes.history.get_payouts(author, permlink)
        paid = payouts[-1] if payouts else None
        if comment is None and paid is None:
            raise Rejected("comment != nullptr", "Could not find comment ${a}/${p}", a=author, p=permlink)
        if comment is not None and comment.cashout_time != TIME_MAX:
            terms = make_terms_now(self.chain.ctx, comment)
            votes = yield from collect(self.chain.ctx.tables.comment_votes.scan((comment.id,)))
            post = comment
            return (yield Aside(lambda: _explain(compute_payout(post, votes, terms, pending=True))))
        if paid is None:
            raise Rejected(
                "payout != nullptr",
                "the payout of ${a}/${p} is not in this node's history; a rebuilt history would hold it",
                a=author,
                p=permlink,
            )
        known = paid
        return (yield Aside(lambda: _explain(known)))

    @rpc_method()
    def explain_sbd(self) -> Json:
        """How the SBD print rate (the part of payouts paid in SBD) follows from price and supplies."""
        return {"explanation": explain_json(compute_sbd_figures(self.chain.ctx))}

    @rpc_method()
    def explain_interest(self, account: Name) -> Json:
        """The interest on an account's SBD, liquid and in savings, that a change of each balance would pay now."""
        ctx = self.chain.ctx
        row = ctx.tables.accounts.find(account)
        if row is None:
            raise Rejected("account != nullptr", "Could not find account ${a}", a=account)
        figures = {
            "account": account,
            "sbd_interest_rate_bp": ctx.gpo.sbd_interest_rate,
            "liquid": explain_json(compute_earned(ctx, row, LIQUID_CLOCK)),
            "savings": explain_json(compute_earned(ctx, row, SAVINGS_CLOCK)),
        }
        return {"explanation": figures}

    @rpc_method()
    def explain_proposals(self) -> Steps:
        """The next payment of proposals with the current treasury and votes: who is paid how much, or why not.

        At most 1000 proposals are shown.
        """
        outlook = yield from in_steps(read_outlook(self.chain.ctx))

        def work_out() -> orjson.Fragment:
            explanation = explain_outlook(outlook)
            return _explain(explanation._replace(proposals=explanation.proposals[:PROPOSALS_MAX]))

        return (yield Aside(work_out))

    @rpc_method()
    def explain_credits(self, trx: AnyJson) -> Steps:
        """The cost of a transaction in resource credits by resource, who pays, and when the payer has enough.

        Signatures count as bytes: a transaction without them costs less.
        """
        transaction = yield from self.read_fitting_transaction(trx, recovers=False)
        return {"explanation": explain_json(explain_credits(self.chain.ctx, transaction))}

    @rpc_method()
    def get_pending_transaction(self, transaction_id: HexText) -> Json:
        """The position of a pending transaction in the order of inclusion: by credits per byte, then by age.

        `position` transactions with `bytes_ahead` bytes come before it. `expected_block` is the block that will include
        it if no better transaction arrives and its witness runs Plaudit; null when it cannot be applied now, for
        `reason`."""
        trx_id = parse_id(transaction_id)
        place, transaction = self.chain.builder.find_place(trx_id), self.chain.pending.find(trx_id)
        if place is None or transaction is None:
            raise Rejected("place != nullptr", "No transaction ${id} waits here", id=transaction_id)
        whole, rest = divmod(place.rate, RATE_BYTES)
        return {
            "transaction_id": trx_id.hex(),
            "position": place.position,
            "bytes_ahead": place.bytes_ahead,
            "size": transaction.size,
            "rc": big(place.credits),
            "rc_per_byte": f"{whole}.{rest:06}",
            "expiration": time_text(transaction.expiration),
            "expected_block": place.block,
            "reason": place.problem,
        }

    @rpc_method()
    def get_ticker(self) -> Json:
        """Latest price, best offers, and change and volume of the last 24 hours."""
        return self._market.get_ticker()

    @rpc_method()
    def get_volume(self) -> Json:
        """The traded volume of the last 24 hours, in both tokens."""
        return self._market.get_volume()

    @rpc_method()
    def get_operation_schema(self, name: Name) -> Json:
        """The JSON schema of an operation or event ("transfer"), with amounts as numeric asset identifier objects."""
        declared = operation_by_name(name)
        if declared is None:
            raise Rejected("operation != nullptr", "There is no operation ${name}", name=name)
        return {"schema": self.codec.json_schema(declared)}

    @rpc_method()
    def get_wire_layout(self) -> Json:
        """Names, types and order of the fields of every operation, with which any program can encode and sign."""
        return {"layout": self._wire_layout}

    @rpc_method()
    def get_state_digest(self, block_num: Unsigned32 | None = None) -> Steps:
        """The digest of the whole state after a block (the head or a reversible block).

        Two nodes with the same digest for the same block id have exactly the same state.
        """
        number = self.chain.head_number if block_num is None else block_num
        yield from in_steps(self.chain.store.prepare_digest(number))
        digest = self.chain.store.find_digest(number)
        if digest is None:
            text = "no digest of block ${n} is kept: it is not between the last irreversible block and the head"
            raise Rejected("digest != nullptr", text, n=number)
        block = self.chain.reader.get_block(number)
        return {"block_num": number, "block_id": block.id.hex() if block else "0" * 40, "digest": digest.hex()}


def _explain(record: Any) -> orjson.Fragment:
    """Returns an explanation in slices, as it may be long."""
    return orjson.Fragment(dump_json({"explanation": explain_json(record)}))


def explain_json(value: Any) -> Any:
    """Converts a record to JSON: rows and named tuples become objects, integers above 32 bits strings."""
    if isinstance(value, Price):
        return value.nai_json
    if isinstance(value, Row):
        return {name: explain_json(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: explain_json(member) for name, member in zip(value._fields, value, strict=True)}
    if isinstance(value, tuple):
        return [explain_json(member) for member in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return big(value)
