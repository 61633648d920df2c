"""The chain config: presets, the report of constants, hard forks, errors, the template."""

import json
from pathlib import Path
from typing import Any

import pytest

from protocol.config import PRESETS, ChainConfig, ChainConfigError, PresetName, RewardCurve, Rules
from protocol.config_template import render_template
from protocol.hardforks import HardFork, format_version, hardfork_version, parse_version
from protocol.keys import PrivateKey
from protocol.times import time_text
from tests.vectors import vectors_path

MINIMAL = """
[[genesis.accounts]]
name = "initminer"
owner_key = "STM8GC13uCZbP44HzMLV6zPZGwVQ8Nt4Kji8PapsPiNq1BK153XTX"
[[genesis.witnesses]]
owner = "initminer"
signing_key = "STM8GC13uCZbP44HzMLV6zPZGwVQ8Nt4Kji8PapsPiNq1BK153XTX"
"""


def read_reference_config() -> dict[str, Any]:
    text = (vectors_path() / "reference_common" / "get_config.json").read_text()
    result: dict[str, Any] = json.loads(text)["result"]
    return result


def test_testnet_reports_exactly_the_constants_of_the_reference() -> None:
    reference = read_reference_config()
    report = ChainConfig.preset("testnet").get_config_json()
    assert list(report) == list(reference)
    assert json.dumps(report) == json.dumps(reference)


def test_mainnet_reports_the_same_names_without_testnet_and_tokens() -> None:
    reference = read_reference_config()
    report = ChainConfig.preset("steem").get_config_json()
    assert list(report) == [name for name in reference if not name.startswith(("SMT_", "TESTNET_"))]
    different = {name: value for name, value in report.items() if value != reference[name]}
    assert different == {
        "IS_TEST_NET": False,
        "STEEM_ENABLE_SMT": False,
        "STEEM_ACCOUNT_RECOVERY_REQUEST_EXPIRATION_PERIOD": "86400000000",
        "STEEM_ADDRESS_PREFIX": "STM",
        "STEEM_BLOCKCHAIN_HARDFORK_VERSION": "0.23.0",
        "STEEM_BLOCKCHAIN_VERSION": "0.23.1",
        "STEEM_CASHOUT_WINDOW_SECONDS": 604800,
        "STEEM_CASHOUT_WINDOW_SECONDS_PRE_HF12": 86400,
        "STEEM_CASHOUT_WINDOW_SECONDS_PRE_HF17": 43200,
        "STEEM_CHAIN_ID": "0" * 64,
        "STEEM_GENESIS_TIME": "2016-03-24T16:00:00",
        "STEEM_INIT_PUBLIC_KEY_STR": "STM8GC13uCZbP44HzMLV6zPZGwVQ8Nt4Kji8PapsPiNq1BK153XTX",
        "STEEM_INIT_SUPPLY": 0,
        "STEEM_SBD_INIT_SUPPLY": 0,
        "STEEM_MAX_CASHOUT_WINDOW_SECONDS": 1209600,
        "STEEM_MIN_ACCOUNT_CREATION_FEE": 1,
        "STEEM_MINING_TIME": "2016-03-24T17:00:00",
        "STEEM_OWNER_AUTH_HISTORY_TRACKING_START_BLOCK_NUM": 3186477,
        "STEEM_OWNER_AUTH_RECOVERY_PERIOD": "2592000000000",
        "STEEM_OWNER_UPDATE_LIMIT": 3600000000,
        "STEEM_SECOND_CASHOUT_WINDOW": 2592000,
        "STEEM_UPVOTE_LOCKOUT_HF17": "43200000000",
        "STEEM_UPVOTE_LOCKOUT_SECONDS": 43200,
        "STEEM_DELEGATION_RETURN_PERIOD_HF0": 604800,
    }


def test_testnet_starts_with_the_hard_forks_of_the_reference() -> None:
    path = vectors_path() / "reference_chain_a" / "states.jsonl"
    with path.open() as lines:
        next(lines)
        state = json.loads(next(lines))["database_api"]["hardfork_properties"]
    assert [time_text(at) for at in ChainConfig.preset("testnet").processed_hardforks] == state["processed_hardforks"]


def test_presets_have_the_identity_clients_expect() -> None:
    testnet, dev = ChainConfig.preset("testnet"), ChainConfig.preset("dev")
    assert (testnet.identity.address_prefix, testnet.identity.steem_symbol, testnet.identity.sbd_symbol) == (
        "TST",
        "TESTS",
        "TBD",
    )
    assert testnet.identity.chain_id.hex() == "18dcf0a285365fc58b71f18b3d3fec954aa0c141c44e4e5cb4cf777b9eab274e"
    assert PrivateKey.from_seed("init_key").public_key == testnet.public_key(testnet.genesis.witnesses[0].signing_key)
    assert (dev.identity.address_prefix, dev.identity.steem_symbol, dev.identity.sbd_symbol) == ("STM", "STEEM", "SBD")
    assert dev.identity.chain_id == bytes(32)
    assert testnet.rules.irreversible_by_witness_from_block == 864_000
    assert dev.rules.irreversible_by_witness_from_block == 0


def test_mainnet_rules_are_the_defaults_except_for_hard_fork_24() -> None:
    steem = ChainConfig.preset("steem").rules
    assert steem == Rules().replace(required_actions_partition_bp=0, tokens_enabled=False)
    assert steem.blocks_per_year == 10_512_000
    assert steem.author_reward_curve is RewardCurve.CONVERGENT_LINEAR


def test_the_mainnet_preset_is_written_out_in_full() -> None:
    file = Path(__file__).resolve().parents[2] / "protocol" / "presets" / "steem.toml"
    assert file.read_text() == render_template(ChainConfig.preset("steem")), "write it anew with render_template"


def test_dev_accounts_have_the_keys_of_the_documented_password() -> None:
    dev = ChainConfig.preset("dev")
    keys = {(account.name, role): key for account, role, key in dev.development_keys()}
    assert len(keys) == 4 * len(dev.genesis.accounts) == 44
    assert keys["alice", "active"] == PrivateKey.from_seed("aliceactiveplaudit-dev")
    assert keys["initminer", "active"].public_key == dev.public_key(dev.genesis.witnesses[0].signing_key)


def test_dev_debt_is_below_the_limit_of_printing() -> None:
    genesis, rules = ChainConfig.preset("dev").genesis, ChainConfig.preset("dev").rules
    debt_in_steem = genesis.init_sbd_supply * genesis.median_price_steem // genesis.median_price_sbd
    assert debt_in_steem * 10_000 // (genesis.init_supply + debt_in_steem) < rules.sbd_start_bp
    assert genesis.total_vesting_shares > 0


@pytest.mark.parametrize("name", PRESETS)
def test_a_written_config_reads_back_equal(name: PresetName, tmp_path: Path) -> None:
    config = ChainConfig.preset(name)
    file = tmp_path / "chain.toml"
    file.write_text(render_template(config))
    assert ChainConfig.load(file) == config


def test_the_template_explains_every_key_and_derives_its_chain_id() -> None:
    text = render_template()
    config = ChainConfig.parse(text)
    assert config.chain.chain_id == "derive"
    assert config.chain_id == config.genesis.derive_chain_id() != bytes(32)
    lines = text.splitlines()
    rules_at = lines.index("[rules]")
    for key in Rules.model_fields:
        at = next(number for number in range(rules_at, len(lines)) if lines[number].startswith(f"{key} = "))
        assert lines[at - 1].startswith("# "), key


def test_the_derived_chain_id_depends_on_the_genesis() -> None:
    first = ChainConfig.parse(MINIMAL + '[chain]\nchain_id = "derive"\n')
    second = ChainConfig.parse(MINIMAL + '[chain]\nchain_id = "derive"\n[genesis]\ntime = 2020-01-01T00:00:00\n')
    assert first.chain_id != second.chain_id
    assert second.genesis.time == 1_577_836_800


def test_a_future_hard_fork_changes_the_rules() -> None:
    future = """
    [[hardforks.future]]
    number = 25
    version = "0.25.0"
    time = "2030-01-01T00:00:00"
    name = "made up"
    [hardforks.future.rules]
    vesting_withdraw_intervals = 13
    author_reward_curve = "linear"
    """
    config = ChainConfig.parse(MINIMAL + future)
    assert config.rules_at(24) == config.rules
    assert config.rules_at(25).vesting_withdraw_intervals == 13
    assert config.rules_at(25).author_reward_curve is RewardCurve.LINEAR
    assert config.hard_forks[24].version == "0.25.0"
    assert ChainConfig.parse(render_template(config)) == config
    with pytest.raises(ValueError, match="up to 25, not 26"):
        config.rules_at(26)


def test_a_hard_fork_may_be_a_function() -> None:
    fork = HardFork(25, "0.25.0", 0, rules_change=lambda rules: rules.replace(max_vote_changes=9))
    assert fork.apply(Rules()).max_vote_changes == 9


@pytest.mark.parametrize(
    ("text", "key", "value", "allowed"),
    [
        (MINIMAL + "[rules]\nmax_witnesses = 0", "rules.max_witnesses", "0", "greater than or equal to 1"),
        (MINIMAL + "[rules]\nno_such_rule = 1", "rules.no_such_rule", "", "not a key"),
        (MINIMAL + '[rules]\nfeed_interval_blocks = "x"', "rules.feed_interval_blocks", '"x"', "valid integer"),
        (
            MINIMAL + '[rules]\nauthor_reward_curve = "cubic"',
            "rules.author_reward_curve",
            '"cubic"',
            "convergent_linear",
        ),
        (MINIMAL + "[rules]\nmax_witnesses = 5", "rules", "", "must be max_witnesses"),
        (MINIMAL + '[chain]\nchain_id = "xyz"', "chain.chain_id", '"xyz"', "pattern"),
        (MINIMAL + '[chain]\naddress_prefix = "TST"', "chain config", "", "not a public key with prefix TST"),
        (MINIMAL + '[genesis]\ntime = "yesterday"', "genesis.time", '"yesterday"', "2016-01-01T00:00:00"),
        (MINIMAL + "[genesis]\nvesting_fund = 5", "genesis", "", "vesting_fund must be 0"),
        (MINIMAL + '[genesis]\nreserved_accounts = ["null"]', "chain config", "", "must contain 'miners'"),
        ("[chain]\n", "genesis", "", "is missing"),
        ("chain = [", "file", "", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_key_value_and_what_is_allowed(
    text: str, key: str, value: str, allowed: str
) -> None:
    with pytest.raises(ChainConfigError) as caught:
        ChainConfig.parse(text, "file chain.toml")
    assert "file chain.toml" in str(caught.value)
    matching = [problem for problem in caught.value.problems if problem.key == key]
    assert matching, caught.value
    assert matching[0].value == value
    assert allowed in matching[0].allowed


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChainConfigError, match=r"missing\.toml"):
        ChainConfig.load(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ChainConfigError, match="UTF-8"):
        ChainConfig.load(tmp_path / "latin.toml")


def test_a_password_must_fit_its_keys() -> None:
    with pytest.raises(ChainConfigError, match="does not belong to its password"):
        ChainConfig.parse(MINIMAL.replace('name = "initminer"', 'name = "initminer"\npassword = "x"'))


def test_versions() -> None:
    assert parse_version("0.23.1") == 0x00170001
    assert format_version(0x00170001) == "0.23.1"
    assert hardfork_version("0.23.1") == "0.23.0"
    for wrong in ("1", "0.256.0", "0.1.65536", "a.b.c", "-1.0.0"):
        with pytest.raises(ValueError, match="version"):
            parse_version(wrong)
