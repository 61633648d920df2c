"""Virtual operations: events that the chain reports, in block order. They cannot be sent.

Their numbers follow the last operation that can be sent; the reference's order is kept. They are never in a block, so
their numbers matter only inside one node.
Source: steem_virtual_operations.hpp, sps_operations.hpp; operations.hpp for the order; impacted.cpp.
"""

from typing import Annotated

from protocol.actions import ContributionPayout
from protocol.assets import SBD, Asset
from protocol.operation import Operation, virtual_operation
from protocol.types import (
    U16,
    U32,
    AccountName,
    Default,
    Permlink,
    Ripemd160,
    Share,
    SortedMap,
    String,
    Symbol,
    Time,
    UnitTarget,
    Vector,
)
from protocol.unit_targets import find_target_account


@virtual_operation(number=56, impacts=("owner",))
class FillConvertRequest(Operation):
    """A conversion was paid out. Source: database.cpp, database::process_conversions."""

    owner: Annotated[AccountName, "Account that converted."]
    requestid: Annotated[U32, "Number of its request."]
    amount_in: Annotated[Asset, "SBD converted, in thousandths."]
    amount_out: Annotated[Asset, "STEEM paid, in thousandths."]


@virtual_operation(number=57, impacts=("author",))
class AuthorReward(Operation):
    """An author was paid. Source: database.cpp, database::cashout_comment_helper."""

    author: Annotated[AccountName, "Author of the post."]
    permlink: Annotated[Permlink, "Permlink of the post."]
    sbd_payout: Annotated[Asset, "SBD part, in thousandths."]
    steem_payout: Annotated[Asset, "STEEM part, in thousandths."]
    vesting_payout: Annotated[Asset, "VESTS part, in millionths."]


@virtual_operation(number=58, impacts=("curator",))
class CurationReward(Operation):
    """A curator was paid. Source: database.cpp, database::pay_curators."""

    curator: Annotated[AccountName, "Account that voted."]
    reward: Annotated[Asset, "VESTS paid, in millionths."]
    comment_author: Annotated[AccountName, "Author of the post."]
    comment_permlink: Annotated[Permlink, "Permlink of the post."]


@virtual_operation(number=59)
class CommentReward(Operation):
    """A post was paid, all parts together. Source: database.cpp, database::cashout_comment_helper."""

    author: Annotated[AccountName, "Author of the post."]
    permlink: Annotated[Permlink, "Permlink of the post."]
    payout: Annotated[Asset, "Worth of all parts in SBD, in thousandths."]


@virtual_operation(number=60, impacts=("owner",))
class LiquidityReward(Operation):
    """A market maker was paid; this reward no longer exists. Source: database.cpp, database::pay_liquidity_reward."""

    owner: Annotated[AccountName, "Account paid."]
    payout: Annotated[Asset, "STEEM paid, in thousandths."]


@virtual_operation(number=61, impacts=("owner",))
class Interest(Operation):
    """Interest on SBD was paid. Source: database.cpp, database::modify_balance."""

    owner: Annotated[AccountName, "Account paid."]
    interest: Annotated[Asset, "SBD paid, in thousandths.", Default(Asset(0, SBD))]


@virtual_operation(number=62, impacts=("from_account", "to_account"))
class FillVestingWithdraw(Operation):
    """A part of a power down was paid. Source: database.cpp, database::process_vesting_withdrawals."""

    from_account: Annotated[AccountName, "Account that powers down."]
    to_account: Annotated[AccountName, "Account paid."]
    withdrawn: Annotated[Asset, "VESTS taken, in millionths."]
    deposited: Annotated[Asset, "What they became: STEEM, or VESTS where the route powers up."]


@virtual_operation(number=63, impacts=("current_owner", "open_owner"))
class FillOrder(Operation):
    """Two orders were matched. Source: database.cpp, database::match."""

    current_owner: Annotated[AccountName, "Owner of the new order."]
    current_orderid: Annotated[U32, "Number of the new order."]
    current_pays: Annotated[Asset, "What the new order pays."]
    open_owner: Annotated[AccountName, "Owner of the order that was open."]
    open_orderid: Annotated[U32, "Number of the order that was open."]
    open_pays: Annotated[Asset, "What the order that was open pays."]


@virtual_operation(number=64, impacts=("owner",))
class ShutdownWitness(Operation):
    """A witness lost its signing key for missing blocks. Source: database.cpp, update_global_dynamic_data."""

    owner: Annotated[AccountName, "The witness."]


@virtual_operation(number=65, impacts=("from_", "to"))
class FillTransferFromSavings(Operation):
    """A withdrawal from savings was paid. Source: database.cpp, database::process_savings_withdraws."""

    from_: Annotated[AccountName, "Account whose savings were used."]
    to: Annotated[AccountName, "Account paid."]
    amount: Annotated[Asset, "STEEM or SBD paid, in thousandths."]
    request_id: Annotated[U32, "Number of the request."]
    memo: Annotated[String, "Memo of the request."]


@virtual_operation(number=66)
class Hardfork(Operation):
    """A hard fork took effect. Source: database.cpp, database::apply_hardfork."""

    impacted_roles = ("init_miner_name",)

    hardfork_id: Annotated[U32, "Number of the hard fork."]


@virtual_operation(number=67)
class CommentPayoutUpdate(Operation):
    """A post's payout was settled. Source: database.cpp, database::cashout_comment_helper."""

    author: Annotated[AccountName, "Author of the post."]
    permlink: Annotated[Permlink, "Permlink of the post."]


@virtual_operation(number=68, impacts=("account",))
class ReturnVestingDelegation(Operation):
    """Shares came back from a delegation. Source: database.cpp, database::clear_expired_delegations."""

    account: Annotated[AccountName, "Account that had lent them."]
    vesting_shares: Annotated[Asset, "VESTS returned, in millionths."]


@virtual_operation(number=69, impacts=("benefactor", "author"))
class CommentBenefactorReward(Operation):
    """A beneficiary of a post was paid. Source: database.cpp, database::cashout_comment_helper."""

    benefactor: Annotated[AccountName, "Account paid."]
    author: Annotated[AccountName, "Author of the post."]
    permlink: Annotated[Permlink, "Permlink of the post."]
    sbd_payout: Annotated[Asset, "SBD part, in thousandths."]
    steem_payout: Annotated[Asset, "STEEM part, in thousandths."]
    vesting_payout: Annotated[Asset, "VESTS part, in millionths."]


@virtual_operation(number=70, impacts=("producer",))
class ProducerReward(Operation):
    """A witness was paid for a block. Source: database.cpp, database::process_funds."""

    producer: Annotated[AccountName, "The witness."]
    vesting_shares: Annotated[Asset, "VESTS paid, in millionths."]


@virtual_operation(number=71)
class ClearNullAccountBalance(Operation):
    """What the null account held was burned. Source: database.cpp, database::clear_null_account_balance."""

    total_cleared: Annotated[Vector[Asset], "Amounts burned, one a symbol."]


@virtual_operation(number=72, impacts=("receiver",))
class ProposalPay(Operation):
    """A proposal was paid. Source: sps_operations.hpp, proposal_pay_operation; sps_processor.cpp, pay_proposals."""

    impacted_roles = ("treasury_account",)

    receiver: Annotated[AccountName, "Account paid."]
    payment: Annotated[Asset, "SBD paid, in thousandths."]
    trx_id: Annotated[Ripemd160, "Transaction during which it was paid; zeros."]
    op_in_trx: Annotated[U16, "Place in that transaction; 0."]


@virtual_operation(number=73)
class SpsFund(Operation):
    """The treasury received its share of inflation. Source: sps_processor.cpp, record_funding."""

    impacted_roles = ("treasury_account",)

    additional_funds: Annotated[Asset, "SBD received since the last such report, in thousandths."]


@virtual_operation(number=74, impacts=("account",))
class Hardfork23(Operation):
    """Hard fork 23 of the live network seized balances; no chain of this project emits it.

    Source: steem_virtual_operations.hpp, hardfork23_operation.
    """

    impacted_roles = ("seizure_account",)

    account: Annotated[AccountName, "Account that lost them."]
    sbd_transferred: Annotated[Asset, "SBD taken, in thousandths."]
    steem_transferred: Annotated[Asset, "STEEM taken, in thousandths."]
    vests_converted: Annotated[Asset, "VESTS turned into STEEM, in millionths."]
    total_steem_from_vests: Annotated[Asset, "STEEM they became, in thousandths."]


# What happens in the launch of a token, and its emissions. The reference keeps no history of it; these have the names
# and fields of its automated actions.


@virtual_operation(number=75, impacts=("control_account",))
class SmtIcoLaunch(Operation):
    """The sale of a token began. Source: required_action_evaluator.cpp of master, smt_ico_launch_evaluator."""

    control_account: Annotated[AccountName, "Account that controls the token."]
    symbol: Annotated[Symbol, "The token."]


@virtual_operation(number=76, impacts=("control_account",))
class SmtIcoEvaluation(Operation):
    """The sale of a token ended. Source: required_action_evaluator.cpp of master, smt_ico_evaluation_evaluator."""

    control_account: Annotated[AccountName, "Account that controls the token."]
    symbol: Annotated[Symbol, "The token."]


@virtual_operation(number=77, impacts=("control_account",))
class SmtTokenLaunch(Operation):
    """A token went into use. Source: required_action_evaluator.cpp of master, smt_token_launch_evaluator."""

    control_account: Annotated[AccountName, "Account that controls the token."]
    symbol: Annotated[Symbol, "The token."]


@virtual_operation(number=78, impacts=("contributor",))
class SmtRefund(Operation):
    """A contribution to a sale that failed went back. Source: required_action_evaluator.cpp of master."""

    contributor: Annotated[AccountName, "Account that contributed."]
    symbol: Annotated[Symbol, "The token."]
    contribution_id: Annotated[U32, "Number of the contribution."]
    refund: Annotated[Asset, "STEEM paid back, in thousandths."]


@virtual_operation(number=79, impacts=("contributor",))
class SmtContributorPayout(Operation):
    """A contributor got what a sale promised. Source: required_action_evaluator.cpp of master."""

    contributor: Annotated[AccountName, "Account that contributed."]
    symbol: Annotated[Symbol, "The token."]
    contribution_id: Annotated[U32, "Number of the contribution."]
    contribution: Annotated[Asset, "STEEM contributed, in thousandths."]
    payouts: Annotated[Vector[ContributionPayout], "Tokens, and the STEEM that bought none."]


@virtual_operation(number=80)
class SmtFounderPayout(Operation):
    """The founders got what a sale promised. Source: required_action_evaluator.cpp of master."""

    symbol: Annotated[Symbol, "The token."]
    account_payouts: Annotated[SortedMap[AccountName, Vector[ContributionPayout]], "What each account got."]
    market_maker_steem: Annotated[Share, "STEEM for the market maker, in thousandths."]
    market_maker_tokens: Annotated[Share, "Tokens for the market maker, in the smallest unit."]
    reward_balance: Annotated[Share, "Tokens for the reward fund, in the smallest unit."]

    def impacted(self) -> set[str]:
        return {name for name, _ in self.account_payouts}


@virtual_operation(number=81)
class SmtTokenEmission(Operation):
    """Tokens were issued by a schedule. Source: optional_action_evaluator.cpp of master."""

    control_account: Annotated[AccountName, "Account that controls the token."]
    symbol: Annotated[Symbol, "The token."]
    emission_time: Annotated[Time, "When the emission was due."]
    emissions: Annotated[SortedMap[UnitTarget, Share], "What each target got, in the smallest unit."]

    def impacted(self) -> set[str]:
        accounts = (find_target_account(target) for target, _ in self.emissions)
        return {self.control_account, *(account.name for account in accounts if account is not None)}
