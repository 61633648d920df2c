"""Plays tokens at random: a handful of accounts that launch, sell, stake, lend, vote, claim and trade what there is.

Everything follows from one seed. Most moves are nearly valid; what the chain refuses is counted and forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from operations.content import (
    AllowedVoteAssets,
    Comment,
    CommentOptions,
    CommentPayoutBeneficiaries,
    DeleteComment,
    VotableAssetOptions,
)
from operations.market import LimitOrderCancel, LimitOrderCreate
from operations.reward import ClaimRewardBalance2
from operations.token import SmtContribute, SmtCreate, SmtSetRuntimeParameters, SmtSetSetupParameters
from operations.token_parameters import (
    SmtParamAllowDownvotes,
    SmtParamAllowVoting,
    SmtParamRewardsV1,
    SmtParamVoteRegenerationPeriodSecondsV1,
    SmtParamWindowsV1,
)
from operations.transfer import Transfer
from operations.vesting import DelegateVestingShares, TransferToVesting, WithdrawVesting
from operations.vote import Vote2
from protocol.assets import SBD, STEEM, Asset, paired_symbol
from protocol.config import ChainConfig
from protocol.errors import ProtocolError
from protocol.integers import INT64_MAX
from protocol.operation import Operation
from protocol.types import Beneficiary
from state.context import SINGLETON
from state.tables.tokens import Phase
from tests.chain.own_chains import PEOPLE, chain_text
from tests.harness import Harness, sbd, steem
from tests.tokens.world import emissions_of, setup_of, tier

RULES = """
tokens_live = true
cashout_window_seconds = 600
upvote_lockout_seconds = 60
smt_upvote_lockout_seconds = 60
smt_vesting_withdraw_interval_seconds = 7200
smt_emission_min_interval_seconds = 600
delegation_return_period_seconds = 600
min_root_comment_interval_seconds = 0
"""

TOKENS_MAX = 7
RARE = {
    "move_tier": 1,
    "move_emissions": 1,
    "move_setup": 1,
    "move_parameters": 2,
    "move_contribute": 16,
    "move_vote": 16,
}


class TokenPlayer:
    """A chain in memory with live tokens, and somebody who does one random thing after the other on it."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.world = Harness(ChainConfig.parse(chain_text(1, rules=RULES)))
        self.people = list(PEOPLE)
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.posts: list[tuple[str, str]] = []
        self._serial = 0
        self._moves: list[Callable[[], Operation | list[Operation] | None]] = [
            getattr(self, name) for name in dir(self) if name.startswith("move_")
        ]
        self._weights = [RARE.get(move.__name__, 8) for move in self._moves]

    # Doing

    def step(self) -> None:
        """One move, or a block after a while of any length."""
        if self.rng.random() < 0.3:
            self.world.generate_block(skip_slots=self.rng.choice((0,) * 20 + (1, 5, 20, 200)))
            return
        moved = self.rng.choices(self._moves, self._weights)[0]()
        ops = moved if isinstance(moved, list) else [moved] if moved is not None else []
        if not ops:
            return
        names = [op.wire_name for op in ops]
        try:
            self.world.push(*ops)
        except ProtocolError:
            self.refused.update(names)
        else:
            self.accepted.update(names)

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _who(self) -> str:
        return self.rng.choice(self.people)

    def _token(self) -> Any:
        tokens = list(self.world.tables.tokens.scan())
        return self.rng.choice(tokens) if tokens else None

    def _symbol(self, phase: int | None = None) -> int:
        """A token, mostly one in that phase."""
        fitting = [row.liquid_symbol for row in self.world.tables.tokens.scan() if row.phase == phase]
        if fitting and self.rng.random() < 0.9:
            return self.rng.choice(fitting)
        token = self._token()
        return 320_000_019 if token is None else token.liquid_symbol

    def _used(self) -> int:
        return self._symbol(Phase.LAUNCH_SUCCESS)

    def _part(self, most: int) -> int:
        """Some of an amount, all of it, or a little more."""
        return max(self.rng.choice((1, most // 7, most // 2, most, most + 1)), 1)

    def _held(self, name: str, symbol: int) -> Any:
        return self.world.tables.token_balances.find((name, symbol))

    def _unit(self, *targets: str) -> dict[str, int]:
        names = (*targets, *self.people, *(f"$!{name}.vesting" for name in self.people))
        return {name: self.rng.randrange(1, 9) for name in self.rng.sample(names, self.rng.randrange(1, 4))}

    # Moves

    def move_create(self) -> Operation | None:
        nais = self.world.tables.identifier_pool.get(SINGLETON).nais
        decimals = self.rng.randrange(0, 9)
        if not nais or len(list(self.world.tables.tokens.scan())) >= TOKENS_MAX:
            return None
        fee = self.rng.choice((sbd(1000), steem(4000), sbd(0)))
        return SmtCreate(self._who(), nais[0] | decimals, "", fee, decimals, ())

    def move_tier(self) -> Operation | None:
        token = self._token()
        if token is None:
            return None
        cap = self.rng.choice((1, 999, 10_000, 1_000_003, 20_000_000))
        steem_unit = self._unit("$market_maker", "null")
        token_unit = self._unit("$from", "$from.vesting", "$market_maker", "$rewards", "null", "$!null.vesting")
        remove = self.rng.random() < 0.1
        return tier(token.liquid_symbol, cap, steem_unit, token_unit, token.control_account, remove)

    def move_emissions(self) -> Operation | None:
        token = self._token()
        if token is None:
            return None
        begin = self.world.now + self.rng.choice((100, 1000, 5000))
        return emissions_of(
            token.liquid_symbol,
            begin,
            self._unit("$rewards", "$market_maker", "$vesting", "null"),
            control_account=token.control_account,
            interval_seconds=self.rng.choice((600, 1000)),
            emission_count=self.rng.choice((1, 5, 0xFFFFFFFF)),
            lep_abs_amount=self.rng.choice((0, 5, 10**6, 10**12)),
            lep_rel_amount_numerator=self.rng.choice((0, 1)),
            rel_amount_denom_bits=self.rng.choice((3, 10)),
            floor_emissions=self.rng.random() < 0.3,
            remove=self.rng.random() < 0.1,
        )

    def move_setup(self) -> Operation | None:
        token = self._token()
        if token is None or self.rng.random() < 0.5:
            return None
        begin = self.world.now + self.rng.choice((3, 6, 60))
        end = begin + self.rng.choice((0, 30, 60, 600))
        return setup_of(
            self.world.now,
            token.liquid_symbol,
            control_account=token.control_account,
            max_supply=self.rng.choice((10**15, 10**9, 10**4)),
            contribution_begin_time=begin,
            contribution_end_time=end,
            launch_time=end + self.rng.choice((0, 3, 60)),
            steem_satoshi_min=self.rng.choice((0, 0, 1, 10**6)),
            min_unit_ratio=self.rng.choice((1, 50, 1000)),
            max_unit_ratio=self.rng.choice((50, 1000, 10**6)),
        )

    def move_launch(self) -> list[Operation] | None:
        """A launch that fits together: one or two tiers, perhaps emissions, and the end of the setup."""
        waiting = [token for token in self.world.tables.tokens.scan() if token.phase == Phase.SETUP]
        if not waiting:
            return None
        token, now, rng = self.rng.choice(waiting), self.world.now, self.rng
        symbol, control = token.liquid_symbol, token.control_account
        ops: list[Operation] = []
        for cap in (20_000_001, 50_000_000)[: rng.randrange(0, 3)]:
            unit = {**self._unit("$market_maker"), "$rewards": 3, "$from": 5, "$from.vesting": 3}
            ops.append(tier(symbol, cap, {**self._unit(), "$market_maker": 2}, unit, control))
        if rng.random() < 0.7:
            unit = {**self._unit("$market_maker", "$vesting", "null"), "$rewards": 2}
            many = {"control_account": control, "interval_seconds": 600, "emission_count": 0xFFFFFFFF}
            ops.append(emissions_of(symbol, now + 300, unit, **many))
        begin, end = now + 6, now + rng.choice((30, 60, 90))
        times = {
            "contribution_begin_time": begin,
            "contribution_end_time": end,
            "launch_time": end + rng.choice((0, 9)),
        }
        minimum = rng.choice((0, 0, 10**6)) if len(ops) > 1 else 0
        ops.append(setup_of(now, symbol, control_account=control, steem_satoshi_min=minimum, **times))
        return ops

    def move_contribute(self) -> Operation | None:
        return SmtContribute(
            self._who(), self._symbol(Phase.ICO), self._next(), steem(self.rng.choice((1, 77, 5_000, 10**6))), ()
        )

    def move_parameters(self) -> Operation | None:
        token = self._token()
        if token is None:
            return None
        rng = self.rng
        if rng.random() < 0.1:
            allowed = (SmtParamAllowVoting(rng.random() < 0.5),)
            return SmtSetSetupParameters(token.control_account, token.liquid_symbol, allowed, ())
        constant = rng.choice((0, 1, 10**12, 2**62))
        parameter: Any = rng.choice(
            (
                SmtParamWindowsV1(rng.choice((300, 3600, 7200)), rng.choice((0, 10, 200))),
                SmtParamVoteRegenerationPeriodSecondsV1(rng.choice((600, 7200)), rng.choice((1, 5, 50))),
                SmtParamRewardsV1(constant, rng.choice((0, 2500, 10_000)), rng.randrange(6), rng.randrange(6)),
                SmtParamAllowDownvotes(rng.random() < 0.7),
            )
        )
        return SmtSetRuntimeParameters(token.control_account, token.liquid_symbol, (parameter,), ())

    def move_transfer(self) -> Operation | None:
        name, symbol = self._who(), self._used()
        held = self._held(name, symbol)
        to = self.rng.choice((*self.people, "null"))
        return None if held is None else Transfer(name, to, Asset(self._part(held.liquid), symbol), "")

    def move_power_up(self) -> Operation | None:
        name, symbol = self._who(), self._used()
        held = self._held(name, symbol)
        to = self.rng.choice(("", self._who(), "null"))
        return None if held is None else TransferToVesting(name, to, Asset(self._part(held.liquid), symbol))

    def move_power_down(self) -> Operation | None:
        name, symbol = self._who(), self._used()
        held = self._held(name, symbol)
        amount = 0 if held is None or self.rng.random() < 0.2 else self._part(held.vesting_shares)
        return WithdrawVesting(name, Asset(amount, paired_symbol(symbol)))

    def move_delegate(self) -> Operation | None:
        name, symbol = self._who(), self._used()
        held = self._held(name, symbol)
        amount = 0 if held is None or self.rng.random() < 0.3 else self._part(held.vesting_shares)
        return DelegateVestingShares(name, self._who(), Asset(amount, paired_symbol(symbol)))

    def move_post(self) -> Operation | None:
        author, permlink = self._who(), f"p{self._next()}"
        parent = self.rng.choice(self.posts) if self.posts and self.rng.random() < 0.4 else ("", "test")
        self.posts = [*self.posts[-20:], (author, permlink)]
        return Comment(*parent, author, permlink, "title", "body", "")

    def move_options(self) -> Operation | None:
        if not self.posts:
            return None
        author, permlink = self.posts[-1] if self.rng.random() < 0.7 else self.rng.choice(self.posts)
        to = tuple(Beneficiary(name, self.rng.choice((1, 3000))) for name in sorted(self.rng.sample(PEOPLE, 2)))
        options = VotableAssetOptions(
            self.rng.choice((0, 1000, INT64_MAX)),
            self.rng.random() < 0.8,
            CommentPayoutBeneficiaries(to if self.rng.random() < 0.4 else ()),
        )
        symbols = sorted({self._used(), self._used()})
        extension = AllowedVoteAssets(tuple((symbol, options) for symbol in symbols))
        return CommentOptions(author, permlink, Asset(10**9, SBD), 10_000, True, True, (extension,))

    def move_delete(self) -> Operation | None:
        return DeleteComment(*self.rng.choice(self.posts)) if self.posts and self.rng.random() < 0.2 else None

    def move_vote(self) -> Operation | None:
        votable = list(self.world.tables.token_posts.scan())
        if not self.posts or not votable:
            return None
        post = self.rng.choice(votable)
        comment = self.world.tables.comments.get(post.comment)
        place = (comment.author, comment.permlink) if self.rng.random() < 0.8 else self.rng.choice(self.posts)
        name, symbol = self._who(), post.symbol
        held = self._held(name, symbol)
        mana = 10**9 if held is None else max(held.voting_manabar.current_mana, 1)
        votes_max = self.world.tables.tokens.get(symbol).votes_per_regeneration_period
        rshares = self._part(mana // self.rng.choice((votes_max, votes_max + 1, 50))) * self.rng.choice((1, 1, -1))
        votes = {symbol: rshares}
        if self.rng.random() < 0.3:
            votes[STEEM] = self.rng.choice((10**9, 10**12, -(10**9)))
        return Vote2(name, *place, tuple(sorted(votes.items())), ())

    def move_claim(self) -> Operation | None:
        rows = self.world.tables.token_balances.scan()
        waiting = [row for row in rows if row.pending_liquid or row.pending_vesting_shares]
        if not waiting:
            return None
        held = self.rng.choice(waiting)
        claims = [Asset(self._part(held.pending_liquid), held.symbol)] if held.pending_liquid else []
        if held.pending_vesting_shares:
            claims.append(Asset(self._part(held.pending_vesting_shares), paired_symbol(held.symbol)))
        return ClaimRewardBalance2(held.name, (), tuple(claims))

    def move_order(self) -> Operation | None:
        name, symbol = self._who(), self._used()
        held = self._held(name, symbol)
        tokens = Asset(self._part(10**6 if held is None else held.liquid // 3), symbol)
        paid = steem(self.rng.choice((1, 50, 1000, 10**5)))
        pair = (tokens, paid) if self.rng.random() < 0.5 else (paid, tokens)
        kill, until = self.rng.random() < 0.1, self.world.now + self.rng.choice((30, 5000))
        return LimitOrderCreate(name, self._next(), *pair, kill, until)

    def move_cancel(self) -> Operation | None:
        orders = list(self.world.tables.limit_orders.scan())
        order = self.rng.choice(orders) if orders else None
        return None if order is None else LimitOrderCancel(order.seller, order.orderid)
