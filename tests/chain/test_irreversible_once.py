"""What is irreversible is told once, and stays so here when a longer branch counts fewer confirmations."""

from chain.block_log import MemoryBlockLog
from chain.chain import Chain
from chain.effects import Irreversible, PushResult
from consensus.slots import get_scheduled_witness, get_slot_time
from protocol.block import Block
from state.engine.kv import MemoryBackend
from tests.sim.chains import make_chain

WORLD = make_chain(4)
"""Four witnesses, of whom three make a block irreversible; their chain begins with twelve blocks."""


def open_chain() -> Chain:
    chain = Chain(WORLD.config, MemoryBackend(), MemoryBlockLog(), WORLD.codec)
    for packed in WORLD.beginning_blocks:
        chain.push_block(Block.from_bytes(WORLD.codec, packed))
    return chain


def make_block(chain: Chain, witness: str) -> PushResult:
    """Makes the next block that is this witness's, after as many empty slots as that takes."""
    slot = next(slot for slot in range(1, 9) if get_scheduled_witness(chain.ctx, slot) == witness)
    block = chain.build_block(witness, WORLD.block_keys[witness], get_slot_time(chain.ctx, slot))
    return chain.push_block(block)


def told(result: PushResult) -> list[int]:
    return [item.number for item in result.feed if isinstance(item, Irreversible)]


def test_a_longer_branch_that_counts_fewer_confirmations_takes_nothing_back() -> None:
    chain, other = open_chain(), open_chain()
    before = chain.irreversible_number
    order = sorted(WORLD.witnesses, key=lambda name: chain.ctx.tables.witnesses.get(name).last_confirmed_block_num)
    assert told(make_block(chain, order[0])) == [before + 1], "the third witness confirms one block more"
    newest = order[-1]
    for _ in range(2):
        result = make_block(other, newest)
        assert told(result) == [], "the same witness again confirms nothing new"
        chain.push_block(result.applied[0].block)
    assert chain.head_id == other.head_id, "the longer branch counts"
    assert chain.ctx.gpo.last_irreversible_block_num == before
    assert chain.irreversible_number == chain.finality.committed_number == before + 1
    assert told(make_block(chain, order[0])) == [], "that block was told as irreversible already"
