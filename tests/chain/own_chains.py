"""Chains of one's own for tests: the TOML text of a config, a life that every chain must bear, undo and redo."""

from __future__ import annotations

from chain.ledger import Ledger
from operations.content import Comment
from operations.market import LimitOrderCreate
from operations.reward import ClaimRewardBalance
from operations.transfer import Transfer
from operations.vesting import DelegateVestingShares, TransferToVesting, WithdrawVesting
from operations.vote import Vote
from operations.witness import FeedPublish
from protocol.assets import Price
from protocol.config import ChainConfig
from protocol.keys import PrivateKey, encode_public_key
from state.engine.kv import MemoryBackend
from state.engine.store import Store
from state.invariants import assert_invariants
from state.tables.tables import Tables
from tests.harness import Harness, sbd, steem, vests

SECRET = "own-chain"
PEOPLE = ("alice", "bob", "carol")


def key_text(name: str, role: str, prefix: str) -> str:
    """The public key of an account's role in text form."""
    return encode_public_key(PrivateKey.from_password(name, role, SECRET).public_key, prefix)


def chain_text(
    witnesses: int = 1,
    *,
    rules: str = "",
    chain: str = "",
    genesis: str = "",
    prefix: str = "GLD",
    power: int = 20_000_000_000_000_000,
    more: str = "",
) -> str:
    """A chain config with tokens GOLD, CASH and POWER, rich people and so many witnesses of equal standing."""
    names = ["initminer", *(f"wit{number:02}" for number in range(1, witnesses))]
    text = f"""
[chain]
name = "own"
address_prefix = "{prefix}"
steem_symbol = "GOLD"
sbd_symbol = "CASH"
vests_symbol = "POWER"
{chain or 'chain_id = "derive"'}

[rules]
recent_claims_initial = 0
{rules}

[genesis]
time = "2025-06-01T00:00:00"
vesting_fund = 30000000000
reward_fund = 700000000
median_price_sbd = 250
median_price_steem = 1000
{genesis}
"""
    for name in (*names, *PEOPLE):
        balance, cash = (5_000_000_000, 40_000_000) if name == "initminer" else (90_000_000, 9_000_000)
        keys = "\n".join(
            f'{role}_key = "{key_text(name, role, prefix)}"' for role in ("owner", "active", "posting", "memo")
        )
        text += f"""
[[genesis.accounts]]
name = "{name}"
password = "{SECRET}"
{keys}
balance = {balance}
sbd_balance = {cash}
vesting_shares = {power if name in PEOPLE else 0}
"""
    for name in names:
        text += f'\n[[genesis.witnesses]]\nowner = "{name}"\nsigning_key = "{key_text(name, "block", prefix)}"\n'
    return text + more


def open_chain(text: str) -> Harness:
    """A chain in memory from the text of its config, with block 1."""
    return Harness(ChainConfig.parse(text))


def live_through(world: Harness) -> dict[str, int]:
    """Transfers, market, posts, votes, payouts, claims, power down, each recounted; returns the POWER earned."""
    rules = world.config.rules
    world.create_account("dora")
    world.recount()

    world.push(Transfer("alice", "dora", steem(1_234_567), "gold"), Transfer("bob", "dora", sbd(1_000), "cash"))
    world.push(TransferToVesting("alice", "dora", steem(500_000)))
    lent = world.account("carol").vesting_shares // 400
    world.push(DelegateVestingShares("carol", "dora", vests(lent)))
    world.generate_block()
    dora = world.account("dora")
    assert (dora.balance, dora.sbd_balance) == (1_234_567, 1_000)
    assert dora.vesting_shares > 0
    assert dora.received_vesting_shares == lent
    world.recount()

    expires = world.now + 1000
    before = world.account("alice").sbd_balance
    world.push(LimitOrderCreate("alice", 1, steem(40_000), sbd(10_000), False, expires))
    world.push(LimitOrderCreate("bob", 1, sbd(10_000), steem(40_000), False, expires))
    world.generate_block()
    assert world.account("alice").sbd_balance == before + 10_000
    assert not list(world.tables.limit_orders.scan())
    world.recount()

    world.apply(Comment("", "own", "alice", "post", "title", "body", ""))
    world.pass_time(rules.min_reply_interval_seconds)
    world.apply(Comment("alice", "post", "bob", "reply", "", "body", ""))
    world.push(Vote("bob", "alice", "post", 10_000))
    world.push(Vote("carol", "alice", "post", 5_000))
    world.push(Vote("alice", "bob", "reply", 10_000))
    world.generate_block()
    post = world.comment("alice", "post")
    assert post.net_rshares > 0
    power = world.account("carol").vesting_shares // 2
    world.apply(WithdrawVesting("carol", vests(power)))
    balance = world.account("carol").balance
    world.generate_until(post.created + rules.cashout_window_seconds)
    world.generate_until(world.comment("bob", "reply").created + rules.cashout_window_seconds)
    world.generate_block()
    world.recount()

    earned: dict[str, int] = {}
    for name in ("alice", "bob"):
        row = world.account(name)
        earned[name] = row.reward_vesting_balance
        claimed = ClaimRewardBalance(
            name, steem(row.reward_steem_balance), sbd(row.reward_sbd_balance), vests(row.reward_vesting_balance)
        )
        world.apply(claimed)
        assert world.account(name).reward_vesting_balance == 0
    world.recount()

    world.pass_time(rules.vesting_withdraw_interval_seconds)
    world.generate_block()
    carol = world.account("carol")
    assert carol.withdrawn > 0, "a part of the power down was paid"
    assert carol.balance > balance
    for name in [witness.owner for witness in world.tables.witnesses.scan()]:
        world.push(FeedPublish(name, Price(sbd(300), steem(1000))))
    world.generate_blocks(3)
    world.recount()
    return earned


def assert_undo_and_redo(world: Harness, *, at_most: int = 150) -> None:
    """Every block gives the state it gave before: applied again from the genesis, undone one by one, and redone."""
    blocks = [world.chain.reader.get_block(number) for number in range(1, world.chain.head_number + 1)]
    assert all(block is not None for block in blocks)
    config = world.config
    store: Store[Tables] = Store(MemoryBackend(), Tables, chain_id=config.chain_id, is_strict=True)
    ledger = Ledger(store, config)
    digests = [store.digest]
    for block in blocks:
        assert block is not None
        ledger.apply_block(block, skip_signatures=True)
        digests.append(store.digest)
    assert digests[-1] == world.chain.state_digest
    for _ in range(2):
        down = max(len(blocks) - at_most, 0)
        while ledger.head_number > down:
            ledger.undo_block()
            assert store.digest == digests[ledger.head_number], f"undoing block {ledger.head_number + 1}"
        for block in blocks[down:]:
            assert block is not None
            ledger.apply_block(block, skip_signatures=True)
            assert store.digest == digests[ledger.head_number], f"redoing block {ledger.head_number}"
    assert_invariants(ledger.ctx)
