"""Envelopes, ids, batches and errors, as clients of the reference send and read them."""

import asyncio
from typing import Any

import orjson
import pytest

from protocol.keys import PrivateKey, encode_public_key
from rpc.dispatch import Dispatcher
from rpc.method import Method, Unsigned, Unsigned32, rpc_method
from tests.rpc.service import BATCH_LENGTH_MAX, Service

NAME = "alice"


# Envelopes


@pytest.mark.parametrize(
    "envelope",
    [
        {"method": "condenser_api.get_accounts", "params": [[NAME]]},
        {"method": "call", "params": ["condenser_api", "get_accounts", [[NAME]]]},
        {"method": "call", "params": ["database_api", "get_accounts", [[NAME]]]},
        {"method": "call", "params": [0, "get_accounts", [[NAME]]]},
        {"method": "call", "params": ["follow_api", "get_accounts", [[NAME]]]},
        {"method": "get_accounts", "params": [[NAME]]},
    ],
)
async def test_every_way_to_call_condenser_api(service: Service, envelope: dict[str, Any]) -> None:
    answer = await service.send({"jsonrpc": "2.0", "id": 0} | envelope)
    assert list(answer) == ["jsonrpc", "result", "id"]
    assert answer["result"][0]["name"] == NAME
    assert answer["result"][0]["balance"].endswith(" STEEM")


@pytest.mark.parametrize(
    "envelope",
    [
        {"method": "database_api.find_accounts", "params": {"accounts": [NAME]}},
        {"method": "call", "params": ["database_api", "find_accounts", {"accounts": [NAME]}]},
    ],
)
async def test_every_way_to_call_an_api_with_named_arguments(service: Service, envelope: dict[str, Any]) -> None:
    answer = await service.send({"jsonrpc": "2.0", "id": 1} | envelope)
    assert answer["result"]["accounts"][0]["balance"]["nai"] == "@@000000021"


@pytest.mark.parametrize("params", [None, {}, []])
async def test_no_arguments_may_be_absent_an_object_or_an_array(service: Service, params: Any) -> None:
    for method in ("database_api.get_dynamic_global_properties", "condenser_api.get_dynamic_global_properties"):
        result = await service.result(method, params)
        assert result["head_block_number"] == 1
        assert ("id" in result) == method.startswith("database")


async def test_call_tells_old_names_from_new_ones_by_the_type_of_the_arguments(service: Service) -> None:
    old = await service.result("call", ["database_api", "get_dynamic_global_properties", []])
    new = await service.result("call", ["database_api", "get_dynamic_global_properties", {}])
    assert isinstance(old["current_supply"], str)
    assert isinstance(new["current_supply"], dict)
    two = await service.result("call", ["database_api", "get_dynamic_global_properties"])
    assert two == new
    assert await service.result("call", ["database_api", "get_reward_funds", []])
    assert await service.result("call", ["jsonrpc", "get_methods", []])
    assert (await service.result("call", ["dev_api", "mine", {}]))["block_nums"] == [2]


@pytest.mark.parametrize("request_id", [0, 1, -5, "0", "", "text", 2**63])
async def test_an_id_comes_back_as_it_was_sent(service: Service, request_id: Any) -> None:
    message = {"jsonrpc": "2.0", "method": "condenser_api.get_account_count", "params": [], "id": request_id}
    answer = await service.send(message)
    assert answer["id"] == request_id
    assert type(answer["id"]) is type(request_id)


async def test_without_an_id_the_answer_has_null(service: Service) -> None:
    answer = await service.send({"jsonrpc": "2.0", "method": "condenser_api.get_account_count", "params": []})
    assert answer["id"] is None
    assert answer["result"] > 0


@pytest.mark.parametrize("request_id", [None, 1.5, True, [], {}])
async def test_other_ids_are_refused(service: Service, request_id: Any) -> None:
    answer = await service.send({"jsonrpc": "2.0", "method": "x", "id": request_id})
    assert answer["error"]["code"] == -32600
    assert answer["id"] is None


# Batches


async def test_a_batch_has_one_answer_for_each_request_in_order(service: Service) -> None:
    good = {"jsonrpc": "2.0", "method": "condenser_api.get_account_count", "params": [], "id": 7}
    answers = await service.send([good, 5, good | {"id": "b", "method": "condenser_api.nothing"}, good | {"id": 0}])
    assert [answer["id"] for answer in answers] == [7, None, "b", 0]
    assert ["error" in answer for answer in answers] == [False, True, True, False]
    assert answers[1]["error"]["code"] == -32700


async def test_an_empty_batch_and_one_too_long_are_one_error(service: Service) -> None:
    answer = await service.send([])
    assert answer == {"jsonrpc": "2.0", "error": {"code": -32000, "message": "Array is invalid"}, "id": None}
    answer = await service.send([{}] * (BATCH_LENGTH_MAX + 1))
    assert answer["error"]["code"] == -32000


async def test_the_largest_batch_is_answered(service: Service) -> None:
    assert len(await service.send([{}] * BATCH_LENGTH_MAX)) == BATCH_LENGTH_MAX


async def test_what_a_batch_has_no_time_for_is_refused() -> None:
    service = Service()
    service.dispatcher.batch_seconds_max = -1
    answers = await service.send([{"jsonrpc": "2.0", "method": "condenser_api.get_config", "params": [], "id": 3}])
    assert answers[0]["id"] == 3
    assert "longer than" in answers[0]["error"]["message"]


async def test_what_a_batch_has_no_room_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    monkeypatch.setattr("rpc.dispatch.BATCH_BYTES_MAX", 1000)
    request = {"jsonrpc": "2.0", "method": "condenser_api.get_config", "params": [], "id": 3}
    answers = await service.send([request, request])
    assert "result" in answers[0]
    assert "exceed" in answers[1]["error"]["message"]


async def test_batches_under_way_share_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    monkeypatch.setattr("rpc.dispatch.BATCHES_BYTES_MAX", 20_000)
    request = {"jsonrpc": "2.0", "method": "condenser_api.get_config", "params": [], "id": 3}
    batches = await asyncio.gather(*(service.send([request] * 3) for _ in range(5)))
    refused = [answer for answers in batches for answer in answers if "error" in answer]
    assert 0 < len(refused) < 15
    assert all("all batches together" in answer["error"]["message"] and answer["id"] == 3 for answer in refused)
    cancelled = asyncio.create_task(service.send([request] * 3))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert service.dispatcher._batches_bytes == 0
    assert "result" in (await service.send([request]))[0]


# Errors


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", -32000),
        (b"{", -32000),
        (b'{"a":"\xff"}', -32000),
        (b"[" * 5000, -32000),
        (b'{"jsonrpc":"2.0","id":1,"method":"condenser_api.get_block","params":[1e999]}', -32000),
        (b"5", -32700),
        (b'"x"', -32700),
        (b"null", -32700),
        (b"{}", -32600),
        (b'{"jsonrpc":2.0,"method":"condenser_api.get_config","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"call"}', -32001),
        (b'{"jsonrpc":"2.0","id":1,"method":"call","params":{}}', -32002),
        (b'{"jsonrpc":"2.0","id":1,"method":"call","params":["condenser_api"]}', -32002),
        (b'{"jsonrpc":"2.0","id":1,"method":"call","params":["a","b","c","d"]}', -32002),
        (b'{"jsonrpc":"2.0","id":1,"method":"call","params":[[],{},[]]}', -32000),
        (b'{"jsonrpc":"2.0","id":1,"method":"a.b.c"}', -32002),
        (b'{"jsonrpc":"2.0","id":1,"method":"condenser_api.get_accounts","params":{"names":[]}}', -32000),
        (b'{"jsonrpc":"2.0","id":1,"method":"condenser_api.get_accounts","params":[]}', -32003),
        (b'{"jsonrpc":"2.0","id":1,"method":"condenser_api.get_accounts","params":[5]}', -32000),
        (b'{"jsonrpc":"2.0","id":1,"method":"database_api.find_accounts","params":[["alice"]]}', -32000),
        (b'{"jsonrpc":"2.0","id":1,"method":"database_api.find_accounts","params":{}}', -32003),
    ],
)
async def test_codes(service: Service, message: bytes, code: int) -> None:
    answer = await service.send(message)
    assert list(answer) == ["jsonrpc", "error", "id"]
    assert answer["error"]["code"] == code


async def test_unknown_apis_and_methods_in_the_words_of_the_reference(service: Service) -> None:
    error = await service.error("nothing_api.get", {})
    assert error["code"] == -32002
    start = "Assert Exception:"
    assert error["message"] == start + "api_itr != _registered_apis.end(): Could not find API nothing_api"
    error = await service.error("condenser_api.get_feed", [])
    assert error["code"] == -32002
    assert error["message"] == start + "method_itr != api_itr->second.end(): Could not find method get_feed"
    frame = error["data"]["stack"][0]
    assert error["data"]["code"] == 10
    assert error["data"]["name"] == "assert_exception"
    assert frame["format"] == "method_itr != api_itr->second.end(): Could not find method ${method}"
    assert frame["data"] == {"method": "get_feed"}
    assert set(frame["context"]) == {"level", "file", "line", "method", "hostname", "timestamp"}


async def test_texts_of_wrong_arguments(service: Service) -> None:
    error = await service.error("condenser_api.get_accounts", [])
    assert error["message"] == "Assert Exception:args.size() == 1: Expected #s argument(s), was 0"
    error = await service.error("condenser_api.get_ops_in_block", [])
    assert error["message"] == ("Assert Exception:args.size() == 1 || args.size() == 2: Expected 1-2 arguments, was 0")
    error = await service.error("condenser_api.list_proposals", [])
    assert "args.size() >= 3 && args.size() <= 5: Expected 3-5 argument, was 0" in error["message"]
    error = await service.error("condenser_api.get_accounts", [{}])
    assert error["message"].startswith("Bad Cast:Invalid cast from object_type to Array")
    error = await service.error("database_api.get_config", [1])
    assert error["message"].startswith("Bad Cast:Invalid cast from type 'array_type' to Object")
    assert error["data"]["code"] == 7


async def test_an_assertion_while_reading_and_another_error(service: Service) -> None:
    error = await service.error("database_api.list_accounts", {"start": "", "limit": 1001, "order": "by_name"})
    assert error["code"] == -32003
    assert error["data"]["name"] == "assert_exception"
    assert "DATABASE_API_SINGLE_QUERY_LIMIT" in error["message"]
    error = await service.error("condenser_api.get_active_votes", ["alice", "missing"])
    assert error["code"] == -32000
    assert error["message"] == "unknown key:unknown key: "
    assert error["data"]["stack"][0]["data"] == {"author": "alice", "permlink": "missing", "what": "unknown key"}


async def test_a_fault_of_the_node_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def fail(self) -> None:
            raise ZeroDivisionError

    dispatcher = Dispatcher({"x.fail": Method("x.fail", rpc_method()(Broken.fail), False)}, 10, 1.0)
    dispatcher.methods["x.fail"].handler = lambda: 1 // 0
    dispatcher.methods["x.fail"].parameters = ()
    answer = orjson.loads(await dispatcher.answer(b'{"jsonrpc":"2.0","id":"q","method":"x.fail"}'))
    assert answer["id"] == "q"
    assert answer["error"]["code"] == -32000
    assert "ZeroDivisionError" in answer["error"]["message"]
    assert "internal error" in caplog.text


# Lenient arguments


@rpc_method()
def echo(
    number: Unsigned = 3,
    small: Unsigned32 = 0,
    text: str = "t",
    flag: bool = True,
    signed: int = 0,
    names: list[str] | None = None,
) -> list[Any]:
    """Gives its arguments back."""
    return [number, small, text, flag, signed, names]


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("number", -1, 2**64 - 1),
        ("number", "-1", 2**64 - 1),
        ("number", "100", 100),
        ("number", 1000.0, 1000),
        ("number", 7.9, 7),
        ("number", None, 3),
        ("number", True, 1),
        ("number", "", 0),
        ("number", 2**64 - 1, 2**64 - 1),
        ("small", -1, 2**32 - 1),
        ("small", 2**32 + 5, 5),
        ("text", 5, "5"),
        ("text", None, "t"),
        ("text", True, "true"),
        ("text", 1.5, "1.50000000000000000"),
        ("flag", "false", False),
        ("flag", 0, False),
        ("flag", 2, True),
        ("signed", -1, -1),
        ("signed", "-7", -7),
        ("names", ["a", 5], ["a", "5"]),
        ("names", None, None),
    ],
)
def test_arguments_are_taken_as_fc_takes_them(name: str, given: Any, taken: Any) -> None:
    method = Method("x.echo", echo, False)
    names = ["number", "small", "text", "flag", "signed", "names"]
    assert method.bind({name: given, "unknown": 1})[names.index(name)] == taken


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("number", []),
        ("number", "ten"),
        ("number", "1_0"),
        ("number", "9" * 50),
        ("number", 1e30),
        ("text", []),
        ("text", {}),
        ("flag", "yes"),
        ("flag", []),
        ("names", "a"),
        ("names", [[]]),
    ],
)
async def test_other_arguments_are_bad_casts(name: str, given: Any) -> None:
    dispatcher = Dispatcher({"x.echo": Method("x.echo", echo, False)}, 10, 1.0)
    body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "x.echo", "params": {name: given}})
    answer = orjson.loads(await dispatcher.answer(body))
    assert answer["error"]["code"] == -32000
    assert answer["error"]["data"]["name"] in ("bad_cast_exception", "parse_error_exception")
    assert f", argument {name} of x.echo" in answer["error"]["message"]
    assert all(isinstance(frame["data"], dict) for frame in answer["error"]["data"]["stack"])


async def test_a_private_key_that_was_sent_by_mistake_is_not_sent_back(service: Service) -> None:
    wif = PrivateKey.from_seed("oh").to_wif()
    public = encode_public_key(PrivateKey.from_seed("oh").public_key, "TST")
    calls: tuple[tuple[str, Any], ...] = (
        ("condenser_api.get_key_references", [[wif]]),
        ("account_by_key_api.get_key_references", {"keys": [wif]}),
        ("condenser_api.get_transaction", [wif]),
        (f"condenser_api.{wif}", []),
        (f"{wif}.x", []),
        ("condenser_api.broadcast_transaction", [{"operations": [[wif, {}]]}]),
        ("condenser_api.broadcast_transaction", [{"operations": [["vote", {"voter": wif}]]}]),
    )
    for method, params in calls:
        error = await service.error(method, params)
        assert wif not in orjson.dumps(error).decode(), method
    error = await service.error("condenser_api.get_key_references", [[public]])
    assert public in orjson.dumps(error).decode()
    answer = await service.send({"jsonrpc": "2.0", "method": "x.y", "id": f"request-{wif}"})
    assert answer["id"] == f"request-{wif}"
