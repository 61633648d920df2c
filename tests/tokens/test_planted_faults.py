"""Faults planted in the rules of tokens: the recounts over a random play find each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from protocol.errors import Rejected
from rewards import token_voting
from state import stake
from state.balances import MARKET_MAKER, Purse
from state.engine.table import Table
from state.invariants import InvariantBroken
from state.reward_balances import TokenRewardPayments
from state.tables.tokens import TokenVote
from tests.tokens.play import TokenPlayer
from tokens import launch, sale
from tokens.sale import Bought

STEPS_MAX = 6000
Plant = Callable[[pytest.MonkeyPatch], None]


def play() -> None:
    """Plays, and recounts after every block."""
    player = TokenPlayer(1)
    number = 0
    for _ in range(STEPS_MAX):
        player.step()
        if player.world.chain.head_number != number:
            number = player.world.chain.head_number
            player.world.recount()


def _keep_what_null_gets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("state.balances.change_supply", lambda *_: None)


def _measure_each_tier_from_the_beginning(patch: pytest.MonkeyPatch) -> None:
    """The reference's fault F10."""
    original = sale.compute_bought
    patch.setattr(launch, "compute_bought", lambda tiers, begin, amount: original(tiers, begin, amount + begin))


def _lose_the_rest_of_a_contribution(patch: pytest.MonkeyPatch) -> None:
    """The reference's fault F12."""
    original = sale.compute_bought
    patch.setattr(launch, "compute_bought", lambda *given: Bought(original(*given).units, 0))


def _issue_without_supply(patch: pytest.MonkeyPatch) -> None:
    def issue(ctx: Any, symbol: int, *parts: Any) -> None:
        for satoshis, (purse, key) in parts:
            purse.change(ctx, key, symbol, satoshis)

    patch.setattr("tokens.emissions.issue", issue)


def _power_up_with_a_share_too_many(patch: pytest.MonkeyPatch) -> None:
    original = stake.power_tokens_up

    def power_up(ctx: Any, name: str, symbol: int, amount: int) -> int:
        shares = original(ctx, name, symbol, amount)
        row = ctx.tables.token_balances.find((name, symbol))
        if row is not None:
            ctx.tables.token_balances.update(row, vesting_shares=row.vesting_shares + 1)
        return shares

    patch.setattr(stake, "power_tokens_up", power_up)


def _pay_rewards_twice(patch: pytest.MonkeyPatch) -> None:
    original = TokenRewardPayments.pay

    def pay(self: Any, ctx: Any, name: str, tokens: int, shares: int) -> None:
        original(self, ctx, name, tokens, shares)
        self._paid -= 1

    patch.setattr(TokenRewardPayments, "pay", pay)


def _claim_too_little_value(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("state.reward_balances.compute_claimed_value", lambda holder, shares: 0)


def _power_down_too_much(patch: pytest.MonkeyPatch) -> None:
    original = stake.power_tokens_down

    def power_down(ctx: Any, holder: Any, shares: int, **progress: int) -> Any:
        paid = original(ctx, holder, shares, **progress)
        balances = ctx.tables.token_balances
        row = balances.get((holder.name, holder.symbol))
        balances.update(row, liquid=row.liquid + 1)
        return paid

    patch.setattr("chain.withdrawals.power_tokens_down", power_down)


def _return_shares_twice(patch: pytest.MonkeyPatch) -> None:
    original = stake.return_shares

    def give_back(ctx: Any, returning: Any) -> None:
        original(ctx, returning)
        balances = ctx.tables.token_balances
        row = balances.get((returning.delegator, returning.symbol))
        balances.update(row, delegated_vesting_shares=row.delegated_vesting_shares - returning.vesting_shares)

    patch.setattr("chain.expiries.return_shares", give_back)


def _trade_for_nothing(patch: pytest.MonkeyPatch) -> None:
    original = MARKET_MAKER.change

    def change(self: Purse, ctx: Any, key: Any, symbol: int, delta: int) -> int:
        return original(ctx, key, symbol, delta + 1 if delta < -1 else delta)

    patch.setattr(type(MARKET_MAKER), "change", change)


def _forget_the_votes_of_a_paid_post(patch: pytest.MonkeyPatch) -> None:
    original = Table.delete
    patch.setattr(Table, "delete", lambda self, row: None if isinstance(row, TokenVote) else original(self, row))


def _count_a_vote_twice(patch: pytest.MonkeyPatch) -> None:
    original = token_voting._add_vote

    def add(ctx: Any, voter: Any, comment: Any, post: Any, rshares: int) -> None:
        original(ctx, voter, comment, post, rshares)
        posts = ctx.tables.token_posts
        row = posts.get((post.comment, post.symbol))
        posts.update(row, net_rshares=row.net_rshares + rshares)

    patch.setattr(token_voting, "_add_vote", add)


FAULTS: list[Plant] = [
    _keep_what_null_gets,
    _measure_each_tier_from_the_beginning,
    _lose_the_rest_of_a_contribution,
    _issue_without_supply,
    _power_up_with_a_share_too_many,
    _pay_rewards_twice,
    _claim_too_little_value,
    _power_down_too_much,
    _return_shares_twice,
    _trade_for_nothing,
    _forget_the_votes_of_a_paid_post,
    _count_a_vote_twice,
]


@pytest.mark.slow
@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__[1:])
def test_a_planted_fault_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises((InvariantBroken, AssertionError, Rejected)):  # Rejected comes from a block that cannot be made.
        play()
