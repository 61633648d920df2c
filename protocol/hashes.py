"""The one hash function of the protocol that the standard library does not offer everywhere."""

from Crypto.Hash import RIPEMD160


def ripemd160(data: bytes) -> bytes:
    """Returns the 20 bytes of RIPEMD-160 over `data`.

    Where OpenSSL 3 has no legacy provider `hashlib.new("ripemd160")` fails, so pycryptodome, which brings
    its own implementation, is always used.
    """
    return RIPEMD160.new(data).digest()
