"""Resource credits of accounts, and the resource pools."""

from protocol.types import I64, AccountName, Vector
from state.engine.declare import table
from state.engine.rows import Row
from state.tables.accounts import Manabar
from state.tables.kinds import ObjectId, Vests


@table(40, key="account")
class RcAccount(Row):
    """An account's resource credits. Source: plugins/rc/rc_objects.hpp, rc_account_object.

    Credits are counted in VESTS satoshis. `max_rc_creation_adjustment` is the permanent bonus from the account's
    creation fee; `last_max_rc` is the maximum at the last change of its stake.
    """

    account: AccountName
    rc_manabar: Manabar
    max_rc_creation_adjustment: Vests
    last_max_rc: I64


@table(41, key="id")
class RcPools(Row):
    """The single row of the resource pools. Source: plugins/rc/rc_objects.hpp, rc_pool_object.

    In the order of the reference: history bytes, new accounts, market bytes, state bytes, execution time.
    """

    id: ObjectId
    pools: Vector[I64]
