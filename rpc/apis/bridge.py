"""bridge: the one method of the social-media index (hivemind) that clients need to read posts.

The C++ node has no such API; it belongs to a separate index beside it. Its other methods are not offered here.
"""

import json
from typing import Any

from protocol.errors import ProtocolError
from rpc.apis.access import ApiBase, NodeAccess
from rpc.apis.condenser import CondenserApi
from rpc.kinds import Name, Permlink
from rpc.method import rpc_method
from rpc.slices import Steps, collect
from state.tables.kinds import TIME_MAX


class PostMissing(ProtocolError):
    """No such post, with the index's message."""

    code = -32602
    name = "invalid_parameters"
    what = "Invalid parameters"


class BridgeApi(ApiBase):
    """The method of bridge."""

    def __init__(self, node: NodeAccess, condenser: CondenserApi) -> None:
        super().__init__(node, legacy=True)
        self.condenser = condenser

    @rpc_method()
    def get_post(self, author: Name, permlink: Permlink, observer: Name | None = None) -> Steps:
        """A post in the format of hivemind. `observer` is ignored, since there are no mute lists."""
        comment = self.chain.ctx.tables.comments.index("by_permlink").find((author, permlink))
        if comment is None:
            raise PostMissing("", "post @${a}/${p} does not exist", a=author, p=permlink)
        post = yield from self.condenser.get_content(author, permlink)
        is_paid = comment.cashout_time == TIME_MAX
        votes = yield from collect(
            {"voter": vote["voter"], "rshares": int(vote["rshares"])} for vote in post["active_votes"]
        )
        pending = post["pending_payout_value"]
        parent = {"parent_author": comment.parent_author, "parent_permlink": comment.parent_permlink}
        return {
            "post_id": comment.id,
            "author": author,
            "permlink": permlink,
            "category": comment.category,
            "title": post["title"],
            "body": post["body"],
            "json_metadata": _parse_metadata(post["json_metadata"]),
            "created": post["created"],
            "updated": post["last_update"],
            "depth": comment.depth,
            "children": comment.children,
            "net_rshares": comment.net_rshares,
            "is_paidout": is_paid,
            "payout_at": post["last_payout"] if is_paid else post["cashout_time"],
            "payout": _number(pending) + _number(post["total_payout_value"]) + _number(post["curator_payout_value"]),
            "pending_payout_value": pending,
            "author_payout_value": post["total_payout_value"],
            "curator_payout_value": post["curator_payout_value"],
            "promoted": post["promoted"],
            "replies": [],
            "author_reputation": int(post["author_reputation"]),
            "stats": {"hide": False, "gray": False, "total_votes": len(votes), "flag_weight": 0},
            "url": post["url"],
            "beneficiaries": post["beneficiaries"],
            "max_accepted_payout": post["max_accepted_payout"],
            "percent_steem_dollars": post["percent_steem_dollars"],
            "active_votes": votes,
            "blacklists": [],
        } | (parent if comment.depth else {})


def _parse_metadata(text: str) -> Any:
    """Parses a post's metadata; anything but a JSON object becomes an empty one, as in the index."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(amount: str) -> float:
    """The number of "1.000 SBD", for display."""
    return float(amount.split(maxsplit=1)[0])
