"""The settings of a node: from flags, environment and a TOML file, in this order of precedence, checked together.

Every setting has one name: `data_dir` is the flag --data-dir, the variable PLAUDIT_DATA_DIR and the key `data_dir` of
the file, where it may also stand in a table: [invariants] check = [...] is `invariants_check`. Lists are repeated
flags, words of a variable, or TOML arrays.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from client.defaults import NODE_DEFAULT
from protocol.errors import Invalid
from rpc.this_machine import is_loopback
from state.engine.cache_sizes import CACHE_BYTES, CACHE_ROWS
from state.invariant_names import CHECKED, RECOUNTED

if TYPE_CHECKING:
    from protocol.keys import PrivateKey

ENVIRONMENT_PREFIX: Final = "PLAUDIT_"
PORT_MAX: Final = 65_535
CONFIG_BYTES_MAX: Final = 1 << 20
WITNESSES_MAX: Final = 1000
SEEDS_MAX: Final = 100
PROXIES_MAX: Final = 100
BLOCK_ID_BYTES: Final = 20
_SECRET: Final = frozenset({"witness_key"})


class SettingsError(Exception):
    """Invalid settings; one line per problem with the setting, its source, and what is allowed."""

    def __init__(self, problems: Iterable[str]) -> None:
        from protocol.secrecy import hide_keys  # noqa: PLC0415 - loads the curve, and help needs none

        self.problems = tuple(hide_keys(problem, raw=True) for problem in problems)
        super().__init__("\n".join(self.problems))


class Address(NamedTuple):
    """A host and a port to listen on; port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(value: object) -> object:
    """Parses "HOST:PORT" or "[IPV6]:PORT". Raises ValueError."""
    if not isinstance(value, str):
        return value
    host, colon, port = value.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > PORT_MAX:
        raise ValueError(f"an address is HOST:PORT or [IPV6]:PORT with a port from 0 to {PORT_MAX}")
    return Address(host, int(port))


def parse_checkpoint(value: object) -> object:
    """Parses "NUMBER,ID" into the number and the 20 bytes of the id. Raises ValueError."""
    if not isinstance(value, str):
        return value
    number, _, digits = value.partition(",")
    try:
        found = int(number), bytes.fromhex(digits.strip())
    except ValueError:
        found = 0, b""
    if len(found[1]) != BLOCK_ID_BYTES or int.from_bytes(found[1][:4], "big") != found[0]:
        raise ValueError("a checkpoint is NUMBER,ID with the 40 hexadecimal digits of the id of the block NUMBER")
    return found


def parse_loopback(value: object) -> object:
    """Parses an address of the loopback interface. Raises ValueError for another one."""
    address = parse_address(value)
    if not isinstance(address, Address):
        return address
    host = "127.0.0.1" if address.host == "localhost" else address.host
    if not is_loopback(host):
        raise ValueError("the admin port is for this machine only: 127.0.0.1:PORT, [::1]:PORT or localhost:PORT")
    return address._replace(host=host)


def parse_ip(value: object) -> object:
    """Normalizes an IP address. Raises ValueError."""
    return str(ip_address(value.strip())) if isinstance(value, str) else value


CheckpointText = Annotated[tuple[int, bytes], BeforeValidator(parse_checkpoint)]
ListenAddress = Annotated[Address, BeforeValidator(parse_address)]
IpText = Annotated[str, BeforeValidator(parse_ip)]
LoopbackAddress = Annotated[Address, BeforeValidator(parse_loopback)]
Texts = Annotated[tuple[str, ...], Field(max_length=WITNESSES_MAX)]


class Setting(NamedTuple):
    """A setting, as needed by the command line and the reference page."""

    name: str
    kind: Any
    default: Any
    choices: tuple[str, ...]
    metavar: str | None
    default_text: str
    text: str

    @property
    def flag(self) -> str:
        """The flag that sets it."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def is_list(self) -> bool:
        """Whether it is a list, whose flag may be repeated."""
        return isinstance(self.default, tuple) and not self.default


def setting(
    default: Any, text: str, metavar: str | None = None, unset: str = "", choices: tuple[str, ...] = (), **limits: Any
) -> Any:
    """Declares a setting: default, description, placeholder of the value, choices and limits.

    `unset` describes the behaviour when it is not set, if the default does not show it.
    """
    shown = unset or ("on" if default is True else str(default) if default else "")
    extra: dict[str, Any] = {"metavar": metavar, "default": shown, "choices": list(choices)}
    return Field(default, description=text, json_schema_extra=extra, **limits)


class Settings(BaseModel):
    """All settings of a node; command options and the reference page are derived from this class."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path | None = setting(
        None, "Directory of the chain's data.", "DIRECTORY", unset="in the user's data folder"
    )
    preset: Literal["steem", "testnet", "dev"] | None = setting(None, "A chain that comes with the program.")
    chain: Path | None = setting(None, "Chain config file (see `plaudit chain init`).", "FILE")
    rpc: ListenAddress = setting(
        parse_address(urlsplit(NODE_DEFAULT).netloc), "Address of the JSON-RPC port.", "HOST:PORT"
    )
    rpc_proxy: tuple[IpText, ...] = setting(
        (),
        "Address of a proxy in front of JSON-RPC whose X-Forwarded-For is trusted; repeatable.",
        "IP",
        max_length=PROXIES_MAX,
    )
    p2p: ListenAddress | None = setting(None, "Address of the port for peers.", "HOST:PORT", unset="nowhere")
    admin: LoopbackAddress | None = setting(
        None,
        "Address of the admin port, used by `plaudit peers` and `plaudit snapshot request`; loopback only.",
        "HOST:PORT",
        unset="nowhere",
    )
    metrics: ListenAddress | None = setting(
        None, "Address of the port for Prometheus metrics.", "HOST:PORT", unset="nowhere"
    )
    seed: tuple[ListenAddress, ...] = setting(
        (), "Peer that is dialled whenever it is not connected; repeatable.", "HOST:PORT", max_length=SEEDS_MAX
    )
    connections_max: int = setting(200, "Maximum number of inbound connections.", "N", ge=1, le=10_000)
    connections_wanted: int = setting(20, "Number of outbound connections to maintain.", "N", ge=0, le=1_000)
    connections_per_address: int = setting(
        8, "Maximum number of inbound connections from one IP address.", "N", ge=1, le=10_000
    )
    connections_per_subnet: int = setting(
        32, "Maximum number of inbound connections from one /24 subnet.", "N", ge=1, le=10_000
    )
    discover: bool = setting(True, "Also dial addresses received from peers.")
    checkpoint: CheckpointText | None = setting(
        None, "Trusted block, up to which signatures are not checked.", "NUMBER,ID"
    )
    witness: Texts = setting((), "Produce blocks for this witness account; repeatable.", "NAME")
    witness_key: Texts = setting(
        (),
        "Private signing key; repeatable. It is visible in the list of processes: prefer "
        "PLAUDIT_WITNESS_KEY (words) or --witness-key-file.",
        "WIF",
    )
    witness_key_file: Path | None = setting(None, "File with one private signing key per line.", "FILE")
    participation: int = setting(
        33, "Minimum share of the last 128 slots that must be filled to produce.", "PERCENT", ge=0, le=99
    )
    stale_production: bool | None = setting(
        None, "Produce blocks on an old head, as when a chain starts.", unset="only without peers"
    )
    history: bool = setting(True, "Maintain the account history.")
    invariants_check: Texts = setting((), "Invariant to check after each block; repeatable.", choices=CHECKED)
    invariants_recount: Texts = setting(
        (), "Invariant to recount periodically over the whole state; repeatable.", choices=RECOUNTED
    )
    invariants_recount_minutes: int = setting(60, "Minutes between two recounts.", "N", ge=1, le=1_000_000)
    cache_rows: int = setting(
        CACHE_ROWS, "Size of the cache of decoded rows of the state.", "N", ge=1_000, le=1_000_000_000
    )
    cache_mib: int = setting(CACHE_BYTES >> 20, "Size of the database cache in MiB.", "N", ge=1, le=1_000_000)
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "Minimum level of log lines.")
    log_json: bool = setting(False, "Write log lines as JSON.")
    config: Path | None = setting(None, "TOML file with these settings: data_dir = ..., witness = [...].", "FILE")

    @field_validator("*")
    @classmethod
    def _check_choices(cls, value: Any, info: ValidationInfo) -> Any:
        """Checks that the members of a list are among the choices of its setting, if it has any."""
        choices = list_settings()[info.field_name or ""].choices
        if choices and isinstance(value, tuple) and (wrong := [part for part in value if part not in choices]):
            raise ValueError(f"{wrong[0]} is none of {', '.join(choices)}")
        return value

    @property
    def has_network(self) -> bool:
        """Whether the node connects to peers."""
        return self.p2p is not None or bool(self.seed)

    def read_witness_keys(self) -> dict[bytes, PrivateKey]:
        """Returns the private signing keys by public key. Raises SettingsError, also for a witness without a key."""
        keys = list(read_keys(self.witness_key, "witness_key: key {n}"))
        if self.witness_key_file is not None:
            keys += read_keys(_read_key_lines(self.witness_key_file), f"file {self.witness_key_file}: key {{n}}")
        if self.witness and not keys:
            raise SettingsError(
                [
                    f"witness {self.witness[0]} has no signing key: give it with --witness-key, {ENVIRONMENT_PREFIX}"
                    "WITNESS_KEY or --witness-key-file"
                ]
            )
        if keys and not self.witness:
            raise SettingsError(["a witness key is given, but no witness: name the account with --witness"])
        return {key.public_key: key for key in keys}


@cache
def list_settings() -> Mapping[str, Setting]:
    """Returns all settings by name."""
    return {name: _describe_setting(name, field) for name, field in Settings.model_fields.items()}


def _describe_setting(name: str, field: FieldInfo) -> Setting:
    kind: Any = field.annotation
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    shown: Any = field.json_schema_extra
    assert isinstance(shown, dict), "every setting is declared by `setting`"
    choices = get_args(kind) if get_origin(kind) is Literal else tuple(shown["choices"])
    metavar, default = (str(shown[key]) if shown[key] else None for key in ("metavar", "default"))
    return Setting(name, kind, field.default, choices, metavar, default or "", field.description or "")


def read_keys(texts: Iterable[str], place: str) -> Iterable[PrivateKey]:
    """Parses private keys; `place` with {n} identifies a key in errors, which never show it. Raises SettingsError."""
    from protocol.keys import PrivateKey  # noqa: PLC0415 - loads the curve, and help needs none

    for number, text in enumerate(texts, start=1):
        try:
            yield PrivateKey.from_wif(text)
        except Invalid:
            raise SettingsError(
                [f"{place.format(n=number)} is not a private key in wallet import format (51 characters, 5...)"]
            ) from None


def _read_key_lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            text = file.read(CONFIG_BYTES_MAX).decode("ascii")
    except OSError as error:
        raise SettingsError([f"witness_key_file: {path}: {error.strerror or error}"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"witness_key_file: {path} is not text with one key a line"]) from None
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def collect_settings(
    flags: Mapping[str, Any], environment: Mapping[str, str], default: Mapping[str, Any] | None = None
) -> Settings:
    """Merges flags, environment, the config file they name, and defaults. Raises SettingsError.

    Flags that are None or empty count as not given. Preset and chain file are one choice: the one from the source with
    the highest precedence is used.
    """
    given_flags = {name: value for name, value in flags.items() if value is not None and value != ()}
    given_environment = _read_environment(environment)
    config = given_flags.get("config") or given_environment.get("config")
    values: dict[str, Any] = dict(default or {})
    sources = dict.fromkeys(values, "default {name}")
    layers = [(given_environment, "{variable} in the environment"), (given_flags, "{flag}")]
    if config is not None:
        layers.insert(0, (_read_file(Path(config)), f"{{name}} in {config}"))
    for given, source in layers:
        if "preset" in given or "chain" in given:
            values.pop("preset", None)
            values.pop("chain", None)
        values.update(given)
        sources.update(dict.fromkeys(given, source))
    return _validate(values, sources)


def list_secret_files(settings: Settings) -> list[Path]:
    """Returns the files that may hold private keys: the file of witness keys and the config file."""
    files = (settings.witness_key_file, settings.config if settings.witness_key else None)
    return [path for path in files if path is not None]


def _validate(values: dict[str, Any], sources: dict[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_describe(dict(detail), sources) for detail in error.errors()) from None
    if settings.preset is not None and settings.chain is not None:
        raise SettingsError(["preset and chain exclude each other: name one of them"])
    return settings


def _describe(detail: dict[str, Any], sources: dict[str, str]) -> str:
    name = str(detail["loc"][0])
    source = sources.get(name, "{name}")
    if detail["type"] == "extra_forbidden":
        return f"{source.format(name=name)}: there is no such setting; there are {', '.join(Settings.model_fields)}"
    found = list_settings()[name]
    place = source.format(name=name, variable=found.variable, flag=found.flag)
    shown = "" if name in _SECRET else f" = {detail['input']}"
    return f"{place}{shown}: {detail['msg'].removeprefix('Value error, ').replace('Input should be', 'must be')}"


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, declared in list_settings().items():
        text = environment.get(declared.variable, "").strip()
        if text:
            found[name] = tuple(text.split()) if declared.is_list else text
    return found


def _flatten(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Flattens a TOML document; `check` in the table [invariants] is the setting invariants_check."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from ((f"{name}_{inner}".replace("-", "_"), found) for inner, found in value.items())
        else:
            yield name.replace("-", "_"), value


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            document = tomllib.loads(file.read(CONFIG_BYTES_MAX).decode())
    except OSError as error:
        raise SettingsError([f"config file {path}: {error.strerror or error}"]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([f"config file {path} is not TOML: {error}"]) from None
    found = dict(_flatten(document))
    if "config" in found:
        raise SettingsError([f"config in {path}: a config file names no other one"])
    for name, declared in list_settings().items():
        if isinstance(value := found.get(name), str):
            if declared.is_list:
                found[name] = (value,)
            elif declared.kind is Path:
                found[name] = path.parent / value
    return found
