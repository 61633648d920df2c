"""A chain of empty blocks that only the consensus steps are applied to, in the order of a real block."""

from __future__ import annotations

from typing import Any

from chain.hardforks import process_hardforks
from consensus.global_data import create_block_summary, update_global_dynamic_data, update_signing_witness
from consensus.header import (
    build_header_extensions,
    check_block_size,
    check_running_version,
    process_header_extensions,
    validate_block_header,
)
from consensus.irreversibility import update_last_irreversible_block
from consensus.median_feed import update_median_feed
from consensus.schedule import update_witness_schedule
from consensus.slots import get_scheduled_witness, get_slot_time
from consensus.subsidized_accounts import process_subsidized_accounts
from protocol.block import Block
from protocol.codec import Codec
from protocol.keys import PrivateKey, is_canonical, sign_digest
from state.context import BlockInProgress, Context
from tests.consensus.worlds import change_witness


def key_of(name: str) -> PrivateKey:
    """The signing key that tests give to a witness."""
    return PrivateKey.from_seed("witness " + name)


def give_keys(ctx: Context) -> None:
    """Gives every witness the key of its name."""
    for witness in list(ctx.tables.witnesses.scan()):
        change_witness(ctx, witness.owner, signing_key=key_of(witness.owner).public_key)


def make_block(ctx: Context, slot: int = 1, *, key: PrivateKey | None = None, **changes: Any) -> Block:
    """The block of the witness of a slot after the head, signed; `changes` are members of the header."""
    codec = Codec(ctx.config.identity)
    witness = changes.pop("witness", get_scheduled_witness(ctx, slot))
    header: dict[str, Any] = {
        "previous": ctx.gpo.head_block_id,
        "timestamp": get_slot_time(ctx, slot),
        "witness": witness,
        "extensions": build_header_extensions(ctx, witness) if ctx.tables.witnesses.find(witness) else (),
    }
    block = Block.make(codec, **{**header, **changes})
    return block.with_signature(sign_digest(block.digest, key or key_of(witness), is_canonical))


def apply_block(ctx: Context, block: Block, **between: Any) -> None:
    """Applies the consensus steps; `between` are fields of the producer's row set where transactions would apply."""
    witness = validate_block_header(ctx, block)
    check_block_size(ctx, block)
    ctx.update_gpo(current_witness=block.witness)
    actions = process_header_extensions(ctx, block)
    check_running_version(ctx, block)
    if between:
        change_witness(ctx, block.witness, **between)
    ctx.block = BlockInProgress(block, witness.signing_key, *actions)
    update_global_dynamic_data(ctx)
    update_signing_witness(ctx)
    update_last_irreversible_block(ctx)
    create_block_summary(ctx)
    update_witness_schedule(ctx)
    update_median_feed(ctx)
    process_subsidized_accounts(ctx)
    process_hardforks(ctx)


def generate(ctx: Context, count: int = 1, slot: int = 1) -> Block:
    """Makes and applies `count` blocks, each in the slot given; returns the last one."""
    for _ in range(count):
        block = make_block(ctx, slot)
        apply_block(ctx, block)
    return block
