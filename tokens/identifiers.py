"""The identifiers that new tokens may take: a small pool, filled from the ids of blocks, so that nobody can choose one.

Source: libraries/chain/smt_objects/nai_pool.cpp and libraries/chain/include/steem/chain/util/nai_generator.hpp of
master. Its check that an identifier is in the pool already never found one.
"""

from typing import Final

from protocol.assets import CONTROL_MASK, NAI_SHIFT, strip_decimals
from protocol.errors import Rejected
from protocol.integers import UINT32_MAX
from state.context import SINGLETON, Context
from state.tables.tokens import IdentifierPool
from state.tokens import find_token_of_identifier

_FNV_OFFSET: Final = 0x811C9DC5
_FNV_PRIME: Final = 0x01000193
_FIRST: Final = 10_000_000
_IDENTIFIERS: Final = 90_000_000
"""The least data digits, and how many follow; of each two neighbours the second is the first one's vesting symbol."""


def compute_seed(block_id: bytes) -> int:
    """The number of a block from which identifiers follow: the last 4 bytes of its id."""
    return int.from_bytes(block_id[16:20], "little")


def generate_identifier(seed: int) -> int:
    """The identifier of a seed of 32 bits, as a liquid symbol without decimals (FNV-1a over the seed's bytes)."""
    mixed = _FNV_OFFSET
    for byte in seed.to_bytes(4, "little"):
        mixed = ((mixed ^ byte) * _FNV_PRIME) & UINT32_MAX
    data = (mixed % _IDENTIFIERS + _FIRST) & ~1
    return data << NAI_SHIFT | CONTROL_MASK


def process_identifier_pool(ctx: Context) -> None:
    """Fills the pool from the id of the head block, as far as collisions allow; the first time it is made."""
    pools, rules = ctx.tables.identifier_pool, ctx.rules
    pool = pools.find(SINGLETON) or pools.insert(IdentifierPool(SINGLETON, (), 0, 0, bytes(20)))
    if len(pool.nais) >= rules.smt_max_nai_pool_count:
        return
    block_id, nais = ctx.gpo.head_block_id, list(pool.nais)
    is_same = block_id == pool.last_block_id
    attempts, collisions = (pool.attempts_per_block, pool.collisions_per_block) if is_same else (0, 0)
    seed = compute_seed(block_id)
    while len(nais) < rules.smt_max_nai_pool_count and collisions < rules.smt_max_nai_generation_tries:
        symbol = generate_identifier((seed + attempts) & UINT32_MAX)
        attempts += 1
        if symbol in nais or find_token_of_identifier(ctx, symbol) is not None:
            collisions += 1
        else:
            nais.append(symbol)
    pools.update(
        pool,
        nais=tuple(nais),
        attempts_per_block=attempts,
        collisions_per_block=collisions,
        last_block_id=block_id,
    )


def take_identifier(ctx: Context, symbol: int) -> None:
    """Takes the identifier of a symbol out of the pool, where the last one gets its place. Raises Rejected."""
    pools = ctx.tables.identifier_pool
    pool, identifier = pools.find(SINGLETON), strip_decimals(symbol)
    if pool is None or identifier not in pool.nais:
        raise Rejected(
            "_db.get< nai_pool_object >().contains( o.symbol )",
            "Cannot create an SMT that didn't come from the NAI pool.",
        )
    *others, last = pool.nais
    pools.update(pool, nais=tuple(last if nai == identifier else nai for nai in others))
