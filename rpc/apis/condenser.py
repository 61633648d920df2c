"""condenser_api: the methods of wallets and web sites, with positional arguments and amounts as "1.000 STEEM".

Source: libraries/plugins/apis/condenser_api/condenser_api.cpp.
"""

from collections.abc import Awaitable, Iterator
from itertools import islice
from typing import Annotated, Any

from protocol.assets import STEEM, Asset, multiply
from protocol.curves import evaluate_reward_curve
from protocol.errors import Rejected, UnknownKey
from protocol.shapes import version_text
from rpc.account_json import AccountJson
from rpc.apis.access import ApiBase, Inclusion, NodeAccess
from rpc.apis.account_by_key import AccountByKeyApi
from rpc.apis.account_history import AccountHistoryApi, HistoryLimit
from rpc.apis.block import BlockApi
from rpc.apis.database import DatabaseApi
from rpc.apis.listing import Names, PageItems, PageLimit, SortOrder
from rpc.apis.market_history import BookLimit, MarketHistoryApi, TradesLimit
from rpc.apis.network_broadcast import NetworkBroadcastApi
from rpc.apis.reputation import ReputationsLimit, list_reputations
from rpc.kinds import (
    AnyJson,
    AtMost,
    HexText,
    Keys,
    Moment,
    Name,
    OneOf,
    Permlink,
    Start,
    Unsigned,
    Unsigned32,
)
from rpc.method import rpc_method
from rpc.objects import Json, big, forms_for
from rpc.proposals import Direction, ProposalLists, Status
from rpc.slices import PAUSE, Steps, StepsTo, collect
from state.context import SINGLETON
from state.tables.accounts import Account
from state.tables.content import Comment

ACCOUNTS_LOOKUP_MAX = 1000
VOTES_MAX = 10_000
REPLIES_MAX = 1000

RouteType = Annotated[str, OneOf(("incoming", "outgoing", "all"), "steem::plugins::condenser_api::withdraw_route_type")]
LookupLimit = Annotated[Unsigned, AtMost(ACCOUNTS_LOOKUP_MAX, "limit <= 1000")]


async def _show_inclusion(waiting: Awaitable[Inclusion]) -> Json:
    """Returns the result of a synchronous broadcast."""
    inclusion = await waiting
    return {
        "id": inclusion.trx_id.hex(),
        "block_num": inclusion.block_num,
        "trx_num": inclusion.trx_num,
        "expired": inclusion.expired,
    }


class CondenserApi(ApiBase):
    """The methods of condenser_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=True)
        self.tables = node.chain.ctx.tables
        self.database = DatabaseApi(node)
        self.database.forms = self.forms
        self._witness_names: dict[int, str] = {}
        self._proposals = ProposalLists(node.chain.ctx, self.forms)
        self._proposal_votes = ProposalLists(node.chain.ctx, forms_for(node.chain.config.identity, legacy=False))
        self.history = AccountHistoryApi(node, legacy=True)
        self.market = MarketHistoryApi(node, legacy=True)
        self.blocks = BlockApi(node, legacy=True)
        self.network = NetworkBroadcastApi(node)
        self.by_key = AccountByKeyApi(node)
        self._extended = AccountJson(node.chain.ctx, self._extended_account)

    # Globals

    @rpc_method()
    def get_version(self) -> Json:
        """The protocol version."""
        version = self.database.get_version()
        del version["chain_id"]
        return version

    @rpc_method()
    def get_config(self) -> Json:
        """Every constant of this chain under the reference's names."""
        return self.database.get_config()

    @rpc_method()
    def get_dynamic_global_properties(self) -> Any:
        """Head block, supplies and rates."""
        return self.database.get_dynamic_global_properties()

    @rpc_method()
    def get_chain_properties(self) -> Json:
        """The median properties voted for by witnesses."""
        return self.forms.chain_properties(self.tables.witness_schedule.get(SINGLETON).median_props)

    @rpc_method()
    def get_current_median_history_price(self) -> Json:
        """The median price of STEEM in SBD."""
        return self.database.get_current_price_feed()

    @rpc_method()
    def get_feed_history(self) -> Json:
        """The hourly prices of the last window."""
        return self.database.get_feed_history()

    @rpc_method()
    def get_witness_schedule(self) -> Json:
        """The witnesses of this round and the medians of their properties."""
        return self.database.get_witness_schedule()

    @rpc_method()
    def get_hardfork_version(self) -> str:
        """The version of the newest hard fork that has been applied."""
        return version_text(self.tables.hardfork_property.get(SINGLETON).current_hardfork_version)

    @rpc_method()
    def get_next_scheduled_hardfork(self) -> Json:
        """The next hard fork the witnesses have agreed on, with its time."""
        properties = self.database.get_hardfork_properties()
        return {"hf_version": properties["next_hardfork"], "live_time": properties["next_hardfork_time"]}

    @rpc_method()
    def get_reward_fund(self, name: Name) -> Json:
        """A reward fund by its name ("post")."""
        fund = self.tables.reward_funds.find(name)
        if fund is None:
            raise Rejected("fund != nullptr", "Invalid reward fund name")
        return self.forms.show(fund)

    # Blocks and transactions

    @rpc_method()
    def get_block_header(self, block_num: Unsigned32) -> Steps:
        """A block's header, or null."""
        answer = yield from self.blocks.get_block_header(block_num)
        return answer.get("header")

    @rpc_method()
    def get_block(self, block_num: Unsigned32) -> Steps:
        """A block with its id, signing key and transaction ids, or null."""
        block = yield from self.blocks.find_block_json(block_num)
        return block

    @rpc_method(rows="")
    def get_ops_in_block(self, block_num: Unsigned32, only_virtual: bool = False) -> Steps:
        """The operations of a block, virtual ones included."""
        for item in (yield from self.history.read_block_operations(block_num)):
            is_shown = (item.virtual_op or not only_virtual) and item.op.wire_name != "claim_reward_balance2"
            yield self.history.applied_operation(item) if is_shown else PAUSE

    @rpc_method()
    def get_transaction(self, trx_id: HexText) -> Steps:
        """A transaction of the chain by its id."""
        transaction = yield from self.history.get_transaction(trx_id)
        return transaction

    @rpc_method()
    def get_transaction_hex(self, trx: AnyJson) -> Steps:
        """The bytes of a signed transaction."""
        answer = yield from self.database.get_transaction_hex(trx)
        return answer["hex"]

    @rpc_method()
    def get_required_signatures(self, trx: AnyJson, available_keys: Keys) -> Steps:
        """The keys among the given ones that must sign a transaction."""
        answer = yield from self.database.get_required_signatures(trx, available_keys)
        return answer["keys"]

    @rpc_method()
    def get_potential_signatures(self, trx: AnyJson) -> Steps:
        """All keys that could sign a transaction."""
        answer = yield from self.database.get_potential_signatures(trx)
        return answer["keys"]

    @rpc_method()
    def verify_authority(self, trx: AnyJson) -> Steps:
        """True when the signatures of a transaction suffice; otherwise the error says what is missing."""
        answer = yield from self.database.verify_authority(trx)
        return answer["valid"]

    @rpc_method()
    def verify_account_authority(self, account: Name, keys: Keys) -> Steps:
        """Whether the keys satisfy the active authority of an account."""
        answer = yield from self.database.verify_account_authority(account, keys)
        return answer["valid"]

    @rpc_method(broadcast=True)
    def broadcast_transaction(self, trx: AnyJson) -> Steps:
        """Applies a transaction to the pending state and passes it on."""
        answer = yield from self.network.broadcast_transaction(trx)
        return answer

    @rpc_method(broadcast=True)
    def broadcast_transaction_synchronous(self, trx: AnyJson) -> Steps:
        """Broadcasts, and answers when a block holds the transaction or it has expired."""
        transaction = yield from self.read_transaction(trx)
        return _show_inclusion(self.node.broadcast_and_wait(transaction))

    @rpc_method(broadcast=True)
    def broadcast_block(self, block: AnyJson) -> Steps:
        """Applies a block as if a peer had sent it."""
        answer = yield from self.network.broadcast_block(block)
        return answer

    # Accounts

    @rpc_method(rows="")
    def get_accounts(self, names: Names) -> Steps:
        """The accounts among the given names, with reputation and witness votes."""
        for name in names:
            account = self._extended.find(name)
            yield PAUSE if account is None else account

    def _extended_account(self, row: Account) -> Json:
        reputation = self.tables.reputations.find(row.name)
        return self.forms.account(self.chain.ctx, row) | {
            "vesting_balance": self.forms.steem(0),
            "reputation": big(reputation.reputation if reputation else 0),
            "transfer_history": [],
            "market_history": [],
            "post_history": [],
            "vote_history": [],
            "other_history": [],
            "witness_votes": [vote.witness for vote in self.tables.witness_votes.scan((row.name,))],
            "tags_usage": [],
            "guest_bloggers": [],
        }

    @rpc_method(rows="")
    def lookup_account_names(self, names: Names) -> Steps:
        """The accounts of the given names, with null where there is none."""
        for name in names:
            row = self.tables.accounts.find(name)
            yield self.forms.account(self.chain.ctx, row) if row else None

    @rpc_method(rows="")
    def lookup_accounts(self, lower_bound: Name, limit: LookupLimit) -> Steps:
        """Account names from `lower_bound` on."""
        for row in islice(self.tables.accounts.scan(start=(lower_bound,) if lower_bound else None), limit):
            yield row.name

    @rpc_method()
    def get_account_count(self) -> int:
        """The number of accounts."""
        return self.tables.accounts.count_ids()

    @rpc_method()
    def get_account_references(self, account_id: int) -> None:
        """Not available, as in the reference."""
        raise Rejected("false", "condenser_api::get_account_references --- Needs to be refactored for Steem.")

    @rpc_method(rows="")
    def get_owner_history(self, account: Name) -> Steps:
        """The replaced owner authorities of an account."""
        yield from self.database.find_owner_histories(account)

    @rpc_method()
    def get_recovery_request(self, account: Name) -> Json | None:
        """The open recovery request of an account, or null."""
        row = self.tables.account_recovery_requests.find(account)
        return self.forms.show(row) if row else None

    @rpc_method()
    def get_escrow(self, from_: Name, escrow_id: Unsigned32) -> Json | None:
        """An escrow, or null."""
        row = self.tables.escrows.find((from_, escrow_id))
        return self.forms.show(row) if row else None

    @rpc_method(rows="")
    def get_withdraw_routes(self, account: Name, type_: RouteType = "outgoing") -> Steps:
        """The routes of power downs from ("outgoing"), to ("incoming") or of ("all") an account."""
        for kind, order in (("outgoing", "by_withdraw_route"), ("incoming", "by_destination")):
            if type_ in (kind, "all"):
                yield from self.database.find_withdraw_vesting_routes(account, order)

    @rpc_method(rows="")
    def get_savings_withdraw_from(self, account: Name) -> Steps:
        """The pending withdrawals from an account's savings."""
        yield from self.database.find_savings_withdrawals(account)

    @rpc_method(rows="")
    def get_savings_withdraw_to(self, account: Name) -> Steps:
        """The pending withdrawals from savings to an account."""
        rows = self.tables.savings_withdraws.index("by_to_complete").scan((account,))
        for row in islice(rows, ACCOUNTS_LOOKUP_MAX):
            yield self.forms.show(row)

    @rpc_method(rows="")
    def get_vesting_delegations(self, account: Name, from_: Name, limit: PageLimit = 100) -> Steps:
        """The delegations an account made, from the delegatee `from` on."""
        for row in self.database.list_vesting_delegations([account, from_], limit):
            yield row if row["delegator"] == account else PAUSE

    @rpc_method(rows="")
    def get_expiring_vesting_delegations(self, account: Name, from_: Name, limit: PageLimit = 100) -> Steps:
        """The expiring delegations of an account, from the time `from` on."""
        start = [account, from_]
        for row in self.database.list_vesting_delegation_expirations(start, limit, "by_account_expiration"):
            yield row if row["delegator"] == account else PAUSE

    @rpc_method(rows="")
    def get_conversion_requests(self, account: Name) -> Steps:
        """The pending conversions of an account."""
        yield from self.database.find_sbd_conversion_requests(account)

    @rpc_method(rows="")
    def get_key_references(self, keys: Keys) -> Steps:
        """For each key, the accounts with it in their authorities."""
        yield from self.by_key.get_key_references(keys)

    # Witnesses

    @rpc_method()
    def get_active_witnesses(self) -> list[str]:
        """The witnesses of this round in the order of their slots."""
        return list(self.tables.witness_schedule.get(SINGLETON).current_shuffled_witnesses)

    @rpc_method(rows="")
    def get_witnesses(self, ids: Annotated[list[int], PageItems]) -> Steps:
        """The witnesses with the given object ids, with null where there is none."""
        for number in ids:
            name = yield from self._find_witness_name(number)
            yield None if name is None else self.forms.show(self.tables.witnesses.get(name))

    def _find_witness_name(self, number: int) -> StepsTo[str | None]:
        """Returns the witness with an object id; names are cached until an undone block frees its ids."""
        table = self.tables.witnesses
        if not 0 <= number < table.count_ids():
            return None
        row = table.find(self._witness_names.get(number, ""))
        if row is None or row.id != number:
            self._witness_names.clear()
            for row in table.scan():
                self._witness_names[row.id] = row.owner
                yield PAUSE
        return self._witness_names.get(number)

    @rpc_method()
    def get_witness_by_account(self, name: Name) -> Json | None:
        """A witness, or null."""
        row = self.tables.witnesses.find(name)
        return self.forms.show(row) if row else None

    @rpc_method(rows="")
    def get_witnesses_by_vote(self, from_: Name, limit: PageLimit) -> Steps:
        """Witnesses by votes, from the given one on."""
        start: Any = None
        if from_:
            row = next(iter(self.tables.witnesses.scan(start=(from_,))), None)
            if row is None:
                return
            start = [row.votes, row.owner]
        yield from self.database.list_witnesses(start, limit, "by_vote_name")

    @rpc_method(rows="")
    def lookup_witness_accounts(self, lower_bound: Name, limit: PageLimit) -> Steps:
        """Names of witnesses from `lower_bound` on."""
        for row in self.database.list_witnesses(lower_bound, limit):
            yield row["owner"]

    @rpc_method()
    def get_witness_count(self) -> int:
        """The number of witnesses."""
        return self.tables.witnesses.count_ids()

    # Posts and votes

    @rpc_method()
    def get_content(self, author: Name, permlink: Permlink) -> Steps:
        """A post with its pending payout and votes; an unknown one has an empty author."""
        comment = self.tables.comments.index("by_permlink").find((author, permlink))
        if comment is None:
            return self._empty_discussion()
        post = yield from self._discussion(comment)
        return post

    @rpc_method(rows="")
    def get_content_replies(self, author: Name, permlink: Permlink) -> Steps:
        """The direct replies to a post."""
        for row in islice(self.tables.comments.index("by_parent").scan((author, permlink)), REPLIES_MAX):
            post = yield from self._discussion(row)
            yield post

    @rpc_method(rows="")
    def get_active_votes(self, author: Name, permlink: Permlink) -> Steps:
        """The votes on a post that has not been paid out."""
        comment = self.tables.comments.index("by_permlink").find((author, permlink))
        if comment is None:
            raise UnknownKey(author=author, permlink=permlink)
        yield from self._active_votes(comment)

    def _active_votes(self, comment: Comment) -> Iterator[Json]:
        rows = islice(self.tables.comment_votes.scan((comment.id,)), VOTES_MAX)
        return (self.forms.active_vote(self.chain.ctx, row) for row in rows)

    @rpc_method(rows="")
    def get_account_votes(self, voter: Name) -> Steps:
        """The votes of an account on posts that have not been paid out."""
        account = self.tables.accounts.find(voter)
        if account is None:
            raise UnknownKey(name=voter)
        for row in islice(self.tables.comment_votes.index("by_voter_comment").scan((account.id,)), VOTES_MAX):
            comment = self.tables.comments.get(row.comment)
            shown = self.forms.active_vote(self.chain.ctx, row)
            vote = {key: shown[key] for key in ("weight", "rshares", "percent", "time")}
            yield {"authorperm": f"{comment.author}/{comment.permlink}"} | vote

    def _discussion(self, comment: Comment) -> StepsTo[Json]:
        ctx = self.chain.ctx
        votes = yield from collect(self._active_votes(comment))
        root = self.tables.comments.get(comment.root_comment)
        url = f"/{comment.category}/@{root.author}/{root.permlink}"
        if root.id != comment.id:
            url += f"#@{comment.author}/{comment.permlink}"
        result = self.forms.comment(ctx, comment)
        pending, reputation = self._pending_payout(comment)
        return result | {
            "url": url,
            "root_title": self.tables.comment_contents.get(root.id).title,
            "pending_payout_value": pending,
            "total_pending_payout_value": self.forms.steem(0),
            "active_votes": votes,
            "replies": [],
            "author_reputation": reputation,
            "promoted": self.forms.sbd(0),
            "body_length": 0,
            "reblogged_by": [],
        }

    def _pending_payout(self, comment: Comment) -> tuple[str, int | str]:
        """The share of the fund the votes claim now, and the author's reputation.

        Both are zero (and the payout in STEEM) while the fund has no recent claims.
        Source: condenser_api.cpp, condenser_api_impl::set_pending_payout.
        """
        fund = self.tables.reward_funds.get(self.chain.ctx.rules.post_reward_fund_name)
        if fund.recent_claims == 0:
            return self.forms.steem(0), 0
        pot = Asset(fund.reward_balance, STEEM)
        price = self.tables.feed_history.get(SINGLETON).current_median_history
        if not price.is_null():
            pot = multiply(pot, price)
        claims = 0
        if comment.net_rshares > 0:
            claims = evaluate_reward_curve(comment.net_rshares, fund.author_reward_curve, fund.content_constant)
        reputation = self.tables.reputations.find(comment.author)
        payout = Asset(claims * pot.amount // fund.recent_claims, pot.symbol)
        return self.forms.asset(payout), big(reputation.reputation if reputation else 0)

    def _empty_discussion(self) -> Json:
        """What an unknown post looks like. Source: condenser_api.hpp, discussion's defaults."""
        never = "1970-01-01T00:00:00"
        zero = self.forms.steem(0)
        texts = ("author", "permlink", "category", "parent_author", "parent_permlink", "title", "body", "json_metadata")
        numbers = ("depth", "children", "net_rshares", "abs_rshares", "vote_rshares", "children_abs_rshares")
        return (
            {"id": 0}
            | dict.fromkeys(texts, "")
            | dict.fromkeys(("last_update", "created", "active", "last_payout"), never)
            | dict.fromkeys(numbers, 0)
            | {"cashout_time": never, "max_cashout_time": never, "total_vote_weight": 0, "reward_weight": 0}
            | {"total_payout_value": zero, "curator_payout_value": zero, "author_rewards": 0, "net_votes": 0}
            | {"root_author": "", "root_permlink": "", "max_accepted_payout": zero, "percent_steem_dollars": 0}
            | {"allow_replies": False, "allow_votes": False, "allow_curation_rewards": False, "beneficiaries": []}
            | {"url": "", "root_title": "", "pending_payout_value": zero, "total_pending_payout_value": zero}
            | {"active_votes": [], "replies": [], "author_reputation": 0, "promoted": zero, "body_length": 0}
            | {"reblogged_by": []}
        )

    # History and market

    @rpc_method(rows="")
    def get_account_history(self, account: Name, start: Unsigned, limit: HistoryLimit) -> Steps:
        """The operations that touched an account: up to `limit` + 1 entries that end at `start` (-1: the newest)."""
        yield from self.history.get_account_history(account, start, limit)

    @rpc_method(rows="")
    def get_open_orders(self, account: Name) -> Steps:
        """The open orders of an account."""
        yield from self.database.find_limit_orders(account)

    @rpc_method()
    def get_order_book(self, limit: BookLimit = 500) -> Steps:
        """The best orders of both sides, with prices as numbers."""
        book = yield from self.market.get_order_book(limit)
        return book

    @rpc_method()
    def get_ticker(self) -> Json:
        """Latest price, best offers and traded volume."""
        return self.market.get_ticker()

    @rpc_method()
    def get_volume(self) -> Json:
        """The traded volume, in both tokens."""
        return self.market.get_volume()

    @rpc_method(rows="")
    def get_trade_history(self, start: Moment, end: Moment, limit: TradesLimit = 1000) -> Steps:
        """The trades between two times, both included, oldest first."""
        yield from self.market.get_trade_history(start, end, limit)

    @rpc_method(rows="")
    def get_recent_trades(self, limit: TradesLimit = 1000) -> Steps:
        """The latest trades, newest first."""
        yield from self.market.get_recent_trades(limit)

    @rpc_method(rows="")
    def get_market_history(self, bucket_seconds: Unsigned32, start: Moment, end: Moment) -> Steps:
        """The candles of one length that begin from `start` up to, not including, `end`."""
        yield from self.market.get_market_history(bucket_seconds, start, end)

    @rpc_method()
    def get_market_history_buckets(self) -> list[int]:
        """The lengths of the candles that are kept, in seconds."""
        sizes: list[int] = self.market.get_market_history_buckets()["bucket_sizes"]
        return sizes

    # Proposals and reputations

    @rpc_method(rows="")
    def list_proposals(
        self,
        start: Start,
        limit: PageLimit,
        order: SortOrder,
        order_direction: Direction = "ascending",
        status: Status = "all",
    ) -> Steps:
        """Proposals ordered by creator, dates or votes, filtered by status, in either direction."""
        yield from self._proposals.list_proposals(start, limit, order, order_direction, status)

    @rpc_method(rows="")
    def find_proposals(self, proposal_ids: Annotated[list[int], PageItems]) -> Steps:
        """The proposals with the given ids."""
        yield from self._proposals.find_proposals(proposal_ids)

    @rpc_method(rows="")
    def list_proposal_votes(
        self,
        start: Start,
        limit: PageLimit,
        order: SortOrder,
        order_direction: Direction = "ascending",
        status: Status = "all",
    ) -> Steps:
        """Votes for proposals by voter or by proposal; they are shown as database_api shows them."""
        yield from self._proposal_votes.list_votes(start, limit, order, order_direction, status)

    @rpc_method(rows="")
    def get_account_reputations(self, account_lower_bound: Name, limit: ReputationsLimit = 1000) -> Steps:
        """The reputations of accounts from a name on."""
        yield from list_reputations(self.tables, account_lower_bound, limit)
