"""Sending: what is signed, how the block is found, and what is said when it is not."""

from __future__ import annotations

from typing import Any

import pytest

from client.errors import ClientError, NodeConfused, NodeRefused, NodeUnreachable
from client.json_rpc import NodeClient
from operations.transfer import Transfer
from protocol.assets import STEEM, Asset
from protocol.codec import codec_for
from protocol.errors import Invalid
from protocol.identity import ChainIdentity
from protocol.keys import PrivateKey
from protocol.times import parse_time, time_text
from protocol.transaction import Transaction
from wallet.session import NotIncluded, Session
from wallet.signing import SigningKey

CHAIN_ID = bytes(range(32))
IDENTITY = ChainIdentity(CHAIN_ID, "ABC", "TESTS", "TBD", "VESTS")
START = parse_time("2026-01-01T00:00:00")
KEY = PrivateKey.from_password("alice", "active", "secret")
SIGNING = [SigningKey(KEY, "alice", "active")]
TRANSFER = Transfer("alice", "bob", Asset(1000, STEEM), "hi")


class Chain(NodeClient):
    """A node by hand: every look at the head makes a block; blocks hold what `include_at` says."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.head = 5
        self.interval = 3
        self.clock = float(START + 15)
        self.include_at: int | None = 7
        self.replaced: set[int] = set()
        self.broadcast: Transaction | None = None
        self.refusal: Exception | None = None
        self.failure_after_broadcast: Exception | None = None

    def call(self, method: str, params: Any = ()) -> Any:
        if self.broadcast is not None and self.failure_after_broadcast is not None:
            raise self.failure_after_broadcast
        return getattr(self, method.partition(".")[2])(*params)

    def session(self, expected_chain_id: str = "") -> Session:
        return Session(self, expected_chain_id, clock=lambda: self.clock, sleep=self.wait)

    def wait(self, seconds: float) -> None:
        self.clock += self.interval or 1
        self.head += 1 if self.interval else 0

    def get_config(self) -> dict[str, Any]:
        return {"STEEM_CHAIN_ID": CHAIN_ID.hex(), "STEEM_ADDRESS_PREFIX": "ABC"}

    def get_dynamic_global_properties(self) -> dict[str, Any]:
        return {
            "head_block_number": self.head,
            "head_block_id": f"{self.head:08x}01020304" + "00" * 12,
            "time": time_text(START + 3 * self.head),
            "current_supply": "10.000 TESTS",
            "current_sbd_supply": "1.000 TBD",
            "total_vesting_shares": "3000000.000000 VESTS",
            "total_vesting_fund_steem": "1000.000 TESTS",
        }

    def get_accounts(self, names: list[str]) -> list[dict[str, Any]]:
        return []

    def get_content(self, author: str, permlink: str) -> dict[str, Any]:
        return {"author": ""}

    def broadcast_transaction(self, shown: dict[str, Any]) -> dict[str, Any]:
        if self.refusal is not None:
            raise self.refusal
        self.broadcast = Transaction.from_json(codec_for(IDENTITY), shown)
        return {}

    def get_block(self, number: int) -> dict[str, Any]:
        assert self.broadcast is not None
        here = number == self.include_at and number not in self.replaced
        self.replaced.discard(number)
        return {"transaction_ids": ["00" * 20, self.broadcast.id.hex()] if here else []}


def test_the_chain_says_what_it_is() -> None:
    session = Chain().session(CHAIN_ID.hex().upper())
    assert session.identity == IDENTITY
    assert session.amount("2 TESTS") == Asset(2000, STEEM)
    assert session.power().to_steem(3_000_000_000_000) == 1_000_000


def test_a_node_of_another_chain_is_refused() -> None:
    with pytest.raises(ClientError, match="not 00ff"):
        _ = Chain().session("00ff").identity


def test_a_node_without_a_chain_id_is_not_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    monkeypatch.setattr(chain, "get_config", dict)
    with pytest.raises(NodeConfused, match="does not say which chain"):
        _ = chain.session().identity


def test_what_is_sent_is_signed_for_this_chain_and_refers_to_its_head() -> None:
    chain = Chain()
    receipt = chain.session().send([TRANSFER], SIGNING)
    sent = chain.broadcast
    assert sent is not None
    assert sent.operations == (TRANSFER,)
    assert (sent.ref_block_num, sent.ref_block_prefix) == (5, 0x04030201)
    assert 60 <= sent.expiration - START - 15 < 120
    assert sent.signers(CHAIN_ID) == (KEY.public_key,)
    assert (receipt.transaction.id, receipt.block_num, receipt.trx_num) == (sent.id, 7, 1)


def test_the_expiration_follows_the_clock_up_to_what_nodes_allow() -> None:
    chain = Chain()
    chain.clock += 600
    chain.session().send([TRANSFER], SIGNING)
    assert chain.broadcast is not None
    assert 660 <= chain.broadcast.expiration - START - 15 < 720
    chain = Chain()
    chain.clock += 1e9
    chain.session().send([TRANSFER], SIGNING)
    assert chain.broadcast is not None
    assert 3500 <= chain.broadcast.expiration - START - 15 < 3600


def test_a_refused_transaction_is_the_nodes_error() -> None:
    chain = Chain()
    chain.refusal = NodeRefused(-32000, "transaction tapos exception:")
    with pytest.raises(NodeRefused):
        chain.session().send([TRANSFER], SIGNING)


def test_a_lost_answer_to_the_broadcast_leaves_the_outcome_open() -> None:
    chain = Chain()
    chain.refusal = NodeUnreachable("gone")
    with pytest.raises(NotIncluded, match="not known whether the node took") as caught:
        chain.session().send([TRANSFER], SIGNING)
    assert "plaudit wallet transaction" in caught.value.remedy


def test_a_node_lost_while_waiting_leaves_the_outcome_open() -> None:
    chain = Chain()
    chain.failure_after_broadcast = NodeUnreachable("gone")
    with pytest.raises(NotIncluded, match="whether a block holds it is not known: gone"):
        chain.session().send([TRANSFER], SIGNING)


def test_an_expired_transaction_is_said_to_be_so() -> None:
    chain = Chain()
    chain.include_at = None
    with pytest.raises(NotIncluded, match="expired: no block held it in time"):
        chain.session().send([TRANSFER], SIGNING)


def test_a_block_that_replaced_another_is_found_in_the_end() -> None:
    chain = Chain()
    chain.replaced = {7}
    assert chain.session().send([TRANSFER], SIGNING).block_num == 7


def test_a_chain_that_stands_still_does_not_hold_the_wallet_for_ever() -> None:
    chain = Chain()
    chain.interval = 0
    with pytest.raises(NotIncluded, match="no block with it in 180 seconds"):
        chain.session().send([TRANSFER], SIGNING)


def test_unknown_names_are_said() -> None:
    session = Chain().session()
    with pytest.raises(ClientError, match="no account 'alice'"):
        session.get_authority("alice", "active")
    with pytest.raises(ClientError, match="no post @a/b"):
        session.get_content("a", "b")
    with pytest.raises(ClientError, match="not a public key of this chain"):
        session.public_key("STM5upEn")


def test_an_authority_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    monkeypatch.setattr(chain, "get_accounts", lambda names: [{"name": "alice", "active": {"weight_threshold": "x"}}])
    with pytest.raises(Invalid):
        chain.session().get_authority("alice", "active")
