"""Maxima of parameters: what is over one is refused by name, and every method has one for each of its parameters."""

from typing import Annotated, Any

import orjson
import pytest

from node.ports.admin import NodeApi
from rpc.dispatch import Dispatcher
from rpc.kinds import AtMost, Items, Length, Name, Unsigned, Values, build_kind, count_values
from rpc.method import Method, collect_methods, rpc_method
from tests.rpc.service import Service


@rpc_method()
def take(
    number: Annotated[Unsigned, AtMost(10)] = 3,
    old: Annotated[Unsigned, AtMost(10, "args.{name} <= TEN", "${n} is too much", "n")] = 0,
    text: Annotated[str, Length(4)] = "t",
    names: Annotated[list[Annotated[str, Length(4)]], Items(2)] | None = None,
    pairs: Annotated[list[tuple[Name, Name]], Items(2)] | None = None,
    start: Annotated[Any, Values(3)] = None,
) -> list[Any]:
    """Gives its arguments back."""
    return [number, old, text, names, pairs, start]


DISPATCHER = Dispatcher({"x.take": Method("x.take", take, False)}, 10, 1.0)


async def ask(params: dict[str, Any]) -> dict[str, Any]:
    body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "x.take", "params": params})
    answer: dict[str, Any] = orjson.loads(await DISPATCHER.answer(body))
    return answer


@pytest.mark.parametrize(
    "params",
    [
        {"number": 10},
        {"old": 10},
        {"text": "four"},
        {"text": "äöüß"},
        {"names": ["four", "b"]},
        {"pairs": [["a", "b"], ["c", "d"]]},
        {"start": ["a", "b"]},
        {"start": ["x" * 255, 1]},
        {"start": {"a": 1}},
        {"start": "x" * 767},
    ],
)
async def test_the_maximum_itself_is_taken(params: dict[str, Any]) -> None:
    assert "result" in await ask(params)


@pytest.mark.parametrize(
    ("params", "name", "maximum", "found"),
    [
        ({"number": 11}, "number", 10, 11),
        ({"number": -1}, "number", 10, 2**64 - 1),
        ({"text": "five!"}, "text", 4, 5),
        ({"text": 12345}, "text", 4, 5),
        ({"names": ["a", "b", "c"]}, "names", 2, 3),
        ({"names": ["five!"]}, "names", 4, 5),
        ({"pairs": [["a", "b"]] * 3}, "pairs", 2, 3),
        ({"start": ["a", "b", "c"]}, "start", 3, 4),
        ({"start": ["x" * 256, "b"]}, "start", 3, 4),
        ({"start": "x" * 768}, "start", 3, 4),
        ({"start": {"a": {"b": 1}}}, "start", 3, 4),
    ],
)
async def test_what_is_over_a_maximum_is_refused_by_name(
    params: dict[str, Any], name: str, maximum: int, found: int
) -> None:
    error = (await ask(params))["error"]
    assert error["code"] == -32003
    assert f"argument {name} of x.take may be up to {maximum}" in error["message"]
    values = error["data"]["stack"][0]["data"]
    assert values["maximum"] == maximum
    assert int(values[name]) == found


async def test_the_text_of_the_reference_stays_where_it_has_one() -> None:
    error = (await ask({"old": 11}))["error"]
    assert error["message"] == "Assert Exception:args.old <= TEN: 11 is too much"


@pytest.mark.parametrize("nested", [[[[[]]]], {"a": {"b": {"c": {}}}}, [["x" * 5000], "y"]])
def test_counting_stops_where_enough_is_known(nested: Any) -> None:
    assert count_values(nested, 100) < 100
    assert count_values([nested] * 1000, 5) > 5


@pytest.mark.parametrize("declared", [str, Any, list[int], list[Name], Annotated[list[str], Items(5)], str | None])
def test_a_parameter_without_a_maximum_cannot_be_declared(declared: Any) -> None:
    class Api:
        @rpc_method()
        def method(self, given: Name) -> None:
            """Nothing."""

    Api.method.__annotations__["given"] = declared
    assert build_kind(declared).gaps
    with pytest.raises(TypeError, match="has no maximum"):
        collect_methods({"x": Api()}, frozenset())


# OpenRPC


def check_schema(schema: Any, where: str) -> None:
    """A JSON schema in which everything that a client sends has a maximum; no words of our own."""
    known = {"type", "minimum", "maximum", "maxLength", "maxItems", "minItems", "items", "prefixItems", "anyOf", "enum"}
    assert isinstance(schema, dict), where
    assert set(schema) <= known | {"description", "default"}, where
    for part in schema.get("anyOf", []) + schema.get("prefixItems", []):
        check_schema(part, where)
    kind = schema.get("type")
    if kind == "integer":
        assert schema["minimum"] < schema["maximum"] < 1 << 64, where
    elif kind == "string":
        assert schema["maxLength"] > 0, where
    elif kind == "array":
        assert schema["maxItems"] > 0, where
        if "items" in schema:
            check_schema(schema["items"], where)
    else:
        assert kind in ("boolean", "null") or "anyOf" in schema or "At most" in schema["description"], where


async def test_the_openrpc_document_describes_every_method(service: Service) -> None:
    document = await service.result("rpc.discover")
    assert document["openrpc"].startswith("1.")
    assert set(document["info"]) == {"title", "version"}
    assert [method["name"] for method in document["methods"]] == sorted(service.dispatcher.methods)
    for described in document["methods"]:
        method = service.dispatcher.methods[described["name"]]
        assert described["summary"]
        assert described["paramStructure"] == ("by-position" if method.positional else "by-name")
        assert set(described["result"]) == {"name", "schema"}
        assert [one["name"] for one in described["params"]] == [one.name for one in method.parameters]
        required = [one["required"] for one in described["params"]]
        assert required == sorted(required, reverse=True)
        for parameter in described["params"]:
            check_schema(parameter["schema"], f"{parameter['name']} of {method.full_name}")
            assert ("default" in parameter["schema"]) != parameter["required"]


async def test_the_document_comes_in_every_way_to_call(service: Service) -> None:
    assert (await service.result("call", ["rpc", "discover", []]))["openrpc"]
    assert (await service.result("call", ["rpc", "discover", {}]))["openrpc"]


def test_the_methods_of_the_operator_have_maxima(service: Service) -> None:
    methods = collect_methods({"node_api": NodeApi(service.shell.node)}, frozenset())
    assert not [one.name for method in methods.values() for one in method.parameters if one.kind.gaps]
