"""What the documentation shows is what a node answers."""

import json
import re
from pathlib import Path
from typing import Any

from chain.resource_credits import CreditsExplanation, ResourceCost
from operations.content import CommentOptions, CommentPayoutBeneficiaries
from protocol.types import Beneficiary
from rewards.payout import AuthorPart, BeneficiaryPart, CuratorPart, PayoutExplanation
from rewards.proposals import BUDGET_USED_UP, NO_VOTES, NOT_STARTED, PAID, MaintenanceExplanation, ProposalPart
from rewards.virtual_supply import SbdExplanation
from state.interest import InterestExplanation
from tests.harness import Harness, dev_config, sbd
from tests.rpc.service import Service

DOCS = Path(__file__).resolve().parents[2] / "docs"


def read_examples(name: str) -> list[Any]:
    """The JSON blocks of a page."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


def make_paid_post() -> Harness:
    """Alice posts and gives dave a tenth; bob votes after a minute, carol with half her weight after ten."""
    world = Harness(dev_config())
    world.post("alice", "first")
    world.push(CommentOptions("alice", "first", sbd(1_000_000_000), 10_000, True, True, (_give_a_tenth_to("dave"),)))
    world.generate_block()
    world.pass_time(60)
    world.vote("bob", "alice", "first")
    world.generate_block()
    world.pass_time(540)
    world.vote("carol", "alice", "first", 5_000)
    world.generate_block()
    world.pass_time(3600)
    world.generate_block()
    return world


def _give_a_tenth_to(name: str) -> CommentPayoutBeneficiaries:
    return CommentPayoutBeneficiaries((Beneficiary(name, 1000),))


async def test_the_explained_payout_is_a_real_one() -> None:
    service = Service(make_paid_post())
    (example,) = read_examples("explain-payout.md")
    asked = {"author": "alice", "permlink": "first"}
    assert await service.result("plaudit_api.explain_payout", asked) == example


def list_figures(record: Any) -> tuple[str, ...]:
    """The names of the figures of a record."""
    return getattr(record, "__struct_fields__", None) or record._fields  # type: ignore[no-any-return]


def test_every_figure_of_a_payout_is_explained() -> None:
    text = (DOCS / "explain-payout.md").read_text(encoding="utf-8")
    for record in (PayoutExplanation, CuratorPart, BeneficiaryPart, AuthorPart):
        for field in list_figures(record):
            assert re.search(rf"`[\w\[\].]*{field}`", text), f"{field} is not explained"


def test_every_figure_of_the_other_explanations_is_explained() -> None:
    text = (DOCS / "rpc.md").read_text(encoding="utf-8")
    records = (SbdExplanation, InterestExplanation, MaintenanceExplanation, ProposalPart)
    for record in (*records, CreditsExplanation, ResourceCost):
        for field in list_figures(record):
            assert re.search(rf"^\|[^|]*`{field}`", text, re.MULTILINE), f"{field} is not explained"
    for outcome in (PAID, BUDGET_USED_UP, NO_VOTES, NOT_STARTED):
        assert f"`{outcome}`" in text


async def test_the_examples_of_requests_are_answered_as_shown() -> None:
    service = Service()
    examples = read_examples("rpc.md")
    assert len(examples) % 2 == 0
    for request, answer in zip(examples[::2], examples[1::2], strict=True):
        assert _without_chance(await service.send(request)) == _without_chance(answer)


def _without_chance(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without the time of the error, and without what every change of a rule or a row changes."""
    for frame in answer.get("error", {}).get("data", {}).get("stack", []):
        frame["context"]["timestamp"] = ""
    if "digest" in answer.get("result", {}):
        answer["result"] |= {"block_id": "", "digest": ""}
    return answer


def test_every_method_is_listed(service: Service) -> None:
    listed = set(re.findall(r"^\| `(\w+\.\w+)`", (DOCS / "reference" / "rpc_methods.md").read_text(), re.MULTILINE))
    assert listed == set(service.dispatcher.methods)
