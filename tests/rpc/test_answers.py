"""Answers that clients of the reference expect in its form, and sentences beside its texts that say nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from protocol.block import Block
from protocol.transaction import Transaction
from rpc.apis import block as block_api
from state.context import Context
from tests.rpc.service import Service


async def test_a_range_of_blocks(busy: Service) -> None:
    head = busy.world.chain.head_number
    blocks = (await busy.result("block_api.get_block_range", {"starting_block_num": 2, "count": 3}))["blocks"]
    one = [await busy.result("block_api.get_block", {"block_num": number}) for number in (2, 3, 4)]
    assert blocks == [found["block"] for found in one]
    rest = (await busy.result("block_api.get_block_range", {"starting_block_num": head, "count": 1000}))["blocks"]
    assert [found["block_id"] for found in rest] == [busy.world.chain.head_id.hex()]
    beyond = await busy.result("block_api.get_block_range", {"starting_block_num": head + 1, "count": 1})
    assert beyond == {"blocks": []}


@pytest.mark.parametrize(("start", "count"), [(0, 1), (1, 0), (1, 1001), (1, -1)])
async def test_a_range_of_no_or_too_many_blocks(busy: Service, start: int, count: int) -> None:
    await busy.error("block_api.get_block_range", {"starting_block_num": start, "count": count})


async def test_a_range_ends_before_its_bytes_are_too_many(busy: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"starting_block_num": 2, "count": 4}
    whole = (await busy.result("block_api.get_block_range", params))["blocks"]
    monkeypatch.setattr(block_api, "RANGE_BYTES_MAX", 1)
    assert (await busy.result("block_api.get_block_range", params))["blocks"] == whole[:1]


async def test_a_header_shows_its_extensions_with_their_types(service: Service) -> None:
    def forget_version(ctx: Context) -> None:
        ctx.tables.witnesses.update(ctx.tables.witnesses.get("initminer"), running_version=1 << 30)

    service.world.edit(forget_version)
    number = service.world.generate_block().number
    header = await service.result("condenser_api.get_block_header", [number])
    version = service.world.config.blockchain_version
    assert header["extensions"] == [{"type": "version", "value": version}]
    assert header == (await service.result("block_api.get_block_header", {"block_num": number}))["header"]


async def test_condenser_takes_a_block(service: Service) -> None:
    chain = service.world.chain
    block = chain.reader.get_block(chain.head_number)
    assert isinstance(block, Block)
    answer = await service.ask("condenser_api.broadcast_block", [block.to_json(service.world.codec, True)])
    assert answer.get("result") == {} or "already" in answer["error"]["message"]


def refer_nowhere(transaction: dict[str, Any]) -> None:
    transaction["ref_block_prefix"] = 1


def expire(transaction: dict[str, Any]) -> None:
    transaction["expiration"] = "2016-01-01T00:00:00"


def outlive(transaction: dict[str, Any]) -> None:
    transaction["expiration"] = "2037-01-01T00:00:00"


@pytest.mark.parametrize(
    ("change", "message", "sentence"),
    [
        (refer_nowhere, "transaction tapos exception:", "whose id has the prefix 1, but that of this chain has"),
        (expire, "transaction expiration exception:", "the transaction expired at 2016-01-01T00:00:00"),
        (outlive, "transaction expiration exception:", "expires at 2037-01-01T00:00:00, more than"),
    ],
)
async def test_refused_transactions_are_explained(
    service: Service, change: Callable[[dict[str, Any]], None], message: str, sentence: str
) -> None:
    shown = service.world.build().to_json(service.world.codec, True)
    change(shown)
    shown["operations"] = [["vote", {"voter": "alice", "author": "bob", "permlink": "x", "weight": 1}]]
    transaction = Transaction.from_json(service.world.codec, shown)
    signed = service.world.sign(transaction, service.world.key("alice", "posting"))
    shown = signed.to_json(service.world.codec, True)
    error = await service.error("condenser_api.broadcast_transaction", [shown])
    assert error["message"] == message
    assert sentence in error["data"]["advice"]["explanation"]


@pytest.mark.parametrize(
    ("method", "params", "message", "sentence"),
    [
        (
            "condenser_api.get_active_votes",
            ["nobody", "nothing"],
            "unknown key:unknown key: ",
            "nothing in the state with author nobody and permlink nothing",
        ),
        (
            "condenser_api.get_block",
            [1, 2, 3, 4, 5],
            "Assert Exception:args.size() == 1: Expected #s argument(s), was 5",
            "condenser_api.get_block takes 1 arguments (block_num), and 5 were given",
        ),
        (
            "condenser_api.lookup_accounts",
            ["", -1],
            "Assert Exception:limit <= 1000: ",
            "argument limit of condenser_api.lookup_accounts may be up to 1000, not -1",
        ),
    ],
)
async def test_texts_that_say_nothing_have_a_sentence_beside_them(
    service: Service, method: str, params: Any, message: str, sentence: str
) -> None:
    error = await service.error(method, params)
    assert error["message"] == message
    assert sentence in error["data"]["advice"]["explanation"]


async def test_a_negative_number_is_shown_as_it_was_given(service: Service) -> None:
    error = await service.error("block_api.get_block_range", {"starting_block_num": 1, "count": -1})
    assert error["message"].endswith("may be up to 1000, not -1")
