"""Validation of block headers, and processing of their extensions.

Source: libraries/chain/database.cpp, _apply_block, validate_block_header and process_header_extensions;
libraries/plugins/witness/block_producer.cpp, adjust_hardfork_version_vote (the extensions of a new block).
"""

from typing import Any, NamedTuple

from consensus.slots import get_scheduled_witness, get_slot_at_time
from consensus.versions import find_hardfork, get_hardfork_version, get_node_version
from consensus.witnesses import get_witness
from protocol.actions import OptionalAction, RequiredAction
from protocol.block import Block
from protocol.block_header import OptionalActions, RequiredActions, VersionReport
from protocol.errors import Rejected
from protocol.shapes import version_text
from protocol.types import HardforkVersionVote
from state.context import SINGLETON, Context
from state.tables.witnesses import Witness


class HeaderActions(NamedTuple):
    """The automated actions of a header, in its order."""

    required: tuple[RequiredAction, ...]
    optional: tuple[OptionalAction, ...]

    def as_extensions(self) -> tuple[RequiredActions | OptionalActions, ...]:
        """The header extensions that carry these actions; empty if there are none."""
        required = (RequiredActions(self.required),) if self.required else ()
        optional = (OptionalActions(self.optional),) if self.optional else ()
        return (*required, *optional)


def validate_block_header(
    ctx: Context, block: Block, *, skip_signature: bool = False, skip_schedule: bool = False
) -> Witness:
    """Checks that the block extends the head, and that the scheduled witness of its slot signed it.

    Returns the witness's row before the block. Raises Rejected, Invalid for a malformed signature, and UnknownKey for
    an unknown witness.
    """
    gpo = ctx.gpo
    if gpo.head_block_id != block.previous:
        raise Rejected(
            "head_block_id() == next_block.previous",
            "",
            **{"head_block_id": gpo.head_block_id, "next.prev": block.previous},
        )
    if not gpo.time < block.timestamp:
        raise Rejected(
            "head_block_time() < next_block.timestamp",
            "",
            head_block_time=gpo.time,
            next=block.timestamp,
            blocknum=block.number,
        )
    witness = get_witness(ctx, block.witness)
    if not skip_signature and not is_signed_by(block, witness.signing_key):
        raise Rejected(
            "next_block.validate_signee( witness.signing_key, "
            "has_hardfork( STEEM_HARDFORK_0_20__1944 ) ? fc::ecc::bip_0062 : fc::ecc::fc_canonical )"
        )
    if not skip_schedule:
        _check_slot(ctx, block)
    return witness


def is_signed_by(block: Block, signing_key: bytes) -> bool:
    """Whether the header was signed with this key; never true for the null key. Raises Invalid."""
    return block.signer() == signing_key


def _check_slot(ctx: Context, block: Block) -> None:
    slot = get_slot_at_time(ctx, block.timestamp)
    if not slot > 0:
        raise Rejected("slot_num > 0")
    scheduled = get_scheduled_witness(ctx, slot)
    if block.witness != scheduled:
        raise Rejected(
            "witness.owner == scheduled_witness",
            "Witness produced block at wrong time",
            **{"block witness": block.witness, "scheduled": scheduled, "slot_num": slot},
        )


def check_merkle_root(block: Block) -> None:
    """Refuses a block whose header does not state the merkle root of its transactions."""
    root = block.merkle_root()
    if block.transaction_merkle_root != root:
        raise Rejected(
            "next_block.transaction_merkle_root == merkle_root",
            "Merkle check failed",
            **{"next_block.transaction_merkle_root": block.transaction_merkle_root, "calc": root, "id": block.id},
        )


def check_block_size(ctx: Context, block: Block) -> None:
    """Refuses a block larger than the witnesses' median maximum."""
    maximum = ctx.gpo.maximum_block_size
    if not block.size <= maximum:
        raise Rejected(
            "block_size <= gprops.maximum_block_size",
            "Block Size is too Big",
            next_block_num=block.number,
            block_size=block.size,
            max=maximum,
        )


def process_header_extensions(ctx: Context, block: Block) -> HeaderActions:
    """Records the version the witness reports and its vote for a hard fork; returns the actions in the header."""
    required: list[RequiredAction] = []
    optional: list[OptionalAction] = []
    for extension in block.extensions:
        if isinstance(extension, VersionReport):
            _change_witness(ctx, block.witness, running_version=extension.version)
        elif isinstance(extension, HardforkVersionVote):
            _change_witness(
                ctx,
                block.witness,
                hardfork_version_vote=extension.hf_version,
                hardfork_time_vote=extension.hf_time,
            )
        elif isinstance(extension, RequiredActions):
            _check_actions_enabled(ctx)
            required += extension.actions
        elif isinstance(extension, OptionalActions):
            _check_actions_enabled(ctx)
            optional += extension.actions
    return HeaderActions(tuple(required), tuple(optional))


def _change_witness(ctx: Context, name: str, **changes: Any) -> None:
    witness = get_witness(ctx, name)
    if any(getattr(witness, field) != value for field, value in changes.items()):
        ctx.tables.witnesses.update(witness, **changes)


def _check_actions_enabled(ctx: Context) -> None:
    if not ctx.rules.tokens_enabled:
        raise Rejected(
            "_db.has_hardfork( STEEM_SMT_HARDFORK )", "Automated actions are not enabled until SMT hardfork."
        )


def check_running_version(ctx: Context, block: Block) -> None:
    """Refuses a block of a witness whose reported version is older than the last hard fork."""
    witness = ctx.tables.witnesses.get(block.witness)
    hardfork = ctx.tables.hardfork_property.get(SINGLETON)
    if not witness.running_version >= hardfork.current_hardfork_version:
        raise Rejected(
            "witness.running_version >= hardfork_state.current_hardfork_version",
            "Block produced by witness that is not running current hardfork",
            **{
                "witness": witness.owner,
                "next_block.witness": block.witness,
                "running_version": version_text(witness.running_version),
                "current_hardfork_version": version_text(hardfork.current_hardfork_version),
            },
        )


def build_header_extensions(ctx: Context, name: str) -> tuple[VersionReport | HardforkVersionVote, ...]:
    """The extensions that witness `name` must put into its next block, in their order in the header.

    The witness reports this node's version unless it already did, so the first block of every witness has a report. It
    votes for the next hard fork that this node knows, at that fork's activation time; if there is none, it withdraws an
    earlier vote.
    """
    witness = get_witness(ctx, name)
    config = ctx.config
    version = get_node_version(config)
    extensions: list[VersionReport | HardforkVersionVote] = []
    if witness.running_version != version:
        extensions.append(VersionReport(version))
    hardfork = ctx.tables.hardfork_property.get(SINGLETON)
    following = find_hardfork(config, hardfork.last_hardfork + 1)
    if following is not None:
        wanted = HardforkVersionVote(get_hardfork_version(config, following.number), following.activation_time)
        if wanted != (witness.hardfork_version_vote, witness.hardfork_time_vote):
            extensions.append(wanted)
    elif witness.hardfork_version_vote > hardfork.current_hardfork_version:
        time = hardfork.processed_hardforks[hardfork.last_hardfork]
        extensions.append(HardforkVersionVote(hardfork.current_hardfork_version, time))
    return tuple(extensions)
