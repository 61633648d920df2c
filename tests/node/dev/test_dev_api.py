"""Time travel on a development chain: blocks at once, weeks at once, and a reward fund that outlives them."""

import asyncio

import pytest

from chain.chain import Chain
from node.core import Node, NodeSettings
from node.dev.api import SKIP_SECONDS_MAX, DevApi
from protocol.config import ChainConfig
from protocol.errors import Rejected
from rpc.method import collect_methods
from tests.node.core.test_core import KEYS, VirtualWorld, transfer

DAY_SECONDS = 86_400
INTERVAL_SECONDS = 3


@pytest.fixture
def node() -> Node:
    node = Node(VirtualWorld(), Chain.open(ChainConfig.preset("dev")), NodeSettings(("initminer",), KEYS))
    node.miner.mine()
    return node


def test_blocks_are_made_at_once(node: Node) -> None:
    start = node.chain.head_time
    assert asyncio.run(DevApi(node).mine(3)) == {"block_nums": [2, 3, 4]}
    assert node.chain.head_time == start + 3 * INTERVAL_SECONDS


def test_a_week_passes_in_one_block(node: Node) -> None:
    start = node.chain.head_time
    assert asyncio.run(DevApi(node).advance_time(7 * DAY_SECONDS)) == {"block_nums": [2]}
    assert node.chain.head_time == start + 7 * DAY_SECONDS + INTERVAL_SECONDS


def test_two_months_leave_the_reward_fund_alive(node: Node) -> None:
    start, before = node.chain.head_time, node.chain.ctx.tables.reward_funds.get("post").recent_claims
    numbers = asyncio.run(DevApi(node).advance_time(60 * DAY_SECONDS))["block_nums"]
    assert numbers == list(range(2, 10))
    assert node.chain.head_time == start + 60 * DAY_SECONDS + INTERVAL_SECONDS
    assert 0 < node.chain.ctx.tables.reward_funds.get("post").recent_claims < before


@pytest.mark.parametrize("seconds", [SKIP_SECONDS_MAX + 1, 0xFFFFFFFFFFFFFFFF])
def test_no_more_than_ten_years(node: Node, seconds: int) -> None:
    methods = collect_methods({"dev_api": DevApi(node)}, frozenset())
    with pytest.raises(Rejected, match="seconds"):
        methods["dev_api.advance_time"].bind({"seconds": seconds})
    with pytest.raises(Rejected, match="skip_seconds"):
        methods["dev_api.mine"].bind({"count": 1, "skip_seconds": seconds})


def test_a_transaction_that_waits_enters_a_block_before_time_passes(node: Node) -> None:
    start = node.chain.head_time
    transaction = transfer(node.chain)
    node.on_transaction(transaction)
    assert asyncio.run(DevApi(node).advance_time(7 * DAY_SECONDS)) == {"block_nums": [2, 3]}
    block = node.chain.reader.get_block(2)
    assert block is not None and block.transaction_ids == [transaction.id]
    assert node.chain.head_time == start + 7 * DAY_SECONDS + 2 * INTERVAL_SECONDS


def test_a_transaction_that_expires_on_the_way_is_named(node: Node) -> None:
    transaction = transfer(node.chain, expiration=node.chain.head_time + 30)
    node.on_transaction(transaction)
    answer = asyncio.run(DevApi(node).mine(2, 60))
    assert answer == {"block_nums": [2, 3], "lost_transactions": [transaction.id.hex()]}


def test_others_get_their_turn_between_the_blocks(node: Node) -> None:
    async def run() -> list[int]:
        task = asyncio.create_task(DevApi(node).mine(20))
        heads = []
        while not task.done():
            await asyncio.sleep(0)
            heads.append(node.chain.head_number)
        return heads

    assert len(set(asyncio.run(run()))) == 20
