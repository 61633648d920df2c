"""The hash behind the initialisation vector, against what the reference's library computed."""

from __future__ import annotations

import pytest

from protocol.p2p.city_hash import INPUT_BYTES_MAX, city_hash_crc_128
from tests.protocol.p2p.recorded import vectors


def test_hashes_of_the_reference() -> None:
    records = vectors()["cityhash"]
    assert {0, 3, 4, 8, 16, 17, 32, 64, 143, 144, 500, 900} <= {record["length"] for record in records}
    for record in records:
        data = bytes.fromhex(record["input"])
        assert len(data) == record["length"]
        assert city_hash_crc_128(data).hex() == record["bytes_hi_lo_le"], record["length"]


def test_longer_input_is_refused() -> None:
    with pytest.raises(ValueError, match="901 bytes are more than the maximum of 900"):
        city_hash_crc_128(bytes(INPUT_BYTES_MAX + 1))
