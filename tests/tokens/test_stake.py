"""Stake in tokens: power up, power down, delegation, and the mana that goes with it."""

from __future__ import annotations

from typing import Any

import pytest

from chain.expiries import process_expired_token_delegations
from chain.withdrawals import compute_part, process_token_withdrawals
from operations.vesting import DelegateVestingShares, TransferToVesting, WithdrawVesting, compute_withdraw_rate
from protocol.assets import STEEM, VESTS, Asset, nai_string, paired_symbol
from protocol.virtual_operations import FillVestingWithdraw, ReturnVestingDelegation
from state.balances import TOKEN_VESTING_FUND
from state.issuance import issue
from state.mana import compute_effective_vesting_shares, regenerate_mana, update_manabars
from state.prices import compute_token_shares, compute_token_shares_value
from state.tables.accounts import Manabar
from state.tables.kinds import TIME_MAX
from tests.chains import NULL, TREASURY
from tests.operations.world import World, changed
from tests.tokens.examples import get_example
from tests.tokens.world import WEEK, TokenWorld

FIRST_PRICE = 1_000_000


def launched(world: TokenWorld, **funds: int) -> int:
    """A token in use, of which accounts have some."""
    symbol = world.make_token()
    world.launch(symbol)
    for name, amount in funds.items():
        world.issue(name, symbol, amount)
    return symbol


def shares(symbol: int, amount: int) -> Asset:
    return Asset(amount, paired_symbol(symbol))


# Power up


def test_smt_transfer_to_vesting_validate(world: TokenWorld) -> None:
    symbol = launched(world, alice=100)
    op = TransferToVesting("alice", "", Asset(1, symbol))
    op.validate(world.ctx.rules)
    world.refuse(changed(op, from_="@@@"), "Account name @@@ is invalid")
    world.refuse(changed(op, to="@@@"), "Account name @@@ is invalid")
    world.refuse(changed(op, amount=shares(symbol, 1)), "Amount must be STEEM or SMT liquid")
    for amount in (0, -1):
        world.refuse(changed(op, amount=Asset(amount, symbol)), "Must transfer a nonzero amount")


def test_smt_transfer_to_vesting_apply(world: TokenWorld) -> None:
    symbol = launched(world, alice=10_000)
    world.push(TransferToVesting("alice", "", Asset(7_500, symbol)))
    token = world.token(symbol)
    assert (token.total_vesting_fund_smt, token.total_vesting_shares) == (7_500, 7_500 * FIRST_PRICE)
    world.push(TransferToVesting("alice", "bob", Asset(2_000, symbol)))
    alice, bob = world.balance("alice", symbol), world.balance("bob", symbol)
    assert (alice.liquid, alice.vesting_shares) == (500, 7_500 * FIRST_PRICE)
    assert (bob.liquid, bob.vesting_shares) == (0, 2_000 * FIRST_PRICE)
    assert alice.voting_manabar.current_mana == alice.vesting_shares, "as with VESTS, mana comes with shares (F30)"
    world.refuse(TransferToVesting("alice", "", Asset(501, symbol)), "does not have sufficient funds")
    world.refuse(TransferToVesting("alice", "nobody", Asset(1, symbol)), "nobody")
    world.refuse(TransferToVesting("alice", TREASURY, Asset(1, symbol)), "Can only transfer SBD to")


def test_vesting_price(world: TokenWorld) -> None:
    example = get_example("vesting_price")
    symbol = launched(world, alice=100_000)
    tokens = world.tables.tokens
    supply = example["input"]["supply"]
    issue(world.ctx, symbol, (supply - 100_000, (TOKEN_VESTING_FUND, symbol)))
    fund = supply * 10 // 10_000
    tokens.update(
        tokens.get(symbol),
        total_vesting_fund_smt=0,
        total_vesting_fund_ballast=fund,
        total_vesting_shares_ballast=fund * FIRST_PRICE,
        current_supply=100_000,
    )
    for step in example["expected"]:
        token = world.token(symbol)
        if step["action"] == "power up":
            assert compute_token_shares(world.ctx, token, step["liquid"]) == step["shares"]
            world.push(TransferToVesting("alice", "", Asset(step["liquid"], symbol)))
        elif step["action"] == "emission to $vesting":
            issue(world.ctx, symbol, (step["liquid"], (TOKEN_VESTING_FUND, symbol)))
        else:
            assert compute_token_shares_value(world.ctx, token, step["shares"]) == step["liquid"]
            world.push(WithdrawVesting("alice", shares(symbol, step["shares"] * 13)))
            world.forward(WEEK)
            world.run(process_token_withdrawals)
        token = world.token(symbol)
        assert {
            "ballast_fund": token.total_vesting_fund_ballast,
            "ballast_shares": token.total_vesting_shares_ballast,
            "fund": token.total_vesting_fund_smt,
            "shares": token.total_vesting_shares,
        } == step["after"]


def test_vesting_limit(world: TokenWorld) -> None:
    """F14: shares are 64 bits wide; what would not fit is refused, and takes nothing."""
    example = get_example("vesting_limit")
    limit, expected = example["expected"]["satoshis"], example["expected"]["shares"]
    symbol = launched(world, alice=limit + 1)
    world.refuse(TransferToVesting("alice", "", Asset(limit + 1, symbol)), "cannot be powered up")
    world.push(TransferToVesting("alice", "", Asset(limit, symbol)))
    assert world.balance("alice", symbol).vesting_shares == expected
    world.refuse(TransferToVesting("alice", "", Asset(1, symbol)), "cannot be powered up")


def test_a_power_up_worth_no_share_is_refused(world: TokenWorld) -> None:
    """F29: the reference takes the tokens."""
    symbol = launched(world, alice=100)
    tokens = world.tables.tokens
    tokens.update(tokens.get(symbol), total_vesting_fund_ballast=10**9, total_vesting_shares_ballast=1)
    world.refuse(TransferToVesting("alice", "", Asset(100, symbol)), "cannot be powered up: it buys no share")


def test_a_power_up_for_null_burns_at_once(world: TokenWorld) -> None:
    symbol = launched(world, alice=100)
    world.push(TransferToVesting("alice", NULL, Asset(40, symbol)))
    token = world.token(symbol)
    assert (token.current_supply, token.total_vesting_shares) == (60, 0)


# Power down


def test_smt_withdraw_vesting_validate(world: TokenWorld) -> None:
    symbol = launched(world, alice=100)
    op = WithdrawVesting("alice", shares(symbol, 1))
    op.validate(world.ctx.rules)
    world.refuse(changed(op, account="@@@"), "Account name @@@ is invalid")
    world.refuse(changed(op, vesting_shares=Asset(1, symbol)), "Vesting shares must be a vesting symbol.")
    world.refuse(changed(op, vesting_shares=Asset(1, STEEM)), "Amount must be VESTS")


def test_smt_withdraw_vesting_apply(world: TokenWorld) -> None:
    symbol = launched(world, alice=10_000)
    world.push(TransferToVesting("alice", "", Asset(10_000, symbol)))
    all_shares = 10_000 * FIRST_PRICE
    world.refuse(WithdrawVesting("alice", shares(symbol, -1)), "Cannot withdraw negative VESTS. account: alice")
    world.push(WithdrawVesting("alice", shares(symbol, all_shares // 2)))
    row = world.balance("alice", symbol)
    assert row.vesting_withdraw_rate == all_shares // 26 + 1
    assert (row.to_withdraw, row.next_vesting_withdrawal) == (all_shares // 2, world.now + WEEK)
    world.push(WithdrawVesting("alice", shares(symbol, all_shares // 3)))
    row = world.balance("alice", symbol)
    assert row.vesting_withdraw_rate == compute_withdraw_rate(all_shares // 3, 13)
    text = "Account does not have sufficient Token Power for withdrawal."
    world.refuse(WithdrawVesting("alice", shares(symbol, all_shares * 2)), text)
    no_change = "This operation would not change the vesting withdraw rate."
    world.refuse(WithdrawVesting("alice", shares(symbol, all_shares // 3)), no_change)
    world.push(WithdrawVesting("alice", shares(symbol, 0)))
    row = world.balance("alice", symbol)
    assert (row.vesting_withdraw_rate, row.to_withdraw, row.next_vesting_withdrawal) == (0, 0, TIME_MAX)
    world.refuse(WithdrawVesting("alice", shares(symbol, 0)), no_change)
    world.refuse(WithdrawVesting("dan", shares(symbol, 1)), text)


def test_power_down_and_smt_vesting_withdrawals(world: TokenWorld) -> None:
    """Nothing before its time; then thirteen parts a week apart, each with its event."""
    example = get_example("power_down")
    given, expected = example["input"], example["expected"]
    symbol = launched(world, alice=given["vested"])
    world.push(TransferToVesting("alice", "", Asset(given["vested"], symbol)))
    assert world.balance("alice", symbol).vesting_shares == expected["shares"]
    world.push(WithdrawVesting("alice", shares(symbol, given["withdraw"])))
    assert world.balance("alice", symbol).vesting_withdraw_rate == expected["rate"]
    due = world.now + WEEK
    world.forward(WEEK - 3)
    assert world.run(process_token_withdrawals) == []
    world.forward(3)
    parts: list[int] = []
    while world.balance("alice", symbol).next_vesting_withdrawal != TIME_MAX:
        row = world.balance("alice", symbol)
        assert row.next_vesting_withdrawal == due == world.now
        part = compute_part(row)
        tokens = compute_token_shares_value(world.ctx, world.token(symbol), part)
        assert world.run(process_token_withdrawals) == [
            FillVestingWithdraw("alice", "alice", shares(symbol, part), Asset(tokens, symbol))
        ]
        assert world.balance("alice", symbol).liquid == row.liquid + tokens
        world.recount()
        parts.append(part)
        due += WEEK
        world.forward(WEEK)
    assert parts == expected["parts"]
    assert sum(parts) == expected["sum"]
    row = world.balance("alice", symbol)
    assert row.vesting_shares == expected["shares"] - expected["sum"]
    assert (row.vesting_withdraw_rate, row.withdrawn) == (0, expected["sum"])


def test_all_that_is_due_is_paid_in_one_block(world: TokenWorld) -> None:
    """F24: the reference pays one account a block."""
    symbol = launched(world, alice=1000, bob=1000, charlie=1000)
    for name in ("charlie", "alice", "bob"):
        world.push(TransferToVesting(name, "", Asset(1000, symbol)))
        world.push(WithdrawVesting(name, shares(symbol, 500 * FIRST_PRICE)))
    world.forward(WEEK)
    events = world.run(process_token_withdrawals)
    assert [event.from_account for event in events if isinstance(event, FillVestingWithdraw)] == [
        "alice",
        "bob",
        "charlie",
    ]


# Delegation


def test_smt_delegate_vesting_shares_validate(world: TokenWorld) -> None:
    symbol = launched(world, alice=100)
    op = DelegateVestingShares("alice", "bob", shares(symbol, 1))
    op.validate(world.ctx.rules)
    world.refuse(changed(op, vesting_shares=shares(symbol, -1)), "Delegation cannot be negative")
    world.refuse(changed(op, vesting_shares=Asset(1, symbol)), "Delegation must be a vesting type.")
    world.refuse(changed(op, vesting_shares=Asset(1, STEEM)), "Delegation must be VESTS")
    world.refuse(changed(op, delegatee="alice"), "You cannot delegate vesting shares to yourself")
    for field in ("delegator", "delegatee"):
        world.refuse(changed(op, **{field: "@@@"}), "Account name @@@ is invalid")


def test_smt_delegate_vesting_shares_apply(world: TokenWorld) -> None:
    symbol = launched(world, alice=10_000_000, bob=1)
    world.push(TransferToVesting("alice", "", Asset(10_000_000, symbol)))
    trillion = 10**12
    text = "Account dan does not have a balance for the given symbol. Symbol: "
    text += f'{{"nai":"{nai_string(symbol)}","precision":3}}'
    world.refuse(DelegateVestingShares("dan", "bob", shares(symbol, 1)), text)
    world.refuse(DelegateVestingShares("alice", "nobody", shares(symbol, 1)), "nobody")
    world.refuse(DelegateVestingShares("alice", "bob", shares(symbol, 0)), "There is no delegation that could be taken")
    world.push(DelegateVestingShares("alice", "charlie", shares(symbol, trillion)))
    alice, charlie = world.balance("alice", symbol), world.balance("charlie", symbol)
    assert (alice.delegated_vesting_shares, charlie.received_vesting_shares) == (trillion, trillion)
    assert charlie.voting_manabar.current_mana == trillion
    assert alice.voting_manabar.current_mana == 9 * trillion
    world.push(DelegateVestingShares("alice", "charlie", shares(symbol, 2 * trillion)))
    assert world.balance("charlie", symbol).received_vesting_shares == 2 * trillion
    not_own = "Account charlie does not have enough mana to delegate. required: "
    world.refuse(DelegateVestingShares("charlie", "bob", shares(symbol, 1)), not_own)
    too_much = "Account alice does not have enough mana to delegate. required: "
    world.refuse(DelegateVestingShares("alice", "bob", shares(symbol, 9 * trillion)), too_much)
    world.push(WithdrawVesting("alice", shares(symbol, 8 * trillion)))
    world.refuse(DelegateVestingShares("alice", "bob", shares(symbol, 1)), too_much)
    world.push(WithdrawVesting("alice", shares(symbol, 0)))
    text = "Account does not have sufficient Token Power for withdrawal."
    world.refuse(WithdrawVesting("alice", shares(symbol, 8 * trillion + 1)), text)
    world.recount()
    world.push(DelegateVestingShares("alice", "charlie", shares(symbol, 0)))
    assert world.tables.token_delegations.find(("alice", "charlie", symbol)) is None
    charlie = world.balance("charlie", symbol)
    assert (charlie.received_vesting_shares, charlie.voting_manabar.current_mana) == (0, 0)
    assert compute_effective_vesting_shares(world.balance("alice", symbol)) == 8 * trillion
    world.forward(world.ctx.gpo.delegation_return_period)
    assert world.run(process_expired_token_delegations) == []
    world.forward(3)
    (event,) = world.run(process_expired_token_delegations)
    assert event == ReturnVestingDelegation("alice", shares(symbol, 2 * trillion))
    alice = world.balance("alice", symbol)
    assert (alice.delegated_vesting_shares, alice.voting_manabar.current_mana) == (0, 10 * trillion)


def test_delegations_of_vests_and_of_tokens_do_not_mix(world: TokenWorld) -> None:
    symbol = launched(world, alice=1000)
    world.vest("alice", 100_000)
    world.push(TransferToVesting("alice", "", Asset(1000, symbol)))
    world.push(DelegateVestingShares("alice", "bob", Asset(world["alice"].vesting_shares // 2, VESTS)))
    world.push(DelegateVestingShares("alice", "bob", shares(symbol, 5)))
    assert len(list(world.tables.vesting_delegations.scan())) == len(list(world.tables.token_delegations.scan())) == 1
    assert world.balance("bob", symbol).received_vesting_shares == 5


# Mana


def test_token_mana(world: TokenWorld) -> None:
    example = get_example("token_mana")
    effective, period = example["input"]["effective"], example["input"]["period"]
    expected = example["expected"]
    day, hour = 86_400, 3600
    assert regenerate_mana(Manabar(0, 0), effective, period, day).current_mana == expected["from 0 after a day"]
    used = Manabar(effective * 98 // 100, 0)
    assert regenerate_mana(used, effective, period, hour).current_mana == expected["98 % after an hour"]
    symbol = launched(world, alice=effective // FIRST_PRICE)
    world.push(TransferToVesting("alice", "", Asset(effective // FIRST_PRICE, symbol)))
    row: Any = update_manabars(world.ctx, world.balance("alice", symbol))
    assert row.voting_manabar.current_mana == expected["never voted"]
    world.tables.token_balances.update(row, voting_manabar=Manabar(0, world.now))
    world.forward(day)
    row = update_manabars(world.ctx, world.balance("alice", symbol))
    assert row.voting_manabar.current_mana == expected["from 0 after a day"]


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (WithdrawVesting("alice", Asset(1, 320_000_051)), "Amount must be VESTS"),
        (DelegateVestingShares("alice", "bob", Asset(1, 320_000_051)), "Delegation must be VESTS"),
        (TransferToVesting("alice", "", Asset(1, 320_000_019)), "Invalid symbol: 320000019"),
    ],
)
def test_without_live_tokens_stake_answers_as_before(op: Any, text: str) -> None:
    world = World()
    world.create("alice", "bob")
    assert world.refuse(op, text).endswith(text)
