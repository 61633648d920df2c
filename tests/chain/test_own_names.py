"""The accounts that rules name: their rights and their history are those of the names in the chain's own file."""

from __future__ import annotations

import pytest

from chain.hardforks import set_hardfork
from operations.account import AccountUpdate
from operations.custom import CustomJson
from operations.proposal import CreateProposal
from operations.transfer import Transfer
from operations.witness import WitnessSetProperties
from protocol.config import ChainConfigError
from protocol.errors import MissingActiveAuthority, MissingOtherAuthority, Rejected
from protocol.virtual_operations import ClearNullAccountBalance, Hardfork, SpsFund
from tests.chain.own_chains import chain_text, key_text, open_chain
from tests.chains import NULL, TEMP, TREASURY
from tests.harness import Harness, sbd, steem

NAMES = """
init_miner_name = "starter"
miner_account = "diggers"
null_account = "furnace"
temp_account = "door"
treasury_account = "chest"
post_reward_fund_name = "writings"
proposal_maintenance_period_seconds = 60
"""
FOREIGN = ("temp", "null", "steem.dao")
"""Names that these accounts have on the live network; here they are those of people with keys."""


def open_named() -> Harness:
    people = ""
    for name in (*FOREIGN, "starter"):
        keys = "\n".join(
            f'{role}_key = "{key_text(name, role, "GLD")}"' for role in ("owner", "active", "posting", "memo")
        )
        people += f'\n[[genesis.accounts]]\nname = "{name}"\npassword = "own-chain"\n{keys}\nbalance = 1000000\n'
    future = '[[hardforks.future]]\nnumber = 25\nversion = "0.25.0"\ntime = "2025-06-01T00:01:00"\n'
    return open_chain(
        chain_text(
            rules=NAMES, genesis='reserved_accounts = ["diggers", "furnace", "chest", "door"]', more=people + future
        )
    )


def history_of(world: Harness, name: str) -> list[type]:
    entries = world.history.get_account_operations(name, 10**9, 1000)
    return [type(entry.operation.op) for entry in entries]


def test_nobody_spends_from_an_account_that_only_has_the_name_of_the_open_one() -> None:
    world = open_named()
    for name in FOREIGN:
        with pytest.raises(MissingActiveAuthority):
            world.push(Transfer(name, "alice", steem(1_000), ""), keys=[])
        world.push(Transfer(name, "alice", steem(1_000), ""))
        world.apply(CustomJson((name,), (), "test", "{}"))
    world.recount()


def test_the_open_account_of_the_rules_needs_no_signature_and_cannot_be_closed() -> None:
    world = open_named()
    world.fund("door", steem_amount=5_000)
    world.push(Transfer("door", "alice", steem(5_000), ""), keys=[])
    world.generate_block()
    assert world.account("door").balance == 0
    closing = AccountUpdate("door", None, None, None, world.key("alice", "memo").public_key, "")
    with pytest.raises(Rejected, match="Cannot update temp account"):
        world.push(closing, keys=[])
    world.apply(AccountUpdate("temp", None, None, None, world.key("alice", "memo").public_key, ""))


def test_the_null_account_of_the_rules_burns_and_is_the_first_reset_account() -> None:
    world = open_named()
    supply = world.gpo.current_supply
    world.push(Transfer("alice", "null", steem(7_000), ""))
    world.apply(Transfer("alice", "furnace", steem(3_000), ""))
    assert (world.account("null").balance, world.account("furnace").balance) == (1_007_000, 0)
    assert world.gpo.current_supply < supply
    burned = world.history.get_operations_in_block(world.chain.head_number)
    assert not any(isinstance(entry.op, ClearNullAccountBalance) for entry in burned), "it is in nobody's history"
    world.create_account("dora")
    assert {world.account(name).reset_account for name in ("dora", "alice", "chest")} == {"furnace"}
    world.recount()


def test_what_nobody_can_sign_is_not_signed_by_an_account_with_the_name_of_the_null_account() -> None:
    world = open_named()
    bare = world.build(WitnessSetProperties("initminer", (("url", b"\x01u"),), ()))
    required = bare.required_authorities()
    assert required.names() == set()
    signed = world.sign(bare, world.key("null"))
    with pytest.raises(MissingOtherAuthority):
        world.chain.ledger._check_authority(signed)


def test_the_treasury_and_the_first_witness_of_the_rules_have_the_history() -> None:
    world = open_named()
    with pytest.raises(Rejected, match="Can only transfer SBD to chest"):
        world.push(Transfer("alice", "chest", steem(1_000), ""))
    world.apply(Transfer("alice", "steem.dao", steem(1_000), ""))
    world.post("alice", "why")
    world.apply(CreateProposal("alice", "bob", world.now + 10, world.now + 10_000, sbd(1), "subject", "why", ()))
    assert world.account("chest").sbd_balance > 10_000
    world.pass_time(200, sparse=False)
    assert SpsFund in history_of(world, "chest")
    assert history_of(world, "steem.dao") == [Transfer]
    world.edit(lambda ctx: set_hardfork(ctx, 25))
    assert Hardfork in history_of(world, "starter")
    assert Hardfork not in history_of(world, "initminer")
    world.recount()


@pytest.mark.parametrize("rule", ["proxy_to_self_account", "root_post_parent"])
def test_the_empty_name_is_no_data(rule: str) -> None:
    with pytest.raises(ChainConfigError, match=f"rules.{rule} = \"nobody\": must be ''"):
        open_chain(chain_text(rules=f'{rule} = "nobody"'))


def test_of_the_reserved_accounts_only_the_temp_account_is_open_to_everybody() -> None:
    authorities = Harness().tables.account_authorities
    for name in (NULL, TEMP, TREASURY):
        row = authorities.get(name)
        thresholds = [authority.weight_threshold for authority in (row.owner, row.active, row.posting)]
        assert thresholds == ([0, 0, 1] if name == TEMP else [1, 1, 1])
        assert not any(authority.key_auths or authority.account_auths for authority in (row.owner, row.active))
