"""Wrong chain configs: every kind of mistake is refused, with the key, the value and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.config import PRESETS, ChainConfig, ChainConfigError
from protocol.config_problem import ConfigProblem, show_value
from protocol.rules import Rules

KEY = "STM8GC13uCZbP44HzMLV6zPZGwVQ8Nt4Kji8PapsPiNq1BK153XTX"
NULL_KEY = "STM1111111111111111111111111111111114T1Anm"
ACCOUNT = f"""
[[genesis.accounts]]
name = "initminer"
owner_key = "{KEY}"
"""
WITNESS = f"""
[[genesis.witnesses]]
owner = "initminer"
signing_key = "{KEY}"
"""
MINIMAL = ACCOUNT + WITNESS
FORK = """
[[hardforks.future]]
number = 25
version = "0.25.0"
time = "2030-01-01T00:00:00"
"""


def second_account(name: str = "alice", more: str = "") -> str:
    return f'[[genesis.accounts]]\nname = "{name}"\nowner_key = "{KEY}"\n{more}\n'


def problems_of(text: str) -> tuple[ConfigProblem, ...]:
    with pytest.raises(ChainConfigError) as caught:
        ChainConfig.parse(text, "file chain.toml")
    assert str(caught.value).startswith("file chain.toml is not a chain config:\n")
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)
    return caught.value.problems


CASES: list[tuple[str, str, str, str]] = [
    # unknown keys
    (MINIMAL + "[rules]\nno_such_rule = 1", "rules.no_such_rule", "", "is not a key"),
    (MINIMAL + "[no_such_section]\nx = 1", "no_such_section", "", "is not a key"),
    (MINIMAL + "balance = 5", "genesis.witnesses.0.balance", "", "is not a key"),
    # wrong types
    (MINIMAL + '[rules]\nfeed_interval_blocks = "x"', "rules.feed_interval_blocks", '"x"', "must be an integer"),
    (MINIMAL + "[rules]\nmin_feeds = 1.5", "rules.min_feeds", "1.5", "must be an integer"),
    (MINIMAL + "[rules]\nmin_feeds = true", "rules.min_feeds", "true", "must be an integer"),
    (MINIMAL + "[rules]\ntokens_enabled = 1", "rules.tokens_enabled", "1", "must be true or false"),
    (MINIMAL + "[rules]\nblock_interval_seconds = '3'", "rules.block_interval_seconds", '"3"', "must be an integer"),
    (MINIMAL + "[chain]\nname = 5", "chain.name", "5", "must be a text"),
    (MINIMAL + "[chain]\nblockchain_version = 23", "chain.blockchain_version", "23", "must be a text"),
    ("rules = 5\n" + MINIMAL, "rules", "5", "must be a table"),
    ("genesis = 5\n", "genesis", "5", "must be a table"),
    ("[genesis]\naccounts = 5\n" + WITNESS, "genesis.accounts", "5", "must be a list"),
    ("[genesis]\nreserved_accounts = 'null'\n" + MINIMAL, "genesis.reserved_accounts", '"null"', "must be a list"),
    (MINIMAL + FORK + "rules = 3", "hardforks.future.0.rules", "3", "must be a table"),
    # out of range
    (MINIMAL + "[rules]\nmax_witnesses = 0", "rules.max_witnesses", "0", "greater than or equal to 1"),
    (MINIMAL + "[rules]\nmax_witnesses = 102", "rules.max_witnesses", "102", "less than or equal to 101"),
    (
        MINIMAL + "[rules]\nblock_interval_seconds = 0",
        "rules.block_interval_seconds",
        "0",
        "greater than or equal to 1",
    ),
    (MINIMAL + "[rules]\ncontent_fund_bp = 10001", "rules.content_fund_bp", "10001", "less than or equal to 10000"),
    (MINIMAL + "[rules]\ntreasury_fee = -1", "rules.treasury_fee", "-1", "greater than or equal to 0"),
    (
        ACCOUNT + "balance = 9223372036854775808" + WITNESS,
        "genesis.accounts.0.balance",
        "9223372036854775808",
        "less than or equal to 9223372036854775807",
    ),
    (ACCOUNT + "balance = -1" + WITNESS, "genesis.accounts.0.balance", "-1", "greater than or equal to 0"),
    (MINIMAL + '[rules]\nauthor_reward_curve = "cubic"', "rules.author_reward_curve", '"cubic"', "convergent_linear"),
    (MINIMAL + "[rules]\nauthor_reward_curve = 3", "rules.author_reward_curve", "3", "convergent_linear"),
    # missing
    ("[chain]\n", "genesis", "", "is missing"),
    ("[genesis]\n" + ACCOUNT, "genesis.witnesses", "", "is missing"),
    ("[genesis]\nwitnesses = []\n" + ACCOUNT, "genesis.witnesses", "", "must have at least one entry"),
    ("[[genesis.accounts]]\nname = 'initminer'\n" + WITNESS, "genesis.accounts.0.owner_key", "", "is missing"),
    (MINIMAL + "[[hardforks.future]]\nnumber = 25\n", "hardforks.future.0.version", "", "is missing"),
    # identity
    (MINIMAL + '[chain]\nchain_id = "xyz"', "chain.chain_id", '"xyz"', "64 hexadecimal digits"),
    (MINIMAL + f'[chain]\nchain_id = "{"A" * 64}"', "chain.chain_id", f'"{"A" * 64}"', "small letters"),
    (MINIMAL + '[chain]\nsteem_symbol = "gold"', "chain.steem_symbol", '"gold"', "1 to 6 capital letters"),
    (MINIMAL + '[chain]\nsteem_symbol = "GOLDCOIN"', "chain.steem_symbol", '"GOLDCOIN"', "1 to 6 capital letters"),
    (MINIMAL + '[chain]\nsbd_symbol = "STEEM"', "chain.sbd_symbol", '"STEEM"', "must differ from steem_symbol"),
    (MINIMAL + '[chain]\naddress_prefix = "stm"', "chain.address_prefix", '"stm"', "1 to 8 capital letters"),
    (MINIMAL + '[chain]\nname = "My Chain"', "chain.name", '"My Chain"', "small letters"),
    (MINIMAL + '[chain]\nblockchain_version = "0.300.0"', "chain.blockchain_version", '"0.300.0"', "too large"),
    (MINIMAL + '[chain]\nblockchain_version = "new"', "chain.blockchain_version", '"new"', "major.hardfork.release"),
    (MINIMAL + "[chain]\nsteem_precision = 8", "chain.steem_precision", "8", "must be 3"),
    (MINIMAL + "[chain]\nvests_precision = 3", "chain.vests_precision", "3", "must be 6"),
    (MINIMAL + "[chain]\nsbd_precision = 3.0", "chain.sbd_precision", "3.0", "must be 3"),
    # accounts, witnesses, keys
    (MINIMAL + second_account("initminer"), "genesis.accounts.1.name", '"initminer"', "also the name at"),
    (MINIMAL + second_account("null"), "genesis.accounts.1.name", '"null"', "genesis.reserved_accounts.1"),
    (MINIMAL + second_account("al"), "genesis.accounts.1.name", '"al"', "3 to 16 characters"),
    (MINIMAL + second_account("Alice"), "genesis.accounts.1.name", '"Alice"', "small letters"),
    (MINIMAL + second_account("al-"), "genesis.accounts.1.name", '"al-"', "3 to 16 characters"),
    (MINIMAL + second_account("a" * 17), "genesis.accounts.1.name", f'"{"a" * 17}"', "3 to 16 characters"),
    (MINIMAL + second_account("alice.x"), "genesis.accounts.1.name", '"alice.x"', "parts of 3 or more"),
    (MINIMAL + WITNESS, "genesis.witnesses.1.owner", '"initminer"', "also the owner of witness 0"),
    (MINIMAL + WITNESS.replace("initminer", "bob"), "genesis.witnesses.1.owner", '"bob"', "name of a genesis account"),
    (
        "[genesis]\nreserved_accounts = ['null']" + MINIMAL,
        "rules.miner_account",
        '"miners"',
        "one of genesis.reserved_accounts (null)",
    ),
    (MINIMAL + '[rules]\ntreasury_account = "bank"', "rules.treasury_account", '"bank"', "reserved_accounts"),
    (
        MINIMAL + '[chain]\naddress_prefix = "TST"',
        "genesis.accounts.0.owner_key",
        f'"{KEY}"',
        "not a public key with prefix TST",
    ),
    (
        MINIMAL + second_account("alice", f'memo_key = "{KEY[:-1]}Z"'),
        "genesis.accounts.1.memo_key",
        f'"{KEY[:-1]}Z"',
        "not a public key",
    ),
    (ACCOUNT + WITNESS.replace(KEY, ""), "genesis.witnesses.0.signing_key", '""', "not a public key"),
    (ACCOUNT + WITNESS.replace(KEY, NULL_KEY), "genesis.witnesses.0.signing_key", f'"{NULL_KEY}"', "the null key"),
    (
        ACCOUNT + 'password = "x"' + WITNESS,
        "genesis.accounts.0.owner_key",
        f'"{KEY}"',
        "does not belong to its password, which makes STM",
    ),
    (MINIMAL + "maximum_block_size = 0", "genesis.witnesses.0.maximum_block_size", "0", "from 65536 to 2097152"),
    (
        MINIMAL + "account_creation_fee = 0",
        "genesis.witnesses.0.account_creation_fee",
        "0",
        "from 1 to 1000000000",
    ),
    # sums
    (MINIMAL + "[genesis]\nvesting_fund = 5", "genesis.vesting_fund", "5", "there are 0"),
    (
        ACCOUNT + "vesting_shares = 7" + WITNESS,
        "genesis.vesting_fund",
        "0",
        "must be 0 if, and only if, no account has vesting_shares (there are 7)",
    ),
    (
        ACCOUNT + f"balance = {2**63 - 1}\n" + second_account(more="balance = 1") + WITNESS,
        "genesis.sum of balance of all accounts, vesting_fund and reward_fund",
        str(2**63),
        "must not be more than 9223372036854775807",
    ),
    (
        ACCOUNT + f"sbd_balance = {2**62}\n" + second_account(more=f"sbd_balance = {2**62}") + WITNESS,
        "genesis.sum of sbd_balance of all accounts",
        str(2**63),
        "must not be more than",
    ),
    (
        "[genesis]\nmedian_price_sbd = 1\nmedian_price_steem = 1000000000"
        + ACCOUNT
        + "sbd_balance = 10000000000000\n"
        + WITNESS,
        "genesis.sum of STEEM in existence and all SBD at the median price",
        "10000000000000000000000",
        "must not be more than",
    ),
    (ACCOUNT + f"balance = {10**15}\n" + WITNESS, "genesis", str(10**15), "inflation could not be reckoned"),
    (MINIMAL + "[genesis]\nmedian_price_sbd = 5", "genesis.median_price_sbd", "5", "both be 0 or both be more"),
    # times
    (MINIMAL + '[genesis]\ntime = "yesterday"', "genesis.time", '"yesterday"', "2016-01-01T00:00:00"),
    (MINIMAL + "[genesis]\ntime = 2020-01-01", "genesis.time", "", "2016-01-01T00:00:00"),
    (MINIMAL + "[genesis]\ntime = 12:00:00", "genesis.time", "", "2016-01-01T00:00:00"),
    (MINIMAL + "[genesis]\ntime = 1.5", "genesis.time", "1.5", "2016-01-01T00:00:00"),
    (MINIMAL + "[genesis]\ntime = -1", "genesis.time", "-1", "greater than or equal to 0"),
    (MINIMAL + "[genesis]\ntime = 9999-01-01T00:00:00", "genesis.time", "", "from 1970 to 2106"),
    (MINIMAL + "[genesis]\ntime = 0001-01-01T00:00:00+05:00", "genesis.time", "", "from 1970 to 2106"),
    # inconsistent rules
    (MINIMAL + "[rules]\nmax_witnesses = 5\nmax_voted_witnesses = 20", "rules.max_witnesses", "5", "which is 21"),
    (
        MINIMAL + "[rules]\nmax_witnesses = 5\nhardfork_required_witnesses = 17",
        "rules.hardfork_required_witnesses",
        "17",
        "must not be more than max_witnesses (5)",
    ),
    (
        MINIMAL + "[rules]\ncontent_reward_percent_bp = 9000",
        "rules.content_reward_percent_bp",
        "9000",
        "it is 11500; all three together must be at most 10000",
    ),
    (
        MINIMAL + "[rules]\ninflation_rate_start_bp = 50",
        "rules.inflation_rate_stop_bp",
        "95",
        "must not be more than inflation_rate_start_bp (50)",
    ),
    (MINIMAL + "[rules]\nsbd_stop_bp = 100", "rules.sbd_start_bp", "900", "more than sbd_stop_bp (100)"),
    (
        MINIMAL + "[rules]\nmin_account_creation_fee = 2000000000",
        "rules.min_account_creation_fee",
        "2000000000",
        "more than max_account_creation_fee",
    ),
    (
        MINIMAL + "[rules]\nvoting_mana_regeneration_seconds = 60",
        "rules.rc_regeneration_seconds",
        "432000",
        "more than voting_mana_regeneration_seconds (60)",
    ),
    (
        MINIMAL + "[rules]\nsoft_max_block_size_bytes = 100000",
        "rules.soft_max_block_size_bytes",
        "100000",
        "from twice min_block_size_limit_bytes (131072)",
    ),
    (
        MINIMAL + "[rules]\nwitness_shutdown_blocks = 10000",
        "rules.witness_shutdown_blocks",
        "10000",
        "less than max_undo_history_blocks without two rounds (9958)",
    ),
    (
        MINIMAL + "[rules]\nirreversible_fixed_depth_blocks = 10000",
        "rules.irreversible_fixed_depth_blocks",
        "10000",
        "less than max_undo_history_blocks",
    ),
    (
        MINIMAL + "[rules]\nrd_max_pool_bits = 20",
        "rules.default_account_subsidy_budget",
        "797",
        "must be from rd_min_budget (1) to 0",
    ),
    (
        MINIMAL + "[rules]\nrd_max_decay_bits = 10",
        "rules.default_account_subsidy_decay",
        "347321",
        "must be from 64 to 1023",
    ),
    (MINIMAL + "[rules]\nwitness_subsidy_decay_bp = 0", "rules.witness_subsidy_decay_bp", "0", "must leave some decay"),
    # rules that no code could follow
    (MINIMAL + "[rules]\nmax_proxy_recursion_depth = 5", "rules.max_proxy_recursion_depth", "5", "equal to 4"),
    (MINIMAL + "[rules]\nmin_account_name_length = 2", "rules.min_account_name_length", "2", "equal to 3"),
    # hard forks
    (MINIMAL + FORK.replace("25\n", "26\n"), "hardforks.future.0.number", "26", "must be 25"),
    (MINIMAL + FORK + FORK, "hardforks.future.1.number", "25", "must be 26"),
    (MINIMAL + FORK.replace("0.25.0", "0.24.9"), "hardforks.future.0.version", '"0.24.9"', "later than 0.24.0"),
    (MINIMAL + FORK.replace("2030-01-01T00:00:00", "soon"), "hardforks.future.0.time", '"soon"', "2016-01-01"),
    (MINIMAL + FORK + "upgrade = 'x'", "hardforks.future.0.upgrade", '"x"', "reset_virtual_schedule_time"),
    (
        MINIMAL + FORK + "rules = {no_such_rule = 1}",
        "hardforks.future.0.rules.no_such_rule",
        "",
        "is not a key of a chain config",
    ),
    (
        MINIMAL + FORK + "rules = {max_vote_changes = 999}",
        "hardforks.future.0.rules.max_vote_changes",
        "999",
        "less than or equal to 127",
    ),
    (
        MINIMAL + FORK + "rules = {treasury_account = 'bank'}",
        "hardforks.future.0.rules.treasury_account",
        '"bank"',
        "reserved_accounts",
    ),
    (
        MINIMAL + "[hardforks]\napplied_at_genesis = 25",
        "hardforks.applied_at_genesis",
        "25",
        "less than or equal to 24",
    ),
    # no TOML
    ("chain = [", "file", "", "is not TOML"),
    (MINIMAL + "[rules]\nmin_feeds = 1\nmin_feeds = 2", "file", "", "is not TOML"),
]


@pytest.mark.parametrize(
    ("text", "key", "value", "allowed"), CASES, ids=[f"{key}={value}"[:60] for _text, key, value, _allowed in CASES]
)
def test_a_wrong_file_is_refused_with_key_value_and_what_is_allowed(
    text: str, key: str, value: str, allowed: str
) -> None:
    problems = problems_of(text)
    matching = [problem for problem in problems if problem.key == key and problem.value == value]
    assert matching, problems
    assert allowed in matching[0].allowed, problems


def test_the_minimal_file_is_right() -> None:
    ChainConfig.parse(MINIMAL + FORK)


def test_all_problems_are_named_at_once() -> None:
    keys = {problem.key for problem in problems_of(MINIMAL + "[rules]\nx = 1\nmin_feeds = 0\n[chain]\nname = ''")}
    assert keys == {"rules.x", "rules.min_feeds", "chain.name"}
    keys = {
        problem.key for problem in problems_of(MINIMAL + "[rules]\nsbd_stop_bp = 1\nsbd_start_bp = 2\nmin_feeds = 99")
    }
    assert keys == {"rules.sbd_start_bp", "rules.min_feeds"}


@pytest.mark.parametrize("key", sorted(Rules.model_fields))
def test_every_rule_names_itself_when_its_value_is_nonsense(key: str) -> None:
    for nonsense in ("[]", "1.5", "{a = 1}"):
        problems = problems_of(f"{MINIMAL}[rules]\n{key} = {nonsense}\n")
        assert f"rules.{key}" in {problem.key for problem in problems}


def test_a_file_of_megabytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "large.toml"
    file.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(ChainConfigError, match="has more than 4194304 bytes"):
        ChainConfig.load(file)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ChainConfigError, match="directory"):
        ChainConfig.load(tmp_path)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ChainConfigError, match=f"one of {', '.join(PRESETS)}"):
        ChainConfig.preset("mainnet")  # type: ignore[arg-type]


def test_long_values_are_cut() -> None:
    assert len(show_value("x" * 1000)) == 200
    assert show_value({"a": 1}) == ""
