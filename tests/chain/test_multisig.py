"""Shared authorities on a chain and as the APIs answer about them: 2 of 3, weights, accounts in accounts, surplus."""

from __future__ import annotations

import pytest

from operations.account import AccountUpdate
from operations.transfer import Transfer
from operations.vote import Vote
from protocol.errors import (
    DuplicateSignature,
    IrrelevantSignature,
    MissingActiveAuthority,
    MissingPostingAuthority,
    ProtocolError,
)
from protocol.keys import PrivateKey, encode_public_key
from protocol.transaction import Transaction
from protocol.types import NULL_PUBLIC_KEY, Authority
from tests.chains import NULL
from tests.harness import Harness, dev_config, steem
from tests.rpc.service import Service

ANN, BEN, CYD, DAN = (PrivateKey.from_seed(name) for name in ("ann", "ben", "cyd", "dan"))


def auth(threshold: int, *members: tuple[PrivateKey | str, int]) -> Authority:
    """An authority of keys and accounts with their weights."""
    accounts = sorted((member, weight) for member, weight in members if isinstance(member, str))
    keys = sorted((member.public_key, weight) for member, weight in members if isinstance(member, PrivateKey))
    return Authority(threshold, tuple(accounts), tuple(keys))


@pytest.fixture
def world() -> Harness:
    """Corp belongs to two of ann, ben and cyd; firm to corp and dan, group to firm; every chain of three is as deep
    as it may be."""
    world = Harness(dev_config())
    world.create_accounts("corp", "firm", "group", "holding")
    change(world, "corp", auth(2, (ANN, 1), (BEN, 1), (CYD, 1)))
    change(world, "firm", auth(3, (DAN, 2), ("corp", 1)))
    change(world, "group", auth(1, ("firm", 1)))
    change(world, "holding", auth(1, ("group", 1)))
    for name in ("corp", "firm", "group", "holding"):
        world.fund(name, 10_000)
    return world


def change(world: Harness, name: str, active: Authority, posting: Authority | None = None) -> None:
    world.apply(AccountUpdate(name, None, active, posting, NULL_PUBLIC_KEY, ""), keys=[world.key(name, "owner")])


def attempt(world: Harness, name: str, *keys: PrivateKey) -> type[ProtocolError] | None:
    """Sends a transfer with these signatures; returns the kind of refusal."""
    try:
        world.push(Transfer(name, NULL, steem(1), ""), keys=list(keys))
    except ProtocolError as error:
        return type(error)
    world.generate_block()
    return None


def test_two_of_three(world: Harness) -> None:
    assert attempt(world, "corp") is MissingActiveAuthority
    assert attempt(world, "corp", ANN) is MissingActiveAuthority
    assert attempt(world, "corp", ANN, ANN) is DuplicateSignature
    assert attempt(world, "corp", ANN, DAN) is MissingActiveAuthority
    assert attempt(world, "corp", ANN, BEN, CYD) is IrrelevantSignature
    assert attempt(world, "corp", ANN, BEN, DAN) is IrrelevantSignature
    assert attempt(world, "corp", ANN, BEN) is None
    assert attempt(world, "corp", CYD, ANN) is None
    assert attempt(world, "corp", world.key("corp", "owner")) is None
    assert attempt(world, "corp", ANN, world.key("corp", "owner")) is None
    assert attempt(world, "corp", ANN, BEN, world.key("corp", "owner")) is IrrelevantSignature


def test_weights_and_accounts_together(world: Harness) -> None:
    assert attempt(world, "firm", DAN) is MissingActiveAuthority
    assert attempt(world, "firm", ANN, BEN) is MissingActiveAuthority
    assert attempt(world, "firm", DAN, ANN) is MissingActiveAuthority
    assert attempt(world, "firm", DAN, ANN, CYD) is None
    assert attempt(world, "firm", DAN, ANN, BEN, CYD) is IrrelevantSignature


def test_accounts_are_followed_to_depth_two(world: Harness) -> None:
    assert attempt(world, "group", DAN, ANN, CYD) is None
    assert attempt(world, "holding", DAN, ANN, CYD) is MissingActiveAuthority
    change(world, "firm", auth(2, (DAN, 2)))
    assert attempt(world, "holding", DAN) is None


def test_an_owner_of_a_member_does_not_sign_for_it(world: Harness) -> None:
    """Only the active authority of an account that stands in another one counts there."""
    owner = world.key("corp", "owner")
    assert attempt(world, "firm", DAN, owner) is MissingActiveAuthority


def test_posting_follows_posting(world: Harness) -> None:
    world.post("alice", "post")
    world.generate_block()
    corp_posting = world.key("corp", "posting")
    change(world, "firm", auth(1, (DAN, 1)), auth(1, ("corp", 1)))
    vote = Vote("firm", "alice", "post", 10_000)
    with pytest.raises(MissingPostingAuthority):
        world.push(vote, keys=[ANN, BEN])
    with pytest.raises(IrrelevantSignature):
        world.push(vote, keys=[corp_posting, DAN])
    world.push(vote, keys=[corp_posting])
    world.generate_block()
    world.pass_time(60)
    world.push(Vote("firm", "alice", "post", 5_000), keys=[DAN])


def test_forty_members_are_looked_at(world: Harness) -> None:
    """More do not fit: an authority has 40 members at most, and the last one counts."""
    many = sorted((PrivateKey.from_seed(f"member {number}") for number in range(41)), key=lambda key: key.public_key)
    change(world, "corp", auth(40, *((key, 1) for key in many[:40])))
    assert attempt(world, "corp", *many[:39]) is MissingActiveAuthority
    assert attempt(world, "corp", *many[:40]) is None
    too_many = AccountUpdate("firm", None, auth(1, *((key, 1) for key in many)), None, NULL_PUBLIC_KEY, "")
    with pytest.raises(ProtocolError, match=r"Authority membership exceeded\. Max: 40 Current: 41"):
        world.push(too_many, keys=[world.key("firm", "owner")])


async def test_what_the_apis_say(world: Harness) -> None:
    """The answers for transfers out of shared accounts, in both APIs, unsigned and half signed."""
    service = Service(world)
    prefix = world.config.identity.address_prefix
    names = {
        encode_public_key(key.public_key, prefix): name for key, name in zip((ANN, BEN, CYD, DAN), "abcd", strict=True)
    }
    everybody = list(names)

    async def ask(method: str, transaction: Transaction, *more: object) -> tuple[object, object]:
        legacy, numeric = transaction.to_json(world.codec, True), transaction.to_json(world.codec, False)
        first = await service.ask(f"condenser_api.{method}", [legacy, *more])
        extra = {"available_keys": more[0]} if more else {}
        second = await service.ask(f"database_api.{method}", {"trx": numeric} | extra)
        return first, second

    async def keys(method: str, transaction: Transaction, *more: object) -> str:
        first, second = await ask(method, transaction, *more)
        assert isinstance(first, dict) and isinstance(second, dict)
        assert first["result"] == second["result"]["keys"]
        return "".join(sorted(names.get(key, "?") for key in first["result"]))

    async def is_valid(transaction: Transaction) -> str | bool:
        first, second = await ask("verify_authority", transaction)
        assert isinstance(first, dict) and isinstance(second, dict)
        if "error" in first:
            assert first["error"]["message"] == second["error"]["message"]
            return str(first["error"]["message"])
        assert second["result"] == {"valid": True}
        return bool(first["result"])

    corp, firm = (world.build(Transfer(name, NULL, steem(1), "")) for name in ("corp", "firm"))
    in_order = sorted((ANN, BEN, CYD), key=lambda key: key.public_key)
    first_two = "".join(sorted(names[encode_public_key(key.public_key, prefix)] for key in in_order[:2]))
    assert await keys("get_required_signatures", corp, everybody) == first_two
    assert await keys("get_required_signatures", corp, everybody[1:3]) == "bc"
    assert await keys("get_required_signatures", corp, everybody[2:]) == "c"
    assert await keys("get_required_signatures", firm, everybody) == "".join(sorted(first_two + "d"))
    assert await keys("get_potential_signatures", corp) == "abc"
    half = world.sign(corp, in_order[0])
    # Keys that signed already are named again when they are among those at hand, as in the reference.
    assert await keys("get_required_signatures", half, everybody) == first_two
    rest = [key for key in everybody if key != encode_public_key(in_order[0].public_key, prefix)]
    assert len(await keys("get_required_signatures", half, rest)) == 1
    missing = "missing required active authority:Missing Active Authority corp"
    assert await is_valid(corp) == missing
    assert await is_valid(half) == missing
    assert await is_valid(world.sign(half, in_order[2])) is True
    surplus = "irrelevant signature included:Unnecessary signature(s) detected"
    assert await is_valid(world.sign(corp, ANN, BEN, CYD)) == surplus
    assert await is_valid(world.sign(half, in_order[0])) == "duplicate signature included:Duplicate Signature detected"
    assert await is_valid(world.sign(firm, DAN, ANN, CYD)) is True

    for signers, is_enough in ((everybody[:1], False), (everybody[:2], True), (everybody[3:], False)):
        assert await service.result("condenser_api.verify_account_authority", ["corp", signers]) is is_enough
        asked = {"account": "corp", "signers": signers}
        assert await service.result("database_api.verify_account_authority", asked) == {"valid": is_enough}
    assert await service.result("condenser_api.verify_account_authority", ["firm", everybody[1:]]) is True
    assert await service.result("condenser_api.verify_account_authority", ["firm", everybody[:3]]) is False
