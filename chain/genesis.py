"""The state before block 1.

A chain starts with the newest rules, so the genesis includes the results of the past hard forks' upgrades: the reward
fund, the treasury's authority, current percentages. A testnet of the reference applies those forks inside block 1;
after block 1 both states are the same.

Source: libraries/chain/database.cpp, database::init_genesis and database::apply_hardfork.
"""

from consensus.rd import compute_params, compute_witness_params
from consensus.witnesses import default_properties, make_witness
from operations.authority_change import store_authorities
from protocol.assets import SBD, STEEM, Asset, Price
from protocol.config import ChainConfig, GenesisAccount, GenesisWitness
from protocol.hardforks import parse_version
from protocol.types import NULL_ID, NULL_PUBLIC_KEY, Authority
from protocol.units import BASIS_POINTS
from state.context import SINGLETON, Context
from state.prices import compute_steem_value
from state.tables.accounts import Account, AccountMetadata
from state.tables.content import RewardFund
from state.tables.globals import GlobalProperties, HardforkProperty
from state.tables.witnesses import SCHEDULE_MINER, FeedHistory, WitnessSchedule

UINT64_MAX = (1 << 64) - 1
UINT128_MAX = (1 << 128) - 1
SLOTS_WATCHED = 128
SMT_CREATION_FEE_SBD = 1000
"""Price of a token in the smallest unit of SBD. Source: global_property_object.hpp, smt_creation_fee."""


GENESIS_WITHDRAW_RATE = 1
"""The withdraw rate that the split of vesting shares in hard fork 1 left in every earlier account.

Source: database.cpp, database::perform_vesting_share_split.
"""


def initialize_genesis(ctx: Context) -> None:
    """Fills the empty tables with the state before block 1 of the chain that `ctx.config` describes."""
    genesis = ctx.config.genesis
    for name in genesis.reserved_accounts:
        _create_reserved_account(ctx, name)
    for account in genesis.accounts:
        _create_account(ctx, account)
    for witness in genesis.witnesses:
        _create_witness(ctx, witness)
    _create_feed_history(ctx)
    _create_global_properties(ctx)
    _create_witness_schedule(ctx)
    _create_hardfork_property(ctx)
    _create_reward_fund(ctx)


def _create_reserved_account(ctx: Context, name: str) -> None:
    """Creates an account without keys; anybody can sign for the temp account, nobody for the others."""
    tables, rules = ctx.tables, ctx.rules
    recovery_account = name if name == rules.treasury_account else ""
    tables.accounts.insert(
        Account(
            id=tables.accounts.next_id(),
            name=name,
            recovery_account=recovery_account,
            reset_account=rules.null_account,
            vesting_withdraw_rate=GENESIS_WITHDRAW_RATE,
        )
    )
    closed = Authority(1, (), ())
    control = Authority(0, (), ()) if name == rules.temp_account else closed
    store_authorities(ctx, name, owner=control, active=control, posting=closed)


def _create_account(ctx: Context, account: GenesisAccount) -> None:
    """Creates an account with its keys and balances.

    The account also gets a metadata row, which the reference's genesis omits, so that updates of its metadata fail
    there.
    """
    tables, config = ctx.tables, ctx.config
    name = account.name
    tables.accounts.insert(
        Account(
            id=tables.accounts.next_id(),
            name=name,
            memo_key=config.account_key(account, "memo"),
            reset_account=ctx.rules.null_account,
            balance=account.balance,
            sbd_balance=account.sbd_balance,
            vesting_shares=account.vesting_shares,
            vesting_withdraw_rate=GENESIS_WITHDRAW_RATE,
        )
    )
    keys = [config.account_key(account, role) for role in ("owner", "active", "posting")]
    owner, active, posting = (Authority(1, (), ((key, 1),)) for key in keys)
    store_authorities(ctx, name, owner=owner, active=active, posting=posting)
    tables.account_metadata.insert(AccountMetadata(tables.account_metadata.next_id(), name, "", ""))


def _create_witness(ctx: Context, witness: GenesisWitness) -> None:
    config, table = ctx.config, ctx.tables.witnesses
    row = table.insert(make_witness(ctx, witness.owner, created=0))
    props = row.props
    if witness.account_creation_fee is not None:
        props = props._replace(account_creation_fee=Asset(witness.account_creation_fee, STEEM))
    if witness.maximum_block_size is not None:
        props = props._replace(maximum_block_size=witness.maximum_block_size)
    if witness.sbd_interest_rate_bp is not None:
        props = props._replace(sbd_interest_rate=witness.sbd_interest_rate_bp)
    version = _current_version(config)
    table.update(
        row,
        url=witness.url,
        schedule=SCHEDULE_MINER,
        signing_key=config.public_key(witness.signing_key) if witness.signing_key else NULL_PUBLIC_KEY,
        props=props,
        running_version=version,
        hardfork_version_vote=version,
        hardfork_time_vote=config.processed_hardforks[-1],
    )


def _current_version(config: ChainConfig) -> int:
    """The packed version of the newest hard fork applied at genesis."""
    applied = config.hardforks.applied_at_genesis
    return parse_version(config.hard_forks[applied - 1].version) if applied else 0


def _median_price(config: ChainConfig) -> Price:
    genesis = config.genesis
    if genesis.median_price_sbd == 0:
        return Price(Asset(0, STEEM), Asset(0, STEEM))
    return Price(Asset(genesis.median_price_sbd, SBD), Asset(genesis.median_price_steem, STEEM))


def _create_feed_history(ctx: Context) -> None:
    ctx.tables.feed_history.insert(FeedHistory(SINGLETON, _median_price(ctx.config), ()))


def _create_global_properties(ctx: Context) -> None:
    genesis, rules = ctx.config.genesis, ctx.rules
    sbd = genesis.init_sbd_supply
    counted_sbd = sbd if genesis.is_sbd_counted_in_supply else 0
    price = _median_price(ctx.config)
    debt = compute_steem_value(price, counted_sbd)
    ctx.tables.global_properties.insert(
        GlobalProperties(
            id=SINGLETON,
            head_block_number=0,
            head_block_id=NULL_ID,
            time=genesis.time,
            current_witness=genesis.witnesses[0].owner,
            total_pow=UINT64_MAX,
            num_pow_witnesses=0,
            virtual_supply=genesis.init_supply + debt,
            current_supply=genesis.init_supply,
            confidential_supply=0,
            init_sbd_supply=sbd - counted_sbd,
            current_sbd_supply=counted_sbd,
            confidential_sbd_supply=0,
            total_vesting_fund_steem=genesis.vesting_fund,
            total_vesting_shares=genesis.total_vesting_shares,
            total_reward_fund_steem=0,
            total_reward_shares2=0,
            pending_rewarded_vesting_shares=0,
            pending_rewarded_vesting_steem=0,
            sbd_interest_rate=0,
            sbd_print_rate=BASIS_POINTS,
            maximum_block_size=rules.max_block_size_bytes,
            required_actions_partition_percent=rules.required_actions_partition_bp,
            current_aslot=0,
            recent_slots_filled=UINT128_MAX,
            participation_count=SLOTS_WATCHED,
            last_irreversible_block_num=0,
            vote_power_reserve_rate=rules.vote_power_reserve_rate,
            delegation_return_period=rules.delegation_return_period_seconds,
            reverse_auction_seconds=rules.reverse_auction_seconds,
            available_account_subsidies=0,
            sbd_stop_percent=rules.sbd_stop_bp,
            sbd_start_percent=rules.sbd_start_bp,
            next_maintenance_time=genesis.time,
            last_budget_time=genesis.time,
            content_reward_percent=rules.content_reward_percent_bp,
            vesting_reward_percent=rules.vesting_reward_percent_bp,
            sps_fund_percent=rules.proposal_fund_percent_bp,
            sps_interval_ledger=0,
            downvote_pool_percent=rules.downvote_pool_bp,
            smt_creation_fee=SMT_CREATION_FEE_SBD,
        )
    )


def _create_witness_schedule(ctx: Context) -> None:
    """Creates the schedule of the first round, which has one witness; others enter with the first computed schedule."""
    rules = ctx.rules
    props = default_properties(ctx.rules)
    budget, decay = props.account_subsidy_budget, props.account_subsidy_decay
    first = ctx.config.genesis.witnesses[0].owner
    ctx.tables.witness_schedule.insert(
        WitnessSchedule(
            id=SINGLETON,
            current_virtual_time=0,
            next_shuffle_block_num=1,
            current_shuffled_witnesses=(first, *("",) * (rules.max_witnesses - 1)),
            num_scheduled_witnesses=1,
            elected_weight=rules.elected_weight,
            timeshare_weight=rules.timeshare_weight,
            miner_weight=rules.miner_weight,
            witness_pay_normalization_factor=rules.initial_witness_pay_normalization_factor,
            median_props=props,
            majority_version=0,
            max_voted_witnesses=rules.max_voted_witnesses,
            max_miner_witnesses=rules.max_miner_witnesses,
            max_runner_witnesses=rules.max_runner_witnesses,
            hardfork_required_witnesses=rules.hardfork_required_witnesses,
            account_subsidy_rd=compute_params(rules, budget, decay),
            account_subsidy_witness_rd=compute_witness_params(rules, budget, decay),
            min_witness_account_subsidy_decay=0,
        )
    )


def _create_hardfork_property(ctx: Context) -> None:
    config = ctx.config
    version = _current_version(config)
    ctx.tables.hardfork_property.insert(
        HardforkProperty(
            id=SINGLETON,
            processed_hardforks=config.processed_hardforks,
            last_hardfork=config.hardforks.applied_at_genesis,
            current_hardfork_version=version,
            next_hardfork=version,
            next_hardfork_time=config.genesis.time,
        )
    )


def _create_reward_fund(ctx: Context) -> None:
    rules, funds = ctx.rules, ctx.tables.reward_funds
    funds.insert(
        RewardFund(
            id=funds.next_id(),
            name=rules.post_reward_fund_name,
            reward_balance=ctx.config.genesis.reward_fund,
            recent_claims=rules.recent_claims_initial,
            last_update=ctx.config.genesis.time,
            content_constant=rules.content_constant,
            percent_curation_rewards=rules.curation_rewards_bp,
            percent_content_rewards=rules.content_fund_bp,
            author_reward_curve=rules.author_reward_curve.number,
            curation_reward_curve=rules.curation_reward_curve.number,
        )
    )
