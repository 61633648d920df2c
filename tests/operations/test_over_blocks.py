"""Operations as signed transactions in real blocks: authorities, the pool of transactions, and what time brings."""

import pytest

from operations.account import AccountUpdate, ClaimAccount
from operations.custom import CustomJson
from operations.market import LimitOrderCreate
from operations.transfer import Transfer
from operations.vesting import DelegateVestingShares, SetWithdrawVestingRoute, TransferToVesting, WithdrawVesting
from protocol.assets import Asset
from protocol.errors import (
    DuplicateSignature,
    IrrelevantSignature,
    MissingActiveAuthority,
    MissingPostingAuthority,
    NotUnique,
    PluginRefused,
    UnknownKey,
)
from protocol.operation import Operation
from protocol.types import NULL_PUBLIC_KEY, Authority
from protocol.virtual_operations import FillOrder, FillVestingWithdraw, ReturnVestingDelegation
from state.context import Context
from state.tables.kinds import TIME_MAX
from state.tables.witnesses import SCHEDULE_ELECTED, SCHEDULE_TIMESHARE
from tests.chains import FIRST
from tests.harness import Harness, sbd, steem, vests

WEEK = 7 * 86_400


@pytest.fixture
def chain() -> Harness:
    """Alice, bob and charlie with 20 STEEM each."""
    chain = Harness()
    chain.create_accounts("alice", "bob", "charlie")
    for name in ("alice", "bob", "charlie"):
        chain.fund(name, 20_000)
    return chain


def last_block_operations(chain: Harness) -> list[Operation]:
    """All operations of the newest block, virtual ones too."""
    return [applied.op for applied in chain.history.get_operations_in_block(chain.chain.head_number)]


# Signatures


def test_transfer_authorities(chain: Harness) -> None:
    op = Transfer("alice", "bob", steem(2_500), "")
    active, posting = chain.key("alice"), chain.key("alice", "posting")
    with pytest.raises(MissingActiveAuthority):
        chain.push(op, keys=[])
    with pytest.raises(MissingActiveAuthority):
        chain.push(op, keys=[posting])
    with pytest.raises(DuplicateSignature):
        chain.push(op, keys=[active, active])
    with pytest.raises(IrrelevantSignature):
        chain.push(op, keys=[active, chain.key("bob")])
    chain.push(op, keys=[chain.key("alice", "owner")])
    chain.apply(op)
    assert chain.account("bob").balance == 25_000
    chain.recount()


def test_signature_stripping(chain: Harness) -> None:
    chain.create_account("corp")
    chain.fund("corp", 10_000)
    shared = Authority(2, (("alice", 1), ("bob", 1), ("charlie", 1)), ())
    chain.apply(AccountUpdate("corp", None, shared, None, NULL_PUBLIC_KEY, ""))
    plain = chain.build(Transfer("corp", "charlie", steem(1_000), ""))
    alice, bob, charlie = (chain.key(name) for name in ("alice", "bob", "charlie"))
    with pytest.raises(MissingActiveAuthority):
        chain.chain.push_transaction(chain.sign(plain, alice))
    with pytest.raises(IrrelevantSignature):
        chain.chain.push_transaction(chain.sign(plain, alice, bob, charlie))
    chain.chain.push_transaction(chain.sign(plain, alice, bob))
    with pytest.raises(Exception, match="Duplicate transaction check failed"):
        chain.chain.push_transaction(chain.sign(plain, alice, charlie))
    chain.generate_block()
    chain.recount()


def test_account_authorities_count_by_their_kind(chain: Harness) -> None:
    def share(kind: str, name: str) -> Authority:
        return Authority(1, ((name, 1),), ((chain.key("alice", kind).public_key, 1),))

    chain.apply(AccountUpdate("alice", None, share("active", "bob"), share("posting", "charlie"), NULL_PUBLIC_KEY, ""))
    op = Transfer("alice", "bob", steem(1_000), "")
    chain.push(op, keys=[chain.key("bob")])
    for name, role in (("bob", "posting"), ("charlie", "active"), ("charlie", "posting")):
        with pytest.raises(MissingActiveAuthority):
            chain.push(op, keys=[chain.key(name, role)])
    json = CustomJson((), ("alice",), "test", '{"foo":"bar"}')
    # The active authority may post too, and then counts the posting authority of its accounts.
    for name in ("bob", "charlie"):
        chain.push(json, keys=[chain.key(name, "posting")])
        with pytest.raises(MissingPostingAuthority):
            chain.push(json, keys=[chain.key(name, "active")])
    chain.generate_block()
    chain.recount()


def test_errors_about_rows_are_those_of_the_reference(chain: Harness) -> None:
    with pytest.raises(UnknownKey, match=r"^unknown key:unknown key: $") as missing:
        chain.push(Transfer("alice", "nobody", steem(1), ""))
    assert missing.value.data == {"name": "nobody", "what": "unknown key"}
    op_of_nobody = Transfer("nobody", "alice", steem(1), "")
    with pytest.raises(UnknownKey) as missing:
        chain.push(op_of_nobody, keys=[chain.key("alice")])
    signed_by = [chain.key("alice").public_key]
    assert missing.value.data == {"auth_containers": [op_of_nobody], "sigs": signed_by, "what": "unknown key"}
    op = LimitOrderCreate("alice", 1, steem(1), sbd(1), False, chain.now + 60)
    chain.push(op)
    text = "could not insert object, most likely a uniqueness constraint was violated"
    with pytest.raises(NotUnique, match=f"^{text}:{text}: $") as refused:
        chain.push(op)
    assert refused.value.data == {"op": op, "what": text}
    chain.generate_block()
    chain.recount()


# The pool of transactions


def test_custom_json_rate_limit(chain: Harness) -> None:
    def make(name: str, text: str) -> CustomJson:
        return CustomJson((), (name,), "test", f'"{text}"')

    for number in range(5):
        chain.push(make("alice", str(number)))
    with pytest.raises(PluginRefused, match="already submitted 5 custom json"):
        chain.push(make("alice", "toomany"))
    chain.push(*(make("bob", "foobar") for _ in range(5)))
    with pytest.raises(PluginRefused):
        chain.push(make("bob", "toomany"))
    with pytest.raises(PluginRefused):
        chain.push(*(make("charlie", "foobar") for _ in range(6)))
    chain.generate_block()
    chain.push(make("alice", "again"))
    chain.generate_block()
    chain.recount()


def set_subsidies(chain: Harness, accounts: int, schedule: int) -> None:
    """Fills both pools of subsidised accounts, and makes initminer an elected or a timeshare witness."""

    def change(ctx: Context) -> None:
        precision = ctx.rules.account_subsidy_precision
        ctx.update_gpo(available_account_subsidies=100 * precision)
        witness = ctx.tables.witnesses.get(FIRST)
        ctx.tables.witnesses.update(
            witness, schedule=schedule, available_witness_account_subsidies=accounts * precision
        )

    chain.edit(change)


def test_account_subsidy_witness_limits(chain: Harness) -> None:
    while chain.chain.head_number % 21 > 15:
        chain.generate_block()
    set_subsidies(chain, 2, SCHEDULE_TIMESHARE)
    claim = ClaimAccount("alice", steem(0), ())
    chain.push(claim)
    assert chain.account("alice").pending_claimed_accounts == 1
    assert len(chain.chain.pending) == 1
    assert chain.generate_block().transactions == ()
    assert chain.account("alice").pending_claimed_accounts == 0
    assert len(chain.chain.pending) == 0

    set_subsidies(chain, 2, SCHEDULE_ELECTED)
    for _ in range(3):
        chain.push(claim)
    assert chain.account("alice").pending_claimed_accounts == 3
    assert len(chain.generate_block().transactions) == 2
    assert chain.account("alice").pending_claimed_accounts == 2
    chain.recount()


# What time brings


@pytest.mark.windows
def test_power_down_over_weeks(chain: Harness) -> None:
    chain.vest("alice", 1_040_000)
    total = chain.account("alice").vesting_shares
    chain.apply(
        WithdrawVesting("alice", vests(total // 2)),
        SetWithdrawVestingRoute("alice", "bob", 5_000, True),
        SetWithdrawVestingRoute("alice", "charlie", 3_000, False),
    )
    due, rate = chain.account("alice").next_vesting_withdrawal, chain.account("alice").vesting_withdraw_rate
    chain.generate_until(due - 3)
    assert chain.account("alice").vesting_shares == total
    for number in range(1, 5):
        chain.generate_until(due)
        part = min(rate, total // 2 - (number - 1) * rate)
        fills = [op for op in last_block_operations(chain) if isinstance(op, FillVestingWithdraw)]
        assert [(fill.to_account, fill.withdrawn.amount) for fill in fills] == [
            ("bob", part * 5_000 // 10_000),
            ("charlie", part * 3_000 // 10_000),
            ("alice", part - part * 5_000 // 10_000 - part * 3_000 // 10_000),
        ]
        chain.recount()
        due += WEEK
    assert chain.account("alice").vesting_shares == total - total // 2
    assert chain.account("alice").next_vesting_withdrawal == TIME_MAX
    assert chain.account("charlie").vesting_shares == 0


def test_delegation_returns(chain: Harness) -> None:
    chain.vest("alice", 1_000_000)
    chain.apply(DelegateVestingShares("alice", "bob", vests(50_000_000)))
    chain.apply(DelegateVestingShares("alice", "bob", vests(0)))
    (returning,) = chain.tables.vesting_delegation_expirations.scan()
    chain.generate_until(returning.expiration)
    assert chain.account("alice").delegated_vesting_shares == 50_000_000
    chain.generate_block()
    assert chain.account("alice").delegated_vesting_shares == 0
    assert ReturnVestingDelegation("alice", vests(50_000_000)) in last_block_operations(chain)
    chain.recount()


def test_orders_expire(chain: Harness) -> None:
    chain.apply(LimitOrderCreate("alice", 1, steem(5_000), sbd(5_000), False, chain.now + 60))
    (order,) = chain.tables.limit_orders.scan()
    assert chain.account("alice").balance == 15_000
    chain.generate_until(order.expiration)
    assert chain.account("alice").balance == 15_000
    chain.generate_block()
    assert list(chain.tables.limit_orders.scan()) == []
    assert chain.account("alice").balance == 20_000
    chain.recount()


def test_trading_earns_no_liquidity_rewards(chain: Harness) -> None:
    chain.fund("bob", 0, 20_000)
    chain.apply(LimitOrderCreate("alice", 1, steem(5_000), sbd(5_000), False, chain.now + 3_600))
    chain.pass_time(120)
    chain.apply(LimitOrderCreate("bob", 1, sbd(5_000), steem(5_000), True, chain.now + 3_600))
    assert list(chain.tables.liquidity_reward_balances.scan()) == []
    chain.recount()


def test_power_up_for_another_account(chain: Harness) -> None:
    chain.apply(TransferToVesting("alice", "bob", steem(10_000)))
    assert chain.account("alice").vesting_shares == 0
    assert chain.account("bob").vesting_shares > 0
    chain.recount()


def test_a_claim_is_taken_off_the_pool_before_the_pool_decays(chain: Harness) -> None:
    """The pool after the block of a subsidised claim, as claim_account_apply works it out."""
    while chain.chain.head_number % 21 > 15:
        chain.generate_block()
    set_subsidies(chain, 2, SCHEDULE_ELECTED)
    before = chain.gpo.available_account_subsidies
    chain.push(ClaimAccount("alice", steem(0), ()))
    assert chain.account("alice").pending_claimed_accounts == 1
    assert chain.account("alice").balance == 20_000
    assert chain.gpo.available_account_subsidies == before - 10_000
    assert len(chain.generate_block().transactions) == 1
    left = before - 10_000
    assert chain.gpo.available_account_subsidies == left + 797 - (left * 347_321 >> 36)
    chain.recount()


def test_a_claim_too_many_waits_for_the_next_witness(chain: Harness) -> None:
    """The end of account_subsidy_witness_limits: of n + 1 claims n are in the block, and one waits.

    After the block the producer's own pool has got its part of the budget, so the last claim fits when tried again.
    """
    while chain.chain.head_number % 21 > 15:
        chain.generate_block()
    set_subsidies(chain, 2, SCHEDULE_ELECTED)

    def fill(ctx: Context) -> None:
        row = ctx.tables.witnesses.get(FIRST)
        ctx.tables.witnesses.update(row, available_witness_account_subsidies=28_600)

    chain.edit(fill)
    for _ in range(3):
        chain.push(ClaimAccount("alice", steem(0), ()))
    assert len(chain.chain.pending) == chain.account("alice").pending_claimed_accounts == 3
    assert len(chain.generate_block().transactions) == 2
    assert len(chain.chain.pending) == 1
    assert chain.account("alice").pending_claimed_accounts == 3
    # The pool after two blocks: each adds 996 and takes 7,293,741 / 2 ** 36 of what there is, which is 3 and 1.
    assert 28_600 + 996 - 3 - 20_000 + 996 - 1 - 10_000 == 588
    assert chain.witness(FIRST).available_witness_account_subsidies == 588
    chain.recount()


def test_the_fills_of_the_liquidity_test(chain: Harness) -> None:
    """The trades of liquidity_rewards: what each order pays; nobody gets a balance of liquidity rewards."""
    unit = 25_522 // 20
    for name in ("alice", "bob", "charlie"):
        chain.fund(name, 25_522, 25_522)

    def push(owner: str, orderid: int, sells: Asset, asks: Asset) -> list[Operation]:
        chain.apply(LimitOrderCreate(owner, orderid, sells, asks, False, chain.now + 28 * 86_400))
        return [op for op in last_block_operations(chain) if isinstance(op, FillOrder)]

    worth = unit * 1_250 // 1_000
    assert push("alice", 1, sbd(unit), steem(worth)) == []
    chain.pass_time(600)
    assert push("bob", 2, steem(worth), sbd(unit)) == [FillOrder("bob", 2, steem(worth), "alice", 1, sbd(unit))]
    part = 25_522 // 10 * 3
    assert push("charlie", 3, steem(unit), sbd(unit)) == []
    assert push("bob", 4, steem(part - unit), sbd(part - unit)) == []
    assert push("alice", 5, sbd(part), steem(part)) == [
        FillOrder("alice", 5, sbd(unit), "charlie", 3, steem(unit)),
        FillOrder("alice", 5, sbd(part - unit), "bob", 4, steem(part - unit)),
    ]
    assert push("alice", 6, sbd(unit * 2), steem(unit * 2)) == []
    chain.pass_time(300)
    assert push("bob", 7, steem(unit), sbd(unit)) == [FillOrder("bob", 7, steem(unit), "alice", 6, sbd(unit))]
    assert [row.for_sale for row in chain.tables.limit_orders.scan()] == [unit]
    assert list(chain.tables.liquidity_reward_balances.scan()) == []
    chain.recount()
