"""Turns: one in each round of the loop, and no client waits behind all requests of another one."""

import asyncio

from rpc.turns import Turns, next_turn, work_in_turns


async def test_clients_take_turns_and_each_ones_come_in_order() -> None:
    turns, order = Turns(), []

    async def work(client: str, number: int) -> None:
        await turns.take(client)
        order.append((client, number))

    await asyncio.gather(*(work("greedy", number) for number in range(4)), work("other", 0), work("third", 0))
    assert order[:3] == [("greedy", 0), ("other", 0), ("third", 0)]
    assert order[3:] == [("greedy", number) for number in (1, 2, 3)]


async def test_the_loop_goes_round_between_two_turns() -> None:
    turns, rounds, seen = Turns(), 0, []

    async def work() -> None:
        await turns.take(None)
        seen.append(rounds)

    tasks = [asyncio.create_task(work()) for _ in range(5)]
    while not all(task.done() for task in tasks):
        rounds += 1
        await asyncio.sleep(0)
    assert len(set(seen)) == 5


async def test_who_leaves_does_not_keep_a_turn() -> None:
    turns = Turns()
    gone = [asyncio.create_task(turns.take("gone")) for _ in range(3)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.wait_for(turns.take("other"), 1)
    await asyncio.gather(*gone, return_exceptions=True)
    await asyncio.wait_for(turns.take("gone"), 1)
    assert not turns._waiting


async def test_parts_of_a_long_answer_wait_among_the_turns() -> None:
    turns, order = Turns(), []

    async def work(client: str) -> None:
        work_in_turns(turns, client)
        for _ in range(2):
            await next_turn()
            order.append(client)

    await asyncio.gather(work("a"), work("a"), work("b"))
    assert order == ["a", "b", "a", "b", "a", "a"]
    await next_turn()
