"""The network part of the node core, message by message: what peers may say, when, and what comes of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address
from typing import Any

import pytest

from chain.chain import Chain
from chain.finality import Mode
from node.core import (
    Checkpoint,
    addresses,
    catching_up,
    deliveries,
    dialling,
    faults,
    guests,
    hub,
    network,
    notes,
    offering,
    serving,
    sync,
)
from node.core.addresses import ADDRESSES_FILE, ADDRESSES_MAX, BANS_FILE, FAILURES_MAX, AddressBook, Ban, Bans
from node.core.faults import ADDRESS_FAULTS_MAX, CONNECTION_FAULTS_MAX, NODE_FAULTS_MAX
from node.core.gossip import ANSWER_MS_MAX, OFFERS_MAX, PATIENCE_MS
from node.core.hello import Rejection
from node.core.messages import ROW_BY_NUMBER, ROWS
from node.core.peer import COST_MAX, DOUBTFUL_BYTES_PER_COST, FETCH_ITEMS_MAX
from node.core.serving import SERVED_MAX
from node.core.world import MemoryDisk
from node.core.writes import COMMIT_DELAY_MS, DISK_RETRY_MS
from protocol.block import Block, block_number
from protocol.errors import Rejected
from protocol.keys import is_canonical, sign_digest
from protocol.p2p.messages import (
    BLOCK_ITEM,
    MESSAGES,
    TRANSACTION_ITEM,
    AddressInfo,
    AddressMessage,
    AddressRequest,
    BlockchainItemIdsInventory,
    BlockMessage,
    CheckFirewall,
    CheckFirewallReply,
    ClosingConnection,
    ConnectionAccepted,
    ConnectionRejected,
    CurrentTimeReply,
    CurrentTimeRequest,
    Endpoint,
    FetchBlockchainItemIds,
    FetchItems,
    GetCurrentConnectionsReply,
    GetCurrentConnectionsRequest,
    Hello,
    ItemIdsInventory,
    ItemNotAvailable,
    TransactionMessage,
    message_id,
)
from protocol.transaction import Transaction
from state.engine.errors import StoreFull
from tests.node.lab import (
    BLOCK_KEYS,
    MINORITY,
    NODE_KEY,
    SLOT_MS,
    WITNESSES,
    Clock,
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
    assert len(lab.gossip._requests) == 0


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
    assert lab.chain.reader.is_known_block(tie.id)
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
    lab.wait(offering.GATHER_MS)
    assert only(other.take(ItemIdsInventory)).item_type == TRANSACTION_ITEM
    other.say(FetchItems(TRANSACTION_ITEM, (message_id(transaction.packed_signed),)))
    assert only(other.take(TransactionMessage)).transaction == transaction


def test_odd_bytes_of_a_transaction_and_a_block_are_passed_on_as_they_came(lab: Lab) -> None:
    """Their hash is the one that was offered; the chain keeps what the reference packs again."""
    giver, other = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    (transaction,), (block,) = transfers(lab, 1), next_blocks()
    odd_transaction = transaction.packed[:10] + b"\x81\x00" + transaction.packed_signed[11:] + b"behind"
    odd_block = block.packed[:24] + b"\x88\x00" + block.packed[25:] + block.id + b"behind"
    for kind, payload in ((TRANSACTION_ITEM, odd_transaction), (BLOCK_ITEM, odd_block)):
        item = message_id(payload)
        giver.say(ItemIdsInventory(kind, (item,)))
        giver.say_bytes(kind, payload)
        lab.wait(offering.GATHER_MS)
        assert only(other.take(ItemIdsInventory)) == ItemIdsInventory(kind, (item,))
        other.say(FetchItems(kind, (item,)))
        assert lab.world.sent[-1] == (other.number, kind, payload)
        other.take(object)
    assert lab.chain.head_id == block.id and not giver.is_closed
    assert [waiting.packed_signed for waiting in lab.chain.pending] == [transaction.packed_signed]


def test_transactions_that_keep_coming_do_not_put_off_the_offer(lab: Lab) -> None:
    other = lab.friend()
    for transaction in transfers(lab, 20):
        lab.node.on_transaction(transaction)
        lab.wait(offering.GATHER_MS // 5)
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
    assert giver.goodbye == "You send too many items that I reject"
    assert lab.banned == []


def test_a_peer_that_costs_much_is_not_asked_for_transactions_for_a_while(lab: Lab) -> None:
    giver = lab.friend()
    giver.peer.work.cost, giver.peer.work.at_ms = COST_MAX - 10, lab.clock.ms
    transactions = transfers(lab, 2)
    offer_all(giver, transactions)
    assert giver.take(FetchItems) == []
    lab.wait(6_000)
    assert len(only(giver.take(FetchItems)).items_to_fetch) == 2


def test_all_waiting_transactions_are_offered_to_a_peer_that_catches_up_but_not_all_the_time(lab: Lab) -> None:
    for transaction in transfers(lab, 3):
        lab.node.on_transaction(transaction)
    giver = lab.friend()
    lab.wait(offering.GATHER_MS)
    giver.take(object)
    head = (lab.chain.head_id,)
    giver.listener.told.forget_before(lab.clock.ms + 1)
    for _ in range(3):
        giver.say(FetchBlockchainItemIds(BLOCK_ITEM, ()), FetchBlockchainItemIds(BLOCK_ITEM, head))
    assert giver.take(ItemIdsInventory) == []
    lab.wait(offering.PENDING_PAUSE_MS // 2)
    lab.clock.ms += offering.PENDING_PAUSE_MS
    giver.listener.told.forget_before(lab.clock.ms + 1)
    giver.say(FetchBlockchainItemIds(BLOCK_ITEM, ()), FetchBlockchainItemIds(BLOCK_ITEM, head))
    assert len(only(giver.take(ItemIdsInventory)).item_hashes_available) == 3


def test_a_peer_that_is_behind_is_offered_nothing(lab: Lab) -> None:
    """Neither before it says where its chain ends, nor while it lacks blocks; then it is offered all that waits."""
    silent, late, friend = connect(lab, "10.0.0.1"), connect(lab, "10.0.0.2"), lab.friend("10.0.0.3")
    late.say(FetchBlockchainItemIds(BLOCK_ITEM, (trunk(BASE)[3].id,)))
    (transaction,) = transfers(lab, 1)
    lab.node.on_block(*next_blocks())
    lab.node.on_transaction(transaction)
    lab.wait(offering.GATHER_MS)
    assert len(friend.take(ItemIdsInventory)) == 2
    assert silent.take(ItemIdsInventory) == late.take(ItemIdsInventory) == []
    late.say(FetchBlockchainItemIds(BLOCK_ITEM, (lab.chain.head_id,)))
    offered = [item for message in late.take(ItemIdsInventory) for item in message.item_hashes_available]
    assert offered == [message_id(transaction.packed_signed)]


def test_offers_of_one_peer_are_bounded(lab: Lab) -> None:
    giver = lab.friend()
    for item_type, count_max in OFFERS_MAX.items():
        many = tuple(number.to_bytes(20, "big") for number in range(2 * count_max))
        lab.gossip._requests.add(giver.peer, {b"busy": None}, lab.clock.ms)
        giver.say(ItemIdsInventory(item_type, many[:count_max]), ItemIdsInventory(item_type, many[count_max:]))
        assert len(giver.offers[item_type]) <= count_max


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
    monkeypatch.setattr(lab.chain.reader, "get_block", lambda number: pytest.fail("a block was decoded"))
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
    monkeypatch.setattr(serving, "SERVE_ITEMS_MAX", 4)
    first, second = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    ids = tuple(block.id for block in trunk(BASE))
    for remote in (first, second):
        lab.node.on_message(remote.number, 5004, b"\xe9\x03\0\0" + bytes((BASE,)) + b"".join(ids))
    lab.world.run_due(lab.node)
    assert [len(remote.take(BlockMessage)) for remote in (first, second)] == [2, 2]
    lab.settle()
    assert [len(remote.take(BlockMessage)) for remote in (first, second)] == [BASE - 2, BASE - 2]


def test_who_is_served_much_is_served_later_and_others_at_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SERVED_COST", 1_000)
    greedy, modest = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    known = trunk(BASE)[3].id
    greedy.say(FetchItems(BLOCK_ITEM, (known,) * 90))
    assert len(greedy.take(BlockMessage)) == 30
    modest.say(FetchItems(BLOCK_ITEM, (known,)))
    assert len(modest.take(BlockMessage)) == 1
    lab.wait(1_000)
    assert 28 <= len(greedy.take(BlockMessage)) <= 32
    lab.wait(2_000)
    assert len(greedy.take(BlockMessage)) >= 27 and not greedy.wants.items


def test_many_who_read_old_blocks_do_not_hold_up_new_ones(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SERVED_COST", 1_000)
    readers, other = [lab.friend(f"10.0.{number}.1") for number in range(4)], lab.friend("10.1.0.1")
    for reader in readers:
        reader.say(FetchItems(BLOCK_ITEM, (trunk(BASE)[3].id,) * 90))
    assert sum(len(reader.take(BlockMessage)) for reader in readers) == 50, "of all together so many"
    (block,) = next_blocks()
    other.give(block)
    readers[3].wants.items.clear()
    readers[3].say(FetchItems(BLOCK_ITEM, (item_of(block),)))
    assert only(readers[3].take(BlockMessage)).block == block


def test_who_asks_for_more_than_is_kept_in_mind_is_closed(lab: Lab) -> None:
    asker = lab.friend()
    lab.world.full.add(asker.number)
    for _ in range(SERVED_MAX // 2000):
        asker.say(FetchItems(BLOCK_ITEM, (bytes(20),) * 2000))
    assert not asker.is_closed
    asker.say(FetchItems(BLOCK_ITEM, (bytes(20),)))
    assert asker.is_closed


def test_a_block_is_still_served_after_many_transactions(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for messages in lab.gossip._items._kept.values():
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
    assert not remote.source.is_needed and not new.network.is_syncing


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
    assert lab.network.figures.missing_blocks == LENGTH
    remote.tell_ids(ids_of(trunk(LENGTH)[9:]))
    finish(remote)
    assert lab.chain.head_number == LENGTH


def test_ids_that_nobody_asked_for_are_not_minded(lab: Lab) -> None:
    remote = lab.friend()
    remote.tell_ids(ids_of(trunk(BASE)))
    assert not remote.is_closed and not remote.source.ids


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
    assert not remote.source.is_needed
    remote.say(FetchBlockchainItemIds(BLOCK_ITEM, (b"\0\0\0\x03" + bytes(16),)))
    assert only(remote.take(BlockchainItemIdsInventory)) == BlockchainItemIdsInventory(0, BLOCK_ITEM, ())
    assert not remote.listener.is_behind


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


def test_new_ids_are_fetched_at_once_after_all_earlier_ones_came(lab: Lab) -> None:
    remote = connect(lab)
    blocks = next_blocks(2)
    lab.clock.ms += SLOT_MS
    remote.ask_synopsis()
    remote.tell_ids([lab.chain.head_id, blocks[0].id])
    remote.serve(blocks)
    remote.ask_synopsis()
    remote.tell_ids(ids_of(blocks))
    assert remote.serve(blocks) == 1
    assert lab.chain.head_id == blocks[1].id


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
    assert (len(lab.sync._waiting), lab.sync._waiting.size_bytes) == (0, 0)


def test_a_slow_peer_does_not_keep_others_from_being_in_sync(lab: Lab) -> None:
    """A peer that claims a branch and sends a block of it every few seconds once kept all new peers from gossip."""
    slow, honest = connect(lab, "10.0.0.1"), connect(lab, "10.0.0.2")
    other = branch(trunk(BASE), 3, skip=1)
    slow.ask_synopsis()
    slow.tell_ids([trunk(BASE)[-1].id, *ids_of(other)])
    honest.ask_synopsis()
    honest.tell_ids([lab.chain.head_id])
    assert not honest.source.is_needed
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
    assert (len(lab.sync._requests), len(lab.sync._waiting), lab.sync._waiting.size_bytes) == (0, 0, 0)


def test_a_block_that_nobody_signed_closes_its_source_and_those_who_have_it(lab: Lab) -> None:
    evil, other = connect(lab, "10.0.0.1"), connect(lab, "10.0.0.2")
    forged = forge(lab.chain.head_id, lab.chain.head_time + 3)
    for remote in (evil, other):
        remote.ask_synopsis()
        remote.tell_ids([lab.chain.head_id, forged.id])
    evil.say(BlockMessage(forged, forged.id))
    assert evil.goodbye == other.goodbye == "You offered us a block that we reject as invalid"
    assert lab.banned == [] and [fault["address"] for fault in lab.world.events("peer_fault")] == ["10.0.0.1"]
    assert lab.chain.head_id == trunk(BASE)[-1].id and lab.chain.reader.is_invalid_block(forged.id)


def test_a_block_without_its_transactions_is_a_fault_and_the_true_one_is_taken(lab: Lab) -> None:
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
        assert evil.is_closed is not bool(gives), "in synchronisation there is no going on"
    assert len(lab.world.events("peer_fault")) == 2 and lab.banned == []
    honest = lab.friend("10.0.0.9")
    honest.give(true)
    assert lab.chain.head_id == true.id


def test_blocks_beside_the_chain_that_nobody_signed_cost_much(lab: Lab) -> None:
    base = trunk(BASE)[-3]
    forged = [forge(base.id, base.timestamp + 3, size=20_000 + 300 * number) for number in range(80)]
    true = branch(trunk(BASE)[:-2], 1, skip=2)
    gossiping, honest = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    for block in forged:
        if not gossiping.is_closed:
            gossiping.give(block)
    assert gossiping.goodbye == "You send too many blocks that I can not apply"
    honest.give(*true)
    assert honest.peer.work.cost < 500
    assert lab.banned == []


def test_blocks_without_parent_and_old_ones_cost_much(lab: Lab) -> None:
    lost = [forge(b"\0\0\0\x40" + bytes(16), lab.chain.head_time, size=20_000 + 300 * place) for place in range(80)]
    old = [forge(trunk(BASE)[0].id, lab.chain.head_time, size=20_000 + 300 * place) for place in range(80)]
    for host, blocks in (("10.0.0.1", lost), ("10.0.0.2", old)):
        remote = lab.friend(host)
        for block in blocks:
            if not remote.is_closed:
                remote.source.is_needed, remote.source.synopsis = False, None
                remote.give(block)
        assert remote.goodbye == "You send too many blocks that I can not apply"
    assert lab.banned == []


def test_such_blocks_cost_in_synchronisation_too(lab: Lab) -> None:
    base = trunk(BASE)[-3]
    forged = forge(base.id, base.timestamp + 3, size=20_000)
    remote = connect(lab)
    remote.ask_synopsis()
    remote.tell_ids([base.id, forged.id])
    cost = remote.peer.work.cost
    remote.serve([forged])
    assert lab.chain.reader.is_known_block(forged.id)
    assert remote.peer.work.cost >= cost + forged.size // DOUBTFUL_BYTES_PER_COST
    remote.ask_synopsis()
    remote.tell_ids([forged.id, forge(forged.id, base.timestamp + 6).id])
    remote.peer.work.cost = COST_MAX
    remote.serve([forge(forged.id, base.timestamp + 6)])
    assert remote.goodbye == "You send too many blocks not signed by their witnesses"


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
        if block.id in remote.owed:
            remote.say(BlockMessage(block, block.id))
    assert lab.sync._waiting.size_bytes <= 11 * size


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


def test_a_block_that_came_too_early_is_fetched_again_by_gossip(lab: Lab) -> None:
    hasty, other = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    (block,) = next_blocks(skip=4)
    lab.clock.ms = (block.timestamp - 10) * 1000
    hasty.give(block)
    hasty.hang_up()
    lab.clock.ms = block.timestamp * 1000
    other.give(block)
    assert lab.chain.head_id == block.id


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
    lab.chain.finality.write_problem = StoreFull("no room")
    remote.say(BlockMessage(trunk(LENGTH)[0], trunk(LENGTH)[0].id))
    lab.wait(3_000)
    assert lab.chain.head_number == 0
    lab.chain.finality.write_problem = None
    lab.wait(2_000)
    assert lab.chain.head_number == LENGTH


ADVANCING = 55
"""Block 50 of the trunk becomes irreversible by it, and by the one before block 47."""


def test_what_is_irreversible_is_written_when_peers_have_had_time_to_fetch_the_block() -> None:
    lab = behind(ADVANCING - 1)
    lab.wait(COMMIT_DELAY_MS)
    before = lab.chain.finality.committed_number
    lab.node.on_block(trunk(LENGTH)[ADVANCING - 1])
    assert lab.chain.finality.committed_number == before < lab.chain.irreversible_number
    lab.wait(COMMIT_DELAY_MS)
    assert lab.chain.finality.committed_number == lab.chain.irreversible_number


def test_a_disk_that_refuses_later_stops_the_node_until_it_takes_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = behind(ADVANCING - 1)
    lab.wait(COMMIT_DELAY_MS)
    lab.node.on_block(trunk(LENGTH)[ADVANCING - 1])

    def refuse(*_: Any) -> None:
        raise StoreFull("no room")

    with monkeypatch.context() as patch:
        patch.setattr(lab.chain.store.backend, "write", refuse)
        lab.wait(COMMIT_DELAY_MS)
        assert len(lab.world.events("disk_problem")) == 1
        with pytest.raises(Rejected, match="cannot write to its disk"):
            lab.node.on_transaction(transfers(lab, 1)[0])
    lab.wait(DISK_RETRY_MS)
    assert lab.chain.finality.write_problem is None
    assert lab.chain.finality.committed_number == lab.chain.irreversible_number


def test_claims_do_not_make_a_node_with_a_recent_head_group_its_commits(lab: Lab) -> None:
    remote = connect(lab)
    fake = [(BASE + number).to_bytes(4, "big") + bytes(16) for number in range(1, 600)]
    remote.ask_synopsis()
    remote.tell_ids([lab.chain.head_id, *fake], 500)
    assert lab.network.figures.missing_blocks > catching_up.BULK_BLOCKS
    assert lab.chain.mode is Mode.LIVE


def test_commits_are_grouped_far_behind_until_the_head_is_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "BULK_BLOCKS", 20)
    lab = behind(0)
    liar = connect(lab, "10.0.0.2")
    liar.take(FetchBlockchainItemIds)
    remote = connect(lab)
    remote.take(FetchBlockchainItemIds)
    remote.tell_ids(ids_of(trunk(LENGTH)))
    modes = [lab.chain.mode]
    finish(remote)
    liar.tell_ids([*ids_of(trunk(LENGTH)), b"\0\0\0\x3d" + bytes(16)])
    lab.wait(1_000)
    assert [*modes, lab.chain.mode] == [Mode.BULK, Mode.LIVE]
    assert lab.network.is_syncing
    assert lab.world.events("synced")


def test_a_first_block_that_came_another_way_is_told_to_the_peer(lab: Lab) -> None:
    new = behind(0)
    remote = connect(new)
    assert remote.ask_synopsis() == ()
    new.node.on_block(trunk(1)[0])
    remote.tell_ids(ids_of(trunk(1)))
    assert remote.ask_synopsis() == (trunk(1)[0].id,), "it takes us for a node without blocks and offers none"
    remote.tell_ids(ids_of(trunk(1)))
    assert not remote.source.is_needed


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
        assert remote.listener.is_behind == (len(expected) > 1)


def test_at_most_so_many_ids_are_told_at_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.core.synopsis.BLOCK_IDS_MAX", 5)
    remote = lab.friend()
    remote.say(FetchBlockchainItemIds(BLOCK_ITEM, (trunk(BASE)[1].id,)))
    told = only(remote.take(BlockchainItemIdsInventory))
    assert told.item_hashes_available == tuple(ids_of(trunk(BASE)[1:6]))
    assert told.total_remaining_item_count == BASE - 6


def test_a_peer_that_knows_more_than_we_do_is_asked_for_it(lab: Lab) -> None:
    remote = lab.friend()
    remote.say(FetchBlockchainItemIds(BLOCK_ITEM, (lab.chain.head_id, next_blocks()[0].id)))
    assert remote.source.is_needed
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
    monkeypatch.setattr("node.core.synopsis.BLOCK_IDS_MAX", 40)
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
    assert all(view.user_agent.isprintable() for view in lab.network.figures.peers)


def test_many_events_of_a_kind_are_counted_and_not_told_one_by_one(lab: Lab) -> None:
    for number in range(notes.NOTES_PER_MINUTE + 7):
        lab.meet(f"10.0.0.{number + 1}").say(ClosingConnection("", False, None))
    assert len(lab.world.events("peer_closed")) == notes.NOTES_PER_MINUTE
    lab.wait(notes.WINDOW_MS + 1_000)
    assert lab.world.events("left_out") == [{"event_name": "peer_closed", "count": 7}]
    lab.meet("10.1.0.1").say(ClosingConnection("", False, None))
    assert len(lab.world.events("peer_closed")) > notes.NOTES_PER_MINUTE


# The handshake


def sent_kinds(remote: Remote) -> list[str]:
    return [type(message).__name__ for message in remote.take(object)]


def test_the_handshake_when_a_peer_dials() -> None:
    lab = Lab(open_chain(trunk(BASE)))
    remote = lab.meet()
    hello = only(remote.take(Hello))
    assert hello.node_public_key == NODE_KEY.public_key
    assert hello.user_data["last_known_block_number"] == BASE
    remote.say(remote.plaudit_hello())
    assert sent_kinds(remote) == ["ConnectionAccepted"]
    remote.say(ConnectionAccepted())
    assert sent_kinds(remote) == ["AddressRequest"]
    remote.say(AddressRequest())
    assert sent_kinds(remote) == ["AddressMessage"]
    assert not remote.peer.is_active
    remote.say(AddressMessage(()))
    assert sent_kinds(remote) == ["CurrentTimeRequest", "FetchBlockchainItemIds"]
    assert remote.peer.is_active


def test_a_node_of_the_reference_may_ask_for_ids_instead_of_telling_addresses(lab: Lab) -> None:
    remote = lab.meet()
    remote.say(remote.hello(), FetchBlockchainItemIds(BLOCK_ITEM, ()))
    assert remote.peer.is_active
    assert only(remote.take(BlockchainItemIdsInventory)).item_hashes_available[0] == trunk(BASE)[0].id


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"signed_shared_secret": bytes(65)}, Rejection.INVALID_HELLO, "Invalid signature in hello message"),
        ({"node_public_key": bytes(33)}, Rejection.INVALID_HELLO, "Invalid signature in hello message"),
        ({"user_data": {"chain_id": None}}, Rejection.DIFFERENT_CHAIN, "This node is of chain"),
        ({"user_data": {"chain_id": "11" * 32}}, Rejection.DIFFERENT_CHAIN, "This node is of chain"),
        ({"user_data": {"chain_id": ({"a": 1},)}}, Rejection.DIFFERENT_CHAIN, "This node is of chain"),
        ({"user_data": {"config_digest": "00" * 32}}, Rejection.DIFFERENT_CHAIN, "Our chains have one id"),
        ({"user_data": {"config_digest": 7}}, Rejection.DIFFERENT_CHAIN, "Our chains have one id"),
    ],
)
def test_a_hello_is_refused_for_what_it_says(lab: Lab, changes: dict[str, Any], code: Rejection, reason: str) -> None:
    remote = lab.meet()
    remote.say(remote.hello(**changes))
    rejected = only(remote.take(ConnectionRejected))
    assert rejected.reason_code == code and rejected.reason_string.startswith(reason)
    assert remote.goodbye == rejected.reason_string
    assert remote.is_closed and lab.banned == []


@pytest.mark.parametrize("node_id", [None, 5, "zz", "00", "00" * 34, "\ud800"])
def test_a_peer_without_a_node_id_is_known_by_its_key(lab: Lab, node_id: Any) -> None:
    remote = lab.meet()
    user_data = {"node_id": node_id} if node_id != "\ud800" else {"node_id": "\udcff"}
    remote.shake(remote.hello(user_data=user_data))
    assert remote.peer.who.node_id == remote.key.public_key


def test_a_signature_of_another_connection_is_refused(lab: Lab) -> None:
    first, second = lab.meet("10.0.0.1", name="one"), lab.meet("10.0.0.2", name="one")
    second.say(first.plaudit_hello())
    assert only(second.take(ConnectionRejected)).reason_code == Rejection.INVALID_HELLO


def test_a_second_hello_ends_the_connection(lab: Lab) -> None:
    remote = lab.friend()
    remote.say(remote.plaudit_hello())
    assert remote.goodbye == "Received an unexpected hello_message"


def test_a_node_that_meets_itself_does_not_dial_there_again() -> None:
    lab = Lab(seeds=(Endpoint.parse("10.0.0.1:2001"),))
    lab.wait(1_000)
    assert lab.world.dials == [Endpoint.parse("10.0.0.1:2001")]
    remote = lab.meet("10.0.0.1", port=2001, dialled=True)
    remote.key = NODE_KEY
    remote.say(remote.hello(user_data={"node_id": lab.handshake.own.node_id.hex()}))
    assert only(remote.take(ConnectionRejected)).reason_code == Rejection.CONNECTED_TO_SELF
    assert remote.is_closed
    lab.wait(60_000)
    assert len(lab.world.dials) == 1


def test_who_calls_itself_as_we_do_is_not_us(lab: Lab) -> None:
    remote = lab.meet()
    remote.shake(remote.hello(user_data={"node_id": lab.handshake.own.node_id.hex()}))
    assert not remote.is_closed


def test_a_second_connection_of_a_peer_is_refused(lab: Lab) -> None:
    lab.friend("10.0.0.1", name="one")
    again = lab.meet("10.0.0.1", name="one")
    again.say(again.plaudit_hello())
    assert only(again.take(ConnectionRejected)).reason_code == Rejection.ALREADY_CONNECTED
    assert not again.is_closed, "it may still ask for addresses"
    again.say(AddressRequest())
    assert len(only(again.take(AddressMessage)).addresses) == 1
    assert again.goodbye is not None and again.is_closed


def test_nobody_can_take_the_place_of_another_by_its_name(lab: Lab) -> None:
    thief, honest = lab.meet("10.0.0.1"), lab.meet("10.0.0.2")
    name = honest.hello().user_data["node_id"]
    thief.shake(thief.hello(user_data={"node_id": name}))
    honest.shake()
    assert not honest.is_closed and not thief.is_closed


def test_a_stolen_name_does_not_keep_a_seed_from_being_dialled() -> None:
    seed = Endpoint.parse("10.0.0.1:2001")
    lab = Lab(seeds=(seed,))
    true = lab.meet("10.0.0.1", port=2001, dialled=True)
    true.shake()
    thief = lab.meet("10.0.0.2")
    thief.shake(thief.hello(user_data={"node_id": true.hello().user_data["node_id"]}))
    true.hang_up()
    lab.world.dials.clear()
    lab.wait(11_000)
    assert seed in lab.world.dials


@pytest.mark.parametrize("is_ours_greater", [True, False])
def test_of_two_connections_that_are_made_at_once_the_one_of_the_greater_id_stays(
    lab: Lab, is_ours_greater: bool
) -> None:
    own = b"\xff" if is_ours_greater else b"\x00"
    lab.handshake.own = lab.handshake.own._replace(node_id=own * 33)
    dialled = lab.meet("10.0.0.1", port=2001, dialled=True, name="one")
    accepted = lab.meet("10.0.0.1", name="one")
    user_data = {"node_id": "77" * 33}
    for remote in (dialled, accepted):
        remote.say(remote.hello(user_data=user_data))
    stays, goes = (dialled, accepted) if is_ours_greater else (accepted, dialled)
    assert not stays.is_closed
    assert goes.is_closed or goes.take(ConnectionRejected)


def test_a_full_node_accepts_nobody_but_those_it_dials(lab: Lab) -> None:
    full = Lab(connections_max=2)
    for number in (1, 2):
        full.friend(f"10.0.0.{number}")
    third = full.meet("10.0.0.3")
    third.say(third.plaudit_hello())
    assert only(third.take(ConnectionRejected)).reason_code == Rejection.NOT_ACCEPTING
    dialled = full.meet("10.0.0.4", port=2001, dialled=True)
    dialled.shake()
    assert not dialled.is_closed


def test_when_full_the_one_that_brought_least_goes_after_its_grace() -> None:
    lab = Lab(open_chain(trunk(BASE)), connections_max=3)
    lab.clock.ms += SLOT_MS
    useful, useless, late = (lab.friend(f"10.0.{number}.1") for number in range(3))
    (block,) = next_blocks()
    useful.give(block)

    def knock(number: int) -> bool:
        guest = lab.meet(f"10.1.{number}.1")
        guest.say(guest.plaudit_hello())
        return not guest.take(ConnectionRejected)

    assert not knock(1), "all are in their time of grace"
    for _ in range(guests.GRACE_MS // 10_000):
        lab.wait(10_000)
        for remote in (useful, useless, late):
            remote.say(CurrentTimeRequest(0))
    assert knock(2)
    assert late.goodbye == "All slots are taken, and you relayed the fewest new items"
    assert not useful.is_closed and not useless.is_closed
    assert knock(3) and useless.is_closed and not useful.is_closed
    lab.friend("10.3.0.1", port=2001, dialled=True)
    assert not useful.is_closed, "whom the node dials takes nobody's place"


def test_connections_of_one_address_are_bounded_and_those_of_a_banned_one_are_none(lab: Lab) -> None:
    settings = lab.node.settings.network
    assert settings is not None
    remotes = [lab.meet("10.0.0.1") for _ in range(settings.per_address_max)]
    assert not any(remote.is_closed for remote in remotes)
    assert lab.meet("10.0.0.1").is_closed
    for place in range(settings.per_subnet_max - settings.per_address_max):
        assert not lab.meet(f"10.0.0.{place + 2}").is_closed
    assert lab.meet("10.0.0.200").is_closed and not lab.meet("10.0.1.200").is_closed
    assert not lab.meet("10.0.0.1", port=2001, dialled=True).is_closed
    assert not any(lab.meet("127.0.0.1").is_closed for _ in range(2 * settings.per_address_max))
    lab.network.ban(Ban(remotes[0].link.remote.address, lab.clock.ms + hub.BAN_MS, "evil"))
    assert all(remote.is_closed for remote in remotes)
    assert lab.meet("10.0.0.1").is_closed
    lab.clock.ms += hub.BAN_MS
    assert not lab.meet("10.0.0.1").is_closed


def test_before_the_handshake_is_done_little_is_minded(lab: Lab) -> None:
    remote = lab.meet()
    known = trunk(BASE)[-1].id
    remote.take(object)
    remote.say(
        FetchItems(BLOCK_ITEM, (known,)),
        FetchBlockchainItemIds(BLOCK_ITEM, ()),
        ItemIdsInventory(BLOCK_ITEM, (known,)),
        GetCurrentConnectionsRequest(),
        CheckFirewall(bytes(33), Endpoint(0, 0)),
        AddressMessage((AddressInfo(Endpoint.parse("10.9.9.9:1"), 0, 0, bytes(33), 1, 2),)),
    )
    remote.say_bytes(5001, b"rubbish that is not even decoded")
    assert remote.take(object) == [] and not remote.is_closed
    remote.say(CurrentTimeRequest(5), AddressRequest())
    assert sent_kinds(remote) == ["CurrentTimeReply", "AddressMessage"]


def test_a_peer_that_says_nothing_or_never_ends_its_handshake_is_dropped(lab: Lab) -> None:
    silent, slow = lab.meet("10.0.0.1"), lab.meet("10.0.0.2")
    for _ in range(5):
        lab.wait(2_000)
        slow.say(CurrentTimeRequest(0))
    assert silent.is_closed and not slow.is_closed
    lab.wait(1_000)
    assert slow.is_closed


def test_a_peer_that_refuses_us_is_left(lab: Lab) -> None:
    remote = lab.meet("10.0.0.1", port=2001, dialled=True)
    remote.say(remote.plaudit_hello())
    remote.say(ConnectionRejected("", 106, Endpoint(0, 0), Rejection.ALREADY_CONNECTED, "twice"))
    assert remote.is_closed
    address = lab.hub.addresses.find(Endpoint.parse("10.0.0.1:2001"))
    assert address is not None and address.identity


# Messages of all kinds


def test_every_message_has_one_row() -> None:
    assert {row.declared for row in ROWS} == set(MESSAGES.values())
    assert len(ROWS) == len(MESSAGES) == len(ROW_BY_NUMBER)


def test_numbers_that_are_none(lab: Lab) -> None:
    for number in (5000, 5018, 5099):
        remote = lab.friend(f"10.0.0.{number % 100}")
        remote.say_bytes(number, b"from a later version")
        assert not remote.is_closed
    for number in (0, 999, 1002, 4999, 5100, 0xFFFFFFFF):
        remote = lab.friend(f"10.1.0.{number % 100}")
        remote.say_bytes(number, b"")
        assert remote.goodbye == "You sent me a message that I didn't request"
    assert lab.banned == []


@pytest.mark.parametrize("number", sorted(set(MESSAGES) - {1000, 1001, 5007, 5009, 5015, 5016, 5017}))
def test_bytes_that_are_no_message_are_refused_and_counted(lab: Lab, number: int) -> None:
    remote = lab.friend()
    for place in range(CONNECTION_FAULTS_MAX):
        assert not remote.is_closed and remote.peer.part(faults.Record).faults == place
        remote.say_bytes(number, b"\xff" * 7)
    assert remote.goodbye == "You sent a message that can not be decoded"
    assert lab.banned == []
    assert len(lab.world.events("malformed_message")) == len(lab.world.events("peer_fault")) == CONNECTION_FAULTS_MAX


def err(lab: Lab, host: str, name: str, count: int = CONNECTION_FAULTS_MAX) -> Remote:
    """A peer that sends so many messages that are none."""
    remote = lab.friend(host, name=name)
    for _ in range(count):
        remote.say_bytes(5001, b"\xff")
    return remote


def test_a_node_that_errs_on_many_connections_is_not_accepted_for_an_hour(lab: Lab) -> None:
    for place in range(NODE_FAULTS_MAX // CONNECTION_FAULTS_MAX):
        assert err(lab, f"10.0.{place}.1", "liar").is_closed
    again = lab.meet("10.0.7.1", name="liar")
    again.say(again.plaudit_hello())
    assert only(again.take(ConnectionRejected)).reason_code == Rejection.BLOCKED and again.is_closed
    lab.friend("10.0.0.1", name="another")
    lab.clock.ms += faults.WINDOW_MS
    lab.friend("10.0.7.1", name="liar")
    assert lab.banned == []


def test_an_address_of_many_faults_is_banned_but_never_this_machine(lab: Lab) -> None:
    for host, bans in (("10.0.0.1", 1), ("127.0.0.1", 1)):
        for place in range(ADDRESS_FAULTS_MAX // 2):
            assert len(lab.banned) < bans or host == "127.0.0.1"
            err(lab, host, f"liar {place}", 2).hang_up()
        assert len(lab.banned) == bans
    assert not lab.friend("127.0.0.1", name="honest").is_closed
    assert lab.meet("10.0.0.1").is_closed


def test_an_item_that_can_not_be_decoded_is_not_waited_for(lab: Lab) -> None:
    remote = lab.friend()
    remote.say(ItemIdsInventory(TRANSACTION_ITEM, (message_id(b"nothing"),)))
    remote.say_bytes(TRANSACTION_ITEM, b"nothing")
    lab.wait(2 * ANSWER_MS_MAX)
    assert not remote.is_closed and remote.peer.part(faults.Record).faults == 1
    remote.say(ItemIdsInventory(TRANSACTION_ITEM, (message_id(b"nothing"),)))
    assert len(remote.take(FetchItems)) == 1, "it is not asked for again"


@pytest.mark.parametrize("number", [5015, 5017])
def test_answers_that_nobody_asked_for_are_not_decoded(lab: Lab, number: int) -> None:
    remote = lab.friend()
    remote.say_bytes(number, b"\xff" * 500)
    assert not remote.is_closed


def test_items_that_nobody_asked_for_are_not_decoded(lab: Lab) -> None:
    for number, reason in ((1000, "You sent me a message that I didn't request"), (1001, "You sent me a block that")):
        remote = lab.friend(f"10.0.0.{number - 999}")
        remote.say_bytes(number, b"\xff" * 100)
        assert remote.goodbye is not None and remote.goodbye.startswith(reason)
    assert lab.banned == []


def test_a_block_with_another_id_than_its_own_is_a_fault(lab: Lab) -> None:
    remote = lab.friend()
    (block,) = next_blocks()
    for place in range(CONNECTION_FAULTS_MAX):
        payload = block.packed + bytes(19) + bytes([place])
        remote.say(ItemIdsInventory(BLOCK_ITEM, (message_id(payload),)))
        remote.say_bytes(1001, payload)
    assert remote.goodbye == "You sent me a block with an id that is not its own"
    assert lab.banned == []


def test_an_asked_block_that_can_not_be_decoded_is_a_fault(lab: Lab) -> None:
    remote = lab.friend()
    for payload in (b"", bytes(19), bytes(300)):
        assert not remote.is_closed
        remote.say(ItemIdsInventory(BLOCK_ITEM, (message_id(payload),)))
        remote.say_bytes(1001, payload)
    assert remote.is_closed and lab.banned == []


def test_a_large_block_that_can_not_be_decoded_costs_its_bytes(lab: Lab) -> None:
    remote = lab.friend()
    payload = b"\xff" * (DOUBTFUL_BYTES_PER_COST * COST_MAX)
    remote.say(ItemIdsInventory(BLOCK_ITEM, (message_id(payload),)))
    remote.say_bytes(1001, payload)
    assert remote.goodbye == "You send too many items that I reject" and lab.banned == []


def test_a_block_of_synchronisation_that_can_not_be_decoded_ends_the_connection(lab: Lab) -> None:
    remote = connect(lab)
    (block,) = next_blocks()
    remote.ask_synopsis()
    remote.tell_ids([lab.chain.head_id, block.id])
    remote.say_bytes(1001, b"\xff" * 50 + block.id)
    assert remote.goodbye == "You sent a message that can not be decoded" and lab.banned == []


def test_large_blocks_that_their_witness_did_not_sign_are_decoded_seldom(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = lab.friend("10.0.0.2")
    whole = open_chain(trunk(BASE))
    whole.push_transaction(make_transfer(1, "x" * 500, chain=whole))
    (true,) = grow(whole, 1)
    forged = [
        forge(lab.chain.head_id, lab.chain.head_time + 3, size=1_000),
        forge(lab.chain.head_id, lab.chain.head_time + 3, witness="nobody", size=1_000),
        true.with_signature(bytes(65)),
    ]
    for place, block in enumerate(forged):
        evil = lab.friend(f"10.0.1.{place}")
        with monkeypatch.context() as patch:
            patch.setattr(deliveries, "LARGE_BLOCK_BYTES", 200)
            patch.setattr(deliveries, "LARGE_BLOCK_COST", COST_MAX + 1)
            patch.setattr(Block, "read", lambda *_: pytest.fail("it was decoded"))
            evil.give(block)
        assert evil.goodbye == "You sent too many large blocks not signed by their witnesses"
    monkeypatch.setattr(deliveries, "LARGE_BLOCK_BYTES", 200)
    honest.give(true)
    assert lab.chain.head_id == true.id
    assert not lab.chain.switch.has_signed_header(b"") and not lab.chain.switch.has_signed_header(bytes(400))


def test_a_transaction_larger_than_a_block_is_not_decoded(lab: Lab) -> None:
    remote = lab.friend()
    payload = bytes(lab.chain.ctx.gpo.maximum_block_size + 1)
    remote.say(ItemIdsInventory(TRANSACTION_ITEM, (message_id(payload),)))
    remote.say_bytes(1000, payload)
    assert not remote.is_closed and not remote.owed
    remote.say(ItemIdsInventory(TRANSACTION_ITEM, (message_id(payload),)))
    assert len(remote.take(FetchItems)) == 1, "it is not asked for again"


def test_the_time_is_told_and_measured_within_bounds(lab: Lab) -> None:
    remote = lab.friend()
    remote.say(CurrentTimeRequest(-7))
    now_us = lab.clock.ms * 1000
    assert only(remote.take(CurrentTimeReply)) == CurrentTimeReply(-7, now_us, now_us)
    remote.say(CurrentTimeReply(now_us - 1_000, now_us + 2_000_500, now_us + 2_000_500))
    assert lab.network._inquiries.measured(remote.peer) == (2_001_000, 1_000)
    least, most = -(1 << 63), (1 << 63) - 1
    other = lab.friend("10.0.0.2")
    for times in itertools.product((least, 0, most), repeat=3):
        remote.say(CurrentTimeReply(*times))
        other.say(AddressRequest(), GetCurrentConnectionsRequest())
        assert sent_kinds(other) == ["AddressMessage", "GetCurrentConnectionsReply"]


def test_a_check_of_an_address_is_answered_and_not_done(lab: Lab) -> None:
    remote = lab.friend()
    endpoint = Endpoint.parse("192.0.2.1:22")
    remote.say(CheckFirewall(b"\x07" * 33, endpoint), CheckFirewall(bytes(33), Endpoint(0, 0)))
    first, second = remote.take(CheckFirewallReply)
    assert first == CheckFirewallReply(b"\x07" * 33, endpoint, 0)
    assert second.node_id == remote.peer.who.node_id and second.result == 0
    assert lab.world.dials == []


def test_what_peers_say_of_themselves_is_passed_on_only_if_it_is_short(lab: Lab) -> None:
    loud = lab.meet("10.0.0.2")
    loud.shake(loud.hello(user_agent="\udcff" * 90, user_data={"platform": "x" * 60_000, "bitness": -(1 << 63)}))
    remote = lab.friend("10.0.0.1")
    remote.say(GetCurrentConnectionsRequest())
    told = only(remote.take(GetCurrentConnectionsReply)).current_connections[0].user_data
    assert told == {"bitness": -(1 << 63), "user_agent": "\udcff" * 90}


def test_addresses_are_taken_from_answers_only_and_not_too_many(lab: Lab) -> None:
    remote = lab.friend()

    def info(host: str, firewalled: int = 2) -> AddressInfo:
        return AddressInfo(Endpoint.parse(host), 0, 0, bytes(33), 1, firewalled)

    known = lab.hub.addresses
    before = len(known)
    remote.say(AddressMessage((info("10.5.0.1:2001"),)))
    assert len(known) == before, "nobody asked"
    lab.wait(network.SLOW_TICK_MS)
    remote.say(
        AddressMessage(
            (
                info("10.5.0.1:2001"),
                info("10.5.0.2:2001", firewalled=1),
                info("10.5.0.3:0"),
                info("127.0.0.1:2001"),
                info("224.0.0.1:2001"),
                info("0.0.0.0:2001"),
                info("250.0.0.1:2001"),
                info("5.5.5.5:2001"),
            )
        )
    )
    assert len(known) == before + 2
    lab.wait(network.SLOW_TICK_MS)
    remote.say(AddressMessage(tuple(info(f"10.6.{number // 250}.{number % 250}:2001") for number in range(9_000))))
    assert len(known) <= before + 2 + dialling.ADDRESSES_LEARNED_MAX


def test_private_addresses_of_a_public_peer_are_not_dialled() -> None:
    lab = Lab()
    remote = lab.friend("5.5.5.5")
    lab.wait(network.SLOW_TICK_MS)
    for host in ("192.168.1.1", "10.0.0.1", "127.0.0.1", "172.16.0.9", "169.254.0.1"):
        remote.say(AddressMessage((AddressInfo(Endpoint.parse(f"{host}:22"), 0, 0, bytes(33), 1, 2),)))
        lab.wait(network.SLOW_TICK_MS)
    assert lab.world.dials == [Endpoint.parse("5.5.5.5:2001")] or lab.world.dials == []


def test_a_goodbye_ends_the_connection_however_long_it_is(lab: Lab) -> None:
    remote, chatty = lab.friend("10.0.0.1"), lab.friend("10.0.0.2")
    remote.say(ClosingConnection("bye", False, None))
    chatty.say_bytes(5011, b"\xff" * 100_000)
    assert remote.is_closed and chatty.is_closed
    assert lab.banned == []


def test_after_a_connection_is_closed_nothing_is_heard_any_more(lab: Lab) -> None:
    remote = lab.friend()
    remote.say(ClosingConnection("bye", False, None), AddressRequest())
    lab.node.on_writable(remote.number)
    remote.hang_up()
    assert remote.take(AddressMessage) == []


# What peers may cost


def test_a_peer_that_asks_for_too_much_is_closed(lab: Lab) -> None:
    remote = lab.friend()
    for _ in range(COST_MAX + 100):
        if remote.is_closed:
            break
        remote.say(CurrentTimeRequest(0))
    assert remote.goodbye == "Rate limit exceeded"
    assert lab.banned == []


def test_large_messages_cost_more(lab: Lab) -> None:
    remote = lab.friend()
    inventory = ItemIdsInventory(9, (bytes(20),) * 100_000)
    for _ in range(6):
        if not remote.is_closed:
            remote.say(inventory)
    assert remote.goodbye == "Rate limit exceeded"


def test_a_peer_that_asks_for_ids_all_the_time_is_answered_later(lab: Lab) -> None:
    """As the reference does that gets blocks from others: it asks anew for each."""
    remote = lab.friend()
    head = (lab.chain.head_id,)
    answers = 0
    for _ in range(2_000):
        remote.say(FetchBlockchainItemIds(BLOCK_ITEM, head))
        while not remote.take(BlockchainItemIdsInventory):
            lab.wait(100)
        answers += 1
    assert answers == 2_000 and not remote.is_closed
    for _ in range(2_000):
        if not remote.is_closed:
            remote.say(FetchBlockchainItemIds(BLOCK_ITEM, head))
    assert remote.goodbye == "Rate limit exceeded"


def test_a_clock_that_is_set_back_costs_nobody_anything(lab: Lab) -> None:
    remote = lab.friend()
    remote.peer.work.cost, remote.peer.work.at_ms = COST_MAX - 5, lab.clock.ms
    lab.clock.ms -= 3_600_000
    remote.say(CurrentTimeRequest(0))
    for _ in range(100):
        lab.clock.ms += 100
        remote.say(CurrentTimeRequest(0))
    assert remote.peer.work.cost < COST_MAX // 2


# Silence and slowness


def test_a_silent_peer_is_asked_for_the_time_and_closed_at_last(lab: Lab) -> None:
    remote = lab.friend()
    lab.wait(network.KEEP_ALIVE_MS)
    remote.take(object)
    lab.wait(3_000)
    assert len(remote.take(CurrentTimeRequest)) == 3
    lab.wait(network.INACTIVE_MS_MAX - network.KEEP_ALIVE_MS)
    assert remote.goodbye == "Disconnecting due to inactivity"


def test_a_peer_that_does_not_read_is_dropped(lab: Lab) -> None:
    remote = lab.friend()
    lab.world.full.add(remote.number)
    for _ in range(network.STUCK_MS_MAX // 1_000 + 1):
        lab.wait(1_000)
        if not remote.is_closed:
            remote.say(CurrentTimeRequest(0))
    lab.wait(1_000)
    assert remote.is_closed and remote.goodbye is None


# Addresses and dialling


def test_seeds_are_dialled_until_they_answer_and_whenever_they_are_lost() -> None:
    seed = Endpoint.parse("10.0.0.1:2001")
    lab = Lab(seeds=(seed,), discovers=False)
    for _ in range(12):
        lab.wait(11_000)
        assert lab.world.dials == [seed]
        lab.world.dials.clear()
        lab.node.on_connect_failed(seed, "no answer")
    lab.wait(11_000)
    remote = lab.friend("10.0.0.1", port=2001, dialled=True)
    lab.world.dials.clear()
    lab.wait(14_000)
    assert lab.world.dials == []
    remote.hang_up()
    lab.wait(10_000)
    assert lab.world.dials == [seed]


def test_addresses_are_dialled_while_more_connections_are_wanted() -> None:
    lab = Lab(connections_wanted=3)
    for number in range(10):
        lab.hub.addresses.learn(Endpoint.parse(f"10.0.0.{number + 1}:2001"))
    lab.wait(1_000)
    assert len(lab.world.dials) == 3
    crowded = Lab(connections_wanted=3)
    for number in range(10):
        crowded.friend(f"10.0.{number}.1")
        crowded.hub.addresses.learn(Endpoint.parse(f"10.1.{number}.1:2001"))
    crowded.meet("10.2.0.1", dialled=True)
    crowded.wait(1_000)
    assert len(crowded.world.dials) == 2, "only whom it dials counts"
    still = Lab(discovers=False)
    still.hub.addresses.learn(Endpoint.parse("10.0.0.1:2001"))
    still.wait(5_000)
    assert still.world.dials == []


def test_a_seed_that_the_operator_adds_is_dialled_and_the_node_itself_is_not() -> None:
    lab = Lab()
    lab.network.set_listening(Endpoint.parse("10.0.9.9:2001"))
    for host in ("10.0.9.9:2001", "10.0.0.7:2001"):
        lab.network.add_seed(Endpoint.parse(host))
    lab.network.ban(Ban(int(IPv4Address("10.0.0.8")), 0, "evil"))
    lab.network.add_seed(Endpoint.parse("10.0.0.8:2001"))
    lab.wait(2_000)
    assert lab.world.dials == [Endpoint.parse("10.0.0.7:2001")]


def test_addresses_and_bans_outlive_the_node() -> None:
    disk, clock = MemoryDisk(), Clock()
    first = Lab(disk=disk, clock=clock)
    first.friend("10.0.0.1", port=2001, dialled=True)
    first.network.ban(Ban(5, clock.ms + 10_000, "for a while"))
    first.network.ban(Ban(6, 0, "for ever"))
    first.node.on_stop()
    second = Lab(disk=disk, clock=clock)
    assert len(second.hub.addresses) == 1
    assert second.banned == [5, 6]
    clock.ms += 10_000
    assert second.banned == [6]
    assert second.network.unban(6) and not second.network.unban(6)
    assert Lab(disk=disk, clock=clock).banned == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{}",
        b"7",
        b'[1, null, {}, {"endpoint": 5}, {"endpoint": "x", "reached_at_ms": 0}]',
        b'[{"address": "x", "until_ms": 0, "reason": ""}, {"address": "1.2.3.4", "until_ms": "x", "reason": ""}]',
        b"\xff\xfe",
    ],
)
def test_damaged_lists_count_as_empty(text: bytes) -> None:
    disk = MemoryDisk()
    disk.write(ADDRESSES_FILE, text)
    disk.write(BANS_FILE, text)
    lab = Lab(disk=disk)
    assert len(lab.hub.addresses) == 0 and lab.banned == []


def test_the_address_book_is_bounded_and_keeps_whom_it_met() -> None:
    seed = Endpoint.parse("10.9.0.1:1")
    book = AddressBook(MemoryDisk(), (seed,))
    met = Endpoint.parse("10.9.0.2:1")
    book.on_reached(met, b"", 5)
    for number in range(3 * ADDRESSES_MAX):
        last = book.learn(Endpoint(number, 1))
        assert book.find(last.endpoint) is last
        assert len(book) <= ADDRESSES_MAX
    assert book.find(seed) and book.find(met)


def test_an_address_that_never_answers_is_forgotten_unless_it_is_a_seed() -> None:
    seed, other = Endpoint(1, 1), Endpoint(2, 1)
    book = AddressBook(MemoryDisk(), (seed,))
    book.learn(other)
    for _ in range(FAILURES_MAX + 1):
        for endpoint in (seed, other):
            book.on_failed(endpoint, 0, 0)
    assert book.find(other) is None and book.find(seed) is not None
    book.on_failed(other, 0, 0)


def test_bans_without_an_end_are_not_pushed_out_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "BANS_MAX", 5)
    bans = Bans(MemoryDisk())
    bans.add(Ban(1, 0, "by people"))
    for address in range(2, 20):
        bans.add(Ban(address, 10_000, "by the node"))
    assert [ban.address for ban in bans.list(0)] == [1, 16, 17, 18, 19]
    for address in range(30, 40):
        bans.add(Ban(address, 0, "by people"))
    assert [ban.address for ban in bans.list(0)] == [35, 36, 37, 38, 39]


def test_a_disk_that_refuses_ends_neither_bans_nor_the_node() -> None:
    class FullDisk(MemoryDisk):
        def write(self, name: str, data: bytes) -> None:
            raise StoreFull("no room")

    lab = Lab(disk=FullDisk())
    remote = lab.friend()
    for _ in range(ADDRESS_FAULTS_MAX - 1):
        lab.hub.faults.add(remote.peer, lab.clock.ms)
    remote.say_bytes(5001, b"\xff")
    assert lab.banned == [remote.link.remote.address]
    lab.friend("10.0.0.2", port=2001, dialled=True)
    lab.wait(network.SLOW_TICK_MS)
    assert len(lab.world.events("disk_problem")) == 2


def test_the_operator_can_close_connections(lab: Lab) -> None:
    remote = lab.friend("10.0.0.1")
    assert lab.network.disconnect(Endpoint.parse("10.0.0.1:2001")) == 1
    assert remote.goodbye == "The operator closes this connection"
    assert lab.network.disconnect(Endpoint.parse("10.0.0.1:2001")) == 0


# The node


def test_a_node_that_stops_says_goodbye(lab: Lab) -> None:
    remote = lab.friend()
    lab.node.on_stop()
    assert remote.goodbye == "This node is shutting down"


def test_a_block_of_a_client_is_offered_only_if_it_is_of_the_main_chain(lab: Lab) -> None:
    remote = lab.friend()
    (block,), (tie,) = next_blocks(), next_blocks(skip=1)
    lab.clock.ms += SLOT_MS
    lab.node.on_block(block)
    assert len(remote.take(ItemIdsInventory)) == 1
    lab.node.on_block(tie)
    assert remote.take(ItemIdsInventory) == []


def test_a_produced_block_is_offered() -> None:
    lab = Lab(open_chain(trunk(BASE)), witnesses=WITNESSES)
    remote = lab.friend()
    lab.wait(SLOT_MS)
    assert lab.chain.head_number == BASE + 1
    assert only(remote.take(ItemIdsInventory)).item_type == BLOCK_ITEM


def test_an_unknown_timer_is_a_mistake_of_ours(lab: Lab) -> None:
    with pytest.raises(ValueError, match="no such timer"):
        lab.node.on_timer("nonsense")


def test_a_checkpoint_that_the_chain_contradicts_is_refused(lab: Lab) -> None:
    with pytest.raises(Rejected, match="checkpoint"):
        Lab(open_chain(trunk(BASE)), checkpoint=Checkpoint(3, bytes(20)))
    Lab(open_chain(trunk(BASE)), checkpoint=Checkpoint(3, trunk(BASE)[2].id))


def test_blocks_up_to_the_checkpoint_need_their_witness_and_no_authorities(lab: Lab) -> None:
    maker = open_chain(trunk(BASE))
    unsigned = make_transfer(1, chain=maker).with_signatures(())
    (head,) = grow(open_chain(trunk(BASE)), 1)
    made = Block.make(
        codec(), previous=head.previous, timestamp=head.timestamp, witness=head.witness, transactions=(unsigned,)
    )
    trusted = made.with_signature(sign_digest(made.digest, BLOCK_KEYS[head.witness], is_canonical))
    for number, is_taken in ((BASE + 1, True), (BASE, False)):
        checkpoint = Checkpoint(number, trusted.id if is_taken else trunk(BASE)[-1].id)
        lab = Lab(open_chain(trunk(BASE)), checkpoint=checkpoint)
        lab.clock.ms += SLOT_MS
        remote = connect(lab)
        remote.ask_synopsis()
        remote.tell_ids([lab.chain.head_id, trusted.id])
        remote.serve([trusted])
        assert (lab.chain.head_id == trusted.id) == is_taken


def test_another_block_at_the_checkpoint_ends_the_connection(lab: Lab) -> None:
    lab = Lab(open_chain(trunk(BASE)), checkpoint=Checkpoint(BASE + 1, bytes(20)))
    lab.clock.ms += SLOT_MS
    remote = connect(lab)
    (block,) = next_blocks()
    remote.ask_synopsis()
    remote.tell_ids([lab.chain.head_id, block.id])
    remote.serve([block])
    assert remote.goodbye == "You offered us a block that is not the one of our checkpoint"


# What operators should know


def test_a_peer_that_knows_none_of_our_final_blocks_is_named_once(lab: Lab) -> None:
    stranger = connect(lab)
    assert stranger.ask_synopsis()
    stranger.tell_ids(())
    lab.sync.begin(stranger.peer)
    stranger.tell_ids(())
    assert lab.world.events("no_common_block") == [
        {"peer": stranger.peer.name, "irreversible": lab.chain.irreversible_number}
    ]


def test_a_new_node_without_blocks_is_no_stranger(lab: Lab) -> None:
    fresh, started = lab.meet("10.0.0.1"), lab.meet("10.0.0.2")
    fresh.shake(fresh.hello(user_data={"last_known_block_number": 0}))
    started.shake(started.hello(user_data={"last_known_block_number": 0}))
    started.say(FetchBlockchainItemIds(BLOCK_ITEM, (bytes(20),)))
    for remote in (fresh, started):
        remote.ask_synopsis()
        remote.tell_ids(())
    assert [event["peer"] for event in lab.world.events("no_common_block")] == [started.peer.name]


def test_clocks_of_peers_that_differ_are_told_and_change_nothing(lab: Lab) -> None:
    for number, ahead_us in enumerate((900_000, 3_000_000, 4_000_000)):
        assert not lab.world.events("clock_differs")
        remote = lab.friend(f"10.0.0.{number + 1}")
        now_us = lab.clock.ms * 1000
        remote.say(CurrentTimeReply(now_us, now_us + ahead_us, now_us + ahead_us))
        lab.wait(1_000)
    lab.wait(10_000)
    assert lab.world.events("clock_differs") == [{"peers": 3, "milliseconds": 3_000}]


def test_two_blocks_of_one_witness_for_one_slot_are_named(lab: Lab) -> None:
    (one,) = grow(open_chain(trunk(BASE)), 1)
    twin_chain = open_chain(trunk(BASE))
    twin_chain.push_transaction(make_transfer(1, chain=twin_chain))
    (other,) = grow(twin_chain, 1)
    lab.friend("10.0.0.1").give(one)
    assert not lab.world.events("double_signed")
    lab.friend("10.0.0.2").give(other.with_signature(bytes(65)))
    assert not lab.world.events("double_signed"), "anybody can make a block that its witness did not sign"
    lab.friend("10.0.0.3").give(other)
    assert lab.world.events("double_signed") == [
        {"witness": one.witness, "number": one.number, "one": one.id.hex(), "other": other.id.hex()}
    ]


def test_one_header_with_two_signatures_is_no_double_block() -> None:
    """Whoever passes a block on can give its signature another form, and so the block another id."""
    lab = Lab(open_chain(trunk(BASE)))
    lab.clock.ms += SLOT_MS
    (block,) = grow(open_chain(trunk(BASE)), 1)
    signature = block.witness_signature
    malleable = block.with_signature(bytes([signature[0] - 4]) + signature[1:])
    assert malleable.id != block.id and malleable.signer() == block.signer()
    lab.friend("10.0.0.1").give(block)
    lab.friend("10.0.0.2").give(malleable)
    assert lab.chain.reader.is_known_block(malleable.id) and not lab.chain.reader.is_unsigned_side_block(malleable.id)
    assert not lab.world.events("double_signed")


# A node that was restored from a snapshot has no old blocks


def pruned(first: int) -> Chain:
    chain = open_chain(trunk(LENGTH))
    log: Any = chain._log
    log._blocks, log._first = log._blocks[first - log._first :], first
    return chain


def test_a_node_without_old_blocks_says_so_and_serves_the_rest() -> None:
    lab = Lab(pruned(30))
    remote = connect(lab)
    assert block_number(remote.ask_synopsis()[0]) == lab.chain.irreversible_number
    remote.tell_ids([lab.chain.head_id])
    known = ids_of(trunk(LENGTH))
    for synopsis, expected in (((), []), ((known[5],), []), ((known[28],), known[28:]), ((known[40],), known[40:])):
        remote.say(FetchBlockchainItemIds(BLOCK_ITEM, synopsis))
        assert list(only(remote.take(BlockchainItemIdsInventory)).item_hashes_available) == expected
    remote.say(FetchItems(BLOCK_ITEM, (known[3], known[35])))
    assert only(remote.take(ItemNotAvailable)).item_hash == known[3]
    assert only(remote.take(BlockMessage)).block_id == known[35]
    assert not remote.is_closed


def test_a_new_node_among_nodes_without_old_blocks_waits_in_peace_for_one_that_has_them() -> None:
    web = Web([pruned(30), open_chain(), open_chain(trunk(LENGTH))])
    web.connect(1, 0)
    web.run(5_000)
    assert web.heads[1] == 0 and web.links == 1
    web.connect(1, 2)
    web.run(5_000)
    assert web.heads == [LENGTH] * 3 and web.links == 2
