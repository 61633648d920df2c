"""The context of all commands: settings, node, key file, and confirmation before sending."""

from __future__ import annotations

import getpass
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

import click
import platformdirs
from rich.console import Group, RenderableType

from client.defaults import CLOCK_DIFFERENCE_MAX, TIMEOUT_SECONDS
from client.errors import ClientError, NodeRefused, UsageError
from client.exposure import find_exposure
from client.json_rpc import NodeClient
from client.render import Output, fields, text
from client.terminal import clean
from protocol.operation import Operation
from protocol.transaction import Transaction
from wallet.keystore import Keystore, KeystoreMissing, StoredKey
from wallet.passwords import find_weakness
from wallet.session import Receipt, Session
from wallet.signing import SigningKey, choose_keys, collect_authorities
from wallet.trust import Facts, describe_chain, doubt_chain
from wallet.unresolved import add_unresolved, doubt_repeat, make_fingerprint

PASSWORD_VARIABLE = "PLAUDIT_WALLET_PASSWORD"
_SHOWN_CHARACTERS_MAX = 400


def default_keystore() -> Path:
    """Returns the default path of the key file."""
    return Path(platformdirs.user_data_dir("plaudit", appauthor=False)) / "wallet.json"


@dataclass
class App:
    """The settings of one run, and lazily created session and key file."""

    node: str
    keystore_path: Path
    password_file: Path | None = None
    chain_id: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS
    clock_difference_max: int = CLOCK_DIFFERENCE_MAX
    is_json: bool = False
    is_sure: bool = False
    stdin_is_used: bool = field(default=False, init=False)
    learned: dict[str, Any] = field(default_factory=dict, init=False)
    """Facts about the chain to store when something is signed for it."""

    @property
    def output(self) -> Output:
        """Where results go."""
        return Output(self.is_json)

    @cached_property
    def session(self) -> Session:
        """The chain behind the node."""
        return Session(
            NodeClient(self.node, self.timeout_seconds),
            self.chain_id,
            clock_difference_max=self.clock_difference_max,
            warn=self.output.warn,
        )

    # --- passwords and the key file ----------------------------------------------------------------------------

    def given_password(self) -> str | None:
        """The key file's password from the file or the environment, or None."""
        if self.password_file is not None:
            self.warn_of_exposure(self.password_file)
            try:
                return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise ClientError(f"the password file cannot be read: {error}") from None
        return os.environ.get(PASSWORD_VARIABLE)

    def ask_secret(self, question: str, *, twice: bool = False) -> str:
        """Prompts for a secret without echo. Raises ClientError without a terminal."""
        if self.stdin_is_used and not _has_terminal():
            raise ClientError(f"there is nobody to ask for: {question}", self._password_hint())
        try:
            with warnings.catch_warnings():
                # Without a terminal the answer is read from standard input, which has no echo.
                warnings.simplefilter("ignore", getpass.GetPassWarning)
                answer: str = click.prompt(clean(question), hide_input=True, confirmation_prompt=twice, err=True)
        except click.Abort:
            raise ClientError(f"no answer to: {question}", self._password_hint()) from None
        return answer

    @cached_property
    def keystore(self) -> Keystore:
        """The key file, opened."""
        if not self.keystore_path.exists():
            raise KeystoreMissing(f"{self.keystore_path} does not exist")
        self.warn_of_exposure(self.keystore_path)
        password = self.given_password()
        return Keystore.open(self.keystore_path, self.ask_secret("Wallet password") if password is None else password)

    def create_keystore(self) -> Keystore:
        """Writes a new key file."""
        password = self.given_password()
        if password is None:
            password = self.ask_secret("New wallet password", twice=True)
        self.check_new_password(password)
        self.keystore_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        store = Keystore.create(self.keystore_path, password)
        self.__dict__["keystore"] = store
        return store

    def check_new_password(self, password: str) -> None:
        """Warns of a weak password. Raises UsageError for an empty one."""
        if not password:
            raise UsageError("the new password is empty")
        weakness = find_weakness(password)
        if weakness:
            self.output.warn(f"this password is weak: {weakness}. Who gets a copy of the file can try millions a day.")

    def read_secret(self, file: TextIO) -> str:
        """Reads a secret from a file, without the line end. Warns when other users can read it."""
        self.warn_of_exposure(file.name)
        return file.read().rstrip("\r\n")

    def warn_of_exposure(self, path: str | Path) -> None:
        """Warns when other users can read a secret file."""
        exposure = find_exposure(path)
        if exposure:
            self.output.warn(f"{exposure}.")

    def _password_hint(self) -> str:
        return f"Give --password-file FILE, or set the environment variable {PASSWORD_VARIABLE}."

    # --- trust -------------------------------------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        """The stored facts about the chain."""
        return self.keystore.chains.get(self.session.identity.chain_id.hex(), {})

    def settle(self, doubt: str, remedy: str) -> None:
        """Asks the user whether to continue despite a doubt, if there is one. With --yes a doubt is an error.

        Raises ClientError.
        """
        if not doubt:
            return
        if self.is_sure:
            raise ClientError(f"{doubt}; nothing was signed", remedy)
        self.output.warn(f"{doubt}.")
        self.confirm("Go on all the same?")

    def check_chain(self) -> None:
        """Before signing: resolves doubts about the chain. The one named by --chain-id is trusted."""
        identity = self.session.identity
        doubt = doubt_chain(self.keystore.chains, identity)
        if not self.chain_id:
            self.settle(doubt, f"If it is the right chain, add --chain-id {identity.chain_id.hex()}.")

    def remember(self) -> None:
        """Before signing: stores the chain and the learned facts in the key file."""
        self._change_facts({**describe_chain(self.session.identity), **self.learned})

    def _change_facts(self, changes: Facts) -> None:
        chain_id = self.session.identity.chain_id.hex()
        if {**self.facts, **changes} != self.facts:
            with self.keystore.changing():
                self.keystore.chains[chain_id] = {**self.facts, **changes}

    def _check_repeated(self, fingerprint: str) -> None:
        """Before signing: checks for an unresolved transaction with the same content."""
        unresolved = self.facts.get("unresolved", {})
        doubt = doubt_repeat(unresolved, fingerprint, self.session.now()) if fingerprint else ""
        self.settle(doubt, "Look for it, with another node too, or wait until then: see `plaudit wallet transaction`.")

    def _send(self, operations: Sequence[Operation], keys: Sequence[SigningKey], fingerprint: str) -> Receipt:
        """Sends, and stores the signed transaction in the key file until its outcome is known."""

        def keep(transaction: Transaction) -> None:
            unresolved = self.facts.get("unresolved", {})
            added = add_unresolved(unresolved, fingerprint, transaction, self.session.now())
            self._change_facts({"unresolved": added})

        if not fingerprint:
            return self.session.send(operations, keys)
        receipt = self.session.send(operations, keys, keep)
        unresolved = self.facts.get("unresolved", {})
        self._change_facts({"unresolved": {key: value for key, value in unresolved.items() if key != fingerprint}})
        return receipt

    # --- sending -----------------------------------------------------------------------------------------------

    def choose_keys(self, operations: Sequence[Operation]) -> tuple[SigningKey, ...]:
        """The keys that sign these operations. Raises ClientError if some are missing."""
        session = self.session
        required = collect_authorities(operations)
        return choose_keys(required, session, self.keystore, session.identity.address_prefix)

    def confirm(self, question: str, subject: RenderableType | None = None) -> None:
        """Asks for confirmation unless --yes is given. Raises ClientError if declined."""
        if self.is_sure:
            return
        if self.stdin_is_used and not sys.stdin.isatty():
            raise UsageError("the text came from standard input, so there is nobody to ask", "Add --yes.")
        if subject is not None:
            self.output.ask(subject)
        try:
            is_wanted = click.confirm(clean(question), err=True)
        except click.Abort:
            raise ClientError("nobody answered the question", "Add --yes to go on without being asked.") from None
        if not is_wanted:
            raise ClientError("nothing was done, as you wished")

    def send(
        self,
        *operations: Operation,
        extra: dict[str, Any] | None = None,
        new_keys: Sequence[StoredKey] = (),
        note: str = "",
    ) -> Receipt:
        """Shows the operations, asks for confirmation, signs, sends, waits for the block, and shows the result.

        `note` is shown before, `extra` with the result. `new_keys` are keys that the operations introduce: they are
        stored in the key file before signing, so that they cannot be lost, and kept even if the node refuses, because a
        lying node may still broadcast the transaction.
        """
        keys = self.choose_keys(operations)
        operations_shown = [self.session.codec.operation_to_json(operation, True) for operation in operations]
        fingerprint = make_fingerprint(operations_shown)
        self.check_chain()
        self._check_repeated(fingerprint)
        self.confirm("Sign and send it?", self._draw_request(operations_shown, keys, note))
        self.remember()
        added = [key for key in new_keys if self.keystore.find(key.key.public_key) is None]
        self._store(added)
        try:
            receipt = self._send(operations, keys, fingerprint)
        except NodeRefused:
            if added:
                self.output.note("The new keys stay in the key file: `plaudit wallet keys remove` takes them out.")
            raise
        transaction_id = receipt.transaction.id.hex()
        shown = {"transaction_id": transaction_id, "block_num": receipt.block_num, "trx_num": receipt.trx_num}
        shown |= extra or {}

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

    def _draw_request(self, operations: Sequence[Any], keys: Sequence[SigningKey], note: str) -> RenderableType:
        parts: list[RenderableType] = []
        for name, values in operations:
            parts.append(fields({key: _shorten(value) for key, value in values.items()}, name))
        signers = ", ".join(f"{signing.role} key of {signing.account}" for signing in keys if signing.account)
        parts += [text(note)] if note else []
        parts.append(text(f"Signed by: {signers or 'a written-out key'}. Node: {self.node}.", "dim"))
        if not self.facts:
            parts.append(text(f"The first signature for chain {self.session.identity.chain_id.hex()}.", "dim"))
        return Group(*parts)


def _has_terminal() -> bool:
    """Whether a terminal for prompts is available although standard input is used for something else."""
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
