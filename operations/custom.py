"""Application data; the chain checks only its form and its signatures."""

from typing import Annotated, ClassVar

from operations.checks import byte_size, check_authority, check_json
from protocol.errors import Invalid, Rejected
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.resources import Resources
from protocol.rules import Rules
from protocol.types import U16, AccountName, Authority, Bytes, CustomId, SortedSet, String, Vector
from state.context import Context

_NO_ACCOUNT = "at least one account must be specified"


def _check_data_size(ctx: Context, size: int, measured: str = "data.size()", named: str = "data") -> None:
    """Refuses oversized data in an arriving transaction; blocks may contain it."""
    limit = ctx.rules.custom_op_data_max_bytes
    if ctx.is_pending and not size <= limit:
        text = f"Operation {named} must be less than ${{bytes}} bytes."
        raise Rejected(f"o.{measured} <= STEEM_CUSTOM_OP_DATA_MAX_LENGTH", text, bytes=limit)


def _check_authority_count(ctx: Context, count: int, assertion: str) -> None:
    limit = ctx.rules.max_authority_membership
    if not count <= limit:
        raise Rejected(assertion, "Authority membership exceeded. Max: ${max} Current: ${n}", max=limit, n=count)


def _check_id(name: str, rules: Rules) -> None:
    size = byte_size(name)
    if not size <= rules.custom_op_id_max_bytes:
        raise Invalid(
            "id.size() <= STEEM_CUSTOM_OP_ID_MAX_LENGTH",
            "Operation ID length exceeded. Max: ${max} Current: ${n}",
            max=rules.custom_op_id_max_bytes,
            n=size,
        )


FOLLOW_TIMES = 20
"""Execution time factor of data with the id "follow": such data counts as this many operations."""


def _count_custom(op: "CustomJson | CustomBinary") -> Resources:
    times = FOLLOW_TIMES if op.id == "follow" else 1
    return op.resources.more(execution_time=(times - 1) * op.resources.execution_time)


@operation(number=15, takes=Resources(11_400))
class Custom(Operation):
    """Puts numbered binary data on the chain.

    Source: steem_operations.hpp, custom_operation; steem_operations.cpp, custom_operation::validate;
    steem_evaluator.cpp, custom_evaluator.
    """

    is_custom: ClassVar[bool] = True

    required_auths: Annotated[SortedSet[AccountName], "Accounts that sign with their active authority; at least one."]
    id: Annotated[U16, "Number that tells programs what the data is."]
    data: Annotated[Bytes, "The data, at most 8192 bytes."]

    def validate(self, rules: Rules) -> None:
        if not self.required_auths:
            raise Invalid("required_auths.size() > 0", _NO_ACCOUNT)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.actives.update(self.required_auths)

    def apply(self, ctx: Context) -> None:
        _check_data_size(ctx, len(self.data))
        _check_authority_count(
            ctx, len(self.required_auths), "o.required_auths.size() <= STEEM_MAX_AUTHORITY_MEMBERSHIP"
        )


@operation(number=18, takes=Resources(11_400))
class CustomJson(Operation):
    """Puts named JSON data on the chain.

    Source: steem_operations.hpp, custom_json_operation; steem_operations.cpp, custom_json_operation::validate;
    steem_evaluator.cpp, custom_json_evaluator.
    """

    is_custom: ClassVar[bool] = True

    required_auths: Annotated[SortedSet[AccountName], "Accounts that sign with their active authority."]
    required_posting_auths: Annotated[SortedSet[AccountName], "Accounts that sign with their posting authority."]
    id: Annotated[CustomId, "Name that tells programs what the data is, at most 32 bytes."]
    json: Annotated[String, "The data: JSON in UTF-8, at most 8192 bytes."]

    def validate(self, rules: Rules) -> None:
        if not (self.required_auths or self.required_posting_auths):
            raise Invalid("(required_auths.size() + required_posting_auths.size()) > 0", _NO_ACCOUNT)
        _check_id(self.id, rules)
        check_json(self.json, "json")

    def count_resources(self) -> Resources:
        return _count_custom(self)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.actives.update(self.required_auths)
        required.postings.update(self.required_posting_auths)

    def apply(self, ctx: Context) -> None:
        _check_data_size(ctx, byte_size(self.json), "json.length()", "JSON")
        count = len(self.required_auths) + len(self.required_posting_auths)
        _check_authority_count(ctx, count, "num_auths <= STEEM_MAX_AUTHORITY_MEMBERSHIP")


@operation(number=35, takes=Resources(11_400))
class CustomBinary(Operation):
    """Puts named binary data on the chain, with any kind of authority. Nodes refuse new ones; blocks may contain them.

    Source: steem_operations.hpp, custom_binary_operation; steem_operations.cpp, custom_binary_operation::validate;
    steem_evaluator.cpp, custom_binary_evaluator.
    """

    is_custom: ClassVar[bool] = True
    refused = ("false", "custom_binary_operation is deprecated")

    required_owner_auths: Annotated[SortedSet[AccountName], "Accounts that sign with their owner authority."]
    required_active_auths: Annotated[SortedSet[AccountName], "Accounts that sign with their active authority."]
    required_posting_auths: Annotated[SortedSet[AccountName], "Accounts that sign with their posting authority."]
    required_auths: Annotated[Vector[Authority], "Authorities written out that must be satisfied too."]
    id: Annotated[CustomId, "Name that tells programs what the data is, at most 32 bytes."]
    data: Annotated[Bytes, "The data, at most 8192 bytes."]

    def validate(self, rules: Rules) -> None:
        if not (self.required_owner_auths or self.required_active_auths or self.required_posting_auths):
            raise Invalid(
                "(required_owner_auths.size() + required_active_auths.size() + required_posting_auths.size()) > 0",
                _NO_ACCOUNT,
            )
        _check_id(self.id, rules)
        for authority in self.required_auths:
            check_authority(authority)

    def count_resources(self) -> Resources:
        return _count_custom(self)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.owners.update(self.required_owner_auths)
        required.actives.update(self.required_active_auths)
        required.postings.update(self.required_posting_auths)
        for authority in self.required_auths:
            required.other(authority)

    def apply(self, ctx: Context) -> None:
        _check_data_size(ctx, len(self.data))
        if ctx.is_pending:
            Operation.apply(self, ctx)
        count = len(self.required_owner_auths) + len(self.required_active_auths) + len(self.required_posting_auths)
        count += sum(len(authority.key_auths) + len(authority.account_auths) for authority in self.required_auths)
        _check_authority_count(ctx, count, "num_auths <= STEEM_MAX_AUTHORITY_MEMBERSHIP")
