"""Plays a chain at random: a dozen accounts that post, vote, trade, lend, convert and quarrel over simulated weeks.

Everything follows from one seed. Most moves are valid, many are nearly so: an amount one unit too high, a request
that is gone, a vote too early. What the chain refuses is counted and forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from operations.account import AccountCreate, AccountUpdate2, ClaimAccount, CreateClaimedAccount
from operations.content import Comment, CommentOptions, CommentPayoutBeneficiaries, DeleteComment
from operations.convert import Convert
from operations.custom import CustomJson
from operations.escrow import EscrowApprove, EscrowDispute, EscrowRelease, EscrowTransfer
from operations.market import LimitOrderCancel, LimitOrderCreate, LimitOrderCreate2
from operations.proposal import CreateProposal, RemoveProposal, UpdateProposalVotes
from operations.recovery import ChangeRecoveryAccount, DeclineVotingRights, RecoverAccount, RequestAccountRecovery
from operations.reward import ClaimRewardBalance, ClaimRewardBalance2
from operations.savings import CancelTransferFromSavings, TransferFromSavings, TransferToSavings
from operations.transfer import Transfer
from operations.vesting import DelegateVestingShares, SetWithdrawVestingRoute, TransferToVesting, WithdrawVesting
from operations.vote import Vote
from operations.witness import AccountWitnessProxy, AccountWitnessVote, FeedPublish, WitnessUpdate
from protocol.assets import SBD, STEEM, Asset, Price
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.errors import ProtocolError
from protocol.keys import PrivateKey
from protocol.operation import Operation
from protocol.types import Authority, Beneficiary, LegacyChainProperties
from tests.audit.auditor import Auditor
from tests.harness import Harness, authority_of, config_with, sbd, steem, vests

PEOPLE = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
ACCOUNTS_MAX = 26
DAY = 86_400

Moves = list[Operation] | Operation | None


def play_config(**rules: Any) -> ChainConfig:
    """Preset dev with short windows, so that everything falls due often; blocks stay reversible for a while."""
    defaults: dict[str, Any] = {
        "cashout_window_seconds": 7200,
        "upvote_lockout_seconds": 600,
        "feed_interval_blocks": 15,
        "feed_history_window": 7,
        "min_feeds": 2,
        "owner_auth_recovery_period_seconds": 2 * DAY,
        "sbd_interest_compound_interval_seconds": 3 * DAY,
        "vesting_withdraw_interval_seconds": 2 * DAY,
        "treasury_fee": 1000,
        "witness_shutdown_blocks": 0,
        "irreversible_by_witness_from_block": 0xFFFFFFFF,
        "recent_claims_initial": 10**15,
    }
    return config_with("dev", **{**defaults, **rules})


class Player:
    """A chain in memory, and somebody who does one random thing after the other on it."""

    def __init__(self, seed: int, config: ChainConfig | None = None) -> None:
        self.rng = Random(seed)
        self.world = Harness(config or play_config(), first_block=False)
        self._guests: list[str] = []
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._serial = 0
        self.moves: dict[str, Callable[[], Moves]] = {
            name.removeprefix("move_"): getattr(self, name) for name in dir(self) if name.startswith("move_")
        }

    # Doing

    def start(self) -> None:
        """Witnesses with feeds, votes for them, and a few proxies: what a random walk would take long to build."""
        world = self.world
        world.generate_block()
        for name in PEOPLE[:6]:
            props = LegacyChainProperties(steem(3000), 131_072, 1000)
            world.push(WitnessUpdate(name, "https://example.com", world.key(name, "block").public_key, props, steem(0)))
            world.push(FeedPublish(name, Price(sbd(250), steem(1000))))
        world.generate_block()
        for name in PEOPLE:
            world.push(AccountWitnessVote(name, self.rng.choice(PEOPLE[:6]), True))
        for name, proxy in (("frank", "heidi"), ("heidi", "judy")):
            world.push(AccountWitnessProxy(name, proxy))
        world.generate_block()

    def step(self) -> None:
        """One move, and sometimes a block."""
        name = self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        self.do(name)
        if self.rng.random() < 0.09:
            self.make_block()

    def do(self, name: str) -> bool:
        """Tries a move; returns whether the chain took it."""
        made = self.moves[name]()
        if made is None:
            return False
        return self.send(*made) if isinstance(made, list) else self.send(made)

    def send(self, *operations: Operation) -> bool:
        """Pushes a transaction; returns whether the chain took it."""
        try:
            self.world.push(*operations)
        except ProtocolError:
            self.refused.update(op.wire_name for op in operations)
            return False
        self.accepted.update(op.wire_name for op in operations)
        return True

    def make_block(self) -> Block:
        """A block in the next slot, or after minutes, hours, days or weeks of silence."""
        return self.world.generate_block(skip_slots=self.silence())

    def silence(self) -> int:
        """A number of slots to leave out."""
        rng, chance = self.rng, self.rng.random()
        if chance < 0.55:
            return 0
        if chance < 0.82:
            return rng.randrange(1, 150)
        if chance < 0.95:
            return rng.randrange(100, 1500)
        if chance < 0.995:
            return rng.randrange(1200, 16_000)
        return rng.randrange(28_800, 600_000)

    # Choosing

    @property
    def names(self) -> list[str]:
        """Everybody who plays; a guest may be missing again when its creation did not make it into a block."""
        return [*PEOPLE, *(name for name in self._guests if self.world.tables.accounts.find(name) is not None)]

    def someone(self) -> str:
        return self.rng.choice(self.names)

    def number(self) -> int:
        self._serial += 1
        return self._serial

    def some_of(self, balance: int) -> int:
        """A part of a balance: everything, one unit, one too many, or something between in any magnitude."""
        chance = self.rng.random()
        if chance < 0.03:
            return max(balance, 1)
        if chance < 0.06:
            return balance + 1
        if chance < 0.15:
            return self.rng.randrange(1, 20)
        return max(int(balance * 10 ** self.rng.uniform(-5, -0.7)), 1)

    def some_asset(self, name: str) -> Asset:
        account = self.world.account(name)
        if self.rng.random() < 0.5:
            return steem(self.some_of(account.balance))
        return sbd(self.some_of(account.sbd_balance))

    def a_row(self, rows: Iterator[Any]) -> Any:
        found = list(rows)
        return self.rng.choice(found) if found else None

    def a_post(self) -> Any:
        """A post, rather a recent one."""
        posts = list(self.world.tables.comments.scan(reverse=True))[:60]
        return posts[min(int(self.rng.expovariate(0.12)), len(posts) - 1)] if posts else None

    def soon(self, longest: int = 5 * DAY) -> int:
        return self.world.now + self.rng.choice([3, 60, 3600, DAY, longest, self.rng.randrange(1, longest)])

    # Money

    def move_transfer(self) -> Moves:
        name = self.someone()
        to = self.rng.choice([self.someone(), self.someone(), self.someone(), "null", "steem.dao"])
        return Transfer(name, to, self.some_asset(name), "")

    def move_two_transfers(self) -> Moves:
        one, other = self.someone(), self.someone()
        return [
            Transfer(one, other, self.some_asset(one), ""),
            Transfer(other, one, self.some_asset(other), ""),
        ]

    def move_to_savings(self) -> Moves:
        name = self.someone()
        return TransferToSavings(name, self.rng.choice([name, self.someone(), "null"]), self.some_asset(name), "")

    def move_from_savings(self) -> Moves:
        name = self.someone()
        row = self.world.account(name)
        amount = self.rng.choice([steem(self.some_of(row.savings_balance)), sbd(self.some_of(row.savings_sbd_balance))])
        return TransferFromSavings(name, self.rng.choice([1, 2, self.number()]), self.someone(), amount, "")

    def move_cancel_savings(self) -> Moves:
        row = self.a_row(self.world.tables.savings_withdraws.scan())
        return None if row is None else CancelTransferFromSavings(row.from_, row.request_id)

    def move_convert(self) -> Moves:
        name = self.someone()
        amount = sbd(self.some_of(self.world.account(name).sbd_balance))
        return Convert(name, self.rng.choice([1, self.number()]), amount)

    # Escrow

    def move_escrow(self) -> Moves:
        giver, taker, agent = self.someone(), self.someone(), self.someone()
        row, deadline = self.world.account(giver), self.soon(3 * DAY)
        half = self.rng.choice([0, 1, 1])
        fee = self.rng.choice([steem, sbd])(self.rng.randrange(0, 5000))
        return EscrowTransfer(
            giver,
            taker,
            sbd(self.some_of(row.sbd_balance) * half),
            steem(self.some_of(row.balance) * self.rng.choice([1 - half, 1])),
            self.rng.choice([1, self.number()]),
            agent,
            fee,
            "",
            deadline,
            deadline + self.rng.choice([3, 3600, 3 * DAY]),
        )

    def move_escrow_approve(self) -> Moves:
        row = self.a_row(self.world.tables.escrows.scan())
        if row is None:
            return None
        yes = self.rng.random() < 0.88
        return EscrowApprove(row.from_, row.to, row.agent, self.rng.choice([row.to, row.agent]), row.escrow_id, yes)

    def move_escrow_dispute(self) -> Moves:
        row = self.a_row(self.world.tables.escrows.scan())
        if row is None:
            return None
        return EscrowDispute(row.from_, row.to, row.agent, self.rng.choice([row.from_, row.to]), row.escrow_id)

    def move_escrow_release(self) -> Moves:
        row = self.a_row(self.world.tables.escrows.scan())
        if row is None:
            return None
        who = row.agent if row.disputed else self.rng.choice([row.from_, row.to])
        receiver = self.rng.choice([row.from_, row.to])
        parts = (row.sbd_balance, row.steem_balance)
        if self.rng.random() < 0.5:
            parts = (self.rng.randrange(0, row.sbd_balance + 2), self.rng.randrange(0, row.steem_balance + 1))
        return EscrowRelease(row.from_, row.to, row.agent, who, receiver, row.escrow_id, sbd(parts[0]), steem(parts[1]))

    # Market

    def move_order(self) -> Moves:
        name, rng = self.someone(), self.rng
        offered = self.some_asset(name)
        wanted = self._worth(offered)
        kill = rng.random() < 0.1
        return LimitOrderCreate(name, rng.choice([1, self.number()]), offered, wanted, kill, self.soon(28 * DAY))

    def move_order_at_rate(self) -> Moves:
        name, rng = self.someone(), self.rng
        offered = self.some_asset(name)
        some = rng.choice([1, 7, 1000, 12_345])
        rate = Price(Asset(some, offered.symbol), self._worth(Asset(some, offered.symbol)))
        return LimitOrderCreate2(name, self.number(), offered, rate, rng.random() < 0.1, self.soon(28 * DAY))

    def move_dust(self) -> Moves:
        """An order whose rest is worth nothing once another has bought as much as it asks for."""
        one, other, rng = self.someone(), self.someone(), self.rng
        rate, amount = rng.randrange(2, 10), rng.randrange(4, 60)
        bought = max(amount // rate, 1)
        until = self.soon()
        return [
            LimitOrderCreate2(one, self.number(), steem(amount), Price(steem(rate), sbd(1)), False, until),
            LimitOrderCreate(other, self.number(), sbd(bought), steem(bought * rate), False, until),
        ]

    def _worth(self, offered: Asset) -> Asset:
        """What an amount would bring on the market, a little more or less."""
        noise = self.rng.choice([0.98, 1.0, 1.0, 1.02, self.rng.uniform(0.7, 1.4)])
        if offered.symbol == STEEM:
            return Asset(max(int(offered.amount * noise / 4), 1), SBD)
        return Asset(max(int(offered.amount * noise * 4), 1), STEEM)

    def move_cancel_order(self) -> Moves:
        row = self.a_row(self.world.tables.limit_orders.scan())
        return None if row is None else LimitOrderCancel(row.seller, row.orderid)

    # Stake

    def move_power_up(self) -> Moves:
        name = self.someone()
        to = self.rng.choice(["", self.someone(), self.someone(), "null"])
        return TransferToVesting(name, to, steem(self.some_of(self.world.account(name).balance)))

    def move_power_down(self) -> Moves:
        name = self.someone()
        row = self.world.account(name)
        return WithdrawVesting(
            name, vests(self.rng.choice([0, self.some_of(row.vesting_shares), row.vesting_shares // 2]))
        )

    def move_route(self) -> Moves:
        percent = self.rng.choice([0, 1, 33, 2500, 5000, 10_000])
        return SetWithdrawVestingRoute(self.someone(), self.someone(), percent, self.rng.random() < 0.5)

    def move_delegate(self) -> Moves:
        name, rng = self.someone(), self.rng
        row = self.world.account(name)
        lent = self.a_row(self.world.tables.vesting_delegations.scan((name,)))
        if lent is not None and rng.random() < 0.6:
            change = rng.choice([0, lent.vesting_shares // 2, lent.vesting_shares * 2, lent.vesting_shares - 1])
            return DelegateVestingShares(name, lent.delegatee, vests(change))
        return DelegateVestingShares(name, self.someone(), vests(self.some_of(row.vesting_shares)))

    def move_claim(self) -> Moves:
        rows = [
            row for row in self.world.tables.accounts.scan() if row.reward_vesting_balance or row.reward_sbd_balance
        ]
        row = self.a_row(iter([row for row in rows if row.name in self.names]))
        if row is None:
            return None
        amounts: tuple[int, ...]
        amounts = (row.reward_steem_balance, row.reward_sbd_balance, row.reward_vesting_balance)
        if self.rng.random() < 0.5:
            amounts = tuple(min(self.some_of(amount), amount + 1) if amount else 0 for amount in amounts)
        if self.rng.random() < 0.2:
            tokens = (sbd(amounts[1]), steem(amounts[0]), vests(amounts[2]))
            claimed = tuple(sorted((token for token in tokens if token.amount), key=lambda token: token.symbol))
            return ClaimRewardBalance2(row.name, (), claimed)
        return ClaimRewardBalance(row.name, steem(amounts[0]), sbd(amounts[1]), vests(amounts[2]))

    # Witnesses

    def move_witness_vote(self) -> Moves:
        return AccountWitnessVote(self.someone(), self.rng.choice([*PEOPLE[:7], "initminer"]), self.rng.random() < 0.7)

    def move_proxy(self) -> Moves:
        return AccountWitnessProxy(self.someone(), self.rng.choice([self.someone(), self.someone(), ""]))

    def move_feed(self) -> Moves:
        """Mostly a price at which the debt is between nine and ten per cent, where the print rate moves."""
        rng = self.rng
        rate = Price(sbd(rng.randrange(880, 1080)), steem(1000))
        if rng.random() < 0.25:
            rate = Price(sbd(rng.choice([1, 120, 250, 333, 900])), steem(rng.choice([4, 400, 1000, 3333])))
        return FeedPublish(rng.choice(PEOPLE[:7]), rate)

    def move_witness(self) -> Moves:
        name = self.rng.choice(PEOPLE[:7])
        props = LegacyChainProperties(
            steem(self.rng.choice([1000, 3000, 9000])), 131_072, self.rng.choice([0, 500, 2000])
        )
        key = self.world.key(name, "block").public_key
        return WitnessUpdate(name, "https://example.com", key, props, steem(0))

    # Posts

    def move_post(self) -> Moves:
        return Comment("", "life", self.someone(), f"post-{self.number()}", "title", "text", "")

    def move_reply(self) -> Moves:
        post = self.a_post()
        if post is None:
            return None
        return Comment(post.author, post.permlink, self.someone(), f"reply-{self.number()}", "", "text", "")

    def move_edit(self) -> Moves:
        post = self.a_post()
        if post is None:
            return None
        return Comment(post.parent_author, post.parent_permlink, post.author, post.permlink, "", "more text", "")

    def move_delete(self) -> Moves:
        post = self.a_post()
        return None if post is None else DeleteComment(post.author, post.permlink)

    def move_post_with_options(self) -> Moves:
        name, permlink, rng = self.someone(), f"rich-{self.number()}", self.rng
        post = Comment("", "life", name, permlink, "title", "text", "")
        names = sorted(rng.sample([*self.names, "null", "steem.dao"], rng.randrange(0, 4)))
        shares = tuple(Beneficiary(other, rng.choice([1, 777, 2500, 3333])) for other in names)
        options = CommentOptions(
            name,
            permlink,
            sbd(rng.choice([0, 20, 1000, 10**9])),
            rng.choice([0, 1, 5000, 10_000]),
            rng.random() < 0.95,
            rng.random() < 0.85,
            (CommentPayoutBeneficiaries(shares),) if shares else (),
        )
        return [post, options]

    def move_vote(self) -> Moves:
        post = self.a_post()
        if post is None:
            return None
        weight = self.rng.choice([10_000, 10_000, 5000, 1234, 100, 1, 0, -1, -2500, -10_000])
        return Vote(self.someone(), post.author, post.permlink, weight)

    # Accounts

    def _authority(self, name: str, role: str) -> Authority:
        return authority_of(self.world.key(name, role))

    def _newcomer(self) -> str:
        name = f"guest-{self.number()}"
        self._guests.append(name)
        return name

    def move_account(self) -> Moves:
        if len(self.names) >= ACCOUNTS_MAX:
            return None
        name = self._newcomer()
        fee = self.world.tables.witness_schedule.get(0).median_props.account_creation_fee
        roles = [self._authority(name, role) for role in ("owner", "active", "posting")]
        memo = self.world.key(name, "memo").public_key
        made = AccountCreate(fee, "initminer", name, roles[0], roles[1], roles[2], memo, "")
        return [made, Transfer("initminer", name, steem(5_000_000), "")]

    def move_claim_account(self) -> Moves:
        fee = self.world.tables.witness_schedule.get(0).median_props.account_creation_fee
        return ClaimAccount(self.rng.choice(self.names[:5]), self.rng.choice([fee, steem(0)]), ())

    def move_claimed_account(self) -> Moves:
        if len(self.names) >= ACCOUNTS_MAX:
            return None
        name = self._newcomer()
        roles = [self._authority(name, role) for role in ("owner", "active", "posting")]
        memo = self.world.key(name, "memo").public_key
        return CreateClaimedAccount(self.rng.choice(self.names[:5]), name, roles[0], roles[1], roles[2], memo, "", ())

    def move_profile(self) -> Moves:
        return AccountUpdate2(self.someone(), None, None, None, None, "", "{}", ())

    def move_custom(self) -> Moves:
        return CustomJson((), (self.someone(),), "follow", "{}")

    def move_decline(self) -> Moves:
        return DeclineVotingRights(self.rng.choice(self.names[7:]), self.rng.random() < 0.4)

    def move_change_recovery(self) -> Moves:
        return ChangeRecoveryAccount(self.someone(), self.someone(), ())

    def move_request_recovery(self) -> Moves:
        name = self.rng.choice(self.names[7:])
        helper = self.world.account(name).recovery_account or "initminer"
        return RequestAccountRecovery(helper, name, authority_of(PrivateKey.from_seed(f"{name} anew")), ())

    def move_recover(self) -> Moves:
        row = self.a_row(self.world.tables.account_recovery_requests.scan())
        if row is None:
            return None
        recent = self._authority(row.account_to_recover, "owner")
        return RecoverAccount(row.account_to_recover, row.new_owner_authority, recent, ())

    # Proposals

    def move_propose(self) -> Moves:
        post = self.a_post()
        if post is None:
            return None
        start = self.soon(2 * DAY)
        end = start + self.rng.choice([3600, DAY, 10 * DAY, 40 * DAY])
        pay = sbd(self.rng.choice([1, 240, 24_000, 10**8]))
        return CreateProposal(post.author, self.someone(), start, end, pay, "subject", post.permlink, ())

    def _proposals(self) -> tuple[int, ...]:
        rows = [row.id for row in self.world.tables.proposals.scan()]
        return tuple(sorted(self.rng.sample(rows, min(len(rows), self.rng.randrange(1, 4)))))

    def move_proposal_vote(self) -> Moves:
        numbers = self._proposals()
        return UpdateProposalVotes(self.someone(), numbers, self.rng.random() < 0.8, ()) if numbers else None

    def move_remove_proposal(self) -> Moves:
        row = self.a_row(self.world.tables.proposals.scan())
        return None if row is None else RemoveProposal(row.creator, (row.id,), ())


WEIGHTS = {
    "transfer": 8,
    "two_transfers": 2,
    "to_savings": 3,
    "from_savings": 3,
    "cancel_savings": 1,
    "convert": 2,
    "escrow": 3,
    "escrow_approve": 5,
    "escrow_dispute": 1,
    "escrow_release": 3,
    "order": 12,
    "order_at_rate": 4,
    "dust": 2,
    "cancel_order": 2,
    "power_up": 4,
    "power_down": 3,
    "route": 3,
    "delegate": 6,
    "claim": 5,
    "witness_vote": 3,
    "proxy": 2,
    "feed": 3,
    "witness": 1,
    "post": 5,
    "reply": 5,
    "edit": 2,
    "delete": 1,
    "post_with_options": 4,
    "vote": 26,
    "account": 0.4,
    "claim_account": 0.5,
    "claimed_account": 0.4,
    "profile": 0.3,
    "custom": 0.5,
    "decline": 0.15,
    "change_recovery": 0.3,
    "request_recovery": 0.2,
    "recover": 0.2,
    "propose": 0.6,
    "proposal_vote": 2,
    "remove_proposal": 0.15,
}
"""How often each move is chosen."""


@contextmanager
def audited(world: Harness) -> Iterator[Auditor]:
    """An auditor that follows every block of a chain that has none yet, the moment it is applied."""
    ledger: Any = world.chain.ledger
    auditor = Auditor(world.config.rules, world.chain.ctx.tables)
    apply_block = ledger.apply_block

    def apply_and_follow(block: Block, *trust: bool) -> Any:
        effects = apply_block(block, *trust)
        auditor.follow(block, [applied.op for applied in effects.operations])
        return effects

    ledger.apply_block = apply_and_follow
    try:
        yield auditor
    finally:
        del ledger.apply_block
