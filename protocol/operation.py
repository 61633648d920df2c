"""The base class of all operations, and the registry of operations by number and by name.

Source: libraries/protocol base.hpp, operations.hpp (numbers), operation_util.hpp (required authorities).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, cast, dataclass_transform

from protocol.errors import Invalid, Rejected
from protocol.resources import UNCOUNTED, Resources
from protocol.types import Authority, snake_case

if TYPE_CHECKING:
    from protocol.rules import Rules


class RequiredAuthorities:
    """Collects the authorities that an operation or a transaction needs."""

    __slots__ = ("actives", "others", "owners", "postings")

    def __init__(self) -> None:
        self.actives: set[str] = set()
        self.owners: set[str] = set()
        self.postings: set[str] = set()
        self.others: list[Authority] = []

    def active(self, name: str) -> None:
        """Requires the active authority of an account."""
        self.actives.add(name)

    def owner(self, name: str) -> None:
        """Requires the owner authority of an account."""
        self.owners.add(name)

    def posting(self, name: str) -> None:
        """Requires the posting authority of an account."""
        self.postings.add(name)

    def other(self, authority: Authority) -> None:
        """Requires an authority given in full instead of by account name."""
        self.others.append(authority)

    def names(self) -> set[str]:
        """All accounts named, including those inside authorities given in full."""
        inside = {name for authority in self.others for name, _weight in authority.account_auths}
        return self.actives | self.owners | self.postings | inside


class Operation:
    """One action that a transaction requests, or (virtual) one event that the chain reports.

    ``number`` is the tag on the wire, ``wire_name`` the name in JSON without "_operation".
    """

    __slots__ = ()

    number: ClassVar[int]
    wire_name: ClassVar[str]
    virtual: ClassVar[bool] = False
    signer: ClassVar[tuple[str, str] | None] = None
    """The kind of authority that must have signed ("actives", "owners", "postings") and the field with the account."""
    impacts: ClassVar[tuple[str, ...]] = ()
    """Fields whose accounts get the operation in their history, empty ones excepted. Default: the signer's field."""
    impacted_roles: ClassVar[tuple[str, ...]] = ()
    """Rules that name a system account that also gets the operation in its history."""
    resources: ClassVar[Resources] = UNCOUNTED
    """Resources that every operation of this class consumes."""
    changes_stake: ClassVar[bool] = False
    """Whether `stake_accounts` may return accounts."""
    gives_credits: ClassVar[bool] = True
    """Whether an increase of an account's maximum of resource credits also increases its current credits."""
    depends_on_producer: ClassVar[bool] = False
    """Whether its outcome depends on the block producer, who is unknown when the transaction arrives."""
    is_custom: ClassVar[bool] = False
    """Whether its content is opaque to the chain; a node accepts a limited number per account and block."""

    refused: ClassVar[tuple[str, str] | None] = None
    """For an operation that the reference disabled for good: the assertion and text of its refusal."""

    def validate(self, rules: Rules) -> None:
        """Checks the fields alone; raises Invalid. A virtual operation is always invalid in a transaction."""
        if self.virtual:
            raise Invalid("false", "This is a virtual operation")

    def authorities(self, required: RequiredAuthorities) -> None:
        """Adds the authorities that must have signed; by default that of ``signer``."""
        if self.signer is not None:
            kind, field = self.signer
            getattr(required, kind).add(getattr(self, field))

    def count_resources(self) -> Resources:
        """Resources that this operation consumes, including what depends on its fields."""
        return self.resources

    def payer(self) -> str:
        """The account whose resource credits pay: the first signer by name; "" if it names none.

        Source: rc_plugin.cpp, get_resource_user.
        """
        if self.signer is not None:
            name: str = getattr(self, self.signer[1])
            return name
        required = RequiredAuthorities()
        self.authorities(required)
        return min(required.actives or required.owners or required.postings, default="")

    def stake_accounts(self) -> tuple[str, ...]:
        """The accounts whose stake it may change; their credits are regenerated before it is applied. New accounts are
        not included: they get their credits when they are created. Source: rc_plugin.cpp, the visitors before and after
        operations.
        """
        return ()

    def apply(self, ctx: Any) -> None:
        """Changes the state; raises Rejected. The base class refuses: an operation without ``apply`` is not enabled."""
        if self.virtual:
            raise Rejected("false", "This is a virtual operation")
        if self.refused is not None:
            raise Rejected(*self.refused)
        raise Rejected("false", "${name}_operation is not enabled on this chain.", name=self.wire_name).named(
            "operation_not_enabled"
        )

    def impacted(self) -> set[str]:
        """The accounts from its fields that get the operation in their history; by default those of ``impacts``.
        Accounts inside authorities given in full do not count.
        Source: libraries/chain/util/impacted.cpp.
        """
        if self.impacts:
            accounts = set(map(self.__getattribute__, self.impacts))
            accounts.discard("")
            return accounts
        required = RequiredAuthorities()
        self.authorities(required)
        return required.postings | required.actives | required.owners


class Fields(NamedTuple):
    """The fields of an operation captured by an error without the operation's name."""

    operation: Operation


OperationClass = TypeVar("OperationClass", bound=type[Operation])

OPERATIONS: dict[int, type[Operation]] = {}
"""Every declared operation by its number."""

OPERATIONS_BY_NAME: dict[str, type[Operation]] = {}
"""Every declared operation by its JSON name, without "_operation"."""


@dataclass_transform()
def operation(
    number: int,
    takes: Resources,
    *,
    active: str = "",
    owner: str = "",
    posting: str = "",
    impacts: tuple[str, ...] = (),
) -> Callable[[OperationClass], OperationClass]:
    """Declares a class with annotated fields as an operation with a frozen wire number. ``takes`` are the resources it
    consumes; ``active``, ``owner`` or ``posting`` is the field with the account that must sign; ``impacts`` are the
    fields with the accounts that get it in their history, if not the signer's.
    """
    kinds = {"actives": active, "owners": owner, "postings": posting}
    signer = next(((kind, field) for kind, field in kinds.items() if field), None)
    return _declare(number, takes, signer, impacts, virtual=False)


@dataclass_transform()
def virtual_operation(number: int, *, impacts: tuple[str, ...] = ()) -> Callable[[OperationClass], OperationClass]:
    """Declares a class with annotated fields as a virtual operation with a frozen wire number."""
    return _declare(number, UNCOUNTED, None, impacts, virtual=True)


def _declare(
    number: int, takes: Resources, signer: tuple[str, str] | None, impacts: tuple[str, ...], *, virtual: bool
) -> Callable[[OperationClass], OperationClass]:
    def register(declared: OperationClass) -> OperationClass:
        stated = declared.__dict__.get("wire_name")
        cls = cast(OperationClass, dataclass(slots=True)(declared))
        cls.number = number
        cls.wire_name = stated if isinstance(stated, str) else snake_case(cls.__name__)
        cls.virtual = virtual
        cls.resources = takes
        cls.signer = signer
        cls.impacts = impacts or (signer or ())[1:]
        cls.changes_stake = cls.stake_accounts is not Operation.stake_accounts
        unknown = [name for name in (*impacts, *(signer or ())[1:]) if name not in cls.__annotations__]
        if unknown:
            raise TypeError(f"{cls.__qualname__} has no field {unknown[0]}")
        taken = OPERATIONS.get(number) or OPERATIONS_BY_NAME.get(cls.wire_name)
        if taken is not None and (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"operation {number} ({cls.wire_name}) is already declared as {taken.__qualname__}")
        OPERATIONS[number] = cls
        OPERATIONS_BY_NAME[cls.wire_name] = cls
        return cls

    return register


def impacted(op: Operation, rules: Rules) -> set[str]:
    """The accounts that get the operation in their history, on a chain with these rules."""
    accounts = op.impacted()
    for role in op.impacted_roles:
        accounts.add(getattr(rules, role))
    return accounts


def operation_by_name(name: str) -> type[Operation] | None:
    """Finds an operation by "transfer", "transfer_operation" or "2"; None if there is none."""
    cls = OPERATIONS_BY_NAME.get(name)
    if cls is None and name.endswith("_operation"):
        cls = OPERATIONS_BY_NAME.get(name.removesuffix("_operation"))
    if cls is None and name.isascii() and name.isdigit():
        cls = OPERATIONS.get(int(name))
    return cls
