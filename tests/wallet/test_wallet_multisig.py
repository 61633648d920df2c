"""Signing together: who is missing, which keys are needed, and the file that goes from hand to hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.authority import Authorities, AuthorityLimits, verify_authority
from client.errors import ClientError
from operations.transfer import Transfer
from protocol.assets import STEEM, Asset
from protocol.codec import codec_for
from protocol.errors import (
    IrrelevantSignature,
    MissingActiveAuthority,
    MissingOtherAuthority,
    MissingOwnerAuthority,
    MissingPostingAuthority,
)
from protocol.identity import STEEM_MAINNET, ChainIdentity
from protocol.operation import RequiredAuthorities
from protocol.transaction import Transaction
from protocol.types import Authority
from wallet.multisig import Signers, read_file, write_file

KEYS = tuple(bytes([2]) + bytes([number]) * 32 for number in range(1, 7))
A, B, C, D, E, F = KEYS
MISSING = (MissingActiveAuthority, MissingOwnerAuthority, MissingPostingAuthority, MissingOtherAuthority)
TIERS = (("alice",), ("bob", "carol"), ("dave", "erin"))
"""Accounts by how deep they may stand: those of one tier have only accounts of the next one in their authorities."""
CODEC = codec_for(STEEM_MAINNET)


def auth(threshold: int, *members: tuple[str | bytes, int]) -> Authority:
    accounts = tuple(sorted((name, weight) for name, weight in members if isinstance(name, str)))
    keys = tuple(sorted((key, weight) for key, weight in members if isinstance(key, bytes)))
    return Authority(threshold, accounts, keys)


class Chain:
    """Authorities by (account, role); the owner and posting authorities are nobody's unless given."""

    def __init__(self, authorities: dict[tuple[str, str], Authority]) -> None:
        self.authorities = authorities

    def get_authority(self, account: str, role: str) -> Authority:
        return self.authorities.get((account, role), Authority(1, (), ()))

    def verify(self, required: RequiredAuthorities, signed: set[bytes]) -> None:
        getters = [lambda name, role=role: self.get_authority(name, role) for role in ("active", "owner", "posting")]
        verify_authority(required, signed, Authorities(*getters), AuthorityLimits(2, 40, 125, "temp"))


def need(role: str = "active", *names: str) -> RequiredAuthorities:
    required = RequiredAuthorities()
    for name in names or ("alice",):
        getattr(required, role)(name)
    return required


def test_two_of_three() -> None:
    signers = Signers(need(), Chain({("alice", "active"): auth(2, (A, 1), (B, 1), (C, 1))}))
    assert signers.choose((), KEYS) in ([A, B], [A, C], [B, C])
    assert signers.choose((), (A,)) == [A]
    assert signers.choose((A,), (A, C)) == [C]
    assert signers.choose((A, B), KEYS) == []
    assert signers.choose((), (D,)) == []
    assert not signers.is_complete((A,)) and signers.is_complete((A, C))
    assert signers.find_surplus((A, B, C)) == [C]
    assert signers.find_surplus((A, B)) == signers.find_surplus((A,)) == []


def test_weights_leave_small_keys_out() -> None:
    signers = Signers(need(), Chain({("alice", "active"): auth(3, (A, 1), (B, 2), (C, 3))}))
    assert signers.choose((), KEYS) == [C]
    assert signers.choose((B,), (A, B)) == [A]
    assert signers.find_surplus((A, B, C, D)) == [D, C]


def test_nested_accounts_sign_for_theirs_down_to_depth_two() -> None:
    chain = Chain(
        {
            ("alice", "active"): auth(2, (A, 1), ("bob", 1), ("carol", 1)),
            ("bob", "active"): auth(1, (B, 1)),
            ("carol", "active"): auth(2, (C, 1), ("dave", 1)),
            ("dave", "active"): auth(1, (D, 1), ("erin", 1)),
            ("erin", "active"): auth(1, (E, 1)),
        }
    )
    signers = Signers(need(), chain)
    assert signers.is_complete((A, B)) and signers.is_complete((B, C, D)) and not signers.is_complete((A, C))
    assert not signers.is_complete((A, C, E))
    assert signers.choose((A,), (C, D, E)) == [C, D]
    (requirement,) = signers.requirements
    members = list(signers.list_members(requirement.options[0], (A, C)))
    shown = [(member.depth, member.account or member.key, member.has_signed) for member in members]
    assert shown == [
        (0, A, True),
        (0, "bob", False),
        (1, B, False),
        (0, "carol", False),
        (1, C, True),
        (1, "dave", False),
        (2, D, False),
    ]


def test_a_stronger_authority_serves_too() -> None:
    chain = Chain({("alice", "active"): auth(1, (A, 1)), ("alice", "owner"): auth(2, (B, 1), (C, 1))})
    signers = Signers(need(), chain)
    assert signers.choose((), KEYS) == [A]
    assert signers.choose((), (B, C, D)) == [B, C]
    assert signers.is_complete((B, C))
    posting = Signers(need("posting"), chain)
    assert posting.choose((), (A, D)) == [A]
    assert not Signers(need("owner"), chain).is_complete((A,))


def test_written_out_authorities() -> None:
    required = RequiredAuthorities()
    required.other(auth(1, (A, 1)))
    required.other(auth(1, (B, 1)))
    signers = Signers(required, Chain({}))
    assert signers.choose((), KEYS) == [A, B]
    assert [requirement.account for requirement in signers.requirements] == ["", ""]


def _authority(tier: int) -> st.SearchStrategy[Authority]:
    names = TIERS[tier] if tier < len(TIERS) else ()
    members = st.dictionaries(st.sampled_from((*KEYS, *names)), st.integers(1, 3), max_size=4)
    return st.builds(lambda threshold, found: auth(threshold, *found.items()), st.integers(1, 5), members)


CHAINS = st.builds(
    Chain,
    st.fixed_dictionaries(
        {
            (name, role): _authority(tier + 1)
            for tier, names in enumerate(TIERS)
            for name in names
            for role in ("owner", "active", "posting")
        }
    ),
)
REQUIRED = st.one_of(
    st.builds(need, st.sampled_from(["owner", "active", "posting"]), st.just("alice")),
    st.just(need("active", "alice", "bob")),
    st.just(need("posting", "alice", "bob")),
)
SOME = st.sets(st.sampled_from(KEYS))


@settings(max_examples=600, deadline=None)
@given(CHAINS, REQUIRED, SOME, SOME)
def test_the_chain_agrees(chain: Chain, required: RequiredAuthorities, first: set[bytes], second: set[bytes]) -> None:
    """What the wallet takes for complete the chain accepts, once the surplus is left out; and nothing else."""
    signers = Signers(required, chain)
    signed = first | set(signers.choose(first, second))
    if signers.is_complete(signed):
        kept = signed - set(signers.find_surplus(signed))
        chain.verify(required, kept)
        if not first and len(required.owners | required.actives | required.postings) == 1:
            chain.verify(required, signed)
    else:
        with pytest.raises((*MISSING, IrrelevantSignature)) as caught:
            chain.verify(required, signed)
        assert caught.type in MISSING


def make_transaction() -> Transaction:
    operation = Transfer("alice", "bob", Asset(1, STEEM), "")
    return Transaction.make(CODEC, ref_block_num=1, ref_block_prefix=2, expiration=3, operations=[operation])


def test_the_file_keeps_transaction_and_signatures(tmp_path: Path) -> None:
    path = tmp_path / "tx.json"
    transaction = make_transaction().with_signatures([bytes(65), bytes([1]) * 65])
    write_file(path, CODEC, transaction, is_new=True)
    assert read_file(path, CODEC) == transaction
    assert read_file(path, CODEC).signatures == transaction.signatures
    with pytest.raises(ClientError, match="exists already"):
        write_file(path, CODEC, transaction, is_new=True)
    write_file(path, CODEC, make_transaction())
    assert read_file(path, CODEC).signatures == ()


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tx.json"
    with pytest.raises(ClientError, match="cannot be read"):
        read_file(path, CODEC)
    write_file(path, CODEC, make_transaction())
    good = json.loads(path.read_text())
    for content, words in (
        ("{", "no transaction to sign together"),
        ("[]", "no transaction to sign together"),
        (json.dumps(good | {"version": 2}), "newer version"),
        (json.dumps(good | {"transaction": {"operations": 5}}), "is damaged"),
        (json.dumps(good | {"transaction": None}), "is damaged"),
    ):
        path.write_text(content)
        with pytest.raises(ClientError, match=words):
            read_file(path, CODEC)
    path.write_text(json.dumps(good))
    other = codec_for(ChainIdentity(bytes(range(32)), "STM", "STEEM", "SBD", "VESTS"))
    with pytest.raises(ClientError, match="of another chain"):
        read_file(path, other)
    with pytest.raises(ClientError, match="cannot be written"):
        write_file(tmp_path / "none" / "x", CODEC, make_transaction())
