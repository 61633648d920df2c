"""What happens in a block after its transactions, as far as money, stake and votes go.

Source: libraries/chain/database.cpp, _apply_block and the functions it calls; util/sps_processor.cpp.
"""

from __future__ import annotations

from functools import cmp_to_key

from protocol.assets import SBD, STEEM, VESTS, Asset, Price
from protocol.virtual_operations import (
    AuthorReward,
    ClearNullAccountBalance,
    CommentBenefactorReward,
    CommentPayoutUpdate,
    CommentReward,
    CurationReward,
    FillConvertRequest,
    FillTransferFromSavings,
    FillVestingWithdraw,
    ProducerReward,
    ProposalPay,
    ReturnVestingDelegation,
    SpsFund,
)
from tests.audit.books import NEVER, Books, Given, Row
from tests.audit.numbers import HUNDRED_PERCENT, MASK_128, drain, exchange, is_lower, on_curve
from tests.audit.operations import cancel_order, drop_proposals

DAY = 86_400
ELECTED, TIMESHARE, MINER = 0, 1, 2
MASK_32 = 0xFFFFFFFF


def run_steps(books: Books, witness: str, given: Given) -> None:
    """Everything between the last transaction and the end of a block; `given` is the new schedule and its medians."""
    expire_orders(books)
    return_delegations(books)
    books.given = given
    take_median(books)
    update_virtual_supply(books)
    burn(books)
    inflate(books, witness)
    convert(books)
    pay_posts(books)
    power_down(books)
    release_savings(books)
    refill_subsidies(books, witness)
    update_virtual_supply(books)
    expire_escrows(books)
    decline_votes(books)
    run_proposals(books)


def expire_orders(books: Books) -> None:
    late = [order for order in books.orders.values() if order["expiration"] < books.now]
    for order in sorted(late, key=lambda order: (order["expiration"], order["id"])):
        cancel_order(books, order)


def return_delegations(books: Books) -> None:
    late = [entry for entry in books.returning.values() if entry["expiration"] < books.now]
    for entry in sorted(late, key=lambda entry: (entry["expiration"], entry["id"])):
        name, shares = entry["delegator"], entry["vesting_shares"]
        books.emit(ReturnVestingDelegation(name, Asset(shares, VESTS)))
        books.refill(name, shares)
        books.accounts[name]["delegated_vesting_shares"] -= shares
        del books.returning[entry["id"]]


def take_median(books: Books) -> None:
    rules, now = books.rules, books.now
    if books.gpo["head_block_number"] % rules.feed_interval_blocks:
        return
    feeds: list[Price] = []
    for name in books.given.scheduled:
        witness = books.witnesses[name]
        rate: Price = witness["sbd_exchange_rate"]
        if now < witness["last_sbd_exchange_update"] + rules.max_feed_age_seconds and not rate.is_null():
            feeds.append(rate)
    if len(feeds) < rules.min_feeds:
        return
    history = books.feed["history"]
    history.append(middle(feeds))
    del history[: -rules.feed_history_window]
    median = middle(history)
    sbd = books.gpo["current_sbd_supply"]
    if not rules.skip_price_feed_limit_check and sbd > 0:
        lowest = Price(Asset(9 * sbd, SBD), Asset(books.gpo["current_supply"], STEEM))
        if is_lower(median, lowest):
            median = lowest
    books.feed["median"] = median


def middle(prices: list[Price]) -> Price:
    def compare(a: Price, b: Price) -> int:
        return is_lower(b, a) - is_lower(a, b)

    ordered = sorted(prices, key=cmp_to_key(compare))
    return ordered[len(ordered) // 2]


def update_virtual_supply(books: Books) -> None:
    gpo = books.gpo
    debt = books.to_steem(gpo["current_sbd_supply"])
    gpo["virtual_supply"] = gpo["current_supply"] + debt
    if not books.has_price:
        return
    percent = (debt * HUNDRED_PERCENT + gpo["virtual_supply"] // 2) // gpo["virtual_supply"] & 0xFFFF
    start, stop = gpo["sbd_start_percent"], gpo["sbd_stop_percent"]
    if percent <= start:
        gpo["sbd_print_rate"] = HUNDRED_PERCENT
    elif percent >= stop:
        gpo["sbd_print_rate"] = 0
    else:
        gpo["sbd_print_rate"] = (stop - percent) * HUNDRED_PERCENT // (stop - start)


def burn(books: Books) -> None:
    """Whatever the null account got is destroyed."""
    name, gpo = books.rules.null_account, books.gpo
    null = books.accounts[name]
    worth = exchange(null["vesting_shares"], VESTS, books.share_price()) if null["vesting_shares"] else 0
    pending = null["reward_vesting_balance"]
    steem = null["balance"] + null["savings_balance"] + null["reward_steem_balance"] + worth
    steem += null["reward_vesting_steem"] if pending else 0
    sbd = null["sbd_balance"] + null["savings_sbd_balance"] + null["reward_sbd_balance"]
    shares = null["vesting_shares"] + pending
    if not (steem or sbd or shares):
        return
    cleared = [Asset(steem, STEEM), Asset(shares, VESTS), Asset(sbd, SBD)]
    books.emit(ClearNullAccountBalance(tuple(asset for asset in cleared if asset.amount > 0)))
    books.add(name, -null["balance"], STEEM)
    books.add_savings(name, -null["savings_balance"], STEEM)
    if null["sbd_balance"]:
        books.add(name, -null["sbd_balance"], SBD)
    if null["savings_sbd_balance"]:
        books.add_savings(name, -null["savings_sbd_balance"], SBD)
    gpo["total_vesting_shares"] -= null["vesting_shares"]
    gpo["total_vesting_fund_steem"] -= worth
    null["vesting_shares"] = 0
    null["reward_steem_balance"] = null["reward_sbd_balance"] = 0
    if pending:
        gpo["pending_rewarded_vesting_shares"] -= pending
        gpo["pending_rewarded_vesting_steem"] -= null["reward_vesting_steem"]
        null["reward_vesting_steem"] = null["reward_vesting_balance"] = 0
    if steem:
        books.add_supply(-steem, STEEM)
    if sbd:
        books.add_supply(-sbd, SBD)


def inflate(books: Books, witness: str) -> None:
    """New STEEM of a block: for posts, stake, the treasury and the witness."""
    rules, gpo, given = books.rules, books.gpo, books.given
    narrowed = gpo["head_block_number"] // rules.inflation_narrowing_period_blocks
    rate = max(rules.inflation_rate_start_bp - narrowed, rules.inflation_rate_stop_bp)
    blocks_per_year = 365 * DAY // rules.block_interval_seconds
    new = gpo["virtual_supply"] * rate // (HUNDRED_PERCENT * blocks_per_year)
    offered, content = new * gpo["content_reward_percent"] // HUNDRED_PERCENT, 0
    for fund in sorted(books.funds.values(), key=lambda fund: fund["id"]):
        part = offered * fund["percent_content_rewards"] // HUNDRED_PERCENT
        fund["reward_balance"] += part
        content += part
    stake = new * gpo["vesting_reward_percent"] // HUNDRED_PERCENT
    treasury = new * gpo["sps_fund_percent"] // HUNDRED_PERCENT
    pay = (new - content - stake - treasury) * rules.max_witnesses
    kind = given.kinds[witness]
    if kind in (ELECTED, TIMESHARE, MINER):
        pay *= given.weights[kind]
    pay //= given.normalization
    sbd = 0
    if treasury:
        sbd = books.to_sbd(treasury)
        books.add(rules.treasury_account, sbd, SBD)
    gpo["total_vesting_fund_steem"] += stake
    gpo["current_supply"] += content + stake + pay
    gpo["current_sbd_supply"] += sbd
    gpo["virtual_supply"] += content + stake + pay + treasury
    gpo["sps_interval_ledger"] += sbd
    books.emit(ProducerReward(witness, Asset(books.vest(witness, pay), VESTS)))


def convert(books: Books) -> None:
    if not books.has_price:
        return
    due = [entry for entry in books.conversions.values() if entry["conversion_date"] <= books.now]
    sbd = steem = 0
    for entry in sorted(due, key=lambda entry: (entry["conversion_date"], entry["id"])):
        worth = books.to_steem(entry["amount"])
        books.add(entry["owner"], worth, STEEM)
        sbd += entry["amount"]
        steem += worth
        books.emit(
            FillConvertRequest(entry["owner"], entry["requestid"], Asset(entry["amount"], SBD), Asset(worth, STEEM))
        )
        del books.conversions[entry["owner"], entry["requestid"]]
    books.gpo["current_supply"] += steem
    books.gpo["current_sbd_supply"] -= sbd
    books.gpo["virtual_supply"] += steem - books.to_steem(sbd)


# Payouts


def pay_posts(books: Books) -> None:
    rules, now = books.rules, books.now
    for fund in books.funds.values():
        # The one rule that is not the reference's: claims that a chain config starts with fade from block 1 on.
        passed = now - fund["last_update"] if books.gpo["head_block_number"] > 1 else 0
        faded = (fund["recent_claims"] * passed & MASK_128) // rules.recent_claims_decay_seconds
        left = fund["recent_claims"] - faded
        fund["recent_claims"] = left & MASK_128 if rules.recent_claims_wrap else max(left, 0)
        fund["last_update"] = now
    fund = books.funds[rules.post_reward_fund_name]
    due = [post for post in books.comments.values() if post["cashout_time"] <= now]
    due.sort(key=lambda post: (post["cashout_time"], post["id"]))
    for post in due:
        if post["net_rshares"] > 0:
            claim = on_curve(post["net_rshares"], fund["author_reward_curve"], fund["content_constant"])
            fund["recent_claims"] = (fund["recent_claims"] + claim) & MASK_128
    before = fund["reward_balance"]
    for post in due:
        fund["reward_balance"] -= pay_post(books, post, fund, before)


def pay_post(books: Books, post: Row, fund: Row, available: int) -> int:
    """Pays one post and forgets its votes (the reference's CLEAR_VOTES); returns the STEEM that leaves the fund."""
    books.changed_comments.add((post["author"], post["permlink"]))
    claimed = 0
    if post["net_rshares"] > 0:
        reward = reward_of(books, post, fund, available)
        if reward > 0:
            claimed = share_out(books, post, fund, reward)
    post["net_rshares"] = min(post["net_rshares"], 0)
    for name in ("children_abs_rshares", "abs_rshares", "vote_rshares", "total_vote_weight"):
        post[name] = 0
    post["cashout_time"] = NEVER
    post["last_payout"] = books.now
    books.emit(CommentPayoutUpdate(post["author"], post["permlink"]))
    books.votes.pop(post["id"], None)
    return claimed


def reward_of(books: Books, post: Row, fund: Row, available: int) -> int:
    claim = on_curve(post["net_rshares"], fund["author_reward_curve"], fund["content_constant"])
    claim = claim * post["reward_weight"] // HUNDRED_PERCENT
    payout: int = available * claim // fund["recent_claims"]
    if books.to_sbd(payout) < books.rules.min_payout_sbd:
        payout = 0
    return min(payout, books.to_steem(post["max_accepted_payout"]))


def share_out(books: Books, post: Row, fund: Row, reward: int) -> int:
    author, permlink = post["author"], post["permlink"]
    for_curators = reward * fund["percent_curation_rewards"] // HUNDRED_PERCENT
    for_author = reward - for_curators
    curated = pay_curators(books, post, for_curators)
    claimed: int = for_author + curated
    for_others = 0
    for name, weight in post["beneficiaries"]:
        part = for_author * weight // HUNDRED_PERCENT
        sbd = steem = 0
        if name == books.rules.treasury_account:
            sbd, vested = books.to_sbd(part), 0
            books.add(name, sbd, SBD)
            books.add_supply(-part, STEEM)
            books.add_supply(sbd, SBD)
        else:
            liquid = part * post["percent_steem_dollars"] // (2 * HUNDRED_PERCENT)
            vested = part - liquid
            sbd, steem = books.print_sbd(name, liquid)
        shares = books.vest_reward(name, vested)
        books.emit(
            CommentBenefactorReward(name, author, permlink, Asset(sbd, SBD), Asset(steem, STEEM), Asset(shares, VESTS))
        )
        for_others += part
    for_author -= for_others
    liquid = for_author * post["percent_steem_dollars"] // (2 * HUNDRED_PERCENT)
    vested = for_author - liquid
    sbd, steem = books.print_sbd(author, liquid)
    shares = books.vest_reward(author, vested)
    books.emit(AuthorReward(author, permlink, Asset(sbd, SBD), Asset(steem, STEEM), Asset(shares, VESTS)))
    post["total_payout_value"] += sbd + books.to_sbd(steem + vested)
    post["curator_payout_value"] += books.to_sbd(curated)
    post["beneficiary_payout_value"] += books.to_sbd(for_others)
    books.emit(CommentReward(author, permlink, Asset(books.to_sbd(claimed), SBD)))
    post["author_rewards"] += for_author
    books.accounts[author]["posting_rewards"] += for_author
    return claimed


def pay_curators(books: Books, post: Row, available: int) -> int:
    """Pays the voters, heaviest first; returns what they got together."""
    total = post["total_vote_weight"]
    if not post["allow_curation_rewards"] or total == 0:
        return 0
    paid = 0
    votes = books.votes.get(post["id"], {})
    for name, vote in sorted(votes.items(), key=lambda entry: (-entry[1]["weight"], books.accounts[entry[0]]["id"])):
        claim = available * vote["weight"] // total
        if claim > 0:
            shares = books.vest_reward(name, claim)
            books.emit(CurationReward(name, Asset(shares, VESTS), post["author"], post["permlink"]))
            books.accounts[name]["curation_rewards"] += claim
            paid += claim
    return paid


# Power down, savings, subsidies


def power_down(books: Books) -> None:
    """Walks the accounts by the time of their next withdrawal, as an iterator over a changing index does."""

    def key(name: str) -> tuple[int, str]:
        return books.accounts[name]["next_vesting_withdrawal"], name

    def following(after: tuple[int, str] | None) -> str | None:
        left = [key(name) for name in books.accounts if after is None or key(name) > after]
        return min(left)[1] if left else None

    name = following(None)
    while name is not None and key(name)[0] <= books.now:
        succeeding = following(key(name))
        withdraw(books, name)
        name = succeeding


def withdraw(books: Books, name: str) -> None:
    account, gpo = books.accounts[name], books.gpo
    rate, left = account["vesting_withdraw_rate"], account["to_withdraw"] - account["withdrawn"]
    amount = min(account["vesting_shares"], account["to_withdraw"] % rate if left < rate else rate)
    routes = [books.routes[pair] for pair in sorted(books.routes) if pair[0] == name]
    spent = 0
    for route in (route for route in routes if route["auto_vest"]):
        part = amount * route["percent"] // HUNDRED_PERCENT
        spent += part
        if part > 0:
            target = route["to_account"]
            books.emit(FillVestingWithdraw(name, target, Asset(part, VESTS), Asset(part, VESTS)))
            books.accounts[target]["vesting_shares"] += part
            books.move_votes(target, part)
    for route in (route for route in routes if not route["auto_vest"]):
        part = amount * route["percent"] // HUNDRED_PERCENT
        spent += part
        if part > 0:
            steem = exchange(part, VESTS, books.share_price())
            books.emit(FillVestingWithdraw(name, route["to_account"], Asset(part, VESTS), Asset(steem, STEEM)))
            books.accounts[route["to_account"]]["balance"] += steem
            gpo["total_vesting_fund_steem"] -= steem
            gpo["total_vesting_shares"] -= part
    rest = amount - spent
    assert rest >= 0
    steem = exchange(rest, VESTS, books.share_price())
    books.emit(FillVestingWithdraw(name, name, Asset(rest, VESTS), Asset(steem, STEEM)))
    account["vesting_shares"] -= amount
    account["balance"] += steem
    account["withdrawn"] += amount
    if account["withdrawn"] >= account["to_withdraw"] or account["vesting_shares"] == 0:
        account["vesting_withdraw_rate"] = 0
        account["next_vesting_withdrawal"] = NEVER
    else:
        account["next_vesting_withdrawal"] += books.rules.vesting_withdraw_interval_seconds
    gpo["total_vesting_fund_steem"] -= steem
    gpo["total_vesting_shares"] -= rest
    if amount > 0:
        books.move_votes(name, -amount)


def release_savings(books: Books) -> None:
    due = [entry for entry in books.savings.values() if entry["complete"] <= books.now]
    for entry in sorted(due, key=lambda entry: (entry["complete"], entry["from_"], entry["request_id"])):
        amount: Asset = entry["amount"]
        books.add_asset(entry["to"], amount)
        books.accounts[entry["from_"]]["savings_withdraw_requests"] -= 1
        books.emit(FillTransferFromSavings(entry["from_"], entry["to"], amount, entry["request_id"], entry["memo"]))
        del books.savings[entry["from_"], entry["request_id"]]


def refill_subsidies(books: Books, witness: str) -> None:
    given = books.given
    books.gpo["available_account_subsidies"] = drain(books.gpo["available_account_subsidies"], *given.pool)
    if given.kinds[witness] == ELECTED:
        row = books.witnesses[witness]
        pool = row["available_witness_account_subsidies"]
        row["available_witness_account_subsidies"] = drain(pool, *given.witness_pool)


def expire_escrows(books: Books) -> None:
    late = [
        entry
        for entry in books.escrows.values()
        if not (entry["to_approved"] and entry["agent_approved"]) and entry["ratification_deadline"] <= books.now
    ]
    for entry in sorted(late, key=lambda entry: (entry["ratification_deadline"], entry["id"])):
        books.add(entry["from_"], entry["steem_balance"], STEEM)
        books.add(entry["from_"], entry["sbd_balance"], SBD)
        books.add_asset(entry["from_"], entry["pending_fee"])
        del books.escrows[entry["from_"], entry["escrow_id"]]


def decline_votes(books: Books) -> None:
    due = [(time, name) for name, time in books.declining.items() if time <= books.now]
    for _time, name in sorted(due):
        books.move_all_votes(name, -1)
        books.drop_witness_votes(name)
        books.accounts[name]["can_vote"] = False
        books.accounts[name]["proxy"] = ""
        del books.declining[name]


# Proposals


def run_proposals(books: Books) -> None:
    rules, gpo, now = books.rules, books.gpo, books.now
    over = [
        (entry["end_date"] + rules.proposal_maintenance_cleanup_seconds, number)
        for number, entry in books.proposals.items()
    ]
    drop_proposals(books, [number for time, number in sorted(over) if time <= now])
    if gpo["next_maintenance_time"] > now:
        return
    if gpo["sps_interval_ledger"] > 0:
        books.emit(SpsFund(Asset(gpo["sps_interval_ledger"], SBD)))
        gpo["sps_interval_ledger"] = 0
    active = [entry for entry in books.proposals.values() if entry["start_date"] <= now <= entry["end_date"]]
    if active:
        for entry in active:
            entry["total_votes"] = sum(
                books.vote_weight(voter)
                for voter, number in books.proposal_votes
                if number == entry["id"] and books.accounts[voter]["proxy"] == ""
            )
        active.sort(key=lambda entry: (-entry["total_votes"], entry["id"]))
        pay_proposals(books, active)
    gpo["next_maintenance_time"] = now + rules.proposal_maintenance_period_seconds
    gpo["last_budget_time"] = now


def pay_proposals(books: Books, active: list[Row]) -> None:
    treasury, passed = books.rules.treasury_account, books.now - books.gpo["last_budget_time"]
    daily = books.accounts[treasury]["sbd_balance"] // books.rules.proposal_daily_budget_divider
    budget = passed * daily // DAY
    if budget == 0:
        return
    ratio = (passed * HUNDRED_PERCENT & MASK_32) // DAY
    for entry in active:
        if entry["total_votes"] == 0:
            return
        pay = min(ratio * entry["daily_pay"] // HUNDRED_PERCENT, budget)
        books.emit(ProposalPay(entry["receiver"], Asset(pay, SBD), bytes(20), 0))
        books.add(treasury, -pay, SBD)
        books.add(entry["receiver"], pay, SBD)
        if pay == budget:
            return
        budget -= pay
