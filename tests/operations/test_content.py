"""Posts, replies, edits, deletion and options, as in the reference's comment_apply and comment_delete_apply."""

import pytest

from operations.content import Comment, CommentOptions, CommentPayoutBeneficiaries, DeleteComment
from protocol.assets import SBD, Asset
from protocol.errors import Invalid
from protocol.types import Beneficiary
from state.tables.kinds import TIME_MAX
from tests.chains import TREASURY
from tests.operations.blog import fill_fund, find_post, forward_to_payout, pay_due, post, vote
from tests.operations.test_text_patch import make_near_misses
from tests.operations.world import World

HOUR = 3600


@pytest.fixture
def blog(world: World) -> World:
    """Accounts with stake, ten minutes after the genesis."""
    world.create("alice", "bob", "sam", "dave")
    for name in ("alice", "bob"):
        world.vest(name, 10_000_000)
    world.forward(600)
    return world


def options(**changes: object) -> CommentOptions:
    fields: dict[str, object] = {
        "author": "alice",
        "permlink": "post",
        "max_accepted_payout": Asset(1_000_000_000, SBD),
        "percent_steem_dollars": 10_000,
        "allow_votes": True,
        "allow_curation_rewards": True,
        "extensions": (),
    }
    return CommentOptions(**{**fields, **changes})  # type: ignore[arg-type]


def beneficiaries(*shares: tuple[str, int]) -> tuple[CommentPayoutBeneficiaries, ...]:
    return (CommentPayoutBeneficiaries(tuple(Beneficiary(name, weight) for name, weight in shares)),)


@pytest.mark.windows
def test_root_post(blog: World) -> None:
    blog.push(post("alice", body="Lorem ipsum"))
    row = find_post(blog, "alice")
    assert (row.parent_author, row.parent_permlink, row.category) == ("", "test", "test")
    assert (row.created, row.last_update, row.active) == (blog.now, blog.now, blog.now)
    assert (row.net_rshares, row.abs_rshares, row.depth, row.children) == (0, 0, 0, 0)
    assert (row.cashout_time, row.max_cashout_time, row.last_payout) == (blog.now + HOUR, TIME_MAX, 0)
    assert (row.reward_weight, row.root_comment, row.percent_steem_dollars) == (10_000, row.id, 10_000)
    assert row.max_accepted_payout == 1_000_000_000
    content = blog.tables.comment_contents.get(row.id)
    assert (content.title, content.body, content.json_metadata) == ("", "Lorem ipsum", "")
    author = blog["alice"]
    assert (author.post_count, author.last_post, author.last_root_post) == (1, blog.now, blog.now)
    assert author.last_post_edit == blog.now


@pytest.mark.windows
def test_replies(blog: World) -> None:
    blog.push(post("alice"))
    blog.refuse(post("bob", "reply", parent=("alice", "missing")), "unknown key")
    blog.forward(3)
    blog.push(post("bob", "reply", parent=("alice", "post")))
    blog.forward(3)
    blog.push(post("sam", "answer", parent=("bob", "reply")))
    root, reply, answer = (find_post(blog, *name) for name in (("alice",), ("bob", "reply"), ("sam", "answer")))
    assert (reply.depth, answer.depth) == (1, 2)
    assert reply.root_comment == answer.root_comment == root.id
    assert (root.children, reply.children, answer.children) == (2, 1, 0)
    assert root.active == reply.active == blog.now
    assert answer.category == "test"
    assert answer.cashout_time == blog.now + HOUR
    assert blog["sam"].last_root_post == 0


@pytest.mark.windows
def test_edit(blog: World) -> None:
    blog.push(post("alice", body="The quick brown fox"))
    created = blog.now
    blog.refuse(post("alice", body="edit"), "Can only perform one comment edit per block.")
    blog.forward(3)
    blog.push(post("alice", body="@@ -1,9 +1,8 @@\n The \n-quick\n+slow\n"))
    row = find_post(blog, "alice")
    assert (row.created, row.last_update, row.active) == (created, blog.now, blog.now)
    assert blog.tables.comment_contents.get(row.id).body == "The slow brown fox"
    assert (blog["alice"].last_post, blog["alice"].last_post_edit) == (created, blog.now)
    blog.forward(3)
    blog.refuse(post("alice", parent=("", "other")), "The permlink of a comment cannot change.")
    blog.push(post("bob"))
    blog.refuse(post("alice", parent=("bob", "post")), "com.parent_author == o.parent_author")
    blog.push(post("sam", "reply", parent=("bob", "post")))
    blog.forward(3)
    blog.refuse(post("sam", "reply"), "com.parent_author == account_name_type()")


@pytest.mark.windows
def test_intervals(blog: World) -> None:
    """Counterpart of post_rate_limit: a root post every 5 minutes, a reply every 3 seconds, all of full weight."""
    blog.push(post("alice", "one"))
    blog.forward(300)
    blog.refuse(post("alice", "two"), "You may only post once every 5 minutes.")
    blog.forward(3)
    blog.push(post("alice", "two"))
    assert find_post(blog, "alice", "two").reward_weight == 10_000
    reply = post("alice", "reply", parent=("alice", "one"))
    blog.refuse(reply, "You may only comment once every 3 seconds.")
    blog.forward(3)
    blog.push(reply)
    blog.push(post("bob", "three"))


def test_permlinks_of_new_posts(blog: World) -> None:
    blog.refuse(post("alice", "Upper"), "Invalid permlink character: U")
    blog.refuse(post("alice", ""), "Permlink is not a valid size.")
    blog.refuse(post("alice", parent=("", "a_b")), "Invalid permlink character: _")


def test_closed_discussion_and_depth(blog: World) -> None:
    blog.push(post("alice"))
    comments = blog.tables.comments
    comments.update(find_post(blog, "alice"), depth=255)
    reply = post("bob", "reply", parent=("alice", "post"))
    with blog.pending():
        blog.refuse(reply, "Comment is nested 255 posts deep, maximum depth is 255.")
    comments.update(find_post(blog, "alice"), depth=65_535)
    blog.refuse(reply, "parent->depth < STEEM_MAX_COMMENT_DEPTH: Comment is nested 65535 posts deep")
    comments.update(find_post(blog, "alice"), depth=0, allow_replies=False)
    blog.refuse(reply, "The parent comment has disabled replies.")


@pytest.mark.windows
def test_delete(blog: World) -> None:
    blog.push(post("alice"))
    blog.push(vote("alice", "alice"))
    delete = DeleteComment("alice", "post")
    blog.refuse(delete, "Cannot delete a comment with net positive votes.")
    blog.forward(3)
    blog.push(vote("alice", "alice", -10_000))
    number = find_post(blog, "alice").id
    blog.push(delete)
    tables = blog.tables
    assert tables.comments.find(number) is None
    assert tables.comment_contents.find(number) is None
    assert not list(tables.comment_votes.scan((number,)))
    blog.refuse(delete, "unknown key")
    blog.forward(303)
    blog.push(post("alice"))
    forward_to_payout(blog, "alice")
    pay_due(blog)
    blog.refuse(delete, "comment.cashout_time != fc::time_point_sec::maximum()")


@pytest.mark.windows
def test_delete_with_replies(blog: World) -> None:
    blog.push(post("alice"))
    blog.forward(3)
    blog.push(post("alice", "reply", parent=("alice", "post")))
    blog.forward(3)
    blog.push(post("bob", "answer", parent=("alice", "reply")))
    blog.refuse(DeleteComment("alice", "reply"), "Cannot delete a comment with replies.")
    blog.push(DeleteComment("bob", "answer"))
    assert (find_post(blog, "alice").children, find_post(blog, "alice", "reply").children) == (1, 0)
    blog.push(DeleteComment("alice", "reply"))
    assert find_post(blog, "alice").children == 0


def test_options(blog: World) -> None:
    blog.push(post("alice"))
    blog.push(options(max_accepted_payout=Asset(5000, SBD), percent_steem_dollars=5000))
    row = find_post(blog, "alice")
    assert (row.max_accepted_payout, row.percent_steem_dollars) == (5000, 5000)
    blog.refuse(options(percent_steem_dollars=5000), "A comment cannot accept a greater payout.")
    less = {"max_accepted_payout": Asset(5000, SBD), "percent_steem_dollars": 5000}
    blog.refuse(options(**{**less, "percent_steem_dollars": 5001}), "A comment cannot accept a greater percent SBD.")
    blog.push(options(**less, allow_votes=False, allow_curation_rewards=False))
    blog.refuse(options(**less, allow_votes=False), "Curation rewards cannot be re-enabled.")
    blog.refuse(options(**less, allow_curation_rewards=False), "Voting cannot be re-enabled.")
    blog.refuse(vote("bob", "alice"), "comment.allow_votes: Votes are not allowed on the comment.")
    blog.refuse(options(permlink="missing"), "unknown key")


def test_options_after_a_vote(blog: World) -> None:
    blog.push(post("alice"))
    blog.push(vote("bob", "alice"))
    for change in ({"allow_votes": False}, {"allow_curation_rewards": False}, {"max_accepted_payout": Asset(0, SBD)}):
        blog.refuse(options(**change), "One of the included comment options requires the comment to have no rshares")
    blog.refuse(
        options(extensions=beneficiaries(("bob", 1))),
        "Comment must not have been voted on before specifying beneficiaries.",
    )
    blog.push(options(percent_steem_dollars=0))


@pytest.mark.windows
def test_beneficiaries(blog: World) -> None:
    """Counterpart of comment_beneficiaries_apply; the parts are checked to the last unit."""
    blog.push(post("alice"))
    many = beneficiaries(*((f"friend{n}", 100) for n in range(9)))
    with blog.pending():
        blog.refuse(options(extensions=many), "plugin exception:Cannot specify more than 8 beneficiaries.")
    blog.refuse(options(extensions=many), 'Beneficiary "friend0" must exist.')
    chosen = beneficiaries(("bob", 2500), ("sam", 5000), (TREASURY, 1000))
    blog.push(options(allow_curation_rewards=False, extensions=chosen))
    again = options(allow_curation_rewards=False, extensions=beneficiaries(("dave", 2500)))
    blog.refuse(again, "Comment already has beneficiaries specified.")
    treasury = blog[TREASURY].sbd_balance
    fill_fund(blog)
    treasury = blog[TREASURY].sbd_balance
    blog.push(vote("bob", "alice"))
    forward_to_payout(blog, "alice")
    _, (paid,) = pay_due(blog)
    author = paid.author_steem
    assert author > 0
    assert [part.steem for part in paid.beneficiaries] == [author // 4, author // 2, author // 10]
    assert blog[TREASURY].sbd_balance == treasury + author // 10
    bob, sam, alice = blog["bob"], blog["sam"], blog["alice"]
    assert bob.reward_sbd_balance == author // 4 // 2
    assert bob.reward_vesting_steem == author // 4 - author // 4 // 2
    assert sam.reward_sbd_balance + sam.reward_vesting_steem == author // 2
    rest = author - author // 4 - author // 2 - author // 10
    assert alice.reward_sbd_balance + alice.reward_vesting_steem == rest
    assert find_post(blog, "alice").beneficiary_payout_value == author - rest


@pytest.mark.windows
def test_comment_apply(blog: World) -> None:
    """Counterpart of comment_apply: a post, a reply, a reply to that, edits, and the pause between posts."""
    world = blog
    text = ("Lorem Ipsum", "Lorem ipsum dolor sit amet", '{"foo":"bar"}')
    world.refuse(Comment("alice", "foobar", "bob", "ipsum", *text), "unknown key")
    chain = (("", "ipsum", "alice", "lorem"), ("alice", "lorem", "bob", "ipsum"), ("bob", "ipsum", "sam", "dolor"))
    for parent_author, parent_permlink, author, permlink in chain:
        world.push(Comment(parent_author, parent_permlink, author, permlink, *text))
        row = find_post(world, author, permlink)
        assert (row.parent_author, row.parent_permlink, row.author, row.permlink) == (
            parent_author,
            parent_permlink,
            author,
            permlink,
        )
        assert (row.created, row.last_update, row.cashout_time) == (world.now, world.now, world.now + HOUR)
        assert (row.net_rshares, row.abs_rshares) == (0, 0)
        assert row.root_comment == find_post(world, "alice", "lorem").id
        content = world.tables.comment_contents.get(row.id)
        assert (content.title, content.body, content.json_metadata) == text
        world.recount()

    created = world.now
    world.forward(303)
    edited = ("foo", "bar", '{"bar":"foo"}')
    world.push(Comment("bob", "ipsum", "sam", "dolor", *edited))
    row = find_post(world, "sam", "dolor")
    assert (row.created, row.last_update, row.cashout_time) == (created, world.now, created + HOUR)
    assert (row.parent_author, row.parent_permlink, row.author, row.permlink) == ("bob", "ipsum", "sam", "dolor")
    content = world.tables.comment_contents.get(row.id)
    assert (content.title, content.body, content.json_metadata) == edited
    again = Comment("bob", "ipsum", "sam", "dolor", "foo", "edit", "")
    world.refuse(again, "Can only perform one comment edit per block.")
    world.forward(3)
    world.push(again)

    world.push(Comment("", "test", "sam", "sit", *edited))
    world.forward(300)
    world.refuse(Comment("", "test", "sam", "amet", *edited), "You may only post once every 5 minutes.")
    world.forward(3)
    world.push(Comment("", "test", "sam", "amet", *edited))


@pytest.mark.windows
def test_post_rate_limit(blog: World) -> None:
    """Counterpart of post_rate_limit: five posts, each just after the pause, have all full weight."""
    for number in range(5):
        blog.push(post("alice", f"test{number}"))
        assert find_post(blog, "alice", f"test{number}").reward_weight == 10_000
        blog.forward(303)


def test_beneficiaries_are_checked_by_themselves() -> None:
    """Counterpart of comment_beneficiaries_validate."""
    rules = World().ctx.rules

    def check(*shares: tuple[str, int]) -> None:
        options(extensions=beneficiaries(*shares)).validate(rules)

    most = sorted((f"foo{number}", 1) for number in range(127))
    check(*most)
    check(("alice", 100), ("bob", 100))
    for shares, text in (
        ([("bob", 10_001)], "Cannot allocate more than 100% of rewards to one account"),
        ([("bob", 7_500), ("sam", 7_500)], "Cannot allocate more than 100% of rewards to a comment"),
        (sorted([*most, ("bar", 1)]), "Cannot specify more than 127 beneficiaries."),
        ([("bob", 200), ("bob", 100)], "Benficiaries must be specified in sorted order (account ascending)"),
        ([("bob", 100), ("alice", 100)], "Benficiaries must be specified in sorted order (account ascending)"),
    ):
        with pytest.raises(Invalid) as refused:
            check(*shares)
        assert refused.value.message.endswith(text)


def test_a_patch_that_costs_much_waits_for_a_block_of_others(blog: World) -> None:
    """A node's pool takes no edit that would hold it up; a block with it is applied."""
    body, patch = make_near_misses(3000, 1)
    blog.push(Comment("", "test", "alice", "post", "", body, ""))
    blog.forward(60)
    edit = Comment("", "test", "alice", "post", "", patch, "")
    with blog.pending():
        blog.refuse(edit, "plugin exception:The transaction asks for")
    blog.push(edit)
