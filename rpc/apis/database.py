"""database_api: the rows of the state as they are, with amounts as numeric asset identifier objects.

Source: libraries/plugins/apis/database_api/database_api.cpp.
"""

from itertools import islice
from typing import Annotated, Any

import orjson

from chain.authority import (
    Authorities,
    AuthorityLimits,
    SignState,
    account_authorities,
    get_limits,
    get_potential_signatures,
    get_required_signatures,
    verify_authority,
)
from protocol.assets import SBD, STEEM
from protocol.config_report import report_config
from protocol.errors import DuplicateSignature, ProtocolError, Rejected
from protocol.keys import decode_public_key, recover
from protocol.operation import RequiredAuthorities
from protocol.times import parse_time
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
    Order,
    PageItems,
    PageLimit,
    list_rows,
)
from rpc.json_bytes import dump_json
from rpc.kinds import AnyJson, HexText, Items, Keys, Name, Permlink, Scalar, Start
from rpc.method import rpc_method
from rpc.objects import (
    Json,
    change_recovery_request,
    comment_vote,
    decline_voting_request,
    hardfork_property,
    withdraw_route,
    witness_vote,
)
from rpc.proposals import ProposalLists
from state.context import SINGLETON
from state.errors import RowMissing
from state.schema import Comment, CommentVote, GlobalProperties

BY_NAME = {"by_name": Order(None, (NAME,))}

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
        """Head block, supplies and rates; the JSON is kept until one of them changes."""
        gpo, irreversible = self.chain.ctx.gpo, self.chain.irreversible_number
        if self._gpo_json is None or self._gpo_json[0] is not gpo or self._gpo_json[1] != irreversible:
            text = dump_json(self.forms.global_properties(gpo, irreversible))
            self._gpo_json = (gpo, irreversible, orjson.Fragment(text))
        return self._gpo_json[2]

    @rpc_method()
    def get_witness_schedule(self) -> Json:
        """The witnesses of this round and the medians of what they propose."""
        return self.forms.witness_schedule(self.tables.witness_schedule.get(SINGLETON))

    @rpc_method()
    def get_hardfork_properties(self) -> Json:
        """The hard forks that have been applied."""
        return hardfork_property(self.tables.hardfork_property.get(SINGLETON))

    @rpc_method()
    def get_reward_funds(self) -> Json:
        """The funds that pay posts."""
        funds = sorted(self.tables.reward_funds.scan(), key=lambda fund: fund.id)
        return {"funds": [self.forms.reward_fund(fund) for fund in funds]}

    @rpc_method()
    def get_current_price_feed(self) -> Json:
        """The median price of STEEM in SBD."""
        return self.forms.price(self.tables.feed_history.get(SINGLETON).current_median_history)

    @rpc_method()
    def get_feed_history(self) -> Json:
        """The hourly prices of the last window."""
        return self.forms.feed_history(self.tables.feed_history.get(SINGLETON))

    # Witnesses

    @rpc_method()
    def list_witnesses(self, start: Start = "", limit: PageLimit = LIMIT_MAX, order: Name = "by_name") -> Json:
        """Witnesses by name, by votes, or by their next turn in virtual time."""
        if order == "by_schedule_time" and isinstance(start, list) and len(start) == 2:
            start = [start[0], self._get_witness_id(start[1])]
        orders = BY_NAME | {
            "by_vote_name": Order("by_vote_name", (DESCENDING, NAME)),
            "by_schedule_time": Order("by_schedule_time", (NUMBER, NUMBER)),
        }
        return {"witnesses": list_rows(self.tables.witnesses, orders, start, limit, order, self.forms.witness)}

    def _get_witness_id(self, name: str) -> int:
        witness = self.tables.witnesses.find(str(name))
        if witness is None:
            raise Rejected("", "unknown key: witness ${name}", name=str(name))
        return witness.id

    @rpc_method()
    def find_witnesses(self, owners: Names) -> Json:
        """The witnesses among the given names."""
        rows = [self.tables.witnesses.find(name) for name in owners]
        return {"witnesses": [self.forms.witness(row) for row in rows if row]}

    @rpc_method()
    def list_witness_votes(
        self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_account_witness"
    ) -> Json:
        """Votes for witnesses by voter or by witness."""
        orders = {
            "by_account_witness": Order(None, (NAME, NAME)),
            "by_witness_account": Order("by_witness_account", (NAME, NAME)),
        }
        return {"votes": list_rows(self.tables.witness_votes, orders, start, limit, order, witness_vote)}

    @rpc_method()
    def get_active_witnesses(self) -> Json:
        """The witnesses of this round in the order of their slots.

        Empty places are left out here (condenser_api shows them as "", as the reference does): beem asks for every one.
        """
        names = self.tables.witness_schedule.get(SINGLETON).current_shuffled_witnesses
        return {"witnesses": [name for name in names if name]}

    # Accounts

    @rpc_method()
    def list_accounts(self, start: Start = "", limit: PageLimit = LIMIT_MAX, order: Name = "by_name") -> Json:
        """Accounts by name, by proxy, or by the time of their next power down part."""
        orders = BY_NAME | {
            "by_proxy": Order("by_proxy", (NAME, NAME)),
            "by_next_vesting_withdrawal": Order("by_next_vesting_withdrawal", (TIME, NAME)),
        }
        return {"accounts": list_rows(self.tables.accounts, orders, start, limit, order, self._accounts.show)}

    def _account(self, row: Any) -> Json:
        return self.forms.account(self.chain.ctx, row)

    @rpc_method()
    def find_accounts(self, accounts: Names) -> Json:
        """The accounts among the given names."""
        shown = [self._accounts.find(name) for name in accounts]
        return {"accounts": [account for account in shown if account is not None]}

    @rpc_method()
    def list_owner_histories(self, start: Start = None, limit: PageLimit = LIMIT_MAX) -> Json:
        """Replaced owner authorities by account and time."""
        orders = {"by_account": Order("by_account", (NAME, TIME))}
        rows = list_rows(self.tables.owner_histories, orders, start, limit, "by_account", self.forms.owner_history)
        return {"owner_auths": rows}

    @rpc_method()
    def find_owner_histories(self, owner: Name = "") -> Json:
        """The replaced owner authorities of one account."""
        rows = islice(self.tables.owner_histories.index("by_account").scan((owner,)), LIMIT_MAX)
        return {"owner_auths": [self.forms.owner_history(row) for row in rows]}

    @rpc_method()
    def list_account_recovery_requests(
        self, start: Start = "", limit: PageLimit = LIMIT_MAX, order: Name = "by_account"
    ) -> Json:
        """Open account recovery requests."""
        orders = {"by_account": Order(None, (NAME,)), "by_expiration": Order("by_expiration", (TIME, NAME))}
        table = self.tables.account_recovery_requests
        return {"requests": list_rows(table, orders, start, limit, order, self.forms.account_recovery_request)}

    @rpc_method()
    def find_account_recovery_requests(self, accounts: Names | None = None) -> Json:
        """The open recovery requests of the given accounts."""
        rows = [self.tables.account_recovery_requests.find(name) for name in accounts or []]
        return {"requests": [self.forms.account_recovery_request(row) for row in rows if row]}

    @rpc_method()
    def list_change_recovery_account_requests(
        self, start: Start = "", limit: PageLimit = LIMIT_MAX, order: Name = "by_account"
    ) -> Json:
        """Pending changes of recovery accounts."""
        orders = {"by_account": Order(None, (NAME,)), "by_effective_date": Order("by_effective_date", (TIME, NAME))}
        table = self.tables.change_recovery_requests
        return {"requests": list_rows(table, orders, start, limit, order, change_recovery_request)}

    @rpc_method()
    def find_change_recovery_account_requests(self, accounts: Names | None = None) -> Json:
        """The pending changes of recovery account of the given accounts."""
        rows = [self.tables.change_recovery_requests.find(name) for name in accounts or []]
        return {"requests": [change_recovery_request(row) for row in rows if row]}

    @rpc_method()
    def list_escrows(self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_from_id") -> Json:
        """Open escrows."""
        orders = {
            "by_from_id": Order(None, (NAME, NUMBER)),
            "by_ratification_deadline": Order("by_ratification_deadline", (FLAG, TIME, NUMBER)),
        }
        return {"escrows": list_rows(self.tables.escrows, orders, start, limit, order, self.forms.escrow)}

    @rpc_method()
    def find_escrows(self, from_: Name = "") -> Json:
        """The open escrows of one sender."""
        rows = islice(self.tables.escrows.scan((from_,)), LIMIT_MAX)
        return {"escrows": [self.forms.escrow(row) for row in rows]}

    @rpc_method()
    def list_withdraw_vesting_routes(
        self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_withdraw_route"
    ) -> Json:
        """Routes of power downs."""
        orders = {
            "by_withdraw_route": Order(None, (NAME, NAME)),
            "by_destination": Order("by_destination", (NAME, NUMBER)),
        }
        rows = list_rows(self.tables.withdraw_vesting_routes, orders, start, limit, order, withdraw_route)
        return {"routes": rows}

    @rpc_method()
    def find_withdraw_vesting_routes(self, account: Name = "", order: Name = "by_withdraw_route") -> Json:
        """The routes from (by_withdraw_route) or to (by_destination) one account."""
        table = self.tables.withdraw_vesting_routes
        if order == "by_withdraw_route":
            rows = table.scan((account,))
        elif order == "by_destination":
            rows = table.index("by_destination").scan((account,))
        else:
            raise Rejected("false", "Unknown or unsupported sort order")
        return {"routes": [withdraw_route(row) for row in islice(rows, LIMIT_MAX)]}

    @rpc_method()
    def list_savings_withdrawals(
        self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_from_id"
    ) -> Json:
        """Transfers on their way out of the savings."""
        orders = {
            "by_from_id": Order(None, (NAME, NUMBER)),
            "by_complete_from_id": Order("by_complete_from_id", (TIME, NAME, NUMBER)),
            "by_to_complete": Order("by_to_complete", (NAME, TIME, NUMBER)),
        }
        table = self.tables.savings_withdraws
        return {"withdrawals": list_rows(table, orders, start, limit, order, self.forms.savings_withdrawal)}

    @rpc_method()
    def find_savings_withdrawals(self, account: Name = "") -> Json:
        """The transfers on their way out of one account's savings."""
        rows = islice(self.tables.savings_withdraws.scan((account,)), LIMIT_MAX)
        return {"withdrawals": [self.forms.savings_withdrawal(row) for row in rows]}

    @rpc_method()
    def list_vesting_delegations(
        self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_delegation"
    ) -> Json:
        """Delegations by delegator and delegatee."""
        orders = {"by_delegation": Order(None, (NAME, NAME))}
        table = self.tables.vesting_delegations
        return {"delegations": list_rows(table, orders, start, limit, order, self.forms.vesting_delegation)}

    @rpc_method()
    def find_vesting_delegations(self, account: Name = "") -> Json:
        """The delegations that one account made."""
        rows = islice(self.tables.vesting_delegations.scan((account,)), LIMIT_MAX)
        return {"delegations": [self.forms.vesting_delegation(row) for row in rows]}

    @rpc_method()
    def list_vesting_delegation_expirations(
        self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_expiration"
    ) -> Json:
        """Delegated shares on their way back."""
        orders = {
            "by_expiration": Order("by_expiration", (TIME, NUMBER)),
            "by_account_expiration": Order("by_account_expiration", (NAME, TIME, NUMBER)),
        }
        table = self.tables.vesting_delegation_expirations
        rows = list_rows(table, orders, start, limit, order, self.forms.vesting_delegation_expiration)
        return {"delegations": rows}

    @rpc_method()
    def find_vesting_delegation_expirations(self, account: Name = "") -> Json:
        """The delegated shares on their way back to one account."""
        index = self.tables.vesting_delegation_expirations.index("by_account_expiration")
        rows = islice(index.scan((account,)), LIMIT_MAX)
        return {"delegations": [self.forms.vesting_delegation_expiration(row) for row in rows]}

    @rpc_method()
    def list_sbd_conversion_requests(
        self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_account"
    ) -> Json:
        """SBD that wait for their conversion."""
        orders = {
            "by_conversion_date": Order("by_conversion_date", (TIME, NUMBER)),
            "by_account": Order(None, (NAME, NUMBER)),
        }
        table = self.tables.convert_requests
        return {"requests": list_rows(table, orders, start, limit, order, self.forms.convert_request)}

    @rpc_method()
    def find_sbd_conversion_requests(self, account: Name = "") -> Json:
        """The waiting conversions of one account."""
        rows = islice(self.tables.convert_requests.scan((account,)), LIMIT_MAX)
        return {"requests": [self.forms.convert_request(row) for row in rows]}

    @rpc_method()
    def list_decline_voting_rights_requests(
        self, start: Start = "", limit: PageLimit = LIMIT_MAX, order: Name = "by_account"
    ) -> Json:
        """Pending waivers of voting rights."""
        orders = {"by_account": Order(None, (NAME,)), "by_effective_date": Order("by_effective_date", (TIME, NAME))}
        table = self.tables.decline_voting_requests
        return {"requests": list_rows(table, orders, start, limit, order, decline_voting_request)}

    @rpc_method()
    def find_decline_voting_rights_requests(self, accounts: Names | None = None) -> Json:
        """The pending waivers of the given accounts."""
        rows = [self.tables.decline_voting_requests.find(name) for name in accounts or []]
        return {"requests": [decline_voting_request(row) for row in rows if row]}

    # Posts and votes

    @rpc_method()
    def list_comments(self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_permlink") -> Json:
        """Posts by permlink, cashout time, root, parent, or last update."""
        orders = {
            "by_permlink": Order("by_permlink", (NAME, NAME)),
            "by_cashout_time": Order("by_cashout_time", (TIME, NUMBER)),
            "by_root": Order("by_root", (NUMBER, NUMBER)),
            "by_parent": Order("by_parent", (NAME, NAME, NUMBER)),
            "by_last_update": Order("by_last_update", (NAME, DESCENDING, NUMBER)),
            "by_author_last_update": Order("by_author_last_update", (NAME, DESCENDING, NUMBER)),
        }
        start = self._with_comment_ids(start, order)
        return {"comments": list_rows(self.tables.comments, orders, start, limit, order, self._comment)}

    def _with_comment_ids(self, start: Any, order: str) -> Any:
        """Replaces the author and permlink pairs in a start by the ids of the posts they name."""
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
        """The id of a post; 0 where neither name is given, which is where a list begins."""
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

    @rpc_method()
    def find_comments(self, comments: Annotated[list[tuple[Name, Permlink]], PageItems]) -> Json:
        """The posts among the given [author, permlink] pairs."""
        index = self.tables.comments.index("by_permlink")
        rows = [index.find((author, permlink)) for author, permlink in comments]
        return {"comments": [self._comment(row) for row in rows if row]}

    @rpc_method()
    def list_votes(self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_comment_voter") -> Json:
        """Votes by post (start: author, permlink, voter) or by voter (start: voter, author, permlink)."""
        orders = {
            "by_comment_voter": Order(None, (NUMBER, NUMBER)),
            "by_voter_comment": Order("by_voter_comment", (NUMBER, NUMBER)),
        }
        if isinstance(start, list) and len(start) == 3:
            start = self._vote_start(start, order)
        return {"votes": list_rows(self.tables.comment_votes, orders, start, limit, order, self._vote)}

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
        return comment_vote(row, self.tables.comments.get(row.comment))

    @rpc_method()
    def find_votes(self, author: Name = "", permlink: Permlink = "") -> Json:
        """The votes on one post."""
        comment = self._get_comment(author, permlink, "Could not find comment ${a}/${p}")
        rows = islice(self.tables.comment_votes.scan((comment.id,)), LIMIT_MAX)
        return {"votes": [comment_vote(row, comment) for row in rows]}

    # Market

    @rpc_method()
    def list_limit_orders(self, start: Start = None, limit: PageLimit = LIMIT_MAX, order: Name = "by_account") -> Json:
        """Open orders by account, or by market and price."""
        orders = {"by_account": Order(None, (NAME, NUMBER)), "by_price": Order("by_price", ())}
        return {"orders": list_rows(self.tables.limit_orders, orders, start, limit, order, self.forms.limit_order)}

    @rpc_method()
    def find_limit_orders(self, account: Name = "") -> Json:
        """The open orders of one account."""
        rows = islice(self.tables.limit_orders.scan((account,)), LIMIT_MAX)
        return {"orders": [self.forms.limit_order(row) for row in rows]}

    @rpc_method()
    def get_order_book(self, limit: PageLimit = 500) -> Json:
        """The best offers of both sides; `real_price` is 0 as in the reference."""
        return {"asks": self._side(STEEM, limit), "bids": self._side(SBD, limit)}

    def _side(self, symbol: int, limit: int) -> list[Json]:
        other = SBD if symbol == STEEM else STEEM
        rows = islice(self.tables.limit_orders.index("by_price").scan((symbol, other)), limit)
        return [self.forms.market_order(row, 0.0) for row in rows]

    # Proposals

    @rpc_method()
    def list_proposals(
        self,
        start: Start = None,
        limit: PageLimit = LIMIT_MAX,
        order: Name = "by_creator",
        order_direction: Scalar = "ascending",
        status: Scalar = "all",
    ) -> Json:
        """Proposals by creator, dates or votes, of one status or all, in either direction."""
        return {"proposals": self._proposals.list_proposals(start, limit, order, order_direction, status)}

    @rpc_method()
    def find_proposals(self, proposal_ids: Annotated[list[int], PageItems]) -> Json:
        """The proposals with the given ids."""
        return {"proposals": self._proposals.find_proposals(proposal_ids)}

    @rpc_method()
    def list_proposal_votes(
        self,
        start: Start = None,
        limit: PageLimit = LIMIT_MAX,
        order: Name = "by_voter_proposal",
        order_direction: Scalar = "ascending",
        status: Scalar = "all",
    ) -> Json:
        """Votes for proposals by voter or by proposal, in either direction."""
        return {"proposal_votes": self._proposals.list_votes(start, limit, order, order_direction, status)}

    # Authorities

    @rpc_method()
    def get_transaction_hex(self, trx: AnyJson) -> Json:
        """The bytes of a signed transaction."""
        return {"hex": self.parse_transaction(trx).packed_signed.hex()}

    @rpc_method()
    def get_required_signatures(self, trx: AnyJson, available_keys: Keys) -> Json:
        """Those of the given keys that have to sign a transaction."""
        transaction = self.parse_transaction(trx)
        keys = [self._key(text) for text in available_keys]
        signed = transaction.signature_keys(self.chain.config.chain_id)
        required = transaction.required_authorities()
        found = get_required_signatures(required, signed, keys, *self._authority_sources())
        return {"keys": [self.forms.key(key) for key in found]}

    @rpc_method()
    def get_potential_signatures(self, trx: AnyJson) -> Json:
        """The keys that could sign a transaction."""
        transaction = self.parse_transaction(trx)
        signed = transaction.signature_keys(self.chain.config.chain_id)
        keys = get_potential_signatures(transaction.required_authorities(), signed, *self._authority_sources())
        return {"keys": [self.forms.key(key) for key in keys]}

    @rpc_method()
    def verify_authority(self, trx: AnyJson) -> Json:
        """True when the signatures of a transaction suffice; otherwise the error says what is missing."""
        transaction = self.parse_transaction(trx)
        signed = transaction.signature_keys(self.chain.config.chain_id)
        verify_authority(transaction.required_authorities(), signed, *self._authority_sources())
        return {"valid": True}

    def _authority_sources(self) -> tuple[Authorities, AuthorityLimits]:
        return account_authorities(self.tables), get_limits(self.chain.ctx.rules)

    @rpc_method()
    def verify_account_authority(self, account: Name, signers: Keys) -> Json:
        """Whether the keys satisfy the active (or owner) authority of an account.

        The reference means to do this but never looks at the keys.
        """
        if self.tables.accounts.find(account) is None:
            raise Rejected("account != nullptr", "no such account")
        sources, limits = self._authority_sources()
        state = SignState((), sources.get_active, limits, frozenset(map(self._key, signers)))
        return {"valid": state.check_account(account) or state.check(sources.get_owner(account))}

    @rpc_method()
    def verify_signatures(
        self,
        hash_: HexText,
        signatures: Annotated[list[HexText], Items(SIGNATURES_MAX)],
        required_owner: RequiredNames | None = None,
        required_active: RequiredNames | None = None,
        required_posting: RequiredNames | None = None,
    ) -> Json:
        """Whether signatures over a digest (both in hexadecimal) satisfy the named accounts' authorities."""
        try:
            digest = bytes.fromhex(hash_)
            found = [recover(digest, bytes.fromhex(signature)) for signature in signatures]
        except (ValueError, ProtocolError):
            return {"valid": False}
        keys = frozenset(found)
        if len(keys) != len(found):
            raise DuplicateSignature("", "Duplicate Signature detected")
        required = RequiredAuthorities()
        required.owners.update(required_owner or [])
        required.actives.update(required_active or [])
        required.postings.update(required_posting or [])
        try:
            verify_authority(required, keys, *self._authority_sources())
        except (ProtocolError, RowMissing):
            return {"valid": False}
        return {"valid": True}

    def _key(self, text: str) -> bytes:
        return decode_public_key(text, self.chain.config.identity.address_prefix)
