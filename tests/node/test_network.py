"""The network part of the node core, message by message: what peers may say, when, and what comes of it."""

from __future__ import annotations

import pytest

from node.core import gossip
from node.core.gossip import ANSWER_MS_MAX, PATIENCE_MS
from node.core.peer import COST_MAX, FETCH_ITEMS_MAX, OFFERS_MAX, SERVED_MAX
from protocol.p2p.messages import (
    BLOCK_ITEM,
    TRANSACTION_ITEM,
    BlockMessage,
    FetchBlockchainItemIds,
    FetchItems,
    ItemIdsInventory,
    ItemNotAvailable,
    TransactionMessage,
    message_id,
)
from protocol.transaction import Transaction
from tests.node.lab import (
    SLOT_MS,
    Lab,
    Remote,
    branch,
    item_of,
    make_transfer,
    only,
    open_chain,
    trunk,
)

BASE = 12
"""Blocks that everybody has where a test does not say otherwise."""


@pytest.fixture
def lab() -> Lab:
    made = Lab(open_chain(trunk(BASE)))
    made.clock.ms += SLOT_MS
    return made


def next_blocks(count: int = 1, skip: int = 0) -> list:
    return branch(trunk(BASE), count, skip=skip)


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
