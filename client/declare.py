"""Commands declared by function signatures: each parameter is an argument or option with its name, type and default."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NamedTuple, TextIO, Union, get_args, get_origin, get_type_hints

import click

APP: Final = "app"
"""The parameter that receives the context object."""

KINDS: Final[dict[Any, click.ParamType[Any]]] = {
    Path: click.Path(dir_okay=False, path_type=Path),
    TextIO: click.File("r"),
}


class Parsed(click.ParamType[Any]):
    """A parameter type with a parsing function; its ValueError is shown to the user."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parses a text; a value of another type (a default) is returned unchanged."""
        try:
            return self._parse(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Declared(NamedTuple):
    """Declaration of a parameter besides name and annotation."""

    make: type[click.Argument] | type[click.Option]
    flags: tuple[str, ...]
    settings: dict[str, Any]


def argument(metavar: str | None = None, **settings: Any) -> Any:
    """Declares an argument with further properties; a parameter without a default is a required argument anyway."""
    return Declared(click.Argument, (), {"metavar": metavar, **settings})


def option(text: str, *flags: str, **settings: Any) -> Any:
    """Declares an option, named like its parameter unless `flags` are given. `settings` are passed to click."""
    shows_default = settings.get("default") not in (None, "") and not isinstance(settings["default"], bool)
    return Declared(click.Option, flags, {"help": text, "show_default": shows_default, **settings})


class Bundle(NamedTuple):
    """Several command-line parameters that form one parameter of the function."""

    parameters: list[click.Parameter]
    make: Callable[..., Any]


class Options:
    """Shared options: a parameter whose type is a subclass (a dataclass) stands for the options of its fields."""


class DeclaredGroup(click.Group):
    """A group whose commands are declared by function signatures."""

    def command(self, *args: Any, **settings: Any) -> Any:
        """Makes the decorated function a command of this group."""

        def decorate(function: Callable[..., None]) -> click.Command:
            made: click.Command = command(*args, **{"cls": self.command_class or click.Command, **settings})(function)
            self.add_command(made)
            return made

        return decorate


def command(name: str | None = None, cls: type[Any] = click.Command, **settings: Any) -> Callable[..., Any]:
    """Makes the decorated function a command; `settings` are passed to its class."""

    def decorate(function: Callable[..., None]) -> Any:
        found = _read_parameters(function)
        bundles = {name: bundle for name, bundle in found.items() if isinstance(bundle, Bundle)}

        @wraps(function)
        def run(*args: Any, **values: Any) -> None:
            for name, bundle in bundles.items():
                values[name] = bundle.make(**{str(part.name): values.pop(str(part.name)) for part in bundle.parameters})
            function(*args, **values)

        passed = click.pass_obj(run) if APP in signature(function).parameters else run
        parameters = [part for it in found.values() for part in (it.parameters if isinstance(it, Bundle) else [it])]
        return click.command(name, cls=cls, params=parameters, **settings)(passed)

    return decorate


def group(
    name: str | None = None, cls: type[click.Group] = DeclaredGroup, **settings: Any
) -> Callable[..., click.Group]:
    """Makes the decorated function a group, by default of declared commands."""
    return command(name, cls, **settings)


def _read_parameters(declaring: Callable[..., Any]) -> dict[str, click.Parameter | Bundle]:
    """Returns the command-line parameters of a function or of the fields of Options."""
    kinds = get_type_hints(declaring, include_extras=True)
    parameters = signature(declaring).parameters.values()
    return {it.name: _read(it, kinds[it.name]) for it in parameters if it.name != APP}


def _read(parameter: Parameter, kind: Any) -> click.Parameter | Bundle:
    if isinstance(kind, type) and issubclass(kind, Options):
        return Bundle([part for part in _read_parameters(kind).values() if isinstance(part, click.Parameter)], kind)
    if get_origin(kind) is Annotated and isinstance(get_args(kind)[1], Bundle):
        return get_args(kind)[1]  # type: ignore[no-any-return]
    return _make(parameter, kind)


def _make(parameter: Parameter, kind: Any) -> click.Parameter:
    declared = argument() if parameter.default is Parameter.empty else parameter.default
    name = parameter.name
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    is_list = get_origin(kind) is tuple
    if is_list:
        kind = get_args(kind)[0]
    metavar = name[:-1].upper() if name.endswith("_") else None
    if get_origin(kind) is Annotated:
        plain, more = get_args(kind)
        kind, metavar = (plain, more) if isinstance(more, str) else (more, metavar)
    settings = {"type": KINDS.get(kind, kind), **declared.settings}
    if declared.make is click.Argument:
        settings["metavar"] = settings["metavar"] or metavar
        return click.Argument([name], **{"nargs": -1, "required": True} | settings if is_list else settings)
    if kind is bool:
        settings = {"is_flag": True, **declared.settings}
    return click.Option([*(declared.flags or [f"--{name.replace('_', '-')}"]), name], multiple=is_list, **settings)
