"""The settings of a node: from flags, environment and a TOML file, in this order of precedence, checked together.

Every setting has one name: `data_dir` is the flag --data-dir, the variable PLAUDIT_DATA_DIR and the key `data_dir` of
the file. Lists are repeated flags, words of a variable, or TOML arrays.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from protocol.errors import Invalid
from protocol.keys import PrivateKey
from protocol.secrecy import hide_keys
from rpc.this_machine import is_loopback

ENVIRONMENT_PREFIX: Final = "PLAUDIT_"
PORT_MAX: Final = 65_535
CONFIG_BYTES_MAX: Final = 1 << 20
WITNESSES_MAX: Final = 1000
SEEDS_MAX: Final = 100
PROXIES_MAX: Final = 100
BLOCK_ID_BYTES: Final = 20
RPC_DEFAULT: Final = "127.0.0.1:8090"
URL_DEFAULT: Final = f"http://{RPC_DEFAULT}"
"""Where commands look for a node when they are not told otherwise."""

ADMIN_DEFAULT: Final = "127.0.0.1:8091"
"""Where commands for the operator look for a node; a node opens no such port unless it is told to."""
_SECRET: Final = frozenset({"witness_key"})
_LISTS: Final = frozenset({"witness", "witness_key", "seed", "rpc_proxy"})


class SettingsError(Exception):
    """Settings that cannot be used; each problem is a line with the setting, where it is set, and what is allowed."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(hide_keys(problem, raw=True) for problem in problems)
        super().__init__("\n".join(self.problems))


class Address(NamedTuple):
    """A host and a port to listen on; port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(value: object) -> object:
    """Turns "HOST:PORT" or "[IPV6]:PORT" into an Address. Raises ValueError."""
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
    """Turns "NUMBER,ID" into the number and the 20 bytes of the id. Raises ValueError."""
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
    """Turns an address of this machine's loopback interface into an Address. Raises ValueError for another one."""
    address = parse_address(value)
    if not isinstance(address, Address):
        return address
    host = "127.0.0.1" if address.host == "localhost" else address.host
    if not is_loopback(host):
        raise ValueError("the admin port is for this machine only: 127.0.0.1:PORT, [::1]:PORT or localhost:PORT")
    return address._replace(host=host)


def parse_ip(value: object) -> object:
    """Turns an IP address into its usual form. Raises ValueError."""
    return str(ip_address(value.strip())) if isinstance(value, str) else value


CheckpointText = Annotated[tuple[int, bytes], BeforeValidator(parse_checkpoint)]
ListenAddress = Annotated[Address, BeforeValidator(parse_address)]
IpText = Annotated[str, BeforeValidator(parse_ip)]
LoopbackAddress = Annotated[Address, BeforeValidator(parse_loopback)]
Texts = Annotated[tuple[str, ...], Field(max_length=WITNESSES_MAX)]


class Settings(BaseModel):
    """Everything that can be set for a node."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path | None = Field(default=None, description="Directory of the chain's data.")
    preset: Literal["steem", "testnet", "dev"] | None = Field(
        default=None, description="A chain that comes with the program."
    )
    chain: Path | None = Field(default=None, description="Chain config file (TOML).")
    rpc: ListenAddress = Field(default=Address("127.0.0.1", 8090), description="Where JSON-RPC is served.")
    rpc_proxy: tuple[IpText, ...] = Field(
        default=(), max_length=PROXIES_MAX, description="Proxies whose X-Forwarded-For names the clients of JSON-RPC."
    )
    p2p: ListenAddress | None = Field(default=None, description="Where peers connect.")
    admin: LoopbackAddress | None = Field(
        default=None, description="Where the operator's commands are taken: on the loopback interface only."
    )
    metrics: ListenAddress | None = Field(default=None, description="Where metrics are served, for Prometheus.")
    seed: tuple[ListenAddress, ...] = Field(
        default=(), max_length=SEEDS_MAX, description="Peers that are dialled whenever they are not connected."
    )
    connections_max: int = Field(
        default=200, ge=1, le=10_000, description="Peers that may connect to the node at one time."
    )
    connections_wanted: int = Field(default=20, ge=0, le=1_000, description="Peers that the node itself connects to.")
    connections_per_address: int = Field(
        default=8, ge=1, le=10_000, description="Of those that connect, how many may come from one IP address."
    )
    connections_per_subnet: int = Field(
        default=32,
        ge=1,
        le=10_000,
        description="Of those that connect, how many may come from 256 neighbouring addresses.",
    )
    discover: bool = Field(default=True, description="Dial addresses that peers tell, too.")
    checkpoint: CheckpointText | None = Field(
        default=None, description="A block of the chain (NUMBER,ID) up to which signatures need no check."
    )
    witness: Texts = Field(default=(), description="Accounts this node makes blocks for.")
    witness_key: Texts = Field(default=(), description="Private signing keys in wallet import format.")
    witness_key_file: Path | None = Field(default=None, description="File with one private signing key a line.")
    participation: int = Field(
        default=33, ge=0, le=99, description="Percent of the latest 128 slots that must be filled to make blocks."
    )
    stale_production: bool | None = Field(
        default=None, description="Make blocks even on a head that is long past; by default only without peers."
    )
    history: bool = Field(default=True, description="Keep account history.")
    cache_rows: int = Field(
        default=200_000, ge=1_000, le=1_000_000_000, description="Rows of the state kept in memory."
    )
    cache_mib: int = Field(default=64, ge=1, le=1_000_000, description="MiB of the database kept in memory.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="What is logged.")
    log_json: bool = Field(default=False, description="Log lines as JSON.")

    @property
    def has_network(self) -> bool:
        """Whether the node is to meet peers."""
        return self.p2p is not None or bool(self.seed)

    def read_witness_keys(self) -> dict[bytes, PrivateKey]:
        """Returns the private signing keys by public key. Raises SettingsError, also for a witness without any."""
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


def read_keys(texts: Iterable[str], place: str) -> Iterable[PrivateKey]:
    """Reads private keys; `place` names them with {n}, because a key is never repeated. Raises SettingsError."""
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
    """Puts flags, environment, the file they name with `config`, and defaults together. Raises SettingsError.

    Flags that are None or empty are not given. The chain is one choice: a preset or file given with more precedence
    replaces one given with less.
    """
    given_flags = {name: value for name, value in flags.items() if value is not None and value != ()}
    given_environment = _read_environment(environment)
    config = given_flags.pop("config", None) or given_environment.pop("config", None)
    given_environment.pop("config", None)
    values: dict[str, Any] = dict(default or {})
    sources = dict.fromkeys(values, "default {name}")
    layers = [(given_environment, f"{ENVIRONMENT_PREFIX}{{NAME}} in the environment"), (given_flags, "--{flag}")]
    if config is not None:
        layers.insert(0, (_read_file(Path(config)), f"{{name}} in {config}"))
    for given, source in layers:
        if "preset" in given or "chain" in given:
            values.pop("preset", None)
            values.pop("chain", None)
        values.update(given)
        sources.update(dict.fromkeys(given, source))
    return _validate(values, sources)


def list_secret_files(settings: Settings, flags: Mapping[str, Any], environment: Mapping[str, str]) -> list[Path]:
    """The files that hold private keys: the one with witness keys, and the config file if it could have them."""
    config = flags.get("config") or environment.get(f"{ENVIRONMENT_PREFIX}CONFIG", "").strip()
    files = [settings.witness_key_file]
    if settings.witness_key and config:
        files.append(Path(config))
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
    place = source.format(name=name, NAME=name.upper(), flag=name.replace("_", "-"))
    if detail["type"] == "extra_forbidden":
        return f"{place}: there is no such setting; there are {', '.join(Settings.model_fields)}"
    shown = "" if name in _SECRET else f" = {detail['input']}"
    return f"{place}{shown}: {detail['msg'].removeprefix('Value error, ').replace('Input should be', 'must be')}"


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("config", *Settings.model_fields):
        text = environment.get(ENVIRONMENT_PREFIX + name.upper(), "").strip()
        if text:
            found[name] = tuple(text.split()) if name in _LISTS else text
    return found


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            document = tomllib.loads(file.read(CONFIG_BYTES_MAX).decode())
    except OSError as error:
        raise SettingsError([f"config file {path}: {error.strerror or error}"]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([f"config file {path} is not TOML: {error}"]) from None
    found = {name.replace("-", "_"): value for name, value in document.items()}
    for name in _LISTS & found.keys():
        if isinstance(found[name], str):
            found[name] = (found[name],)
    for name in ("data_dir", "chain", "witness_key_file"):
        if isinstance(found.get(name), str):
            found[name] = path.parent / found[name]
    return found
