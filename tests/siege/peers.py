"""Attacks on the port for peers: rubbish, handshakes that lead nowhere, frames of every kind."""

from __future__ import annotations

import asyncio
import os
import random

from protocol.keys import PrivateKey
from protocol.p2p.channel import SecureChannel
from tests.siege.target import Target, again_and_again, attack, connected, dial

NUMBERS = (1000, 1001, *range(5000, 5020), 9999)


async def open_channel(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, SecureChannel]:
    """Connects and exchanges keys."""
    reader, writer = await dial(target.p2p_port)
    channel = SecureChannel(PrivateKey(os.urandom(32)))
    writer.write(channel.greeting)
    channel.receive(await reader.readexactly(33))
    return reader, writer, channel


@attack("peers: rubbish")
async def rubbish(target: Target) -> None:
    """Connections of bytes without a meaning, and of none."""

    async def once() -> None:
        async with connected(target.p2p_port) as (reader, writer):
            writer.write(os.urandom(random.choice((0, 20, 33, 10_000))))
            await reader.read(33)
            await asyncio.sleep(random.random())

    await again_and_again(target, 60, once)


@attack("peers: handshakes")
async def handshakes(target: Target) -> None:
    """Key exchanges one after the other."""

    async def once() -> None:
        _, writer, _ = await open_channel(target)
        writer.transport.abort()

    await again_and_again(target, 30, once)


@attack("peers: messages")
async def messages(target: Target) -> None:
    """Messages of every number with random payloads, small and of 2 MB, from 30 connections."""

    async def once() -> None:
        _, writer, channel = await open_channel(target)
        try:
            while not writer.is_closing():
                size = random.choice((0, 4, 60, 1000, 60_000, 2_000_000))
                writer.write(channel.seal(random.choice(NUMBERS), os.urandom(size)))
                await writer.drain()
        finally:
            writer.transport.abort()

    await again_and_again(target, 30, once)
