"""What distinguishes the bytes and JSON of one chain from another's: chain id, key prefix and symbol names."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.assets import SBD, STEEM, VESTS


@dataclass(frozen=True)
class ChainIdentity:
    """The names that the codec needs. The precisions of the core symbols are 3, 3 and 6 on every chain.

    ``chain_id`` is 32 bytes and enters signature digests. Symbol names are 1 to 6 capital letters.
    Source: libraries/protocol config.hpp and asset_symbol.hpp (what the reference fixes when it is compiled).
    """

    chain_id: bytes
    address_prefix: str
    steem_symbol: str
    sbd_symbol: str
    vests_symbol: str
    steem_precision: int = 3
    sbd_precision: int = 3
    vests_precision: int = 6

    def __post_init__(self) -> None:
        if len(self.chain_id) != 32:
            raise ValueError(f"a chain id has 32 bytes, not {len(self.chain_id)}")
        names = (self.steem_symbol, self.sbd_symbol, self.vests_symbol)
        for name in names:
            if not (1 <= len(name) <= 6 and name.isascii() and name.isalpha() and name.isupper()):
                raise ValueError(f"a symbol is 1 to 6 capital letters, not {name!r}")
        if len(set(names)) != 3:
            raise ValueError("the three symbols must differ")

    @property
    def symbol_names(self) -> dict[int, str]:
        """The name of each core symbol."""
        return {STEEM: self.steem_symbol, SBD: self.sbd_symbol, VESTS: self.vests_symbol}

    @property
    def symbol_bytes(self) -> dict[int, bytes]:
        """The 8 bytes of each core symbol on the wire: precision, name, zeros."""
        precisions = {STEEM: self.steem_precision, SBD: self.sbd_precision, VESTS: self.vests_precision}
        return {
            symbol: bytes([precisions[symbol]]) + name.encode("ascii").ljust(7, b"\0")
            for symbol, name in self.symbol_names.items()
        }


STEEM_MAINNET = ChainIdentity(bytes(32), "STM", "STEEM", "SBD", "VESTS")
"""The identity of the Steem main network."""
