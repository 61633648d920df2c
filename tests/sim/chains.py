"""The chains that networks are simulated with: preset dev with some witnesses and clients whose keys are known.

Making a genesis takes longer than simulating many slots, so each chain is made once in a process: its genesis, and a
beginning of three rounds, after which every witness has made blocks and irreversibility follows them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from chain.block_log import MemoryBlockLog
from chain.chain import Chain
from consensus.slots import get_scheduled_witness, get_slot_time
from protocol.codec import Codec
from protocol.config import ChainConfig, GenesisAccount, GenesisWitness
from protocol.keys import PrivateKey, encode_public_key
from state.engine.kv import MemoryBackend

GENESIS_TIME = 1_750_000_002
"""A multiple of the block interval."""
INTERVAL_SECONDS = 3
CLIENTS = ("alice", "bob", "carol", "dave", "erin", "frank")
BEGINNING_ROUNDS = 3
PAYOUT_SECONDS = 60
"""Posts are paid out after a minute, so that undone blocks take payouts back."""


class Snapshot(NamedTuple):
    """What a node has on its disk: the rows of the state database and the packed blocks of the log."""

    rows: tuple[tuple[bytes, bytes], ...]
    blocks: tuple[bytes, ...]


class SimChain(NamedTuple):
    """One chain and everything that is known of it."""

    config: ChainConfig
    codec: Codec
    places: int
    witnesses: tuple[str, ...]
    block_keys: dict[str, PrivateKey]
    client_keys: dict[str, PrivateKey]
    genesis: Snapshot
    beginning: Snapshot
    beginning_blocks: tuple[bytes, ...]
    """All blocks of the beginning, packed, also the reversible ones."""
    beginning_time: int


def may_lack(places: int) -> int:
    """How many of the scheduled witnesses may stay away while blocks still become irreversible."""
    return places // 4


@lru_cache(maxsize=32)
def make_chain(places: int, runners: int = 0) -> SimChain:
    """A chain with so many places in a round; with a runner's place there are two more witnesses than places."""
    witnesses = tuple(f"witness{index:02d}" for index in range(places + 2 * runners))
    block_keys = {name: PrivateKey.from_seed(f"{name} block") for name in witnesses}
    client_keys = {name: PrivateKey.from_seed(f"{name} client") for name in (*witnesses, *CLIENTS)}
    config = _make_config(places, runners, block_keys, client_keys)
    codec = Codec(config.identity)
    genesis = _snapshot(config, codec, block_keys, 0)
    beginning, blocks = _make_beginning(config, codec, block_keys, BEGINNING_ROUNDS * places)
    return SimChain(
        config,
        codec,
        places,
        witnesses,
        block_keys,
        client_keys,
        genesis,
        beginning,
        blocks,
        GENESIS_TIME + len(blocks) * INTERVAL_SECONDS,
    )


def _make_config(
    places: int, runners: int, block_keys: dict[str, PrivateKey], client_keys: dict[str, PrivateKey]
) -> ChainConfig:
    dev = ChainConfig.preset("dev")
    prefix = dev.chain.address_prefix
    accounts = tuple(
        GenesisAccount(
            name=name,
            owner_key=encode_public_key(key.public_key, prefix),
            balance=1_000_000_000,
            sbd_balance=10_000_000,
            vesting_shares=20_000_000_000_000_000,
        )
        for name, key in client_keys.items()
    )
    witnesses = tuple(
        GenesisWitness(owner=name, signing_key=encode_public_key(key.public_key, prefix))
        for name, key in block_keys.items()
    )
    genesis = dev.genesis.model_copy(update={"time": GENESIS_TIME, "accounts": accounts, "witnesses": witnesses})
    rules = dev.rules.replace(
        max_witnesses=places,
        max_voted_witnesses=places - runners,
        max_runner_witnesses=runners,
        hardfork_required_witnesses=places,
        irreversible_by_witness_from_block=0,
        min_feeds=min(dev.rules.min_feeds, places),
        cashout_window_seconds=PAYOUT_SECONDS,
    )
    return dev.model_copy(update={"genesis": genesis, "rules": rules})


def _snapshot(config: ChainConfig, codec: Codec, block_keys: dict[str, PrivateKey], blocks: int) -> Snapshot:
    return _make_beginning(config, codec, block_keys, blocks)[0]


def _make_beginning(
    config: ChainConfig, codec: Codec, block_keys: dict[str, PrivateKey], count: int
) -> tuple[Snapshot, tuple[bytes, ...]]:
    backend, log = MemoryBackend(), MemoryBlockLog()
    chain = Chain(config, backend, log, codec)
    blocks = []
    for _ in range(count):
        witness = get_scheduled_witness(chain.ctx, 1)
        blocks.append(chain.generate_block(witness, block_keys[witness], get_slot_time(chain.ctx, 1)).packed)
    chain.close()
    logged = [log.read(number) for number in range(1, log.head_number + 1)]
    return Snapshot(tuple(backend.scan(b"", None)), tuple(packed for packed in logged if packed)), tuple(blocks)
