"""The chain config: everything that makes one chain different from another, read from a TOML file.

The file has the sections `[chain]` (identity), `[genesis]` with `[[genesis.accounts]]` and `[[genesis.witnesses]]`,
`[rules]`, `[hardforks]` with `[[hardforks.future]]`, and `[history]`. Keys that are absent have the value of the live
network. Two nodes with unlike files are on unlike chains.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from protocol.config_report import report_config
from protocol.errors import Invalid
from protocol.hardforks import PAST_HARD_FORKS, HardFork, parse_version, processed_hardfork_times
from protocol.identity import ChainIdentity
from protocol.integers import INT64_MAX, UINT32_MAX
from protocol.keys import PrivateKey, decode_public_key
from protocol.rules import RewardCurve, Rules
from protocol.times import parse_time

__all__ = [
    "ChainConfig",
    "ChainConfigError",
    "ChainIdentity",
    "ConfigProblem",
    "Genesis",
    "GenesisAccount",
    "GenesisWitness",
    "HardFork",
    "History",
    "RewardCurve",
    "Rules",
]

PresetName = Literal["steem", "testnet", "dev"]
PRESETS: Final[tuple[PresetName, ...]] = ("steem", "testnet", "dev")
Role = Literal["owner", "active", "posting", "memo"]
ROLES: Final[tuple[Role, ...]] = ("owner", "active", "posting", "memo")
DERIVED_CHAIN_ID: Final = "derive"
MAX_CONFIG_BYTES: Final = 4 * 1024 * 1024
MAX_GENESIS_ACCOUNTS: Final = 100_000


class ConfigProblem(NamedTuple):
    """One thing that is wrong with a chain config."""

    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.key} = {self.value}: {self.allowed}" if self.value else f"{self.key}: {self.allowed}"


class ChainConfigError(Exception):
    """A chain config that cannot be used: the file, and of each problem the key, the value and what is allowed."""

    def __init__(self, source: str, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__("\n".join([f"{source} is not a chain config:", *(f"  {problem}" for problem in problems)]))
        self.source = source
        self.problems = problems


def _parse_time(value: object) -> object:
    """Accepts "2016-01-01T00:00:00" (UTC), a TOML date-time, or seconds since the epoch."""
    if isinstance(value, datetime):
        utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        value = utc.strftime("%Y-%m-%dT%H:%M:%S")
    if isinstance(value, str):
        try:
            return parse_time(value)
        except Invalid:
            raise ValueError("a time is written 2016-01-01T00:00:00 and is UTC") from None
    return value


def _check_version(value: str) -> str:
    parse_version(value)
    return value


def _to_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


ChainTime = Annotated[int, BeforeValidator(_parse_time), Field(ge=0, le=UINT32_MAX)]
Version = Annotated[str, Field(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,5}$"), BeforeValidator(_check_version)]
Name = Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[a-z][a-z0-9.-]*$")]
SymbolName = Annotated[str, Field(pattern=r"^[A-Z]{1,6}$")]
PublicKeyText = Annotated[str, Field(max_length=128)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_to_tuple), Field(max_length=100)]
_FROZEN: Final = ConfigDict(frozen=True, strict=True, extra="forbid")


class Chain(BaseModel):
    """What the chain calls itself."""

    model_config = _FROZEN

    name: str = Field(
        default="steem",
        pattern=r"^[a-z0-9][a-z0-9-]{0,31}$",
        description="Name for people and directories: small letters, digits and '-'; no effect on the rules.",
    )
    chain_id: str = Field(
        default="0" * 64,
        pattern=r"^([0-9a-f]{64}|derive)$",
        description='32 bytes in hexadecimal that go into every signature, or "derive": SHA-256 of the genesis.',
    )
    address_prefix: str = Field(
        default="STM", pattern=r"^[A-Z]{1,8}$", description="What the text form of a public key starts with."
    )
    steem_symbol: SymbolName = Field(default="STEEM", description="Name of the liquid token, 1 to 6 capital letters.")
    sbd_symbol: SymbolName = Field(default="SBD", description="Name of the debt token, 1 to 6 capital letters.")
    vests_symbol: SymbolName = Field(default="VESTS", description="Name of vesting shares, 1 to 6 capital letters.")
    steem_precision: Literal[3] = Field(
        default=3, description="Decimals of the liquid token; its asset number holds 3."
    )
    sbd_precision: Literal[3] = Field(default=3, description="Decimals of the debt token; its asset number holds 3.")
    vests_precision: Literal[6] = Field(
        default=6, description="Decimals of vesting shares; their asset number holds 6."
    )
    is_test_net: bool = Field(default=False, description="What get_config answers as IS_TEST_NET.")
    blockchain_version: Version = Field(
        default="0.23.1", description='Version "major.hardfork.release" announced in blocks and by RPC.'
    )

    @model_validator(mode="after")
    def _has_three_symbols(self) -> Chain:
        if len({self.steem_symbol, self.sbd_symbol, self.vests_symbol}) != 3:
            raise ValueError("steem_symbol, sbd_symbol and vests_symbol must differ")
        return self


class GenesisAccount(BaseModel):
    """An account that exists before block 1."""

    model_config = _FROZEN

    name: Name = Field(description="Account name.")
    owner_key: PublicKeyText = Field(description="Public key of the owner authority.")
    active_key: PublicKeyText = Field(default="", description="Public key of the active authority; empty = owner_key.")
    posting_key: PublicKeyText = Field(
        default="", description="Public key of the posting authority; empty = owner_key."
    )
    memo_key: PublicKeyText = Field(default="", description="Public key for encrypted memos; empty = owner_key.")
    password: str = Field(
        default="",
        max_length=128,
        description="For development only: the four private keys are SHA-256 of name + role + password. "
        "The node prints them; the public keys above must fit.",
    )
    balance: int = Field(default=0, ge=0, le=INT64_MAX, description="Liquid STEEM. Smallest unit.")
    sbd_balance: int = Field(default=0, ge=0, le=INT64_MAX, description="Liquid SBD. Smallest unit.")
    vesting_shares: int = Field(default=0, ge=0, le=INT64_MAX, description="Vesting shares. Smallest unit of VESTS.")


class GenesisWitness(BaseModel):
    """A witness that exists before block 1. Properties that are absent have the defaults of the rules."""

    model_config = _FROZEN

    owner: Name = Field(description="Account of the witness.")
    signing_key: PublicKeyText = Field(description="Public key that signs its blocks.")
    url: str = Field(default="", max_length=2047, description="Where the witness presents itself.")
    account_creation_fee: int | None = Field(default=None, ge=0, le=INT64_MAX, description="Smallest unit of STEEM.")
    maximum_block_size: int | None = Field(default=None, ge=0, le=UINT32_MAX, description="Bytes.")
    sbd_interest_rate_bp: int | None = Field(default=None, ge=0, le=10_000, description="Basis points.")


class Genesis(BaseModel):
    """The state before block 1."""

    model_config = _FROZEN

    time: ChainTime = Field(
        default=1_458_835_200, description="Time of the genesis; slot 1 is one interval later. UTC."
    )
    reserved_accounts: Names = Field(
        default=("miners", "null", "steem.dao", "temp"),
        description="Accounts without a key that are made first, in this order.",
    )
    accounts: tuple[GenesisAccount, ...] = Field(
        default=(), strict=False, max_length=MAX_GENESIS_ACCOUNTS, description="Accounts with keys, made next."
    )
    witnesses: tuple[GenesisWitness, ...] = Field(
        default=(), strict=False, min_length=1, max_length=1000, description="Witnesses; the first produces block 1."
    )
    vesting_fund: int = Field(
        default=0,
        ge=0,
        le=INT64_MAX,
        description="STEEM behind all vesting shares; 0 only if nobody has any. Smallest unit.",
    )
    reward_fund: int = Field(
        default=0, ge=0, le=INT64_MAX, description="STEEM that waits in the reward fund of posts. Smallest unit."
    )
    is_sbd_counted_in_supply: bool = Field(
        default=True,
        description="Whether the SBD of the accounts count as current supply. The reference's genesis leaves them out.",
    )
    median_price_sbd: int = Field(
        default=0, ge=0, le=INT64_MAX, description="First median price: so many SBD ... Smallest unit; 0 = no price."
    )
    median_price_steem: int = Field(
        default=0, ge=0, le=INT64_MAX, description="... for so many STEEM. Smallest unit; 0 = no price."
    )

    @property
    def init_supply(self) -> int:
        """STEEM in existence before block 1, in the smallest unit."""
        return sum(account.balance for account in self.accounts) + self.vesting_fund + self.reward_fund

    @property
    def init_sbd_supply(self) -> int:
        """SBD held by accounts before block 1, in the smallest unit."""
        return sum(account.sbd_balance for account in self.accounts)

    @property
    def total_vesting_shares(self) -> int:
        """Vesting shares before block 1, in the smallest unit."""
        return sum(account.vesting_shares for account in self.accounts)

    @model_validator(mode="after")
    def _is_consistent(self) -> Genesis:
        names = [*self.reserved_accounts, *(account.name for account in self.accounts)]
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"accounts named twice: {', '.join(twice)}")
        owners = [witness.owner for witness in self.witnesses]
        if len(set(owners)) != len(owners):
            raise ValueError("a witness is named twice")
        missing = sorted(set(owners) - set(names))
        if missing:
            raise ValueError(f"witnesses without an account: {', '.join(missing)}")
        if (self.vesting_fund == 0) != (self.total_vesting_shares == 0):
            raise ValueError("vesting_fund must be 0 if, and only if, no account has vesting_shares")
        if (self.median_price_sbd == 0) != (self.median_price_steem == 0):
            raise ValueError("median_price_sbd and median_price_steem must both be 0 or both be more")
        if max(self.init_supply, self.init_sbd_supply, self.total_vesting_shares) > INT64_MAX:
            raise ValueError("the sum of all balances must be below 2^63")
        return self

    def derive_chain_id(self) -> bytes:
        """Returns SHA-256 of the genesis as JSON with sorted keys and no spaces."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).digest()


class FutureHardFork(BaseModel):
    """A hard fork this chain votes on."""

    model_config = _FROZEN

    number: int = Field(ge=1, le=255, description="One more than the hard fork before it.")
    version: Version = Field(description='Version "0.25.0" of the hard fork.')
    time: ChainTime = Field(description="Time before which it cannot happen. UTC.")
    name: str = Field(default="", max_length=64, description="Name for people.")
    upgrade: str = Field(default="", max_length=64, description="Name of a step that changes the state, or empty.")
    rules: dict[str, Any] = Field(default_factory=dict, description="The rules that change, with their new values.")

    def to_hard_fork(self) -> HardFork:
        """Returns the record the consensus works with."""
        return HardFork(self.number, self.version, self.time, self.name, dict(self.rules), self.upgrade)


class HardForks(BaseModel):
    """Which hard forks the chain starts with, and which it votes on."""

    model_config = _FROZEN

    applied_at_genesis: int = Field(
        default=len(PAST_HARD_FORKS),
        ge=0,
        le=len(PAST_HARD_FORKS),
        description="How many past hard forks are reported as applied; the rules are the newest in any case.",
    )
    future: tuple[FutureHardFork, ...] = Field(
        default=(), strict=False, max_length=100, description="Hard forks to come, in order."
    )

    @model_validator(mode="after")
    def _is_in_order(self) -> HardForks:
        for place, fork in enumerate(self.future, start=self.applied_at_genesis + 1):
            if fork.number != place:
                raise ValueError(f"future hard fork {fork.number} must have number {place}")
        return self


class History(BaseModel):
    """Constants of the reference that no rule uses any more; get_config reports them."""

    model_config = _FROZEN

    testnet_block_limit: int = Field(default=3_000_000, ge=0, description="TESTNET_BLOCK_LIMIT; not enforced. Blocks.")
    mining_time: ChainTime = Field(default=1_458_838_800, description="STEEM_MINING_TIME. UTC.")
    cashout_window_seconds_pre_hf12: int = Field(default=86_400, ge=0, description="Seconds.")
    cashout_window_seconds_pre_hf17: int = Field(default=43_200, ge=0, description="Seconds.")
    second_cashout_window_seconds: int = Field(default=2_592_000, ge=0, description="Seconds.")
    max_cashout_window_seconds: int = Field(default=1_209_600, ge=0, description="Seconds.")


class ChainConfig(BaseModel):
    """One chain: identity, genesis, rules and hard forks."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ignored_types=(cached_property,))

    chain: Chain = Field(default_factory=Chain, description="What the chain calls itself.")
    genesis: Genesis = Field(description="The state before block 1.")
    rules: Rules = Field(default_factory=Rules, description="The parameters of consensus.")
    hardforks: HardForks = Field(default_factory=HardForks, description="Hard forks.")
    history: History = Field(default_factory=History, description="Constants that are only reported.")

    @classmethod
    def preset(cls, name: PresetName) -> ChainConfig:
        """Returns a chain config that comes with the project: "steem", "testnet" or "dev". Raises ChainConfigError."""
        if name not in PRESETS:
            raise ChainConfigError(
                f"preset {name!r}", (ConfigProblem("preset", repr(name), f"one of {', '.join(PRESETS)}"),)
            )
        text = resources.files("protocol").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8")
        return cls.parse(text, f"preset {name!r}")

    @classmethod
    def load(cls, path: Path | str) -> ChainConfig:
        """Reads a chain config file. Raises ChainConfigError, also for a file that cannot be read."""
        source = f"file {path}"
        try:
            with Path(path).open("rb") as file:
                data = file.read(MAX_CONFIG_BYTES + 1)
            if len(data) > MAX_CONFIG_BYTES:
                raise ChainConfigError(source, (ConfigProblem("file", "", f"has more than {MAX_CONFIG_BYTES} bytes"),))
            return cls.parse(data.decode("utf-8"), source)
        except OSError as error:
            raise ChainConfigError(source, (ConfigProblem("file", "", error.strerror or str(error)),)) from None
        except UnicodeDecodeError:
            raise ChainConfigError(source, (ConfigProblem("file", "", "is not UTF-8 text"),)) from None

    @classmethod
    def parse(cls, text: str, source: str = "text") -> ChainConfig:
        """Reads a chain config from TOML text; `source` names it in errors. Raises ChainConfigError."""
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ChainConfigError(source, (ConfigProblem("file", "", f"is not TOML: {error}"),)) from None
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise ChainConfigError(source, tuple(_problem(detail) for detail in error.errors())) from None

    @model_validator(mode="after")
    def _is_consistent(self) -> ChainConfig:
        for key, text in self._public_keys():
            try:
                decode_public_key(text, self.chain.address_prefix)
            except Invalid:
                raise ValueError(
                    f"{key} = {text!r} is not a public key with prefix {self.chain.address_prefix}"
                ) from None
        for account, role, private_key in self.development_keys():
            if private_key.public_key != self.account_key(account, role):
                raise ValueError(f"{role}_key of genesis account {account.name} does not belong to its password")
        for name in (
            self.rules.null_account,
            self.rules.miner_account,
            self.rules.temp_account,
            self.rules.treasury_account,
        ):
            if name not in self.genesis.reserved_accounts:
                raise ValueError(f"genesis.reserved_accounts must contain {name!r}")
        rules = self.rules
        for fork in self.hardforks.future:
            try:
                rules = fork.to_hard_fork().apply(rules)
            except ValidationError as error:
                first = _problem(error.errors()[0])
                raise ValueError(f"hard fork {fork.number} changes rules that cannot be: {first}") from None
        return self

    def _public_keys(self) -> Iterator[tuple[str, str]]:
        """Yields every public key of the genesis with the key it stands under."""
        for account in self.genesis.accounts:
            for role in ("owner_key", "active_key", "posting_key", "memo_key"):
                text: str = getattr(account, role)
                if text or role == "owner_key":
                    yield f"{role} of genesis account {account.name}", text
        for witness in self.genesis.witnesses:
            yield f"signing_key of genesis witness {witness.owner}", witness.signing_key

    @cached_property
    def identity(self) -> ChainIdentity:
        """What the codec needs: chain id, key prefix and symbols."""
        return ChainIdentity(
            chain_id=self.chain_id,
            address_prefix=self.chain.address_prefix,
            steem_symbol=self.chain.steem_symbol,
            sbd_symbol=self.chain.sbd_symbol,
            vests_symbol=self.chain.vests_symbol,
        )

    @cached_property
    def chain_id(self) -> bytes:
        """The 32 bytes that go into every signature."""
        if self.chain.chain_id == DERIVED_CHAIN_ID:
            return self.genesis.derive_chain_id()
        return bytes.fromhex(self.chain.chain_id)

    @property
    def is_test_net(self) -> bool:
        """What get_config answers as IS_TEST_NET."""
        return self.chain.is_test_net

    @property
    def blockchain_version(self) -> str:
        """Version announced in blocks and by RPC."""
        return self.chain.blockchain_version

    @cached_property
    def hard_forks(self) -> tuple[HardFork, ...]:
        """All hard forks this chain knows, past and to come, in order; number n stands at place n - 1."""
        past = PAST_HARD_FORKS[: self.hardforks.applied_at_genesis]
        return past + tuple(fork.to_hard_fork() for fork in self.hardforks.future)

    @cached_property
    def processed_hardforks(self) -> tuple[int, ...]:
        """The times of the genesis and of every past hard fork, as hardfork_property_object reports them."""
        return processed_hardfork_times(self.hardforks.applied_at_genesis, self.genesis.time, self.is_test_net)

    def rules_at(self, last_hardfork: int) -> Rules:
        """Returns the rules after hard fork `last_hardfork`. Raises ValueError for an unknown number."""
        if not self.hardforks.applied_at_genesis <= last_hardfork <= len(self.hard_forks):
            raise ValueError(f"this chain knows hard forks up to {len(self.hard_forks)}, not {last_hardfork}")
        rules = self.rules
        for fork in self.hard_forks[self.hardforks.applied_at_genesis : last_hardfork]:
            rules = fork.apply(rules)
        return rules

    def public_key(self, text: str) -> bytes:
        """Returns the 33 bytes of a public key of this chain in text form. Raises Invalid."""
        return decode_public_key(text, self.chain.address_prefix)

    def account_key(self, account: GenesisAccount, role: Role) -> bytes:
        """Returns the 33 bytes of a genesis account's key; an absent key is the owner's."""
        text: str = getattr(account, f"{role}_key")
        return self.public_key(text or account.owner_key)

    def development_keys(self) -> Iterator[tuple[GenesisAccount, Role, PrivateKey]]:
        """Yields the private keys of all genesis accounts whose password the config gives."""
        for account in self.genesis.accounts:
            if account.password:
                for role in ROLES:
                    yield account, role, PrivateKey.from_password(account.name, role, account.password)

    def get_config_json(self) -> dict[str, Any]:
        """Returns the answer of condenser_api.get_config and database_api.get_config."""
        return report_config(self)


def _problem(detail: ErrorDetails) -> ConfigProblem:
    """Turns an error of the validator into our words: where it is, what is there, what is allowed."""
    key = ".".join(str(part) for part in detail["loc"]) or "chain config"
    kind = detail["type"]
    if kind == "extra_forbidden":
        return ConfigProblem(key, "", "is not a key of a chain config")
    if kind == "missing":
        return ConfigProblem(key, "", "is missing")
    text = detail["msg"].removeprefix("Value error, ")
    value = detail["input"]
    shown = json.dumps(value, default=str) if isinstance(value, int | str | bool | float) else ""
    return ConfigProblem(key, shown[:200], text[:1].lower() + text[1:])
