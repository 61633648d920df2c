"""database_api: rows of the state, with amounts as numeric asset identifier objects.

Source: libraries/plugins/apis/database_api/database_api.cpp.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import orjson

from chain.authority import (
    Authorities,
    AuthorityLimits,
    SignState,
    account_authorities,
    find_potential_in_steps,
    find_required_in_steps,
    get_limits,
    verify_in_steps,
)
from protocol.assets import SBD, STEEM
from protocol.config_report import report_config
from protocol.errors import DuplicateSignature, ProtocolError, Rejected
from protocol.keys import recover
from protocol.operation import RequiredAuthorities
from protocol.times import parse_time
from protocol.types import Price
from rpc.account_json import AccountJson
from rpc.apis.access import ApiBase, NodeAccess
from rpc.apis.listing import (
    DESCENDING,
    FLAG,
    LIMIT_MAX,
    NAME,
    NUMBER,
    TIME,
    Names,
    PageItems,
    PageLimit,
    SortOrder,
    find_index,
    list_rows,
    listed,
    named,
    owned,
    parse_start,
    scan_prices,
)
from rpc.json_bytes import dump_json
from rpc.kinds import AnyJson, HexText, Items, Keys, Name, Permlink, Start
from rpc.method import rpc_method
from rpc.objects import Json
from rpc.proposals import Direction, ProposalLists, Status
from rpc.slices import PAUSE, Aside, Steps, collect, in_steps
from state.context import SINGLETON
from state.engine.errors import RowMissing
from state.tables.content import Comment, CommentVote
from state.tables.globals import GlobalProperties

SIGNATURES_MAX = 256

RequiredNames = Annotated[list[Name], Items(100)]


class DatabaseApi(ApiBase):
    """The methods of database_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=False)
        self.tables = node.chain.ctx.tables
        self._gpo_json: tuple[GlobalProperties, int, Any] | None = None
        self._accounts = AccountJson(node.chain.ctx, self._account)
        self._proposals = ProposalLists(node.chain.ctx, self.forms)

    # Globals

    @rpc_method()
    def get_config(self) -> Json:
        """Every constant of this chain under the reference's names."""
        return report_config(self.chain.config)

    @rpc_method()
    def get_version(self) -> Json:
        """The protocol version, and the chain id."""
        version = self.chain.config.blockchain_version
        revision = "0" * 40
        return {
            "blockchain_version": version,
            "steem_revision": revision,
            "fc_revision": revision,
            "chain_id": self.chain.config.chain_id.hex(),
        }

    @rpc_method()
    def get_dynamic_global_properties(self) -> Any:
        """Head block, supplies and rates; the JSON is cached until one of them changes."""
        gpo, irreversible = self.chain.ctx.gpo, self.chain.irreversible_number
        if self._gpo_json is None or self._gpo_json[0] is not gpo or self._gpo_json[1] != irreversible:
            text = dump_json(self.forms.global_properties(gpo, irreversible))
            self._gpo_json = (gpo, irreversible, orjson.Fragment(text))
        return self._gpo_json[2]

    @rpc_method()
    def get_witness_schedule(self) -> Json:
        """The witnesses of this round and the medians of their properties."""
        return self.forms.witness_schedule(self.tables.witness_schedule.get(SINGLETON))

    @rpc_method()
    def get_hardfork_properties(self) -> Json:
        """The hard forks that have been applied."""
        return self.forms.show(self.tables.hardfork_property.get(SINGLETON))

    @rpc_method()
    def get_reward_funds(self) -> Json:
        """The funds that pay posts."""
        funds = sorted(self.tables.reward_funds.scan(), key=lambda fund: fund.id)
        return {"funds": [self.forms.show(fund) for fund in funds]}

    @rpc_method()
    def get_current_price_feed(self) -> Json:
        """The median price of STEEM in SBD."""
        return self.forms.price(self.tables.feed_history.get(SINGLETON).current_median_history)

    @rpc_method()
    def get_feed_history(self) -> Json:
        """The hourly prices of the last window."""
        return self.forms.show(self.tables.feed_history.get(SINGLETON))

    # Witnesses

    @rpc_method(rows="witnesses")
    def list_witnesses(self, start: Start = "", limit: PageLimit = LIMIT_MAX, order: SortOrder = "by_name") -> Steps:
        """Witnesses by name, by votes, or by virtual schedule time."""
        if order == "by_schedule_time" and isinstance(start, list) and len(start) == 2:
            start = [start[0], self._get_witness_id(start[1])]
        orders = {
            "by_name": (NAME,),
            "by_vote_name": (DESCENDING, NAME),
            "by_schedule_time": (NUMBER, NUMBER),
        }
        yield from list_rows(self.tables.witnesses, orders, start, limit, order, self.forms.show)

    def _get_witness_id(self, name: str) -> int:
        witness = self.tables.witnesses.find(str(name))
        if witness is None:
            raise Rejected("", "unknown key: witness ${name}", name=str(name))
        return witness.id

    find_witnesses = named(
        "witnesses", "witnesses", "The witnesses among the given names.", parameter="owners", is_required=True
    )

    list_witness_votes = listed(
        "votes",
        "witness_votes",
        "Votes for witnesses by voter or by witness.",
        by_account_witness=(NAME, NAME),
        by_witness_account=(NAME, NAME),
    )

    @rpc_method()
    def get_active_witnesses(self) -> Json:
        """The witnesses of this round in the order of their slots.

        Empty places are omitted, because beem requests each entry (condenser_api shows them as "", as the reference
        does)."""
        names = self.tables.witness_schedule.get(SINGLETON).current_shuffled_witnesses
        return {"witnesses": [name for name in names if name]}

    # Accounts

    @rpc_method(rows="accounts")
    def list_accounts(self, start: Start = "", limit: PageLimit = LIMIT_MAX, order: SortOrder = "by_name") -> Steps:
        """Accounts by name, by proxy, or by time of their next power down payment."""
        orders = {
            "by_name": (NAME,),
            "by_proxy": (NAME, NAME),
            "by_next_vesting_withdrawal": (TIME, NAME),
        }
        yield from list_rows(self.tables.accounts, orders, start, limit, order, self._accounts.show)

    def _account(self, row: Any) -> Json:
        return self.forms.account(self.chain.ctx, row)

    @rpc_method(rows="accounts")
    def find_accounts(self, accounts: Names) -> Steps:
        """The accounts among the given names."""
        for name in accounts:
            account = self._accounts.find(name)
            yield PAUSE if account is None else account

    @rpc_method(rows="owner_auths")
    def list_owner_histories(self, start: Start = None, limit: PageLimit = LIMIT_MAX) -> Steps:
        """Replaced owner authorities by account and time."""
        orders = {"by_account": (NAME, TIME)}
        yield from list_rows(self.tables.owner_histories, orders, start, limit, "by_account", self.forms.show)

    find_owner_histories = owned(
        "owner_auths", "owner_histories", "The replaced owner authorities of one account.", "owner", "by_account"
    )

    list_account_recovery_requests = listed(
        "requests",
        "account_recovery_requests",
        "Open account recovery requests.",
        by_account=(NAME,),
        by_expiration=(TIME, NAME),
    )

    find_account_recovery_requests = named(
        "requests", "account_recovery_requests", "The open recovery requests of the given accounts."
    )

    list_change_recovery_account_requests = listed(
        "requests",
        "change_recovery_requests",
        "Pending changes of recovery accounts.",
        by_account=(NAME,),
        by_effective_date=(TIME, NAME),
    )

    find_change_recovery_account_requests = named(
        "requests", "change_recovery_requests", "The pending changes of recovery account of the given accounts."
    )

    list_escrows = listed(
        "escrows", "escrows", "Open escrows.", by_from_id=(NAME, NUMBER), by_ratification_deadline=(FLAG, TIME, NUMBER)
    )

    find_escrows = owned("escrows", "escrows", "The open escrows of one sender.", "from_")

    list_withdraw_vesting_routes = listed(
        "routes",
        "withdraw_vesting_routes",
        "Routes of power downs.",
        by_withdraw_route=(NAME, NAME),
        by_destination=(NAME, NUMBER),
    )

    @rpc_method(rows="routes")
    def find_withdraw_vesting_routes(self, account: Name = "", order: SortOrder = "by_withdraw_route") -> Steps:
        """The routes from (by_withdraw_route) or to (by_destination) one account."""
        table = self.tables.withdraw_vesting_routes
        if order not in ("by_withdraw_route", "by_destination"):
            raise Rejected("false", "Unknown or unsupported sort order")
        for row in islice(find_index(table, order).scan((account,)), LIMIT_MAX):
            yield self.forms.show(row)

    list_savings_withdrawals = listed(
        "withdrawals",
        "savings_withdraws",
        "Transfers on their way out of the savings.",
        by_from_id=(NAME, NUMBER),
        by_complete_from_id=(TIME, NAME, NUMBER),
        by_to_complete=(NAME, TIME, NUMBER),
    )

    find_savings_withdrawals = owned(
        "withdrawals", "savings_withdraws", "The transfers on their way out of one account's savings.", "account"
    )

    list_vesting_delegations = listed(
        "delegations", "vesting_delegations", "Delegations by delegator and delegatee.", by_delegation=(NAME, NAME)
    )

    find_vesting_delegations = owned(
        "delegations", "vesting_delegations", "The delegations that one account made.", "account"
    )

    list_vesting_delegation_expirations = listed(
        "delegations",
        "vesting_delegation_expirations",
        "Delegated shares on their way back.",
        by_expiration=(TIME, NUMBER),
        by_account_expiration=(NAME, TIME, NUMBER),
    )

    find_vesting_delegation_expirations = owned(
        "delegations",
        "vesting_delegation_expirations",
        "The delegated shares on their way back to one account.",
        "account",
        "by_account_expiration",
    )

    list_sbd_conversion_requests = listed(
        "requests",
        "convert_requests",
        "SBD that wait for their conversion.",
        by_account=(NAME, NUMBER),
        by_conversion_date=(TIME, NUMBER),
    )

    find_sbd_conversion_requests = owned(
        "requests", "convert_requests", "The waiting conversions of one account.", "account"
    )

    list_decline_voting_rights_requests = listed(
        "requests",
        "decline_voting_requests",
        "Pending waivers of voting rights.",
        by_account=(NAME,),
        by_effective_date=(TIME, NAME),
    )

    find_decline_voting_rights_requests = named(
        "requests", "decline_voting_requests", "The pending waivers of the given accounts."
    )

    # Posts and votes

    @rpc_method(rows="comments")
    def list_comments(
        self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: SortOrder = "by_permlink"
    ) -> Steps:
        """Posts by permlink, cashout time, root, parent, or last update."""
        orders = {
            "by_permlink": (NAME, NAME),
            "by_cashout_time": (TIME, NUMBER),
            "by_root": (NUMBER, NUMBER),
            "by_parent": (NAME, NAME, NUMBER),
            "by_last_update": (NAME, DESCENDING, NUMBER),
            "by_author_last_update": (NAME, DESCENDING, NUMBER),
        }
        start = self._with_comment_ids(start, order)
        yield from list_rows(self.tables.comments, orders, start, limit, order, self._comment)

    def _with_comment_ids(self, start: Any, order: str) -> Any:
        """Replaces pairs of author and permlink in a start by the ids of the posts."""
        if not isinstance(start, list) or order in ("by_permlink",):
            return start
        if order == "by_cashout_time" and len(start) == 3:
            return [start[0], self._get_comment_id(start[1], start[2])]
        if order == "by_root" and len(start) == 4:
            return [self._get_comment_id(*start[:2]), self._get_comment_id(*start[2:])]
        if order == "by_parent" and len(start) == 4:
            return [*start[:2], self._get_comment_id(*start[2:])]
        if order in ("by_last_update", "by_author_last_update") and len(start) == 4:
            return [start[0], parse_time(str(start[1])), self._get_comment_id(*start[2:])]
        return start

    def _get_comment_id(self, author: Any, permlink: Any) -> int:
        """Returns the id of a post; 0, the start of a list, if both names are empty."""
        if not author and not permlink:
            return 0
        return self._get_comment(str(author), str(permlink), "Could not find comment ${a}/${p}.").id

    def _get_comment(self, author: str, permlink: str, text: str) -> Comment:
        comment = self.tables.comments.index("by_permlink").find((author, permlink))
        if comment is None:
            raise Rejected("comment != nullptr", text, a=author, p=permlink)
        return comment

    def _comment(self, row: Comment) -> Json:
        return self.forms.comment(self.chain.ctx, row)

    @rpc_method(rows="comments")
    def find_comments(self, comments: Annotated[list[tuple[Name, Permlink]], PageItems]) -> Steps:
        """The posts among the given [author, permlink] pairs."""
        index = self.tables.comments.index("by_permlink")
        for author, permlink in comments:
            row = index.find((author, permlink))
            yield PAUSE if row is None else self._comment(row)

    @rpc_method(rows="votes")
    def list_votes(
        self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: SortOrder = "by_comment_voter"
    ) -> Steps:
        """Votes by post (start: author, permlink, voter) or by voter (start: voter, author, permlink)."""
        orders = {
            "by_comment_voter": (NUMBER, NUMBER),
            "by_voter_comment": (NUMBER, NUMBER),
        }
        if isinstance(start, list) and len(start) == 3:
            start = self._vote_start(start, order)
        yield from list_rows(self.tables.comment_votes, orders, start, limit, order, self._vote)

    def _vote_start(self, start: list[Any], order: str) -> list[int]:
        if order == "by_comment_voter":
            return [self._get_comment_id(start[0], start[1]), self._get_account_id(start[2])]
        return [self._get_account_id(start[0]), self._get_comment_id(start[1], start[2])]

    def _get_account_id(self, name: Any) -> int:
        if not name:
            return 0
        account = self.tables.accounts.find(str(name))
        if account is None:
            raise Rejected("voter != nullptr", "Could not find voter ${v}.", v=str(name))
        return account.id

    def _vote(self, row: CommentVote) -> Json:
        return self.forms.comment_vote(row, self.tables.comments.get(row.comment))

    @rpc_method(rows="votes")
    def find_votes(self, author: Name = "", permlink: Permlink = "") -> Steps:
        """The votes on one post."""
        comment = self._get_comment(author, permlink, "Could not find comment ${a}/${p}")
        rows = islice(self.tables.comment_votes.scan((comment.id,)), LIMIT_MAX)
        for row in rows:
            yield self.forms.comment_vote(row, comment)

    # Market

    @rpc_method(rows="orders")
    def list_limit_orders(
        self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: SortOrder = "by_account"
    ) -> Steps:
        """Open orders by account, or by market and price (start: price, id)."""
        if order == "by_price":
            values = start if isinstance(start, list) else [start]
            price = self.codec.from_json(Price, values[0]) if values and values[0] else None
            (number,) = parse_start(values[1:], (NUMBER,)) or (0,)
            for row in islice(scan_prices(self.tables.limit_orders.index("by_price"), price, number), limit):
                yield self.forms.limit_order(row)
            return
        orders = {"by_account": (NAME, NUMBER)}
        yield from list_rows(self.tables.limit_orders, orders, start, limit, order, self.forms.limit_order)

    find_limit_orders = owned(
        "orders", "limit_orders", "The open orders of one account.", "account", "by_account", show="limit_order"
    )

    @rpc_method()
    def get_order_book(self, limit: PageLimit = 500) -> Steps:
        """The best orders of both sides; `real_price` is 0 as in the reference."""
        asks = yield from collect(self._side(STEEM, limit))
        bids = yield from collect(self._side(SBD, limit))
        return {"asks": asks, "bids": bids}

    def _side(self, symbol: int, limit: int) -> Iterator[Json]:
        other = SBD if symbol == STEEM else STEEM
        rows = islice(self.tables.limit_orders.index("by_price").scan((symbol, other)), limit)
        return (self.forms.market_order(row, 0.0) for row in rows)

    # Proposals

    @rpc_method(rows="proposals")
    def list_proposals(
        self,
        start: Start = None,
        limit: PageLimit = LIMIT_MAX,
        order: SortOrder = "by_creator",
        order_direction: Direction = "ascending",
        status: Status = "all",
    ) -> Steps:
        """Proposals ordered by creator, dates or votes, filtered by status, in either direction."""
        yield from self._proposals.list_proposals(start, limit, order, order_direction, status)

    @rpc_method(rows="proposals")
    def find_proposals(self, proposal_ids: Annotated[list[int], PageItems]) -> Steps:
        """The proposals with the given ids."""
        yield from self._proposals.find_proposals(proposal_ids)

    @rpc_method(rows="proposal_votes")
    def list_proposal_votes(
        self,
        start: Start = None,
        limit: PageLimit = LIMIT_MAX,
        order: SortOrder = "by_voter_proposal",
        order_direction: Direction = "ascending",
        status: Status = "all",
    ) -> Steps:
        """Votes for proposals by voter or by proposal, in either direction."""
        yield from self._proposals.list_votes(start, limit, order, order_direction, status)

    # Authorities

    @rpc_method()
    def get_transaction_hex(self, trx: AnyJson) -> Steps:
        """The bytes of a signed transaction."""
        transaction = yield from self.read_fitting_transaction(trx, recovers=False)
        return {"hex": transaction.packed_signed.hex()}

    @rpc_method()
    def get_required_signatures(self, trx: AnyJson, available_keys: Keys) -> Steps:
        """The keys among the given ones that must sign a transaction."""
        transaction = yield from self.read_fitting_transaction(trx)
        keys = yield from self.read_keys(available_keys)
        signed = transaction.signature_keys(self.chain.config.chain_id)
        required = transaction.required_authorities()
        work = find_required_in_steps(required, signed, keys, *self._authority_sources())
        found = yield from in_steps(work)
        return {"keys": [self.forms.key(key) for key in found]}

    @rpc_method()
    def get_potential_signatures(self, trx: AnyJson) -> Steps:
        """The keys that could sign a transaction."""
        transaction = yield from self.read_fitting_transaction(trx)
        signed = transaction.signature_keys(self.chain.config.chain_id)
        work = find_potential_in_steps(transaction.required_authorities(), signed, *self._authority_sources())
        found = yield from in_steps(work)
        keys = yield from collect(self.forms.key(key) for key in found)
        return {"keys": keys}

    @rpc_method()
    def verify_authority(self, trx: AnyJson) -> Steps:
        """True when the signatures of a transaction suffice; otherwise the error says what is missing."""
        transaction = yield from self.read_fitting_transaction(trx)
        signed = transaction.signature_keys(self.chain.config.chain_id)
        required = transaction.required_authorities()
        yield from in_steps(verify_in_steps(required, signed, *self._authority_sources()))
        return {"valid": True}

    def _authority_sources(self) -> tuple[Authorities, AuthorityLimits]:
        return account_authorities(self.tables.account_authorities.get), get_limits(self.chain.ctx.rules)

    @rpc_method()
    def verify_account_authority(self, account: Name, signers: Keys) -> Steps:
        """Whether the keys satisfy the active (or owner) authority of an account.

        The reference intends this but ignores the keys.
        """
        if self.tables.accounts.find(account) is None:
            raise Rejected("account != nullptr", "no such account")
        keys = yield from self.read_keys(signers)
        sources, limits = self._authority_sources()
        state = SignState((), sources.get_active, limits, frozenset(keys))
        return {"valid": state.check_account(account) or state.check(sources.get_owner(account))}

    @rpc_method()
    def verify_signatures(
        self,
        hash_: HexText,
        signatures: Annotated[list[HexText], Items(SIGNATURES_MAX)],
        required_owner: RequiredNames | None = None,
        required_active: RequiredNames | None = None,
        required_posting: RequiredNames | None = None,
    ) -> Steps:
        """Whether signatures over a digest (both in hexadecimal) satisfy the named accounts' authorities."""
        found: list[bytes] | None = yield Aside(lambda: _recover(hash_, signatures))
        if found is None:
            return {"valid": False}
        keys = frozenset(found)
        if len(keys) != len(found):
            raise DuplicateSignature("", "Duplicate Signature detected")
        required = RequiredAuthorities()
        required.owners.update(required_owner or [])
        required.actives.update(required_active or [])
        required.postings.update(required_posting or [])
        try:
            yield from in_steps(verify_in_steps(required, keys, *self._authority_sources()))
        except (ProtocolError, RowMissing):
            return {"valid": False}
        return {"valid": True}


def _recover(digest: str, signatures: list[str]) -> list[bytes] | None:
    """Recovers the signing keys, in the order of the signatures; returns None if one is invalid."""
    try:
        return [recover(bytes.fromhex(digest), bytes.fromhex(signature)) for signature in signatures]
    except (ValueError, ProtocolError):
        return None
