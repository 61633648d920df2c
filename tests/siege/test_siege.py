"""A short siege: a witness with 21 keys, attacked in every way at once for some seconds. `make siege` lasts longer."""

from pathlib import Path

from tests.network.network import open_network
from tests.siege.attacker import ATTACKS
from tests.siege.siege import FILES_MAX, Figures, Outcome, Siege, make_chain

SECONDS = 8.0
HELD_SECONDS_MAX = 0.2
"""Twenty milliseconds are for `make siege`: beside other tests the same work takes a processor longer."""


async def test_a_witness_under_attack_makes_its_blocks(tmp_path: Path) -> None:
    async with open_network(tmp_path, make_chain(tmp_path)) as network:
        siege = Siege(network)
        await siege.start()
        outcome = await siege.endure("all at once", list(ATTACKS), SECONDS, processes=2)
    print(outcome)
    assert outcome.made >= SECONDS / 2
    assert not [problem for problem in outcome.list_problems(HELD_SECONDS_MAX)]
    assert siege.witness.files_max == FILES_MAX


def test_the_longest_round_is_found_in_what_was_counted_since() -> None:
    before = Figures(5, 0, {("other", 0.01): 3.0, ("other", 0.02): 4.0, ("other", 0.05): 4.0, ("block", 0.05): 9.0})
    after = Figures(9, 1, {("other", 0.01): 6.0, ("other", 0.02): 8.0, ("other", 0.05): 8.0, ("block", 0.05): 9.0})
    assert after.find_longest(before, "other") == 0.02
    assert after.find_longest(before, "block") == 0


def test_what_a_witness_must_not_show_is_a_problem() -> None:
    good = Outcome("x", 10, 1, 10, 1, 0.02, 0.3, 1 << 20, ())
    assert not list(good.list_problems())
    for bad in ({"missed": 2}, {"made": 0}, {"held": 0.021}, {"memory": 500 << 20}, {"faults": ("a fault",)}):
        assert len(list(good._replace(**bad).list_problems())) == 1
