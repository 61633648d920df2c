"""The layer rules of the architecture, read from the imports with `ast`: imports go down only, and below layer 7
nothing touches the network, the clock, chance, threads or logging."""

import ast
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
LAYERS: Final = {
    "protocol": 0,
    "state": 1,
    "consensus": 2,
    "rewards": 2,
    "tokens": 2,
    "operations": 3,
    "chain": 4,
    "index": 5,
    "client": 7,
    "node": 7,
    "rpc": 7,
    "wallet": 7,
}
CORE_LAYER: Final = 6
SHELL_LAYER: Final = 7
CORE_MODULES: Final = ("node.core",)
"""Modules (and what is below them) of layer 6; `node/__init__.py` holds a docstring only and belongs to it."""

WORLDLY: Final = frozenset(
    {
        *("asyncio", "aiohttp", "socket", "selectors", "time", "random", "secrets"),
        *("threading", "multiprocessing", "concurrent", "subprocess", "logging"),
    }
)
"""What layers 0 to 6 never import."""
FILES: Final = frozenset(("os", "io", "pathlib", "shutil", "tempfile", "mmap", "fcntl", "glob"))
"""Modules that reach files."""
MAY_USE_FILES: Final = {
    "state/engine/leveldb.py": "the state store",
    "chain/block_log.py": "the block log",
    "protocol/config.py": "reads the chain config file once, before there is a chain",
}
MAY_IMPORT_PLYVEL: Final = frozenset({"state/engine/leveldb.py"})
MAY_IMPORT: Final = {
    "client": frozenset({"protocol", "client"}),
    "wallet": frozenset({"protocol", "operations", "client", "wallet"}),
}
"""Packages that see only some of those below them."""
NODE_ROOMS: Final = {"core": 0, "ports": 1, "shell": 1, "dev": 2, "commands": 3}
"""The rooms of the node from below; ports and shell see each other."""
NEVER_EACH_OTHER: Final = tuple(map(frozenset, combinations(("consensus", "rewards", "tokens"), 2)))


class Imported(NamedTuple):
    """One import: the dotted module, the name taken from it ("" for a whole module), and the line."""

    module: str
    name: str
    line: int

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]


def source_files() -> list[Path]:
    return sorted(file for package in LAYERS for file in (ROOT / package).rglob("*.py"))


def read_imports(tree: ast.AST, package: str) -> Iterator[Imported]:
    """Yields every import, also inside functions and under TYPE_CHECKING; relative ones are made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Imported(alias.name, "", node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            module = node.module or "" if node.level == 0 else f"{base}.{node.module}" if node.module else base
            for alias in node.names:
                yield Imported(module, alias.name, node.lineno)


def layer_of(module: str) -> int | None:
    """Returns the layer of one of our modules, None for others."""
    if any(module == core or module.startswith(core + ".") for core in CORE_MODULES):
        return CORE_LAYER
    return LAYERS.get(module.partition(".")[0])


def room_of(module: str) -> int | None:
    """Returns the height of the node's room that a module is in, None for others."""
    package, _, inner = module.partition(".")
    return NODE_ROOMS.get(inner.partition(".")[0]) if package == "node" else None


def find_violations(path: str, text: str) -> list[str]:
    """Returns what is wrong with one file, as sentences with file and line."""
    tree = ast.parse(text)
    module = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    own_package = module.partition(".")[0]
    layer = layer_of(module)
    assert layer is not None, path
    found = []

    def refuse(line: int, sentence: str) -> None:
        found.append(f"{path}:{line}: {sentence}")

    for imported in read_imports(tree, module if path.endswith("__init__.py") else module.rpartition(".")[0]):
        whole = f"{imported.module}.{imported.name}" if imported.name else imported.module
        other = layer_of(whole)
        if other is not None and other > layer:
            refuse(imported.line, f"layer {layer} imports {whole} of layer {other}")
        room, other_room = room_of(module), room_of(whole)
        if room is not None and other_room is not None and other_room > room:
            refuse(imported.line, f"{module} imports {whole} of a room above it")
        for pair in NEVER_EACH_OTHER:
            if {own_package, imported.package} == pair:
                refuse(imported.line, f"{own_package} and {imported.package} never import each other")
        if other is not None and imported.package not in MAY_IMPORT.get(own_package, LAYERS):
            refuse(imported.line, f"{own_package} imports {whole}, not only {', '.join(MAY_IMPORT[own_package])}")
        if layer < SHELL_LAYER and imported.package in WORLDLY:
            refuse(imported.line, f"layer {layer} imports {imported.package}")
        if layer < SHELL_LAYER and imported.package in FILES and path not in MAY_USE_FILES:
            refuse(imported.line, f"imports {imported.package} to reach files")
        if imported.package == "plyvel" and path not in MAY_IMPORT_PLYVEL:
            refuse(imported.line, "imports plyvel, which only state/engine/leveldb.py may")
    if layer < SHELL_LAYER and path not in MAY_USE_FILES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
                refuse(node.lineno, "opens a file")
    return found


def test_every_file_keeps_the_layer_rules() -> None:
    files = source_files()
    assert files
    violations = [
        line for file in files for line in find_violations(file.relative_to(ROOT).as_posix(), file.read_text())
    ]
    assert not violations, "\n".join(violations)


def test_every_package_is_a_layer() -> None:
    packages = {directory.parent.name for directory in ROOT.glob("*/__init__.py")}
    assert packages - {"tests", "docs", "benchmarks"} == set(LAYERS)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("protocol/x.py", "import state.engine.table"),
        ("protocol/x.py", "from operations import transfer"),
        ("protocol/x.py", "def f():\n    import random"),
        ("protocol/x.py", "open('a')"),
        ("protocol/x.py", "from pathlib import Path"),
        ("state/x.py", "from chain.ledger import Ledger"),
        ("state/x.py", "import plyvel"),
        ("consensus/x.py", "from rewards.curves import evaluate"),
        ("rewards/x.py", "import consensus"),
        ("tokens/x.py", "from rewards.payout import compute_share"),
        ("rewards/x.py", "from tokens.sale import list_tiers"),
        ("rewards/x.py", "import time"),
        ("operations/x.py", "import logging"),
        ("chain/x.py", "import node.core"),
        ("chain/x.py", "from index.base import Index"),
        ("index/x.py", "import node.core"),
        ("index/x.py", "import threading"),
        ("index/x.py", "import plyvel"),
        ("chain/x.py", "from node import core"),
        ("node/core/node.py", "import asyncio"),
        ("node/core/node.py", "from node.shell.daemon import run_daemon"),
        ("node/core/node.py", "import rpc"),
        ("node/shell/daemon.py", "from node.commands import status"),
        ("node/ports/admin.py", "import node.dev.chain"),
        ("wallet/x.py", "from state.engine.table import Table"),
        ("wallet/x.py", "import node.core"),
        ("client/x.py", "from operations import transfer"),
        ("client/x.py", "from wallet.app import App"),
        ("wallet/x.py", "import rpc.server"),
    ],
)
def test_what_is_forbidden_is_found(path: str, text: str) -> None:
    assert find_violations(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("protocol/x.py", "import hashlib\nfrom protocol.assets import Asset\nfrom . import keys"),
        ("state/engine/leveldb.py", "import plyvel\nfrom pathlib import Path\nopen('a')"),
        ("consensus/x.py", "import state.engine.table\nfrom protocol import assets"),
        ("node/core/node.py", "from chain import ledger\nimport operations"),
        ("node/shell/node_shell.py", "import asyncio\nfrom node import core\nimport rpc.server\nimport time"),
        ("rpc/x.py", "import aiohttp\nimport chain"),
        ("node/ports/health.py", "from client.durations import describe_seconds"),
        (
            "wallet/x.py",
            "import aiohttp\nfrom operations import transfer\nfrom wallet import keys\nimport protocol.keys",
        ),
    ],
)
def test_what_is_allowed_is_not_found(path: str, text: str) -> None:
    assert find_violations(path, text) == []
