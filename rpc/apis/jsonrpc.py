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
        found = self._get_all().get(method)
        if found is None:
            api, _, name = method.partition(".")
            raise Rejected("false", "Method ${api}.${method} does not exist.", api=api, method=name)
        return {"args": {parameter.name: _default(parameter) for parameter in found.parameters}, "ret": {}}


def _default(parameter: Any) -> Any:
    return parameter.default if isinstance(parameter.default, str | int | bool | list) else None
