"""Witness votes by stake: those of the account itself, or of the proxy at the end of its chain.

Source: libraries/chain/database.cpp, adjust_proxied_witness_votes (both), adjust_witness_votes, adjust_witness_vote.
"""

from protocol.errors import Rejected
from protocol.integers import UINT128_MAX
from state.context import SINGLETON, Context
from state.tables.accounts import Account
from state.tables.witnesses import Witness


class WitnessVoteSums:
    """Collects changes of the stake behind witnesses, so that each witness's row changes once.

    The votes of witnesses must not be read before `finish`.
    """

    __slots__ = ("_choices", "_ctx", "_votes")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._votes: dict[str, int] = {}
        self._choices: dict[str, tuple[str, ...]] = {}

    def add(self, account: Account, delta: int) -> None:
        """Adds `delta` VESTS satoshis to every witness the account votes for."""
        choices = self._choices.get(account.name)
        if choices is None:
            choices = tuple(vote.witness for vote in self._ctx.tables.witness_votes.scan((account.name,)))
            self._choices[account.name] = choices
        sums, witnesses = self._votes, self._ctx.tables.witnesses
        total_vesting_shares = self._ctx.gpo.total_vesting_shares
        for name in choices:
            votes = sums.get(name)
            votes = (witnesses.get(name).votes if votes is None else votes) + delta
            _check_witness_votes(votes, total_vesting_shares)
            sums[name] = votes

    def forget_choices(self, name: str) -> None:
        """Drops the cached votes of an account, because they change."""
        self._choices.pop(name, None)

    def finish(self) -> None:
        """Writes the sums."""
        for name, votes in self._votes.items():
            _set_witness_votes(self._ctx, self._ctx.tables.witnesses.get(name), votes)
        self._votes.clear()


def adjust_proxied_witness_votes(
    ctx: Context, account: Account, deltas: tuple[int, ...], sums: WitnessVoteSums | None = None, depth: int = 0
) -> None:
    """Applies changes of stake to the witnesses that the account, or the proxy at the end of its chain, votes for.

    The first delta is of the account's own stake, the others of stake proxied to it, by depth. With `sums` the changes
    are only collected there, and the caller finishes them.
    """
    max_depth = ctx.rules.max_proxy_recursion_depth
    if account.proxy == "":
        if not account.witnesses_voted_for:
            return
        added = WitnessVoteSums(ctx) if sums is None else sums
        added.add(account, sum(deltas[: max_depth - depth + 1]))
        if sums is None:
            added.finish()
    elif depth < max_depth:
        accounts = ctx.tables.accounts
        proxy = accounts.get(account.proxy)
        votes = list(proxy.proxied_vsf_votes)
        for level, delta in enumerate(deltas[: max_depth - depth], start=depth):
            votes[level] += delta
        proxy = accounts.update(proxy, proxied_vsf_votes=tuple(votes))
        adjust_proxied_witness_votes(ctx, proxy, deltas, sums, depth + 1)


def adjust_witness_vote(ctx: Context, witness: Witness, delta: int) -> None:
    """Adds `delta` VESTS satoshis to a witness's votes and reschedules it in virtual time."""
    votes = witness.votes + delta
    _check_witness_votes(votes, ctx.gpo.total_vesting_shares)
    _set_witness_votes(ctx, witness, votes)


def _check_witness_votes(votes: int, total_vesting_shares: int) -> None:
    if votes > total_vesting_shares:
        raise Rejected(
            "w.votes <= get_dynamic_global_properties().total_vesting_shares.amount",
            "",
            **{"w.votes": votes, "props": total_vesting_shares},
        )


def _set_witness_votes(ctx: Context, witness: Witness, votes: int) -> None:
    now = ctx.tables.witness_schedule.get(SINGLETON).current_virtual_time
    position = (witness.virtual_position + witness.votes * (now - witness.virtual_last_update)) & UINT128_MAX
    scheduled = (now + (UINT128_MAX - position) // (votes + 1)) & UINT128_MAX
    if scheduled < now:
        scheduled = UINT128_MAX
    ctx.tables.witnesses.update(
        witness,
        votes=votes,
        virtual_position=position,
        virtual_last_update=now,
        virtual_scheduled_time=scheduled,
    )


def clear_witness_votes(ctx: Context, name: str) -> None:
    """Removes all witness votes of an account; their weight must have been removed before."""
    tables = ctx.tables
    for vote in list(tables.witness_votes.scan((name,))):
        tables.witness_votes.delete(vote)
    tables.accounts.update(tables.accounts.get(name), witnesses_voted_for=0)
