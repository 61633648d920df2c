"""A chain as seen through a node: identity, accounts, and sending transactions.

The node may be wrong or lie. Transactions expire by this machine's clock, and are reported as lost only after their
expiration by this clock, too: a node that hides a block or withholds a transaction must not make its user pay twice.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from client.defaults import CLOCK_DIFFERENCE_MAX
from client.errors import ClientError, NodeConfused, NodeRefused, SignedTransaction, UsageError
from client.json_rpc import NodeClient
from protocol.assets import STEEM, VESTS, Asset
from protocol.codec import Codec, codec_for
from protocol.errors import Invalid, ProtocolError
from protocol.identity import ChainIdentity
from protocol.keys import decode_public_key
from protocol.operation import Operation
from protocol.times import date_text, parse_time, time_text
from protocol.transaction import Transaction
from protocol.types import Authority
from wallet.amounts import Power, format_amount, parse_amount
from wallet.signing import SigningKey, sign

EXPIRATION_SECONDS = 60
"""Lifetime of a transaction, by this machine's clock."""
EXPIRATION_SPREAD_SECONDS = 60
"""Range of a random addition to expirations, so that equal operations sent at the same time are distinct
transactions."""
EXPIRATION_SECONDS_MAX = 3500
"""Maximum expiration after the head; nodes accept one hour."""
POLL_SECONDS = 0.5
WAIT_SECONDS_MAX = 180.0
MARGIN_SECONDS = 15
"""How long to wait for a transaction after its expiration, by this machine's clock and by the node's head."""
CLOCK_DIFFERENCE_NOTED = 60
"""Maximum difference in seconds between the node's head and this machine's clock without a warning."""

Json = dict[str, Any]


class Receipt(NamedTuple):
    """A transaction that is included in a block."""

    transaction: Transaction
    block_num: int
    trx_num: int


class NotIncluded(ClientError):
    """A transaction was signed and sent, but is not known to be included in a block."""


class ClockDiffers(ClientError):
    """The node's head is too far ahead of this machine's clock."""


class Session:
    """The chain behind a node; data is requested when needed."""

    def __init__(
        self,
        client: NodeClient,
        expected_chain_id: str = "",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        clock_difference_max: int = CLOCK_DIFFERENCE_MAX,
        warn: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """With `expected_chain_id` (hex) a node of another chain is an error. `warn` is called with warnings."""
        self.client = client
        self.expected_chain_id = expected_chain_id.lower()
        self._clock = clock
        self._sleep = sleep
        self._clock_difference_max = clock_difference_max
        self._warn = warn
        self._has_warned = False
        self._accounts: dict[str, Json] = {}

    # --- the chain ---------------------------------------------------------------------------------------------

    @cached_property
    def config(self) -> Json:
        """The node's constants."""
        return self._object("condenser_api.get_config", [])

    @cached_property
    def identity(self) -> ChainIdentity:
        """Chain id, key prefix and symbols, as the node states them. Raises ClientError."""
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
            raise ClientError(
                f"the node follows chain {chain_id}, not {self.expected_chain_id}",
                "Name a node of your chain with --node, or correct --chain-id.",
            )
        return identity

    @cached_property
    def codec(self) -> Codec:
        """The codec of this chain."""
        return codec_for(self.identity)

    def properties(self) -> Json:
        """The current dynamic global properties."""
        return self._object("condenser_api.get_dynamic_global_properties", [])

    def now(self, shown: Json | None = None) -> int:
        """Returns the time from which dates in operations are computed: this machine's clock, or a head ahead of it.

        A development chain may run ahead of the clock, so the head counts within bounds. Warns of a difference with
        both times. Raises ClockDiffers where it is too large, except on the development chain.
        """
        head, own = parse_time((shown or self.properties())["time"]), int(self._clock())
        if abs(head - own) > CLOCK_DIFFERENCE_NOTED:
            times = (
                f"the node's head block is of {date_text(head)} UTC, and this machine's clock says {date_text(own)} UTC"
            )
            if head - own > self._clock_difference_max and not self._is_for_development:
                raise ClockDiffers(
                    f"{times}: one of them is wrong, so nothing is signed",
                    "Set the clock right or name another node with --node. On a chain whose time was moved on purpose, "
                    f"add --clock-difference {head - own + CLOCK_DIFFERENCE_NOTED} (seconds).",
                )
            if not self._has_warned:
                self._warn(f"{times}.")
                self._has_warned = True
        return max(head, own)

    @property
    def _is_for_development(self) -> bool:
        """Whether it is the development chain, whose keys are public and whose time can be moved."""
        from protocol.config import ChainConfig  # noqa: PLC0415 - it takes long to load, and few commands ask

        return self.identity.chain_id == ChainConfig.preset("dev").chain_id

    def power(self) -> Power:
        """The current rate between VESTS and STEEM."""
        shown = self.properties()
        shares = parse_amount(shown["total_vesting_shares"], self.identity, VESTS).amount
        return Power(shares, parse_amount(shown["total_vesting_fund_steem"], self.identity, STEEM).amount)

    def amount(self, text: str, *allowed: int) -> Asset:
        """Parses an amount with this chain's symbols. Raises UsageError."""
        return parse_amount(text, self.identity, *allowed)

    def payment(self, text: str, *allowed: int) -> Asset:
        """Parses an amount other than 0. Raises UsageError."""
        asset = self.amount(text, *allowed)
        if not asset.amount:
            raise UsageError("the amount is 0")
        return asset

    def format(self, symbol: int, amount: Any) -> str:
        """Formats an amount given in the smallest unit."""
        return format_amount(Asset(int(amount), symbol), self.identity)

    def format_json(self, shown: Any) -> str:
        """Formats an amount given in either JSON form."""
        asset: Asset = self.codec.from_json(Asset, shown)
        return format_amount(asset, self.identity)

    def public_key(self, text: str) -> bytes:
        """Parses a public key of this chain. Raises ClientError."""
        try:
            return decode_public_key(text, self.identity.address_prefix)
        except Invalid:
            raise ClientError(
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
        """An account as condenser_api shows it. Raises ClientError if there is none."""
        account = self.find_account(name)
        if account is None:
            raise ClientError(f"there is no account {name!r} on this chain", "Check the spelling.")
        return account

    def get_authority(self, account: str, role: str) -> Authority:
        """An account's authority of a role ("owner", "active" or "posting")."""
        shown = self._accounts.get(account) or self.get_account(account)
        authority: Authority = self.codec.from_json(Authority, shown[role])
        return authority

    def get_content(self, author: str, permlink: str) -> Json:
        """A post or reply. Raises ClientError if there is none."""
        content = self._object("condenser_api.get_content", [author, permlink])
        if not content.get("author"):
            raise ClientError(f"there is no post @{author}/{permlink}", "Check author and permlink.")
        return content

    # --- sending -----------------------------------------------------------------------------------------------

    def send(
        self,
        operations: Iterable[Operation],
        keys: Iterable[SigningKey],
        on_signed: Callable[[Transaction], None] = lambda transaction: None,
    ) -> Receipt:
        """Signs the operations as one transaction, broadcasts it, and waits for the block that holds it.

        `on_signed` is called with the transaction before it is sent.
        Raises NodeRefused when the node rejects it, NotIncluded when it is not seen in a block, both with the signed
        transaction.
        """
        shown = self.properties()
        unsigned = self._make(shown, operations, self._expiration(shown))
        signed = sign(unsigned, self.identity.chain_id, keys)
        on_signed(signed)
        return self._broadcast(signed, int(shown["head_block_number"]))

    def build(self, operations: Iterable[Operation], seconds: int) -> Transaction:
        """Builds an unsigned transaction with a lifetime in seconds."""
        shown = self.properties()
        wanted = self.now(shown) + seconds
        return self._make(shown, operations, min(wanted, parse_time(shown["time"]) + EXPIRATION_SECONDS_MAX))

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

    def _expiration(self, shown: Json) -> int:
        """Returns an expiration in one to two minutes, as far as the node accepts it.

        On a chain that produces blocks on demand the head may be old; its next block has the clock's time.
        """
        wanted = min(self.now(shown) + EXPIRATION_SECONDS, parse_time(shown["time"]) + EXPIRATION_SECONDS_MAX)
        return wanted + secrets.randbelow(EXPIRATION_SPREAD_SECONDS)

    def _broadcast(self, signed: Transaction, head: int) -> Receipt:
        wanted = signed.id.hex()
        try:
            self.client.call("condenser_api.broadcast_transaction", [signed.to_json(self.codec, legacy=True)])
        except NodeRefused as error:
            error.signed = _describe(signed)
            raise
        except ClientError as error:
            cause = f"it is not known whether the node took transaction {wanted}: {error.cause}"
            raise self._unknown(signed, cause) from error
        try:
            return self._wait(signed, head)
        except NotIncluded:
            raise
        except (ClientError, ProtocolError, KeyError, TypeError, ValueError) as error:
            reason = error.cause if isinstance(error, ClientError) else "the node's answer is not as it should be"
            raise self._unknown(signed, f"{_taken(wanted)}: {reason}") from error

    def _wait(self, transaction: Transaction, head_before: int) -> Receipt:
        deadline = self._clock() + WAIT_SECONDS_MAX
        wanted = transaction.id.hex()
        over_at = transaction.expiration + MARGIN_SECONDS
        seen = head_before
        for _ in range(int(WAIT_SECONDS_MAX / POLL_SECONDS) + 1):
            shown = self.properties()
            head, head_time = int(shown["head_block_number"]), parse_time(shown["time"])
            for number in range(seen + 1, head + 1):
                position = self._position_in(number, wanted)
                if position is not None:
                    return Receipt(transaction, number, position)
                if self._clock() > deadline:
                    break
            now = self._clock()
            is_over = now > over_at and head_time > over_at
            if is_over and seen == head_before and head >= head_before:
                raise self._lost(transaction)
            if now > deadline:
                break
            # After the expiration all blocks are searched once more, as a reorg may have replaced a branch.
            seen = head_before if is_over else head
            self._sleep(POLL_SECONDS)
        reason = f"the node made no block with it in {WAIT_SECONDS_MAX:g} seconds"
        if self._clock() > over_at:
            reason += f", and its head of {date_text(head_time)} UTC has not come past the transaction's expiration"
        raise self._unknown(transaction, f"{_taken(wanted)}: {reason}")

    def _lost(self, transaction: Transaction) -> NotIncluded:
        wanted = transaction.id.hex()
        error = NotIncluded(
            f"transaction {wanted} expired: no block held it in time, as this node shows its blocks",
            "No block can take it any more. Unless you trust the node, look for it with another one "
            f"(`plaudit wallet --node URL transaction {wanted}`) before you run the command again.",
        )
        error.signed = _describe(transaction)
        return error

    def _unknown(self, transaction: Transaction, cause: str) -> NotIncluded:
        wanted = transaction.id.hex()
        error = NotIncluded(
            cause,
            f"Until {date_text(transaction.expiration)} UTC a block may still take it: do not send it again before. "
            f"Look for it with `plaudit wallet transaction {wanted}`, best with another node, too.",
        )
        error.signed = _describe(transaction)
        return error

    def _position_in(self, number: int, transaction_id: str) -> int | None:
        block = self.client.call("condenser_api.get_block", [number])
        ids = block.get("transaction_ids", []) if isinstance(block, dict) else []
        return ids.index(transaction_id) if transaction_id in ids else None

    def _object(self, method: str, params: Any) -> Json:
        result = self.client.call(method, params)
        if not isinstance(result, dict):
            raise NodeConfused(f"{self.client.url} answers {method} with something that is no object")
        return result


def _describe(transaction: Transaction) -> SignedTransaction:
    return SignedTransaction(transaction.id.hex(), time_text(transaction.expiration))


def _taken(transaction_id: str) -> str:
    return f"the node took transaction {transaction_id}, but whether a block holds it is not known"
