"""The worst transactions that could be found for operations: those whose work is not told by their bytes.

A case prepares a state in which `n` rows, accounts or characters are at stake, and returns the operations of one
transaction. Operations that are not here do the same work whatever their fields and the state are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from operations.account import AccountCreate, AccountUpdate
from operations.content import Comment, CommentOptions, CommentPayoutBeneficiaries, DeleteComment
from operations.custom import Custom, CustomJson
from operations.market import LimitOrderCreate, LimitOrderCreate2
from operations.proposal import RemoveProposal, UpdateProposalVotes
from operations.recovery import RecoverAccount
from operations.reward import ClaimRewardBalance
from operations.vesting import TransferToVesting
from operations.witness import AccountWitnessProxy
from protocol.assets import Price
from protocol.operation import Operation
from protocol.types import Authority, Beneficiary
from state.context import SINGLETON
from state.tables.accounts import AccountRecoveryRequest, OwnerAuthorityHistory
from state.tables.market import LimitOrder
from tests.harness import sbd, steem, vests
from tests.limits.steps import OWNER, VOTES_PER_ACCOUNT, give_votes, make_posts, make_proposal, make_witnesses
from tests.limits.world import CONTROL, KEY, World, user
from tests.operations.test_text_patch import make_near_misses


class OperationCase(NamedTuple):
    """`prepare(world, n)` returns the operations; `n` is the size that `unit` names, and `worst` the most there can be.

    `why` says what holds the work down where it is more than that of honest operations.
    """

    operation: type[Operation]
    unit: str
    prepare: Callable[[World, int], tuple[Operation, ...]]
    worst: int
    why: str = ""


def _book(world: World, n: int) -> None:
    table = world.tables.limit_orders
    for number in range(n):
        price = Price(steem(1000), sbd(1000 + number))
        expires = world.now + 10**6
        table.insert(LimitOrder(table.next_id(), world.now, expires, user(number), number, 1000, price))
    accounts = world.tables.accounts
    accounts.update(accounts.get(user(1)), sbd_balance=10**12)


def _sweep(world: World, n: int) -> tuple[Operation, ...]:
    _book(world, n)
    return (LimitOrderCreate(user(1), 10**6, sbd(10**10), steem(10**9), False, world.now + 10**5),)


def _sweep2(world: World, n: int) -> tuple[Operation, ...]:
    _book(world, n)
    rate = Price(sbd(10), steem(1))
    return (LimitOrderCreate2(user(1), 10**6, sbd(10**10), rate, False, world.now + 10**5),)


def _delete(world: World, n: int) -> tuple[Operation, ...]:
    make_posts(world, 1, n, net_rshares=0, cashout_time=world.now + 10**5)
    return (DeleteComment(user(0), "post-0"),)


def _reply(world: World, n: int) -> tuple[Operation, ...]:
    make_posts(world, 1, 0, cashout_time=world.now + 10**5)
    parent = "post-0"
    for number in range(n):
        world.apply(Comment(user(0), parent, user(0), f"re-{number}", "", "body", ""))
        parent = f"re-{number}"
    return (Comment(user(0), parent, user(1), "reply", "", "body", ""),)


def _metadata(world: World, n: int) -> tuple[Operation, ...]:
    return (Comment("", "bench", user(0), "post", "", "body", "[1e5" + ",[]" * (n // 3) + "]"),)


def _custom_json(world: World, n: int) -> tuple[Operation, ...]:
    return (CustomJson((), (user(0),), "id", "[1e5" + ",[]" * (n // 3) + "]"),)


def _patch(world: World, n: int) -> tuple[Operation, ...]:
    """An edit that deletes the whole body, of which each third character differs."""
    body, edit = make_near_misses(n, 1)
    world.apply(Comment("", "bench", user(0), "post", "", body, ""))
    return (Comment("", "bench", user(0), "post", "", edit, ""),)


def _beneficiaries(world: World, n: int) -> tuple[Operation, ...]:
    make_posts(world, 1, 0, cashout_time=world.now + 10**5, abs_rshares=0)
    world.add_accounts(n)
    parts = tuple(Beneficiary(f"more{number:06}", 1) for number in range(n))
    return (CommentOptions(user(0), "post-0", sbd(10**9), 10_000, True, True, (CommentPayoutBeneficiaries(parts),)),)


def _keys(first: int, n: int) -> Authority:
    return Authority(1, (), tuple(((b"\x02" + number.to_bytes(32, "big")), 1) for number in range(first, first + n)))


def _replaced_keys(world: World, n: int) -> tuple[Operation, ...]:
    one, two, three = (_keys(100 * number, n) for number in range(3))
    one = one._replace(key_auths=(*CONTROL.key_auths, *one.key_auths[1:]))
    world.apply(AccountUpdate(user(0), one, two, three, KEY.public_key, ""))
    return (AccountUpdate(user(0), CONTROL, CONTROL, CONTROL, KEY.public_key, ""),)


def _new_keys(world: World, n: int) -> tuple[Operation, ...]:
    one, two, three = (_keys(100 * number, n) for number in range(3))
    fee = world.tables.witness_schedule.get(SINGLETON).median_props.account_creation_fee
    return (AccountCreate(fee, user(0), "newcomer", one, two, three, KEY.public_key, ""),)


def _histories(world: World, n: int) -> tuple[Operation, ...]:
    tables = world.tables
    for number in range(n):
        table = tables.owner_histories
        last = number == n - 1
        table.insert(OwnerAuthorityHistory(table.next_id(), user(0), CONTROL if last else OWNER, world.now))
    new = Authority(1, (), ((KEY.public_key, 2),))
    requests = tables.account_recovery_requests
    requests.insert(AccountRecoveryRequest(requests.next_id(), user(0), new, world.now + 1000))
    return (RecoverAccount(user(0), new, CONTROL, ()),)


def _make_chain(world: World) -> None:
    """user0000 has a chain of proxies, at whose end are thirty votes."""
    make_witnesses(world, VOTES_PER_ACCOUNT)
    accounts = world.tables.accounts
    for number in range(4):
        accounts.update(accounts.get(user(number)), proxy=user(number + 1))
    give_votes(world, user(4))


def _vest_behind_proxies(world: World, _n: int) -> tuple[Operation, ...]:
    _make_chain(world)
    return (TransferToVesting(user(0), user(0), steem(1000)),)


def add_reward(world: World, name: str) -> ClaimRewardBalance:
    """Gives an account a reward and returns the operation that claims it."""
    accounts, gpo = world.tables.accounts, world.ctx.gpo
    accounts.update(accounts.get(name), reward_vesting_balance=10**6, reward_vesting_steem=1)
    world.ctx.update_gpo(
        pending_rewarded_vesting_shares=gpo.pending_rewarded_vesting_shares + 10**6,
        pending_rewarded_vesting_steem=gpo.pending_rewarded_vesting_steem + 1,
    )
    return ClaimRewardBalance(name, steem(0), sbd(0), vests(10**6))


def _claim_behind_proxies(world: World, _n: int) -> tuple[Operation, ...]:
    _make_chain(world)
    return (add_reward(world, user(0)),)


def _proxy(world: World, _n: int) -> tuple[Operation, ...]:
    make_witnesses(world, VOTES_PER_ACCOUNT)
    give_votes(world, user(0))
    give_votes(world, user(1))
    return (AccountWitnessProxy(user(0), user(1)),)


def _remove_proposal(world: World, n: int) -> tuple[Operation, ...]:
    make_proposal(world, n, world.now + 10**6)
    return (RemoveProposal(user(0), (0,), ()),)


def _vote_proposals(world: World, n: int) -> tuple[Operation, ...]:
    for _ in range(n):
        make_proposal(world, 0, world.now + 10**6)
    return (UpdateProposalVotes(user(0), tuple(range(n)), True, ()),)


def _signers(world: World, n: int) -> tuple[Operation, ...]:
    """Accounts whose active authority leads through forty accounts of forty keys each, before their owner's key."""
    authorities = world.tables.account_authorities
    world.add_accounts(40 + n)
    below = Authority(1, tuple((f"more{number:06}", 1) for number in range(40)), ())
    for number in range(40):
        authorities.update(authorities.get(f"more{number:06}"), active=OWNER, posting=OWNER)
    names = tuple(f"more{number:06}" for number in range(40, 40 + n))
    for name in names:
        authorities.update(authorities.get(name), active=below)
    return (Custom(names, 1, b""),)


ODD_JSON = "the fast check does not know such text, and the one that follows the reference goes from value to value"
VOTES = "an account has 30 votes at most, each given by an operation of its own"

OPERATION_CASES: tuple[OperationCase, ...] = (
    OperationCase(
        LimitOrderCreate,
        "orders filled",
        _sweep,
        1000,
        "each order that is filled was paid for when it was placed, and leaves the book for good",
    ),
    OperationCase(
        LimitOrderCreate2,
        "orders filled",
        _sweep2,
        1000,
        "each order that is filled was paid for when it was placed, and leaves the book for good",
    ),
    OperationCase(
        DeleteComment,
        "votes removed",
        _delete,
        1000,
        "each vote was paid for when it was given, and would else be removed by the payout",
    ),
    OperationCase(
        Comment,
        "ancestors",
        _reply,
        254,
        "the protocol counts a reply at each of its ancestors; nodes relay no reply that is deeper than 255",
    ),
    OperationCase(Comment, "bytes of odd JSON", _metadata, 60_000, ODD_JSON),
    OperationCase(
        Comment,
        "bytes of a patch that nearly fits",
        _patch,
        3000,
        "the steps of one edit are counted; when they are used up, the patch text replaces the body",
    ),
    OperationCase(CustomJson, "bytes of odd JSON", _custom_json, 8_000, ODD_JSON),
    OperationCase(CommentOptions, "beneficiaries", _beneficiaries, 127),
    OperationCase(
        AccountUpdate,
        "keys replaced in each authority",
        _replaced_keys,
        40,
        "the operation that put the keys there paid for their bytes",
    ),
    OperationCase(AccountCreate, "keys in each authority", _new_keys, 40),
    OperationCase(
        RecoverAccount,
        "owner authorities of the last 30 days",
        _histories,
        720,
        "one change of the owner authority an hour makes 720 at most; only a recovery account can let it come so far",
    ),
    OperationCase(TransferToVesting, "witness votes at the end of 4 proxies", _vest_behind_proxies, 30, VOTES),
    OperationCase(ClaimRewardBalance, "witness votes at the end of 4 proxies", _claim_behind_proxies, 30, VOTES),
    OperationCase(AccountWitnessProxy, "witness votes on both sides", _proxy, 30, VOTES),
    OperationCase(
        RemoveProposal,
        "votes removed",
        _remove_proposal,
        200,
        "each vote was paid for when it was given; the rules let one operation remove 200 at most",
    ),
    OperationCase(UpdateProposalVotes, "proposals", _vote_proposals, 5),
    OperationCase(
        Custom,
        "signers of 40 accounts of 40 keys",
        _signers,
        40,
        "a transaction that arrives may look at 1,000 authorities, so the witness itself must make a worse one",
    ),
)
