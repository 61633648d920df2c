"""What the wallet remembers of each chain, so that a node cannot tell it something else later without being noticed.

The key file keeps it. Whatever was never seen before is believed once; whatever differs is a doubt, which a person may
settle and a program may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from client.errors import ClientError
from protocol.identity import ChainIdentity
from wallet.amounts import Power

Facts = Mapping[str, Any]

RATE_FACTOR: Final = 2
"""By what factor the rate between VESTS and STEEM may differ from the one that was signed with last."""

RATE_MIN: Final = 1
RATE_MAX: Final = 10_000_000
"""Between how many VESTS and how many one STEEM stands on any chain that was seen; new ones begin with 1,000."""

_UNITS: Final = 1_000
"""How many smallest units of VESTS make one of STEEM at a rate of one to one: they have six and three decimals."""


def describe_chain(identity: ChainIdentity) -> dict[str, Any]:
    """What is remembered of a chain when it is first signed for."""
    return {"prefix": identity.address_prefix, "symbols": list(identity.symbol_names.values())}


def doubt_chain(chains: Mapping[str, Facts], identity: ChainIdentity) -> str:
    """Why the chain may be the wrong one to sign for; empty if the key file knows it, or knows none yet.

    Raises ClientError when the node calls the tokens or keys of a known chain by other names.
    """
    chain_id = identity.chain_id.hex()
    if chain_id in chains:
        known = chains[chain_id]
        for name, value in describe_chain(identity).items():
            if name in known and known[name] != value:
                raise ClientError(
                    f"the node says that the {name} of chain {chain_id} is {value}, and it was {known[name]} before",
                    "Nothing was signed: name a node that you trust with --node.",
                )
        return ""
    if not chains:
        return ""
    others = ", ".join(f"chain {other}" for other in chains)
    return f"this key file has signed for {others} only, and the node follows chain {chain_id}"


def doubt_rate(facts: Facts, power: Power) -> str:
    """Why the node's rate between VESTS and STEEM may be wrong; empty if it is about what it was."""
    said = describe_rate(power)
    if not RATE_MIN * _UNITS * power.fund <= power.shares <= RATE_MAX * _UNITS * power.fund:
        return f"the node says that {said}, and no chain is known where one STEEM is so much or so little"
    shares, fund = facts.get("rate", (power.shares, power.fund))
    before, now = int(shares) * power.fund, power.shares * int(fund)
    if now > before * RATE_FACTOR or before > now * RATE_FACTOR:
        return f"the node says that {said}, and {describe_rate(Power(int(shares), int(fund)))} when it was last used"
    return ""


def describe_rate(power: Power) -> str:
    """The rate in words, rounded down to whole millionths."""
    vests = power.shares * 1_000 // power.fund if power.fund else 0
    return f"1 STEEM is {vests // 1_000_000:,}.{vests % 1_000_000:06d} VESTS"


def doubt_memo_key(facts: Facts, name: str, key: str) -> str:
    """Why a memo that is encrypted for this key may be read by somebody else; empty if the key is known or new."""
    known = facts.get("memo_keys", {}).get(name)
    if known is None or known == key:
        return ""
    return f"the node says that the memo key of {name} is {key}, and it was {known} before"
