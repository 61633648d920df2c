"""What an operation takes of the chain's resources, who pays for a transaction, and whose stake an operation changes.

The measures of the reference stand here side by side: they are published by rc_api, and clients compute with them.
Bytes of state are weighted by how long they stay: 10,000 for what stays for ever, less for what goes.

Source: libraries/plugins/rc/resource_count.cpp, resource_sizes.hpp, and in rc_plugin.cpp get_resource_user and the
visitors before and after operations.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from operations.account import (
    AccountCreate,
    AccountCreateWithDelegation,
    AccountUpdate,
    AccountUpdate2,
    ClaimAccount,
    CreateClaimedAccount,
)
from operations.content import Comment, CommentOptions, CommentPayoutBeneficiaries, DeleteComment
from operations.convert import Convert
from operations.custom import Custom, CustomBinary, CustomJson
from operations.escrow import EscrowApprove, EscrowDispute, EscrowRelease, EscrowTransfer
from operations.market import LimitOrderCancel, LimitOrderCreate, LimitOrderCreate2
from operations.proposal import CreateProposal, RemoveProposal, UpdateProposalVotes
from operations.recovery import ChangeRecoveryAccount, DeclineVotingRights, RecoverAccount, RequestAccountRecovery
from operations.reward import ClaimRewardBalance, ClaimRewardBalance2
from operations.savings import CancelTransferFromSavings, TransferFromSavings, TransferToSavings
from operations.transfer import Transfer
from operations.vesting import DelegateVestingShares, SetWithdrawVestingRoute, TransferToVesting, WithdrawVesting
from operations.vote import Vote
from operations.witness import (
    AccountWitnessProxy,
    AccountWitnessVote,
    FeedPublish,
    WitnessSetProperties,
    WitnessUpdate,
)
from protocol.actions import ExampleOptionalAction
from protocol.operation import Operation, RequiredAuthorities
from protocol.transaction import Transaction
from protocol.types import Authority

RESOURCE_NAMES: Final = (
    "resource_history_bytes",
    "resource_new_accounts",
    "resource_market_bytes",
    "resource_state_bytes",
    "resource_execution_time",
)
"""The resources in the order in which counts and pools stand."""

STATE_BYTES_SCALE: Final = 10_000
"""Weight of a byte that stays for ever."""

STATE_SIZES: Final[dict[str, int]] = {
    "authority_base_size": 4 * STATE_BYTES_SCALE,
    "authority_account_member_size": 18 * STATE_BYTES_SCALE,
    "authority_key_member_size": 35 * STATE_BYTES_SCALE,
    "account_object_base_size": 480 * STATE_BYTES_SCALE,
    "account_authority_object_base_size": 40 * STATE_BYTES_SCALE,
    "account_recovery_request_object_base_size": 32 * STATE_BYTES_SCALE,
    "comment_object_base_size": 201 * STATE_BYTES_SCALE,
    "comment_object_permlink_char_size": STATE_BYTES_SCALE,
    "comment_object_parent_permlink_char_size": 2 * STATE_BYTES_SCALE,
    "comment_object_beneficiaries_member_size": 18 * STATE_BYTES_SCALE,
    "comment_vote_object_base_size": 47 * 525,
    "convert_request_object_base_size": 48 * STATE_BYTES_SCALE,
    "decline_voting_rights_request_object_base_size": 28 * STATE_BYTES_SCALE,
    "escrow_object_base_size": 119 * STATE_BYTES_SCALE,
    "limit_order_object_base_size": 76 * 1940,
    "savings_withdraw_object_byte_size": 64 * 229,
    "transaction_object_base_size": 35 * 174,
    "transaction_object_byte_size": 174,
    "vesting_delegation_object_base_size": 60 * STATE_BYTES_SCALE,
    "vesting_delegation_expiration_object_base_size": 44 * STATE_BYTES_SCALE,
    "withdraw_vesting_route_object_base_size": 43 * STATE_BYTES_SCALE,
    "witness_object_base_size": 266 * STATE_BYTES_SCALE,
    "witness_object_url_char_size": STATE_BYTES_SCALE,
    "witness_vote_object_base_size": 40 * STATE_BYTES_SCALE,
    "proposal_object_base_size": 68 * STATE_BYTES_SCALE,
    "proposal_vote_object_base_size": 24 * STATE_BYTES_SCALE,
    "proposal_vote_object_member_size": 8 * STATE_BYTES_SCALE,
}
"""Weighted bytes of state by the reference's name for what takes them."""

EXECUTION_TIMES: Final[dict[str, int]] = {
    "account_create": 57_700,
    "account_create_with_delegation": 57_700,
    "account_update": 14_000,
    "account_update2": 14_000,
    "account_witness_proxy": 117_000,
    "account_witness_vote": 23_000,
    "cancel_transfer_from_savings": 11_500,
    "change_recovery_account": 12_000,
    "claim_account": 10_000,
    "claim_reward_balance": 50_300,
    "comment": 114_100,
    "comment_options": 13_200,
    "convert": 15_700,
    "create_claimed_account": 57_700,
    "custom": 11_400,
    "custom_json": 11_400,
    "custom_binary": 11_400,
    "decline_voting_rights": 5_300,
    "delegate_vesting_shares": 19_900,
    "delete_comment": 51_100,
    "escrow_approve": 9_900,
    "escrow_dispute": 11_500,
    "escrow_release": 17_200,
    "escrow_transfer": 19_100,
    "feed_publish": 6_200,
    "limit_order_cancel": 9_600,
    "limit_order_create": 31_700,
    "limit_order_create2": 31_700,
    "request_account_recovery": 54_400,
    "set_withdraw_vesting_route": 17_900,
    "transfer_from_savings": 17_500,
    "transfer": 9_600,
    "transfer_to_savings": 6_400,
    "transfer_to_vesting": 44_400,
    "vote": 26_500,
    "withdraw_vesting": 10_400,
    "witness_set_properties": 9_500,
    "witness_update": 9_500,
    "claim_reward_balance2": 0,
    "smt_setup": 0,
    "smt_setup_emissions": 0,
    "smt_set_setup_parameters": 0,
    "smt_set_runtime_parameters": 0,
    "smt_create": 0,
    "smt_contribute": 0,
    "create_proposal": 31_700,
    "update_proposal_votes": 12_000,
    "remove_proposal": 12_000,
}
"""Nanoseconds that the reference reckons for an operation, by its name, in the reference's order.

An operation that is not named takes none.
"""

FOLLOW_EXECUTION_SCALE: Final = 20
"""A custom_json with the id "follow" counts as so many."""

STRING_OBJECT_BYTES: Final = 32
"""Size of a string object in the reference's memory: a proposal is charged for two, unweighted, whatever they hold."""

Counts = tuple[int, int, int, int, int]
"""An amount of each resource."""

NOTHING: Final[Counts] = (0, 0, 0, 0, 0)


class OperationResources(NamedTuple):
    """What one kind of operation takes, besides the bytes of its transaction.

    `count_more` returns what depends on the fields: weighted state bytes, execution time and new accounts.
    """

    execution_time: int
    state_bytes: int = 0
    is_market: bool = False
    count_more: Callable[[Any], tuple[int, int, int]] | None = None


def _count_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _weigh_authorities(op: AccountCreate | AccountCreateWithDelegation | CreateClaimedAccount) -> tuple[int, int, int]:
    return sum(_weigh_authority(authority) for authority in (op.owner, op.active, op.posting)), 0, 0


def _weigh_authority(authority: Authority) -> int:
    return (
        STATE_SIZES["authority_base_size"]
        + STATE_SIZES["authority_account_member_size"] * len(authority.account_auths)
        + STATE_SIZES["authority_key_member_size"] * len(authority.key_auths)
    )


def _weigh_permlinks(op: Comment) -> tuple[int, int, int]:
    own = STATE_SIZES["comment_object_permlink_char_size"] * _count_bytes(op.permlink)
    parent = STATE_SIZES["comment_object_parent_permlink_char_size"] * _count_bytes(op.parent_permlink)
    return own + parent, 0, 0


def _weigh_beneficiaries(op: CommentOptions) -> tuple[int, int, int]:
    count = sum(len(part.beneficiaries) for part in op.extensions if isinstance(part, CommentPayoutBeneficiaries))
    return STATE_SIZES["comment_object_beneficiaries_member_size"] * count, 0, 0


def _weigh_order(op: LimitOrderCreate | LimitOrderCreate2) -> tuple[int, int, int]:
    return 0 if op.fill_or_kill else STATE_SIZES["limit_order_object_base_size"], 0, 0


def _weigh_url(op: WitnessUpdate) -> tuple[int, int, int]:
    return STATE_SIZES["witness_object_url_char_size"] * _count_bytes(op.url), 0, 0


def _count_claim(op: ClaimAccount) -> tuple[int, int, int]:
    return 0, 0, 1 if op.fee.amount == 0 else 0


def _count_custom(op: CustomJson | CustomBinary) -> tuple[int, int, int]:
    is_follow = op.id == "follow"
    return 0, EXECUTION_TIMES["custom"] * (FOLLOW_EXECUTION_SCALE - 1) if is_follow else 0, 0


def _weigh_proposal_ids(op: UpdateProposalVotes) -> tuple[int, int, int]:
    return STATE_SIZES["proposal_vote_object_member_size"] * len(op.proposal_ids), 0, 0


_NEW_ACCOUNT: Final = STATE_SIZES["account_object_base_size"] + STATE_SIZES["account_authority_object_base_size"]


def _declare(
    operation: type[Operation],
    state_bytes: int = 0,
    *,
    is_market: bool = False,
    more: Callable[[Any], tuple[int, int, int]] | None = None,
) -> tuple[type[Operation], OperationResources]:
    resources = OperationResources(EXECUTION_TIMES[operation.wire_name], state_bytes, is_market, more)
    return operation, resources


OPERATION_RESOURCES: Final[dict[type[Operation], OperationResources]] = dict(
    (
        _declare(AccountCreate, _NEW_ACCOUNT, more=_weigh_authorities),
        _declare(
            AccountCreateWithDelegation,
            _NEW_ACCOUNT + STATE_SIZES["vesting_delegation_object_base_size"],
            more=_weigh_authorities,
        ),
        _declare(CreateClaimedAccount, _NEW_ACCOUNT, more=_weigh_authorities),
        _declare(ClaimAccount, more=_count_claim),
        _declare(AccountUpdate),
        _declare(AccountUpdate2),
        _declare(AccountWitnessProxy),
        _declare(AccountWitnessVote, STATE_SIZES["witness_vote_object_base_size"]),
        _declare(WitnessUpdate, STATE_SIZES["witness_object_base_size"], more=_weigh_url),
        _declare(WitnessSetProperties),
        _declare(FeedPublish),
        _declare(Comment, STATE_SIZES["comment_object_base_size"], more=_weigh_permlinks),
        _declare(CommentOptions, more=_weigh_beneficiaries),
        _declare(DeleteComment),
        _declare(Vote, STATE_SIZES["comment_vote_object_base_size"]),
        _declare(ClaimRewardBalance),
        _declare(ClaimRewardBalance2),
        _declare(Custom),
        _declare(CustomJson, more=_count_custom),
        _declare(CustomBinary, more=_count_custom),
        _declare(Transfer, is_market=True),
        _declare(TransferToVesting, is_market=True),
        _declare(WithdrawVesting),
        _declare(SetWithdrawVestingRoute, STATE_SIZES["withdraw_vesting_route_object_base_size"]),
        _declare(
            DelegateVestingShares,
            max(
                STATE_SIZES["vesting_delegation_object_base_size"],
                STATE_SIZES["vesting_delegation_expiration_object_base_size"],
            ),
        ),
        _declare(Convert, STATE_SIZES["convert_request_object_base_size"]),
        _declare(LimitOrderCreate, is_market=True, more=_weigh_order),
        _declare(LimitOrderCreate2, is_market=True, more=_weigh_order),
        _declare(LimitOrderCancel),
        _declare(TransferToSavings),
        _declare(TransferFromSavings, STATE_SIZES["savings_withdraw_object_byte_size"]),
        _declare(CancelTransferFromSavings),
        _declare(EscrowTransfer, STATE_SIZES["escrow_object_base_size"]),
        _declare(EscrowApprove),
        _declare(EscrowDispute),
        _declare(EscrowRelease),
        _declare(RequestAccountRecovery, STATE_SIZES["account_recovery_request_object_base_size"]),
        _declare(ChangeRecoveryAccount),
        _declare(DeclineVotingRights, STATE_SIZES["decline_voting_rights_request_object_base_size"]),
        _declare(CreateProposal, STATE_SIZES["proposal_object_base_size"] + 2 * STRING_OBJECT_BYTES),
        _declare(UpdateProposalVotes, STATE_SIZES["proposal_vote_object_base_size"], more=_weigh_proposal_ids),
        _declare(RemoveProposal),
    )
)
"""What each operation takes; one that is not listed takes the bytes of its transaction only."""

_UNLISTED: Final = OperationResources(0)
_TRANSACTION_BASE: Final = STATE_SIZES["transaction_object_base_size"]
_TRANSACTION_BYTE: Final = STATE_SIZES["transaction_object_byte_size"]


def count_resources(transaction: Transaction) -> Counts:
    """What a transaction takes of each resource, not yet multiplied with the resource's unit."""
    size = transaction.size
    state_bytes = _TRANSACTION_BASE + _TRANSACTION_BYTE * size
    execution_time = new_accounts = 0
    is_market = False
    for op in transaction.operations:
        resources = OPERATION_RESOURCES.get(type(op), _UNLISTED)
        execution_time += resources.execution_time
        state_bytes += resources.state_bytes
        if resources.is_market:
            is_market = True
        if resources.count_more is not None:
            more_state, more_time, more_accounts = resources.count_more(op)
            state_bytes += more_state
            execution_time += more_time
            new_accounts += more_accounts
    return size, new_accounts, size if is_market else 0, state_bytes, execution_time


def find_resource_user(transaction: Transaction) -> str | None:
    """The account that pays: the first, by name, that must sign the first operation which names one."""
    for op in transaction.operations:
        user = _find_user(op)
        if user:
            return user
    return None


def find_action_user(action: Any) -> str:
    """The account that pays for an optional action."""
    user: str = action.account if isinstance(action, ExampleOptionalAction) else action.control_account
    return user


def _find_user(op: Operation) -> str | None:
    known = _USERS.get(type(op))
    if known is not None:
        return known(op)
    required = RequiredAuthorities()
    op.authorities(required)
    for names in (required.actives, required.owners, required.postings):
        if names:
            return min(names)
    return None


def _find_recovery_user(op: RecoverAccount) -> str:
    for authority in (op.new_owner_authority, op.recent_owner_authority):
        if authority.account_auths:
            return authority.account_auths[0][0]
    return op.account_to_recover


_USERS: Final[dict[type[Operation], Callable[[Any], str]]] = {
    WitnessSetProperties: lambda op: op.owner,
    RecoverAccount: _find_recovery_user,
    Comment: lambda op: op.author,
    Transfer: lambda op: op.from_,
    Vote: lambda op: op.voter,
}
"""Who pays where it is not a signer that is named; and, to be fast, for the most frequent operations."""


def _names(*attributes: str) -> Callable[[Any], Iterable[str]]:
    return lambda op: [getattr(op, attribute) for attribute in attributes]


STAKE_CHANGES: Final[dict[type[Operation], Callable[[Any], Iterable[str]]]] = {
    TransferToVesting: lambda op: (op.to or op.from_,),
    WithdrawVesting: _names("account"),
    SetWithdrawVestingRoute: _names("from_account"),
    DelegateVestingShares: _names("delegator", "delegatee"),
    ClaimRewardBalance: _names("account"),
    ClaimRewardBalance2: _names("account"),
    CreateProposal: _names("creator", "receiver"),
    UpdateProposalVotes: _names("voter"),
    RemoveProposal: _names("proposal_owner"),
}
"""Operations before which credits are brought up to date because they may change the stake, and whose.

New accounts are not here: they get their credits when they are made.
"""

WITHOUT_NEW_CREDITS: Final = frozenset({WithdrawVesting, SetWithdrawVestingRoute})
"""Of these, the ones after which a greater maximum does not come with credits."""
