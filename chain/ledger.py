"""Applies blocks and transactions to the state atomically, and undoes blocks.

Source: libraries/chain/database.cpp, _apply_block, validate_block_header, _apply_transaction and apply_operation.
"""

from collections.abc import Callable, Iterable

from chain.authority import (
    LOOKUPS_MAX,
    AuthorityLimits,
    account_authorities,
    get_limits,
    verify_authority,
)
from chain.effects import NO_TRANSACTION_ID, NO_TRANSACTION_INDEX, AppliedOperation, BlockEffects
from chain.genesis import initialize_genesis
from chain.hardforks import current_rules
from chain.proof import Proof, find_proof
from chain.resource_credits import CreditBooks
from chain.steps import STEPS, bind_steps
from consensus.header import (
    check_block_size,
    check_running_version,
    process_header_extensions,
    validate_block_header,
)
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.errors import Invalid, NotUnique, Rejected, TransactionExpired, TransactionTapos, UnknownKey
from protocol.operation import RequiredAuthorities
from protocol.times import date_text, time_text
from protocol.transaction import Transaction
from protocol.types import NULL_ID, Authority
from state.context import SINGLETON, BlockInProgress, Context
from state.engine.errors import RowExists, RowMissing
from state.engine.meta import Head
from state.engine.store import BlockDelta, Store
from state.resource_credits import Credits
from state.tables.accounts import AccountAuthority
from state.tables.globals import SeenTransaction
from state.tables.tables import Tables
from state.watch import Complaint, Tracer, find_broken

BLOCK_SUMMARY_MASK = 0xFFFF


class Ledger:
    """The state of one chain, and the application of blocks to it.

    Between blocks `pending` may be an open checkpoint with pending transactions; it must be closed before a block is
    applied or undone.
    """

    def __init__(self, store: Store[Tables], config: ChainConfig, invariants: Iterable[str] = ()) -> None:
        """Takes ownership of a store; an empty one gets the genesis as committed block 0.

        `invariants` names those of state/watch.py to check after each block; violations are in the block's reports.
        """
        self.store = store
        self._invariants = tuple(invariants)
        self._tracer: Tracer | None = None
        self.config = config
        self.ctx = Context(config, config.rules, store.tables)
        self._chain_id = config.chain_id
        self._credits = CreditBooks(self.ctx)
        if store.head is None:
            store.begin()
            initialize_genesis(self.ctx)
            store.seal_block(0, NULL_ID)
            store.commit(0)
        self._restore_rules()

    # The head

    @property
    def head_number(self) -> int:
        """Number of the head block, 0 before the first."""
        head = self.store.head
        return 0 if head is None else head.number

    @property
    def head_id(self) -> bytes:
        """Id of the head block, zeros before the first."""
        head = self.store.head
        return NULL_ID if head is None else head.block_id

    @property
    def irreversible_number(self) -> int:
        """Number of the last irreversible block in the state of the head block."""
        return self.ctx.gpo.last_irreversible_block_num

    # Blocks

    def apply_block(self, block: Block, skip_signatures: bool = False, skip_authorities: bool = False) -> BlockEffects:
        """Applies a block on the head and seals it; on any error the state is as before.

        `skip_signatures` skips the checks of the witness's signature and of all authorities, for blocks that this node
        (or a trusted one) has checked before; `skip_authorities` skips only the authorities. Raises Rejected, Invalid
        and their subclasses.
        """
        rules, former = self.ctx.rules, self.store.head
        self.store.begin()
        try:
            operations = self._apply_block(block, skip_signatures, skip_signatures or skip_authorities)
            delta = self.store.seal_block(block.number, block.id, len(block.packed))
            if self.ctx.rules is not rules:
                self._take_rules()
            effects = tuple(operations), tuple(self.ctx.reports), rules, delta.changes
            self.ctx.reports.clear()
        except RowMissing as error:
            self._abandon(former)
            raise UnknownKey(**error.wanted) from error
        except RowExists as error:
            self._abandon(former)
            raise NotUnique() from error
        except BaseException:
            self._abandon(former)
            raise
        done = BlockEffects(block.number, block.id, block.timestamp, *effects)
        if self._invariants and self._tracer is None and (broken := find_broken(self._invariants, done.changes)):
            return self._trace(block, broken)
        return done

    def _trace(self, block: Block, broken: list[tuple[str, str]]) -> BlockEffects:
        """Applies the head block again, to report which operations and steps violate invariants."""
        self.undo_block()
        self._tracer = tracer = Tracer(self.store, self._invariants, block.number)
        try:
            effects = self.apply_block(block, skip_signatures=True)
        finally:
            self._tracer = None
        traced = {complaint.invariant for complaint in tracer.complaints}
        rest = [Complaint(name, block.number, "the block", b"", text) for name, text in broken if name not in traced]
        return effects._replace(reports=(*effects.reports, *tracer.complaints, *rest))

    def undo_block(self) -> None:
        """Undoes the head block. Raises CheckpointError if it is irreversible."""
        self.store.undo_block()
        self._restore_rules()

    def _abandon(self, former: BlockDelta | Head | None) -> None:
        """Restores the state of a former head, whether the block after it was sealed or not."""
        while self.store.depth:
            self.store.rollback()
        if self.store.head is not former:
            self.store.undo_block()
        self.ctx.events.clear()
        self.ctx.reports.clear()
        self._restore_rules()

    def _restore_rules(self) -> None:
        """Derives the rules from the state, because applying or undoing a hard fork changes them."""
        last = self.ctx.tables.hardfork_property.get(SINGLETON).last_hardfork
        if last != self.config.hardforks.applied_at_genesis or self.ctx.rules is not self.config.rules:
            self.ctx.rules = current_rules(self.ctx)
        self._take_rules()

    def _take_rules(self) -> None:
        """Computes values that depend only on the rules."""
        self._limits: AuthorityLimits = get_limits(self.ctx.rules)
        self._steps = bind_steps(STEPS, self.store.tables, self.ctx.rules)

    def _apply_block(self, block: Block, skip_signatures: bool, skip_authorities: bool) -> list[AppliedOperation]:
        ctx = self.ctx
        witness = validate_block_header(ctx, block, skip_signature=skip_signatures)
        check_block_size(ctx, block)
        ctx.update_gpo(current_witness=block.witness)
        actions = process_header_extensions(ctx, block)
        check_running_version(ctx, block)
        operations: list[AppliedOperation] = []
        ctx.block = BlockInProgress(block, witness.signing_key, *actions)
        try:
            for index, transaction in enumerate(block.transactions):
                self._apply_transaction(transaction, index, operations, skip_authorities, block.number)
            self._run_steps(block.timestamp)
        finally:
            ctx.block = None
        for virtual_op, event in enumerate(ctx.events, start=1):
            place = NO_TRANSACTION_ID, block.number, NO_TRANSACTION_INDEX, 0, virtual_op
            operations.append(AppliedOperation(*place, block.timestamp, event))
        ctx.events.clear()
        return operations

    def _run_steps(self, now: int) -> None:
        ctx, tracer = self.ctx, self._tracer
        for process, has_due, prefix, shift in self._steps:
            if has_due is None or has_due(*prefix, now + shift):
                process(ctx)
                if tracer is not None:
                    tracer.look(process.__name__)

    # Transactions

    def apply_transaction(
        self, transaction: Transaction, skip_signatures: bool = False, needs_credits: bool = False
    ) -> None:
        """Applies a transaction on the head atomically, inside an open checkpoint.

        With `needs_credits` its account must have enough resource credits (not a rule for blocks). Raises Rejected,
        Invalid and their subclasses.
        """
        store = self.store
        store.begin()
        applied: list[AppliedOperation] = []
        try:
            self._apply_transaction(transaction, 0, applied, skip_signatures, self.head_number + 1, needs_credits)
        except RowMissing as error:
            store.rollback()
            raise UnknownKey(**error.wanted) from error
        except RowExists as error:
            store.rollback()
            raise NotUnique(**({"op": applied[-1].op} if applied else {})) from error
        except BaseException:
            store.rollback()
            raise
        finally:
            self.ctx.events.clear()
            self.ctx.reports.clear()
        store.squash()

    def _apply_transaction(
        self,
        transaction: Transaction,
        index: int,
        operations: list[AppliedOperation],
        skip_signatures: bool,
        number: int,
        needs_credits: bool = False,
    ) -> None:
        ctx, events, tracer = self.ctx, self.ctx.events, self._tracer
        rules = ctx.rules
        trx_id = transaction.id
        if not transaction.operations:
            raise Invalid("operations.size() > 0", "A transaction must have at least one operation", trx=transaction)
        proof = find_proof(transaction.proof, self._chain_id, rules)
        if proof is None:
            for op in transaction.operations:
                op.validate(rules)
        try:
            ctx.tables.seen_transactions.insert(SeenTransaction(0, trx_id, transaction.expiration))
        except RowExists as error:
            raise make_seen_refusal(trx_id) from error
        if not (skip_signatures or (proof and proof.is_authorised(ctx.tables.account_authorities.find))):
            authorities = self._check_authority(transaction)
            if ctx.block is None:
                transaction.proof = Proof(self._chain_id, rules, authorities)
        gpo = ctx.gpo
        now = gpo.time
        if gpo.head_block_number > 0:
            self._check_reference_and_time(transaction, now)
        touched: dict[str, Credits] = {}
        virtual_op = 0
        for op_in_trx, op in enumerate(transaction.operations):
            operations.append(AppliedOperation(trx_id, number, index, op_in_trx, 0, now, op))
            if op.changes_stake:
                self._credits.apply(op, touched)
            else:
                op.apply(ctx)
            if tracer is not None:
                tracer.look(op.wire_name, trx_id)
            if events:
                for event in events:
                    virtual_op += 1
                    operations.append(AppliedOperation(trx_id, number, index, op_in_trx, virtual_op, now, event))
                events.clear()
        self._credits.charge(transaction, touched, needs_credits)

    def quote(self, transaction: Transaction) -> tuple[str, int]:
        """The account that pays for a transaction, and the credits it would be charged now."""
        return self._credits.quote(transaction)

    def _check_reference_and_time(self, transaction: Transaction, now: int) -> None:
        """Checks TaPoS and expiration; an unknown block has a summary of zeros."""
        summary = self.ctx.tables.block_summaries.find(transaction.ref_block_num & BLOCK_SUMMARY_MASK)
        prefix = 0 if summary is None else int.from_bytes(summary.block_id[4:8], "little")
        if transaction.ref_block_prefix != prefix:
            raise TransactionTapos(
                "", **{"trx.ref_block_prefix": transaction.ref_block_prefix, "tapos_block_summary": prefix}
            ).explain(
                f"the transaction refers to a block {transaction.ref_block_num} (modulo 65536) whose id has the prefix "
                f"{transaction.ref_block_prefix}, but that of this chain has {prefix}: it was made for another chain "
                "or branch, or too long ago"
            )
        expiration, longest = transaction.expiration, self.ctx.rules.max_time_until_expiration_seconds
        if not expiration <= now + longest:
            raise TransactionExpired(
                "", **{"trx.expiration": time_text(expiration), "now": time_text(now), "max_til_exp": longest}
            ).explain(
                f"the transaction expires at {date_text(expiration)}, more than {longest} seconds after the head block"
            )
        if not now < expiration:
            raise TransactionExpired("", **{"now": time_text(now), "trx.exp": time_text(expiration)}).explain(
                f"the transaction expired at {date_text(expiration)}, and the head block is of {date_text(now)}"
            )

    def _check_authority(self, transaction: Transaction) -> tuple[AccountAuthority, ...]:
        """Checks that the signatures satisfy the required authorities, and that each of them is needed.

        Returns the authorities that were read. Fast path: most transactions need one account and have one signature, by
        the first key of its authority; the result equals that of the full check.
        """
        required = transaction.required_authorities()
        signed = transaction.signature_keys(self._chain_id)
        rows = self.ctx.tables.account_authorities
        read: dict[str, AccountAuthority] = {}

        def get(name: str) -> AccountAuthority:
            row = read[name] = rows.get(name)
            return row

        try:
            if not (len(signed) == 1 and self._is_met_at_once(required, signed, get)):
                limits = self._limits._replace(max_lookups=LOOKUPS_MAX) if self.ctx.is_pending else self._limits
                verify_authority(required, signed, account_authorities(get), limits)
        except RowMissing as error:
            unknown = UnknownKey(auth_containers=list(transaction.operations), sigs=sorted(signed))
            raise unknown.explain_missing(error.wanted) from error
        return tuple(read.values())

    def _is_met_at_once(
        self, required: RequiredAuthorities, signed: frozenset[bytes], get: Callable[[str], AccountAuthority]
    ) -> bool:
        if required.owners or required.others or len(required.actives) + len(required.postings) != 1:
            return False
        authority: Authority
        if required.actives:
            (name,) = required.actives
            authority = get(name).active
        else:
            (name,) = required.postings
            authority = get(name).posting
        if not authority.key_auths or name == self._limits.open_account:
            return False
        key, weight = authority.key_auths[0]
        return key in signed and weight >= authority.weight_threshold > 0


def make_seen_refusal(trx_id: bytes) -> Rejected:
    """The refusal of a transaction that is already in a block or pending."""
    return Rejected(
        "(skip & skip_transaction_dupe_check) || "
        "trx_idx.indices().get<by_trx_id>().find(trx_id) == trx_idx.indices().get<by_trx_id>().end()",
        "Duplicate transaction check failed",
        trx_ix=trx_id,
    ).named("transaction_known")
