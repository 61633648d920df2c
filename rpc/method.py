"""Declaration of API methods: typed Python methods, whose signatures define the checks of arguments."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

from protocol.errors import ProtocolError
from rpc.casts import fc_type
from rpc.errors import ERROR_DURING_CALL, BadCast, RpcError, assert_error, to_rpc_error
from rpc.kinds import Moment, OverMaximum, Unsigned, Unsigned32, build_kind

__all__ = ["Method", "Moment", "Parameter", "Unsigned", "Unsigned32", "collect_methods", "rpc_method"]

Handler = TypeVar("Handler", bound=Callable[..., Any])

_MISSING: Any = object()


def rpc_method(*, broadcast: bool = False, rows: str | None = None) -> Callable[[Handler], Handler]:
    """Marks a method of an API class as a JSON-RPC method.

    With `broadcast`, errors have the code that the reference uses for broadcasts. `rows` is the list of the result to
    which a generator yields members, see rpc/slices.py.
    """

    def mark(handler: Handler) -> Handler:
        if rows is not None and not inspect.isgeneratorfunction(handler):
            raise TypeError(f"{handler.__name__} yields no rows")
        handler.__dict__["rpc_broadcast"] = broadcast
        handler.__dict__["rpc_rows"] = rows
        return handler

    return mark


class Parameter:
    """A parameter of a method: name, default and kind."""

    __slots__ = ("cast", "default", "kind", "name")

    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        self.name = name
        self.default = default
        self.kind = build_kind(annotation)
        self.cast = self.kind.cast

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is _MISSING

    def take(self, value: Any, method: str) -> Any:
        """Converts an argument; null stands for the default. Raises ProtocolError."""
        if value is None and self.default is not _MISSING:
            return self.default
        try:
            return self.cast(value)
        except OverMaximum as error:
            raise error.maximum.refuse(self.name, method, error.found, value) from None
        except ProtocolError as error:
            error.add_context(", argument ${argument} of ${method}", argument=self.name, method=method)
            raise


class Method:
    """An API method. `positional` ones take a JSON array (condenser_api), the others a JSON object."""

    __slots__ = (
        "full_name",
        "handler",
        "is_async",
        "is_broadcast",
        "is_sliced",
        "parameters",
        "positional",
        "required",
        "rows",
    )

    def __init__(self, full_name: str, handler: Callable[..., Any], positional: bool) -> None:
        self.full_name = full_name
        self.handler = handler
        self.positional = positional
        self.is_async = inspect.iscoroutinefunction(handler)
        self.is_sliced = inspect.isgeneratorfunction(handler)
        self.is_broadcast: bool = handler.__dict__.get("rpc_broadcast", False)
        self.rows: str | None = handler.__dict__.get("rpc_rows")
        hints = get_type_hints(handler, include_extras=True)
        self.parameters = tuple(
            Parameter(p.name.rstrip("_"), hints.get(p.name, Any), _MISSING if p.default is p.empty else p.default)
            for p in inspect.signature(handler).parameters.values()
        )
        self.required = sum(p.is_required for p in self.parameters)

    def bind(self, params: Any) -> list[Any]:
        """Converts the `params` of a request to the handler's arguments. Raises RpcError and ProtocolError."""
        if self.positional:
            return self._bind_array(params)
        return self._bind_object(params)

    def _bind_array(self, params: Any) -> list[Any]:
        if params is None or params == {}:
            params = []
        if not isinstance(params, list):
            raise BadCast("Invalid cast from ${type} to Array", type=fc_type(params))
        if not self.required <= len(params) <= len(self.parameters):
            raise self._wrong_count(len(params))
        name = self.full_name
        values = [p.take(value, name) for p, value in zip(self.parameters, params, strict=False)]
        values += [p.default for p in self.parameters[len(params) :]]
        return values

    def _wrong_count(self, found: int) -> RpcError:
        """Returns the reference's error, including its unfilled placeholder in the first text."""
        low, high = self.required, len(self.parameters)
        if low == high:
            assertion, wanted = f"args.size() == {low}", "#s argument(s)"
        elif high == low + 1:
            assertion, wanted = f"args.size() == {low} || args.size() == {high}", f"{low}-{high} arguments"
        else:
            assertion, wanted = f"args.size() >= {low} && args.size() <= {high}", f"{low}-{high} argument"
        names = ", ".join(parameter.name for parameter in self.parameters)
        takes = (
            f"takes {low if low == high else f'{low} to {high}'} arguments ({names})" if high else "takes no arguments"
        )
        error = ProtocolError(assertion, f"Expected {wanted}, was ${{n}}", n=found)
        error.explain(f"{self.full_name} {takes}, and {found} were given")
        return to_rpc_error(error, ERROR_DURING_CALL, self.full_name)

    def _bind_object(self, params: Any) -> list[Any]:
        if params is None or params == []:
            params = {}
        if not isinstance(params, Mapping):
            raise BadCast("Invalid cast from type '${type}' to Object", type=fc_type(params))
        values = []
        for parameter in self.parameters:
            if parameter.name in params:
                values.append(parameter.take(params[parameter.name], self.full_name))
            elif not parameter.is_required:
                values.append(parameter.default)
            else:
                raise self._missing(parameter, params)
        return values

    def _missing(self, parameter: Parameter, params: Mapping[str, Any]) -> RpcError:
        return assert_error(
            ERROR_DURING_CALL,
            "",
            "${method} needs the member '${missing}'; given were: ${given}",
            self.full_name,
            method=self.full_name,
            missing=parameter.name,
            given=", ".join(list(params)[: len(self.parameters)]) or "none",
        )


def collect_methods(apis: Mapping[str, Any], positional: frozenset[str]) -> dict[str, Method]:
    """Collects the methods of API objects by full name ("database_api.get_config").

    Raises TypeError for a parameter without a maximum, as clients could cause unbounded work.
    """
    methods = {}
    for api_name, api in apis.items():
        for name, handler in inspect.getmembers(api, callable):
            if hasattr(handler, "__dict__") and "rpc_broadcast" in handler.__dict__:
                full_name = f"{api_name}.{name}"
                method = methods[full_name] = Method(full_name, handler, api_name in positional)
                for parameter in method.parameters:
                    if parameter.kind.gaps:
                        raise TypeError(f"{parameter.name} of {full_name} has no maximum: {parameter.kind.text}")
    return methods
