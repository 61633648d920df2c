"""The page of all JSON-RPC methods, from their signatures and docstrings."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from chain.chain import Chain
from node.core import NodeSettings
from node.dev_api import DevApi
from node.shell import NodeShell
from protocol.config import ChainConfig
from rpc.apis.registry import POSITIONAL_APIS, build_methods
from rpc.method import Method

KINDS: Final = {str: "string", int: "integer", bool: "bool", Any: "any JSON"}
APIS: Final = {
    "plaudit_api": "Only Plaudit has it.",
    "dev_api": "Only `plaudit dev` offers it.",
    "bridge": "Not of the C++ node.",
}


def render_rpc_methods(notice: str) -> str:
    """Returns the page of all methods, API by API."""
    shell = NodeShell(Chain.open(ChainConfig.preset("dev")), NodeSettings())
    methods = build_methods(shell, {"dev_api": DevApi(shell.node)})
    lines = [
        notice,
        "",
        "# JSON-RPC methods",
        "",
        "How to call them: [../rpc.md](../rpc.md). A parameter with `=` may be left out.",
    ]
    for api in sorted({name.split(".")[0] for name in methods}):
        given = "an array" if api in POSITIONAL_APIS else "an object"
        lines += ["", f"## {api}", "", f"Arguments in {given}. {APIS.get(api, '')}".rstrip(), ""]
        lines += ["| method | parameters | answer |", "| --- | --- | --- |"]
        lines += [_render(method) for name, method in sorted(methods.items()) if name.startswith(api + ".")]
    return "\n".join(lines) + "\n"


def _render(method: Method) -> str:
    hints = get_type_hints(method.handler, include_extras=True)
    parts = []
    for name, parameter in inspect.signature(method.handler).parameters.items():
        default = "" if parameter.default is parameter.empty else f" = {_default(parameter.default)}"
        parts.append(f"`{name.rstrip('_')}{default}`: {_kind(hints[name])}")
    answer = " ".join((inspect.getdoc(method.handler) or "").split("\n\n")[0].split()).replace("|", "\\|")
    return f"| `{method.full_name}` | {', '.join(parts)} | {answer} |"


def _default(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(-1 if value == (1 << 64) - 1 else value)


def _kind(declared: Any) -> str:
    if declared in KINDS:
        return KINDS[declared]
    inside = get_args(declared)
    if get_origin(declared) is Annotated:
        return str(inside[1])
    if get_origin(declared) is list:
        return f"[{_kind(inside[0])}, ...]"
    if get_origin(declared) is tuple:
        return f"[{', '.join(map(_kind, inside))}]"
    return " or ".join("null" if part is type(None) else _kind(part) for part in inside)
