"""The chain config: everything that makes one chain different from another, read from a TOML file.

The file has the sections `[chain]` (identity), `[genesis]` with `[[genesis.accounts]]` and `[[genesis.witnesses]]`,
`[rules]`, `[hardforks]` with `[[hardforks.future]]`, and `[history]`. Absent keys default to the value of the live
network, except for two heights that are specific to its history (see `protocol.rules`). Nodes whose files differ are on
different chains.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from functools import cached_property, partial
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from protocol.config_problem import ConfigProblem, Problems, Section, describe_error
from protocol.errors import Invalid
from protocol.hardforks import (
    PAST_HARD_FORKS,
    UPGRADE_NAMES,
    HardFork,
    hardfork_version,
    parse_version,
    processed_hardfork_times,
)
from protocol.identity import ChainIdentity
from protocol.integers import INT64_MAX, UINT32_MAX
from protocol.keys import PrivateKey, decode_public_key, encode_public_key
from protocol.names import is_valid_account_name
from protocol.rules import Rules
from protocol.times import parse_date
from protocol.types import NULL_PUBLIC_KEY
from protocol.units import BASIS_POINTS, DAY_SECONDS

PresetName = Literal["steem", "testnet", "dev"]
PRESETS: Final[tuple[PresetName, ...]] = ("steem", "testnet", "dev")
Role = Literal["owner", "active", "posting", "memo"]
ROLES: Final[tuple[Role, ...]] = ("owner", "active", "posting", "memo")
DERIVED_CHAIN_ID: Final = "derive"
MAX_CONFIG_BYTES: Final = 4 * 1024 * 1024
MAX_GENESIS_ACCOUNTS: Final = 100_000
INFLATION_ROOM: Final = 16
"""Headroom for growth: the initial supply times this must not overflow the 64-bit arithmetic of inflation."""
TIME_WORDS: Final = "a time is written 2016-01-01T00:00:00 and is UTC"
VERSION_PATTERN: Final = r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,5}$"
NAME_PATTERN: Final = r"^[a-z][a-z0-9.-]{0,15}$"
SYMBOL_PATTERN: Final = r"^[A-Z]{1,6}$"
PREFIX_PATTERN: Final = r"^[A-Z]{1,8}$"
CHAIN_ID_PATTERN: Final = r"^([0-9a-f]{64}|derive)$"
CHAIN_NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,31}$"
_PATTERN_WORDS: Final = {
    VERSION_PATTERN: 'a version is "major.hardfork.release", at most "255.255.65535"',
    NAME_PATTERN: "an account name has 3 to 16 characters: parts of 3 or more small letters, digits and inner '-', "
    "each beginning with a letter, joined by '.'",
    SYMBOL_PATTERN: "a symbol is 1 to 6 capital letters",
    PREFIX_PATTERN: "an address prefix is 1 to 8 capital letters",
    CHAIN_ID_PATTERN: 'a chain id is 64 hexadecimal digits in small letters, or "derive"',
    CHAIN_NAME_PATTERN: "a name of a chain is 1 to 32 small letters, digits and '-', not beginning with '-'",
}


class ChainConfigError(Exception):
    """An unusable chain config: names the file, and for each problem the key, the value and what is allowed."""

    def __init__(self, source: str, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__("\n".join([f"{source} is not a chain config:", *(f"  {problem}" for problem in problems)]))
        self.source = source
        self.problems = problems


def _parse_time(value: object) -> object:
    """Accepts "2016-01-01T00:00:00" (UTC), a TOML date-time, or seconds since the epoch."""
    if isinstance(value, datetime):
        try:
            utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:
            raise ValueError(f"{TIME_WORDS}, from 1970 to 2106") from None
        value = utc.strftime("%Y-%m-%dT%H:%M:%S")
    if isinstance(value, str):
        try:
            seconds = parse_date(value)
        except Invalid:
            seconds = -1
        if not 0 <= seconds <= UINT32_MAX:
            raise ValueError(f"{TIME_WORDS}, from 1970 to 2106")
        return seconds
    if isinstance(value, bool | float | date | time_of_day):
        raise ValueError(TIME_WORDS)
    return value


def _check_version(value: object) -> object:
    if isinstance(value, str):
        parse_version(value)
    return value


def _check_name(value: str) -> str:
    if not is_valid_account_name(value):
        raise ValueError(_PATTERN_WORDS[NAME_PATTERN])
    return value


def _check_precision(fixed: int, value: object) -> object:
    """Refuses other decimals for a core token: its asset number, which is part of what is signed, includes them."""
    if value != fixed or isinstance(value, bool | float):
        raise ValueError(f"must be {fixed}: the asset number of this token includes its decimals on every chain")
    return value


def _check_upgrade(value: str) -> str:
    if value and value not in UPGRADE_NAMES:
        raise ValueError(f"must be empty or one of {', '.join(UPGRADE_NAMES)}")
    return value


def _to_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


ChainTime = Annotated[int, BeforeValidator(_parse_time), Field(ge=0, le=UINT32_MAX)]
Version = Annotated[str, Field(pattern=VERSION_PATTERN), BeforeValidator(_check_version)]
Name = Annotated[str, Field(pattern=NAME_PATTERN), AfterValidator(_check_name)]
SymbolName = Annotated[str, Field(pattern=SYMBOL_PATTERN)]
PublicKeyText = Annotated[str, Field(max_length=128)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_to_tuple), Field(max_length=100)]
Upgrade = Annotated[str, AfterValidator(_check_upgrade)]
Precision3 = Annotated[int, BeforeValidator(partial(_check_precision, 3))]
Precision6 = Annotated[int, BeforeValidator(partial(_check_precision, 6))]
Amount = Annotated[int, Field(ge=0, le=INT64_MAX)]


class Chain(Section):
    """The identity of the chain."""

    name: str = Field(
        default="steem",
        pattern=CHAIN_NAME_PATTERN,
        description="Name for people and directories: small letters, digits and '-'; no effect on the rules.",
    )
    chain_id: str = Field(
        default="0" * 64,
        pattern=CHAIN_ID_PATTERN,
        description='32 bytes in hexadecimal that go into every signature, or "derive": SHA-256 of genesis and rules.',
    )
    address_prefix: str = Field(
        default="STM", pattern=PREFIX_PATTERN, description="What the text form of a public key starts with."
    )
    steem_symbol: SymbolName = Field(default="STEEM", description="Name of the liquid token, 1 to 6 capital letters.")
    sbd_symbol: SymbolName = Field(default="SBD", description="Name of the debt token, 1 to 6 capital letters.")
    vests_symbol: SymbolName = Field(default="VESTS", description="Name of vesting shares, 1 to 6 capital letters.")
    steem_precision: Precision3 = Field(default=3, description="Decimals of the liquid token; 3 on every chain.")
    sbd_precision: Precision3 = Field(default=3, description="Decimals of the debt token; 3 on every chain.")
    vests_precision: Precision6 = Field(default=6, description="Decimals of vesting shares; 6 on every chain.")
    is_test_net: bool = Field(default=False, description="What get_config answers as IS_TEST_NET.")
    blockchain_version: Version = Field(
        default="0.23.1", description='Version "major.hardfork.release" announced in blocks and by RPC.'
    )

    @model_validator(mode="after")
    def _has_three_symbols(self) -> Chain:
        wrong = Problems()
        taken: dict[str, str] = {}
        for key in ("steem_symbol", "sbd_symbol", "vests_symbol"):
            name = getattr(self, key)
            wrong.expect(name not in taken, key, name, f"must differ from {taken.get(name)}")
            taken.setdefault(name, key)
        wrong.raise_any()
        return self


class GenesisAccount(Section):
    """An account that exists before block 1."""

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
    balance: Amount = Field(default=0, description="Liquid STEEM. Smallest unit.")
    sbd_balance: Amount = Field(default=0, description="Liquid SBD. Smallest unit.")
    vesting_shares: Amount = Field(default=0, description="Vesting shares. Smallest unit of VESTS.")


class GenesisWitness(Section):
    """A witness that exists before block 1. Properties that are absent have the defaults of the rules."""

    owner: Name = Field(description="Account of the witness.")
    signing_key: PublicKeyText = Field(description="Public key that signs its blocks.")
    url: str = Field(default="", max_length=2047, description="Where the witness presents itself.")
    account_creation_fee: int | None = Field(default=None, ge=0, le=INT64_MAX, description="Smallest unit of STEEM.")
    maximum_block_size: int | None = Field(default=None, ge=0, le=UINT32_MAX, description="Bytes.")
    sbd_interest_rate_bp: int | None = Field(default=None, ge=0, le=BASIS_POINTS, description="Basis points.")


class Genesis(Section):
    """The state before block 1."""

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
        strict=False, min_length=1, max_length=1000, description="Witnesses; the first makes all blocks of round 1."
    )
    vesting_fund: Amount = Field(
        default=0,
        description="STEEM behind all vesting shares; 0 only if nobody has any. Smallest unit.",
    )
    reward_fund: Amount = Field(default=0, description="STEEM that waits in the reward fund of posts. Smallest unit.")
    is_sbd_counted_in_supply: bool = Field(
        default=True,
        description="Whether the SBD of the accounts count as current supply. The reference's genesis leaves them out.",
    )
    median_price_sbd: Amount = Field(
        default=0, description="Initial median price: the SBD side. Smallest unit; 0 = no price."
    )
    median_price_steem: Amount = Field(
        default=0, description="Initial median price: the STEEM side. Smallest unit; 0 = no price."
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

    @property
    def init_virtual_supply(self) -> int:
        """STEEM before block 1 with all SBD counted at the first median price, in the smallest unit."""
        price = self.median_price_sbd
        return self.init_supply + (self.init_sbd_supply * self.median_price_steem // price if price else 0)

    @model_validator(mode="after")
    def _is_consistent(self) -> Genesis:
        wrong = Problems()
        taken: dict[str, str] = {}
        places = [(f"reserved_accounts.{place}", name) for place, name in enumerate(self.reserved_accounts)]
        places += [(f"accounts.{place}.name", account.name) for place, account in enumerate(self.accounts)]
        for key, name in places:
            wrong.expect(name not in taken, key, name, f"is also the name at genesis.{taken.get(name)}")
            taken.setdefault(name, key)
        owners: dict[str, int] = {}
        for place, witness in enumerate(self.witnesses):
            key, owner = f"witnesses.{place}.owner", witness.owner
            wrong.expect(owner in taken, key, owner, "must be the name of a genesis account")
            wrong.expect(owner not in owners, key, owner, f"is also the owner of witness {owners.get(owner)}")
            owners.setdefault(owner, place)
        for total, key in (
            (self.init_supply, "balance of all accounts, vesting_fund and reward_fund"),
            (self.init_sbd_supply, "sbd_balance of all accounts"),
            (self.total_vesting_shares, "vesting_shares of all accounts"),
            (self.init_virtual_supply, "STEEM in existence and all SBD at the median price"),
        ):
            wrong.expect(total <= INT64_MAX, f"sum of {key}", total, f"must not be more than {INT64_MAX}")
        wrong.expect(
            (self.vesting_fund == 0) == (self.total_vesting_shares == 0),
            "vesting_fund",
            self.vesting_fund,
            f"must be 0 if, and only if, no account has vesting_shares (there are {self.total_vesting_shares})",
        )
        wrong.expect(
            (self.median_price_sbd == 0) == (self.median_price_steem == 0),
            "median_price_sbd",
            self.median_price_sbd,
            f"median_price_sbd and median_price_steem ({self.median_price_steem}) must both be 0 or both be more",
        )
        wrong.raise_any()
        return self


class FutureHardFork(Section):
    """A hard fork this chain votes on."""

    number: int = Field(ge=1, le=255, description="One more than the hard fork before it.")
    version: Version = Field(description='Version "0.25.0" of the hard fork.')
    time: ChainTime = Field(description="Time before which it cannot happen. UTC.")
    name: str = Field(default="", max_length=64, description="Name for people.")
    upgrade: Upgrade = Field(
        default="", description=f"Step that changes the state: one of {', '.join(UPGRADE_NAMES)}; or empty."
    )
    rules: dict[str, Any] = Field(default_factory=dict, description="The rules that change, with their new values.")

    def to_hard_fork(self) -> HardFork:
        """Returns the record the consensus works with."""
        return HardFork(self.number, self.version, self.time, self.name, dict(self.rules), self.upgrade)


class HardForks(Section):
    """Which hard forks the chain starts with, and which it votes on."""

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
        wrong = Problems()
        before = PAST_HARD_FORKS[self.applied_at_genesis - 1].version if self.applied_at_genesis else "0.0.0"
        for place, fork in enumerate(self.future):
            number = self.applied_at_genesis + 1 + place
            key = f"future.{place}"
            wrong.expect(fork.number == number, f"{key}.number", fork.number, f"must be {number}")
            wrong.expect(
                parse_version(hardfork_version(fork.version)) > parse_version(hardfork_version(before)),
                f"{key}.version",
                fork.version,
                f"must be later than {before} in its first two parts",
            )
            before = fork.version
        wrong.raise_any()
        return self


class History(Section):
    """Constants of the reference that no rule uses any more; they appear in the answer of get_config only."""

    testnet_block_limit: int = Field(default=3_000_000, ge=0, description="TESTNET_BLOCK_LIMIT; not enforced. Blocks.")
    mining_time: ChainTime = Field(default=1_458_838_800, description="STEEM_MINING_TIME. UTC.")
    cashout_window_seconds_pre_hf12: int = Field(default=DAY_SECONDS, ge=0, description="Seconds.")
    cashout_window_seconds_pre_hf17: int = Field(default=43_200, ge=0, description="Seconds.")
    second_cashout_window_seconds: int = Field(default=2_592_000, ge=0, description="Seconds.")
    max_cashout_window_seconds: int = Field(default=1_209_600, ge=0, description="Seconds.")


class ChainConfig(Section):
    """One chain: identity, genesis, rules and hard forks."""

    model_config = ConfigDict(ignored_types=(cached_property,))

    chain: Chain = Field(default_factory=Chain, description="The identity of the chain.")
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
            raise ChainConfigError(source, _describe(error)) from None

    @model_validator(mode="after")
    def _is_consistent(self) -> ChainConfig:
        wrong = Problems()
        self._check_keys(wrong)
        wrong.raise_any()
        self._check_rules(wrong, self.rules, "rules")
        self._check_witnesses(wrong)
        self._check_inflation(wrong)
        rules = self.rules
        for place, fork in enumerate(self.hardforks.future):
            key = f"hardforks.future.{place}.rules"
            try:
                rules = fork.to_hard_fork().apply(rules)
            except ValidationError as error:
                for problem in _describe(error):
                    wrong.add(problem._replace(key=f"{key}.{problem.key}"))
                break
            self._check_rules(wrong, rules, key)
        wrong.raise_any()
        return self

    def _check_keys(self, wrong: Problems) -> None:
        """Checks that public keys have the chain's prefix, and match the account's password if one is given."""
        prefix = self.chain.address_prefix
        bad: set[str] = set()
        for key, text in self._public_keys():
            try:
                decode_public_key(text, prefix)
            except Invalid:
                bad.add(key)
                wrong.expect(False, key, text, f"is not a public key with prefix {prefix}")
        if bad:
            return
        for place, account in enumerate(self.genesis.accounts):
            if not account.password:
                continue
            for role in ROLES:
                private_key = PrivateKey.from_password(account.name, role, account.password)
                if private_key.public_key != self.account_key(account, role):
                    wrong.expect(
                        False,
                        f"genesis.accounts.{place}.{role}_key",
                        getattr(account, f"{role}_key"),
                        f"does not belong to its password, which makes "
                        f"{encode_public_key(private_key.public_key, prefix)}",
                    )

    def _check_rules(self, wrong: Problems, rules: Rules, section: str) -> None:
        """Checks that accounts named by the rules exist at genesis."""
        for key in ("miner_account", "null_account", "temp_account", "treasury_account"):
            name = getattr(rules, key)
            wrong.expect(
                name in self.genesis.reserved_accounts,
                f"{section}.{key}",
                name,
                f"must be one of genesis.reserved_accounts ({', '.join(self.genesis.reserved_accounts)})",
            )

    def _check_witnesses(self, wrong: Problems) -> None:
        """Checks that the witnesses can start the chain: properties within limits, and a signing key for block 1."""
        rules = self.rules
        limits = {
            "account_creation_fee": (rules.min_account_creation_fee, rules.max_account_creation_fee),
            "maximum_block_size": (rules.min_block_size_limit_bytes, rules.soft_max_block_size_bytes),
        }
        for place, witness in enumerate(self.genesis.witnesses):
            for key, (low, high) in limits.items():
                value = getattr(witness, key)
                wrong.expect(
                    value is None or low <= value <= high,
                    f"genesis.witnesses.{place}.{key}",
                    value,
                    f"must be from {low} to {high}, as [rules] say",
                )
        first = self.genesis.witnesses[0]
        wrong.expect(
            self.public_key(first.signing_key) != NULL_PUBLIC_KEY,
            "genesis.witnesses.0.signing_key",
            first.signing_key,
            "must not be the null key: the first witness makes the first blocks alone",
        )

    def _check_inflation(self, wrong: Problems) -> None:
        """Checks that the supply can grow for centuries before the 64-bit arithmetic of inflation overflows."""
        most = INT64_MAX // max(self.rules.inflation_rate_start_bp, 1) // INFLATION_ROOM
        supply = self.genesis.init_virtual_supply
        wrong.expect(
            supply <= most,
            "genesis",
            supply,
            f"STEEM and SBD before block 1 are worth more than {most} of the smallest unit of STEEM, for which "
            "inflation could not be reckoned in 64 bits",
        )

    def _public_keys(self) -> Iterator[tuple[str, str]]:
        """Yields every public key of the genesis with its config key."""
        for place, account in enumerate(self.genesis.accounts):
            for role in ROLES:
                text: str = getattr(account, f"{role}_key")
                if text or role == "owner":
                    yield f"genesis.accounts.{place}.{role}_key", text
        for place, witness in enumerate(self.genesis.witnesses):
            yield f"genesis.witnesses.{place}.signing_key", witness.signing_key

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
            return self.derive_chain_id()
        return bytes.fromhex(self.chain.chain_id)

    def derive_chain_id(self) -> bytes:
        """Returns SHA-256 of `agreed_values` as JSON with sorted keys and without spaces."""
        text = json.dumps(self.agreed_values(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).digest()

    def agreed_values(self) -> dict[str, Any]:
        """Returns what all nodes of the chain must agree on from the start, as values of JSON.

        That is the genesis without the passwords, the rules, the hard forks it starts with, and of the identity the
        prefix, the symbols and is_test_net. What has its default is left out, so that a new key with a neutral default
        changes nothing; future hard forks are left out because a running chain adds them.
        """
        identity = {"address_prefix", "steem_symbol", "sbd_symbol", "vests_symbol", "is_test_net"}
        return {
            "chain": self.chain.model_dump(mode="json", include=identity, exclude_defaults=True),
            "genesis": self.genesis.model_dump(
                mode="json", exclude={"accounts": {"__all__": {"password"}}}, exclude_defaults=True
            ),
            "rules": self.rules.model_dump(mode="json", exclude_defaults=True),
            "applied_at_genesis": self.hardforks.applied_at_genesis,
        }

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


def _describe(error: ValidationError) -> tuple[ConfigProblem, ...]:
    """Turns the validator's errors into messages: the key, the value that is there, and what is allowed."""
    return tuple(problem for detail in error.errors() for problem in describe_error(detail, _PATTERN_WORDS))
