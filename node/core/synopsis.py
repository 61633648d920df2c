"""How two nodes find their last common block: synopses, and the block ids that answer them.

A synopsis is a few ids of a chain from its last irreversible block on, denser towards the head. The answer is the list
of ids after the newest of them that is on the other side's main chain.

Source: libraries/plugins/p2p/p2p_plugin.cpp, get_blockchain_synopsis and get_block_ids.
"""

from chain.chain import Chain
from protocol.block import block_number
from protocol.p2p.messages import BLOCK_IDS_MAX
from protocol.types import NULL_ID


def make_synopsis(chain: Chain, ahead: tuple[bytes, ...], common: bytes) -> tuple[bytes, ...]:
    """Returns the synopsis of a chain for a peer.

    `ahead` are ids received from the peer whose blocks have not been fetched: the synopsis continues with them.
    `common` is the newest block that both have (empty if unknown): the synopsis ends there, so that the answer
    contains what follows.
    """
    is_ours = bool(common) and chain.reader.is_on_main_chain(common)
    high = block_number(ahead[0]) - 1 if ahead else block_number(common) if is_ours else chain.head_number
    last = high + len(ahead)
    found = []
    number = max(min(chain.irreversible_number, high), 1)
    while number <= last:
        block_id = ahead[number - high - 1] if number > high else chain.reader.get_block_id(number)
        if block_id is not None:
            found.append(block_id)
        number += (last - number + 2) // 2
    if common and not ahead and not is_ours:
        found.append(common)  # The peer's head is on another branch; without it the answer would repeat that branch.
    return tuple(found)


def find_ids(chain: Chain, synopsis: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], int]:
    """Returns the ids from the newest common block on, and how many blocks follow the last of them."""
    common = next((block_id for block_id in reversed(synopsis) if chain.reader.is_on_main_chain(block_id)), None)
    if common is None and synopsis:
        return (), 0  # The chains fork before the peer's last irreversible block.
    first = max(block_number(common or NULL_ID), 1)
    last = min(chain.head_number, first + BLOCK_IDS_MAX - 1)
    ids = tuple(chain.reader.get_block_ids(first, last))
    return (ids, chain.head_number - last) if len(ids) == last + 1 - first else ((), 0)


def is_answer(ids: tuple[bytes, ...], synopsis: tuple[bytes, ...]) -> bool:
    """Whether ids are a valid answer to a synopsis: consecutive, from one of its blocks on (or from block 1)."""
    if not ids:
        return True
    first = block_number(ids[0])
    if any(block_number(block_id) != first + place for place, block_id in enumerate(ids)):
        return False
    return ids[0] in synopsis if synopsis else first == 1


def count_known(chain: Chain, ids: tuple[bytes, ...]) -> int:
    """Returns how many of the consecutive ids, from the first on, this node has."""
    if not ids:
        return 0
    ours = chain.reader.get_block_ids(block_number(ids[0]), block_number(ids[-1]))
    count = 0
    while count < len(ours) and ours[count] == ids[count]:
        count += 1
    while count < len(ids) and chain.reader.is_known_block(ids[count]):
        count += 1
    return count
