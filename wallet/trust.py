"""Trust on first use: the wallet stores facts about each chain, and detects when a node contradicts them later.

The facts are stored in the key file. New facts are accepted; a different one raises a doubt, which only a person may
resolve.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from client.errors import ClientError
from protocol.identity import ChainIdentity
from wallet.amounts import Power

Facts = Mapping[str, Any]

RATE_FACTOR: Final = 2
"""Maximum factor between the rate of VESTS to STEEM and the one last signed with."""

RATE_MIN: Final = 1
RATE_MAX: Final = 10_000_000
"""Plausible range of VESTS per STEEM on known chains; new ones begin with 1,000."""

_UNITS: Final = 1_000
"""Smallest units of VESTS (six decimals) per smallest unit of STEEM (three decimals) at a rate of 1."""


def describe_chain(identity: ChainIdentity) -> dict[str, Any]:
    """Returns the facts to store when a chain is first signed for."""
    return {"prefix": identity.address_prefix, "symbols": list(identity.symbol_names.values())}


def doubt_chain(chains: Mapping[str, Facts], identity: ChainIdentity) -> str:
    """Returns why the chain may be the wrong one, or an empty text if the key file knows it or no chain yet.

    Raises ClientError when the node names other symbols or another prefix for a known chain.
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
    """Returns why the node's rate between VESTS and STEEM may be wrong, or an empty text."""
    said = describe_rate(power)
    if not RATE_MIN * _UNITS * power.fund <= power.shares <= RATE_MAX * _UNITS * power.fund:
        return f"the node says that {said}, which is outside the plausible range"
    shares, fund = facts.get("rate", (power.shares, power.fund))
    before, now = int(shares) * power.fund, power.shares * int(fund)
    if now > before * RATE_FACTOR or before > now * RATE_FACTOR:
        return f"the node says that {said}, and {describe_rate(Power(int(shares), int(fund)))} when it was last used"
    return ""


def describe_rate(power: Power) -> str:
    """Describes the rate, rounded down to millionths."""
    vests = power.shares * 1_000 // power.fund if power.fund else 0
    return f"1 STEEM is {vests // 1_000_000:,}.{vests % 1_000_000:06d} VESTS"


def doubt_memo_key(facts: Facts, name: str, key: str) -> str:
    """Returns why this memo key may belong to somebody else, or an empty text if it is known or new."""
    known = facts.get("memo_keys", {}).get(name)
    if known is None or known == key:
        return ""
    return f"the node says that the memo key of {name} is {key}, and it was {known} before"
