"""Faults planted in the rules and in the store are all found by the plays and the machine of `make test`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import chain.expiries
import chain.ledger
import chain.withdrawals
import operations.matching
import rewards.cashout
import rewards.fund
import rewards.payout
import rewards.voting
import state.interest
import state.mana
import state.reward_balances
import state.stake
import state.witness_votes
from chain.ledger import Ledger
from chain.steps import STEPS
from state.context import Context
from state.engine.store import Store
from state.engine.table import Table
from state.tables.accounts import Account, Manabar
from tests.audit.test_audit import play_bounded
from tests.audit.test_state_machine import drive_bounded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Plant = Callable[[pytest.MonkeyPatch], None]


def _curation_rounds_up(patch: pytest.MonkeyPatch) -> None:
    original = rewards.payout._compute_curators

    def faulty(comment: Any, votes: Any, terms: Any, curation_steem: int, pool: Any) -> Any:
        parts = original(comment, votes, terms, curation_steem, pool)
        total = comment.total_vote_weight
        return tuple(
            part._replace(steem=-(-curation_steem * part.weight // total)) if part.steem else part for part in parts
        )

    patch.setattr(rewards.payout, "_compute_curators", faulty)


def _delegated_shares_vote_too(patch: pytest.MonkeyPatch) -> None:
    original = state.mana.compute_effective_vesting_shares

    def faulty(account: Account) -> int:
        return original(account) + account.delegated_vesting_shares

    patch.setattr(state.mana, "compute_effective_vesting_shares", faulty)


def _interest_twice(patch: pytest.MonkeyPatch) -> None:
    original = state.interest.compute_interest
    patch.setattr(state.interest, "compute_interest", lambda ctx, seconds: 2 * original(ctx, seconds))


def _later_delegations_return_first(patch: pytest.MonkeyPatch) -> None:
    original = chain.expiries.process_expired_delegations

    def reversed_events(ctx: Context) -> None:
        before = len(ctx.events)
        original(ctx)
        ctx.events[before:] = reversed(ctx.events[before:])

    steps = (step._replace(process=reversed_events) if step.process is original else step for step in STEPS)
    patch.setattr(chain.ledger, "STEPS", tuple(steps))


def _proxied_votes_at_the_wrong_depth(patch: pytest.MonkeyPatch) -> None:
    original = state.witness_votes.adjust_proxied_witness_votes

    def faulty(ctx: Context, account: Account, deltas: Any, sums: Any = None, depth: int = 0) -> None:
        original(ctx, account, deltas, sums, min(depth + 1, 3) if account.proxy else depth)

    for module in (state.witness_votes, state.stake, state.reward_balances):
        patch.setattr(module, "adjust_proxied_witness_votes", faulty)


def _trades_at_the_price_of_the_new_order(patch: pytest.MonkeyPatch) -> None:
    original = operations.matching._match

    def faulty(ctx: Context, payments: Any, new: Any, old: Any, _price: Any) -> Any:
        return original(ctx, payments, new, old, new.sell_price.inverse())

    patch.setattr(operations.matching, "_match", faulty)


def _worthless_rests_stay_in_the_book(patch: pytest.MonkeyPatch) -> None:
    def faulty(order: Any) -> Any:
        return original(order)._replace(amount=1 + original(order).amount)

    original = operations.matching.compute_to_receive
    patch.setattr(operations.matching, "compute_to_receive", faulty)


def _mana_is_rounded_up(patch: pytest.MonkeyPatch) -> None:
    original = state.mana.regenerate_mana

    def faulty(manabar: Manabar, max_mana: int, seconds: int, now: int) -> Manabar:
        bar = original(manabar, max_mana, seconds, now)
        return bar._replace(current_mana=min(bar.current_mana + 1, max_mana))

    patch.setattr(state.mana, "regenerate_mana", faulty)


def _last_part_of_a_power_down_is_a_whole_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        chain.withdrawals, "compute_part", lambda account: min(account.vesting_shares, account.vesting_withdraw_rate)
    )


def _auction_is_one_second_longer(patch: pytest.MonkeyPatch) -> None:
    original = rewards.payout.compute_auction_weight

    def faulty(weight: int, seconds: int, window: int) -> int:
        return original(weight, seconds, window + 1)

    patch.setattr(rewards.payout, "compute_auction_weight", faulty)
    patch.setattr(rewards.voting, "compute_auction_weight", faulty)


def _claims_never_fade(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rewards.fund, "fade_claims", lambda _ctx, fund, _elapsed: fund.recent_claims)


def _each_post_is_paid_from_what_the_former_left(patch: pytest.MonkeyPatch) -> None:
    original = rewards.cashout.cashout_comment
    taken: list[int] = []

    def faulty(ctx: Context, comment: Any, fund: Any, total_claims: int) -> int:
        if taken and taken[0] == ctx.time:
            fund = fund.replace(reward_balance=fund.reward_balance - taken[1])
        else:
            taken[:] = [ctx.time, 0]
        paid = original(ctx, comment, fund, total_claims)
        taken[1] += paid
        return paid

    patch.setattr(rewards.cashout, "cashout_comment", faulty)


BY_THE_AUDITOR: list[Plant] = [
    _curation_rounds_up,
    _delegated_shares_vote_too,
    _interest_twice,
    _later_delegations_return_first,
    _proxied_votes_at_the_wrong_depth,
    _trades_at_the_price_of_the_new_order,
    _worthless_rests_stay_in_the_book,
    _mana_is_rounded_up,
    _last_part_of_a_power_down_is_a_whole_one,
    _auction_is_one_second_longer,
    _claims_never_fade,
    _each_post_is_paid_from_what_the_former_left,
]


def _name(plant: Plant) -> str:
    return plant.__name__.strip("_")


@pytest.mark.parametrize("plant", BY_THE_AUDITOR, ids=_name)
def test_the_auditor_finds(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        play_bounded()


# Faults that only undoing and refusing can show


def _undo_forgets_votes(patch: pytest.MonkeyPatch) -> None:
    original = Ledger.undo_block
    restore = Table.restore

    def faulty(self: Ledger) -> None:
        def forgetful(table: Any, key: Any, old: Any) -> None:
            if table.name != "comment_votes" or old is None:
                restore(table, key, old)

        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Table, "restore", forgetful)
            original(self)

    patch.setattr(Ledger, "undo_block", faulty)


def _refused_transactions_are_kept(patch: pytest.MonkeyPatch) -> None:
    rollback, squash = Store.rollback, Store.squash

    def faulty(self: Any) -> None:
        (squash if self.depth > 1 else rollback)(self)

    patch.setattr(Store, "rollback", faulty)


BY_THE_MACHINE: list[Plant] = [_undo_forgets_votes, _refused_transactions_are_kept, _proxied_votes_at_the_wrong_depth]


@pytest.mark.parametrize("plant", BY_THE_MACHINE, ids=_name)
def test_the_machine_finds(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        drive_bounded()
