"""The page of all JSON-RPC methods, from their signatures and docstrings."""

from __future__ import annotations

from typing import Any, Final

from index.indexes import open_chain
from node.core import NodeSettings
from node.dev.api import DevApi
from node.shell.node_shell import NodeShell
from protocol.config import ChainConfig
from rpc.apis.registry import POSITIONAL_APIS, build_methods
from rpc.method import Method
from rpc.openrpc import summarize

APIS: Final = {
    "plaudit_api": "Only Plaudit has this API.",
    "dev_api": "Only served by `plaudit dev`.",
    "bridge": "Not part of the C++ node.",
    "rpc": "Not part of the C++ node; defined by the OpenRPC specification.",
}


def render_rpc_methods(notice: str) -> str:
    """Returns the page of all methods, API by API."""
    shell = NodeShell(*open_chain(ChainConfig.preset("dev")), NodeSettings())
    methods = build_methods(shell, {"dev_api": DevApi(shell.node)})
    lines = [
        notice,
        "",
        "# JSON-RPC methods",
        "",
        "How to call them: [../rpc.md](../rpc.md). Parameters with `=` have a default and are optional.",
        "A value over its maximum is rejected. Times are UTC; public keys begin with the prefix of the chain.",
        "`rpc.discover` returns the same as an OpenRPC document.",
    ]
    for api in sorted({name.split(".")[0] for name in methods}):
        given = "an array" if api in POSITIONAL_APIS else "an object"
        lines += ["", f"## {api}", "", f"Arguments in {given}. {APIS.get(api, '')}".rstrip(), ""]
        lines += ["| method | parameters | answer |", "| --- | --- | --- |"]
        lines += [_render(method) for name, method in sorted(methods.items()) if name.startswith(api + ".")]
    return "\n".join(lines) + "\n"


def _render(method: Method) -> str:
    parts = []
    for parameter in method.parameters:
        default = "" if parameter.is_required else f" = {_default(parameter.default)}"
        parts.append(f"`{parameter.name}{default}`: {parameter.kind.text}")
    answer = summarize(method).replace("|", "\\|")
    return f"| `{method.full_name}` | {', '.join(parts)} | {answer} |"


def _default(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(-1 if value == (1 << 64) - 1 else value)
