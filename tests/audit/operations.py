"""What each operation moves. Operations that move neither money nor stake nor votes have no entry here.

Source: libraries/chain/steem_evaluator.cpp, sps_evaluator.cpp; database.cpp, apply_order, match, fill_order.
Blocks hold only what was accepted, so most rules need no check here; those that guard money are checked all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from protocol.assets import SBD, STEEM, VESTS, Asset, Price
from protocol.operation import Operation
from protocol.virtual_operations import FillOrder
from tests.audit.books import NEVER, AuditError, Books, Row, use
from tests.audit.numbers import HUNDRED_PERCENT, exchange, null_price, on_curve

Handler = Callable[[Books, Any], None]
HANDLERS: dict[str, Handler] = {}

IGNORED = {
    "account_update",
    "account_update2",
    "custom",
    "custom_json",
    "request_account_recovery",
    "recover_account",
    "change_recovery_account",
}
"""Accepted operations without a part in the books."""


def apply_operation(books: Books, op: Operation) -> None:
    """Enters one operation of a block into the books."""
    handler = HANDLERS.get(op.wire_name)
    if handler is not None:
        handler(books, op)
    elif op.wire_name not in IGNORED:
        raise AuditError(f"the auditor does not know {op.wire_name}")


def moves(name: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[name] = handler
        return handler

    return register


def require(condition: object, rule: str) -> None:
    if not condition:
        raise AuditError(f"a block breaks the rule: {rule}")


# Accounts


def new_account(books: Books, name: str) -> None:
    require(name not in books.accounts, "names are unique")
    zeros = (
        "balance savings_balance sbd_balance sbd_seconds sbd_seconds_last_update sbd_last_interest_payment "
        "savings_sbd_balance savings_sbd_seconds savings_sbd_seconds_last_update savings_sbd_last_interest_payment "
        "savings_withdraw_requests reward_sbd_balance reward_steem_balance reward_vesting_balance reward_vesting_steem "
        "curation_rewards posting_rewards vesting_shares delegated_vesting_shares received_vesting_shares "
        "vesting_withdraw_rate withdrawn to_withdraw withdraw_routes witnesses_voted_for last_post last_root_post "
        "last_post_edit last_vote_time post_count pending_claimed_accounts"
    )
    books.accounts[name] = {
        **dict.fromkeys(zeros.split(), 0),
        "id": books.next_id("accounts"),
        "proxy": "",
        "can_vote": True,
        "voting_manabar": [0, books.now],
        "downvote_manabar": [0, books.now],
        "next_vesting_withdrawal": NEVER,
        "proxied_vsf_votes": [0, 0, 0, 0],
    }


@moves("account_create")
def account_create(books: Books, op: Any) -> None:
    require(op.fee == Asset(books.given.account_creation_fee, STEEM), "the exact fee")
    books.add_asset(op.creator, op.fee, -1)
    books.add_asset(books.rules.null_account, op.fee)
    new_account(books, op.new_account_name)


@moves("claim_account")
def claim_account(books: Books, op: Any) -> None:
    if op.fee.amount == 0:
        witness, one = books.witnesses[books.gpo["current_witness"]], books.rules.account_subsidy_precision
        require(books.given.kinds[books.gpo["current_witness"]] == 0, "only elected witnesses give subsidised accounts")
        witness["available_witness_account_subsidies"] -= one
        books.gpo["available_account_subsidies"] -= one
        require(witness["available_witness_account_subsidies"] >= 0, "the witness has subsidies")
        require(books.gpo["available_account_subsidies"] >= 0, "there are subsidies")
    else:
        require(op.fee.amount == books.given.account_creation_fee, "the exact fee")
    books.add_asset(books.rules.null_account, op.fee)
    books.add_asset(op.creator, op.fee, -1)
    books.accounts[op.creator]["pending_claimed_accounts"] += 1


@moves("create_claimed_account")
def create_claimed_account(books: Books, op: Any) -> None:
    books.accounts[op.creator]["pending_claimed_accounts"] -= 1
    require(books.accounts[op.creator]["pending_claimed_accounts"] >= 0, "an account was claimed before")
    new_account(books, op.new_account_name)


@moves("decline_voting_rights")
def decline_voting_rights(books: Books, op: Any) -> None:
    if op.decline:
        require(op.account not in books.declining, "one request at a time")
        books.declining[op.account] = books.now + books.rules.owner_auth_recovery_period_seconds
    else:
        del books.declining[op.account]


# Money


@moves("transfer")
def transfer(books: Books, op: Any) -> None:
    books.add_asset(op.from_, op.amount, -1)
    books.add_asset(op.to, op.amount)


@moves("transfer_to_savings")
def transfer_to_savings(books: Books, op: Any) -> None:
    books.add_asset(op.from_, op.amount, -1)
    books.add_savings(op.to, op.amount.amount, op.amount.symbol)


@moves("transfer_from_savings")
def transfer_from_savings(books: Books, op: Any) -> None:
    books.add_savings(op.from_, -op.amount.amount, op.amount.symbol)
    require((op.from_, op.request_id) not in books.savings, "request numbers are unique")
    books.savings[op.from_, op.request_id] = {
        "id": books.next_id("savings"),
        "from_": op.from_,
        "to": op.to,
        "memo": op.memo,
        "request_id": op.request_id,
        "amount": op.amount,
        "complete": books.now + books.rules.savings_withdraw_seconds,
    }
    books.accounts[op.from_]["savings_withdraw_requests"] += 1


@moves("cancel_transfer_from_savings")
def cancel_transfer_from_savings(books: Books, op: Any) -> None:
    entry = books.savings.pop((op.from_, op.request_id))
    books.add_savings(op.from_, entry["amount"].amount, entry["amount"].symbol)
    books.accounts[op.from_]["savings_withdraw_requests"] -= 1


@moves("convert")
def convert(books: Books, op: Any) -> None:
    books.add_asset(op.owner, op.amount, -1)
    require(books.has_price, "there is a price")
    require((op.owner, op.requestid) not in books.conversions, "request numbers are unique")
    books.conversions[op.owner, op.requestid] = {
        "id": books.next_id("conversions"),
        "owner": op.owner,
        "requestid": op.requestid,
        "amount": op.amount.amount,
        "conversion_date": books.now + books.rules.conversion_delay_seconds,
    }


@moves("escrow_transfer")
def escrow_transfer(books: Books, op: Any) -> None:
    steem, sbd = op.steem_amount.amount, op.sbd_amount.amount
    if op.fee.symbol == STEEM:
        steem += op.fee.amount
    else:
        sbd += op.fee.amount
    books.add(op.from_, -steem, STEEM)
    books.add(op.from_, -sbd, SBD)
    require((op.from_, op.escrow_id) not in books.escrows, "escrow numbers are unique")
    books.escrows[op.from_, op.escrow_id] = {
        "id": books.next_id("escrows"),
        "from_": op.from_,
        "to": op.to,
        "agent": op.agent,
        "escrow_id": op.escrow_id,
        "ratification_deadline": op.ratification_deadline,
        "escrow_expiration": op.escrow_expiration,
        "sbd_balance": op.sbd_amount.amount,
        "steem_balance": op.steem_amount.amount,
        "pending_fee": op.fee,
        "to_approved": False,
        "agent_approved": False,
        "disputed": False,
    }


@moves("escrow_approve")
def escrow_approve(books: Books, op: Any) -> None:
    entry = books.escrows[op.from_, op.escrow_id]
    require((entry["to"], entry["agent"]) == (op.to, op.agent), "the parties of the escrow")
    require(entry["ratification_deadline"] >= books.now, "before the deadline")
    side = "to_approved" if op.who == op.to else "agent_approved"
    require(not entry[side], "approved once")
    if not op.approve:
        books.add(op.from_, entry["steem_balance"], STEEM)
        books.add(op.from_, entry["sbd_balance"], SBD)
        books.add_asset(op.from_, entry["pending_fee"])
        del books.escrows[op.from_, op.escrow_id]
        return
    entry[side] = True
    if entry["to_approved"] and entry["agent_approved"]:
        books.add_asset(op.agent, entry["pending_fee"])
        entry["pending_fee"] = Asset(0, entry["pending_fee"].symbol)


@moves("escrow_dispute")
def escrow_dispute(books: Books, op: Any) -> None:
    entry = books.escrows[op.from_, op.escrow_id]
    require(entry["to_approved"] and entry["agent_approved"], "approved by both")
    require(books.now < entry["escrow_expiration"] and not entry["disputed"], "in time and once")
    entry["disputed"] = True


@moves("escrow_release")
def escrow_release(books: Books, op: Any) -> None:
    entry = books.escrows[op.from_, op.escrow_id]
    require(entry["to_approved"] and entry["agent_approved"], "approved by both")
    if entry["disputed"]:
        require(op.who == entry["agent"], "the agent decides a dispute")
    elif entry["escrow_expiration"] > books.now:
        other = {entry["from_"]: entry["to"], entry["to"]: entry["from_"]}
        require(other.get(op.who) == op.receiver, "each releases to the other")
    books.add(op.receiver, op.steem_amount.amount, STEEM)
    books.add(op.receiver, op.sbd_amount.amount, SBD)
    entry["steem_balance"] -= op.steem_amount.amount
    entry["sbd_balance"] -= op.sbd_amount.amount
    require(entry["steem_balance"] >= 0 and entry["sbd_balance"] >= 0, "no more than the escrow holds")
    if entry["steem_balance"] == 0 and entry["sbd_balance"] == 0:
        del books.escrows[op.from_, op.escrow_id]


# Market


@moves("limit_order_create")
def limit_order_create(books: Books, op: Any) -> None:
    place_order(books, op, Price(op.amount_to_sell, op.min_to_receive))


@moves("limit_order_create2")
def limit_order_create2(books: Books, op: Any) -> None:
    place_order(books, op, op.exchange_rate)


@moves("limit_order_cancel")
def limit_order_cancel(books: Books, op: Any) -> None:
    cancel_order(books, books.orders[op.owner, op.orderid])


def cancel_order(books: Books, order: Row) -> None:
    books.add(order["seller"], order["for_sale"], order["sell_price"].base.symbol)
    del books.orders[order["seller"], order["orderid"]]


def place_order(books: Books, op: Any, price: Price) -> None:
    require(
        books.now < op.expiration <= books.now + books.rules.max_limit_order_expiration_seconds, "a life of 28 days"
    )
    books.add_asset(op.owner, op.amount_to_sell, -1)
    require((op.owner, op.orderid) not in books.orders, "order numbers are unique")
    order = {
        "id": books.next_id("orders"),
        "created": books.now,
        "expiration": op.expiration,
        "seller": op.owner,
        "orderid": op.orderid,
        "for_sale": op.amount_to_sell.amount,
        "sell_price": price,
    }
    books.orders[op.owner, op.orderid] = order
    worst = Fraction(price.quote.amount, price.base.amount)
    """What one unit sold must bring at least; the other side offers its own ratio."""
    others = [
        other
        for other in books.orders.values()
        if (other["sell_price"].base.symbol, other["sell_price"].quote.symbol)
        == (price.quote.symbol, price.base.symbol)
        and _ratio(other["sell_price"]) >= worst
    ]
    for other in sorted(others, key=lambda other: (-_ratio(other["sell_price"]), other["id"])):
        if match(books, order, other):
            break
    if op.fill_or_kill:
        require((op.owner, op.orderid) not in books.orders, "filled or killed")


def _ratio(price: Price) -> Fraction:
    return Fraction(price.base.amount, price.quote.amount)


def match(books: Books, new: Row, old: Row) -> bool:
    """Trades two orders at the price of the older one; returns whether the new one is done."""
    price: Price = old["sell_price"]
    sold, bought = price.quote.symbol, price.base.symbol
    if new["for_sale"] <= exchange(old["for_sale"], bought, price):
        new_pays = new["for_sale"]
        old_pays = exchange(new_pays, sold, price)
    else:
        old_pays = old["for_sale"]
        new_pays = exchange(old_pays, bought, price)
    require(new_pays == new["for_sale"] or old_pays == old["for_sale"], "one order is used up")
    books.emit(
        FillOrder(
            new["seller"], new["orderid"], Asset(new_pays, sold), old["seller"], old["orderid"], Asset(old_pays, bought)
        )
    )
    done = fill(books, new, new_pays, Asset(old_pays, bought))
    fill(books, old, old_pays, Asset(new_pays, sold))
    return done


def fill(books: Books, order: Row, pays: int, receives: Asset) -> bool:
    books.add_asset(order["seller"], receives)
    order["for_sale"] -= pays
    if order["for_sale"] == 0:
        del books.orders[order["seller"], order["orderid"]]
        return True
    if exchange(order["for_sale"], order["sell_price"].base.symbol, order["sell_price"]) == 0:
        cancel_order(books, order)
        return True
    return False


# Stake


@moves("transfer_to_vesting")
def transfer_to_vesting(books: Books, op: Any) -> None:
    books.add_asset(op.from_, op.amount, -1)
    books.vest(op.to or op.from_, op.amount.amount)


@moves("withdraw_vesting")
def withdraw_vesting(books: Books, op: Any) -> None:
    account, amount = books.accounts[op.account], op.vesting_shares.amount
    require(account["vesting_shares"] - account["delegated_vesting_shares"] >= amount >= 0, "stake of one's own")
    account["withdrawn"], account["to_withdraw"] = 0, amount
    if amount == 0:
        account["vesting_withdraw_rate"], account["next_vesting_withdrawal"] = 0, NEVER
        return
    parts = books.rules.vesting_withdraw_intervals
    rate = max(amount // parts, 1)
    if rate * parts < amount:
        rate += 1
    require(rate != account["vesting_withdraw_rate"], "the rate changes")
    account["vesting_withdraw_rate"] = rate
    account["next_vesting_withdrawal"] = books.now + books.rules.vesting_withdraw_interval_seconds


@moves("set_withdraw_vesting_route")
def set_withdraw_vesting_route(books: Books, op: Any) -> None:
    pair = (op.from_account, op.to_account)
    if op.percent == 0:
        del books.routes[pair]
    else:
        books.routes[pair] = {"to_account": op.to_account, "percent": op.percent, "auto_vest": op.auto_vest}
    routes = [route for (name, _target), route in books.routes.items() if name == op.from_account]
    require(sum(route["percent"] for route in routes) <= HUNDRED_PERCENT, "no more than everything is routed")
    books.accounts[op.from_account]["withdraw_routes"] = len(routes)


@moves("delegate_vesting_shares")
def delegate_vesting_shares(books: Books, op: Any) -> None:
    giver, taker = books.accounts[op.delegator], books.accounts[op.delegatee]
    pair, wanted, percent = (op.delegator, op.delegatee), op.vesting_shares.amount, books.gpo["downvote_pool_percent"]
    books.refill(op.delegator)
    entry = books.delegations.get(pair)
    before = 0 if entry is None else entry["vesting_shares"]
    delta = wanted - before
    if delta >= 0:
        available, available_down = available_to_delegate(books, op.delegator)
        require(delta <= available, "mana for the delegation")
        require(delta <= available_down, "down vote mana for the delegation")
        giver["delegated_vesting_shares"] += delta
        use(giver["voting_manabar"], delta)
        use(giver["downvote_manabar"], delta * percent // HUNDRED_PERCENT)
        books.refill(op.delegatee, delta)
        taker["received_vesting_shares"] += delta
        if entry is None:
            books.delegations[pair] = {
                "id": books.next_id("delegations"),
                "vesting_shares": wanted,
                "min_delegation_time": books.now,
            }
        else:
            entry["vesting_shares"] = wanted
        return
    assert entry is not None
    number = books.next_id("returning")
    books.returning[number] = {
        "id": number,
        "delegator": op.delegator,
        "vesting_shares": -delta,
        "expiration": max(books.now + books.gpo["delegation_return_period"], entry["min_delegation_time"]),
    }
    books.refill(op.delegatee)
    taker["received_vesting_shares"] += delta
    use(taker["voting_manabar"], -delta)
    use(taker["downvote_manabar"], -delta * percent // HUNDRED_PERCENT)
    if wanted:
        entry["vesting_shares"] = wanted
    else:
        del books.delegations[pair]


def available_to_delegate(books: Books, name: str) -> tuple[int, int]:
    """Shares an account may still lend, by its vote mana and by its down vote mana."""
    account, percent = books.accounts[name], books.gpo["downvote_pool_percent"]
    own = books.effective_shares(name) - account["received_vesting_shares"]
    votes = down = account["voting_manabar"][0]
    if percent:
        down = account["downvote_manabar"][0] * HUNDRED_PERCENT // percent + HUNDRED_PERCENT // percent - 1
    votes, down = min(votes, own), min(down, own)
    left, rate = account["to_withdraw"] - account["withdrawn"], account["vesting_withdraw_rate"]
    if account["next_vesting_withdrawal"] < NEVER and left > rate:
        votes += rate - left
        down += rate - left
    return votes, down


def claim_shares(books: Books, name: str, shares: int) -> None:
    account, gpo = books.accounts[name], books.gpo
    require(shares <= account["reward_vesting_balance"], "no more than the rewards")
    if shares == account["reward_vesting_balance"]:
        steem = account["reward_vesting_steem"]
    else:
        steem = shares * account["reward_vesting_steem"] // account["reward_vesting_balance"]
    account["vesting_shares"] += shares
    account["reward_vesting_balance"] -= shares
    account["reward_vesting_steem"] -= steem
    gpo["total_vesting_shares"] += shares
    gpo["total_vesting_fund_steem"] += steem
    gpo["pending_rewarded_vesting_shares"] -= shares
    gpo["pending_rewarded_vesting_steem"] -= steem
    books.move_votes(name, shares)


@moves("claim_reward_balance")
def claim_reward_balance(books: Books, op: Any) -> None:
    for asset in (op.reward_steem, op.reward_sbd):
        books.add_reward(op.account, -asset.amount, asset.symbol)
    for asset in (op.reward_steem, op.reward_sbd):
        books.add_asset(op.account, asset)
    books.refill(op.account, op.reward_vests.amount)
    claim_shares(books, op.account, op.reward_vests.amount)


@moves("claim_reward_balance2")
def claim_reward_balance2(books: Books, op: Any) -> None:
    for asset in op.reward_tokens:
        if asset.amount == 0:
            continue
        if asset.symbol == VESTS:
            claim_shares(books, op.account, asset.amount)
        else:
            books.add_reward(op.account, -asset.amount, asset.symbol)
            books.add_asset(op.account, asset)


# Witnesses


@moves("account_witness_vote")
def account_witness_vote(books: Books, op: Any) -> None:
    account, weight = books.accounts[op.account], books.vote_weight(op.account)
    require(account["proxy"] == "", "no vote besides a proxy")
    if op.approve:
        require(account["can_vote"], "the right to vote")
        books.witness_votes.add((op.account, op.witness))
        books.witnesses[op.witness]["votes"] += weight
        account["witnesses_voted_for"] += 1
    else:
        books.witness_votes.remove((op.account, op.witness))
        books.witnesses[op.witness]["votes"] -= weight
        account["witnesses_voted_for"] -= 1


@moves("account_witness_proxy")
def account_witness_proxy(books: Books, op: Any) -> None:
    account = books.accounts[op.account]
    require(account["can_vote"] and account["proxy"] != op.proxy, "the right to vote, and a change")
    books.move_all_votes(op.account, -1)
    if op.proxy:
        books.drop_witness_votes(op.account)
        account["proxy"] = op.proxy
        books.move_all_votes(op.account, 1)
    else:
        account["proxy"] = ""


@moves("witness_update")
def witness_update(books: Books, op: Any) -> None:
    books.witnesses.setdefault(
        op.owner,
        {
            "votes": 0,
            "sbd_exchange_rate": null_price(),
            "last_sbd_exchange_update": 0,
            "available_witness_account_subsidies": 0,
        },
    )


@moves("witness_set_properties")
def witness_set_properties(books: Books, op: Any) -> None:
    packed = dict(op.props).get("sbd_exchange_rate")
    if packed is not None:
        half = len(packed) // 2
        base, quote = (int.from_bytes(packed[start : start + 8], "little") for start in (0, half))
        witness = books.witnesses[op.owner]
        witness["sbd_exchange_rate"] = Price(Asset(base, SBD), Asset(quote, STEEM))
        witness["last_sbd_exchange_update"] = books.now


@moves("feed_publish")
def feed_publish(books: Books, op: Any) -> None:
    witness = books.witnesses[op.publisher]
    witness["sbd_exchange_rate"] = op.exchange_rate
    witness["last_sbd_exchange_update"] = books.now


# Posts


@moves("comment")
def comment(books: Books, op: Any) -> None:
    key, now = (op.author, op.permlink), books.now
    account, post = books.accounts[op.author], books.comments.get((op.author, op.permlink))
    account["last_post_edit"] = now
    books.changed_comments.add(key)
    if post is not None:
        post["last_update"] = post["active"] = now
        return
    number = books.next_id("comments")
    parent = books.comments[op.parent_author, op.parent_permlink] if op.parent_author else None
    if parent is None:
        account["last_root_post"] = now
    account["last_post"] = now
    account["post_count"] += 1
    zeros = (
        "last_payout children net_rshares abs_rshares vote_rshares children_abs_rshares total_vote_weight "
        "total_payout_value curator_payout_value beneficiary_payout_value author_rewards net_votes"
    )
    books.comments[key] = {
        **dict.fromkeys(zeros.split(), 0),
        "id": number,
        "author": op.author,
        "permlink": op.permlink,
        "parent_author": op.parent_author,
        "parent_permlink": op.parent_permlink,
        "last_update": now,
        "created": now,
        "active": now,
        "depth": 0 if parent is None else parent["depth"] + 1,
        "cashout_time": now + books.rules.cashout_window_seconds,
        "reward_weight": HUNDRED_PERCENT,
        "root_comment": number if parent is None else parent["root_comment"],
        "root": key if parent is None else parent["root"],
        "max_accepted_payout": 1_000_000_000,
        "percent_steem_dollars": HUNDRED_PERCENT,
        "allow_votes": True,
        "allow_curation_rewards": True,
        "beneficiaries": [],
    }
    count_reply(books, parent, 1)


def count_reply(books: Books, parent: Row | None, step: int) -> None:
    """Every ancestor counts all replies below it."""
    while parent is not None:
        parent["children"] += step
        parent["active"] = books.now
        books.changed_comments.add((parent["author"], parent["permlink"]))
        parent = books.comments[parent["parent_author"], parent["parent_permlink"]] if parent["parent_author"] else None


@moves("delete_comment")
def delete_comment(books: Books, op: Any) -> None:
    post = books.comments.pop((op.author, op.permlink))
    require(
        post["children"] == 0 and post["net_rshares"] <= 0 and post["cashout_time"] != NEVER, "nothing depends on it"
    )
    books.votes.pop(post["id"], None)
    if post["parent_author"]:
        count_reply(books, books.comments[post["parent_author"], post["parent_permlink"]], -1)


@moves("comment_options")
def comment_options(books: Books, op: Any) -> None:
    post = books.comments[op.author, op.permlink]
    books.changed_comments.add((op.author, op.permlink))
    post["max_accepted_payout"] = op.max_accepted_payout.amount
    for name in ("percent_steem_dollars", "allow_votes", "allow_curation_rewards"):
        post[name] = getattr(op, name)
    for extension in op.extensions:
        for account, weight in getattr(extension, "beneficiaries", ()):
            post["beneficiaries"].append((account, weight))


@moves("vote")
def vote(books: Books, op: Any) -> None:
    post, voter = books.comments[op.author, op.permlink], books.accounts[op.voter]
    books.changed_comments.add((op.author, op.permlink))
    now, rules = books.now, books.rules
    require(voter["can_vote"], "the right to vote")
    if post["cashout_time"] == NEVER:
        return
    votes = books.votes.setdefault(post["id"], {})
    former = votes.get(op.voter)
    require(now < post["cashout_time"], "not while it is paid")
    require(now - voter["last_vote_time"] >= rules.min_vote_interval_seconds, "one vote in three seconds")
    strength, used = vote_strength(books, op, post)
    spend(voter, used, op.weight < 0 and books.gpo["downvote_pool_percent"] > 0)
    voter["last_vote_time"] = now
    rshares = -strength if op.weight < 0 else strength
    books.changed_comments.add(post["root"])
    books.comments[post["root"]]["children_abs_rshares"] += strength
    post["abs_rshares"] += strength
    if former is not None:
        require(former["num_changes"] < rules.max_vote_changes and former["vote_percent"] != op.weight, "a few changes")
        post["net_rshares"] += rshares - former["rshares"]
        post["net_votes"] += _sign_step(former["rshares"], rshares)
        post["total_vote_weight"] -= former["weight"]
        former.update(
            rshares=rshares, vote_percent=op.weight, last_update=now, weight=0, num_changes=former["num_changes"] + 1
        )
        return
    counted = post["vote_rshares"]
    post["net_rshares"] += rshares
    post["vote_rshares"] += max(rshares, 0)
    post["net_votes"] += 1 if rshares > 0 else -1
    entry = {"weight": 0, "rshares": rshares, "vote_percent": op.weight, "last_update": now, "num_changes": 0}
    votes[op.voter] = entry
    fund = books.funds[rules.post_reward_fund_name]
    if rshares > 0 and post["last_payout"] == 0 and post["allow_curation_rewards"] and fund["percent_curation_rewards"]:
        curve, s = fund["curation_reward_curve"], fund["content_constant"]
        weight = on_curve(post["vote_rshares"], curve, s) - on_curve(counted, curve, s)
        if weight > 0:
            window = books.gpo["reverse_auction_seconds"]
            entry["weight"] = weight * min(now - post["created"], window) // window
            post["total_vote_weight"] += weight


def _sign_step(old: int, new: int) -> int:
    """How the count of votes changes; a change from less to nothing counts, one from nothing to nothing does not."""
    return ((new > 0) - (new < 0)) - ((old > 0) - (old < 0))


def vote_strength(books: Books, op: Any, post: Row) -> tuple[int, int]:
    """The rshares of a vote and the mana it costs."""
    voter, rules, percent = books.accounts[op.voter], books.rules, books.gpo["downvote_pool_percent"]
    books.refill(op.voter)
    mana, down = voter["voting_manabar"][0], voter["downvote_manabar"][0]
    base = max(down * HUNDRED_PERCENT // percent, mana) if op.weight < 0 and percent else mana
    used = base * abs(op.weight) * 86_400 // HUNDRED_PERCENT
    share = books.gpo["vote_power_reserve_rate"] * rules.voting_mana_regeneration_seconds
    used = (used + share - 1) // share
    if op.weight < 0 and percent:
        require(mana + down > used, "mana for the down vote")
    else:
        require(mana >= used, "mana for the vote")
    strength = max(used - rules.vote_dust_threshold, 0)
    left = post["cashout_time"] - books.now
    if left < rules.upvote_lockout_seconds:
        strength = strength * left // rules.upvote_lockout_seconds
    return strength, used


def spend(voter: Row, used: int, from_down_votes: bool) -> None:
    if from_down_votes:
        first = min(used, voter["downvote_manabar"][0])
        use(voter["downvote_manabar"], first)
        used -= first
    if used or not from_down_votes:
        use(voter["voting_manabar"], used)


# Proposals


@moves("create_proposal")
def create_proposal(books: Books, op: Any) -> None:
    number = books.next_id("proposals")
    books.proposals[number] = {
        "id": number,
        "creator": op.creator,
        "receiver": op.receiver,
        "start_date": op.start_date,
        "end_date": op.end_date,
        "daily_pay": op.daily_pay.amount,
        "total_votes": 0,
        "removed": False,
    }
    books.add(op.creator, -books.rules.treasury_fee, SBD)
    books.add(books.rules.treasury_account, books.rules.treasury_fee, SBD)


@moves("update_proposal_votes")
def update_proposal_votes(books: Books, op: Any) -> None:
    for number in op.proposal_ids:
        if number in books.proposals and not books.proposals[number]["removed"]:
            change = books.proposal_votes.add if op.approve else books.proposal_votes.discard
            change((op.voter, number))


@moves("remove_proposal")
def remove_proposal(books: Books, op: Any) -> None:
    mine = [number for number in op.proposal_ids if number in books.proposals]
    require(
        all(books.proposals[number]["creator"] == op.proposal_owner for number in mine), "only its owner removes it"
    )
    drop_proposals(books, mine)
    for number in mine:
        entry = books.proposals.get(number)
        if entry is not None and not entry["removed"]:
            entry["removed"] = True
            entry["end_date"] = books.now - books.rules.proposal_maintenance_cleanup_seconds


def drop_proposals(books: Books, numbers: list[int]) -> None:
    """Deletes proposals with their votes, as many rows as one round may touch. Source: util/sps_helper.hpp."""
    touched = 0
    for number in numbers:
        for voter in sorted(voter for voter, voted in books.proposal_votes if voted == number):
            touched += 1
            if touched > books.rules.proposal_removals_max:
                return
            books.proposal_votes.discard((voter, number))
        touched += 1
        if touched > books.rules.proposal_removals_max:
            return
        del books.proposals[number]
