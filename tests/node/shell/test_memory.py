"""What the node does for its memory in quiet moments."""

import ctypes
import gc

import pytest

from node.shell.memory import GC_THRESHOLDS, NEW_OBJECTS_MAX, RETURN_SECONDS, Tidier
from tests.processes import read_resident_bytes

MIB = 1 << 20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library keeps less")
def test_what_is_free_between_things_that_stay_goes_back() -> None:
    now = 0.0
    tidier = Tidier(lambda: now)
    things = [bytes(1000) for _ in range(100_000)]
    kept = things[::100]
    del things
    full = read_resident_bytes()
    tidier.tidy()
    assert read_resident_bytes() > full - 10 * MIB, "it is not done at every block"
    now = RETURN_SECONDS
    tidier.tidy()
    assert read_resident_bytes() < full - 70 * MIB
    assert len(kept) == 1000


def test_young_garbage_is_collected() -> None:
    class Knot:
        def __init__(self) -> None:
            self.knot = self

    gc.disable()
    try:
        gc.collect()
        for _ in range(100):
            Knot()
        Tidier().tidy()
        assert not [found for found in gc.get_objects() if isinstance(found, Knot)]
    finally:
        gc.enable()


def test_no_collection_looks_at_many_objects() -> None:
    looked_at = []

    def look(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            looked_at.append(sum(len(gc.get_objects(number)) for number in range(info["generation"] + 1)))

    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.callbacks.append(look)
    try:
        requests = [[number] for number in range(20 * NEW_OBJECTS_MAX)]
        Tidier().tidy()
    finally:
        gc.callbacks.remove(look)
        gc.set_threshold(*before)
    assert len(requests) == 20 * NEW_OBJECTS_MAX
    assert NEW_OBJECTS_MAX / 2 < max(looked_at) < NEW_OBJECTS_MAX * 1.1
