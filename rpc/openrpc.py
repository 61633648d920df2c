"""The OpenRPC document of a node: every method with the JSON schemas of its parameters, from their declarations.

Source: the OpenRPC specification, https://spec.open-rpc.org (version 1.3).
"""

import inspect
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from rpc.method import Method, Parameter

OPENRPC_VERSION = "1.3.2"

Json = dict[str, Any]


def describe_methods(methods: Mapping[str, Method]) -> Json:
    """Returns the document."""
    return {
        "openrpc": OPENRPC_VERSION,
        "info": {"title": "Plaudit JSON-RPC", "version": metadata.version("plaudit")},
        "methods": [_describe(method) for _, method in sorted(methods.items())],
    }


def summarize(method: Method) -> str:
    """Returns the first paragraph of a method's description as one line."""
    return " ".join((inspect.getdoc(method.handler) or "").split("\n\n")[0].split())


def _describe(method: Method) -> Json:
    return {
        "name": method.full_name,
        "summary": summarize(method),
        "paramStructure": "by-position" if method.positional else "by-name",
        "params": [_describe_parameter(parameter) for parameter in method.parameters],
        "result": {"name": "answer", "schema": {}},
    }


def _describe_parameter(parameter: Parameter) -> Json:
    schema = dict(parameter.kind.schema)
    if not parameter.is_required:
        schema["default"] = parameter.default
    return {"name": parameter.name, "required": parameter.is_required, "schema": schema}
