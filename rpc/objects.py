"""Rows of the state as the JSON objects of the API, field by field in the reference's order.

Every object exists in two forms that differ in how amounts are written: `legacy` ("1.000 STEEM", condenser_api) and
the numeric asset identifier form (all other APIs). Where the two have other differences, the function says so.

Source: libraries/plugins/apis/database_api/database_api_objects.hpp and condenser_api.hpp of the reference.
"""

from typing import Any

from protocol.assets import SBD, STEEM, VESTS, Asset, Price, decimals, multiply, nai_string
from protocol.curves import get_curve
from protocol.identity import ChainIdentity
from protocol.keys import encode_public_key
from protocol.times import time_text
from protocol.types import Authority, ChainProperties
from protocol.units import BASIS_POINTS
from state.context import Context
from state.mana import compute_effective_vesting_shares
from state.tables.accounts import (
    Account,
    AccountRecoveryRequest,
    ChangeRecoveryAccountRequest,
    DeclineVotingRightsRequest,
    Manabar,
    OwnerAuthorityHistory,
)
from state.tables.content import Comment, CommentVote, RewardFund
from state.tables.globals import GlobalProperties, HardforkProperty
from state.tables.market import ConvertRequest, LimitOrder
from state.tables.payments import Escrow, SavingsWithdraw
from state.tables.proposals import Proposal, ProposalVote
from state.tables.vesting import VestingDelegation, VestingDelegationExpiration, WithdrawVestingRoute
from state.tables.witnesses import FeedHistory, RdParams, Witness, WitnessSchedule, WitnessVote

Json = dict[str, Any]

JSON_NUMBER_MAX = 0xFFFFFFFF


def big(value: int) -> int | str:
    """An integer as the reference prints it: above 32 bits it becomes a string."""
    return value if value <= JSON_NUMBER_MAX else str(value)


def version_text(version: int) -> str:
    """A packed version as "major.hardfork.revision"."""
    return f"{version >> 24}.{version >> 16 & 0xFF}.{version & 0xFFFF}"


class ObjectForms:
    """Turns rows into API objects in one of the two forms, for one chain's symbols and key prefix."""

    def __init__(self, identity: ChainIdentity, legacy: bool) -> None:
        self.legacy = legacy
        self.prefix = identity.address_prefix
        self.names = identity.symbol_names
        self._nai = {symbol: (decimals(symbol), nai_string(symbol)) for symbol in (STEEM, SBD, VESTS)}
        self._scale = {symbol: (10 ** decimals(symbol), decimals(symbol)) for symbol in (STEEM, SBD, VESTS)}

    # Parts

    def amount(self, amount: int, symbol: int) -> Any:
        """An amount in the smallest unit of one of the three core symbols."""
        if self.legacy:
            scale, places = self._scale[symbol]
            sign = "-" if amount < 0 else ""
            whole, rest = divmod(abs(amount), scale)
            return f"{sign}{whole}.{rest:0{places}d} {self.names[symbol]}"
        places, nai = self._nai[symbol]
        return {"amount": str(amount), "precision": places, "nai": nai}

    def steem(self, amount: int) -> Any:
        """An amount of STEEM."""
        return self.amount(amount, STEEM)

    def sbd(self, amount: int) -> Any:
        """An amount of SBD."""
        return self.amount(amount, SBD)

    def vests(self, amount: int) -> Any:
        """An amount of VESTS."""
        return self.amount(amount, VESTS)

    def asset(self, asset: Asset) -> Any:
        """An asset."""
        return self.amount(asset.amount, asset.symbol)

    def price(self, price: Price) -> Json:
        """A price: what `base` costs in `quote`."""
        return {"base": self.asset(price.base), "quote": self.asset(price.quote)}

    def key(self, key: bytes) -> str:
        """A public key as text."""
        return encode_public_key(key, self.prefix)

    def authority(self, authority: Authority) -> Json:
        """An authority."""
        return {
            "weight_threshold": authority.weight_threshold,
            "account_auths": [list(pair) for pair in authority.account_auths],
            "key_auths": [[self.key(key), weight] for key, weight in authority.key_auths],
        }

    def chain_properties(self, props: ChainProperties) -> Json:
        """The properties witnesses vote for."""
        return {
            "account_creation_fee": self.asset(props.account_creation_fee),
            "maximum_block_size": props.maximum_block_size,
            "sbd_interest_rate": props.sbd_interest_rate,
            "account_subsidy_budget": props.account_subsidy_budget,
            "account_subsidy_decay": props.account_subsidy_decay,
        }

    # Objects

    def global_properties(self, gpo: GlobalProperties, irreversible_number: int) -> Json:
        """The dynamic global properties; `id` and `smt_creation_fee` are not in the legacy form.

        The last irreversible block is given apart: a node knows it when its head's state does not count so far (after
        it went on from a snapshot, or switched to a longer branch).
        """
        result: Json = {} if self.legacy else {"id": gpo.id}
        result |= {
            "head_block_number": gpo.head_block_number,
            "head_block_id": gpo.head_block_id.hex(),
            "time": time_text(gpo.time),
            "current_witness": gpo.current_witness,
            "total_pow": big(gpo.total_pow),
            "num_pow_witnesses": gpo.num_pow_witnesses,
            "virtual_supply": self.steem(gpo.virtual_supply),
            "current_supply": self.steem(gpo.current_supply),
            "confidential_supply": self.steem(gpo.confidential_supply),
            "init_sbd_supply": self.sbd(gpo.init_sbd_supply),
            "current_sbd_supply": self.sbd(gpo.current_sbd_supply),
            "confidential_sbd_supply": self.sbd(gpo.confidential_sbd_supply),
            "total_vesting_fund_steem": self.steem(gpo.total_vesting_fund_steem),
            "total_vesting_shares": self.vests(gpo.total_vesting_shares),
            "total_reward_fund_steem": self.steem(gpo.total_reward_fund_steem),
            "total_reward_shares2": str(gpo.total_reward_shares2),
            "pending_rewarded_vesting_shares": self.vests(gpo.pending_rewarded_vesting_shares),
            "pending_rewarded_vesting_steem": self.steem(gpo.pending_rewarded_vesting_steem),
            "sbd_interest_rate": gpo.sbd_interest_rate,
            "sbd_print_rate": gpo.sbd_print_rate,
            "maximum_block_size": gpo.maximum_block_size,
            "required_actions_partition_percent": gpo.required_actions_partition_percent,
            "current_aslot": big(gpo.current_aslot),
            "recent_slots_filled": str(gpo.recent_slots_filled),
            "participation_count": gpo.participation_count,
            "last_irreversible_block_num": irreversible_number,
            "vote_power_reserve_rate": gpo.vote_power_reserve_rate,
            "delegation_return_period": gpo.delegation_return_period,
            "reverse_auction_seconds": big(gpo.reverse_auction_seconds),
            "available_account_subsidies": big(gpo.available_account_subsidies),
            "sbd_stop_percent": gpo.sbd_stop_percent,
            "sbd_start_percent": gpo.sbd_start_percent,
            "next_maintenance_time": time_text(gpo.next_maintenance_time),
            "last_budget_time": time_text(gpo.last_budget_time),
            "content_reward_percent": gpo.content_reward_percent,
            "vesting_reward_percent": gpo.vesting_reward_percent,
            "sps_fund_percent": gpo.sps_fund_percent,
            "sps_interval_ledger": self.sbd(gpo.sps_interval_ledger),
            "downvote_pool_percent": gpo.downvote_pool_percent,
        }
        if not self.legacy:
            result["smt_creation_fee"] = self.sbd(gpo.smt_creation_fee)
        return result

    def account(self, ctx: Context, account: Account) -> Json:
        """An account; `voting_power` is only in the legacy form, `last_post_edit` and `is_smt` only in the other."""
        auth = ctx.tables.account_authorities.get(account.name)
        metadata = ctx.tables.account_metadata.find(account.name)
        result: Json = {
            "id": account.id,
            "name": account.name,
            "owner": self.authority(auth.owner),
            "active": self.authority(auth.active),
            "posting": self.authority(auth.posting),
            "memo_key": self.key(account.memo_key),
            "json_metadata": metadata.json_metadata if metadata else "",
            "posting_json_metadata": metadata.posting_json_metadata if metadata else "",
            "proxy": account.proxy,
            "last_owner_update": time_text(auth.last_owner_update),
            "last_account_update": time_text(account.last_account_update),
            "created": time_text(account.created),
            "mined": account.mined,
            "recovery_account": account.recovery_account,
            "last_account_recovery": time_text(account.last_account_recovery),
            "reset_account": account.reset_account,
            "comment_count": account.comment_count,
            "lifetime_vote_count": account.lifetime_vote_count,
            "post_count": account.post_count,
            "can_vote": account.can_vote,
            "voting_manabar": manabar(account.voting_manabar),
            "downvote_manabar": manabar(account.downvote_manabar),
        }
        if self.legacy:
            seconds = ctx.rules.voting_mana_regeneration_seconds
            result["voting_power"] = compute_voting_power(account, seconds)
        result |= {
            "balance": self.steem(account.balance),
            "savings_balance": self.steem(account.savings_balance),
            "sbd_balance": self.sbd(account.sbd_balance),
            "sbd_seconds": str(account.sbd_seconds),
            "sbd_seconds_last_update": time_text(account.sbd_seconds_last_update),
            "sbd_last_interest_payment": time_text(account.sbd_last_interest_payment),
            "savings_sbd_balance": self.sbd(account.savings_sbd_balance),
            "savings_sbd_seconds": str(account.savings_sbd_seconds),
            "savings_sbd_seconds_last_update": time_text(account.savings_sbd_seconds_last_update),
            "savings_sbd_last_interest_payment": time_text(account.savings_sbd_last_interest_payment),
            "savings_withdraw_requests": account.savings_withdraw_requests,
            "reward_sbd_balance": self.sbd(account.reward_sbd_balance),
            "reward_steem_balance": self.steem(account.reward_steem_balance),
            "reward_vesting_balance": self.vests(account.reward_vesting_balance),
            "reward_vesting_steem": self.steem(account.reward_vesting_steem),
            "vesting_shares": self.vests(account.vesting_shares),
            "delegated_vesting_shares": self.vests(account.delegated_vesting_shares),
            "received_vesting_shares": self.vests(account.received_vesting_shares),
            "vesting_withdraw_rate": self.vests(account.vesting_withdraw_rate),
            "next_vesting_withdrawal": time_text(account.next_vesting_withdrawal),
            "withdrawn": big(account.withdrawn),
            "to_withdraw": big(account.to_withdraw),
            "withdraw_routes": account.withdraw_routes,
            "curation_rewards": big(account.curation_rewards),
            "posting_rewards": big(account.posting_rewards),
            "proxied_vsf_votes": [big(votes) for votes in account.proxied_vsf_votes],
            "witnesses_voted_for": account.witnesses_voted_for,
            "last_post": time_text(account.last_post),
            "last_root_post": time_text(account.last_root_post),
        }
        if not self.legacy:
            result["last_post_edit"] = time_text(account.last_post_edit)
        result |= {
            "last_vote_time": time_text(account.last_vote_time),
            "post_bandwidth": account.post_bandwidth,
            "pending_claimed_accounts": big(account.pending_claimed_accounts),
        }
        if not self.legacy:
            result["is_smt"] = False
        return result

    def comment(self, ctx: Context, comment: Comment) -> Json:
        """A post or reply with its texts."""
        root = ctx.tables.comments.find(comment.root_comment)
        content = ctx.tables.comment_contents.get(comment.id)
        return {
            "id": comment.id,
            "author": comment.author,
            "permlink": comment.permlink,
            "category": comment.category,
            "parent_author": comment.parent_author,
            "parent_permlink": comment.parent_permlink,
            "title": content.title,
            "body": content.body,
            "json_metadata": content.json_metadata,
            "last_update": time_text(comment.last_update),
            "created": time_text(comment.created),
            "active": time_text(comment.active),
            "last_payout": time_text(comment.last_payout),
            "depth": comment.depth,
            "children": comment.children,
            "net_rshares": big(comment.net_rshares),
            "abs_rshares": big(comment.abs_rshares),
            "vote_rshares": big(comment.vote_rshares),
            "children_abs_rshares": big(comment.children_abs_rshares),
            "cashout_time": time_text(comment.cashout_time),
            "max_cashout_time": time_text(comment.max_cashout_time),
            "total_vote_weight": big(comment.total_vote_weight),
            "reward_weight": comment.reward_weight,
            "total_payout_value": self.sbd(comment.total_payout_value),
            "curator_payout_value": self.sbd(comment.curator_payout_value),
            "author_rewards": big(comment.author_rewards),
            "net_votes": comment.net_votes,
            "root_author": root.author if root else "",
            "root_permlink": root.permlink if root else "",
            "max_accepted_payout": self.sbd(comment.max_accepted_payout),
            "percent_steem_dollars": comment.percent_steem_dollars,
            "allow_replies": comment.allow_replies,
            "allow_votes": comment.allow_votes,
            "allow_curation_rewards": comment.allow_curation_rewards,
            "beneficiaries": [{"account": route.account, "weight": route.weight} for route in comment.beneficiaries],
        }

    def witness(self, witness: Witness) -> Json:
        """A witness."""
        return {
            "id": witness.id,
            "owner": witness.owner,
            "created": time_text(witness.created),
            "url": witness.url,
            "votes": big(witness.votes),
            "virtual_last_update": str(witness.virtual_last_update),
            "virtual_position": str(witness.virtual_position),
            "virtual_scheduled_time": str(witness.virtual_scheduled_time),
            "total_missed": witness.total_missed,
            "last_aslot": big(witness.last_aslot),
            "last_confirmed_block_num": big(witness.last_confirmed_block_num),
            "pow_worker": big(witness.pow_worker),
            "signing_key": self.key(witness.signing_key),
            "props": self.chain_properties(witness.props),
            "sbd_exchange_rate": self.price(witness.sbd_exchange_rate),
            "last_sbd_exchange_update": time_text(witness.last_sbd_exchange_update),
            "last_work": witness.last_work.hex(),
            "running_version": version_text(witness.running_version),
            "hardfork_version_vote": version_text(witness.hardfork_version_vote),
            "hardfork_time_vote": time_text(witness.hardfork_time_vote),
            "available_witness_account_subsidies": big(witness.available_witness_account_subsidies),
        }

    def witness_schedule(self, schedule: WitnessSchedule) -> Json:
        """The round's witnesses and medians."""
        return {
            "id": schedule.id,
            "current_virtual_time": str(schedule.current_virtual_time),
            "next_shuffle_block_num": schedule.next_shuffle_block_num,
            "current_shuffled_witnesses": list(schedule.current_shuffled_witnesses),
            "num_scheduled_witnesses": schedule.num_scheduled_witnesses,
            "elected_weight": schedule.elected_weight,
            "timeshare_weight": schedule.timeshare_weight,
            "miner_weight": schedule.miner_weight,
            "witness_pay_normalization_factor": schedule.witness_pay_normalization_factor,
            "median_props": self.chain_properties(schedule.median_props),
            "majority_version": version_text(schedule.majority_version),
            "max_voted_witnesses": schedule.max_voted_witnesses,
            "max_miner_witnesses": schedule.max_miner_witnesses,
            "max_runner_witnesses": schedule.max_runner_witnesses,
            "hardfork_required_witnesses": schedule.hardfork_required_witnesses,
            "account_subsidy_rd": rd_params(schedule.account_subsidy_rd),
            "account_subsidy_witness_rd": rd_params(schedule.account_subsidy_witness_rd),
            "min_witness_account_subsidy_decay": big(schedule.min_witness_account_subsidy_decay),
        }

    def feed_history(self, feed: FeedHistory) -> Json:
        """The hourly median prices and their median."""
        return {
            "id": feed.id,
            "current_median_history": self.price(feed.current_median_history),
            "price_history": [self.price(price) for price in feed.price_history],
        }

    def reward_fund(self, fund: RewardFund) -> Json:
        """A reward fund."""
        return {
            "id": fund.id,
            "name": fund.name,
            "reward_balance": self.steem(fund.reward_balance),
            "recent_claims": str(fund.recent_claims),
            "last_update": time_text(fund.last_update),
            "content_constant": str(fund.content_constant),
            "percent_curation_rewards": fund.percent_curation_rewards,
            "percent_content_rewards": fund.percent_content_rewards,
            "author_reward_curve": str(get_curve(fund.author_reward_curve)),
            "curation_reward_curve": str(get_curve(fund.curation_reward_curve)),
        }

    def limit_order(self, order: LimitOrder) -> Json:
        """An open order; the legacy form adds the price as a number and `rewarded`."""
        result: Json = {
            "id": order.id,
            "created": time_text(order.created),
            "expiration": time_text(order.expiration),
            "seller": order.seller,
            "orderid": order.orderid,
            "for_sale": big(order.for_sale),
            "sell_price": self.price(order.sell_price),
        }
        if self.legacy:
            result |= {"real_price": float_text(real_price(order.sell_price)), "rewarded": False}
        return result

    def market_order(self, order: LimitOrder, price: float) -> Json:
        """An open order of the market of STEEM and SBD as an order book shows it, at the given price."""
        selling = order.sell_price.base.symbol
        receives = multiply(Asset(order.for_sale, selling), order.sell_price).amount
        steem, sbd = (order.for_sale, receives) if selling == STEEM else (receives, order.for_sale)
        return {
            "order_price": self.price(order.sell_price),
            "real_price": float_text(price),
            "steem": big(steem),
            "sbd": big(sbd),
            "created": time_text(order.created),
        }

    def vesting_delegation(self, row: VestingDelegation) -> Json:
        """VESTS lent to another account."""
        return {
            "id": row.id,
            "delegator": row.delegator,
            "delegatee": row.delegatee,
            "vesting_shares": self.vests(row.vesting_shares),
            "min_delegation_time": time_text(row.min_delegation_time),
        }

    def vesting_delegation_expiration(self, row: VestingDelegationExpiration) -> Json:
        """VESTS on their way back."""
        return {
            "id": row.id,
            "delegator": row.delegator,
            "vesting_shares": self.vests(row.vesting_shares),
            "expiration": time_text(row.expiration),
        }

    def owner_history(self, row: OwnerAuthorityHistory) -> Json:
        """A replaced owner authority."""
        return {
            "id": row.id,
            "account": row.account,
            "previous_owner_authority": self.authority(row.previous_owner_authority),
            "last_valid_time": time_text(row.last_valid_time),
        }

    def account_recovery_request(self, row: AccountRecoveryRequest) -> Json:
        """An open request to recover an account."""
        return {
            "id": row.id,
            "account_to_recover": row.account_to_recover,
            "new_owner_authority": self.authority(row.new_owner_authority),
            "expires": time_text(row.expires),
        }

    def convert_request(self, row: ConvertRequest) -> Json:
        """SBD that wait for their conversion."""
        return {
            "id": row.id,
            "owner": row.owner,
            "requestid": row.requestid,
            "amount": self.asset(row.amount),
            "conversion_date": time_text(row.conversion_date),
        }

    def savings_withdrawal(self, row: SavingsWithdraw) -> Json:
        """A transfer on its way out of the savings."""
        return {
            "id": row.id,
            "from": row.from_,
            "to": row.to,
            "memo": row.memo,
            "request_id": row.request_id,
            "amount": self.asset(row.amount),
            "complete": time_text(row.complete),
        }

    def escrow(self, row: Escrow) -> Json:
        """An escrow."""
        return {
            "id": row.id,
            "escrow_id": row.escrow_id,
            "from": row.from_,
            "to": row.to,
            "agent": row.agent,
            "ratification_deadline": time_text(row.ratification_deadline),
            "escrow_expiration": time_text(row.escrow_expiration),
            "sbd_balance": self.sbd(row.sbd_balance),
            "steem_balance": self.steem(row.steem_balance),
            "pending_fee": self.asset(row.pending_fee),
            "to_approved": row.to_approved,
            "agent_approved": row.agent_approved,
            "disputed": row.disputed,
        }

    def proposal(self, row: Proposal, now: int) -> Json:
        """A proposal; the status at time `now` is not in the legacy form."""
        result: Json = {
            "id": row.id,
            "proposal_id": row.proposal_id,
            "creator": row.creator,
            "receiver": row.receiver,
            "start_date": time_text(row.start_date),
            "end_date": time_text(row.end_date),
            "daily_pay": self.asset(row.daily_pay),
            "subject": row.subject,
            "permlink": row.permlink,
            "total_votes": big(row.total_votes),
        }
        if not self.legacy:
            result["status"] = proposal_status(row, now)
        return result


# Objects without amounts, the same in both forms.


def manabar(bar: Manabar) -> Json:
    """A mana bar."""
    return {"current_mana": big(bar.current_mana), "last_update_time": bar.last_update_time}


def rd_params(params: RdParams) -> Json:
    """The parameters of a regenerating pool."""
    return {
        "resource_unit": params.resource_unit,
        "budget_per_time_unit": params.budget_per_time_unit,
        "pool_eq": big(params.pool_eq),
        "max_pool_size": big(params.max_pool_size),
        "decay_params": {
            "decay_per_time_unit": params.decay_per_time_unit,
            "decay_per_time_unit_denom_shift": params.decay_per_time_unit_denom_shift,
        },
        "min_decay": params.min_decay,
    }


def hardfork_property(row: HardforkProperty) -> Json:
    """Which hard forks have been applied, and the next one."""
    return {
        "id": row.id,
        "processed_hardforks": [time_text(at) for at in row.processed_hardforks],
        "last_hardfork": row.last_hardfork,
        "current_hardfork_version": version_text(row.current_hardfork_version),
        "next_hardfork": version_text(row.next_hardfork),
        "next_hardfork_time": time_text(row.next_hardfork_time),
    }


def witness_vote(row: WitnessVote) -> Json:
    """An account's approval of a witness."""
    return {"id": row.id, "witness": row.witness, "account": row.account}


def proposal_vote(row: ProposalVote, proposal: Json) -> Json:
    """An account's approval of a proposal."""
    return {"id": row.id, "voter": row.voter, "proposal": proposal}


def withdraw_route(row: WithdrawVestingRoute) -> Json:
    """A route of a power down."""
    return {
        "id": row.id,
        "from_account": row.from_account,
        "to_account": row.to_account,
        "percent": row.percent,
        "auto_vest": row.auto_vest,
    }


def change_recovery_request(row: ChangeRecoveryAccountRequest) -> Json:
    """A pending change of a recovery account."""
    return {
        "id": row.id,
        "account_to_recover": row.account_to_recover,
        "recovery_account": row.recovery_account,
        "effective_on": time_text(row.effective_on),
    }


def decline_voting_request(row: DeclineVotingRightsRequest) -> Json:
    """A pending waiver of voting rights."""
    return {"id": row.id, "account": row.account, "effective_date": time_text(row.effective_date)}


def comment_vote(row: CommentVote, comment: Comment) -> Json:
    """A vote on a post (database_api)."""
    return {
        "id": row.id,
        "voter": row.voter,
        "author": comment.author,
        "permlink": comment.permlink,
        "weight": big(row.weight),
        "rshares": big(row.rshares),
        "vote_percent": row.vote_percent,
        "last_update": time_text(row.last_update),
        "num_changes": row.num_changes,
    }


def active_vote(ctx: Context, row: CommentVote) -> Json:
    """A vote on a post with the voter's reputation (condenser_api)."""
    reputation = ctx.tables.reputations.find(row.voter)
    return {
        "voter": row.voter,
        "weight": big(row.weight),
        "rshares": big(row.rshares),
        "percent": row.vote_percent,
        "reputation": big(reputation.reputation if reputation else 0),
        "time": time_text(row.last_update),
    }


def compute_voting_power(account: Account, regeneration_seconds: int) -> int:
    """Voting power in basis points at the time of the last vote, as it was shown before there was mana.

    Source: condenser_api.cpp, api_account_object::_compute_voting_power.
    """
    vests = compute_effective_vesting_shares(account)
    if vests <= 0:
        return 0
    elapsed = max(0, account.voting_manabar.last_update_time - account.last_vote_time)
    regenerated = BASIS_POINTS * elapsed // regeneration_seconds
    power = min(BASIS_POINTS, BASIS_POINTS * account.voting_manabar.current_mana // vests)
    return power - min(power, regenerated)


def real_price(price: Price) -> float:
    """SBD per STEEM as a floating point number, for display only."""
    if price.base.symbol == STEEM:
        return price.quote.amount / price.base.amount
    return price.base.amount / price.quote.amount


def float_text(value: float) -> str:
    """A floating point number as the reference prints it."""
    return f"{value:.17f}"


def proposal_status(row: Proposal, now: int) -> str:
    """Where a proposal stands in its life at time `now`."""
    if now < row.start_date:
        return "inactive"
    return "active" if now <= row.end_date else "expired"
