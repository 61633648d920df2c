"""Requests: every method of every API with arguments of every kind, and bodies that are no requests."""

from __future__ import annotations

import asyncio
import logging
from random import Random
from typing import Any

import orjson

from node.core import NodeSettings
from node.shell.node_shell import NodeShell
from operations.transfer import Transfer
from protocol.transaction import Transaction
from rpc.apis.registry import build_dispatcher
from tests.fuzz.chain_targets import trace_of
from tests.fuzz.mutate import JsonMutator, Mutator
from tests.fuzz.samples import operations
from tests.fuzz.target import Broken, Target
from tests.harness import steem
from tests.rpc.service import busy_world

FAULT = b"the node failed to answer"
BATCH_LENGTH_MAX = 20
INPUTS_PER_NODE = 10_000
WAIT_SECONDS = 0.02
WAITS_MAX = 1_000
ANSWER_BYTES_MAX = 48 << 20


class Requests(Target):
    """Bodies of HTTP requests to a node that makes no blocks."""

    name = "rpc"
    share = 15

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        logging.getLogger("plaudit.rpc").setLevel(logging.CRITICAL)
        self._inputs = 0
        self._loop = asyncio.new_event_loop()
        self._begin()

    def _begin(self) -> None:
        self._world = busy_world()
        self._shell = NodeShell(self._world.chain, self._world.indexes, NodeSettings())
        self._dispatcher = build_dispatcher(self._shell, batch_length_max=BATCH_LENGTH_MAX, batch_seconds_max=5.0)
        self._methods = sorted(self._dispatcher.methods)
        self._json = JsonMutator(self.random, self._words())
        self._bytes = Mutator(self.random, [orjson.dumps(self._make_request()) for _ in range(40)])

    def _words(self) -> list[Any]:
        """What methods can look up."""
        chain = self._world.chain
        words: list[Any] = ["alice", "bob", "carol", "initminer", "first", "re-first", "test", "post", "trending"]
        words += ["by_name", "by_account", "by_comment", "by_price", "by_expiration", "by_root", "ascending", "all"]
        words += [chain.head_id.hex(), chain.head_number, chain.head_time, 1, 2, 3, 7, 100, 1_000]
        words += [self._world.ctx.tables.accounts.get("alice").memo_key.hex(), "1.000 TESTS", "0.001 TBD"]
        words += [["alice", "first"], ["", ""], {"account": "alice", "permlink": "first"}]
        return words

    def make(self) -> bytes:
        self._renew()
        choice = self.random.random()
        if choice < 0.15:
            return self._bytes.pick()
        if choice < 0.25:
            return orjson.dumps(
                [self._make_request() for _ in range(self.random.choice((0, 1, 3, BATCH_LENGTH_MAX + 1)))],
                default=str,
                option=orjson.OPT_NON_STR_KEYS,
            )
        return orjson.dumps(self._make_request(), default=str, option=orjson.OPT_NON_STR_KEYS)

    def _make_request(self) -> Any:
        """A request for some method; its arguments, and now and then its envelope, are spoiled."""
        name = self.random.choice(self._methods)
        params = self._make_params(name)
        if self.random.random() < 0.4:
            params = self._json.spoil(params)
        request: Any = {"jsonrpc": "2.0", "id": 1, "method": name, "params": params}
        if self.random.random() < 0.15:
            api, _, method = name.partition(".")
            request = {"jsonrpc": "2.0", "id": 1, "method": "call", "params": [api, method, params]}
        return self._json.spoil(request) if self.random.random() < 0.1 else request

    def _make_params(self, name: str) -> Any:
        method = self._dispatcher.methods[name]
        values: dict[str, Any] = {
            parameter.name: self._make_argument(parameter.name)
            for parameter in method.parameters
            if parameter.is_required or self.random.random() < 0.6
        }
        return list(values.values()) if method.positional else values

    def _make_argument(self, name: str) -> Any:
        if name in ("trx", "transaction") and self.random.random() < 0.7:
            return self._make_transaction()
        if name == "block" and self.random.random() < 0.7:
            number = self.random.randrange(1, self._world.chain.head_number + 1)
            block = self._world.chain.reader.get_block(number)
            return None if block is None else self._spoil_some(block.to_json(self._world.codec, False))
        if name in ("limit", "count") and self.random.random() < 0.7:
            return self.random.choice((0, 1, 5, 100, 1_000))
        return self._json.value()

    def _make_transaction(self) -> Any:
        world = self._world
        operation = self.random.choice((*operations(), Transfer("alice", "bob", steem(1), "hi")))
        transaction = world.build(operation, expires_in=60)
        if self.random.random() < 0.5:
            transaction = world.sign(transaction, world.key("alice", "active"))
        shown = Transaction.to_json(transaction, world.codec, self.random.random() < 0.5)
        return self._spoil_some(shown)

    def _spoil_some(self, value: Any) -> Any:
        return self._json.spoil(value) if self.random.random() < 0.5 else value

    def run(self, data: bytes) -> bool:
        before, pending = trace_of(self._world), len(self._world.chain.pending)
        answer = self._ask(data)
        if answer is None:
            return True
        if FAULT in answer:
            raise Broken(f"a fault: {answer[-300:]!r}")
        if len(answer) > ANSWER_BYTES_MAX:
            raise Broken(f"an answer of {len(answer)} bytes")
        shown = orjson.loads(answer)
        is_refused = not isinstance(shown, dict) or "error" in shown
        if is_refused and isinstance(shown, dict) and trace_of(self._world) != before:
            raise Broken("a refused request leaves a trace")
        return not is_refused or len(self._world.chain.pending) > pending

    def _ask(self, data: bytes) -> bytes | None:
        """The answer; None when it waits for a block that holds its transaction, which nobody makes here."""
        task = self._loop.create_task(self._dispatcher.answer(data))
        for _ in range(WAITS_MAX):
            self._loop.run_until_complete(asyncio.wait({task}, timeout=WAIT_SECONDS))
            if task.done():
                return task.result()
            if self._shell._waiting:
                task.cancel()
                self._shell._waiting.clear()
                return None
        raise Broken("no answer, and nothing that it waits for")

    def _renew(self) -> None:
        self._inputs += 1
        if self._inputs % INPUTS_PER_NODE == 0:
            self._begin()
        elif self._inputs % 500 == 0:
            self._world.generate_block()

    def check(self) -> None:
        self._world.generate_block()
        self._world.recount()
