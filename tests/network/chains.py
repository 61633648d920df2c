"""The chain of a test network: preset dev with many witnesses and people whose keys are known, in a config file.

Until the first round has passed a new chain knows one witness only, and irreversibility needs two more rounds. So a
network begins with blocks that are made here at once, with times that end now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from chain.chain import Chain
from chain.finality import Mode
from consensus.header import build_header_extensions
from consensus.slots import get_scheduled_witness, get_slot_time
from protocol.block import Block
from protocol.codec import Codec, codec_for
from protocol.config import ChainConfig, GenesisAccount, GenesisWitness
from protocol.config_template import render_template
from protocol.keys import PrivateKey, encode_public_key, is_canonical, sign_digest
from protocol.transaction import Transaction

WITNESSES = tuple(f"witness{number:02}" for number in range(21))
BEGINNING_BLOCKS = 3 * len(WITNESSES)
BLOCK_BYTES_MAX = 1 << 20
"""What the witnesses vote for as maximum_block_size, so that blocks hold all that a test sends."""

VESTING_SHARES = 4_000_000_000_000_000_000
"""Stake of all accounts together, a little less than the wire format can carry."""


def block_key(witness: str) -> PrivateKey:
    """The signing key of a witness."""
    return PrivateKey.from_seed(f"{witness} block")


def account_key(name: str) -> PrivateKey:
    """The one key of an account, for all its roles."""
    return PrivateKey.from_seed(f"{name} account")


def make_block(chain: Chain, transactions: Sequence[Transaction] = ()) -> Block:
    """The block of the next slot, by its witness; the transactions are taken as they are."""
    witness, timestamp = get_scheduled_witness(chain.ctx, 1), get_slot_time(chain.ctx, 1)
    block = Block.make(
        chain.codec,
        previous=chain.head_id,
        timestamp=timestamp,
        witness=witness,
        transactions=transactions,
        extensions=build_header_extensions(chain.ctx, witness),
    )
    return block.with_signature(sign_digest(block.digest, block_key(witness), is_canonical))


class NetworkChain:
    """One chain: its config, also as a file, who is on it, and the blocks that are there when a network starts."""

    def __init__(
        self,
        file: Path,
        people: int = 20,
        block_seconds: int = 1,
        beginning_blocks: int = BEGINNING_BLOCKS,
        **rules: Any,
    ) -> None:
        """Writes the config to `file`; the genesis lies so far back that the beginning ends at this moment."""
        self.file = file
        self.people = tuple(f"user{number:04}" for number in range(people))
        self.block_seconds = block_seconds
        self.beginning_blocks = beginning_blocks
        self.config = self._make_config(rules)
        file.write_text(render_template(self.config), encoding="utf-8")

    @cached_property
    def codec(self) -> Codec:
        """The codec of the chain."""
        return codec_for(self.config.identity)

    def _make_config(self, rules: dict[str, Any]) -> ChainConfig:
        dev = ChainConfig.preset("dev")
        prefix = dev.chain.address_prefix
        head_time = int(time.time()) // self.block_seconds * self.block_seconds
        names = (*WITNESSES, *self.people)
        accounts = tuple(
            GenesisAccount(
                name=name,
                owner_key=encode_public_key(account_key(name).public_key, prefix),
                balance=1_000_000_000,
                sbd_balance=10_000_000,
                vesting_shares=VESTING_SHARES // len(names),
            )
            for name in names
        )
        witnesses = tuple(
            GenesisWitness(
                owner=name,
                signing_key=encode_public_key(block_key(name).public_key, prefix),
                maximum_block_size=BLOCK_BYTES_MAX,
            )
            for name in WITNESSES
        )
        genesis = dev.genesis.model_copy(
            update={
                "time": head_time - self.beginning_blocks * self.block_seconds,
                "accounts": accounts,
                "witnesses": witnesses,
            }
        )
        changed = {
            "block_interval_seconds": self.block_seconds,
            "irreversible_by_witness_from_block": 0,
            "min_root_comment_interval_seconds": 0,
        }
        return dev.model_copy(
            update={
                "chain": dev.chain.model_copy(update={"name": "network", "chain_id": "derive"}),
                "genesis": genesis,
                "rules": dev.rules.replace(**changed | rules),
            }
        )

    def make_beginning(
        self, data_dir: Path, make_transactions: Callable[[Chain], Sequence[Transaction]] | None = None
    ) -> None:
        """Fills a data directory with the first blocks; what is in them is asked for, block by block."""
        data_dir.mkdir(parents=True)
        chain = Chain.open(self.config, data_dir)
        chain.enter(Mode.BULK)
        for _ in range(self.beginning_blocks):
            block = make_block(chain, make_transactions(chain) if make_transactions else ())
            chain.push_block(block, skip_signatures=True)
        chain.enter(Mode.PROMPT)
        chain.close()
