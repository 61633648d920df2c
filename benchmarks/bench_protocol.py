"""Times the codec and the keys: python -m benchmarks.bench_protocol."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks.timing import elapsed, measure, show
from operations.content import Comment
from operations.custom import CustomJson
from operations.transfer import Transfer
from operations.vote import Vote
from protocol.assets import STEEM, Asset
from protocol.codec import codec_for
from protocol.identity import STEEM_MAINNET
from protocol.keys import PrivateKey, recover, sign_digest
from protocol.operation import Operation

SAMPLES: tuple[Operation, ...] = (
    Transfer("alice", "bob", Asset(1000, STEEM), "for the coffee"),
    Vote("alice", "bob", "a-post-about-coffee", 10_000),
    Comment("", "coffee", "bob", "a-post-about-coffee", "Coffee", "word " * 200, '{"tags":["coffee"]}'),
    CustomJson((), ("alice",), "follow", '["follow",{"follower":"alice","following":"bob","what":["blog"]}]'),
)
SIGNATURES = 4000


def main() -> None:
    """Prints the figures."""
    codec = codec_for(STEEM_MAINNET)
    for sample in SAMPLES:
        packed = codec.encode_operation(sample)
        name = sample.wire_name
        show(f"encode {name}", 1e6 * measure(partial(codec.encode_operation, sample), 20_000), "us")
        show(f"decode {name}", 1e6 * measure(partial(codec.decode_operation, packed), 20_000), "us")
        show(f"{name} to JSON", 1e6 * measure(partial(codec.operation_to_json, sample, legacy=True), 5000), "us")
        shown = codec.operation_to_json(sample, legacy=True)
        show(f"{name} from JSON", 1e6 * measure(partial(codec.operation_from_json, shown), 2000), "us")
    digest = os.urandom(32)
    signature = sign_digest(digest, PrivateKey.from_seed("bench"))
    jobs = [(digest, signature)] * SIGNATURES
    one = elapsed(lambda: [recover(*job) for job in jobs])
    show("key recoveries, one thread", SIGNATURES / one, "per second")
    with ThreadPoolExecutor(2) as pool:
        two = elapsed(lambda: list(pool.map(lambda part: [recover(*job) for job in part], (jobs, jobs))))
    show("key recoveries, two threads", 2 * SIGNATURES / two, "per second", f"{2 * one / two:.2f} times one thread")


if __name__ == "__main__":
    main()
