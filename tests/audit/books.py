"""The auditor's books: plain dicts, and the movements of money, stake and votes that everything else is made of.

Source: libraries/chain/database.cpp (modify_balance, adjust_supply, create_vesting2, create_sbd,
adjust_proxied_witness_votes), util/manabar.hpp. Nothing here is taken from the code that is audited.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocol.assets import SBD, STEEM, VESTS, Asset, Price
from protocol.operation import Operation
from protocol.rules import Rules
from protocol.virtual_operations import Interest
from tests.audit.numbers import HUNDRED_PERCENT, exchange, null_price, signed_64, toward_zero

NEVER = 0xFFFFFFFF
YEAR = 365 * 86_400
DEPTH = 4
Row = dict[str, Any]

BALANCES = {STEEM: "balance", VESTS: "vesting_shares"}


class Given(NamedTuple):
    """What the auditor takes from the chain: the witnesses' schedule and the medians of their wishes."""

    account_creation_fee: int
    interest_rate: int
    kinds: dict[str, int]
    weights: tuple[int, int, int]
    normalization: int
    scheduled: tuple[str, ...]
    pool: tuple[int, int, int, int, int]
    witness_pool: tuple[int, int, int, int, int]


class AuditError(AssertionError):
    """The books can not be kept: a block moved what was not there."""


@dataclass
class Books:
    """Everything the auditor keeps count of."""

    rules: Rules
    given: Given
    gpo: Row = field(default_factory=dict)
    feed: Row = field(default_factory=dict)
    accounts: dict[str, Row] = field(default_factory=dict)
    witnesses: dict[str, Row] = field(default_factory=dict)
    witness_votes: set[tuple[str, str]] = field(default_factory=set)
    funds: dict[str, Row] = field(default_factory=dict)
    comments: dict[tuple[str, str], Row] = field(default_factory=dict)
    votes: dict[int, dict[str, Row]] = field(default_factory=dict)
    orders: dict[tuple[str, int], Row] = field(default_factory=dict)
    delegations: dict[tuple[str, str], Row] = field(default_factory=dict)
    returning: dict[int, Row] = field(default_factory=dict)
    routes: dict[tuple[str, str], Row] = field(default_factory=dict)
    conversions: dict[tuple[str, int], Row] = field(default_factory=dict)
    savings: dict[tuple[str, int], Row] = field(default_factory=dict)
    escrows: dict[tuple[str, int], Row] = field(default_factory=dict)
    declining: dict[str, int] = field(default_factory=dict)
    proposals: dict[int, Row] = field(default_factory=dict)
    proposal_votes: set[tuple[str, int]] = field(default_factory=set)
    counters: dict[str, int] = field(default_factory=dict)
    events: list[Operation] = field(default_factory=list)
    changed_comments: set[tuple[str, str]] = field(default_factory=set)

    # Small things

    @property
    def now(self) -> int:
        return int(self.gpo["time"])

    @property
    def price(self) -> Price:
        """The median price; null when nobody has named one."""
        price: Price = self.feed["median"]
        return price

    @property
    def has_price(self) -> bool:
        return self.price != null_price()

    def next_id(self, table: str) -> int:
        taken = self.counters.get(table, 0)
        self.counters[table] = taken + 1
        return taken

    def emit(self, event: Operation) -> None:
        self.events.append(event)

    def to_sbd(self, steem: int) -> int:
        return exchange(steem, STEEM, self.price) if self.has_price else 0

    def to_steem(self, sbd: int) -> int:
        return exchange(sbd, SBD, self.price) if self.has_price else 0

    def share_price(self) -> Price:
        """VESTS for STEEM."""
        shares, fund = self.gpo["total_vesting_shares"], self.gpo["total_vesting_fund_steem"]
        if shares == 0 or fund == 0:
            return Price(Asset(1000, STEEM), Asset(1_000_000, VESTS))
        return Price(Asset(shares, VESTS), Asset(fund, STEEM))

    def reward_share_price(self) -> Price:
        """VESTS for STEEM with the rewards that wait to be claimed counted in."""
        gpo = self.gpo
        shares = gpo["total_vesting_shares"] + gpo["pending_rewarded_vesting_shares"]
        fund = gpo["total_vesting_fund_steem"] + gpo["pending_rewarded_vesting_steem"]
        return Price(Asset(shares, VESTS), Asset(fund, STEEM))

    # Balances

    def add(self, name: str, amount: int, symbol: int) -> None:
        """Moves a liquid balance (or stake); SBD first accounts for the time it lay there."""
        account = self.accounts[name]
        if symbol == SBD:
            self._grow(name, account, "")
            account["sbd_balance"] += amount
            left = account["sbd_balance"]
        else:
            account[BALANCES[symbol]] += amount
            left = account[BALANCES[symbol]]
        if left < 0:
            raise AuditError(f"{name} spends {-amount} of {symbol} and lacks {-left}")

    def add_asset(self, name: str, asset: Asset, sign: int = 1) -> None:
        self.add(name, sign * asset.amount, asset.symbol)

    def add_savings(self, name: str, amount: int, symbol: int) -> None:
        account = self.accounts[name]
        if symbol == SBD:
            self._grow(name, account, "savings_")
            account["savings_sbd_balance"] += amount
            left = account["savings_sbd_balance"]
        else:
            assert symbol == STEEM
            account["savings_balance"] += amount
            left = account["savings_balance"]
        if left < 0:
            raise AuditError(f"the savings of {name} lack {-left} of {symbol}")

    def _grow(self, name: str, account: Row, kind: str) -> None:
        """Counts SBD seconds, and pays interest on them when a month has passed since the last time."""
        balance, seconds = f"{kind}sbd_balance", f"{kind}sbd_seconds"
        updated, paid = f"{kind}sbd_seconds_last_update", f"{kind}sbd_last_interest_payment"
        now = self.now
        if account[updated] == now:
            return
        account[seconds] += account[balance] * (now - account[updated])
        account[updated] = now
        if account[seconds] > 0 and now - account[paid] > self.rules.sbd_interest_compound_interval_seconds:
            interest = account[seconds] // YEAR * self.given.interest_rate // HUNDRED_PERCENT
            account[balance] += interest
            account[seconds] = 0
            account[paid] = now
            if interest > 0:
                self.emit(Interest(name, Asset(interest, SBD)))
            self.gpo["current_sbd_supply"] += interest
            self.gpo["virtual_supply"] += self.to_steem(interest)

    def add_reward(self, name: str, amount: int, symbol: int, shares: int = 0) -> None:
        """Moves what waits to be claimed."""
        account = self.accounts[name]
        if symbol == SBD:
            account["reward_sbd_balance"] += amount
        elif shares == 0:
            account["reward_steem_balance"] += amount
        else:
            account["reward_vesting_steem"] += amount
            account["reward_vesting_balance"] += shares
        if min(account["reward_sbd_balance"], account["reward_steem_balance"], account["reward_vesting_balance"]) < 0:
            raise AuditError(f"{name} claims more than its rewards")

    def add_supply(self, amount: int, symbol: int) -> None:
        gpo = self.gpo
        if symbol == STEEM:
            gpo["current_supply"] += amount
            gpo["virtual_supply"] += amount
        else:
            gpo["current_sbd_supply"] += amount
            gpo["virtual_supply"] = self.to_steem(gpo["current_sbd_supply"]) + gpo["current_supply"]
        if gpo["current_supply"] < 0 or gpo["current_sbd_supply"] < 0:
            raise AuditError("a supply fell below nothing")

    def vest(self, name: str, steem: int) -> int:
        """Turns STEEM into stake of an account."""
        shares = exchange(steem, STEEM, self.share_price())
        self.refill(name, shares)
        self.add(name, shares, VESTS)
        self.gpo["total_vesting_fund_steem"] += steem
        self.gpo["total_vesting_shares"] += shares
        self.move_votes(name, shares)
        return shares

    def vest_reward(self, name: str, steem: int) -> int:
        """Turns STEEM into stake that waits to be claimed."""
        shares = exchange(steem, STEEM, self.reward_share_price())
        self.add_reward(name, steem, STEEM, shares)
        self.gpo["pending_rewarded_vesting_shares"] += shares
        self.gpo["pending_rewarded_vesting_steem"] += steem
        return shares

    def print_sbd(self, name: str, steem: int) -> tuple[int, int]:
        """Pays a reward of so much STEEM in SBD as far as the print rate allows; returns SBD and STEEM."""
        if steem == 0:
            return 0, 0
        if not self.has_price:
            self.add(name, steem, STEEM)
            return 0, steem
        printed = self.gpo["sbd_print_rate"] * steem // HUNDRED_PERCENT
        left = steem - printed
        sbd = self.to_sbd(printed)
        self.add_reward(name, sbd, SBD)
        self.add_reward(name, left, STEEM)
        self.add_supply(-printed, STEEM)
        self.add_supply(sbd, SBD)
        return sbd, left

    # Mana

    def effective_shares(self, name: str) -> int:
        account = self.accounts[name]
        shares = account["vesting_shares"] + account["received_vesting_shares"] - account["delegated_vesting_shares"]
        if account["next_vesting_withdrawal"] != NEVER:
            shares -= min(account["vesting_withdraw_rate"], account["to_withdraw"] - account["withdrawn"])
        return int(shares)

    def refill(self, name: str, new_mana: int = 0) -> None:
        """Brings both mana bars up to date, then adds mana that comes with new stake."""
        account, percent = self.accounts[name], self.gpo["downvote_pool_percent"]
        shares = self.effective_shares(name)
        self._regenerate(account["voting_manabar"], shares)
        use(account["voting_manabar"], -new_mana)
        self._regenerate(account["downvote_manabar"], shares * percent // HUNDRED_PERCENT)
        use(account["downvote_manabar"], toward_zero(signed_64(-new_mana * percent), HUNDRED_PERCENT))

    def _regenerate(self, bar: list[int], limit: int) -> None:
        if limit < 0:
            raise AuditError("an account has less than no stake")
        period = self.rules.voting_mana_regeneration_seconds
        if bar[0] >= limit:
            bar[0] = limit
        else:
            bar[0] = min(bar[0] + limit * min(self.now - bar[1], period) // period, limit)
        bar[1] = self.now

    # Votes for witnesses

    def vote_weight(self, name: str) -> int:
        account = self.accounts[name]
        return int(account["vesting_shares"] + sum(account["proxied_vsf_votes"]))

    def move_votes(self, name: str, delta: int) -> None:
        """Lets a change of stake reach the witnesses it votes for, through up to four proxies."""
        for depth in range(DEPTH + 1):
            proxy = self.accounts[name]["proxy"]
            if proxy == "":
                self._move_witness_votes(name, delta)
                return
            if depth == DEPTH:
                return
            self.accounts[proxy]["proxied_vsf_votes"][depth] += delta
            name = proxy

    def move_all_votes(self, name: str, sign: int) -> None:
        """Takes an account's whole weight (its stake and all that is proxied to it) away, or puts it back."""
        account = self.accounts[name]
        deltas = [sign * account["vesting_shares"], *(sign * votes for votes in account["proxied_vsf_votes"])]
        for depth in range(DEPTH + 1):
            proxy = self.accounts[name]["proxy"]
            if proxy == "":
                self._move_witness_votes(name, sum(deltas[: DEPTH - depth + 1]))
                return
            if depth == DEPTH:
                return
            for level in range(DEPTH - depth):
                self.accounts[proxy]["proxied_vsf_votes"][level + depth] += deltas[level]
            name = proxy

    def _move_witness_votes(self, name: str, delta: int) -> None:
        for voter, witness in self.witness_votes:
            if voter == name:
                self.witnesses[witness]["votes"] += delta
                assert self.witnesses[witness]["votes"] <= self.gpo["total_vesting_shares"]

    def drop_witness_votes(self, name: str) -> None:
        self.witness_votes = {vote for vote in self.witness_votes if vote[0] != name}
        self.accounts[name]["witnesses_voted_for"] = 0


def use(bar: list[int], mana: int) -> None:
    """Takes mana out of a bar, down to nothing at most."""
    bar[0] = max(min(bar[0] - mana, (1 << 63) - 1), 0)
