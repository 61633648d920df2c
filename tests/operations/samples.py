"""One valid instance of every operation that can be sent."""

import hashlib
from typing import Any

from operations import (
    account,
    content,
    convert,
    custom,
    escrow,
    market,
    mining,
    proposal,
    recovery,
    reward,
    savings,
    token,
    token_parameters,
    token_units,
    transfer,
    vesting,
    vote,
    witness,
)
from protocol.assets import SBD, STEEM, VESTS, Asset, Price, damm_digit, symbol_from_nai
from protocol.block_header import BlockHeader, SignedBlockHeader
from protocol.codec import Codec
from protocol.integers import TIME_MAX
from protocol.keys import PrivateKey, recover, sign_digest
from protocol.operation import Operation
from protocol.types import Authority, Beneficiary, LegacyChainProperties
from tests.chains import MAINNET

TIME = 1_600_000_000
SECRET = PrivateKey.from_seed("sample")
DIGEST = hashlib.sha256(b"digest").digest()
KEY = recover(DIGEST, sign_digest(DIGEST, SECRET))
AUTHORITY = Authority(1, (("carol", 1),), ((KEY, 1),))
OTHER_AUTHORITY = Authority(1, (), ((KEY, 1),))
CODEC = Codec(MAINNET)
TOKEN_DATA = 12_345_678
TOKEN = symbol_from_nai(TOKEN_DATA * 10 + damm_digit(TOKEN_DATA), 3)
VESTING_TOKEN = TOKEN ^ 0x20


def steem(amount: int) -> Asset:
    return Asset(amount, STEEM)


def sbd(amount: int) -> Asset:
    return Asset(amount, SBD)


def vests(amount: int) -> Asset:
    return Asset(amount, VESTS)


CHAIN_PROPERTIES = LegacyChainProperties(steem(3000), 131_072, 1000)


def packed_asset(asset: Asset) -> bytes:
    return CODEC.encode(Asset, asset)


def packed_price(base: Asset, quote: Asset) -> bytes:
    return CODEC.encode(Price, Price(base, quote))


def witness_properties(**changes: bytes) -> tuple[tuple[str, bytes], ...]:
    """Sorted properties, all valid, with some replaced; an absent key is given as None."""
    properties: dict[str, Any] = {
        "account_creation_fee": packed_asset(steem(3000)),
        "account_subsidy_budget": (797).to_bytes(4, "little"),
        "account_subsidy_decay": (347_321).to_bytes(4, "little"),
        "key": KEY,
        "maximum_block_size": (131_072).to_bytes(4, "little"),
        "new_signing_key": KEY,
        "sbd_exchange_rate": packed_price(sbd(1000), steem(3000)),
        "sbd_interest_rate": (1000).to_bytes(2, "little"),
        "url": b"\x0fhttps://a.test/",
    }
    properties.update(changes)
    return tuple(sorted((name, value) for name, value in properties.items() if value is not None))


def signed_header(merkle_root: bytes, witness_name: str = "wit", timestamp: int = TIME) -> SignedBlockHeader:
    header = BlockHeader(bytes(20), timestamp, witness_name, merkle_root, ())
    digest = hashlib.sha256(CODEC.encode(BlockHeader, header)).digest()
    return SignedBlockHeader(*header, sign_digest(digest, SECRET))


def mined() -> mining.PowOperation:
    start = hashlib.sha256(bytes(20)).digest()
    digest = hashlib.sha256((7).to_bytes(8, "little") + start[8:]).digest()
    signature = sign_digest(digest, SECRET)
    key = recover(hashlib.sha256(signature).digest(), signature, lambda _: True)
    work = mining.Pow(KEY, digest, signature, hashlib.sha256(key).digest())
    return mining.PowOperation("alice", bytes(20), 7, work, CHAIN_PROPERTIES)


# A real operation of the main network, block 5,000,000 and later.
POW2 = mining.Pow2Operation(
    mining.Pow2(
        mining.Pow2Input("rabbit-25", bytes.fromhex("004c4b3e03ea2eac2494790786bfb9e41a8669d9"), 12906882138532220661),
        3818441282,
    ),
    None,
    LegacyChainProperties(steem(10_000), 131_072, 1000),
)

SAMPLES: dict[str, Operation] = {
    operation.wire_name: operation
    for operation in (
        vote.Vote("alice", "bob", "post", 10_000),
        vote.Vote2("alice", "bob", "post", ((STEEM, 5), (TOKEN, -5))[::-1], ()),
        content.Comment("", "life", "alice", "post", "Title", "Body", '{"tags":["life"]}'),
        content.DeleteComment("alice", "post"),
        content.CommentOptions(
            "alice",
            "post",
            sbd(1_000_000_000),
            10_000,
            True,
            True,
            (
                content.CommentPayoutBeneficiaries((Beneficiary("bob", 1000), Beneficiary("carol", 9000))),
                content.AllowedVoteAssets(
                    ((TOKEN, content.VotableAssetOptions(5, True, content.CommentPayoutBeneficiaries(()))),)
                ),
            ),
        ),
        transfer.Transfer("alice", "bob", steem(1), "m" * 2047),
        vesting.TransferToVesting("alice", "", steem(1)),
        vesting.WithdrawVesting("alice", vests(0)),
        vesting.SetWithdrawVestingRoute("alice", "bob", 10_000, True),
        vesting.DelegateVestingShares("alice", "bob", vests(0)),
        market.LimitOrderCreate("alice", 1, steem(1000), sbd(300), False, TIME_MAX),
        market.LimitOrderCreate2("alice", 1, steem(1000), Price(steem(10), sbd(3)), False, TIME_MAX),
        market.LimitOrderCancel("alice", 1),
        witness.FeedPublish("wit", Price(sbd(1000), steem(3000))),
        witness.WitnessUpdate("wit", "https://a.test/", KEY, CHAIN_PROPERTIES, steem(0)),
        witness.WitnessSetProperties("wit", witness_properties(), ()),
        witness.AccountWitnessVote("alice", "wit", True),
        witness.AccountWitnessProxy("alice", ""),
        convert.Convert("alice", 1, sbd(1)),
        account.AccountCreate(steem(3000), "alice", "newbie", AUTHORITY, AUTHORITY, AUTHORITY, KEY, ""),
        account.AccountUpdate("alice", None, AUTHORITY, None, KEY, "{}"),
        account.AccountUpdate2("alice", None, None, None, None, "", '{"profile":{}}', ()),
        account.ClaimAccount("alice", steem(0), ()),
        account.CreateClaimedAccount("alice", "newbie", AUTHORITY, AUTHORITY, AUTHORITY, KEY, "", ()),
        account.AccountCreateWithDelegation(
            steem(0), vests(1), "alice", "newbie", AUTHORITY, AUTHORITY, AUTHORITY, KEY, "", ()
        ),
        mined(),
        POW2,
        mining.ReportOverProduction("alice", signed_header(bytes(20)), signed_header(b"\x01" * 20)),
        custom.Custom(("alice", "bob"), 7, b"data"),
        custom.CustomJson(("alice",), (), "follow", "[1]"),
        custom.CustomBinary(("alice",), ("bob",), ("carol",), (AUTHORITY,), "id", b"data"),
        recovery.RequestAccountRecovery("alice", "bob", AUTHORITY, ()),
        recovery.RecoverAccount("bob", AUTHORITY, OTHER_AUTHORITY, ()),
        recovery.ChangeRecoveryAccount("bob", "alice", ()),
        recovery.DeclineVotingRights("alice", True),
        recovery.ResetAccount("alice", "bob", AUTHORITY),
        recovery.SetResetAccount("alice", "", "bob"),
        escrow.EscrowTransfer("alice", "bob", sbd(1), steem(0), 1, "carol", steem(1), "{}", TIME, TIME + 1),
        escrow.EscrowApprove("alice", "bob", "carol", "carol", 1, True),
        escrow.EscrowDispute("alice", "bob", "carol", "alice", 1),
        escrow.EscrowRelease("alice", "bob", "carol", "alice", "bob", 1, sbd(1), steem(0)),
        savings.TransferToSavings("alice", "bob", steem(1), ""),
        savings.TransferFromSavings("alice", 1, "bob", sbd(1), ""),
        savings.CancelTransferFromSavings("alice", 1),
        reward.ClaimRewardBalance("alice", steem(0), sbd(0), vests(1)),
        reward.ClaimRewardBalance2("alice", (), (sbd(0), steem(1), vests(1))),
        proposal.CreateProposal("alice", "bob", TIME, TIME + 1, sbd(1), "subject", "post", ()),
        proposal.UpdateProposalVotes("alice", (1, 2), True, ()),
        proposal.RemoveProposal("alice", (1,), ()),
        token.SmtSetup("alice", TOKEN, 1, TIME, TIME, TIME, 0, 1, 1, ()),
        token.SmtSetupEmissions(
            "alice",
            TOKEN,
            TIME,
            token_units.SmtEmissionsUnit((("$rewards", 1),)),
            21_600,
            10,
            TIME,
            TIME + 1,
            1,
            1,
            0,
            0,
            0,
            False,
            False,
            (),
        ),
        token.SmtSetupIcoTier(
            "alice",
            TOKEN,
            1,
            token_units.SmtCappedGenerationPolicy(
                token_units.SmtGenerationUnit((("alice", 1),), (("$!bob.vesting", 1), ("$from", 1))), ()
            ),
            False,
            (),
        ),
        token.SmtSetSetupParameters("alice", TOKEN, (token_parameters.SmtParamAllowVoting(True),), ()),
        token.SmtSetRuntimeParameters(
            "alice",
            TOKEN,
            (
                token_parameters.SmtParamWindowsV1(86_400, 300),
                token_parameters.SmtParamVoteRegenerationPeriodSecondsV1(432_000, 50),
                token_parameters.SmtParamRewardsV1(1, 5000, 2, 2),
                token_parameters.SmtParamAllowDownvotes(True),
            ),
            (),
        ),
        token.SmtCreate("alice", TOKEN, "COIN", sbd(1), 3, ()),
        token.SmtContribute("alice", TOKEN, 1, steem(1), ()),
    )
}
