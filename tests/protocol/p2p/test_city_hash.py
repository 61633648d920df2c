"""The hash behind the initialisation vector, against what the reference's library computed."""

from __future__ import annotations

import pytest

from protocol.p2p.city_hash import INPUT_BYTES_MAX, INPUT_BYTES_MIN, city_hash_crc_128
from tests.protocol.p2p.recorded import vectors


def test_hashes_of_the_reference() -> None:
    records = [record for record in vectors()["cityhash"] if INPUT_BYTES_MIN <= record["length"] <= INPUT_BYTES_MAX]
    assert {33, 40, 63, 64, 65, 127, 128, 143} <= {record["length"] for record in records}
    for record in records:
        data = bytes.fromhex(record["input"])
        assert len(data) == record["length"]
        assert city_hash_crc_128(data).hex() == record["bytes_hi_lo_le"], record["length"]


@pytest.mark.parametrize("size", [0, 32, 144])
def test_shorter_and_longer_input_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bytes are not from 33 to 143"):
        city_hash_crc_128(bytes(size))
