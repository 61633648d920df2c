"""Compares how this node explains the payouts of a block with the reward events of the C++ node."""

from typing import Any

from rewards.payout import PayoutExplanation


def compare_explanations(reports: list[PayoutExplanation], events: list[Any], height: int) -> None:
    """Asserts that the explanations of a block sum up to its reward events, in their order."""
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
