"""Posts that can be voted on with tokens: which tokens, with which options, until when.

A root post names its tokens; replies may be voted on with those of their root, and have options of their own if their
authors set some.

Source: libraries/chain/steem_evaluator.cpp of master, comment_options_extension_visitor.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from protocol.assets import symbol_json
from protocol.errors import Rejected
from protocol.integers import INT64_MAX
from protocol.types import Beneficiary
from state.context import Context
from state.tables.content import Comment
from state.tables.kinds import TIME_MAX
from state.tables.tokens import Phase, Token, TokenPost


class Options(NamedTuple):
    """How a post may be rewarded in one token; the defaults are those of a reply without options of its own."""

    max_accepted_payout: int = INT64_MAX
    allow_curation_rewards: bool = True
    beneficiaries: tuple[Beneficiary, ...] = ()


def list_token_posts(ctx: Context, comment: Comment) -> list[TokenPost]:
    """What a post has in each token, by their symbols."""
    return list(ctx.tables.token_posts.scan((comment.id,)))


def is_votable(ctx: Context, comment: Comment, symbol: int) -> bool:
    """Whether a post may be voted on with a token: its root post names it."""
    return ctx.tables.token_posts.find((comment.root_comment, symbol)) is not None


def open_token_post(ctx: Context, comment: Comment, token: Token, options: Options) -> TokenPost:
    """Makes a post votable with a token, by the token's parameters as they are now."""
    return ctx.tables.token_posts.insert(
        TokenPost(
            comment=comment.id,
            symbol=token.liquid_symbol,
            max_accepted_payout=options.max_accepted_payout,
            allow_curation_rewards=options.allow_curation_rewards,
            beneficiaries=options.beneficiaries,
            cashout_time=comment.created + token.cashout_window_seconds,
            reverse_auction_window_seconds=token.reverse_auction_window_seconds,
            content_constant=token.content_constant,
            percent_curation_rewards=token.percent_curation_rewards,
            author_reward_curve=token.author_reward_curve,
            curation_reward_curve=token.curation_reward_curve,
        )
    )


def set_votable_tokens(ctx: Context, comment: Comment, assets: Iterable[tuple[int, Options]]) -> None:
    """Names the tokens that a post may be voted on with, in place of those named before. Raises Rejected."""
    posts, table = list_token_posts(ctx, comment), ctx.tables.token_posts
    if comment.abs_rshares != 0 or any(post.abs_rshares or post.cashout_time == TIME_MAX for post in posts):
        raise Rejected(
            "_c.abs_rshares == 0", "Comment must not have been voted on before specifying allowed vote assets."
        )
    for post in posts:
        table.delete(post)
    for symbol, options in assets:
        token = _get_votable(ctx, comment, symbol)
        if options.max_accepted_payout < 0:
            raise Rejected("", "Cannot accept less than 0 payout", symbol=symbol_json(symbol))
        for beneficiary in options.beneficiaries:
            _check_beneficiary(ctx, beneficiary.account)
        open_token_post(ctx, comment, token, options)


def _get_votable(ctx: Context, comment: Comment, symbol: int) -> Token:
    token = ctx.tables.tokens.find(symbol)
    if comment.root_comment != comment.id:
        root = ctx.tables.comments.get(comment.root_comment)
        if token is None or not is_votable(ctx, comment, symbol):
            raise Rejected(
                "smt != root.allowed_vote_assets.end()",
                "SMT ${s} is not a votable asset in the root comment ${a}/${p}",
                s=symbol_json(symbol),
                a=root.author,
                p=root.permlink,
            )
        return token
    if token is None:
        raise Rejected("smt != nullptr", "SMT ${s} was not found.", s=symbol_json(symbol))
    if token.phase != Phase.LAUNCH_SUCCESS:
        raise Rejected(
            "smt->phase == smt_phase::launch_success",
            "SMT ${s} must be in active phase to be a votable asset.",
            s=symbol_json(symbol),
        )
    if not token.allow_voting:
        raise Rejected("smt->allow_voting", "SMT ${s} does not support voting", s=symbol_json(symbol))
    return token


def _check_beneficiary(ctx: Context, name: str) -> None:
    if ctx.tables.accounts.find(name) is None:
        raise Rejected("acc != nullptr", 'Beneficiary "${a}" must exist.', a=name).named("beneficiary_unknown")
    if name == ctx.rules.treasury_account:
        raise Rejected("", "Can only transfer SBD to ${s}", s=name)


def check_deletable(ctx: Context, comment: Comment) -> None:
    """Refuses to delete a post that tokens reward, or have rewarded. Raises Rejected."""
    for post in list_token_posts(ctx, comment):
        if post.net_rshares > 0 or post.cashout_time == TIME_MAX:
            raise Rejected("comment.net_rshares <= 0", "Cannot delete a comment with net positive votes.").named(
                "post_has_votes"
            )


def remove_token_posts(ctx: Context, comment: Comment) -> None:
    """Removes what a post that is deleted has in tokens, with its votes."""
    tables = ctx.tables
    for vote in list(tables.token_votes.scan((comment.id,))):
        tables.token_votes.delete(vote)
    for post in list_token_posts(ctx, comment):
        tables.token_posts.delete(post)


def scan_token_posts(ctx: Context, until: int) -> Iterator[TokenPost]:
    """Those whose cashout time is before `until`, by time, post and symbol."""
    return ctx.tables.token_posts.index("by_cashout_time").scan(stop=(until,))
