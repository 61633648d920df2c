"""Values of STEEM in SBD and back, at the median price of the feeds.

Source: libraries/chain/include/steem/chain/util/asset.hpp, to_sbd and to_steem.
"""

from protocol.assets import SBD, STEEM, Asset, Price, multiply


def compute_sbd_value(price: Price, steem_amount: int) -> int:
    """What STEEM satoshis are worth in SBD satoshis, rounded down; 0 while there is no price."""
    return 0 if price.is_null() else multiply(Asset(steem_amount, STEEM), price).amount


def compute_steem_value(price: Price, sbd_amount: int) -> int:
    """What SBD satoshis are worth in STEEM satoshis, rounded down; 0 while there is no price."""
    return 0 if price.is_null() else multiply(Asset(sbd_amount, SBD), price).amount
