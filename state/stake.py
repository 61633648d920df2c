"""Stake: turning STEEM into VESTS, the mana it gives, and the witness votes it carries.

Source: libraries/chain/database.cpp (create_vesting2, adjust_proxied_witness_votes, adjust_witness_votes,
adjust_witness_vote) and libraries/chain/include/steem/chain/util/manabar.hpp.
"""

from protocol.assets import STEEM, VESTS, Asset, Price, multiply
from protocol.errors import Rejected
from protocol.integers import INT64_MAX, INT64_MIN, UINT128_MAX, div_trunc, to_int64
from protocol.units import BASIS_POINTS
from state.context import SINGLETON, Context
from state.money import adjust_balance, adjust_reward_balance
from state.tables.accounts import Account, Manabar
from state.tables.globals import GlobalProperties
from state.tables.kinds import TIME_MAX
from state.tables.witnesses import Witness


def get_vesting_share_price(gpo: GlobalProperties) -> Price:
    """VESTS per STEEM for a power up; 1,000 to 1 (in satoshis: 1,000,000 per 1,000) while there are none."""
    if gpo.total_vesting_fund_steem == 0 or gpo.total_vesting_shares == 0:
        return Price(Asset(1000, STEEM), Asset(1000000, VESTS))
    return Price(Asset(gpo.total_vesting_shares, VESTS), Asset(gpo.total_vesting_fund_steem, STEEM))


def get_reward_vesting_share_price(gpo: GlobalProperties) -> Price:
    """VESTS per STEEM for a reward: the rewards that wait to be claimed count too."""
    return Price(
        Asset(gpo.total_vesting_shares + gpo.pending_rewarded_vesting_shares, VESTS),
        Asset(gpo.total_vesting_fund_steem + gpo.pending_rewarded_vesting_steem, STEEM),
    )


def compute_effective_vesting_shares(account: Account) -> int:
    """VESTS satoshis that vote: own and received less delegated, less the next part of a power down."""
    effective = account.vesting_shares + account.received_vesting_shares - account.delegated_vesting_shares
    if account.next_vesting_withdrawal != TIME_MAX:
        effective -= min(account.vesting_withdraw_rate, account.to_withdraw - account.withdrawn)
    return effective


def regenerate_mana(manabar: Manabar, max_mana: int, regeneration_seconds: int, now: int) -> Manabar:
    """The mana bar refilled up to `now`; it takes `regeneration_seconds` from empty to `max_mana`."""
    if max_mana < 0:
        raise Rejected("max_mana >= 0")
    if now < manabar.last_update_time:
        raise Rejected("now >= last_update_time")
    if manabar.current_mana >= max_mana:
        return Manabar(max_mana, now)
    elapsed = min(now - manabar.last_update_time, regeneration_seconds)
    regenerated = max_mana * elapsed // regeneration_seconds
    if regenerated > INT64_MAX:
        raise Rejected("u_regen <= std::numeric_limits< int64_t >::max()")
    return Manabar(min(_saturate(manabar.current_mana + regenerated), max_mana), now)


def use_mana(manabar: Manabar, used: int) -> Manabar:
    """The mana bar with `used` taken off, not below zero (a negative `used` adds, even beyond the maximum)."""
    return Manabar(max(_saturate(manabar.current_mana - used), 0), manabar.last_update_time)


def _saturate(value: int) -> int:
    return max(INT64_MIN, min(INT64_MAX, value))


def update_manabars(ctx: Context, account: Account, new_mana: int = 0) -> Account:
    """Refills both mana bars of an account and adds `new_mana` VESTS satoshis to them; stores and returns the row.

    What new shares add to the down vote bar is a product of signed 64-bit numbers in the reference: from 2**63 divided
    by the down vote pool's basis points on (some 3.7 billion VESTS at once) it wraps around.
    Source: util/manabar.hpp, update_manabar.
    """
    gpo = ctx.gpo
    seconds = ctx.rules.voting_mana_regeneration_seconds
    effective = compute_effective_vesting_shares(account)
    voting = use_mana(regenerate_mana(account.voting_manabar, effective, seconds, gpo.time), -new_mana)
    max_downvote = effective * gpo.downvote_pool_percent // BASIS_POINTS
    downvote = use_mana(
        regenerate_mana(account.downvote_manabar, max_downvote, seconds, gpo.time),
        div_trunc(to_int64(-new_mana * gpo.downvote_pool_percent), BASIS_POINTS),
    )
    return ctx.tables.accounts.update(account, voting_manabar=voting, downvote_manabar=downvote)


def compute_new_vesting(ctx: Context, liquid: Asset, to_reward_balance: bool = False) -> Asset:
    """VESTS that `liquid` STEEM buys at this moment; the price of VESTS stays what it is."""
    gpo = ctx.gpo
    price = get_reward_vesting_share_price(gpo) if to_reward_balance else get_vesting_share_price(gpo)
    return multiply(liquid, price)


def create_vesting(ctx: Context, name: str, liquid: Asset, to_reward_balance: bool = False) -> Asset:
    """Turns `liquid` STEEM (already taken from wherever it was) into VESTS of an account and returns them.

    With `to_reward_balance` they wait among the rewards to be claimed and carry no vote yet.
    """
    if liquid.symbol != STEEM:
        raise Rejected("liquid.symbol == STEEM_SYMBOL")
    new_vesting = compute_new_vesting(ctx, liquid, to_reward_balance)
    if to_reward_balance:
        adjust_reward_balance(ctx, name, liquid, new_vesting.amount)
        gpo = ctx.gpo
        ctx.update_gpo(
            pending_rewarded_vesting_shares=gpo.pending_rewarded_vesting_shares + new_vesting.amount,
            pending_rewarded_vesting_steem=gpo.pending_rewarded_vesting_steem + liquid.amount,
        )
        return new_vesting
    update_manabars(ctx, ctx.tables.accounts.get(name), new_vesting.amount)
    account = adjust_balance(ctx, name, new_vesting)
    gpo = ctx.gpo
    ctx.update_gpo(
        total_vesting_fund_steem=gpo.total_vesting_fund_steem + liquid.amount,
        total_vesting_shares=gpo.total_vesting_shares + new_vesting.amount,
    )
    adjust_proxied_witness_votes(ctx, account, new_vesting.amount)
    return new_vesting


class WitnessVoteSums:
    """Changes of the stake behind witnesses in one go, each of which changes a row once however many there are.

    Nobody may read the votes of witnesses before `finish`.
    """

    __slots__ = ("_choices", "_ctx", "_votes")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._votes: dict[str, int] = {}
        self._choices: dict[str, tuple[str, ...]] = {}

    def add(self, account: Account, delta: int) -> None:
        """Adds `delta` VESTS satoshis to every witness the account votes for."""
        choices = self._choices.get(account.name)
        if choices is None:
            choices = tuple(vote.witness for vote in self._ctx.tables.witness_votes.scan((account.name,)))
            self._choices[account.name] = choices
        if not choices:
            return
        sums, witnesses = self._votes, self._ctx.tables.witnesses
        total_vesting_shares = self._ctx.gpo.total_vesting_shares
        for name in choices:
            votes = sums.get(name)
            votes = (witnesses.get(name).votes if votes is None else votes) + delta
            _check_witness_votes(votes, total_vesting_shares)
            sums[name] = votes

    def forget_choices(self, name: str) -> None:
        """Takes note that the votes of an account change."""
        self._choices.pop(name, None)

    def finish(self) -> None:
        """Writes the sums."""
        for name, votes in self._votes.items():
            _set_witness_votes(self._ctx, self._ctx.tables.witnesses.get(name), votes)
        self._votes.clear()


def adjust_proxied_witness_votes(
    ctx: Context, account: Account, delta: int, sums: WitnessVoteSums | None = None, depth: int = 0
) -> None:
    """Carries a change of stake to the witnesses that the account, or the proxy at the end of its chain, votes for.

    With `sums` it is added there, and whoever made them finishes them.
    """
    if account.proxy == "":
        adjust_witness_votes(ctx, account, delta, sums)
        return
    if depth >= ctx.rules.max_proxy_recursion_depth:
        return
    accounts = ctx.tables.accounts
    proxy = accounts.get(account.proxy)
    votes = list(proxy.proxied_vsf_votes)
    votes[depth] += delta
    proxy = accounts.update(proxy, proxied_vsf_votes=tuple(votes))
    adjust_proxied_witness_votes(ctx, proxy, delta, sums, depth + 1)


def adjust_proxied_witness_votes_by_depth(
    ctx: Context,
    account: Account,
    deltas: tuple[int, ...],
    sums: WitnessVoteSums | None = None,
    depth: int = 0,
) -> None:
    """Carries changes of stake, one per depth of proxy below the account (own stake first), up the chain of proxies."""
    max_depth = ctx.rules.max_proxy_recursion_depth
    if account.proxy == "":
        adjust_witness_votes(ctx, account, sum(deltas[: max_depth - depth + 1]), sums)
        return
    if depth >= max_depth:
        return
    accounts = ctx.tables.accounts
    proxy = accounts.get(account.proxy)
    votes = list(proxy.proxied_vsf_votes)
    for i in range(max_depth - depth):
        votes[i + depth] += deltas[i]
    proxy = accounts.update(proxy, proxied_vsf_votes=tuple(votes))
    adjust_proxied_witness_votes_by_depth(ctx, proxy, deltas, sums, depth + 1)


def adjust_witness_votes(ctx: Context, account: Account, delta: int, sums: WitnessVoteSums | None = None) -> None:
    """Adds `delta` VESTS satoshis to every witness the account votes for."""
    if sums is not None:
        sums.add(account, delta)
        return
    sums = WitnessVoteSums(ctx)
    sums.add(account, delta)
    sums.finish()


def adjust_witness_vote(ctx: Context, witness: Witness, delta: int) -> None:
    """Adds `delta` VESTS satoshis to a witness's votes and moves its next turn in virtual time accordingly."""
    votes = witness.votes + delta
    _check_witness_votes(votes, ctx.gpo.total_vesting_shares)
    _set_witness_votes(ctx, witness, votes)


def _check_witness_votes(votes: int, total_vesting_shares: int) -> None:
    if votes > total_vesting_shares:
        raise Rejected(
            "w.votes <= get_dynamic_global_properties().total_vesting_shares.amount",
            "",
            **{"w.votes": votes, "props": total_vesting_shares},
        )


def _set_witness_votes(ctx: Context, witness: Witness, votes: int) -> None:
    now = ctx.tables.witness_schedule.get(SINGLETON).current_virtual_time
    position = (witness.virtual_position + witness.votes * (now - witness.virtual_last_update)) & UINT128_MAX
    scheduled = (now + (UINT128_MAX - position) // (votes + 1)) & UINT128_MAX
    if scheduled < now:
        scheduled = UINT128_MAX
    ctx.tables.witnesses.update(
        witness,
        votes=votes,
        virtual_position=position,
        virtual_last_update=now,
        virtual_scheduled_time=scheduled,
    )


def clear_witness_votes(ctx: Context, name: str) -> None:
    """Removes all witness votes of an account (its stake's weight must have been taken off before)."""
    tables = ctx.tables
    for vote in list(tables.witness_votes.scan((name,))):
        tables.witness_votes.delete(vote)
    tables.accounts.update(tables.accounts.get(name), witnesses_voted_for=0)
