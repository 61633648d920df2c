"""The declarations as a whole: numbers, names, order of fields, docs, and a round trip of each."""

import ast
import dataclasses
import re
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from operations import registry
from operations.registry import ALL_OPERATIONS, collect_operations
from protocol.codec import Codec
from protocol.curves import RewardCurve
from protocol.operation import OPERATIONS, Operation, operation
from protocol.resources import Resources
from tests.chains import MAINNET
from tests.operations.samples import SAMPLES
from tests.vectors import clients_path

CLASSIC = [
    "vote",
    "comment",
    "transfer",
    "transfer_to_vesting",
    "withdraw_vesting",
    "limit_order_create",
    "limit_order_cancel",
    "feed_publish",
    "convert",
    "account_create",
    "account_update",
    "witness_update",
    "account_witness_vote",
    "account_witness_proxy",
    "pow",
    "custom",
    "report_over_production",
    "delete_comment",
    "custom_json",
    "comment_options",
    "set_withdraw_vesting_route",
    "limit_order_create2",
    "claim_account",
    "create_claimed_account",
    "request_account_recovery",
    "recover_account",
    "change_recovery_account",
    "escrow_transfer",
    "escrow_dispute",
    "escrow_release",
    "pow2",
    "escrow_approve",
    "transfer_to_savings",
    "transfer_from_savings",
    "cancel_transfer_from_savings",
    "custom_binary",
    "decline_voting_rights",
    "reset_account",
    "set_reset_account",
    "claim_reward_balance",
    "delegate_vesting_shares",
    "account_create_with_delegation",
    "witness_set_properties",
    "account_update2",
    "create_proposal",
    "update_proposal_votes",
    "remove_proposal",
]
TOKENS = [
    "claim_reward_balance2",
    "vote2",
    "smt_setup",
    "smt_setup_emissions",
    "smt_setup_ico_tier",
    "smt_set_setup_parameters",
    "smt_set_runtime_parameters",
    "smt_create",
    "smt_contribute",
]
VIRTUAL = [
    "fill_convert_request",
    "author_reward",
    "curation_reward",
    "comment_reward",
    "liquidity_reward",
    "interest",
    "fill_vesting_withdraw",
    "fill_order",
    "shutdown_witness",
    "fill_transfer_from_savings",
    "hardfork",
    "comment_payout_update",
    "return_vesting_delegation",
    "comment_benefactor_reward",
    "producer_reward",
    "clear_null_account_balance",
    "proposal_pay",
    "sps_fund",
    "hardfork23",
]
TOKEN_EVENTS = [
    "smt_ico_launch",
    "smt_ico_evaluation",
    "smt_token_launch",
    "smt_refund",
    "smt_contributor_payout",
    "smt_founder_payout",
    "smt_token_emission",
]
"""What the reference keeps no history of."""
DECLARED = list(ALL_OPERATIONS.values())
FIELDS_LINE = re.compile(r"- `steem::protocol::(\w+)_operation`: (.*)")


def json_fields(cls: type[Operation]) -> list[str]:
    return [field.name.removesuffix("_") for field in dataclasses.fields(cls)]  # type: ignore[arg-type]


def documentation(annotation: Any) -> str:
    texts = [text for text in get_args(annotation)[1:] if isinstance(text, str)]
    return texts[0] if get_origin(annotation) is Annotated and texts else ""


def test_numbers_and_names_follow_the_reference() -> None:
    assert len(CLASSIC) == 47
    assert len(TOKENS) == 9
    expected = dict(enumerate(CLASSIC + TOKENS + VIRTUAL + TOKEN_EVENTS))
    assert {number: cls.wire_name for number, cls in ALL_OPERATIONS.items()} == expected
    assert {cls.wire_name for cls in DECLARED if cls.virtual} == {*VIRTUAL, *TOKEN_EVENTS}
    assert all(cls.number == number for number, cls in ALL_OPERATIONS.items())


def test_field_order_is_the_reference_s() -> None:
    known = dict(FIELDS_LINE.findall(clients_path("objects.md").read_text(encoding="utf-8")))
    compared = [cls for cls in DECLARED if cls.wire_name in known]
    assert {cls.wire_name for cls in DECLARED} - {cls.wire_name for cls in compared} <= {*TOKENS, *TOKEN_EVENTS}
    for cls in compared:
        assert json_fields(cls) == known[cls.wire_name].split(", "), cls.wire_name


@pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.wire_name)
def test_every_field_and_class_is_documented(cls: type[Operation]) -> None:
    hints = get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        assert documentation(hints[field.name]).endswith("."), f"{cls.wire_name}.{field.name}"
    assert cls.__doc__ is not None
    source = cls.__doc__ if "Source: " in cls.__doc__ else ""
    assert source, f"{cls.wire_name} does not name its source"


@pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.wire_name)
def test_the_default_instance_survives_bytes_and_both_json_forms(cls: type[Operation]) -> None:
    codec = Codec(MAINNET)
    names_token = "symbol" in json_fields(cls)
    value = codec.from_json(cls, {"symbol": {"nai": "@@000000021", "precision": 3}} if names_token else {})
    assert codec.decode(cls, codec.encode(cls, value)) == value
    for legacy in (True, False):
        assert codec.from_json(cls, codec.to_json(cls, value, legacy)) == value


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_survives_bytes_and_both_json_forms(name: str) -> None:
    value = SAMPLES[name]
    codec = Codec(MAINNET)
    assert codec.decode(type(value), codec.encode(type(value), value)) == value
    for legacy in (True, False):
        assert codec.from_json(type(value), codec.to_json(type(value), value, legacy)) == value


def test_there_is_a_sample_of_every_operation_that_can_be_sent() -> None:
    assert set(SAMPLES) == set(CLASSIC + TOKENS)


def declare(**members: Any) -> type[Operation]:
    return type("Fly", (Operation,), {"__module__": "sky", **members})


def test_a_number_that_is_taken_is_refused_when_the_operation_is_declared() -> None:
    with pytest.raises(TypeError, match=r"operation 2 \(fly\) is already declared as Transfer"):
        operation(2, Resources())(declare())


def test_a_class_without_a_number_and_a_gap_are_refused_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    sky = ModuleType("sky")
    sky.Fly = declare()  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"sky\.Fly has no number"):
        collect_operations([sky])
    monkeypatch.delitem(OPERATIONS, 17)
    with pytest.raises(TypeError, match="no operation has the number 17"):
        collect_operations([])


def test_every_module_of_operations_is_found() -> None:
    declaring = {cls.__module__ for cls in OPERATIONS.values() if not cls.virtual}
    folder = Path(registry.__file__).parent
    written = {
        f"operations.{path.stem}" for path in folder.glob("*.py") if "\n@operation(" in path.read_text(encoding="utf-8")
    }
    assert declaring == written


def test_an_operation_is_named_in_its_own_module_alone() -> None:
    """What docs/contributing.md says: no table elsewhere knows the operations that nobody but a sender needs."""
    root = Path(registry.__file__).parents[1]
    page = (root / "docs" / "contributing.md").read_text(encoding="utf-8")
    assert "add an operation | its class in a module of `operations/`" in page
    files = [path for room in ("protocol", "chain", "rpc") for path in (root / room).rglob("*.py")]
    names = {cls.__name__ for cls in DECLARED if not cls.virtual}
    for path in [*files, Path(registry.__file__)]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("operations"):
                assert not names & {alias.name for alias in node.names}, path


def test_a_curve_is_named_in_one_place() -> None:
    root = Path(registry.__file__).parents[1]
    rooms = ("protocol", "state", "consensus", "rewards", "operations", "chain", "rpc", "wallet")
    texts = [(path, path.read_text(encoding="utf-8")) for room in rooms for path in (root / room).rglob("*.py")]
    for curve in RewardCurve:
        assert [path.name for path, text in texts if f'"{curve}"' in text] == ["curves.py"], curve
