"""Resource credits of accounts, and what is left of each resource."""

from typing import NamedTuple

from state.tables.accounts import Manabar


class RcAccount(NamedTuple):
    """An account's resource credits. Source: plugins/rc/rc_objects.hpp, rc_account_object.

    Credits are counted in VESTS satoshis. `max_rc_creation_adjustment` is what the fee for the account's creation gave
    it for good; `last_max_rc` is the maximum at the last change of its stake.
    """

    account: str
    rc_manabar: Manabar
    max_rc_creation_adjustment: int
    last_max_rc: int


class RcPools(NamedTuple):
    """The one row with what is left of each resource. Source: plugins/rc/rc_objects.hpp, rc_pool_object.

    In the order of the reference: history bytes, new accounts, market bytes, state bytes, execution time.
    """

    id: int
    pools: tuple[int, ...]
