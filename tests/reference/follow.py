"""A chain that follows a block log of the C++ node, and its answers in the shape in which that node's were recorded."""

from collections.abc import Iterator
from typing import Any

import orjson

from chain.effects import Applied
from index.indexes import open_chain
from node.core import NodeSettings
from node.shell.node_shell import NodeShell
from protocol.block import Block
from protocol.config import ChainConfig
from rpc.apis.registry import build_methods
from rpc.method import Method
from rpc.slices import make_at_once
from tests.vectors import read_block_log, recorded_path

LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "witnesses": ("list_witnesses", {"start": "", "limit": 200, "order": "by_name"}),
    "witness_votes": ("list_witness_votes", {"start": ["", ""], "limit": 1000, "order": "by_account_witness"}),
    "votes": ("list_votes", {"start": ["", "", ""], "limit": 1000, "order": "by_voter_comment"}),
    "limit_orders": ("list_limit_orders", {"start": ["", 0], "limit": 1000, "order": "by_account"}),
    "sbd_conversion_requests": (
        "list_sbd_conversion_requests",
        {"start": ["", 0], "limit": 1000, "order": "by_account"},
    ),
    "savings_withdrawals": ("list_savings_withdrawals", {"start": ["", 0], "limit": 1000, "order": "by_from_id"}),
    "escrows": ("list_escrows", {"start": ["", 0], "limit": 1000, "order": "by_from_id"}),
    "proposals": (
        "list_proposals",
        {"start": [""], "limit": 100, "order": "by_creator", "order_direction": "ascending", "status": "all"},
    ),
    "proposal_votes": (
        "list_proposal_votes",
        {"start": [""], "limit": 1000, "order": "by_voter_proposal", "order_direction": "ascending", "status": "all"},
    ),
    "vesting_delegations": (
        "list_vesting_delegations",
        {"start": ["", ""], "limit": 1000, "order": "by_delegation"},
    ),
    "vesting_delegation_expirations": (
        "list_vesting_delegation_expirations",
        {"start": ["1970-01-01T00:00:00", 0], "limit": 1000, "order": "by_expiration"},
    ),
    "withdraw_vesting_routes": (
        "list_withdraw_vesting_routes",
        {"start": ["", ""], "limit": 1000, "order": "by_withdraw_route"},
    ),
    "account_recovery_requests": (
        "list_account_recovery_requests",
        {"start": "", "limit": 1000, "order": "by_account"},
    ),
    "change_recovery_account_requests": (
        "list_change_recovery_account_requests",
        {"start": "", "limit": 1000, "order": "by_account"},
    ),
    "decline_voting_rights_requests": (
        "list_decline_voting_rights_requests",
        {"start": "", "limit": 1000, "order": "by_account"},
    ),
    "owner_histories": ("list_owner_histories", {"start": ["", "1970-01-01T00:00:00"], "limit": 1000}),
}
"""How database_api was asked for each list, as reference_common/README.md says."""

CONDENSER_GETTERS = (
    "dynamic_global_properties",
    "witness_schedule",
    "chain_properties",
    "active_witnesses",
    "feed_history",
    "current_median_history_price",
    "ticker",
    "volume",
)
DATABASE_GETTERS = (
    "dynamic_global_properties",
    "reward_funds",
    "witness_schedule",
    "feed_history",
    "hardfork_properties",
)
BODY_SHOWN = 60
"""The recorded bodies and metadata of posts are cut to this length. `promoted` is left aside: the reference itself
shows another symbol there after a replay."""


class Follower:
    """A chain in memory that follows the block log of a recorded chain, with the APIs over it."""

    def __init__(self, name: str) -> None:
        self.chain, self.indexes = open_chain(ChainConfig.preset("testnet"))
        self.shell = NodeShell(self.chain, self.indexes, NodeSettings())
        self.methods: dict[str, Method] = build_methods(self.shell)
        self._packed = list(read_block_log(recorded_path(name, "block_log")))

    def call(self, name: str, params: Any) -> Any:
        """What a client would get, through JSON."""
        method = self.methods[name]
        result = method.handler(*method.bind(params))
        if method.is_sliced:
            return orjson.loads(b"".join(make_at_once(result, method.rows)))
        return orjson.loads(orjson.dumps(result))

    def push_next(self) -> Applied:
        """Applies the next block of the log with all checks."""
        (applied,) = self.chain.push_block(self.read_next()).applied
        return applied

    def read_next(self) -> Block:
        """The next block of the log."""
        return Block.from_bytes(self.chain.codec, self._packed[self.chain.head_number])

    def push_waiting(self, expires_until: int) -> None:
        """Pushes those transactions of the next block that expire until then and do not wait already.

        Each transaction of the recorded chains was sent with a later expiration than the one before it at the same
        height, so these are the ones that waited when one with this expiration was sent.
        """
        for transaction in self.read_next().transactions:
            if transaction.expiration <= expires_until and transaction.id not in self.chain.pending:
                self.chain.push_transaction(transaction)

    def operations(self, number: int) -> list[Any]:
        """The operations of a block as condenser_api shows them."""
        result: list[Any] = self.call("condenser_api.get_ops_in_block", [number, False])
        return result

    def state(self, recorded: dict[str, Any]) -> dict[str, Any]:
        """Our answers to the calls that made a recorded state, in the same shape."""
        condenser, database = recorded["condenser_api"], recorded["database_api"]
        mine: dict[str, Any] = {"condenser_api": {}, "database_api": {}}
        for key in condenser:
            mine["condenser_api"][key] = self._condenser(key, condenser[key])
        for key in database:
            mine["database_api"][key] = self._database(key, database[key])
        mine["rc_api"] = self._resource_credits(recorded["rc_api"])
        return mine

    def _resource_credits(self, recorded: dict[str, Any]) -> dict[str, Any]:
        names = [row["account"] for row in recorded["rc_accounts"]]
        found = self.call("rc_api.find_rc_accounts", {"accounts": names})["rc_accounts"]
        return {"rc_accounts": found, "resource_pool": self.call("rc_api.get_resource_pool", {})["resource_pool"]}

    def _condenser(self, key: str, recorded: Any) -> Any:
        if key in CONDENSER_GETTERS:
            return self.call(f"condenser_api.get_{key}", [])
        if key == "accounts":
            return self.call("condenser_api.get_accounts", [[account["name"] for account in recorded]])
        if key == "reward_fund":
            return self.call("condenser_api.get_reward_fund", ["post"])
        if key == "witnesses_by_vote":
            return self.call("condenser_api.get_witnesses_by_vote", ["", 100])
        if key == "order_book":
            return self.call("condenser_api.get_order_book", [50])
        if key == "content":
            posts = [self.call("condenser_api.get_content", [post["author"], post["permlink"]]) for post in recorded]
            for post, known in zip(posts, recorded, strict=True):
                for text in ("body", "json_metadata"):
                    post[text] = post[text][: max(BODY_SHOWN, len(known[text]))]
                post["promoted"] = known["promoted"]
            return posts
        raise AssertionError(f"no call known for condenser_api {key}")

    def _database(self, key: str, recorded: Any) -> Any:
        if key in DATABASE_GETTERS:
            return self.call(f"database_api.get_{key}", {})
        if key == "accounts":
            names = [account["name"] for account in recorded["accounts"]]
            return self.call("database_api.find_accounts", {"accounts": names})
        if key == "comments":
            pairs = [[comment["author"], comment["permlink"]] for comment in recorded]
            shown = self.call("database_api.find_comments", {"comments": pairs})["comments"]
            for comment in shown:
                del comment["body"], comment["json_metadata"]
            return shown
        name, params = LISTS[key]
        return self.call(f"database_api.{name}", params)


def differences(mine: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Every place where two JSON values differ, types included, in words."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        if list(mine) != list(theirs) and set(mine) == set(theirs):
            yield f"{path}: order of members {list(mine)} instead of {list(theirs)}"
        for key in theirs:
            if key not in mine:
                yield f"{path}.{key}: missing, should be {theirs[key]!r:.80}"
            else:
                yield from differences(mine[key], theirs[key], f"{path}.{key}")
        for key in mine:
            if key not in theirs:
                yield f"{path}.{key}: {mine[key]!r:.80} should not be there"
    elif isinstance(mine, list) and isinstance(theirs, list):
        if len(mine) != len(theirs):
            yield f"{path}: {len(mine)} entries instead of {len(theirs)}"
        for index, (left, right) in enumerate(zip(mine, theirs, strict=False)):
            yield from differences(left, right, f"{path}[{_label(right, index)}]")
    elif type(mine) is not type(theirs) or mine != theirs:
        yield f"{path}: {mine!r:.160} instead of {theirs!r:.160}"


def _label(value: Any, index: int) -> str:
    if isinstance(value, dict):
        for name in ("name", "owner", "permlink", "author"):
            if name in value:
                return f"{index} {value[name]}"
    return str(index)
