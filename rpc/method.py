"""How an API method is declared: a typed Python method, and from its signature the check of what a caller sends."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, get_type_hints

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from rpc.errors import ERROR_DURING_CALL, RpcError, assert_error, bad_cast

Handler = TypeVar("Handler", bound=Callable[..., Any])

_LENIENT = ConfigDict(coerce_numbers_to_str=True, arbitrary_types_allowed=True)
_MISSING: Any = object()


def rpc_method(*, broadcast: bool = False) -> Callable[[Handler], Handler]:
    """Marks a method of an API class as callable from outside.

    With `broadcast`, whatever it raises is answered with the code the reference uses for broadcasts.
    """

    def mark(handler: Handler) -> Handler:
        handler.__dict__["rpc_broadcast"] = broadcast
        return handler

    return mark


def _as_unsigned(value: Any) -> Any:
    """-1 means the largest number: clients send it where the reference wraps it round."""
    return 0xFFFFFFFFFFFFFFFF if value in (-1, "-1") else value


Unsigned = Annotated[int, BeforeValidator(_as_unsigned)]
"""A uint64 argument: numbers, numbers as strings and integral floats are taken, -1 is the maximum."""


class Parameter:
    """One argument of a method: its name, its default and the validator of its type."""

    __slots__ = ("default", "name", "validate")

    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        self.name = name
        self.default = default
        self.validate: Callable[[Any], Any] = (
            _pass if annotation is Any else TypeAdapter(annotation, config=_LENIENT).validate_python
        )


def _pass(value: Any) -> Any:
    return value


class Method:
    """A callable API method. `positional` ones take a JSON array (condenser_api), the others a JSON object."""

    __slots__ = ("full_name", "handler", "is_broadcast", "parameters", "positional", "required")

    def __init__(self, full_name: str, handler: Callable[..., Any], positional: bool) -> None:
        self.full_name = full_name
        self.handler = handler
        self.positional = positional
        self.is_broadcast: bool = handler.__dict__.get("rpc_broadcast", False)
        hints = get_type_hints(handler, include_extras=True)
        self.parameters = tuple(
            Parameter(p.name.rstrip("_"), hints.get(p.name, Any), _MISSING if p.default is p.empty else p.default)
            for p in inspect.signature(handler).parameters.values()
        )
        self.required = sum(p.default is _MISSING for p in self.parameters)

    def bind(self, params: Any) -> list[Any]:
        """The arguments for the handler out of the `params` of a request. Raises RpcError."""
        if self.positional:
            return self._bind_array(params)
        return self._bind_object(params)

    def _bind_array(self, params: Any) -> list[Any]:
        if params is None or params == {}:
            params = []
        if not isinstance(params, list):
            raise bad_cast("Invalid cast from object_type to Array", self.full_name)
        total = len(self.parameters)
        if not self.required <= len(params) <= total:
            raise assert_error(
                ERROR_DURING_CALL,
                f"args.size() == {self.required}",
                f"Expected #{self.required} argument(s), was ${{n}}",
                self.full_name,
                n=len(params),
            )
        values = [self._check(p, value) for p, value in zip(self.parameters, params, strict=False)]
        values += [p.default for p in self.parameters[len(params) :]]
        return values

    def _bind_object(self, params: Any) -> list[Any]:
        if params is None or params == []:
            params = {}
        if not isinstance(params, Mapping):
            raise bad_cast("Invalid cast from type '${type}' to Object", self.full_name, type=_fc_type(params))
        values = []
        for parameter in self.parameters:
            value = params.get(parameter.name, _MISSING)
            if value is not _MISSING:
                values.append(self._check(parameter, value))
            elif parameter.default is not _MISSING:
                values.append(parameter.default)
            else:
                raise RpcError(
                    ERROR_DURING_CALL,
                    f"{self.full_name} needs the member '{parameter.name}'; given were: {', '.join(params) or 'none'}",
                )
        return values

    def _check(self, parameter: Parameter, value: Any) -> Any:
        try:
            return parameter.validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            where = ".".join([parameter.name, *map(str, first["loc"])])
            raise bad_cast("${where}: ${problem}", self.full_name, where=where, problem=first["msg"]) from None


def _fc_type(value: Any) -> str:
    """The name fc gives to the type of a JSON value."""
    if isinstance(value, list):
        return "array_type"
    if isinstance(value, bool):
        return "bool_type"
    if isinstance(value, int):
        return "int64_type"
    if isinstance(value, str):
        return "string_type"
    return "double_type"


def collect_methods(apis: Mapping[str, Any], positional: frozenset[str]) -> dict[str, Method]:
    """All methods of the given API objects by their full name ("database_api.get_config")."""
    methods = {}
    for api_name, api in apis.items():
        for name, handler in inspect.getmembers(api, callable):
            if hasattr(handler, "__dict__") and "rpc_broadcast" in handler.__dict__:
                full_name = f"{api_name}.{name}"
                methods[full_name] = Method(full_name, handler, api_name in positional)
    return methods
