"""One operation of each kind that applies on the benchmarks' chain, after what it needs has been put in place."""

from __future__ import annotations

from operations.account import AccountCreate, AccountUpdate, AccountUpdate2, ClaimAccount, CreateClaimedAccount
from operations.content import Comment, CommentOptions, DeleteComment
from operations.convert import Convert
from operations.custom import Custom, CustomJson
from operations.escrow import EscrowApprove, EscrowDispute, EscrowRelease, EscrowTransfer
from operations.market import LimitOrderCancel, LimitOrderCreate, LimitOrderCreate2
from operations.proposal import CreateProposal, RemoveProposal, UpdateProposalVotes
from operations.recovery import ChangeRecoveryAccount, DeclineVotingRights, RequestAccountRecovery
from operations.reward import ClaimRewardBalance
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
from protocol.assets import Price
from protocol.keys import PrivateKey
from protocol.operation import Operation
from protocol.types import LegacyChainProperties
from state.context import SINGLETON
from tests.harness import Harness, authority_of, sbd, steem, vests
from tests.limits.world import World

WEEK = 7 * 86_400


def make_samples(world: Harness | World) -> list[Operation]:
    """Prepares the chain (posts, an order, an escrow, a proposal, ...) and returns an operation of each kind."""
    key = PrivateKey.from_seed("init_key")
    control, other = authority_of(key), authority_of(PrivateKey.from_seed("another"))
    fee = world.tables.witness_schedule.get(SINGLETON).median_props.account_creation_fee
    now = world.now
    props = LegacyChainProperties(steem(3000), 131_072, 1000)
    link = "initminer", "the-proposal"
    escrow = EscrowTransfer("alice", "bob", sbd(1000), steem(1000), 1, "carol", steem(100), "", now + 3600, now + WEEK)
    agreed = EscrowTransfer("dave", "bob", sbd(1000), steem(1000), 1, "carol", steem(100), "", now + 3600, now + WEEK)
    prepare: list[Operation] = [
        Comment("", "bench", "alice", "post", "A title", "word " * 50, "{}"),
        Comment("", "bench", "carol", "to-delete", "A title", "word " * 50, "{}"),
        Comment("", "bench", *link, "A title", "word " * 50, "{}"),
        LimitOrderCreate("alice", 1, steem(1000), sbd(10_000), False, now + WEEK),
        escrow,
        agreed,
        EscrowApprove("dave", "bob", "carol", "bob", 1, True),
        EscrowApprove("dave", "bob", "carol", "carol", 1, True),
        TransferToSavings("alice", "alice", steem(10_000), ""),
        TransferFromSavings("alice", 1, "alice", steem(1), ""),
        CreateProposal("initminer", "initminer", now + WEEK, now + 2 * WEEK, sbd(1), "Benchmarks", link[1], ()),
        ClaimAccount("alice", fee, ()),
    ]
    for operation in prepare:
        world.apply(operation)
    accounts = world.tables.accounts
    world.edit(lambda ctx: accounts.update(accounts.get("alice"), reward_steem_balance=1000))
    signing_key = world.witness("initminer").signing_key
    return [
        Vote("bob", "alice", "post", 10_000),
        Comment("", "bench", "dave", "post", "A title", "word " * 50, "{}"),
        Transfer("alice", "bob", steem(1000), "for the coffee"),
        TransferToVesting("alice", "bob", steem(1000)),
        WithdrawVesting("alice", vests(10**12)),
        LimitOrderCreate("bob", 1, sbd(1000), steem(100), False, now + WEEK),
        LimitOrderCancel("alice", 1),
        FeedPublish("initminer", Price(sbd(250), steem(1000))),
        Convert("alice", 1, sbd(1000)),
        AccountCreate(fee, "alice", "newcomer", control, control, control, key.public_key, ""),
        AccountUpdate("alice", None, other, None, key.public_key, ""),
        WitnessUpdate("initminer", "https://example.com", signing_key, props, steem(0)),
        AccountWitnessVote("alice", "initminer", True),
        AccountWitnessProxy("alice", "bob"),
        Custom(("alice",), 1, b"data"),
        DeleteComment("carol", "to-delete"),
        CustomJson((), ("alice",), "follow", '["follow",{}]'),
        CommentOptions("alice", "post", sbd(1000), 10_000, True, True, ()),
        SetWithdrawVestingRoute("alice", "bob", 5000, False),
        LimitOrderCreate2("bob", 2, sbd(1000), Price(sbd(1000), steem(100)), False, now + WEEK),
        ClaimAccount("alice", fee, ()),
        CreateClaimedAccount("alice", "newcomer", control, control, control, key.public_key, "", ()),
        RequestAccountRecovery("initminer", "alice", other, ()),
        ChangeRecoveryAccount("alice", "bob", ()),
        EscrowTransfer("bob", "alice", sbd(1000), steem(0), 1, "carol", steem(100), "", now + 3600, now + WEEK),
        EscrowApprove("alice", "bob", "carol", "bob", 1, True),
        EscrowDispute("dave", "bob", "carol", "dave", 1),
        EscrowRelease("dave", "bob", "carol", "dave", "bob", 1, sbd(1), steem(0)),
        TransferToSavings("alice", "alice", steem(1000), ""),
        TransferFromSavings("alice", 2, "alice", steem(1), ""),
        CancelTransferFromSavings("alice", 1),
        DeclineVotingRights("alice", True),
        ClaimRewardBalance("alice", steem(1), sbd(0), vests(0)),
        DelegateVestingShares("alice", "bob", vests(10**12)),
        WitnessSetProperties("initminer", (("key", signing_key), ("url", b"\x13https://example.com")), ()),
        AccountUpdate2("alice", None, None, None, None, "", "{}", ()),
        CreateProposal("initminer", "bob", now + WEEK, now + 2 * WEEK, sbd(1), "Another", link[1], ()),
        UpdateProposalVotes("alice", (0,), True, ()),
        RemoveProposal("initminer", (0,), ()),
    ]
