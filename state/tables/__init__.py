"""Every row of the chain state, by domain.

Amounts are integers in the smallest unit of the token that the field name implies (`balance` in STEEM satoshis,
`sbd_balance` in SBD satoshis, `vesting_shares` in VESTS satoshis); times are seconds since the epoch; `id` counts the
objects of a table in the order of their creation, as the reference counts them.

Source of the layouts: libraries/chain/include/steem/chain/*_object(s).hpp of the reference.
"""
