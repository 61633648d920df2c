"""How much work requests at their maxima are: a large state, the calls, and the steps between two turns of the loop.

A step is a call of a Python or C function, as `sys.setprofile` sees it; a recovered signature counts as many. Slices
are as short as can be, so what is counted is the longest stretch that a method works without giving others their turn.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, NamedTuple

import orjson
import pytest

import rpc.dispatch
import rpc.slices
from index.market_history import Bucket, BucketSide
from operations.custom import CustomJson
from operations.transfer import Transfer
from protocol.assets import SBD, STEEM, Asset, Price
from protocol.keys import PrivateKey, encode_public_key, sign_digest
from protocol.transaction import Transaction
from rpc.method import Method, Parameter
from state.context import Context
from state.tables.accounts import (
    AccountRecoveryRequest,
    ChangeRecoveryAccountRequest,
    DeclineVotingRightsRequest,
    KeyReference,
    OwnerAuthorityHistory,
)
from state.tables.content import Reputation
from state.tables.market import ConvertRequest, LimitOrder
from state.tables.payments import Escrow, SavingsWithdraw
from state.tables.proposals import Proposal, ProposalVote
from state.tables.tables import Tables
from state.tables.vesting import VestingDelegation, VestingDelegationExpiration, WithdrawVestingRoute
from state.tables.witnesses import WitnessVote
from tests.harness import Harness, dev_config, steem
from tests.rpc.service import Service

STEPS_PER_RECOVERY = 500
HISTORY_OPERATIONS = 500
TRANSACTION_BYTES = 60_000
BUCKETS = 5760
ORDERS = (
    *("by_name", "by_proxy", "by_next_vesting_withdrawal", "by_account", "by_expiration", "by_effective_date"),
    *("by_vote_name", "by_schedule_time", "by_account_witness", "by_witness_account", "by_from_id"),
    *("by_ratification_deadline", "by_withdraw_route", "by_destination", "by_complete_from_id", "by_to_complete"),
    *("by_delegation", "by_account_expiration", "by_conversion_date", "by_cashout_time", "by_permlink", "by_root"),
    *("by_parent", "by_last_update", "by_author_last_update", "by_comment_voter", "by_voter_comment", "by_price"),
    *("by_creator", "by_start_date", "by_end_date", "by_total_votes", "by_voter_proposal", "by_proposal_voter"),
)
NAME = "alice"
SHARED_KEY = PrivateKey.from_seed("shared").public_key


def user(number: int) -> str:
    """The name of an account of the large state."""
    return f"user{number:06}"


class LargeWorld(Harness):
    """Preset dev with `rows` rows in every table that clients list, and as much as can be of it alice's."""

    def __init__(self, rows: int) -> None:
        super().__init__(dev_config(custom_op_block_limit=10**6))
        self.rows = rows
        self.post(NAME, "first", body="x" * 1000)
        self.vote("bob", NAME, "first")
        self.generate_block()
        self.edit(self._fill)
        names = [user(number) for number in range(HISTORY_OPERATIONS)]
        for number in range(-(-rows // HISTORY_OPERATIONS)):
            self.push(*(Transfer(NAME, name, steem(1), str(number)) for name in names))
            self.generate_block()
        buckets = self.market
        side = BucketSide(*[10**12] * 5)
        for number in range(BUCKETS):
            opened = self.now // 15 * 15 - 15 * number
            buckets._set((15, opened), Bucket(number, opened, 15, side, SBD, side))
        self.waiting = self.push(Transfer(NAME, "bob", steem(1), "")).id
        self.trx = self._build_largest().to_json(self.codec, False)
        self.block = self.chain.reader.get_block(self.chain.head_number).to_json(self.codec, False)  # type: ignore[union-attr]

    def _fill(self, ctx: Context) -> None:
        tables = ctx.tables
        self._fill_accounts(tables)
        self._fill_posts(tables)
        now, alice = ctx.time, NAME
        far, price = now + 10**6, Price(Asset(1000, STEEM), Asset(300, SBD))
        authority = tables.account_authorities.get(NAME).owner
        for number in range(1, self.rows):
            name = user(number)
            tables.limit_orders.insert(LimitOrder(10**6 + number, now, far, alice, 10**6 + number, 1000, price))
            tables.escrows.insert(
                Escrow(number, number, alice, name, "bob", far, far, 1, 1, Asset(1, STEEM), False, False, False)
            )
            tables.savings_withdraws.insert(
                SavingsWithdraw(number, alice, alice, "m" * 100, number, Asset(1, STEEM), far)
            )
            tables.withdraw_vesting_routes.insert(WithdrawVestingRoute(number, alice, name, 1, False))
            tables.vesting_delegations.insert(VestingDelegation(number, alice, name, 10**6, far))
            tables.vesting_delegation_expirations.insert(VestingDelegationExpiration(number, alice, 10**6, far))
            tables.convert_requests.insert(ConvertRequest(number, alice, number, Asset(1, SBD), far))
            tables.decline_voting_requests.insert(DeclineVotingRightsRequest(number, name, far))
            tables.account_recovery_requests.insert(AccountRecoveryRequest(number, name, authority, far))
            tables.change_recovery_requests.insert(ChangeRecoveryAccountRequest(number, name, alice, far))
            tables.owner_histories.insert(OwnerAuthorityHistory(number, alice, authority, now))
            tables.proposals.insert(
                Proposal(
                    *(number, number, alice, alice, now - 10 + number % 20, far, Asset(1000, SBD), "s" * 80, "first"),
                    *(number, False),
                )
            )
            tables.proposal_votes.insert(ProposalVote(number, name, 1))
            tables.proposal_votes.insert(ProposalVote(10**6 + number, alice, number))

    def _fill_accounts(self, tables: Tables) -> None:
        account, metadata = tables.accounts.get(NAME), tables.account_metadata.get(NAME)
        authorities, credits = tables.account_authorities.get(NAME), tables.rc_accounts.get(NAME)
        witness = tables.witnesses.get("initminer")
        for number in range(self.rows):
            name = user(number)
            tables.accounts.next_id()
            tables.accounts.insert(account.replace(id=10**6 + number, name=name))
            tables.account_metadata.insert(metadata.replace(id=10**6 + number, account=name))
            tables.account_authorities.insert(authorities.replace(id=10**6 + number, account=name))
            tables.rc_accounts.insert(credits.replace(account=name))
            tables.reputations.insert(Reputation(name, number))
            tables.key_references.insert(KeyReference(SHARED_KEY, name))
            witness_id = tables.witnesses.next_id()
            tables.witnesses.insert(witness.replace(id=witness_id, owner=name, votes=0))
            tables.witness_votes.insert(WitnessVote(10**6 + number, "initminer", name))

    def _fill_posts(self, tables: Tables) -> None:
        root = self.comment(NAME, "first")
        content = tables.comment_contents.get(root.id)
        vote = next(tables.comment_votes.scan((root.id,)))
        alice = tables.accounts.get(NAME)
        for number in range(1, self.rows):
            post = 10**6 + number
            tables.comments.insert(
                root.replace(
                    **{"id": post, "author": user(number), "permlink": f"re-{number}", "parent_author": NAME},
                    **{"parent_permlink": "first", "depth": 1},
                )
            )
            tables.comment_contents.insert(content.replace(id=post, comment=post))
            tables.comment_votes.insert(vote.replace(id=post, voter_id=post, voter=user(number)))
            tables.comment_votes.insert(vote.replace(id=2 * 10**6 + number, voter_id=alice.id, comment=post))

    def _build_largest(self) -> Transaction:
        """A transaction as large as a block may be, by as many accounts as fit."""
        count = min(TRANSACTION_BYTES // 50, self.rows)
        operations = [Transfer(user(number), "bob", steem(1), "") for number in range(count)]
        transaction = self.build(*operations, CustomJson((NAME,), (), "x", '{"a":"' + "b" * 8000 + '"}'))
        digest = transaction.digest(self.config.chain_id)
        return transaction.with_signatures([sign_digest(digest, PrivateKey.from_seed(str(n))) for n in range(10)])


def list_arguments(world: LargeWorld) -> dict[str, Any]:
    """What parameters of each name are given at their maximum; lists are repeated until they are full."""
    prefix = world.config.identity.address_prefix
    key = encode_public_key(SHARED_KEY, prefix)
    digest = bytes(32)
    names = [user(number) for number in range(1000)]
    block_num = world.chain.head_number
    trx_id = world.block["transaction_ids"][0]
    values: dict[str, Any] = dict.fromkeys(
        ("account", "author", "voter", "owner", "from", "observer", "lower_bound", "account_lower_bound"), NAME
    )
    return values | {
        "name": "post",
        "lower_bound": "",
        "account_lower_bound": "",
        "permlink": "first",
        "method": "condenser_api.get_accounts",
        "trx": world.trx,
        "block": world.block,
        "block_num": block_num,
        "block_range_begin": 1,
        "block_range_end": 2001,
        "starting_block_num": 1,
        "bucket_seconds": 15,
        "end": "2038-01-01T00:00:00",
        "start": None,
        "only_virtual": False,
        "id": trx_id,
        "trx_id": trx_id,
        "transaction_id": world.waiting.hex(),
        "expiration": "2038-01-01T00:00:00",
        "account_id": 1,
        "escrow_id": 1,
        "max_block_age": -1,
        "type": "all",
        "status": "all",
        "hash": digest.hex(),
        "names": names,
        "accounts": names,
        "owners": names,
        "keys": [key],
        "available_keys": [key],
        "signers": [key],
        "signatures": [sign_digest(digest, PrivateKey.from_seed(str(n))).hex() for n in range(256)],
        "required_owner": names,
        "required_active": names,
        "required_posting": [],
        "ids": list(range(1000)),
        "proposal_ids": list(range(1, 1001)),
        "comments": [[user(number), f"re-{number}"] for number in range(1, 1001)],
    }


def list_calls(world: LargeWorld, methods: dict[str, Method]) -> Iterator[tuple[Method, dict[str, Any]]]:
    """Every method with every parameter at its maximum, in each order and direction that a list has."""
    values = list_arguments(world)
    for name, method in sorted(methods.items()):
        if name.startswith("dev_api."):
            continue
        given = {parameter.name: _fill_up(parameter, values) for parameter in method.parameters}
        if name.endswith("get_account_history"):
            given["start"] = -1
        if name.endswith(("get_market_history", "get_trade_history")):
            given["start"] = "2000-01-01T00:00:00"
        if name.endswith("get_operation_schema"):
            given["name"] = "transfer"
        if name.endswith("get_expiring_vesting_delegations"):
            given["from"] = "2000-01-01T00:00:00"
        orders = ORDERS if "order" in given else (None,)
        for order in orders:
            for direction in ("ascending", "descending") if "order_direction" in given else (None,):
                changes = {"order": order, "order_direction": direction}
                yield method, given | {key: value for key, value in changes.items() if value is not None}


def _fill_up(parameter: Parameter, values: dict[str, Any]) -> Any:
    """The value for a parameter, as large as its schema allows. Raises KeyError for a name without one."""
    schema_ = parameter.kind.schema
    schema_ = schema_["anyOf"][0] if "anyOf" in schema_ else schema_
    if parameter.name in ("limit", "count"):
        return schema_["maximum"]
    if parameter.name in ("order", "order_direction"):
        return parameter.default if not parameter.is_required else "by_name"
    value = values[parameter.name]
    if "maxItems" in schema_ and value:
        return (value * schema_["maxItems"])[: schema_["maxItems"]]
    return value


class Measured(NamedTuple):
    """The longest stretch of a call, in steps and in seconds of CPU time, all steps, and the answer's bytes."""

    steps: int
    seconds: float
    all_steps: int
    answer: bytes


class Meter:
    """Counts the steps of this thread between two turns."""

    def __init__(self, counts: bool) -> None:
        self._counts = counts
        self._count = self._most = self._all = 0
        self._begun = self._longest = 0.0

    def _see(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            self._count += 1
        elif event == "call":
            self._count += STEPS_PER_RECOVERY if frame.f_code.co_name == "recover" else 1

    async def turn(self) -> None:
        """Ends a stretch: in the place of `next_turn`, as nobody else waits here."""
        self._end()
        self._begin()

    def _begin(self) -> None:
        self._count = 0
        self._begun = time.thread_time()

    def _end(self) -> None:
        self._longest = max(self._longest, time.thread_time() - self._begun)
        self._most = max(self._most, self._count)
        self._all += self._count

    def measure(self, service: Service, method: Method, given: dict[str, Any]) -> Measured:
        """Calls a method through the dispatcher."""
        params = list(given.values()) if method.positional else given
        body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method.full_name, "params": params})
        self._count = self._most = self._all = 0
        self._longest = 0.0

        async def run() -> bytes:
            self._begin()
            if self._counts:
                sys.setprofile(self._see)
            try:
                answer = await asyncio.wait_for(service.dispatcher.answer(body), 300)
            finally:
                sys.setprofile(None)
            self._end()
            return answer

        answer = asyncio.run(run())
        return Measured(self._most, self._longest, self._all, answer)


def patch_turns(monkeypatch: pytest.MonkeyPatch, meter: Meter, slice_seconds: float) -> None:
    """Has the dispatcher's turns counted by a meter."""
    monkeypatch.setattr(rpc.slices, "next_turn", meter.turn)
    monkeypatch.setattr(rpc.slices, "SLICE_SECONDS", slice_seconds)
