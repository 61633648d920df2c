"""Which authority each operation asks for, and in whose history it stands."""

import dataclasses
from typing import Any

import pytest

from operations.mining import Pow2Operation
from operations.registry import ALL_OPERATIONS
from operations.witness import UNSATISFIABLE_AUTHORITY
from protocol.errors import Invalid
from protocol.operation import Operation, RequiredAuthorities, impacted
from protocol.rules import Rules
from protocol.types import Authority
from tests.operations.samples import AUTHORITY, KEY, OTHER_AUTHORITY, SAMPLES

KEY_AUTHORITY = Authority(1, (), ((KEY, 1),))
ALICE = {"actives": {"alice"}}
ALICE_POSTS = {"postings": {"alice"}}

EXPECTED: dict[str, dict[str, Any]] = {
    "vote": ALICE_POSTS,
    "vote2": ALICE_POSTS,
    "comment": ALICE_POSTS,
    "delete_comment": ALICE_POSTS,
    "comment_options": ALICE_POSTS,
    "claim_reward_balance": ALICE_POSTS,
    "claim_reward_balance2": ALICE_POSTS,
    "feed_publish": {"actives": {"wit"}},
    "witness_update": {"actives": {"wit"}},
    "witness_set_properties": {"others": [KEY_AUTHORITY]},
    "account_update2": ALICE_POSTS,
    "pow": {},
    "pow2": {"actives": {"rabbit-25"}},
    "report_over_production": {},
    "custom": {"actives": {"alice", "bob"}},
    "custom_binary": {"owners": {"alice"}, "actives": {"bob"}, "postings": {"carol"}, "others": [AUTHORITY]},
    "recover_account": {"others": [AUTHORITY, OTHER_AUTHORITY]},
    "change_recovery_account": {"owners": {"bob"}},
    "decline_voting_rights": {"owners": {"alice"}},
    "set_reset_account": ALICE_POSTS,
    "escrow_approve": {"actives": {"carol"}},
}

IMPACTED: dict[str, set[str]] = {
    "vote": {"alice", "bob"},
    "transfer": {"alice", "bob"},
    "transfer_to_vesting": {"alice"},
    "set_withdraw_vesting_route": {"alice", "bob"},
    "delegate_vesting_shares": {"alice", "bob"},
    "feed_publish": {"wit"},
    "witness_update": {"wit"},
    "witness_set_properties": {"wit"},
    "account_witness_vote": {"alice", "wit"},
    "account_create": {"alice", "newbie"},
    "create_claimed_account": {"alice", "newbie"},
    "account_create_with_delegation": {"alice", "newbie"},
    "pow2": {"rabbit-25"},
    "report_over_production": set(),
    "custom": {"alice", "bob"},
    "custom_binary": {"alice", "bob", "carol"},
    "request_account_recovery": {"alice", "bob"},
    "recover_account": {"bob"},
    "change_recovery_account": {"bob"},
    "escrow_transfer": {"alice", "bob", "carol"},
    "escrow_approve": {"alice", "bob", "carol"},
    "escrow_dispute": {"alice", "bob", "carol"},
    "escrow_release": {"alice", "bob", "carol"},
    "transfer_to_savings": {"alice", "bob"},
    "transfer_from_savings": {"alice", "bob"},
    "create_proposal": {"alice", "bob"},
}


def required(operation: Operation) -> dict[str, Any]:
    collected = RequiredAuthorities()
    operation.authorities(collected)
    names = ("actives", "owners", "postings", "others")
    return {name: getattr(collected, name) for name in names if getattr(collected, name)}


@pytest.mark.parametrize("name", SAMPLES)
def test_required_authorities(name: str) -> None:
    assert required(SAMPLES[name]) == EXPECTED.get(name, ALICE)


@pytest.mark.parametrize("name", SAMPLES)
def test_impacted_accounts(name: str) -> None:
    assert SAMPLES[name].impacted() == IMPACTED.get(name, {"alice"})


def change(name: str, **changes: Any) -> Operation:
    return dataclasses.replace(SAMPLES[name], **changes)  # type: ignore[type-var]


def test_account_update_asks_for_what_it_changes() -> None:
    assert required(change("account_update", owner=AUTHORITY)) == {"owners": {"alice"}}
    assert required(change("account_update2", owner=AUTHORITY)) == {"owners": {"alice"}}
    for field in ("active", "posting"):
        assert required(change("account_update2", **{field: AUTHORITY})) == ALICE
    assert required(change("account_update2", memo_key=KEY)) == ALICE
    assert required(change("account_update2", json_metadata="{}")) == ALICE


def test_custom_json_may_ask_for_active_or_posting() -> None:
    assert required(change("custom_json", required_auths=(), required_posting_auths=("bob",))) == {"postings": {"bob"}}


def test_set_reset_account_asks_for_owner_once_one_is_set() -> None:
    assert required(change("set_reset_account", current_reset_account="carol")) == {"owners": {"alice"}}


def test_witness_set_properties_without_key_cannot_be_signed() -> None:
    assert required(change("witness_set_properties", props=())) == {"others": [UNSATISFIABLE_AUTHORITY]}
    with pytest.raises(Invalid, match="error unpacking"):
        required(change("witness_set_properties", props=(("key", b"\x02"),)))
    null = Authority(1, (), ((bytes(33), 1),))
    assert required(change("witness_set_properties", props=(("key", b""),))) == {"others": [null]}


def test_pow2_with_a_new_key_is_signed_by_it() -> None:
    operation = change("pow2", new_owner_key=KEY)
    assert isinstance(operation, Pow2Operation)
    assert required(operation) == {"others": [KEY_AUTHORITY]}


def test_empty_names_are_nobody() -> None:
    assert change("account_witness_proxy", proxy="bob").impacted() == {"alice", "bob"}
    assert change("transfer_to_vesting", to="bob").impacted() == {"alice", "bob"}
    assert change("comment", parent_author="bob").impacted() == {"alice", "bob"}


def test_impacted_accounts_of_virtual_operations() -> None:
    expected = {
        "fill_convert_request": {"owner"},
        "author_reward": {"author"},
        "curation_reward": {"curator"},
        "comment_reward": set(),
        "liquidity_reward": {"owner"},
        "interest": {"owner"},
        "fill_vesting_withdraw": {"from_account", "to_account"},
        "fill_order": {"current_owner", "open_owner"},
        "shutdown_witness": {"owner"},
        "fill_transfer_from_savings": {"from", "to"},
        "hardfork": {"init_miner_name"},
        "comment_payout_update": set(),
        "return_vesting_delegation": {"account"},
        "comment_benefactor_reward": {"benefactor", "author"},
        "producer_reward": {"producer"},
        "clear_null_account_balance": set(),
        "proposal_pay": {"receiver", "treasury_account"},
        "sps_fund": {"treasury_account"},
        "hardfork23": {"account", "seizure_account"},
        "smt_ico_launch": {"control_account"},
        "smt_ico_evaluation": {"control_account"},
        "smt_token_launch": {"control_account"},
        "smt_refund": {"contributor"},
        "smt_contributor_payout": {"contributor"},
        "smt_founder_payout": {"account"},
        "smt_token_emission": {"control_account", "account"},
    }
    maps = {"account_payouts": (("account", ()),), "emissions": (("account", 1), ("$rewards", 1))}
    # Every rule that names an account has its own name as value, too.
    roles = {
        name: name
        for name, field in Rules.model_fields.items()
        if name.endswith(("_account", "_name")) and field.default
    }
    rules = Rules().replace(**roles)
    for cls in ALL_OPERATIONS.values():
        if cls.virtual:
            # Every field gets its own name as value, so the answer says which fields were used.
            fields = dataclasses.fields(cls)  # type: ignore[arg-type]
            event = cls(*(maps.get(field.name, field.name.removesuffix("_")) for field in fields))
            assert impacted(event, rules) == expected[cls.wire_name], cls.wire_name
            assert required(event) == {}
