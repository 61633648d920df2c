"""Commands that move tokens and power."""

from __future__ import annotations

import time

from client.declare import argument, option
from client.errors import ClientError, UsageError
from client.render import Columns
from operations.reward import ClaimRewardBalance
from operations.transfer import Transfer
from operations.vesting import DelegateVestingShares, SetWithdrawVestingRoute, TransferToVesting, WithdrawVesting
from protocol.assets import SBD, STEEM, VESTS, Asset
from protocol.memo import encrypt_memo
from wallet.advice import import_hint
from wallet.amounts import format_amount, format_percent, parse_percent
from wallet.app import App
from wallet.commands.common import From, To, command, group
from wallet.trust import describe_rate, doubt_memo_key, doubt_rate

_AT_MOST = option(
    'Refuse to sign for more, as "1000.000000 VESTS"; then the node\'s rate is not looked at.', metavar="VESTS"
)


@command()
def transfer(
    app: App,
    sender: From,
    receiver: To,
    amount: str,
    memo: str = option('Note to the receiver; one that begins with "#" is encrypted.', default=""),
    memo_key: str | None = option("Receiver's memo key.  [default: what the node says]", metavar="KEY"),
) -> None:
    """Send STEEM or SBD: transfer alice bob "1.000 STEEM"."""
    asset = app.session.payment(amount, STEEM, SBD)
    to = app.session.get_account(receiver)
    if memo.startswith("#"):
        memo = _encrypt(app, sender, memo_key or _find_memo_key(app, receiver, to["memo_key"]), memo[1:])
    app.send(Transfer(from_=sender, to=receiver, amount=asset, memo=memo))


def _find_memo_key(app: App, name: str, key: str) -> str:
    """The memo key that the node names, unless it is another than before. Raises ClientError."""
    app.settle(
        doubt_memo_key(app.facts, name, key),
        f"Ask {name} whether the key was changed, and name the right one with --memo-key.",
    )
    app.learned["memo_keys"] = {**app.facts.get("memo_keys", {}), name: key}
    return key


def _encrypt(app: App, sender: str, receiver_key: str, memo: str) -> str:
    key = app.keystore.find(app.session.public_key(app.session.get_account(sender)["memo_key"]))
    if key is None:
        raise ClientError(
            f"the memo key of {sender} is not in this wallet, and an encrypted memo needs it",
            import_hint(sender, "memo"),
        )
    return encrypt_memo(memo, key, app.session.public_key(receiver_key), time.time_ns() // 1000)


@command("power-up")
def power_up(
    app: App,
    account: str,
    amount: str,
    receiver: str = option("Account that gets the power.  [default: the same]", "--to", default=""),
) -> None:
    """Turn liquid STEEM into power."""
    app.send(TransferToVesting(from_=account, to=receiver or account, amount=app.session.amount(amount, STEEM)))


@command("power-down")
def power_down(
    app: App,
    account: str,
    amount: str | None = argument(required=False),
    cancel: bool = option("Stop the running power-down."),
    at_most: str | None = _AT_MOST,
) -> None:
    """Turn power back into liquid STEEM, in parts over weeks. AMOUNT is in STEEM or VESTS."""
    if cancel == (amount is not None):
        raise UsageError("give either an amount or --cancel")
    vests, note = (Asset(0, VESTS), "") if amount is None else _read_power(app, amount, at_most)
    app.send(WithdrawVesting(account=account, vesting_shares=vests), note=note)


@command()
def delegate(app: App, delegator: From, delegatee: To, amount: str, at_most: str | None = _AT_MOST) -> None:
    """Lend power: AMOUNT (in STEEM or VESTS) is all that TO has from FROM afterwards."""
    shares, note = _read_power(app, amount, at_most)
    app.send(DelegateVestingShares(delegator=delegator, delegatee=delegatee, vesting_shares=shares), note=note)


@command()
def undelegate(app: App, delegator: From, delegatee: To) -> None:
    """Take lent power back (it returns after some days)."""
    app.send(DelegateVestingShares(delegator=delegator, delegatee=delegatee, vesting_shares=Asset(0, VESTS)))


def _read_power(app: App, amount: str, at_most: str | None) -> tuple[Asset, str]:
    """An amount of power given in STEEM or VESTS, as VESTS, and a word about the rate if one was used.

    Raises UsageError for nothing and for more than `at_most`, ClientError for a rate that is doubtful.
    """
    session = app.session
    asset = session.amount(amount, STEEM, VESTS)
    shares, note = asset, ""
    if asset.symbol != VESTS:
        power = session.power()
        shares = power.to_vests(asset)
        signed = format_amount(shares, session.identity)
        if at_most is None:
            app.settle(doubt_rate(app.facts, power), 'Give the amount in VESTS, or a bound: --at-most "1000 VESTS".')
        app.learned["rate"] = [power.shares, power.fund]
        note = f"By the node's word {describe_rate(power)}: {signed} are signed for."
        if app.is_sure:
            app.output.note(note)
    if not shares.amount:
        raise UsageError("the amount is 0 VESTS")
    if at_most is not None and shares.amount > session.amount(at_most, VESTS).amount:
        raise UsageError(f"{format_amount(shares, session.identity)} is more than --at-most", "Nothing was signed.")
    return shares, note


@command()
def delegations(app: App, name: str) -> None:
    """List the power an account has lent."""
    found = app.session.client.call("condenser_api.get_vesting_delegations", [name, "", 1000])
    power = app.session.power()
    columns: Columns = {
        "to": "delegatee",
        "worth": lambda row: app.session.format(
            STEEM, power.to_steem(app.session.amount(row["vesting_shares"], VESTS).amount)
        ),
        "shares": "vesting_shares",
        "since": "min_delegation_time",
    }
    app.output.list("delegations", found, columns, 1, 2)


@group()
def route() -> None:
    """Say where the payments of a power-down go."""


@route.command("set")
def set_route(
    app: App, account: str, receiver: To, percent: str, as_power: bool = option("Power it up for the receiver at once.")
) -> None:
    """Send a share of each payment to another account: route set alice bob 25%."""
    points = parse_percent(percent)
    if not points:
        raise UsageError("the share is 0%", "`plaudit wallet route remove` takes a route away.")
    app.send(SetWithdrawVestingRoute(from_account=account, to_account=receiver, percent=points, auto_vest=as_power))


@route.command("remove")
def remove_route(app: App, account: str, receiver: To) -> None:
    """Take a route away."""
    app.send(SetWithdrawVestingRoute(from_account=account, to_account=receiver, percent=0, auto_vest=False))


@route.command("list")
def list_routes(app: App, account: str) -> None:
    """List an account's routes."""
    found = app.session.client.call("condenser_api.get_withdraw_routes", [account, "outgoing"])
    columns: Columns = {
        "to": "to_account",
        "share": lambda row: format_percent(row["percent"]),
        "as": lambda row: "power" if row["auto_vest"] else "liquid",
    }
    app.output.list("routes", found, columns, 1)


@command("claim-rewards")
def claim_rewards(app: App, account: str) -> None:
    """Claim all rewards that wait for an account."""
    found = app.session.get_account(account)
    session = app.session
    rewards = [
        session.amount(found[name]) for name in ("reward_steem_balance", "reward_sbd_balance", "reward_vesting_balance")
    ]
    if not any(asset.amount for asset in rewards):
        raise ClientError(f"there are no rewards to claim for {account}")
    app.send(
        ClaimRewardBalance(account=account, reward_steem=rewards[0], reward_sbd=rewards[1], reward_vests=rewards[2])
    )
