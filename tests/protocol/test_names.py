"""Which strings may be account names. Counterpart of the reference's valid_name_test."""

import pytest

from protocol.names import is_valid_account_name

VALID = """
aaa a0a a-a aa0 a00 a-0 aaa-bbb-ccc aaa-bbb.ccc aaa.bbb-ccc aaa.bbb.ccc aaa--bbb--ccc xn--san-p8a.dex xn-san-p8a.dex
this-label-has
"""
INVALID = """
a A 0 . - aa aA a0 a. a- aAa a.a aA0 a.0 aaa,bbb-ccc aaa_bbb-ccc aaa-BBB-ccc 1aaa-bbb -aaa-bbb-ccc .aaa-bbb-ccc
/aaa-bbb-ccc aaa-bbb-ccc- aaa-bbb-ccc. aaa-bbb-ccc.. aaa-bbb-ccc/ aaa..bbb-ccc xn--san-p8a.de xn-san-p8a.de
this-label-has-more-than-63-char.act.ers-64-to-be-really-precise
none.of.these.labels.has.more.than-63.chars--but.still.not.valid
"""


@pytest.mark.parametrize("name", [*VALID.split(), "a" * 16, "abc.def.ghi.jklm"])
def test_names_that_an_account_may_have(name: str) -> None:
    assert is_valid_account_name(name)


@pytest.mark.parametrize("name", [*INVALID.split(), "", "a" * 17, "aaa\n", "aaä"])
def test_names_that_no_account_may_have(name: str) -> None:
    assert not is_valid_account_name(name)
