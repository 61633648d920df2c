"""The registry of all APIs."""

from collections.abc import Mapping
from typing import Any

from rpc.apis.access import NodeAccess
from rpc.apis.account_by_key import AccountByKeyApi
from rpc.apis.account_history import AccountHistoryApi
from rpc.apis.block import BlockApi
from rpc.apis.bridge import BridgeApi
from rpc.apis.condenser import CondenserApi
from rpc.apis.database import DatabaseApi
from rpc.apis.jsonrpc import DiscoveryApi, JsonRpcApi
from rpc.apis.market_history import MarketHistoryApi
from rpc.apis.network_broadcast import NetworkBroadcastApi
from rpc.apis.plaudit import PlauditApi
from rpc.apis.rc import RcApi
from rpc.apis.reputation import ReputationApi
from rpc.apis.transaction_status import TransactionStatusApi
from rpc.dispatch import Dispatcher, OnAnswer
from rpc.error_forms import ErrorForms
from rpc.method import Method, collect_methods
from rpc.slices import Version

POSITIONAL_APIS = frozenset({"condenser_api"})
"""APIs with positional arguments (an array)."""


def build_methods(node: NodeAccess, extra: Mapping[str, Any] | None = None) -> dict[str, Method]:
    """Returns every method by its full name; `extra` adds further APIs."""
    methods: dict[str, Method] = {}
    condenser = CondenserApi(node)
    apis: dict[str, Any] = {
        "condenser_api": condenser,
        "database_api": DatabaseApi(node),
        "block_api": BlockApi(node),
        "account_history_api": AccountHistoryApi(node),
        "account_by_key_api": AccountByKeyApi(node),
        "market_history_api": MarketHistoryApi(node),
        "network_broadcast_api": NetworkBroadcastApi(node),
        "rc_api": RcApi(node),
        "reputation_api": ReputationApi(node),
        "transaction_status_api": TransactionStatusApi(node),
        "bridge": BridgeApi(node, condenser),
        "plaudit_api": PlauditApi(node),
        "jsonrpc": JsonRpcApi(lambda: methods),
        "rpc": DiscoveryApi(lambda: methods),
    }
    methods.update(collect_methods(apis | dict(extra or {}), POSITIONAL_APIS))
    return methods


def build_dispatcher(
    node: NodeAccess,
    extra: Mapping[str, Any] | None = None,
    *,
    batch_length_max: int,
    batch_seconds_max: float,
    on_answer: OnAnswer | None = None,
) -> Dispatcher:
    """Returns the dispatcher of a node's methods."""
    forms = ErrorForms(node.chain.codec, node.chain.config.identity)
    chain = node.chain
    return Dispatcher(
        build_methods(node, extra),
        batch_length_max,
        batch_seconds_max,
        forms.show,
        on_answer,
        lambda: Version(chain.head_id, chain.store.pending_changes),
    )
