"""The network part of the node core, message by message: what peers may say, when, and what comes of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from node.core import gossip, notes, sync
from node.core.gossip import ANSWER_MS_MAX, PATIENCE_MS
from node.core.peer import COST_MAX, FETCH_ITEMS_MAX, OFFERS_MAX, SERVED_MAX
from protocol.block import Block, block_number
from protocol.p2p.messages import (
    BLOCK_ITEM,
    TRANSACTION_ITEM,
    BlockchainItemIdsInventory,
    BlockMessage,
    ClosingConnection,
    FetchBlockchainItemIds,
    FetchItems,
    ItemIdsInventory,
    ItemNotAvailable,
    TransactionMessage,
    message_id,
)
from protocol.transaction import Transaction
from state.errors import StoreFull
from tests.node.lab import (
    MINORITY,
    SLOT_MS,
    WITNESSES,
    Lab,
    Remote,
    Web,
    branch,
    codec,
    forge,
    grow,
    item_of,
    make_transfer,
    only,
    open_chain,
    trunk,
)

BASE = 12
"""Blocks that everybody has where a test does not say otherwise."""

LENGTH = 60
"""Blocks of the chain that is fetched."""


@pytest.fixture
def lab() -> Lab:
    made = Lab(open_chain(trunk(BASE)))
    made.clock.ms += SLOT_MS
    return made


def next_blocks(count: int = 1, skip: int = 0) -> list[Block]:
    return branch(trunk(BASE), count, skip=skip)


def ids_of(blocks: Iterable[Block]) -> list[bytes]:
    return [block.id for block in blocks]


def transfers(lab: Lab, count: int) -> list[Transaction]:
    return [make_transfer(number, chain=lab.chain) for number in range(count)]


def offer_all(remote: Remote, transactions: list[Transaction]) -> None:
    hashes = tuple(message_id(transaction.packed_signed) for transaction in transactions)
    remote.say(ItemIdsInventory(TRANSACTION_ITEM, hashes))


# Gossip: blocks


def test_a_new_block_is_fetched_applied_and_offered_to_the_others(lab: Lab) -> None:
    giver, other = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    (block,) = next_blocks()
    giver.give(block)
    assert lab.chain.head_id == block.id
    assert only(other.take(ItemIdsInventory)) == ItemIdsInventory(BLOCK_ITEM, (item_of(block),))
    assert giver.take(ItemIdsInventory) == []
    other.say(FetchItems(BLOCK_ITEM, (item_of(block),)))
    assert only(other.take(BlockMessage)).block == block


def test_a_block_that_two_peers_offer_is_asked_of_one(lab: Lab) -> None:
    first, second = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    (block,) = next_blocks()
    first.offer(block)
    second.offer(block)
    assert len(first.take(FetchItems)) == 1
    assert second.take(FetchItems) == []


def test_who_only_offers_a_block_does_not_keep_it_from_spreading(lab: Lab) -> None:
    silent, honest = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    (block,) = next_blocks()
    silent.offer(block)
    honest.offer(block)
    lab.wait(PATIENCE_MS + 1_000)
    assert honest.serve([block]) == 1
    assert lab.chain.head_id == block.id
    silent.say(BlockMessage(block, block.id))
    assert not silent.is_closed, "it came late, but it was asked for"
    assert lab.network.gossip.count_waiting()[0] == 0


def test_a_peer_that_does_not_send_what_it_offered_is_dropped(lab: Lab) -> None:
    silent = lab.friend()
    silent.offer(*next_blocks())
    lab.wait(ANSWER_MS_MAX)
    assert not silent.is_closed
    lab.wait(2_000)
    assert silent.is_closed and silent.goodbye is None
    assert lab.banned == []


def test_what_a_peer_no_longer_has_is_asked_of_another(lab: Lab) -> None:
    first, second = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    (block,) = next_blocks()
    first.offer(block)
    second.offer(block)
    first.say(ItemNotAvailable(BLOCK_ITEM, item_of(block)))
    assert second.serve([block]) == 1
    assert lab.chain.head_id == block.id


def test_what_a_lost_peer_owed_is_asked_of_another(lab: Lab) -> None:
    first, second = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    (block,) = next_blocks()
    first.offer(block)
    second.offer(block)
    first.hang_up()
    assert second.serve([block]) == 1


def test_a_tie_is_kept_but_not_offered(lab: Lab) -> None:
    giver, other = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    (block,), (tie,) = next_blocks(), next_blocks(skip=1)
    lab.clock.ms += SLOT_MS
    giver.give(block)
    other.take(object)
    giver.give(tie)
    assert lab.chain.head_id == block.id
    assert lab.chain.is_known_block(tie.id)
    assert other.take(ItemIdsInventory) == []
    assert not giver.is_closed


def test_a_block_without_its_parent_begins_synchronisation(lab: Lab) -> None:
    giver = lab.friend()
    blocks = next_blocks(2)
    lab.clock.ms += SLOT_MS
    giver.give(blocks[1])
    assert giver.ask_synopsis()[-1] == trunk(BASE)[-1].id
    giver.tell_ids([trunk(BASE)[-1].id, *(block.id for block in blocks)])
    giver.serve(blocks)
    assert lab.chain.head_id == blocks[1].id
    assert not giver.is_closed


# Gossip: transactions


def test_a_transaction_is_fetched_applied_and_offered_to_the_others(lab: Lab) -> None:
    giver, other = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    (transaction,) = transfers(lab, 1)
    offer_all(giver, [transaction])
    giver.say(TransactionMessage(transaction))
    assert transaction.id in lab.chain.pending
    lab.wait(gossip.GATHER_MS)
    assert only(other.take(ItemIdsInventory)).item_type == TRANSACTION_ITEM
    other.say(FetchItems(TRANSACTION_ITEM, (message_id(transaction.packed_signed),)))
    assert only(other.take(TransactionMessage)).transaction == transaction


def test_transactions_that_keep_coming_do_not_put_off_the_offer(lab: Lab) -> None:
    other = lab.friend()
    for transaction in transfers(lab, 20):
        lab.node.on_transaction(transaction)
        lab.wait(gossip.GATHER_MS // 5)
    offered = [item for message in other.take(ItemIdsInventory) for item in message.item_hashes_available]
    assert len(offered) >= 10


def test_one_request_asks_for_many_transactions_of_our_kind_and_for_one_of_the_reference(lab: Lab) -> None:
    ours, reference = lab.friend("10.0.0.1"), lab.meet("10.0.0.2")
    reference.shake(reference.hello())
    reference.follow()
    transactions = transfers(lab, FETCH_ITEMS_MAX + 5)
    offer_all(reference, transactions[:3])
    assert only(reference.take(FetchItems)).items_to_fetch == (message_id(transactions[0].packed_signed),)
    offer_all(ours, transactions[5:])
    assert len(only(ours.take(FetchItems)).items_to_fetch) == FETCH_ITEMS_MAX


def test_a_refused_transaction_is_nobodys_fault_but_many_are_not_asked_for(lab: Lab) -> None:
    giver = lab.friend()
    unsigned = [transaction.with_signatures([bytes(65)] * 90) for transaction in transfers(lab, 30)]
    offer_all(giver, unsigned[:1])
    giver.say(TransactionMessage(unsigned[0]))
    assert not giver.is_closed
    offer_all(giver, unsigned[1:])
    wanted = only(giver.take(FetchItems)[-1:]).items_to_fetch
    for transaction in unsigned[1:]:
        if not giver.is_closed and message_id(transaction.packed_signed) in wanted:
            giver.say(TransactionMessage(transaction))
    assert giver.goodbye == "You send me too much that I refuse"
    assert lab.banned == []


def test_a_peer_that_costs_much_is_not_asked_for_transactions_for_a_while(lab: Lab) -> None:
    giver = lab.friend()
    giver.peer.cost, giver.peer.cost_at_ms = COST_MAX - 10, lab.clock.ms
    transactions = transfers(lab, 2)
    offer_all(giver, transactions)
    assert giver.take(FetchItems) == []
    lab.wait(6_000)
    assert len(only(giver.take(FetchItems)).items_to_fetch) == 2


def test_all_waiting_transactions_are_offered_to_a_peer_that_catches_up_but_not_all_the_time(lab: Lab) -> None:
    for transaction in transfers(lab, 3):
        lab.node.on_transaction(transaction)
    giver = lab.friend()
    lab.wait(gossip.GATHER_MS)
    giver.take(object)
    head = (lab.chain.head_id,)
    giver.peer.told.forget_before(lab.clock.ms + 1)
    for _ in range(3):
        giver.say(FetchBlockchainItemIds(BLOCK_ITEM, ()), FetchBlockchainItemIds(BLOCK_ITEM, head))
    assert giver.take(ItemIdsInventory) == []
    lab.wait(gossip.PENDING_PAUSE_MS // 2)
    lab.clock.ms += gossip.PENDING_PAUSE_MS
    giver.peer.told.forget_before(lab.clock.ms + 1)
    giver.say(FetchBlockchainItemIds(BLOCK_ITEM, ()), FetchBlockchainItemIds(BLOCK_ITEM, head))
    assert len(only(giver.take(ItemIdsInventory)).item_hashes_available) == 3


def test_offers_of_one_peer_are_bounded(lab: Lab) -> None:
    giver = lab.friend()
    for item_type, count_max in OFFERS_MAX.items():
        many = tuple(number.to_bytes(20, "big") for number in range(2 * count_max))
        giver.peer.items_asked[b"busy"] = lab.clock.ms
        giver.say(ItemIdsInventory(item_type, many[:count_max]), ItemIdsInventory(item_type, many[count_max:]))
        assert len(giver.peer.offers[item_type]) <= count_max


def test_items_of_unknown_types_are_not_heard(lab: Lab) -> None:
    giver = lab.friend()
    giver.say(ItemIdsInventory(7, (bytes(20),)), FetchItems(7, (bytes(20),)))
    assert giver.take(FetchItems) == []
    assert giver.take(ItemNotAvailable) == [ItemNotAvailable(7, bytes(20))]


# Serving


def test_what_is_not_there_is_said_so_and_the_rest_follows(lab: Lab) -> None:
    asker = lab.friend()
    known = trunk(BASE)[3]
    asker.say(FetchItems(BLOCK_ITEM, (bytes(20), known.id, known.id[:4] + bytes(16), b"\xff" * 20)))
    assert [message.item_hash for message in asker.take(ItemNotAvailable)] == [
        bytes(20),
        known.id[:4] + bytes(16),
        b"\xff" * 20,
    ]
    assert only(asker.take(BlockMessage)).block == known


def test_whoever_asks_for_a_false_id_costs_no_decoding(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = lab.friend()
    monkeypatch.setattr(lab.chain, "get_block", lambda number: pytest.fail("a block was decoded"))
    asker.say(FetchItems(BLOCK_ITEM, tuple(block.id[:19] + b"x" for block in trunk(BASE))))
    assert len(asker.take(ItemNotAvailable)) == BASE


def test_a_peer_without_room_gets_the_rest_when_it_has_room_again(lab: Lab) -> None:
    asker, other = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    lab.world.full.add(asker.number)
    ids = tuple(block.id for block in trunk(BASE))
    asker.say(FetchItems(BLOCK_ITEM, ids))
    other.say(FetchItems(BLOCK_ITEM, ids))
    assert asker.take(BlockMessage) == []
    assert len(other.take(BlockMessage)) == BASE
    lab.world.full.clear()
    lab.node.on_writable(asker.number)
    lab.settle()
    assert [message.block.id for message in asker.take(BlockMessage)] == list(ids)


def test_much_that_is_asked_for_is_sent_in_turns(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gossip, "SERVE_ITEMS_MAX", 4)
    first, second = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    ids = tuple(block.id for block in trunk(BASE))
    for remote in (first, second):
        lab.node.on_message(remote.number, 5004, b"\xe9\x03\0\0" + bytes((BASE,)) + b"".join(ids))
    lab.world.run_due(lab.node)
    assert [len(remote.take(BlockMessage)) for remote in (first, second)] == [2, 2]
    lab.settle()
    assert [len(remote.take(BlockMessage)) for remote in (first, second)] == [BASE - 2, BASE - 2]


def test_who_asks_for_more_than_is_kept_in_mind_is_closed(lab: Lab) -> None:
    asker = lab.friend()
    lab.world.full.add(asker.number)
    for _ in range(SERVED_MAX // 2000):
        asker.say(FetchItems(BLOCK_ITEM, (bytes(20),) * 2000))
    assert not asker.is_closed
    asker.say(FetchItems(BLOCK_ITEM, (bytes(20),)))
    assert asker.is_closed


def test_a_block_is_still_served_after_many_transactions(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for messages in lab.network.gossip._kept.values():
        monkeypatch.setattr(messages, "_count_max", 5)
    asker = lab.friend()
    (block,) = next_blocks()
    lab.node.on_block(block)
    for transaction in transfers(lab, 20):
        lab.node.on_transaction(transaction)
    asker.say(FetchItems(BLOCK_ITEM, (item_of(block),)))
    assert only(asker.take(BlockMessage)).block == block


# Synchronisation: asking


def behind(count: int, **network: Any) -> Lab:
    """A node that has the first blocks of the trunk, when its last one is there."""
    lab = Lab(open_chain(trunk(LENGTH)[:count]), **network)
    lab.clock.ms = trunk(LENGTH)[-1].timestamp * 1000
    lab.wait(0)
    return lab


def connect(lab: Lab, host: str = "10.0.0.1") -> Remote:
    remote = lab.meet(host)
    remote.shake()
    return remote


def tell_all(remote: Remote, blocks: Sequence[Block] = (), remaining: int = 0) -> None:
    """Answers a synopsis with all that follows of some blocks, or of the trunk."""
    known = blocks or trunk(LENGTH)
    synopsis = remote.ask_synopsis()
    start = known.index(next(block for block in known if block.id == synopsis[-1])) if synopsis else 0
    remote.tell_ids(ids_of(known[start:]), remaining)


def finish(remote: Remote) -> None:
    """Answers questions for ids, as a peer with the trunk does, and sends what is asked for, until all is quiet."""
    for _ in range(20):
        asked = remote.take(FetchBlockchainItemIds)
        for message in asked:
            known = [block.id for block in trunk(LENGTH)]
            common = [block_id for block_id in message.blockchain_synopsis if block_id in known]
            remote.tell_ids(known[known.index(common[-1]) if common else 0 :])
        if not remote.serve(trunk(LENGTH)) and not asked:
            return
    raise AssertionError("the node never has enough")


def test_a_node_without_blocks_fetches_all(lab: Lab) -> None:
    new = behind(0)
    remote = connect(new)
    assert remote.ask_synopsis() == ()
    remote.tell_ids(ids_of(trunk(LENGTH)))
    finish(remote)
    assert new.chain.head_id == trunk(LENGTH)[-1].id
    assert not remote.peer.we_need_its_blocks and not new.network.is_syncing


def test_a_synopsis_is_as_the_reference_makes_it() -> None:
    lab = behind(LENGTH)
    remote = connect(lab)
    numbers = [block_number(block_id) for block_id in remote.ask_synopsis()]
    low = lab.chain.irreversible_number
    expected = []
    while low <= LENGTH:
        expected.append(low)
        low += (LENGTH - low + 2) // 2
    assert numbers == expected


def test_ids_that_remain_are_asked_for_while_blocks_are_fetched() -> None:
    lab = behind(0)
    remote = connect(lab)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)[:10]), LENGTH - 10)
    assert remote.ask_synopsis()[-1] == trunk(LENGTH)[9].id
    assert lab.network.sync.count_missing() == LENGTH
    remote.tell_ids(ids_of(trunk(LENGTH)[9:]))
    finish(remote)
    assert lab.chain.head_number == LENGTH


def test_ids_that_nobody_asked_for_are_not_minded(lab: Lab) -> None:
    remote = lab.friend()
    remote.tell_ids(ids_of(trunk(BASE)))
    assert not remote.is_closed and not remote.peer.ids_to_fetch


@pytest.mark.parametrize(
    "ids",
    [
        [trunk(BASE)[-1].id, next_blocks(3)[1].id],  # a gap
        ids_of(next_blocks(2)),  # nothing of the synopsis
        [next_blocks(1)[0].id],
        [trunk(BASE)[-1].id, trunk(BASE)[-1].id],
        [bytes(20)],
    ],
)
def test_ids_that_are_no_answer_end_the_connection(ids: list[bytes]) -> None:
    lab = Lab(open_chain(trunk(BASE)))
    remote = connect(lab)
    remote.tell_ids(ids)
    assert remote.goodbye == "You gave an invalid response to my request for sync blocks"
    assert lab.banned == []


def test_more_that_remains_behind_a_single_id_is_no_answer(lab: Lab) -> None:
    remote = connect(lab)
    remote.tell_ids([lab.chain.head_id], 5)
    assert remote.goodbye == "You gave an invalid response to my request for sync blocks"


def test_more_blocks_than_there_can_be_end_the_connection(lab: Lab) -> None:
    remote = connect(lab)
    remote.tell_ids([lab.chain.head_id, *ids_of(next_blocks(2))], 0xFFFFFFFF)
    assert remote.goodbye == "You offered me a list of more sync blocks than could possibly exist"


def test_a_peer_that_does_not_tell_ids_is_dropped(lab: Lab) -> None:
    remote = connect(lab)
    lab.wait(8_000)
    assert remote.is_closed and remote.goodbye is None


def test_a_peer_on_a_branch_that_cannot_be_reached_counts_as_in_sync(lab: Lab) -> None:
    remote = connect(lab)
    remote.tell_ids([])
    assert not remote.peer.we_need_its_blocks
    remote.say(FetchBlockchainItemIds(BLOCK_ITEM, (b"\0\0\0\x03" + bytes(16),)))
    assert only(remote.take(BlockchainItemIdsInventory)) == BlockchainItemIdsInventory(0, BLOCK_ITEM, ())
    assert not remote.peer.needs_our_blocks


def test_the_lists_of_ids_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "IDS_AHEAD_MAX", 20)
    lab = behind(0)
    remote = connect(lab)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)[:15]), LENGTH - 15)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)[14:30]), LENGTH - 30)
    assert remote.take(FetchBlockchainItemIds) == []
    remote.serve(trunk(LENGTH)[:15])
    lab.wait(1_000)
    assert remote.ask_synopsis()[-1] == trunk(LENGTH)[29].id, "there is room again"


# Synchronisation: fetching and applying


def test_blocks_are_fetched_from_all_who_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "BATCH_BLOCKS", 10)
    lab = behind(0)
    remotes = [connect(lab, f"10.0.0.{number}") for number in (1, 2, 3)]
    for remote in remotes:
        remote.take(FetchBlockchainItemIds)
        remote.tell_ids(ids_of(trunk(LENGTH)))
    asked = [only(remote.take(FetchItems)).items_to_fetch for remote in remotes]
    assert list(itertools.chain(*asked)) == ids_of(trunk(LENGTH)[:30])
    for remote, ids in zip(reversed(remotes), reversed(asked), strict=True):
        for block in trunk(LENGTH):
            if block.id in ids:
                remote.say(BlockMessage(block, block.id))
    lab.wait(1_000)
    assert lab.chain.head_number == 30


def test_blocks_of_a_lost_peer_are_asked_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "BATCH_BLOCKS", 10)
    lab = behind(0)
    first, second = connect(lab, "10.0.0.1"), connect(lab, "10.0.0.2")
    for remote in (first, second):
        remote.take(FetchBlockchainItemIds)
        remote.tell_ids(ids_of(trunk(LENGTH)))
    first.hang_up()
    finish(second)
    assert lab.chain.head_number == LENGTH


def test_a_peer_that_sends_slowly_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "BATCH_BLOCKS", 10)
    lab = behind(0)
    slow, fast = connect(lab, "10.0.0.1"), connect(lab, "10.0.0.2")
    for remote in (slow, fast):
        remote.take(FetchBlockchainItemIds)
        remote.tell_ids(ids_of(trunk(LENGTH)))
    finish(fast)
    for number in range(9, 4, -1):
        lab.wait(2_000)
        if not slow.is_closed:
            slow.say(BlockMessage(trunk(LENGTH)[number], trunk(LENGTH)[number].id))
        finish(fast)
    assert lab.chain.head_number == LENGTH
    assert not slow.is_closed
    assert lab.network.sync.count_waiting()[1:] == (0, 0)


def test_a_slow_peer_does_not_keep_others_from_being_in_sync(lab: Lab) -> None:
    """A peer that claims a branch and sends a block of it every few seconds once kept all new peers from gossip."""
    slow, honest = connect(lab, "10.0.0.1"), connect(lab, "10.0.0.2")
    other = branch(trunk(BASE), 3, skip=1)
    slow.ask_synopsis()
    slow.tell_ids([trunk(BASE)[-1].id, *ids_of(other)])
    honest.ask_synopsis()
    honest.tell_ids([lab.chain.head_id])
    assert not honest.peer.we_need_its_blocks
    (block,) = next_blocks()
    honest.give(block)
    assert lab.chain.head_id == block.id


def test_a_peer_that_sends_no_block_is_dropped() -> None:
    lab = behind(0)
    remote = connect(lab)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)))
    lab.wait(8_000)
    assert remote.is_closed and remote.goodbye is None


def test_a_peer_that_lacks_a_block_that_it_named_is_closed() -> None:
    lab = behind(0)
    remote = connect(lab)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)))
    remote.say(ItemNotAvailable(BLOCK_ITEM, trunk(LENGTH)[4].id))
    assert remote.goodbye is not None and "missing a sync item" in remote.goodbye


def test_blocks_that_do_not_follow_one_another_end_the_connection(lab: Lab) -> None:
    remote = connect(lab)
    first = next_blocks()[0]
    stranger = forge(b"\0\0\0\x0d" + bytes(16), first.timestamp + 3)
    remote.ask_synopsis()
    remote.tell_ids([lab.chain.head_id, first.id, stranger.id])
    remote.say(BlockMessage(stranger, stranger.id))
    assert remote.goodbye == "You listed blocks that do not follow one another"
    assert lab.network.sync.count_waiting() == (0, 0, 0)


def test_a_block_that_nobody_signed_bans_its_source_and_closes_those_who_have_it(lab: Lab) -> None:
    evil, other = connect(lab, "10.0.0.1"), connect(lab, "10.0.0.2")
    forged = forge(lab.chain.head_id, lab.chain.head_time + 3)
    for remote in (evil, other):
        remote.ask_synopsis()
        remote.tell_ids([lab.chain.head_id, forged.id])
    evil.say(BlockMessage(forged, forged.id))
    assert evil.goodbye == other.goodbye == "You offered us a block that we reject as invalid"
    assert lab.banned == [evil.link.remote.address]
    assert lab.chain.head_id == trunk(BASE)[-1].id and lab.chain.is_invalid_block(forged.id)


def test_a_block_without_its_transactions_bans_its_source_and_the_true_one_is_taken(lab: Lab) -> None:
    whole = open_chain(trunk(BASE))
    whole.push_transaction(make_transfer(1, chain=whole))
    (true,) = grow(whole, 1)
    assert true.transactions
    stripped = Block.make(
        codec(),
        previous=true.previous,
        timestamp=true.timestamp,
        witness=true.witness,
        extensions=true.extensions,
        transaction_merkle_root=true.transaction_merkle_root,
        witness_signature=true.witness_signature,
    )
    assert stripped.id == true.id
    for place, gives in enumerate((Remote.give, None)):
        evil = lab.friend(f"10.0.0.{place + 1}") if gives else connect(lab, f"10.0.0.{place + 1}")
        if gives:
            evil.offer(stripped)
        else:
            evil.ask_synopsis()
            evil.tell_ids([lab.chain.head_id, true.id])
        evil.say(BlockMessage(stripped, stripped.id))
        assert evil.is_closed
    assert len(lab.banned) == 2
    honest = lab.friend("10.0.0.9")
    honest.give(true)
    assert lab.chain.head_id == true.id


def test_blocks_that_wait_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    size = trunk(LENGTH)[5].size
    monkeypatch.setattr(sync, "RECEIVED_BYTES_MAX", 5 * size)
    monkeypatch.setattr(sync, "NEAR_BYTES_MAX", 10 * size)
    monkeypatch.setattr(sync, "NEAR_BLOCKS", 20)
    lab = behind(0)
    remote = connect(lab)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)))
    lab.node.on_recovered = lambda job: None  # type: ignore[method-assign]
    for block in reversed(trunk(LENGTH)):
        if block.id in remote.peer.blocks_asked:
            remote.say(BlockMessage(block, block.id))
    assert lab.network.sync.count_waiting()[2] <= 11 * size


def test_blocks_for_which_there_was_no_room_are_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "RECEIVED_BYTES_MAX", 1)
    monkeypatch.setattr(sync, "NEAR_BYTES_MAX", 1)
    lab = behind(0)
    remote = connect(lab)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)))
    for _ in range(LENGTH):
        finish(remote)
        lab.wait(1_000)
    assert lab.chain.head_number == LENGTH


def test_a_block_that_came_by_gossip_wakes_those_that_wait_for_it(lab: Lab) -> None:
    syncing, friend = connect(lab, "10.0.0.1"), lab.friend("10.0.0.2")
    blocks = next_blocks(3)
    lab.clock.ms = blocks[-1].timestamp * 1000
    syncing.ask_synopsis()
    syncing.tell_ids([lab.chain.head_id, *ids_of(blocks)])
    for block in blocks[1:]:
        syncing.say(BlockMessage(block, block.id))
    friend.give(blocks[0])
    lab.wait(1_000)
    assert lab.chain.head_id == blocks[-1].id


def test_a_block_whose_time_has_not_come_waits_for_it(lab: Lab) -> None:
    remote = lab.friend()
    (block,) = next_blocks(skip=4)
    lab.clock.ms = (block.timestamp - 10) * 1000
    remote.give(block)
    remote.ask_synopsis()
    remote.tell_ids([lab.chain.head_id, block.id])
    remote.serve([block])
    assert lab.chain.head_id != block.id and not remote.is_closed
    lab.wait(4_000)
    assert lab.chain.head_id != block.id
    lab.wait(2_000)
    assert lab.chain.head_id == block.id
    assert not remote.is_closed


def test_a_block_that_is_far_ahead_of_the_clock_ends_the_connection_and_may_come_later(lab: Lab) -> None:
    remote = connect(lab)
    (block,) = next_blocks(skip=100)
    remote.ask_synopsis()
    remote.tell_ids([lab.chain.head_id, block.id])
    remote.serve([block])
    assert remote.is_closed and lab.banned == []
    lab.clock.ms = block.timestamp * 1000
    lab.friend("10.0.0.2").give(block)
    assert lab.chain.head_id == block.id


def test_a_disk_that_refuses_stops_synchronisation_without_a_busy_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = behind(0)
    remote = connect(lab)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)))
    for block in trunk(LENGTH)[1:]:
        remote.say(BlockMessage(block, block.id))
    lab.chain._write_problem = StoreFull("no room")
    remote.say(BlockMessage(trunk(LENGTH)[0], trunk(LENGTH)[0].id))
    lab.wait(3_000)
    assert lab.chain.head_number == 0
    lab.chain._write_problem = None
    lab.wait(2_000)
    assert lab.chain.head_number == LENGTH


def test_claims_do_not_make_a_node_with_a_recent_head_group_its_commits(lab: Lab) -> None:
    remote = connect(lab)
    fake = [(BASE + number).to_bytes(4, "big") + bytes(16) for number in range(1, 600)]
    remote.ask_synopsis()
    remote.tell_ids([lab.chain.head_id, *fake], 500)
    assert lab.network.sync.count_missing() > sync.BULK_BLOCKS
    assert not lab.chain.is_bulk


def test_commits_are_grouped_far_behind_until_the_head_is_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "BULK_BLOCKS", 20)
    lab = behind(0)
    liar = connect(lab, "10.0.0.2")
    liar.take(FetchBlockchainItemIds)
    remote = connect(lab)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)))
    assert lab.chain.is_bulk
    finish(remote)
    liar.tell_ids([*ids_of(trunk(LENGTH)), b"\0\0\0\x3d" + bytes(16)])
    lab.wait(1_000)
    assert lab.network.is_syncing and not lab.chain.is_bulk
    assert lab.world.events("synced")


# Synchronisation: answering


def test_ids_are_told_from_the_newest_common_block_on(lab: Lab) -> None:
    remote = lab.friend()
    known = ids_of(trunk(BASE))
    for synopsis, expected in (
        ((), known),
        ((bytes(20),), known),
        ((known[2], known[7]), known[7:]),
        ((known[2], b"\0\0\0\x08" + bytes(16)), known[2:]),
        ((known[-1],), known[-1:]),
        ((bytes(20), b"\xff" * 20), known),
    ):
        remote.say(FetchBlockchainItemIds(BLOCK_ITEM, tuple(synopsis)))
        assert only(remote.take(BlockchainItemIdsInventory)) == BlockchainItemIdsInventory(
            0, BLOCK_ITEM, tuple(expected)
        )
        assert remote.peer.needs_our_blocks == (len(expected) > 1)


def test_at_most_so_many_ids_are_told_at_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "BLOCK_IDS_MAX", 5)
    remote = lab.friend()
    remote.say(FetchBlockchainItemIds(BLOCK_ITEM, (trunk(BASE)[1].id,)))
    told = only(remote.take(BlockchainItemIdsInventory))
    assert told.item_hashes_available == tuple(ids_of(trunk(BASE)[1:6]))
    assert told.total_remaining_item_count == BASE - 6


def test_a_peer_that_knows_more_than_we_do_is_asked_for_it(lab: Lab) -> None:
    remote = lab.friend()
    remote.say(FetchBlockchainItemIds(BLOCK_ITEM, (lab.chain.head_id, next_blocks()[0].id)))
    assert remote.peer.we_need_its_blocks
    assert remote.ask_synopsis()


# Networks of nodes


def test_a_node_that_is_far_behind_catches_up() -> None:
    web = Web([open_chain(trunk(LENGTH)), open_chain(), open_chain(trunk(LENGTH)[:10])])
    for one, two in ((1, 0), (2, 1), (0, 2)):
        web.connect(one, two)
    web.run(4_000)
    assert web.heads == [LENGTH] * 3 and web.links == 3


def test_the_longer_branch_wins_whoever_dials() -> None:
    base = trunk(BASE)
    short, long = branch(base, 8, MINORITY), branch(base, 12, WITNESSES[2:], skip=1)
    for dialler in (0, 1):
        chains = [open_chain([*base, *short]), open_chain([*base, *long])]
        assert all(chain.irreversible_number < BASE for chain in chains)
        web = Web(chains)
        web.connect(dialler, 1 - dialler)
        web.run(4_000)
        assert web.head_ids == {long[-1].id} and web.links == 1


def test_branches_that_are_longer_than_one_answer_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "BLOCK_IDS_MAX", 40)
    monkeypatch.setattr(sync, "BATCH_BLOCKS", 10)
    monkeypatch.setattr(sync, "IDS_AHEAD_MAX", 100)
    monkeypatch.setattr(sync, "WINDOW_BLOCKS", 50)
    base = trunk(BASE)
    short, long = branch(base, 210, MINORITY), branch(base, 220, WITNESSES[2:], skip=1)
    web = Web([open_chain([*base, *short]), open_chain([*base, *long])])
    web.connect(0, 1)
    web.run(10_000)
    assert web.head_ids == {long[-1].id} and web.links == 1


def test_branches_that_are_both_final_stay_apart_in_peace() -> None:
    base = trunk(BASE)
    chains = [open_chain([*base, *branch(base, 30, WITNESSES, skip=skip)]) for skip in (0, 1)]
    assert all(chain.irreversible_number > BASE for chain in chains)
    web = Web(chains)
    web.connect(0, 1)
    web.run(10_000)
    assert len(web.head_ids) == 2 and web.links == 1
    assert not any(lab.network.is_syncing for lab in web.labs)


# What the operator is told


def test_what_a_peer_says_is_shown_on_one_short_line(lab: Lab) -> None:
    remote = lab.meet()
    remote.shake(remote.hello(user_agent="evil\n2030-01-01 ERROR all is lost\x1b[2J\udcff" + "x" * 5_000))
    remote.say(ClosingConnection("bye\r\nnow", False, None))
    (joined,), (closed,) = lab.world.events("peer_joined"), lab.world.events("peer_closed")
    for text in (joined["agent"], closed["reason"]):
        assert isinstance(text, str) and text.isprintable() and len(text) <= 200
    assert all(view.user_agent.isprintable() for view in lab.network.list_peers())


def test_many_events_of_a_kind_are_counted_and_not_told_one_by_one(lab: Lab) -> None:
    for number in range(notes.NOTES_PER_MINUTE + 7):
        lab.meet(f"10.0.0.{number + 1}").say(ClosingConnection("", False, None))
    assert len(lab.world.events("peer_closed")) == notes.NOTES_PER_MINUTE
    lab.wait(notes.WINDOW_MS + 1_000)
    assert lab.world.events("left_out") == [{"event_name": "peer_closed", "count": 7}]
    lab.meet("10.1.0.1").say(ClosingConnection("", False, None))
    assert len(lab.world.events("peer_closed")) > notes.NOTES_PER_MINUTE
