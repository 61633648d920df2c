"""The chain config: presets, the report of constants, hard forks, errors, the template."""

import json
from pathlib import Path
from typing import Any

import pytest

from protocol.config import PRESETS, ChainConfig, ChainConfigError, PresetName
from protocol.config_report import report_config
from protocol.config_template import render_template
from protocol.curves import RewardCurve
from protocol.hardforks import HardFork, hardfork_version, parse_version
from protocol.keys import PrivateKey
from protocol.rules import Rules
from protocol.shapes import version_text
from protocol.times import time_text
from tests.vectors import recorded_path

MINIMAL = """
[[genesis.accounts]]
name = "initminer"
owner_key = "STM8GC13uCZbP44HzMLV6zPZGwVQ8Nt4Kji8PapsPiNq1BK153XTX"
[[genesis.witnesses]]
owner = "initminer"
signing_key = "STM8GC13uCZbP44HzMLV6zPZGwVQ8Nt4Kji8PapsPiNq1BK153XTX"
"""


def read_reference_config() -> dict[str, Any]:
    text = recorded_path("reference_common", "get_config.json").read_text()
    result: dict[str, Any] = json.loads(text)["result"]
    return result


def test_testnet_reports_exactly_the_constants_of_the_reference() -> None:
    reference = read_reference_config()
    report = report_config(ChainConfig.preset("testnet"))
    assert list(report) == list(reference)
    assert json.dumps(report) == json.dumps(reference)


def test_mainnet_reports_the_same_names_without_testnet_and_tokens() -> None:
    reference = read_reference_config()
    report = report_config(ChainConfig.preset("steem"))
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
    path = recorded_path("reference_chain_a", "states.jsonl")
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
    own = {"irreversible_by_witness_from_block": 864_000, "owner_auth_history_from_block": 3_186_477}
    assert steem == Rules().replace(required_actions_partition_bp=0, tokens_enabled=False, **own)
    assert steem.blocks_per_year == 10_512_000
    assert steem.author_reward_curve is RewardCurve.CONVERGENT_LINEAR


def test_the_mainnet_preset_is_written_out_in_full() -> None:
    file = Path(__file__).resolve().parents[2] / "protocol" / "presets" / "steem.toml"
    assert file.read_text() == render_template(ChainConfig.preset("steem")), "write it again with render_template"


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
    assert config.chain_id == config.derive_chain_id() != bytes(32)
    lines = text.splitlines()
    rules_at = lines.index("[rules]")
    for key in Rules.model_fields:
        at = next(number for number in range(rules_at, len(lines)) if lines[number].startswith(f"{key} = "))
        assert lines[at - 1].startswith("# "), key


def derived(text: str) -> bytes:
    config = ChainConfig.parse(text)
    assert config.derive_chain_id() == config.model_copy().derive_chain_id()
    return config.derive_chain_id()


def test_the_derived_chain_id_is_that_of_genesis_rules_and_symbols() -> None:
    texts = [
        MINIMAL,
        MINIMAL + "[genesis]\ntime = 2020-01-01T00:00:00\n",
        MINIMAL + "[rules]\ncashout_window_seconds = 60\n",
        MINIMAL + '[chain]\nsteem_symbol = "GOLD"\n',
        MINIMAL + "[hardforks]\napplied_at_genesis = 23\n",
    ]
    assert len({derived(text) for text in texts}) == len(texts)
    assert ChainConfig.parse(texts[1]).genesis.time == 1_577_836_800
    assert ChainConfig.parse(MINIMAL + '[chain]\nchain_id = "derive"\n').chain_id == derived(MINIMAL)


@pytest.mark.parametrize(
    "more",
    [
        '[chain]\nname = "other"\nblockchain_version = "0.24.1"\n',
        "[rules]\ncashout_window_seconds = 604800\nblock_interval_seconds = 3\nfeed_interval_blocks = 1200\n",
        '[[hardforks.future]]\nnumber = 25\nversion = "0.25.0"\ntime = 2030-01-01T00:00:00\n',
        "[history]\ntestnet_block_limit = 1\n",
    ],
)
def test_the_derived_chain_id_stays_with_what_nodes_may_differ_in(more: str) -> None:
    assert derived(MINIMAL + more) == derived(MINIMAL)


def test_passwords_do_not_change_the_derived_chain_id() -> None:
    dev = ChainConfig.preset("dev")
    without = [account.model_copy(update={"password": ""}) for account in dev.genesis.accounts]
    genesis = dev.genesis.model_copy(update={"accounts": tuple(without)})
    assert dev.model_copy(update={"genesis": genesis}).derive_chain_id() == dev.derive_chain_id()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "block_interval_seconds = 1",
            {"feed_interval_blocks": 3600, "blocks_per_year": 31_536_000, "max_block_size_bytes": 131_072_000},
        ),
        (
            "block_interval_seconds = 10",
            {"feed_interval_blocks": 360, "blocks_per_year": 3_153_600, "max_block_size_bytes": 1_310_720_000},
        ),
        ("block_interval_seconds = 10\nfeed_interval_blocks = 5", {"feed_interval_blocks": 5}),
        (
            "max_witnesses = 7",
            {
                "max_voted_witnesses": 6,
                "hardfork_required_witnesses": 6,
                "min_feeds": 2,
                "witness_subsidy_decay_bp": 70_000,
            },
        ),
        (
            "max_witnesses = 21",
            {
                "max_voted_witnesses": 20,
                "hardfork_required_witnesses": 17,
                "min_feeds": 7,
                "feed_interval_blocks": 1200,
            },
        ),
        ("max_witnesses = 1", {"max_voted_witnesses": 0, "hardfork_required_witnesses": 1, "min_feeds": 1}),
    ],
)
def test_rules_that_follow_others_do(more: str, expected: dict[str, int]) -> None:
    rules = ChainConfig.parse(f"{MINIMAL}[rules]\n{more}\n").rules
    assert {key: getattr(rules, key) for key in expected} == expected


def test_the_defaults_are_what_follows() -> None:
    assert Rules() == Rules(max_witnesses=21, block_interval_seconds=3, max_runner_witnesses=1)


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


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChainConfigError, match=r"missing\.toml"):
        ChainConfig.load(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ChainConfigError, match="UTF-8"):
        ChainConfig.load(tmp_path / "latin.toml")


def test_versions() -> None:
    assert parse_version("0.23.1") == 0x00170001
    assert version_text(0x00170001) == "0.23.1"
    assert hardfork_version("0.23.1") == "0.23.0"
    for wrong in ("1", "0.256.0", "0.1.65536", "a.b.c", "-1.0.0"):
        with pytest.raises(ValueError, match="version"):
            parse_version(wrong)
