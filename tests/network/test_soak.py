"""What the soak makes of its samples of memory."""

from collections.abc import Callable

from tests.network.soak import GROWTH_BYTES_MAX, MEASURED_SECONDS, WARM_UP_SECONDS, Growth, Sample, compute_growth

RATE = 200
MIB = 1 << 20


def sample(seconds: int, resident: Callable[[int], int], reversible: Callable[[int], int]) -> list[Sample]:
    return [Sample(at, resident(at), 0.0, 1000, 1000 - reversible(at)) for at in range(0, seconds, 2)]


def grow(resident: Callable[[int], int], reversible: Callable[[int], int] = lambda at: 20) -> Growth:
    growth = compute_growth(sample(WARM_UP_SECONDS + MEASURED_SECONDS, resident, reversible))
    assert growth is not None
    return growth


def test_what_goes_up_and_down_is_flat() -> None:
    assert grow(lambda at: 250 * MIB + at % 50 * MIB // 4).resident < MIB


def test_growth_in_the_warm_up_does_not_count() -> None:
    assert grow(lambda at: min(at, WARM_UP_SECONDS) * MIB) == Growth(0, 0)


def test_a_leak_of_some_bytes_a_transaction_is_too_much() -> None:
    assert grow(lambda at: 250 * MIB + at * RATE * 110).resident > GROWTH_BYTES_MAX


def test_more_reversible_blocks_than_ever_before_are_counted_once_blocks_are_full() -> None:
    assert grow(lambda at: 250 * MIB, lambda at: 24 if at == 1200 else 20) == Growth(0, 4)
    assert grow(lambda at: 250 * MIB, lambda at: 24 if at in (600, 1200) else 29 if at == 10 else 20) == Growth(0, 0)


def test_a_short_run_says_nothing() -> None:
    assert compute_growth(sample(WARM_UP_SECONDS + 80, lambda at: 0, lambda at: 20)) is None
