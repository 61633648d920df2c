"""One chain as seen through a node: its identity, its accounts, and sending transactions to it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from protocol.assets import STEEM, VESTS, Asset
from protocol.codec import Codec, codec_for
from protocol.errors import Invalid
from protocol.identity import ChainIdentity
from protocol.keys import decode_public_key
from protocol.operation import Operation
from protocol.times import parse_time
from protocol.transaction import Transaction
from protocol.types import Authority
from wallet.amounts import Power, parse_amount
from wallet.client import NodeClient
from wallet.errors import NodeConfused, NodeRefused, NodeUnreachable, WalletError
from wallet.signing import SigningKey, sign

EXPIRATION_SECONDS = 60
EXPIRATION_SPREAD_SECONDS = 60
"""Expirations differ by chance within this range, so that equal operations sent at the same time are two."""
EXPIRATION_SECONDS_MAX = 3500
"""A node takes an expiration up to one hour after its head; this is a little less."""
POLL_SECONDS = 0.5
WAIT_SECONDS_MAX = 180.0

Json = dict[str, Any]


class Receipt(NamedTuple):
    """A transaction that a block holds."""

    transaction: Transaction
    block_num: int
    trx_num: int


class NotIncluded(WalletError):
    """The node took a transaction, but no block is known to hold it."""


class Session:
    """What the wallet knows of the chain behind a node. Answers are asked for when they are needed."""

    def __init__(
        self,
        client: NodeClient,
        expected_chain_id: str = "",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """With `expected_chain_id` (hex) a node of another chain is refused."""
        self.client = client
        self.expected_chain_id = expected_chain_id.lower()
        self._clock = clock
        self._sleep = sleep
        self._accounts: dict[str, Json] = {}

    # --- the chain ---------------------------------------------------------------------------------------------

    @cached_property
    def config(self) -> Json:
        """The node's constants."""
        return self._object("condenser_api.get_config", [])

    @cached_property
    def identity(self) -> ChainIdentity:
        """Chain id, key prefix and symbols, as the node states them. Raises WalletError."""
        first = self._object("condenser_api.get_dynamic_global_properties", [])
        try:
            chain_id = str(self.config["STEEM_CHAIN_ID"])
            identity = ChainIdentity(
                chain_id=bytes.fromhex(chain_id),
                address_prefix=str(self.config["STEEM_ADDRESS_PREFIX"]),
                steem_symbol=first["current_supply"].split(" ")[1],
                sbd_symbol=first["current_sbd_supply"].split(" ")[1],
                vests_symbol=first["total_vesting_shares"].split(" ")[1],
            )
        except (KeyError, AttributeError, IndexError, ValueError) as error:
            raise NodeConfused(f"{self.client.url} does not say which chain it follows: {error}") from None
        if self.expected_chain_id and chain_id.lower() != self.expected_chain_id:
            raise WalletError(
                f"the node follows chain {chain_id}, not {self.expected_chain_id}",
                "Name a node of your chain with --node, or correct --chain-id.",
            )
        return identity

    @cached_property
    def codec(self) -> Codec:
        """Bytes and JSON of this chain."""
        return codec_for(self.identity)

    def properties(self) -> Json:
        """The dynamic global properties of this moment."""
        return self._object("condenser_api.get_dynamic_global_properties", [])

    def power(self) -> Power:
        """The rate between VESTS and STEEM of this moment."""
        shown = self.properties()
        shares = parse_amount(shown["total_vesting_shares"], self.identity, VESTS).amount
        return Power(shares, parse_amount(shown["total_vesting_fund_steem"], self.identity, STEEM).amount)

    def amount(self, text: str, *allowed: int) -> Asset:
        """Reads an amount with this chain's symbols. Raises UsageError."""
        return parse_amount(text, self.identity, *allowed)

    def public_key(self, text: str) -> bytes:
        """Reads a public key of this chain. Raises WalletError."""
        try:
            return decode_public_key(text, self.identity.address_prefix)
        except Invalid:
            raise WalletError(
                f"{text!r} is not a public key of this chain",
                f"Its public keys begin with {self.identity.address_prefix}.",
            ) from None

    # --- accounts ----------------------------------------------------------------------------------------------

    def find_account(self, name: str) -> Json | None:
        """An account as condenser_api shows it, or None."""
        found = self.client.call("condenser_api.get_accounts", [[name]])
        account = found[0] if isinstance(found, list) and found else None
        if not isinstance(account, dict):
            return None
        self._accounts[name] = account
        return account

    def get_account(self, name: str) -> Json:
        """An account as condenser_api shows it. Raises WalletError if there is none."""
        account = self.find_account(name)
        if account is None:
            raise WalletError(f"there is no account {name!r} on this chain", "Check the spelling.")
        return account

    def get_authority(self, account: str, role: str) -> Authority:
        """An account's authority of a role ("owner", "active" or "posting")."""
        shown = self._accounts.get(account) or self.get_account(account)
        authority: Authority = self.codec.from_json(Authority, shown[role])
        return authority

    def get_content(self, author: str, permlink: str) -> Json:
        """A post or reply. Raises WalletError if there is none."""
        content = self._object("condenser_api.get_content", [author, permlink])
        if not content.get("author"):
            raise WalletError(f"there is no post @{author}/{permlink}", "Check author and permlink.")
        return content

    # --- sending -----------------------------------------------------------------------------------------------

    def send(self, operations: Iterable[Operation], keys: Iterable[SigningKey]) -> Receipt:
        """Signs the operations as one transaction, broadcasts it, and waits for the block that holds it.

        Raises NodeRefused when the node does not take it, NotIncluded when its way into a block is not seen.
        """
        shown = self.properties()
        unsigned = self._make(shown, operations, self._expiration(parse_time(shown["time"])))
        signed = sign(unsigned, self.identity.chain_id, keys)
        return self._broadcast(signed, int(shown["head_block_number"]))

    def build(self, operations: Iterable[Operation], seconds: int) -> Transaction:
        """The operations as a transaction without signatures that expires after so many seconds."""
        shown = self.properties()
        head_time = parse_time(shown["time"])
        wanted = max(head_time, int(self._clock())) + seconds
        return self._make(shown, operations, min(wanted, head_time + EXPIRATION_SECONDS_MAX))

    def broadcast(self, signed: Transaction) -> Receipt:
        """Sends a signed transaction and waits for the block that holds it. Raises as `send` does."""
        return self._broadcast(signed, int(self.properties()["head_block_number"]))

    def _make(self, shown: Json, operations: Iterable[Operation], expiration: int) -> Transaction:
        return Transaction.make(
            self.codec,
            ref_block_num=int(shown["head_block_number"]) & 0xFFFF,
            ref_block_prefix=int.from_bytes(bytes.fromhex(shown["head_block_id"])[4:8], "little"),
            expiration=expiration,
            operations=operations,
        )

    def _broadcast(self, signed: Transaction, head: int) -> Receipt:
        try:
            self.client.call("condenser_api.broadcast_transaction", [signed.to_json(self.codec, legacy=True)])
        except NodeUnreachable as error:
            raise NotIncluded(
                f"it is not known whether the node took transaction {signed.id.hex()}: {error.cause}",
                f"Before sending again, look for it: `plaudit wallet transaction {signed.id.hex()}`. "
                "It is refused by all nodes once it has expired.",
            ) from error
        return self._wait(signed, head)

    def _expiration(self, head_time: int) -> int:
        """A moment after both the head's time and the clock, as far as the node allows.

        A chain that makes blocks only on demand lets its head grow old; its next block has the clock's time.
        """
        spread = secrets.randbelow(EXPIRATION_SPREAD_SECONDS)
        wanted = max(head_time, int(self._clock())) + EXPIRATION_SECONDS
        return min(wanted, head_time + EXPIRATION_SECONDS_MAX) + spread

    def _wait(self, transaction: Transaction, head_before: int) -> Receipt:
        deadline = self._clock() + WAIT_SECONDS_MAX
        wanted = transaction.id.hex()
        seen = head_before
        while True:
            try:
                shown = self.properties()
                head = int(shown["head_block_number"])
                for number in range(seen + 1, head + 1):
                    position = self._position_in(number, wanted)
                    if position is not None:
                        return Receipt(transaction, number, position)
                is_over = parse_time(shown["time"]) > transaction.expiration
            except (NodeUnreachable, NodeRefused) as error:
                raise self._unknown(transaction, error.cause) from error
            if is_over and seen == head_before and head >= head_before:
                raise NotIncluded(
                    f"transaction {wanted} expired: no block held it in time",
                    "Nothing has happened; run the command again. `plaudit wallet status` shows the node's head.",
                )
            if self._clock() > deadline:
                raise self._unknown(transaction, f"the node made no block with it in {WAIT_SECONDS_MAX:g} seconds")
            # After the expiration all blocks are looked through once more: a branch may have been replaced.
            seen = head_before if is_over else head
            self._sleep(POLL_SECONDS)

    def _unknown(self, transaction: Transaction, reason: str) -> NotIncluded:
        wanted = transaction.id.hex()
        return NotIncluded(
            f"the node took transaction {wanted}, but whether a block holds it is not known: {reason}",
            f"Look for it later: `plaudit wallet transaction {wanted}`.",
        )

    def _position_in(self, number: int, transaction_id: str) -> int | None:
        block = self.client.call("condenser_api.get_block", [number])
        ids = block.get("transaction_ids", []) if isinstance(block, dict) else []
        return ids.index(transaction_id) if transaction_id in ids else None

    def _object(self, method: str, params: Any) -> Json:
        result = self.client.call(method, params)
        if not isinstance(result, dict):
            raise NodeConfused(f"{self.client.url} answers {method} with something that is no object")
        return result
