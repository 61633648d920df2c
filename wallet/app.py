"""What all commands share: the settings, the node, the key file, and asking before something is sent."""

from __future__ import annotations

import getpass
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import click
from rich.console import Group, RenderableType

from protocol.operation import Operation
from wallet.client import TIMEOUT_SECONDS, NodeClient
from wallet.errors import NodeRefused, UsageError, WalletError
from wallet.keystore import Keystore, KeystoreMissing, StoredKey
from wallet.render import Output, fields, text
from wallet.session import Receipt, Session
from wallet.signing import SigningKey, choose_keys, collect_authorities
from wallet.terminal import clean

PASSWORD_VARIABLE = "PLAUDIT_WALLET_PASSWORD"
_SHOWN_CHARACTERS_MAX = 400


@dataclass
class App:
    """The settings of one run, and what is made from them when it is first needed."""

    node: str
    keystore_path: Path
    password_file: Path | None = None
    chain_id: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS
    is_json: bool = False
    is_sure: bool = False
    stdin_is_used: bool = field(default=False, init=False)

    @property
    def output(self) -> Output:
        """Where results go."""
        return Output(self.is_json)

    @cached_property
    def session(self) -> Session:
        """The chain behind the node."""
        return Session(NodeClient(self.node, self.timeout_seconds), self.chain_id)

    # --- passwords and the key file ----------------------------------------------------------------------------

    def given_password(self) -> str | None:
        """The key file's password from the file or the environment, or None."""
        if self.password_file is not None:
            try:
                return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise WalletError(f"the password file cannot be read: {error}") from None
        return os.environ.get(PASSWORD_VARIABLE)

    def ask_secret(self, question: str, *, twice: bool = False) -> str:
        """Asks for a secret without showing it. Raises WalletError when there is nobody to ask."""
        if self.stdin_is_used and not _has_terminal():
            raise WalletError(f"there is nobody to ask for: {question}", self._password_hint())
        try:
            with warnings.catch_warnings():
                # Without a terminal the answer is read from standard input, where nothing is echoed anyway.
                warnings.simplefilter("ignore", getpass.GetPassWarning)
                answer: str = click.prompt(clean(question), hide_input=True, confirmation_prompt=twice, err=True)
        except click.Abort:
            raise WalletError(f"no answer to: {question}", self._password_hint()) from None
        return answer

    @cached_property
    def keystore(self) -> Keystore:
        """The key file, opened."""
        if not self.keystore_path.exists():
            raise KeystoreMissing(f"{self.keystore_path} does not exist")
        password = self.given_password()
        return Keystore.open(self.keystore_path, self.ask_secret("Wallet password") if password is None else password)

    def create_keystore(self) -> Keystore:
        """Writes a new key file."""
        password = self.given_password()
        if password is None:
            password = self.ask_secret("New wallet password", twice=True)
        if not password:
            raise UsageError("the password is empty")
        self.keystore_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        store = Keystore.create(self.keystore_path, password)
        self.__dict__["keystore"] = store
        return store

    def _password_hint(self) -> str:
        return f"Give --password-file FILE, or set the environment variable {PASSWORD_VARIABLE}."

    # --- sending -----------------------------------------------------------------------------------------------

    def choose_keys(self, operations: Sequence[Operation]) -> tuple[SigningKey, ...]:
        """The keys that sign these operations. Raises WalletError if some are missing."""
        session = self.session
        required = collect_authorities(operations)
        return choose_keys(required, session, self.keystore, session.identity.address_prefix)

    def confirm(self, question: str, subject: RenderableType | None = None) -> None:
        """Asks whether to go on, unless --yes was given. Raises WalletError if not."""
        if self.is_sure:
            return
        if self.stdin_is_used and not sys.stdin.isatty():
            raise UsageError("the text came from standard input, so there is nobody to ask", "Add --yes.")
        if subject is not None:
            self.output.ask(subject)
        try:
            is_wanted = click.confirm(clean(question), err=True)
        except click.Abort:
            raise WalletError("nobody answered the question", "Add --yes to go on without being asked.") from None
        if not is_wanted:
            raise WalletError("nothing was done, as you wished")

    def send(
        self, *operations: Operation, extra: dict[str, Any] | None = None, new_keys: Sequence[StoredKey] = ()
    ) -> Receipt:
        """Shows the operations, asks, signs, sends, waits for the block, and shows where they are.

        `extra` is added to what is shown afterwards. `new_keys` are keys that the operations bring into use: they are
        in the key file before anything is sent, so that they cannot be lost, and out again if the node refuses.
        """
        keys = self.choose_keys(operations)
        self.confirm("Sign and send it?", self._draw_request(operations, keys))
        added = [key for key in new_keys if self.keystore.find(key.key.public_key) is None]
        self._store(added)
        try:
            receipt = self.session.send(operations, keys)
        except NodeRefused:
            self._forget(added)
            raise
        transaction_id = receipt.transaction.id.hex()
        shown = {"transaction_id": transaction_id, "block_num": receipt.block_num, "trx_num": receipt.trx_num}
        shown |= extra or {}
        operations_shown = [self.session.codec.operation_to_json(operation, True) for operation in operations]

        def draw() -> RenderableType:
            rows = [("transaction", transaction_id), ("block", receipt.block_num)]
            return fields([*rows, *((name.replace("_", " "), value) for name, value in (extra or {}).items())])

        self.output.show(shown | {"operations": operations_shown}, draw)
        return receipt

    def _store(self, keys: Sequence[StoredKey]) -> None:
        if keys:
            with self.keystore.changing():
                for key in keys:
                    self.keystore.add(*key)

    def _forget(self, keys: Sequence[StoredKey]) -> None:
        if keys:
            with self.keystore.changing():
                for key in keys:
                    self.keystore.remove(key.key.public_key)

    def _draw_request(self, operations: Sequence[Operation], keys: Sequence[SigningKey]) -> RenderableType:
        parts: list[RenderableType] = []
        for operation in operations:
            name, values = self.session.codec.operation_to_json(operation, True)
            parts.append(fields({key: _shorten(value) for key, value in values.items()}, name))
        signers = ", ".join(f"{signing.role} key of {signing.account}" for signing in keys if signing.account)
        parts.append(text(f"Signed by: {signers or 'a written-out key'}. Node: {self.node}.", "dim"))
        return Group(*parts)


def _has_terminal() -> bool:
    """Whether secrets can be asked for although standard input was used for something else."""
    try:
        with open("/dev/tty", "rb"):
            return True
    except OSError:
        return False


def _shorten(value: Any) -> str:
    shown = value if isinstance(value, str) else str(value)
    if len(shown) <= _SHOWN_CHARACTERS_MAX:
        return shown
    return f"{shown[:_SHOWN_CHARACTERS_MAX]} ... ({len(shown)} characters)"
