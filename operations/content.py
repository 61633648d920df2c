"""Posts and replies: writing, deletion, and reward options."""

from typing import Annotated, NamedTuple

from operations.checks import (
    byte_size,
    check_account_name,
    check_permlink,
    is_utf8,
)
from operations.posting import add_content, create_post, edit_content, get_parent, remove_post
from protocol.assets import CORE_SYMBOLS, SBD, Asset
from protocol.errors import Invalid, PluginRefused, Rejected
from protocol.integers import INT64_MAX
from protocol.json_text import is_valid_json
from protocol.measures import duration_text
from protocol.operation import Operation, operation
from protocol.resources import Resources, state_size, token_state_size
from protocol.rules import Rules
from protocol.types import (
    U16,
    AccountName,
    Beneficiary,
    Bool,
    Default,
    Permlink,
    Share,
    SortedMap,
    SortedSet,
    StaticVariant,
    String,
    Symbol,
    Vector,
)
from protocol.units import BASIS_POINTS
from rewards.comments import find_comment, get_comment
from rewards.token_posts import Options, check_deletable, remove_token_posts, set_votable_tokens
from state.context import Context
from state.tables.content import Comment as CommentRow
from state.tables.kinds import TIME_MAX

SOFT_BENEFICIARIES_MAX = 8
"""Maximum number of beneficiaries of a post that a node relays; blocks may have more. Source: witness_plugin.cpp."""


_PERMLINK_BYTE = state_size("comment_object_permlink_char_size", 1)
_PARENT_PERMLINK_BYTE = state_size("comment_object_parent_permlink_char_size", 2)


@operation(
    number=1,
    takes=Resources(114_100, state_size("comment_object_base_size", 201)),
    posting="author",
    impacts=("author", "parent_author"),
)
class Comment(Operation):
    """Writes or edits a post (empty parent_author) or a reply.

    Source: steem_operations.hpp, comment_operation; steem_operations.cpp, comment_operation::validate;
    steem_evaluator.cpp, comment_evaluator.
    """

    parent_author: Annotated[AccountName, "Author of the parent post; empty for a root post."]
    parent_permlink: Annotated[Permlink, "Permlink of the parent post; the category of a root post."]
    author: Annotated[AccountName, "Account that writes; its posting authority signs."]
    permlink: Annotated[Permlink, "Name of the post, unique for its author; at most 255 bytes."]
    title: Annotated[String, "Title in UTF-8, at most 255 bytes."]
    body: Annotated[String, "Text in UTF-8, not empty."]
    json_metadata: Annotated[String, "Free JSON text; may be empty."]

    def validate(self, rules: Rules) -> None:
        size = byte_size(self.title)
        if not size < rules.comment_title_limit:
            raise Invalid(
                "title.size() < STEEM_COMMENT_TITLE_LIMIT",
                "Title size limit exceeded. Max: ${max} Current: ${n}",
                max=rules.comment_title_limit - 1,
                n=size,
            )
        if not is_utf8(self.title):
            raise Invalid("fc::is_utf8( title )", "Title not formatted in UTF8")
        if not self.body:
            raise Invalid("body.size() > 0", "Body is empty")
        if not is_utf8(self.body):
            raise Invalid("fc::is_utf8( body )", "Body not formatted in UTF8")
        if self.parent_author:
            check_account_name(self.parent_author)
        check_account_name(self.author)
        check_permlink(self.parent_permlink, rules)
        check_permlink(self.permlink, rules)
        if self.json_metadata and not is_valid_json(self.json_metadata):
            raise Invalid("fc::json::is_valid(json_metadata)", "JSON Metadata not valid JSON")

    def count_resources(self) -> Resources:
        own, parent = byte_size(self.permlink), byte_size(self.parent_permlink)
        return self.resources.more(state_bytes=_PERMLINK_BYTE * own + _PARENT_PERMLINK_BYTE * parent)

    def apply(self, ctx: Context) -> None:
        self._check_relayed_depth(ctx)
        if not (self.title or self.body or self.json_metadata):
            raise Rejected(
                "o.title.size() + o.body.size() + o.json_metadata.size()",
                "Cannot update comment because nothing appears to be changing.",
            ).named("edit_changes_nothing")
        comment = find_comment(ctx, self.author, self.permlink)
        author = ctx.tables.accounts.get(self.author)
        parent = get_parent(ctx, self.parent_author, self.parent_permlink)
        if not is_utf8(self.json_metadata):
            raise Rejected("fc::is_utf8( o.json_metadata )", "JSON Metadata must be UTF-8")
        if comment is None:
            comment = create_post(ctx, author, parent, self.parent_permlink, self.permlink)
            add_content(ctx, comment, self.title, self.body, self.json_metadata)
            return
        interval = ctx.rules.min_comment_edit_interval_seconds
        if not ctx.time - author.last_post_edit >= interval:
            often = "per block" if interval <= ctx.rules.block_interval_seconds else f"every {duration_text(interval)}"
            raise Rejected(
                "now - auth.last_post_edit >= STEEM_MIN_COMMENT_EDIT_INTERVAL",
                f"Can only perform one comment edit {often}.",
            ).named("edits_too_close", often=often)
        self._check_same_parent(comment)
        ctx.tables.comments.update(comment, last_update=ctx.time, active=ctx.time)
        ctx.tables.accounts.update(author, last_post_edit=ctx.time)
        edit_content(ctx, comment, self.title, self.body, self.json_metadata)

    def _check_relayed_depth(self, ctx: Context) -> None:
        """Refuses to relay a reply that is nested too deeply. Source: witness_plugin.cpp, operation_visitor."""
        if not ctx.is_pending or not self.parent_author:
            return
        parent = find_comment(ctx, self.parent_author, self.parent_permlink)
        if parent is not None and not parent.depth < ctx.rules.soft_max_comment_depth:
            raise PluginRefused(
                "",
                "Comment is nested ${x} posts deep, maximum depth is ${y}.",
                x=parent.depth,
                y=ctx.rules.soft_max_comment_depth,
            )

    def _check_same_parent(self, comment: CommentRow) -> None:
        """Refuses an edit that changes the parent of the post."""
        if comment.parent_author != self.parent_author:
            expected = "o.parent_author" if self.parent_author else "account_name_type()"
            raise Rejected(f"com.parent_author == {expected}", "The parent of a comment cannot change.")
        if comment.parent_permlink != self.parent_permlink:
            raise Rejected(
                "equal( com.parent_permlink, o.parent_permlink )", "The permlink of a comment cannot change."
            )


@operation(number=17, takes=Resources(51_100), posting="author")
class DeleteComment(Operation):
    """Removes a post or reply that has no replies and no net positive votes.

    Source: steem_operations.hpp, delete_comment_operation; steem_operations.cpp, delete_comment_operation::validate;
    steem_evaluator.cpp, delete_comment_evaluator.
    """

    author: Annotated[AccountName, "Author; the posting authority signs."]
    permlink: Annotated[Permlink, "Permlink of the post or reply."]

    def validate(self, rules: Rules) -> None:
        check_permlink(self.permlink, rules)
        check_account_name(self.author)

    def apply(self, ctx: Context) -> None:
        comment = get_comment(ctx, self.author, self.permlink)
        if comment.children != 0:
            raise Rejected("comment.children == 0", "Cannot delete a comment with replies.").named("post_has_replies")
        if comment.cashout_time == TIME_MAX:
            raise Rejected("comment.cashout_time != fc::time_point_sec::maximum()")
        if not comment.net_rshares <= 0:
            raise Rejected("comment.net_rshares <= 0", "Cannot delete a comment with net positive votes.").named(
                "post_has_votes"
            )
        if ctx.rules.tokens_live:
            check_deletable(ctx, comment)
            remove_token_posts(ctx, comment)
        remove_post(ctx, comment)


class CommentPayoutBeneficiaries(NamedTuple):
    """Accounts that get shares of the author's reward.

    Source: steem_operations.hpp and steem_operations.cpp, comment_payout_beneficiaries.
    """

    beneficiaries: Annotated[Vector[Beneficiary], "Accounts in ascending order with weights in basis points."]

    def validate(self, rules: Rules) -> None:
        """Checks number, names, order and weights; the sum of the weights is at most 10,000."""
        if not self.beneficiaries:
            raise Invalid("beneficiaries.size()", "Must specify at least one beneficiary")
        if not len(self.beneficiaries) < rules.comment_beneficiary_limit:
            raise Invalid(
                "beneficiaries.size() < STEEM_BENEFICIARY_LIMIT",
                "Cannot specify more than ${max} beneficiaries.",
                max=rules.comment_beneficiary_limit - 1,
            )
        total = 0
        for index, (account, weight) in enumerate(self.beneficiaries):
            check_account_name(account)
            if not weight <= BASIS_POINTS:
                position = "0" if index == 0 else "i"
                raise Invalid(
                    f"beneficiaries[{position}].weight <= STEEM_100_PERCENT",
                    "Cannot allocate more than 100% of rewards to one account",
                )
            total += weight
            if not total <= BASIS_POINTS:
                raise Invalid("sum <= STEEM_100_PERCENT", "Cannot allocate more than 100% of rewards to a comment")
            if index and not self.beneficiaries[index - 1].account < account:
                raise Invalid(
                    "beneficiaries[i - 1] < beneficiaries[i]",
                    "Benficiaries must be specified in sorted order (account ascending)",
                )


class VotableAssetOptions(NamedTuple):
    """How a post may be rewarded in one token. Source: steem_operations.hpp of master, votable_asset_options."""

    max_accepted_payout: Annotated[Share, "Greatest payout, in the token's smallest unit.", Default(INT64_MAX)]
    allow_curation_rewards: Annotated[Bool, "Whether curators get their part.", Default(True)]
    beneficiaries: Annotated[CommentPayoutBeneficiaries, "Accounts that get shares of the token reward; may be none."]

    @property
    def plain(self) -> Options:
        """These options as the rules take them."""
        return Options(self.max_accepted_payout, self.allow_curation_rewards, tuple(self.beneficiaries.beneficiaries))


class AllowedVoteAssets(NamedTuple):
    """Tokens in which a post may be rewarded besides STEEM.

    Source: steem_operations.hpp and steem_operations.cpp of master, allowed_vote_assets.
    """

    votable_assets: Annotated[SortedMap[Symbol, VotableAssetOptions], "Options by token symbol, ascending."]

    def validate(self, rules: Rules) -> None:
        """Checks the number of tokens, that none is a core symbol, and their beneficiaries."""
        if not len(self.votable_assets) <= rules.max_votable_assets:
            raise Invalid(
                "votable_assets.size() <= SMT_MAX_VOTABLE_ASSETS",
                "Comment votable assets number exceeds allowed limit ${max}.",
                max=rules.max_votable_assets,
            )
        if any(symbol in CORE_SYMBOLS for symbol, _ in self.votable_assets):
            raise Invalid(
                "!is_allowed( STEEM_SYMBOL ) && !is_allowed( SBD_SYMBOL ) && !is_allowed( VESTS_SYMBOL )",
                "Invalid core asset symbol specified in votable assets",
            )
        for _, options in self.votable_assets:
            if options.beneficiaries.beneficiaries:
                options.beneficiaries.validate(rules)


CommentOptionsExtension = StaticVariant[CommentPayoutBeneficiaries, AllowedVoteAssets]


_BENEFICIARY = state_size("comment_object_beneficiaries_member_size", 18)
_VOTABLE_ASSET = token_state_size("comment_object_votable_asset_size", 20)


@operation(number=19, takes=Resources(13_200), posting="author")
class CommentOptions(Operation):
    """Limits the rewards of a post, or names its beneficiaries.

    Source: steem_operations.hpp, comment_options_operation; steem_operations.cpp,
    comment_options_operation::validate; steem_evaluator.cpp, comment_options_evaluator.
    """

    author: Annotated[AccountName, "Author; the posting authority signs."]
    permlink: Annotated[Permlink, "Permlink of the post."]
    max_accepted_payout: Annotated[
        Asset, "Greatest payout in SBD, in thousandths; may only fall.", Default(Asset(1_000_000_000, SBD))
    ]
    percent_steem_dollars: Annotated[
        U16,
        "Share of the author's SBD half paid in SBD, in basis points; may only fall.",
        Default(BASIS_POINTS),
    ]
    allow_votes: Annotated[Bool, "Whether the post may be voted on.", Default(True)]
    allow_curation_rewards: Annotated[Bool, "Whether curators get their part.", Default(True)]
    extensions: Annotated[SortedSet[CommentOptionsExtension], "Beneficiaries and votable tokens, each at most once."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.author)
        if not self.percent_steem_dollars <= BASIS_POINTS:
            raise Invalid("percent_steem_dollars <= STEEM_100_PERCENT", "Percent cannot exceed 100%")
        if self.max_accepted_payout.symbol != SBD:
            raise Invalid("max_accepted_payout.symbol == SBD_SYMBOL", "Max accepted payout must be in SBD")
        if not self.max_accepted_payout.amount >= 0:
            raise Invalid("max_accepted_payout.amount.value >= 0", "Cannot accept less than 0 payout")
        check_permlink(self.permlink, rules)
        for extension in self.extensions:
            extension.validate(rules)

    def count_resources(self) -> Resources:
        state_bytes = 0
        for part in self.extensions:
            if isinstance(part, CommentPayoutBeneficiaries):
                state_bytes += _BENEFICIARY * len(part.beneficiaries)
            else:
                state_bytes += _VOTABLE_ASSET * len(part.votable_assets)
        return self.resources.more(state_bytes=state_bytes)

    def apply(self, ctx: Context) -> None:
        comment = get_comment(ctx, self.author, self.permlink)
        self._check_relayed_beneficiaries(ctx)
        self._check_change(comment)
        comment = ctx.tables.comments.update(
            comment,
            max_accepted_payout=self.max_accepted_payout.amount,
            percent_steem_dollars=self.percent_steem_dollars,
            allow_votes=self.allow_votes,
            allow_curation_rewards=self.allow_curation_rewards,
        )
        for extension in self.extensions:
            if isinstance(extension, CommentPayoutBeneficiaries):
                comment = _set_beneficiaries(ctx, comment, extension)
            else:
                _set_vote_assets(ctx, comment, extension)

    def _check_relayed_beneficiaries(self, ctx: Context) -> None:
        """Refuses to relay too many beneficiaries. Source: witness_plugin.cpp, comment_options_extension_visitor."""
        for extension in self.extensions if ctx.is_pending else ():
            if (
                isinstance(extension, CommentPayoutBeneficiaries)
                and len(extension.beneficiaries) > SOFT_BENEFICIARIES_MAX
            ):
                raise PluginRefused("", f"Cannot specify more than {SOFT_BENEFICIARIES_MAX} beneficiaries.")

    def _check_change(self, comment: CommentRow) -> None:
        """Checks that options are only narrowed, and that options which affect votes are set before the first vote."""
        narrows = self.max_accepted_payout.amount < comment.max_accepted_payout
        if (not self.allow_curation_rewards or not self.allow_votes or narrows) and comment.abs_rshares != 0:
            raise Rejected(
                "comment.abs_rshares == 0",
                "One of the included comment options requires the comment to have no rshares allocated to it.",
            )
        if not comment.allow_curation_rewards >= self.allow_curation_rewards:
            raise Rejected(
                "comment.allow_curation_rewards >= o.allow_curation_rewards", "Curation rewards cannot be re-enabled."
            )
        if not comment.allow_votes >= self.allow_votes:
            raise Rejected("comment.allow_votes >= o.allow_votes", "Voting cannot be re-enabled.")
        if not comment.max_accepted_payout >= self.max_accepted_payout.amount:
            raise Rejected(
                "comment.max_accepted_payout >= o.max_accepted_payout", "A comment cannot accept a greater payout."
            )
        if not comment.percent_steem_dollars >= self.percent_steem_dollars:
            raise Rejected(
                "comment.percent_steem_dollars >= o.percent_steem_dollars",
                "A comment cannot accept a greater percent SBD.",
            )


def _set_beneficiaries(ctx: Context, comment: CommentRow, extension: CommentPayoutBeneficiaries) -> CommentRow:
    if comment.beneficiaries:
        raise Rejected("_c.beneficiaries.size() == 0", "Comment already has beneficiaries specified.")
    if comment.abs_rshares != 0:
        raise Rejected("_c.abs_rshares == 0", "Comment must not have been voted on before specifying beneficiaries.")
    for beneficiary in extension.beneficiaries:
        if ctx.tables.accounts.find(beneficiary.account) is None:
            raise Rejected("acc != nullptr", 'Beneficiary "${a}" must exist.', a=beneficiary.account).named(
                "beneficiary_unknown"
            )
    return ctx.tables.comments.update(comment, beneficiaries=tuple(extension.beneficiaries))


def _set_vote_assets(ctx: Context, comment: CommentRow, extension: AllowedVoteAssets) -> None:
    if ctx.rules.tokens_live:
        set_votable_tokens(ctx, comment, ((symbol, options.plain) for symbol, options in extension.votable_assets))
        return
    if comment.abs_rshares != 0:
        raise Rejected(
            "_c.abs_rshares == 0", "Comment must not have been voted on before specifying allowed vote assets."
        )
    raise Rejected("false", "Voting with tokens is not enabled on this chain.")
