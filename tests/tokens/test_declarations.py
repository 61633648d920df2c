"""What is declared of tokens: symbols, targets, bytes, counts of resources, and who signs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.content import AllowedVoteAssets, CommentPayoutBeneficiaries, VotableAssetOptions
from operations.market import LimitOrderCancel, LimitOrderCreate, LimitOrderCreate2
from operations.registry import ALL_OPERATIONS
from operations.reward import ClaimRewardBalance2
from operations.token import (
    SmtContribute,
    SmtCreate,
    SmtSetRuntimeParameters,
    SmtSetSetupParameters,
)
from operations.token_parameters import SmtParamAllowDownvotes, SmtParamAllowVoting
from operations.vote import Vote2
from protocol.actions import OptionalAction, RequiredAction
from protocol.assets import SBD, STEEM, VESTS, Asset, Price, is_vesting, paired_symbol, symbol_from_nai_string
from protocol.codec import codec_for
from protocol.errors import (
    DuplicateSignature,
    IrrelevantSignature,
    MissingActiveAuthority,
    MissingPostingAuthority,
)
from protocol.identity import STEEM_MAINNET
from protocol.operation import Operation
from protocol.unit_targets import (
    CONTRIBUTOR_TARGETS,
    MARKET_MAKER_TARGET,
    REWARDS_TARGET,
    VESTING_TARGET,
    AccountTarget,
    find_target_account,
    is_account_vesting_target,
)
from state.context import SINGLETON
from state.tokens import find_token
from tests.chain.own_chains import PEOPLE
from tests.harness import Harness, sbd, steem
from tests.operations.world import changed
from tests.tokens.examples import get_example, list_names
from tests.tokens.test_blocks import ALICE, BOB, make_token, of_alice, open_world
from tests.tokens.world import TokenWorld, emissions_of, setup_of, tier

CODEC = codec_for(STEEM_MAINNET)
NOT_BUILT = {"crr_restoring_trade"}
"""An example of the manual's constant reserve ratio, in whose place the market maker keeps a constant product (D22)."""


# Symbols and targets


def test_asset_symbol_vesting_methods(world: TokenWorld) -> None:
    assert (paired_symbol(STEEM), paired_symbol(VESTS), paired_symbol(SBD)) == (VESTS, STEEM, SBD)
    for symbol in (world.make_token(decimals=decimals) for decimals in (0, 3, 8)):
        twin = paired_symbol(symbol)
        assert twin != symbol
        assert not is_vesting(symbol)
        assert is_vesting(twin)
        assert paired_symbol(twin) == symbol


def test_vesting_smt_creation(world: TokenWorld) -> None:
    symbol = world.make_token(decimals=6)
    token = find_token(world.ctx, symbol)
    assert token is not None
    assert find_token(world.ctx, paired_symbol(symbol)) is token
    assert find_token(world.ctx, symbol - 1) is None


def test_smt_founder_vesting() -> None:
    assert find_target_account("$!alice.vesting") == AccountTarget("alice", True)
    assert find_target_account("bob.vesting") == AccountTarget("bob.vesting", False)
    assert find_target_account("alice") == AccountTarget("alice", False)
    others = (*CONTRIBUTOR_TARGETS, MARKET_MAKER_TARGET, REWARDS_TARGET, VESTING_TARGET)
    for target in (*others, "$!.vesting", "$!bob", "bob.vesting"):
        assert not is_account_vesting_target(target)
    assert all(find_target_account(target) is None for target in others)


# Bytes


@pytest.mark.parametrize("name", list(get_example("wire")["expected"]))
def test_wire(name: str) -> None:
    """The bytes of each operation and action come back from what was read of them, and hold the example's values."""
    example = get_example("wire")
    data = bytes.fromhex(example["expected"][name])
    symbol = symbol_from_nai_string(example["input"]["symbol"]["nai"], example["input"]["symbol"]["precision"])
    if "action" in name:
        kind: Any = OptionalAction if "optional" in name else RequiredAction
        action: Any = CODEC.decode(kind, data)
        assert CODEC.encode(kind, action) == data
        assert action.symbol == symbol
        return
    op: Any = CODEC.decode_operation(data)
    assert op.wire_name == name
    assert CODEC.encode_operation(op) == data
    shown = CODEC.operation_to_json(op)
    assert CODEC.encode_operation(CODEC.operation_from_json(shown)) == data
    if name != "vote2":
        assert op.symbol == symbol


# Resources


def counted(name: str) -> Operation:
    """An operation as an example counts it."""
    if name.startswith("vote2"):
        return Vote2("alice", "bob", "post", ((1, 1), (2, 1), (3, 1)), ())
    if name.startswith("comment_options"):
        options = VotableAssetOptions(1, True, CommentPayoutBeneficiaries(()))
        cls: Any = ALL_OPERATIONS[19]
        return cls("alice", "post", sbd(1), 1, True, True, (AllowedVoteAssets(((1, options), (2, options))),))  # type: ignore[no-any-return]
    if name.startswith("claim"):
        return ClaimRewardBalance2("alice", (), (Asset(1, 320_000_019),))
    made: dict[str, Operation] = {
        "smt_create": SmtCreate("alice", 1, "", sbd(1), 3, ()),
        "smt_setup": setup_of(0, 1),
        "smt_setup_emissions": emissions_of(1, 1, {"alice": 1}),
        "smt_setup_ico_tier": tier(1, 1, {"alice": 1}, {}),
        "smt_set_setup_parameters": SmtSetSetupParameters("alice", 1, (), ()),
        "smt_set_runtime_parameters": SmtSetRuntimeParameters("alice", 1, (), ()),
        "smt_contribute": SmtContribute("alice", 1, 1, steem(1), ()),
    }
    return made[name]


@pytest.mark.parametrize("name", list(get_example("resource_counts")["expected"]))
def test_resource_counts(name: str) -> None:
    expected = get_example("resource_counts")["expected"][name]
    resources = counted(name).count_resources()
    assert (resources.state_bytes, resources.execution_time) == (expected["state_bytes"], expected["execution_time"])


def test_a_claim_of_core_symbols_takes_what_it_took() -> None:
    assert ClaimRewardBalance2("alice", (), (steem(1),)).count_resources().execution_time == 0


# Who signs


@pytest.fixture
def chain() -> Harness:
    """A chain with a token of alice, of which she has some, in an open order too, and a post of bob."""
    world = open_world()
    symbol = make_token(world)
    world.push(of_alice(emissions_of(symbol, world.now + 60, {ALICE: 1})))
    soon = world.now + 6
    times = {"contribution_begin_time": soon, "contribution_end_time": soon, "launch_time": soon}
    world.push(of_alice(setup_of(world.now, symbol, **times)))
    world.generate_blocks(3)
    make_token(world)
    world.post(BOB, "post")
    world.pass_time(900)
    world.apply(LimitOrderCreate(ALICE, 1, Asset(1000, symbol), steem(1000), False, world.now + 3600))
    return world


def symbols_of(chain: Harness) -> tuple[int, int]:
    """The token in use, and the one in its setup."""
    tokens = sorted(chain.tables.tokens.scan(), key=lambda token: token.id)
    return tokens[0].liquid_symbol, tokens[1].liquid_symbol


def next_identifier(chain: Harness) -> int:
    return chain.tables.identifier_pool.get(SINGLETON).nais[0]


OPERATIONS: dict[str, Callable[[Harness, int, int], Operation]] = {
    "smt_create": lambda chain, _used, _new: SmtCreate(ALICE, next_identifier(chain) | 3, "", sbd(1000), 3, ()),
    "smt_setup": lambda chain, _used, new: of_alice(setup_of(chain.now + 60, new)),
    "smt_setup_emissions": lambda chain, _used, new: of_alice(emissions_of(new, chain.now + 60, {ALICE: 1})),
    "smt_setup_ico_tier": lambda _chain, _used, new: of_alice(tier(new, 1000, {ALICE: 1}, {"$from": 1})),
    "smt_set_setup_parameters": lambda _chain, _used, new: SmtSetSetupParameters(
        ALICE, new, (SmtParamAllowVoting(False),), ()
    ),
    "smt_set_runtime_parameters": lambda _chain, used, _new: SmtSetRuntimeParameters(
        ALICE, used, (SmtParamAllowDownvotes(False),), ()
    ),
    "limit_order_create": lambda chain, used, _new: LimitOrderCreate(
        ALICE, 2, Asset(100, used), steem(100), False, chain.now + 3600
    ),
    "limit_order_create2": lambda chain, used, _new: LimitOrderCreate2(
        ALICE, 2, Asset(100, used), Price(Asset(100, used), steem(100)), False, chain.now + 3600
    ),
    "limit_order_cancel": lambda _chain, _used, _new: LimitOrderCancel(ALICE, 1),
    "vote2": lambda _chain, _used, _new: Vote2(ALICE, BOB, "post", ((STEEM, 10**9),), ()),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_signatures(chain: Harness, name: str) -> None:
    """None, wrong, doubled, unneeded and right signatures."""
    op = OPERATIONS[name](chain, *symbols_of(chain))
    assert op.wire_name == name
    role, missing = ("posting", MissingPostingAuthority) if name == "vote2" else ("active", MissingActiveAuthority)
    right, stranger = chain.key(ALICE, role), chain.key(PEOPLE[2], role)
    with pytest.raises(missing):
        chain.push(op, keys=[])
    for key in (stranger, chain.key(ALICE, "memo")):
        with pytest.raises(missing):
            chain.push(op, keys=[key])
    with pytest.raises(DuplicateSignature):
        chain.push(op, keys=[right, right])
    with pytest.raises(IrrelevantSignature):
        chain.push(op, keys=[right, stranger])
    chain.apply(op, keys=[right])
    chain.recount()


# What the fields alone say


def test_setup_validate(world: TokenWorld) -> None:
    symbol, now = world.make_token(), world.now
    good = setup_of(now, symbol, max_supply=10**12, contribution_end_time=now + 100, launch_time=now + 300)
    good.validate(world.ctx.rules)
    for fields, text in (
        ({"control_account": "@@@"}, "Account name @@@ is invalid"),
        ({"max_supply": -1}, "Max supply must be greater than 0"),
        ({"max_supply": 0}, "Max supply must be greater than 0"),
        ({"max_supply": 10**15 + 1}, "Max supply must be less than"),
        ({"contribution_begin_time": world.ctx.config.genesis.time}, "Contribution begin time must be greater than"),
        ({"contribution_end_time": now - 1}, "Contribution end time must be equal to or later than contribution begin"),
        ({"launch_time": now + 99}, "Launch time must be equal to or later than the contribution end time"),
    ):
        world.refuse(changed(good, **fields), text)


def test_the_page_for_contributors_names_files_that_exist() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs/contributing.md").read_text(encoding="utf-8")
    section = page.split("## Community tokens\n")[1].split("\n## ")[0]
    named = re.findall(r"`([a-z_]+/[\w/.]+)`", section)
    assert len(named) > 10
    assert all((root / name).exists() for name in named)


def test_every_example_is_a_test() -> None:
    """Each name stands in a module of these tests, but for what is not built."""
    texts = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    unused = {name for name in list_names() if f'"{name}"' not in texts}
    assert unused == set()
    assert list_names() >= NOT_BUILT
