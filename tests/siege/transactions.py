"""Attacks with signed transactions: hostile patches, many operations, large memos."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from operations.content import Comment
from operations.custom import CustomJson
from operations.transfer import Transfer
from protocol.assets import STEEM, Asset
from protocol.codec import codec_for
from protocol.config import ChainConfig
from protocol.keys import sign_digest
from protocol.operation import Operation
from protocol.transaction import Transaction
from tests.network.chains import account_key
from tests.siege.target import Target, again_and_again, attack, connected, read_answer, render_call, render_post

SENDERS = 20
BODY = "A line of a post, unlike the next one. " * 1500
EXPIRATION_SECONDS = 60


class Sender:
    """Signs transactions for the accounts of the chain."""

    def __init__(self, target: Target) -> None:
        self._config = ChainConfig.load(Path(target.chain_file))
        self._codec = codec_for(self._config.identity)
        self._numbers = itertools.count()
        self._target = target

    async def ask(self, method: str, params: Any) -> Any:
        """The answer to a request on a connection of its own."""
        async with connected(self._target.rpc_port, resets=False) as (reader, writer):
            writer.write(render_post(render_call(method, params)))
            return orjson.loads(await read_answer(reader))

    async def send(self, name: str, *operations: Operation) -> None:
        """Broadcasts operations of one account; whether they are taken does not matter."""
        head = (await self.ask("condenser_api.get_dynamic_global_properties", [])).get("result")
        if head is None:
            return
        unsigned = Transaction.make(
            self._codec,
            ref_block_num=head["head_block_number"] & 0xFFFF,
            ref_block_prefix=int.from_bytes(bytes.fromhex(head["head_block_id"])[4:8], "little"),
            expiration=int(time.time()) + EXPIRATION_SECONDS - next(self._numbers) % 20,
            operations=operations,
        )
        signature = sign_digest(unsigned.digest(self._config.chain_id), account_key(name))
        signed = unsigned.with_signatures([signature])
        await self.ask("condenser_api.broadcast_transaction", [signed.to_json(self._codec, True)])


def list_patches() -> Iterator[str]:
    """Edits that cost a patcher much: digits without end, near misses, deletions under one header."""
    yield "@@ -" + "9" * 32_000
    lines = [
        f"@@ -{at * 38 + 1},38 +{at * 38 + 1},38 @@\n-A line of a post, unlike the next onX. \n+B\n" for at in range(60)
    ]
    yield "".join(lines)
    yield "@@ -1,20000 +1,1 @@\n" + "-A\n" * 20_000
    yield "@@ -1 +1 @@\n" + "-A\n+B\n" * 8_000


@attack("hostile patches")
async def patches(target: Target) -> None:
    """Edits of posts that cost a patcher much, from 20 accounts."""
    sender = Sender(target)
    names = itertools.cycle(f"user{number:04}" for number in range(SENDERS))
    edits = itertools.cycle(list_patches())

    async def once() -> None:
        name = next(names)
        await sender.send(name, Comment("", "siege", name, "siege", "A title", BODY, "{}"))
        await asyncio.sleep(0.5)
        for _ in range(4):
            await sender.send(name, Comment("", "siege", name, "siege", "A title", next(edits), "{}"))

    await again_and_again(target, 4, once)


@attack("many operations")
async def operations(target: Target) -> None:
    """Transactions as large as they may be: thousands of transfers, and operations of much text."""
    sender = Sender(target)
    names = itertools.cycle(f"user{number:04}" for number in range(SENDERS))
    numbers = itertools.count()

    async def once() -> None:
        name, number = next(names), next(numbers)
        await sender.send(name, *(Transfer(name, "null", Asset(1, STEEM), str(number)) for _ in range(1200)))
        text = orjson.dumps({"siege": [number] * 1800}).decode()
        await sender.send(name, *(CustomJson((), (name,), "siege", text[:8000]) for _ in range(5)))

    await again_and_again(target, 4, once)
