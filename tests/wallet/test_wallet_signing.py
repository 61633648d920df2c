"""Which keys sign: the weakest authority that suffices, no needless signature, and clear words when none is there."""

from __future__ import annotations

import pytest

from client.errors import ClientError
from operations.custom import CustomJson
from operations.transfer import Transfer
from operations.vote import Vote
from protocol.assets import STEEM, Asset
from protocol.codec import codec_for
from protocol.identity import STEEM_MAINNET, ChainIdentity
from protocol.keys import PrivateKey, recover
from protocol.operation import Operation, RequiredAuthorities
from protocol.transaction import Transaction
from protocol.types import Authority
from wallet.signing import SigningKey, choose_keys, collect_authorities, sign

KEYS = {role: PrivateKey.from_password("alice", role, "secret") for role in ("owner", "active", "posting", "memo")}
OTHERS = tuple(PrivateKey.from_seed(f"other {number}") for number in range(4))
VOTE = Vote("alice", "bob", "hello", 10_000)
TRANSFER = Transfer("alice", "bob", Asset(1, STEEM), "")


class Chain:
    """Authorities of accounts, given by (account, role)."""

    def __init__(self, **changed: Authority) -> None:
        self.authorities = {role: Authority(1, (), ((key.public_key, 1),)) for role, key in KEYS.items()} | changed

    def get_authority(self, account: str, role: str) -> Authority:
        if account != "alice":
            raise ClientError(f"there is no account {account!r}")
        return self.authorities[role]


class Keys(dict[bytes, PrivateKey]):
    """A key file that holds these keys."""

    def __init__(self, *keys: PrivateKey) -> None:
        super().__init__({key.public_key: key for key in keys})

    def find(self, public_key: bytes) -> PrivateKey | None:
        return self.get(public_key)


def choose(operation: Operation, keys: Keys, chain: Chain | None = None) -> list[tuple[PrivateKey, str]]:
    chosen = choose_keys(collect_authorities([operation]), chain or Chain(), keys, "STM")
    return [(signing.key, signing.role) for signing in chosen]


@pytest.mark.parametrize(
    ("operation", "held", "role"),
    [
        (VOTE, ("owner", "active", "posting"), "posting"),
        (VOTE, ("owner", "active"), "active"),
        (VOTE, ("owner",), "owner"),
        (TRANSFER, ("owner", "active", "posting"), "active"),
        (TRANSFER, ("owner", "posting"), "owner"),
        (CustomJson((), ("alice",), "x", "{}"), ("active", "posting"), "posting"),
        (CustomJson(("alice",), (), "x", "{}"), ("active", "posting"), "active"),
    ],
)
def test_the_weakest_sufficient_key_signs(operation: Operation, held: tuple[str, ...], role: str) -> None:
    assert choose(operation, Keys(*(KEYS[name] for name in held))) == [(KEYS[role], role)]


@pytest.mark.parametrize(("operation", "role"), [(VOTE, "posting"), (TRANSFER, "active")])
def test_a_missing_key_is_named_with_the_way_to_import_it(operation: Operation, role: str) -> None:
    with pytest.raises(ClientError, match=f"the {role} key of alice is not in this wallet: STM") as caught:
        choose(operation, Keys(KEYS["memo"]))
    assert f"keys import --account alice --role {role}" in caught.value.remedy


def test_several_own_keys_reach_a_threshold_without_a_needless_one() -> None:
    weights = tuple(sorted((key.public_key, weight) for key, weight in zip(OTHERS, (1, 2, 3, 1), strict=True)))
    chain = Chain(active=Authority(4, (), weights))
    chosen = choose(TRANSFER, Keys(*OTHERS), chain)
    assert {key for key, _role in chosen} == {OTHERS[2], OTHERS[1]}


def test_a_shared_authority_is_explained() -> None:
    chain = Chain(active=Authority(2, (), tuple(sorted((key.public_key, 1) for key in OTHERS[:2]))))
    with pytest.raises(ClientError, match="needs signatures of weight 2, and the keys in this wallet weigh 1"):
        choose(TRANSFER, Keys(OTHERS[0]), chain)
    held_by_others = Chain(active=Authority(1, (("bob", 1),), ()))
    with pytest.raises(ClientError, match=r"held by other accounts \(bob\)"):
        choose(TRANSFER, Keys(), held_by_others)
    with pytest.raises(ClientError, match="holds no key"):
        choose(TRANSFER, Keys(), Chain(active=Authority(1, (), ())))


def test_a_written_out_authority_is_signed_by_its_key() -> None:
    required = RequiredAuthorities()
    required.other(Authority(1, (), ((OTHERS[0].public_key, 1),)))
    assert choose_keys(required, Chain(), Keys(*OTHERS), "STM") == (SigningKey(OTHERS[0], "", ""),)
    with pytest.raises(ClientError, match="must be signed by STM"):
        choose_keys(required, Chain(), Keys(), "STM")


def test_one_key_for_two_reasons_signs_once() -> None:
    operations = [VOTE, Vote("alice", "carol", "post", 1)]
    chosen = choose_keys(collect_authorities(operations), Chain(), Keys(KEYS["posting"]), "STM")
    assert len(chosen) == 1


@pytest.mark.parametrize("chain_id", [bytes(32), bytes(range(32))])
def test_a_signature_belongs_to_the_key_and_the_chain(chain_id: bytes) -> None:
    identity = ChainIdentity(chain_id, "STM", "STEEM", "SBD", "VESTS")
    unsigned = Transaction.make(
        codec_for(identity), ref_block_num=1, ref_block_prefix=2, expiration=3, operations=[TRANSFER]
    )
    signed = sign(unsigned, chain_id, [SigningKey(KEYS["active"], "alice", "active")])
    assert signed.id == unsigned.id
    assert recover(signed.digest(chain_id), signed.signatures[0]) == KEYS["active"].public_key
    other = STEEM_MAINNET.chain_id if chain_id != bytes(32) else bytes(range(32))
    assert recover(signed.digest(other), signed.signatures[0]) != KEYS["active"].public_key
