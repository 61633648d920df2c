"""Liquid tokens of accounts."""

from __future__ import annotations

from operations.transfer import Transfer
from protocol.assets import Asset, paired_symbol
from tests.chains import NULL, TREASURY
from tests.operations.world import World, changed
from tests.tokens.world import TokenWorld

RULES = TokenWorld().ctx.rules


def test_smt_transfer_validate(world: TokenWorld) -> None:
    symbol = world.make_token(decimals=0)
    op = Transfer("alice", "bob", Asset(100, symbol), "")
    op.validate(RULES)
    world.refuse(changed(op, to="@@@"), "Account name @@@ is invalid")
    world.refuse(changed(op, memo="x" * RULES.max_memo_size_bytes), "Memo is too large")
    world.refuse(changed(op, amount=Asset(-1, symbol)), "Cannot transfer a negative amount")
    world.refuse(changed(op, amount=Asset(1, paired_symbol(symbol))), "Transfer of vesting is not allowed.")


def test_smt_transfer_apply(world: TokenWorld) -> None:
    """Two tokens of different decimals, one way each; then all of one, and no more."""
    first, second = world.make_token(decimals=0), world.make_token(decimals=1)
    world.issue("alice", first, 100)
    world.issue("bob", second, 110)
    world.push(Transfer("alice", "bob", Asset(20, first), ""))
    world.push(Transfer("bob", "alice", Asset(50, second), ""))
    assert (world.balance("alice", first).liquid, world.balance("alice", second).liquid) == (80, 50)
    assert (world.balance("bob", first).liquid, world.balance("bob", second).liquid) == (20, 60)
    world.recount()
    world.push(Transfer("alice", "bob", Asset(80, first), ""))
    assert world.balance("alice", first).liquid == 0
    text = "Account alice does not have sufficient funds for balance adjustment. Required: "
    world.refuse(Transfer("alice", "bob", Asset(1, first), ""), text)
    world.refuse(Transfer("charlie", "bob", Asset(1, first), ""), "does not have sufficient funds")


def test_the_receiver_must_exist(world: TokenWorld) -> None:
    """F4: the reference makes a balance that nobody can reach."""
    symbol = world.make_token()
    world.issue("alice", symbol, 100)
    world.refuse(Transfer("alice", "nobody", Asset(1, symbol), ""), "no row with key 'nobody'")


def test_other_decimals_are_another_symbol(world: TokenWorld) -> None:
    symbol = world.make_token(decimals=3)
    world.issue("alice", symbol, 100)
    world.refuse(Transfer("alice", "bob", Asset(1, symbol + 1), ""), "does not have sufficient funds")


def test_tokens_sent_to_null_are_burned_at_once(world: TokenWorld) -> None:
    symbol = world.make_token()
    world.issue("alice", symbol, 100)
    world.push(Transfer("alice", NULL, Asset(30, symbol), ""))
    assert world.token(symbol).current_supply == world.balance("alice", symbol).liquid == 70
    assert world.tables.token_balances.find((NULL, symbol)) is None


def test_the_treasury_takes_no_tokens(world: TokenWorld) -> None:
    symbol = world.make_token()
    world.issue("alice", symbol, 100)
    world.refuse(Transfer("alice", TREASURY, Asset(1, symbol), ""), f"Can only transfer SBD to {TREASURY}")


def test_without_live_tokens_a_transfer_answers_as_before() -> None:
    world = World()
    world.create("alice", "bob")
    text = "Assert Exception:symbol.space() == asset_symbol_type::smt_nai_space: Invalid symbol: 320000019"
    assert world.refuse(Transfer("alice", "bob", Asset(1, 320_000_019), ""), "Invalid symbol") == text
