"""A whole chain of the reference: every reward it paid, and every post, vote, fund and reputation, to the last unit."""

from collections.abc import Iterator
from typing import Any

import pytest

from chain.effects import BlockEffects
from chain.ledger import Ledger
from protocol.block import Block
from protocol.codec import Codec
from rewards.comments import get_comment
from rewards.fund import get_reward_fund
from rewards.payout import PayoutExplanation
from state.context import Context
from state.engine.kv import MemoryBackend
from state.engine.store import Store
from state.tables.kinds import TIME_MAX
from state.tables.tables import Tables
from tests.consensus.test_reference_chain import read_block_log
from tests.consensus.worlds import TESTNET, parse_time
from tests.strategies import import_all_operations
from tests.vectors import read_jsonl, vectors_path

CHAIN = "reference_chain_a"
REWARDS = {"author_reward", "curation_reward", "comment_benefactor_reward", "producer_reward", "interest"}
COMMENT_FIELDS = [
    "id",
    "author",
    "permlink",
    "category",
    "parent_author",
    "parent_permlink",
    "last_update",
    "created",
    "active",
    "last_payout",
    "depth",
    "children",
    "net_rshares",
    "abs_rshares",
    "vote_rshares",
    "children_abs_rshares",
    "cashout_time",
    "max_cashout_time",
    "total_vote_weight",
    "reward_weight",
    "total_payout_value",
    "curator_payout_value",
    "author_rewards",
    "net_votes",
    "max_accepted_payout",
    "percent_steem_dollars",
    "allow_replies",
    "allow_votes",
    "allow_curation_rewards",
]
ACCOUNT_FIELDS = [
    "balance",
    "sbd_balance",
    "sbd_seconds",
    "sbd_last_interest_payment",
    "reward_sbd_balance",
    "reward_steem_balance",
    "reward_vesting_balance",
    "reward_vesting_steem",
    "vesting_shares",
    "curation_rewards",
    "posting_rewards",
    "post_count",
    "last_post",
    "last_root_post",
    "last_vote_time",
]
SUPPLY_FIELDS = [
    "virtual_supply",
    "current_supply",
    "current_sbd_supply",
    "total_vesting_fund_steem",
    "total_vesting_shares",
    "sbd_print_rate",
    "pending_rewarded_vesting_shares",
    "pending_rewarded_vesting_steem",
    "sps_interval_ledger",
]


def plain(value: Any) -> Any:
    """A field of a JSON object as the state holds it: amounts, times and large numbers become integers."""
    if isinstance(value, dict):
        return int(value["amount"])
    if isinstance(value, str) and len(value) == 19 and value[10] == "T":
        return parse_time(value) & TIME_MAX
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value


def compare(row: Any, shown: dict[str, Any], fields: list[str], height: int) -> None:
    assert {field: getattr(row, field) for field in fields} == {field: plain(shown[field]) for field in fields}, height


def apply_chain() -> Iterator[tuple[Ledger, BlockEffects]]:
    import_all_operations()
    store: Store[Tables] = Store(MemoryBackend(), Tables, chain_id=TESTNET.chain_id)
    ledger = Ledger(store, TESTNET)
    codec = Codec(TESTNET.identity)
    for packed in read_block_log(vectors_path(CHAIN, "block_log")):
        yield ledger, ledger.apply_block(Block.from_bytes(codec, packed), skip_signatures=True)


@pytest.mark.recorded
def test_states() -> None:
    states = {state["height"]: state for state in read_jsonl(vectors_path(CHAIN, "states.jsonl"))}
    for ledger, effects in apply_chain():
        if effects.number in states:
            compare_state(ledger.ctx, states[effects.number])


def compare_state(ctx: Context, state: dict[str, Any]) -> None:
    height, shown, tables = state["height"], state["database_api"], ctx.tables
    compare(ctx.gpo, shown["dynamic_global_properties"], SUPPLY_FIELDS, height)
    (fund,) = shown["reward_funds"]["funds"]
    compare(get_reward_fund(ctx), fund, ["id", "reward_balance", "recent_claims", "last_update"], height)
    for account in state["condenser_api"]["accounts"]:
        reputation = tables.reputations.find(account["name"])
        assert int(account["reputation"]) == (reputation.reputation if reputation else 0), (height, account["name"])
    for account in shown.get("accounts", {}).get("accounts", []):
        compare(tables.accounts.get(account["name"]), account, ACCOUNT_FIELDS, height)
    for comment in shown.get("comments", []):
        row = get_comment(ctx, comment["author"], comment["permlink"])
        compare(row, comment, COMMENT_FIELDS, height)
        assert [list(entry.values()) for entry in comment["beneficiaries"]] == [list(b) for b in row.beneficiaries]
        assert tables.comments.get(row.root_comment).permlink == comment["root_permlink"]
        assert tables.comment_contents.get(row.id).title == comment["title"]
    if "votes" in shown:
        compare_votes(ctx, shown["votes"]["votes"], height)


def compare_votes(ctx: Context, votes: list[dict[str, Any]], height: int) -> None:
    fields = ["id", "voter", "weight", "rshares", "vote_percent", "last_update", "num_changes"]
    for vote in votes:
        comment = get_comment(ctx, vote["author"], vote["permlink"])
        row = ctx.tables.comment_votes.get((comment.id, ctx.tables.accounts.get(vote["voter"]).id))
        compare(row, vote, fields, height)
    assert len(list(ctx.tables.comment_votes.scan())) == len(votes), height


@pytest.mark.recorded
def test_events_and_explanations() -> None:
    """The events equal the reference's, in its order, and the explanations of a block sum up to its payouts."""
    shown = {record["height"]: record["ops"] for record in read_jsonl(vectors_path(CHAIN, "blocks.jsonl"))}
    codec = Codec(TESTNET.identity)
    explained = 0
    for _, effects in apply_chain():
        ours = [
            [applied.op.wire_name, codec.to_json(type(applied.op), applied.op, True)]
            for applied in effects.operations
            if applied.op.wire_name in REWARDS
        ]
        theirs = [entry["op"] for entry in shown[effects.number] if entry["op"][0] in REWARDS]
        assert ours == theirs, effects.number
        reports = [report for report in effects.reports if isinstance(report, PayoutExplanation)]
        compare_explanations(reports, theirs, effects.number)
        explained += sum(report.reward > 0 for report in reports)
    assert explained == 88


def compare_explanations(reports: list[PayoutExplanation], events: list[Any], height: int) -> None:
    curated = [(part.voter, part.vests) for report in reports for part in report.curators if part.steem]
    assert curated == [(op["curator"], amount(op["reward"])) for name, op in events if name == "curation_reward"], (
        height
    )
    authors = [
        (report.author, report.author_part.paid_sbd, report.author_part.paid_steem, report.author_part.paid_vests)
        for report in reports
        if report.reward
    ]
    assert authors == [
        (op["author"], amount(op["sbd_payout"]), amount(op["steem_payout"]), amount(op["vesting_payout"]))
        for name, op in events
        if name == "author_reward"
    ], height
    for report in reports:
        known = [part for part in report.curators if part.full_weight is not None]
        assert sum(part.full_weight or 0 for part in known) <= report.total_vote_weight
        if all(part.full_weight is not None and part.weight == part.full_weight for part in report.curators):
            assert report.total_vote_weight == sum(part.weight for part in report.curators)


def amount(text: str) -> int:
    """The smallest units of "1.000 TESTS"."""
    return int(text.split(maxsplit=1)[0].replace(".", ""))
