"""jsonrpc: which methods this node has. Source: plugins/json_rpc."""

from collections.abc import Callable, Mapping
from typing import Any

from protocol.errors import Rejected
from rpc.method import Method, rpc_method
from rpc.objects import Json


class JsonRpcApi:
    """The methods of the API named jsonrpc."""

    def __init__(self, get_all: Callable[[], Mapping[str, Method]]) -> None:
        self._get_all = get_all

    @rpc_method()
    def get_methods(self) -> list[str]:
        """The full names of all methods, sorted."""
        return sorted(self._get_all())

    @rpc_method()
    def get_signature(self, method: str) -> Json:
        """The parameters of a method, with the default of each (null where one has to be given)."""
        parts = method.split(".")
        if len(parts) != 2:
            raise Rejected("v.size() == 2", "Invalid method name")
        found = self._get_all().get(method)
        if found is None:
            text = "Method ${api}.${method} does not exist."
            raise Rejected("method_itr != api_itr->second.end()", text, api=parts[0], method=parts[1])
        return {"args": {parameter.name: _default(parameter) for parameter in found.parameters}, "ret": {}}


def _default(parameter: Any) -> Any:
    return parameter.default if isinstance(parameter.default, str | int | bool | list) else None
