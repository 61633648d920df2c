"""jsonrpc and rpc: discovery of the node's methods. Source: plugins/json_rpc."""

from collections.abc import Callable, Mapping
from typing import Any

from protocol.errors import Rejected
from rpc.kinds import Name
from rpc.method import Method, rpc_method
from rpc.objects import Json
from rpc.openrpc import describe_methods


class JsonRpcApi:
    """The methods of the API named jsonrpc."""

    def __init__(self, get_all: Callable[[], Mapping[str, Method]]) -> None:
        self._get_all = get_all

    @rpc_method()
    def get_methods(self) -> list[str]:
        """The full names of all methods, sorted."""
        return sorted(self._get_all())

    @rpc_method()
    def get_signature(self, method: Name) -> Json:
        """The parameters of a method with their defaults (null for required ones)."""
        parts = method.split(".")
        if len(parts) != 2:
            raise Rejected("v.size() == 2", "Invalid method name")
        found = self._get_all().get(method)
        if found is None:
            text = "Method ${api}.${method} does not exist."
            raise Rejected("method_itr != api_itr->second.end()", text, api=parts[0], method=parts[1])
        return {"args": {parameter.name: _default(parameter) for parameter in found.parameters}, "ret": {}}


class DiscoveryApi:
    """The API named rpc, with the discovery method of OpenRPC."""

    def __init__(self, get_all: Callable[[], Mapping[str, Method]]) -> None:
        self._get_all = get_all
        self._document: Json | None = None

    @rpc_method()
    def discover(self) -> Json:
        """The OpenRPC document of all methods, with the maximum of every parameter."""
        if self._document is None:
            self._document = describe_methods(self._get_all())
        return self._document


def _default(parameter: Any) -> Any:
    return parameter.default if isinstance(parameter.default, str | int | bool | list) else None
