"""The rule that a small chain never stops, on whole chains with transactions."""

from __future__ import annotations

from chain.chain import Chain
from consensus.slots import get_round_witnesses, get_scheduled_witness, get_slot_time
from operations.witness import WitnessUpdate
from protocol.assets import STEEM, Asset
from protocol.codec import Codec
from protocol.errors import Rejected
from protocol.keys import PrivateKey, sign_digest
from protocol.operation import Operation
from protocol.transaction import Transaction
from protocol.types import NULL_PUBLIC_KEY, LegacyChainProperties
from state.invariants import assert_invariants
from tests.chains import FIRST, load_preset
from tests.strategies import import_all_operations

PASSWORD = "plaudit-dev"


def active_key(name: str) -> PrivateKey:
    return PrivateKey.from_password(name, "active", PASSWORD)


class DevChain:
    """The chain of preset dev in memory; every witness signs with the active key of its account."""

    def __init__(self) -> None:
        import_all_operations()
        self.config = load_preset("dev")
        self.codec = Codec(self.config.identity)
        self.chain = Chain.open(self.config)

    def push(self, name: str, op: Operation) -> None:
        transaction = Transaction.make(
            self.codec,
            ref_block_num=self.chain.head_number & 0xFFFF,
            ref_block_prefix=int.from_bytes(self.chain.head_id[4:8], "little"),
            expiration=self.chain.head_time + 60,
            operations=(op,),
        )
        signature = sign_digest(transaction.digest(self.config.chain_id), active_key(name))
        self.chain.push_transaction(transaction.with_signatures((signature,)))

    def generate(self, count: int) -> None:
        """Makes blocks; witnesses without a key miss their slots."""
        for _ in range(count):
            assert any(self._try_slot(slot) for slot in range(1, 22)), "nobody can make a block"

    def _try_slot(self, slot: int) -> bool:
        ctx = self.chain.ctx
        name = get_scheduled_witness(ctx, slot)
        try:
            self.chain.generate_block(name, active_key(name), get_slot_time(ctx, slot))
        except Rejected:
            return False
        return True

    def set_key(self, name: str, key: bytes) -> None:
        props = LegacyChainProperties(Asset(3000, STEEM), 131_072, 0)
        self.push(name, WitnessUpdate(name, "https://example.com", key, props, Asset(0, STEEM)))


def test_the_only_witness_sets_the_null_key() -> None:
    dev = DevChain()
    dev.generate(3)
    dev.set_key(FIRST, NULL_PUBLIC_KEY)
    dev.generate(1)
    block = dev.chain.reader.get_block(4)
    assert block is not None and len(block.transactions) == 1, "the operation is accepted"
    assert dev.chain.ctx.tables.witnesses.get(FIRST).signing_key == active_key(FIRST).public_key
    dev.generate(60)
    assert dev.chain.head_number == 64
    assert dev.chain.irreversible_number == 64
    assert_invariants(dev.chain.ctx)


def test_witnesses_come_and_all_but_one_go() -> None:
    dev = DevChain()
    dev.generate(1)
    for name in ("alice", "bob", "carol"):
        dev.set_key(name, active_key(name).public_key)
    dev.generate(41)
    assert set(get_round_witnesses(dev.chain.ctx)) == {FIRST, "alice", "bob", "carol"}
    for name in (FIRST, "alice", "bob", "carol"):
        dev.set_key(name, NULL_PUBLIC_KEY)
    dev.generate(1)
    assert dev.chain.head_number == 43
    dev.generate(60)
    remaining = get_round_witnesses(dev.chain.ctx)
    assert len(remaining) == 1
    assert dev.chain.ctx.tables.witnesses.get(remaining[0]).signing_key != NULL_PUBLIC_KEY
    for name in {FIRST, "alice", "bob", "carol"} - set(remaining):
        dev.set_key(name, active_key(name).public_key)
    dev.generate(42)
    assert len(get_round_witnesses(dev.chain.ctx)) == 4
    assert_invariants(dev.chain.ctx)
