"""Every rule of every validate(): the valid instance passes, one broken instance per rule gets the exact message."""

import dataclasses
from typing import Any

import pytest

from operations import content, token_parameters, token_units
from operations.witness_properties import read_properties
from protocol.assets import Asset, Price
from protocol.codec import Codec
from protocol.errors import Invalid, ProtocolError, Rejected
from protocol.json_text import is_valid_json
from protocol.operation import OPERATIONS_BY_NAME, Operation
from protocol.rules import Rules
from protocol.types import Authority, Beneficiary, LegacyChainProperties, Void
from tests.chains import MAINNET, TESTNET
from tests.operations.samples import (
    AUTHORITY,
    KEY,
    POW2,
    SAMPLES,
    TIME,
    TOKEN,
    VESTING_TOKEN,
    mined,
    packed_asset,
    packed_price,
    sbd,
    signed_header,
    steem,
    vests,
    witness_properties,
)
from tests.vectors import read_jsonl, recorded_path

RULES = Rules()
BAD = "Bad_Name"
BAD_NAME = f"is_valid_account_name( name ): Account name {BAD} is invalid"
BROKEN_TEXT = "\udcff"
LONG = "x" * 256
IMPOSSIBLE = Authority(2, (), ((KEY, 1),))
OPEN = Authority(0, (), ((KEY, 1),))
MISNAMED = Authority(1, ((BAD, 1),), ())
CROWDED = Authority(1, (), tuple((bytes([2]) + bytes(31) + bytes([number]), 1) for number in range(41)))
MISNAMED_AUTHORITY = "is_valid_account_name( item.first ): "
CROWD = "size <= STEEM_MAX_AUTHORITY_MEMBERSHIP: Authority membership exceeded. Max: 40 Current: 41"
PERMLINK_LONG = "permlink.size() < STEEM_MAX_PERMLINK_LENGTH: permlink is too long"
PERMLINK_BROKEN = "fc::is_utf8( permlink ): permlink not formatted in UTF8"
FEE_SYMBOL = "is_asset_type( fee, STEEM_SYMBOL ): Account creation fee must be STEEM"
FEE_NEGATIVE = "fee >= asset( 0, STEEM_SYMBOL ): Account creation fee cannot be negative"
JSON_BAD = "fc::json::is_valid(json_metadata): JSON Metadata not valid JSON"
JSON_BROKEN = "fc::is_utf8(json_metadata): JSON Metadata not formatted in UTF8"
MEMO_LONG = "memo.size() < STEEM_MAX_MEMO_SIZE: Memo is too large"
MEMO_BROKEN = "fc::is_utf8( memo ): Memo is not UTF8"
BENEFICIARIES = content.CommentPayoutBeneficiaries
MARKET = "Limit order must be for the STEEM:SBD or SMT:(STEEM/SBD) market"
NO_ACCOUNT = "at least one account must be specified"
LEGACY_SYMBOL = "symbol.space() == asset_symbol_type::smt_nai_space: legacy symbol used instead of NAI"
VESTING_SYMBOL = "symbol.is_vesting() == false: liquid variant of NAI expected"
SAME_SYMBOL = "base.symbol != quote.symbol: "
BASE_ZERO = "base.amount > share_type(0): "
QUOTE_ZERO = "quote.amount > share_type(0): "
STEEM_SBD_PRICE = "Price feed must be a STEEM/SBD price"


def market_assertion(receive: str) -> str:
    return (
        f"( is_asset_type( amount_to_sell, STEEM_SYMBOL ) && is_asset_type( {receive}, SBD_SYMBOL ) ) || ( "
        f"is_asset_type( amount_to_sell, SBD_SYMBOL ) && is_asset_type( {receive}, STEEM_SYMBOL ) ) || ( "
        f"amount_to_sell.symbol.space() == asset_symbol_type::smt_nai_space && is_asset_type( {receive}, STEEM_SYMBOL "
        f") ) || ( is_asset_type( amount_to_sell, STEEM_SYMBOL ) && {receive}.symbol.space() == "
        f"asset_symbol_type::smt_nai_space ): {MARKET}"
    )


def beneficiaries(*pairs: tuple[str, int]) -> dict[str, Any]:
    return {"extensions": (BENEFICIARIES(tuple(Beneficiary(*pair) for pair in pairs)),)}


def votable(*symbols: int, payees: tuple[Beneficiary, ...] = ()) -> dict[str, Any]:
    options = content.VotableAssetOptions(1, True, BENEFICIARIES(payees))
    return {"extensions": (content.AllowedVoteAssets(tuple((symbol, options) for symbol in symbols)),)}


def props(**changes: Any) -> dict[str, Any]:
    return {"props": witness_properties(**changes)}


def tier(steem_unit: Any, token_unit: Any) -> dict[str, Any]:
    unit = token_units.SmtGenerationUnit(steem_unit, token_unit)
    return {"generation_policy": token_units.SmtCappedGenerationPolicy(unit, ())}


def runtime(parameter: Any) -> dict[str, Any]:
    return {"runtime_parameters": (parameter,)}


def chain_properties(name: str) -> list[tuple[str, dict[str, Any], str]]:
    return [
        (name, {"props": LegacyChainProperties(steem(0), 131_072, 0)},
         "account_creation_fee.amount >= STEEM_MIN_ACCOUNT_CREATION_FEE: "),
        (name, {"props": LegacyChainProperties(steem(1), 65_535, 0)},
         "maximum_block_size >= STEEM_MIN_BLOCK_SIZE_LIMIT: "),
        (name, {"props": LegacyChainProperties(steem(1), 65_536, 10_001)},
         "sbd_interest_rate <= STEEM_100_PERCENT: "),
    ]  # fmt: skip


def bad_names(name: str, *fields: str) -> list[tuple[str, dict[str, Any], str]]:
    return [(name, {field: BAD}, BAD_NAME) for field in fields]


def bad_permlinks(name: str, field: str = "permlink") -> list[tuple[str, dict[str, Any], str]]:
    return [(name, {field: LONG}, PERMLINK_LONG), (name, {field: BROKEN_TEXT}, PERMLINK_BROKEN)]


def bad_json(name: str, field: str = "json_metadata") -> list[tuple[str, dict[str, Any], str]]:
    broken, bad = JSON_BROKEN.replace("json_metadata", field), JSON_BAD.replace("json_metadata", field)
    return [(name, {field: "{}" + BROKEN_TEXT}, broken), (name, {field: "{} "}, bad)]


def bad_memos(name: str) -> list[tuple[str, dict[str, Any], str]]:
    return [(name, {"memo": "m" * 2048}, MEMO_LONG), (name, {"memo": BROKEN_TEXT}, MEMO_BROKEN)]


def bad_tokens(name: str) -> list[tuple[str, dict[str, Any], str]]:
    return [(name, {"symbol": steem(0).symbol}, LEGACY_SYMBOL), (name, {"symbol": VESTING_TOKEN}, VESTING_SYMBOL)]


ESCROW_ZERO = "sbd_amount.amount > 0 || steem_amount.amount > 0: escrow must {} a non-zero amount"


def bad_escrow(name: str, verb: str) -> list[tuple[str, dict[str, Any], str]]:
    return [
        (name, {"sbd_amount": sbd(-1)}, "sbd_amount.amount >= 0: sbd amount cannot be negative"),
        (name, {"steem_amount": steem(-1)}, "steem_amount.amount >= 0: steem amount cannot be negative"),
        (name, {"sbd_amount": sbd(0)}, ESCROW_ZERO.format(verb)),
        (name, {"sbd_amount": steem(1)}, "sbd_amount.symbol == SBD_SYMBOL: sbd amount must contain SBD"),
        (name, {"steem_amount": sbd(1)}, "steem_amount.symbol == STEEM_SYMBOL: steem amount must contain STEEM"),
    ]


WITNESS_FEE = "account_creation_fee.amount >= STEEM_MIN_ACCOUNT_CREATION_FEE: account_creation_fee smaller than minimum account creation fee"  # fmt: skip  # noqa: E501
WITNESS_RATE = f"( is_asset_type( sbd_exchange_rate.base, SBD_SYMBOL ) && is_asset_type( sbd_exchange_rate.quote, STEEM_SYMBOL ) ): {STEEM_SBD_PRICE}"  # fmt: skip  # noqa: E501
OTHER_SIGNATURE = signed_header(b"\x02" * 20).witness_signature
BUDGET_MAX = RULES.rd_max_budget
LONG_URL = b"\x81\x10" + b"u" * 2049

CASES: list[tuple[str, dict[str, Any], str]] = [
    *bad_names("vote", "voter", "author"),
    ("vote", {"weight": 10_001}, "abs(weight) <= STEEM_100_PERCENT: Weight is not a STEEMIT percentage"),
    ("vote", {"weight": -10_001}, "abs(weight) <= STEEM_100_PERCENT: Weight is not a STEEMIT percentage"),
    *bad_permlinks("vote"),
    *bad_names("vote2", "voter", "author"),
    *bad_permlinks("vote2"),
    ("vote2", {"rshares": ()}, "rshares.size() > 0: Must specify some rshares to vote with"),
    ("vote2", {"rshares": ((1, 1), (2, 1), (3, 1), (4, 1))},
     "rshares.size() <= SMT_MAX_VOTABLE_ASSETS + 1: Cannot vote with more than 2 SMTs and STEEM"),
    ("comment", {"title": LONG},
     "title.size() < STEEM_COMMENT_TITLE_LIMIT: Title size limit exceeded. Max: 255 Current: 256"),
    ("comment", {"title": "\u00e9" * 128},
     "title.size() < STEEM_COMMENT_TITLE_LIMIT: Title size limit exceeded. Max: 255 Current: 256"),
    ("comment", {"title": BROKEN_TEXT}, "fc::is_utf8( title ): Title not formatted in UTF8"),
    ("comment", {"body": ""}, "body.size() > 0: Body is empty"),
    ("comment", {"body": BROKEN_TEXT}, "fc::is_utf8( body ): Body not formatted in UTF8"),
    *bad_names("comment", "parent_author", "author"),
    *bad_permlinks("comment", "parent_permlink"),
    *bad_permlinks("comment"),
    ("comment", {"json_metadata": "{} "}, JSON_BAD),
    *bad_permlinks("delete_comment"),
    *bad_names("delete_comment", "author"),
    *bad_names("comment_options", "author"),
    ("comment_options", {"percent_steem_dollars": 10_001},
     "percent_steem_dollars <= STEEM_100_PERCENT: Percent cannot exceed 100%"),
    ("comment_options", {"max_accepted_payout": steem(1)},
     "max_accepted_payout.symbol == SBD_SYMBOL: Max accepted payout must be in SBD"),
    ("comment_options", {"max_accepted_payout": sbd(-1)},
     "max_accepted_payout.amount.value >= 0: Cannot accept less than 0 payout"),
    *bad_permlinks("comment_options"),
    ("comment_options", beneficiaries(), "beneficiaries.size(): Must specify at least one beneficiary"),
    ("comment_options", beneficiaries(*((f"name{number:03d}", 1) for number in range(128))),
     "beneficiaries.size() < STEEM_BENEFICIARY_LIMIT: Cannot specify more than 127 beneficiaries."),
    ("comment_options", beneficiaries((BAD, 1)), BAD_NAME),
    ("comment_options", beneficiaries(("bob", 10_001)),
     "beneficiaries[0].weight <= STEEM_100_PERCENT: Cannot allocate more than 100% of rewards to one account"),
    ("comment_options", beneficiaries(("bob", 1), (BAD, 1)), BAD_NAME),
    ("comment_options", beneficiaries(("bob", 1), ("carol", 10_001)),
     "beneficiaries[i].weight <= STEEM_100_PERCENT: Cannot allocate more than 100% of rewards to one account"),
    ("comment_options", beneficiaries(("bob", 1), ("carol", 10_000)),
     "sum <= STEEM_100_PERCENT: Cannot allocate more than 100% of rewards to a comment"),
    ("comment_options", beneficiaries(("carol", 1), ("bob", 1)),
     "beneficiaries[i - 1] < beneficiaries[i]: Benficiaries must be specified in sorted order (account ascending)"),
    ("comment_options", votable(TOKEN, TOKEN + 1, TOKEN + 2), "votable_assets.size() <= SMT_MAX_VOTABLE_ASSETS: "
     "Comment votable assets number exceeds allowed limit 2."),
    ("comment_options", votable(sbd(0).symbol), "!is_allowed( STEEM_SYMBOL ) && !is_allowed( SBD_SYMBOL ) && "
     "!is_allowed( VESTS_SYMBOL ): Invalid core asset symbol specified in votable assets"),
    ("comment_options", votable(TOKEN, payees=(Beneficiary(BAD, 1),)), BAD_NAME),
    *bad_names("transfer", "from_", "to"),
    ("transfer", {"amount": vests(1)}, "amount.symbol.is_vesting() == false: Transfer of vesting is not allowed."),
    ("transfer", {"amount": Asset(1, VESTING_TOKEN)},
     "amount.symbol.is_vesting() == false: Transfer of vesting is not allowed."),
    ("transfer", {"amount": steem(0)}, "amount.amount > 0: Cannot transfer a negative amount (aka: stealing)"),
    *bad_memos("transfer"),
    *bad_names("transfer_to_vesting", "from_", "to"),
    *(("transfer_to_vesting", {"amount": amount}, "amount.symbol == STEEM_SYMBOL || ( amount.symbol.space() == "
       "asset_symbol_type::smt_nai_space && amount.symbol.is_vesting() == false ): Amount must be STEEM or SMT liquid")
      for amount in (sbd(1), vests(1), Asset(1, VESTING_TOKEN))),
    ("transfer_to_vesting", {"amount": steem(0)}, "amount.amount > 0: Must transfer a nonzero amount"),
    *bad_names("withdraw_vesting", "account"),
    ("withdraw_vesting", {"vesting_shares": steem(1)},
     "is_asset_type( vesting_shares, VESTS_SYMBOL): Amount must be VESTS"),
    *bad_names("set_withdraw_vesting_route", "from_account", "to_account"),
    ("set_withdraw_vesting_route", {"percent": 10_001},
     "0 <= percent && percent <= STEEM_100_PERCENT: Percent must be valid steem percent"),
    *bad_names("delegate_vesting_shares", "delegator", "delegatee"),
    ("delegate_vesting_shares", {"delegatee": "alice"},
     "delegator != delegatee: You cannot delegate VESTS to yourself"),
    ("delegate_vesting_shares", {"vesting_shares": steem(1)},
     "is_asset_type( vesting_shares, VESTS_SYMBOL ): Delegation must be VESTS"),
    ("delegate_vesting_shares", {"vesting_shares": vests(-1)},
     "vesting_shares >= asset( 0, VESTS_SYMBOL ): Delegation cannot be negative"),
    *bad_names("limit_order_create", "owner"),
    *(("limit_order_create", {"amount_to_sell": sell, "min_to_receive": get}, market_assertion("min_to_receive"))
      for sell, get in ((steem(1), steem(1)), (vests(1), steem(1)), (sbd(1), Asset(1, TOKEN)))),
    ("limit_order_create", {"amount_to_sell": steem(0)}, BASE_ZERO),
    ("limit_order_create", {"min_to_receive": sbd(0)}, QUOTE_ZERO),
    *bad_names("limit_order_create2", "owner"),
    ("limit_order_create2", {"amount_to_sell": sbd(1)},
     "amount_to_sell.symbol == exchange_rate.base.symbol: Sell asset must be the base of the price"),
    ("limit_order_create2", {"exchange_rate": Price(steem(0), sbd(1))}, BASE_ZERO),
    ("limit_order_create2", {"exchange_rate": Price(steem(1), sbd(0))}, QUOTE_ZERO),
    ("limit_order_create2", {"exchange_rate": Price(steem(1), steem(1))}, SAME_SYMBOL),
    ("limit_order_create2", {"exchange_rate": Price(steem(1), vests(1))}, market_assertion("exchange_rate.quote")),
    ("limit_order_create2", {"amount_to_sell": steem(3)},
     "( amount_to_sell * exchange_rate ).amount > 0: Amount to sell cannot round to 0 when traded"),
    *bad_names("limit_order_cancel", "owner"),
    *bad_names("feed_publish", "publisher"),
    *(("feed_publish", {"exchange_rate": rate}, "( is_asset_type( exchange_rate.base, STEEM_SYMBOL ) && is_asset_type( "
       "exchange_rate.quote, SBD_SYMBOL ) ) || ( is_asset_type( exchange_rate.base, SBD_SYMBOL ) && is_asset_type( "
       f"exchange_rate.quote, STEEM_SYMBOL ) ): {STEEM_SBD_PRICE}")
      for rate in (Price(vests(1), steem(1)), Price(steem(1), steem(1)))),
    ("feed_publish", {"exchange_rate": Price(sbd(0), steem(1))}, BASE_ZERO),
    ("feed_publish", {"exchange_rate": Price(sbd(1), steem(0))}, QUOTE_ZERO),
    *bad_names("witness_update", "owner"),
    ("witness_update", {"url": "u" * 2049}, "url.size() <= STEEM_MAX_WITNESS_URL_LENGTH: URL is too long"),
    ("witness_update", {"url": ""}, "url.size() > 0: URL size must be greater than 0"),
    ("witness_update", {"url": BROKEN_TEXT}, "fc::is_utf8( url ): URL is not valid UTF8"),
    ("witness_update", {"fee": sbd(0)}, "a.symbol == b.symbol: "),
    ("witness_update", {"fee": steem(-1)}, "fee >= asset( 0, STEEM_SYMBOL ): Fee cannot be negative"),
    *chain_properties("witness_update"),
    *bad_names("witness_set_properties", "owner"),
    ("witness_set_properties", props(key=None), 'props.find( "key" ) != props.end(): No signing key provided'),
    ("witness_set_properties", props(account_creation_fee=packed_asset(vests(1))),
     "account_creation_fee.symbol == STEEM_SYMBOL: account_creation_fee must be in STEEM"),
    ("witness_set_properties", props(account_creation_fee=packed_asset(Asset(1, TOKEN))),
     "account_creation_fee.symbol == STEEM_SYMBOL: account_creation_fee must be in STEEM"),
    ("witness_set_properties", props(account_creation_fee=packed_asset(steem(0))), WITNESS_FEE),
    ("witness_set_properties", props(account_creation_fee=b""), WITNESS_FEE),
    ("witness_set_properties", props(account_creation_fee=b"\x01"), "error unpacking steem::protocol::asset"),
    ("witness_set_properties", props(maximum_block_size=b"\xff\xff\0\0"), "maximum_block_size >= "
     "STEEM_MIN_BLOCK_SIZE_LIMIT: maximum_block_size smaller than minimum max block size"),
    ("witness_set_properties", props(maximum_block_size=b"\xff"), "error unpacking uint32_t"),
    ("witness_set_properties", props(sbd_interest_rate=b"\x11\x27"),
     "sbd_interest_rate <= STEEM_100_PERCENT: sbd_interest_rate must not exceed 100%"),
    ("witness_set_properties", props(new_signing_key=b"\x02"), "error unpacking steem::protocol::public_key_type"),
    ("witness_set_properties", props(sbd_exchange_rate=packed_price(steem(1), vests(1))), WITNESS_RATE),
    ("witness_set_properties", props(sbd_exchange_rate=b""), WITNESS_RATE),
    ("witness_set_properties", props(sbd_exchange_rate=packed_price(sbd(0), steem(1))), BASE_ZERO),
    ("witness_set_properties", props(sbd_exchange_rate=packed_price(sbd(1), steem(0))), QUOTE_ZERO),
    ("witness_set_properties", props(sbd_exchange_rate=b"\x01"), "error unpacking steem::protocol::price"),
    ("witness_set_properties", props(url=LONG_URL), "url.size() <= STEEM_MAX_WITNESS_URL_LENGTH: URL is too long"),
    ("witness_set_properties", props(url=b"\0"), "url.size() > 0: URL size must be greater than 0"),
    ("witness_set_properties", props(url=b"\x01\xff"), "fc::is_utf8( url ): URL is not valid UTF8"),
    ("witness_set_properties", props(url=b"\x05a"), "error unpacking string"),
    ("witness_set_properties", props(account_subsidy_budget=bytes(4)),
     "account_subsidy_budget >= STEEM_RD_MIN_BUDGET: Budget must be at least 1"),
    ("witness_set_properties", props(account_subsidy_budget=(BUDGET_MAX + 1).to_bytes(4, "little")),
     f"account_subsidy_budget <= STEEM_RD_MAX_BUDGET: Budget must be at most {BUDGET_MAX}"),
    ("witness_set_properties", props(account_subsidy_decay=b"\x3f\0\0\0"),
     "account_subsidy_decay >= STEEM_RD_MIN_DECAY: Decay must be at least 64"),
    *bad_names("account_witness_vote", "account", "witness"),
    *bad_names("account_witness_proxy", "account", "proxy"),
    ("account_witness_proxy", {"proxy": "alice"}, "proxy != account: Cannot proxy to self"),
    *bad_names("convert", "owner"),
    ("convert", {"amount": steem(1)}, "is_asset_type( amount, SBD_SYMBOL ): Can only convert SBD to STEEM"),
    ("convert", {"amount": sbd(0)}, "amount.amount > 0: Must convert some SBD"),
    *bad_names("account_create", "new_account_name"),
    ("account_create", {"fee": sbd(0)}, FEE_SYMBOL),
    ("account_create", {"owner": MISNAMED}, MISNAMED_AUTHORITY),
    ("account_create", {"active": MISNAMED}, MISNAMED_AUTHORITY),
    *bad_json("account_create"),
    ("account_create", {"fee": steem(-1)}, FEE_NEGATIVE),
    *bad_names("account_update", "account"),
    *bad_json("account_update"),
    *bad_names("account_update2", "account"),
    *bad_json("account_update2"),
    *bad_json("account_update2", "posting_json_metadata"),
    *bad_names("claim_account", "creator"),
    ("claim_account", {"fee": sbd(0)}, FEE_SYMBOL),
    ("claim_account", {"fee": steem(-1)}, FEE_NEGATIVE),
    ("claim_account", {"fee": steem(1_000_000_001)}, "fee <= asset( STEEM_MAX_ACCOUNT_CREATION_FEE, STEEM_SYMBOL ): "
     "Account creation fee cannot be too large"),
    ("claim_account", {"extensions": (Void(),)},
     "extensions.size() == 0: There are no extensions for claim_account_operation."),
    *bad_names("create_claimed_account", "creator", "new_account_name"),
    *(("create_claimed_account", {role: MISNAMED}, MISNAMED_AUTHORITY) for role in ("owner", "active", "posting")),
    *(("create_claimed_account", {role: CROWDED}, CROWD) for role in ("owner", "active", "posting")),
    *bad_json("create_claimed_account"),
    ("create_claimed_account", {"extensions": (Void(),)},
     "extensions.size() == 0: There are no extensions for create_claimed_account_operation."),
    *bad_names("account_create_with_delegation", "new_account_name", "creator"),
    ("account_create_with_delegation", {"fee": sbd(0)}, FEE_SYMBOL),
    ("account_create_with_delegation", {"delegation": steem(0)},
     "is_asset_type( delegation, VESTS_SYMBOL ): Delegation must be VESTS"),
    *(("account_create_with_delegation", {role: MISNAMED}, MISNAMED_AUTHORITY)
      for role in ("owner", "active", "posting")),
    *bad_json("account_create_with_delegation"),
    ("account_create_with_delegation", {"fee": steem(-1)}, FEE_NEGATIVE),
    ("account_create_with_delegation", {"delegation": vests(-1)},
     "delegation >= asset( 0, VESTS_SYMBOL ): Delegation cannot be negative"),
    *chain_properties("pow"),
    ("pow", {"props": LegacyChainProperties(sbd(1), 131_072, 0)}, "account_creation_fee.symbol.is_canon(): "),
    *bad_names("pow", "worker_account"),
    ("pow", {"nonce": 8}, "work_input() == work.input: Determninistic input does not match recorded input"),
    ("pow", {"work": mined().work._replace(work=bytes(32))}, "work != fc::sha256(): "),
    ("pow", {"work": mined().work._replace(worker=bytes(33))},
     "public_key_type(fc::ecc::public_key( signature, input, fc::ecc::non_canonical ) ) == worker: "),
    ("pow", {"work": mined().work._replace(work=b"\x01" * 32)}, "work == fc::sha256::hash(recover): "),
    *chain_properties("pow2"),
    ("pow2", {"work": POW2.work._replace(pow_summary=1)},
     "pow_summary == tmp.pow_summary: reported work does not match calculated work"),
    ("pow2", {"work": POW2.work._replace(input=POW2.work.input._replace(worker_account=BAD))}, BAD_NAME),
    *bad_names("report_over_production", "reporter"),
    ("report_over_production", {"first_block": signed_header(bytes(20), witness_name=BAD)}, BAD_NAME),
    ("report_over_production", {"first_block": signed_header(bytes(20), witness_name="other")},
     "first_block.witness == second_block.witness: "),
    ("report_over_production", {"first_block": signed_header(bytes(20), timestamp=TIME + 3)},
     "first_block.timestamp == second_block.timestamp: "),
    ("report_over_production",
     {"first_block": signed_header(bytes(20))._replace(witness_signature=OTHER_SIGNATURE)},
     "first_block.signee() == second_block.signee(): "),
    ("report_over_production", {"first_block": signed_header(b"\x01" * 20)}, "first_block.id() != second_block.id(): "),
    ("custom", {"required_auths": ()}, f"required_auths.size() > 0: {NO_ACCOUNT}"),
    ("custom_json", {"required_auths": ()},
     f"(required_auths.size() + required_posting_auths.size()) > 0: {NO_ACCOUNT}"),
    ("custom_json", {"id": "i" * 33}, "id.size() <= STEEM_CUSTOM_OP_ID_MAX_LENGTH: "
     "Operation ID length exceeded. Max: 32 Current: 33"),
    *bad_json("custom_json", "json"),
    ("custom_json", {"json": ""}, "fc::json::is_valid(json): JSON Metadata not valid JSON"),
    ("custom_binary", {"required_owner_auths": (), "required_active_auths": (), "required_posting_auths": ()},
     "(required_owner_auths.size() + required_active_auths.size() + required_posting_auths.size()) > 0: "
     f"{NO_ACCOUNT}"),
    ("custom_binary", {"id": "i" * 33}, "id.size() <= STEEM_CUSTOM_OP_ID_MAX_LENGTH: "
     "Operation ID length exceeded. Max: 32 Current: 33"),
    ("custom_binary", {"required_auths": (MISNAMED,)}, MISNAMED_AUTHORITY),
    *bad_names("request_account_recovery", "recovery_account", "account_to_recover"),
    ("request_account_recovery", {"new_owner_authority": MISNAMED}, MISNAMED_AUTHORITY),
    *bad_names("recover_account", "account_to_recover"),
    ("recover_account", {"recent_owner_authority": AUTHORITY}, "!( new_owner_authority == recent_owner_authority ): "
     "Cannot set new owner authority to the recent owner authority"),
    ("recover_account", {"new_owner_authority": IMPOSSIBLE},
     "!new_owner_authority.is_impossible(): new owner authority cannot be impossible"),
    ("recover_account", {"recent_owner_authority": IMPOSSIBLE},
     "!recent_owner_authority.is_impossible(): recent owner authority cannot be impossible"),
    ("recover_account", {"new_owner_authority": OPEN},
     "new_owner_authority.weight_threshold: new owner authority cannot be trivial"),
    ("recover_account", {"new_owner_authority": MISNAMED}, MISNAMED_AUTHORITY),
    ("recover_account", {"recent_owner_authority": MISNAMED}, MISNAMED_AUTHORITY),
    *bad_names("change_recovery_account", "account_to_recover", "new_recovery_account"),
    *bad_names("decline_voting_rights", "account"),
    *bad_names("reset_account", "reset_account", "account_to_reset"),
    ("reset_account", {"new_owner_authority": IMPOSSIBLE},
     "!new_owner_authority.is_impossible(): new owner authority cannot be impossible"),
    ("reset_account", {"new_owner_authority": OPEN},
     "new_owner_authority.weight_threshold: new owner authority cannot be trivial"),
    ("reset_account", {"new_owner_authority": MISNAMED}, MISNAMED_AUTHORITY),
    *bad_names("set_reset_account", "account", "current_reset_account", "reset_account"),
    ("set_reset_account", {"current_reset_account": "bob"},
     "current_reset_account != reset_account: new reset account cannot be current reset account"),
    *bad_names("escrow_transfer", "from_", "to", "agent"),
    ("escrow_transfer", {"fee": steem(-1)}, "fee.amount >= 0: fee cannot be negative"),
    *bad_escrow("escrow_transfer", "transfer"),
    ("escrow_transfer", {"agent": "bob"}, "from != agent && to != agent: agent must be a third party"),
    ("escrow_transfer", {"fee": vests(1)},
     "(fee.symbol == STEEM_SYMBOL) || (fee.symbol == SBD_SYMBOL): fee must be STEEM or SBD"),
    ("escrow_transfer", {"escrow_expiration": TIME}, "ratification_deadline < escrow_expiration: "
     "ratification deadline must be before escrow expiration"),
    *bad_json("escrow_transfer", "json_meta"),
    *bad_names("escrow_approve", "from_", "to", "agent", "who"),
    ("escrow_approve", {"who": "alice"}, "who == to || who == agent: to or agent must approve escrow"),
    *bad_names("escrow_dispute", "from_", "to", "agent", "who"),
    ("escrow_dispute", {"who": "carol"}, "who == from || who == to: who must be from or to"),
    *bad_names("escrow_release", "from_", "to", "agent", "who", "receiver"),
    ("escrow_release", {"who": "dave"},
     "who == from || who == to || who == agent: who must be from or to or agent"),
    ("escrow_release", {"receiver": "carol"}, "receiver == from || receiver == to: receiver must be from or to"),
    *bad_escrow("escrow_release", "release"),
    *(case for name in ("transfer_to_savings", "transfer_from_savings") for case in (
        *bad_names(name, "from_", "to"),
        (name, {"amount": steem(0)}, "amount.amount > 0: "),
        (name, {"amount": vests(1)}, "amount.symbol == STEEM_SYMBOL || amount.symbol == SBD_SYMBOL: "),
        *bad_memos(name),
    )),
    *bad_names("cancel_transfer_from_savings", "from_"),
    *bad_names("claim_reward_balance", "account"),
    ("claim_reward_balance", {"reward_steem": sbd(0)},
     "is_asset_type( reward_steem, STEEM_SYMBOL ): Reward Steem must be STEEM"),
    ("claim_reward_balance", {"reward_sbd": steem(0)},
     "is_asset_type( reward_sbd, SBD_SYMBOL ): Reward Steem must be SBD"),
    ("claim_reward_balance", {"reward_vests": steem(0)},
     "is_asset_type( reward_vests, VESTS_SYMBOL ): Reward Steem must be VESTS"),
    ("claim_reward_balance", {"reward_steem": steem(-1)}, "reward_steem.amount >= 0: Cannot claim a negative amount"),
    ("claim_reward_balance", {"reward_sbd": sbd(-1)}, "reward_sbd.amount >= 0: Cannot claim a negative amount"),
    ("claim_reward_balance", {"reward_vests": vests(-1)}, "reward_vests.amount >= 0: Cannot claim a negative amount"),
    ("claim_reward_balance", {"reward_vests": vests(0)}, "reward_steem.amount > 0 || reward_sbd.amount > 0 || "
     "reward_vests.amount > 0: Must claim something."),
    *bad_names("claim_reward_balance2", "account"),
    ("claim_reward_balance2", {"reward_tokens": ()}, "reward_tokens.empty() == false: Must claim something."),
    ("claim_reward_balance2", {"reward_tokens": (sbd(-1),)},
     "reward_tokens.begin()->amount >= 0: Cannot claim a negative amount"),
    ("claim_reward_balance2", {"reward_tokens": (steem(1), sbd(1))}, "itl->symbol.to_nai() <= itr->symbol.to_nai(): "
     "Reward tokens have not been inserted in ascending order."),
    ("claim_reward_balance2", {"reward_tokens": (sbd(1), sbd(1))}, "itl->symbol.to_nai() != itr->symbol.to_nai(): "
     'Duplicate symbol {"nai":"@@000000013","decimals":3} inserted into claim reward operation container.'),
    ("claim_reward_balance2", {"reward_tokens": (sbd(1), steem(-1))},
     "itr->amount >= 0: Cannot claim a negative amount"),
    ("claim_reward_balance2", {"reward_tokens": (sbd(0), steem(0))}, "is_substantial_reward: Must claim something."),
    *bad_names("create_proposal", "creator", "receiver"),
    ("create_proposal", {"end_date": TIME}, "end_date > start_date: end date must be greater than start date"),
    ("create_proposal", {"daily_pay": sbd(-1)}, "daily_pay.amount >= 0: Daily pay can't be negative value"),
    ("create_proposal", {"daily_pay": steem(1)},
     "daily_pay.symbol.asset_num == STEEM_ASSET_NUM_SBD: Daily pay should be expressed in SBD"),
    ("create_proposal", {"subject": ""}, "!subject.empty(): subject is required"),
    ("create_proposal", {"subject": "s" * 81},
     "subject.size() <= STEEM_PROPOSAL_SUBJECT_MAX_LENGTH: Subject is too long"),
    ("create_proposal", {"subject": BROKEN_TEXT}, "fc::is_utf8( subject ): Subject is not valid UTF8"),
    ("create_proposal", {"permlink": ""}, "!permlink.empty(): permlink is required"),
    *bad_permlinks("create_proposal"),
    *bad_names("update_proposal_votes", "voter"),
    *bad_names("remove_proposal", "proposal_owner"),
    *(case for name in ("update_proposal_votes", "remove_proposal") for case in (
        (name, {"proposal_ids": ()}, "proposal_ids.empty() == false: "),
        (name, {"proposal_ids": (1, 2, 3, 4, 5, 6)}, "proposal_ids.size() <= STEEM_PROPOSAL_MAX_IDS_NUMBER: "),
    )),
    *(case for name in SAMPLES if name.startswith("smt_") for case in bad_tokens(name)),
    *(case for name in SAMPLES if name.startswith("smt_") and name != "smt_contribute"
      for case in bad_names(name, "control_account")),
    ("smt_setup", {"max_supply": 0}, "max_supply > 0: Max supply must be greater than 0"),
    ("smt_setup", {"max_supply": 10**15 + 1},
     "max_supply <= STEEM_MAX_SHARE_SUPPLY: Max supply must be less than \"1000000000000000\""),
    ("smt_setup", {"contribution_end_time": TIME - 1}, "contribution_end_time >= contribution_begin_time: "
     "Contribution end time must be equal to or later than contribution begin time"),
    ("smt_setup", {"launch_time": TIME - 1}, "launch_time >= contribution_end_time: "
     "Launch time must be equal to or later than the contribution end time"),
    ("smt_setup", {"steem_satoshi_min": -1},
     "steem_satoshi_min >= 0: Steem satoshi minimum must be greater than or equal to 0"),
    ("smt_setup_emissions", {"emissions_unit": token_units.SmtEmissionsUnit(())},
     "token_unit.empty() == false: Emissions token unit cannot be empty"),
    ("smt_setup_emissions", {"emissions_unit": token_units.SmtEmissionsUnit((("$from", 1),))},
     "smt::unit_target::is_valid_emissions_destination( e.first ): "
     "Emissions token unit destination $from is invalid"),
    ("smt_setup_emissions", {"emissions_unit": token_units.SmtEmissionsUnit((("alice", 0),))},
     "e.second > 0: Emissions token unit must be greater than 0"),
    ("smt_setup_emissions", {"interval_seconds": 21_599}, "interval_seconds >= SMT_EMISSION_MIN_INTERVAL_SECONDS: "
     "Interval seconds must be greater than or equal to 21600"),
    ("smt_setup_emissions", {"emission_count": 0}, "emission_count > 0: Emission count must be greater than 0"),
    ("smt_setup_emissions", {"rep_time": TIME - 1},
     "lep_time <= rep_time: Left endpoint time must be less than or equal to right endpoint time"),
    ("smt_setup_emissions", {"lep_time": TIME - 1},
     "lep_time >= schedule_time: Left endpoint time cannot be before the schedule time"),
    ("smt_setup_emissions", {"emission_count": 10**6}, "uint64_t( interval_seconds ) * ( emission_count - 1 ) + "
     "uint64_t( schedule_time.sec_since_epoch() ) <= std::numeric_limits< int32_t >::max(): "
     "Schedule end time overflow"),
    ("smt_setup_emissions", {"rep_time": TIME + 9 * 21_600 + 1}, "rep_time <= schedule_time + fc::seconds( uint64_t( "
     "interval_seconds ) * ( emission_count - 1 ) ): Right endpoint time cannot be after the schedule end time"),
    ("smt_setup_emissions", {"lep_abs_amount": -1},
     "lep_abs_amount >= 0: Left endpoint cannot have negative emission"),
    ("smt_setup_emissions", {"rep_abs_amount": -1},
     "rep_abs_amount >= 0: Right endpoint cannot have negative emission"),
    ("smt_setup_emissions", {"lep_abs_amount": 0, "rep_abs_amount": 0}, "lep_abs_amount > 0 || "
     "lep_rel_amount_numerator > 0 || rep_abs_amount > 0 || rep_rel_amount_numerator > 0: "
     "An emission operation must have positive non-zero emission"),
    ("smt_setup_ico_tier", {"steem_satoshi_cap": -1},
     "steem_satoshi_cap >= 0: Steem satoshi cap must be greater than or equal to 0"),
    ("smt_setup_ico_tier", {"steem_satoshi_cap": 10**15 + 1}, "steem_satoshi_cap <= STEEM_MAX_SHARE_SUPPLY: "
     "Steem satoshi cap must be less than or equal to \"1000000000000000\""),
    ("smt_setup_ico_tier", tier((), ()), "generation_unit.steem_unit.size() > 0: "),
    ("smt_setup_ico_tier", tier(tuple((f"name{number:02d}", 1) for number in range(11)), ()),
     "steem_unit.size() <= SMT_MAX_UNIT_ROUTES: "),
    ("smt_setup_ico_tier", tier((("alice", 1),), tuple((f"name{number:02d}", 1) for number in range(11))),
     "token_unit.size() <= SMT_MAX_UNIT_ROUTES: "),
    ("smt_setup_ico_tier", tier(((BAD, 1),), ()), "is_valid_unit_target( e.first ): "),
    ("smt_setup_ico_tier", tier((("alice", 0),), ()), "e.second > 0: "),
    ("smt_setup_ico_tier", tier((("$from", 1),), ()),
     "is_valid_smt_ico_steem_destination( unit.first ): $from is not a valid STEEM unit target."),
    ("smt_setup_ico_tier", tier((("alice", 1),), (("$vesting", 1),)),
     "is_valid_smt_ico_token_destination( unit.first ): $vesting is not a valid token unit target."),
    ("smt_set_setup_parameters", {"setup_parameters": ()}, "setup_parameters.empty() == false: "),
    ("smt_set_runtime_parameters", {"runtime_parameters": ()}, "!runtime_parameters.empty(): "),
    ("smt_set_runtime_parameters", runtime(token_parameters.SmtParamWindowsV1(43_200, 0)),
     "sum < param_windows.cashout_window_seconds: 'reverse auction window + upvote lockout' interval must be less than "
     "cashout window (43200). Was 43200 seconds."),
    ("smt_set_runtime_parameters", runtime(token_parameters.SmtParamWindowsV1(604_801, 0)),
     "param_windows.cashout_window_seconds <= SMT_VESTING_WITHDRAW_INTERVAL_SECONDS: Cashout window second must be "
     "less than 'vesting withdraw' interval (604800). Was 604801 seconds."),
    ("smt_set_runtime_parameters", runtime(token_parameters.SmtParamVoteRegenerationPeriodSecondsV1(0, 1)),
     "vote_regeneration.vote_regeneration_period_seconds > 0 && vote_regeneration.vote_regeneration_period_seconds <= "
     "SMT_VESTING_WITHDRAW_INTERVAL_SECONDS: Vote regeneration period must be greater than 0 and less than "
     "'vesting withdraw' (604800) interval. Was 0 seconds."),
    ("smt_set_runtime_parameters", runtime(token_parameters.SmtParamVoteRegenerationPeriodSecondsV1(9, 7001)),
     "vote_regeneration.votes_per_regeneration_period > 0 && vote_regeneration.votes_per_regeneration_period <= "
     "SMT_MAX_VOTES_PER_REGENERATION: Votes per regeneration period exceeds maximum (7000). Was 9"),
    ("smt_set_runtime_parameters", runtime(token_parameters.SmtParamVoteRegenerationPeriodSecondsV1(86_400, 1001)),
     "nominal_votes_per_day <= SMT_MAX_NOMINAL_VOTES_PER_DAY: Nominal votes per day exceeds maximum (1000). Was 1001"),
    ("smt_set_runtime_parameters", runtime(token_parameters.SmtParamRewardsV1(1, 10_001, 0, 0)),
     "param_rewards.percent_curation_rewards <= STEEM_100_PERCENT: "
     "Percent Curation Rewards must not exceed 10000. Was 10001"),
    ("smt_create", {"desired_ticker": "AB"},
     "ticker_str.length() >= 3: SMT Ticker Symbol must be at least 3 characters long."),
    ("smt_create", {"desired_ticker": "abc"}, "ticker_str[i] >= 'A' && ticker_str[i] <= 'Z': "
     "SMT Ticker Symbol can only contain capital letters."),
    ("smt_create", {"smt_creation_fee": sbd(-1)}, "smt_creation_fee.amount >= 0: fee cannot be negative"),
    ("smt_create", {"smt_creation_fee": sbd(10**15 + 1)}, "smt_creation_fee.amount <= STEEM_MAX_SHARE_SUPPLY: "
     "Fee must be smaller than STEEM_MAX_SHARE_SUPPLY"),
    ("smt_create", {"smt_creation_fee": vests(1)}, "is_asset_type( smt_creation_fee, STEEM_SYMBOL ) || is_asset_type( "
     "smt_creation_fee, SBD_SYMBOL ): Fee must be STEEM or SBD"),
    ("smt_create", {"precision": 4}, "symbol.decimals() == precision: "
     "Mismatch between redundantly provided precision 3 vs 4"),
    *bad_names("smt_contribute", "contributor"),
    ("smt_contribute", {"contribution": sbd(1)},
     "contribution.symbol == STEEM_SYMBOL: Contributions must be made in STEEM"),
    ("smt_contribute", {"contribution": steem(0)},
     "contribution.amount > 0: Contribution amount must be greater than 0"),
]  # fmt: skip


def many(count: int) -> tuple[tuple[str, int], ...]:
    return tuple((f"name{number:02d}", 1) for number in range(count))


LEAST = LegacyChainProperties(steem(1), 65_536, 10_000)
FULL = Authority(1, (), CROWDED.key_auths[:-1])
NOTHING_CLAIMED = {"reward_vests": vests(0)}
NO_AMOUNT = {"lep_abs_amount": 0, "rep_abs_amount": 0}
Regeneration = token_parameters.SmtParamVoteRegenerationPeriodSecondsV1

LAST: list[tuple[str, dict[str, Any]]] = [
    ("vote", {"weight": -10_000}),
    ("vote2", {"rshares": ((1, 1), (2, 1), (3, 1))}),
    ("comment", {"title": "x" * 255}),
    *((name, {"permlink": "x" * 255}) for name in ("comment", "delete_comment", "comment_options", "create_proposal")),
    ("comment", {"parent_permlink": "x" * 255}),
    ("comment_options", {"max_accepted_payout": sbd(0)}),
    ("comment_options", beneficiaries(*((f"name{number:03d}", 1) for number in range(127)))),
    ("comment_options", beneficiaries(("bob", 10_000))),
    ("comment_options", votable(TOKEN, TOKEN + 1)),
    ("set_withdraw_vesting_route", {"percent": 0}),
    ("limit_order_create2", {"amount_to_sell": steem(4)}),
    ("witness_update", {"url": "u" * 2048}),
    ("witness_update", {"url": "u"}),
    *((name, {"props": LEAST}) for name in ("witness_update", "pow", "pow2")),
    ("witness_set_properties", props(account_creation_fee=packed_asset(steem(1)))),
    ("witness_set_properties", props(maximum_block_size=(65_536).to_bytes(4, "little"))),
    ("witness_set_properties", props(sbd_interest_rate=(10_000).to_bytes(2, "little"))),
    ("witness_set_properties", props(url=b"\x80\x10" + b"u" * 2048)),
    ("witness_set_properties", props(url=b"\x01u")),
    ("witness_set_properties", props(account_subsidy_budget=(1).to_bytes(4, "little"))),
    ("witness_set_properties", props(account_subsidy_budget=BUDGET_MAX.to_bytes(4, "little"))),
    ("witness_set_properties", props(account_subsidy_decay=(64).to_bytes(4, "little"))),
    ("witness_set_properties", props(account_subsidy_decay=RULES.rd_max_decay.to_bytes(4, "little"))),
    ("claim_account", {"fee": steem(1_000_000_000)}),
    *(("create_claimed_account", {role: FULL}) for role in ("owner", "active", "posting")),
    ("account_create_with_delegation", {"delegation": vests(0)}),
    ("custom_json", {"id": "i" * 32}),
    ("custom_binary", {"id": "i" * 32}),
    ("escrow_transfer", {"sbd_amount": sbd(0), "steem_amount": steem(1), "fee": steem(0)}),
    ("escrow_release", {"sbd_amount": sbd(0), "steem_amount": steem(1)}),
    *((name, {"memo": "m" * 2047}) for name in ("transfer_to_savings", "transfer_from_savings")),
    ("claim_reward_balance", {"reward_steem": steem(1), **NOTHING_CLAIMED}),
    ("claim_reward_balance", {"reward_sbd": sbd(1), **NOTHING_CLAIMED}),
    ("claim_reward_balance2", {"reward_tokens": (sbd(1), steem(0))}),
    ("create_proposal", {"daily_pay": sbd(0)}),
    ("create_proposal", {"subject": "s" * 80}),
    *((name, {"proposal_ids": (1, 2, 3, 4, 5)}) for name in ("update_proposal_votes", "remove_proposal")),
    ("smt_setup", {"max_supply": 10**15}),
    ("smt_setup_emissions", {"rep_time": TIME}),
    ("smt_setup_emissions", {"rep_time": TIME + 9 * 21_600}),
    ("smt_setup_emissions", {"interval_seconds": 182_494_549, "emission_count": 4}),  # It ends with int32.
    ("smt_setup_emissions", {"emission_count": 1, "rep_time": TIME}),
    *(("smt_setup_emissions", {**NO_AMOUNT, field: 1})
      for field in (*NO_AMOUNT, "lep_rel_amount_numerator", "rep_rel_amount_numerator")),
    ("smt_setup_ico_tier", {"steem_satoshi_cap": 0}),
    ("smt_setup_ico_tier", {"steem_satoshi_cap": 10**15}),
    ("smt_setup_ico_tier", tier(many(10), many(10))),
    ("smt_set_runtime_parameters", runtime(token_parameters.SmtParamWindowsV1(43_201, 0))),
    ("smt_set_runtime_parameters", runtime(token_parameters.SmtParamWindowsV1(604_800, 0))),
    ("smt_set_runtime_parameters", runtime(Regeneration(604_800, 7_000))),
    ("smt_set_runtime_parameters", runtime(Regeneration(86_400, 1_000))),
    ("smt_set_runtime_parameters", runtime(token_parameters.SmtParamRewardsV1(1, 10_000, 0, 0))),
    ("smt_create", {"desired_ticker": "AZA"}),
    ("smt_create", {"smt_creation_fee": sbd(0)}),
    ("smt_create", {"smt_creation_fee": sbd(10**15)}),
]  # fmt: skip


def change(name: str, changes: dict[str, Any]) -> Operation:
    return dataclasses.replace(SAMPLES[name], **changes)  # type: ignore[type-var]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_valid_instance_passes(name: str) -> None:
    SAMPLES[name].validate(RULES)


@pytest.mark.parametrize(("name", "changes", "message"), CASES)
def test_each_rule_refuses_with_its_message(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        change(name, changes).validate(RULES)
    assert caught.value.message == f"Assert Exception:{message}"


@pytest.mark.parametrize(("name", "changes"), LAST)
def test_the_last_value_that_a_rule_allows_passes(name: str, changes: dict[str, Any]) -> None:
    change(name, changes).validate(RULES)


def test_the_count_of_parts_is_limited_apart_from_the_routes() -> None:
    rules = RULES.replace(smt_max_unit_count=3)
    change("smt_setup_ico_tier", tier(many(3), many(3))).validate(rules)
    for steem_unit, token_unit, name in ((4, 3, "steem_unit"), (3, 4, "token_unit")):
        with pytest.raises(Invalid, match=f"{name}.size.* <= SMT_MAX_UNIT_COUNT"):
            change("smt_setup_ico_tier", tier(many(steem_unit), many(token_unit))).validate(rules)


def test_every_operation_has_a_broken_instance() -> None:
    assert {name for name, _, _ in CASES} == set(SAMPLES)


def test_empty_texts_pass_where_they_may() -> None:
    change("custom_json", {"json": "0"}).validate(RULES)
    change("comment", {"json_metadata": ""}).validate(RULES)
    change("witness_set_properties", {"props": (("key", b""),)}).validate(RULES)


def test_properties_of_a_witness_are_read_exactly_when_the_chain_is_known() -> None:
    symbols = {packed: symbol for symbol, packed in MAINNET.symbol_bytes.items()}
    read = read_properties(witness_properties(), RULES, symbols)
    assert read.account_creation_fee == steem(3000)
    assert read.sbd_exchange_rate == Price(sbd(1000), steem(3000))
    assert (read.maximum_block_size, read.sbd_interest_rate, read.url) == (131_072, 1000, "https://a.test/")
    assert (read.account_subsidy_budget, read.account_subsidy_decay, read.new_signing_key) == (797, 347_321, KEY)
    in_sbd = witness_properties(account_creation_fee=packed_asset(sbd(1)))
    with pytest.raises(Invalid, match="account_creation_fee must be in STEEM"):
        read_properties(in_sbd, RULES, symbols)
    assert read_properties((("key", KEY),), RULES, symbols) == (None,) * 8


def test_the_chain_s_own_symbol_names_are_no_tickers() -> None:
    operation: Any = change("smt_create", {"desired_ticker": MAINNET.steem_symbol})
    with pytest.raises(Invalid) as caught:
        operation.check_ticker(MAINNET)
    assert caught.value.message == (
        f"Assert Exception:desired_ticker != STEEM_SYMBOL_STR: SMT Ticker Symbol cannot be {MAINNET.steem_symbol}"
    )


def test_a_launch_and_emissions_begin_after_the_genesis() -> None:
    setup: Any = SAMPLES["smt_setup"]
    with pytest.raises(Invalid, match="Contribution begin time must be greater than 2020-09-13T12:26:40"):
        setup.check_genesis(TIME)
    emissions: Any = SAMPLES["smt_setup_emissions"]
    with pytest.raises(Invalid, match="schedule_time > STEEM_GENESIS_TIME"):
        emissions.check_genesis(TIME)


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("{}", True),
        ('{"a":1 "b":[2,,3]}', True),
        ("12", True),
        ("nope", True),
        ('{"a":1e5}', True),
        ("  {}", True),
        ("{} ", False),
        ("not json", False),
        ("", False),
    ],
)
def test_json_is_what_the_reference_s_parser_takes(text: str, is_valid: bool) -> None:
    assert is_valid_json(text) is is_valid


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":', "Unexpected EOF: 11 eof_exception: End Of File\nstringstream\n    {}\n    sstream.cpp:109 peek"),
        ("{x", "Expected '\"' but read 'x'while parsing token ''Error parsing object"),
        ("1.2.3", "Can't parse a number with two decimal places"),
        ("18446744073709551616", "Couldn't parse uint64_t18446744073709551616 => uint64_t"),
    ],
)
def test_json_that_the_reference_s_parser_throws_at(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        is_valid_json(text)
    assert caught.value.message == f"Parse Error:{message}"


REFUSED_FOR_GOOD = {
    "custom_binary": "false: custom_binary_operation is deprecated",
    "account_create_with_delegation": "!_db.has_hardfork( STEEM_HARDFORK_0_20__1760 ): "
    "Account creation with delegation is deprecated as of Hardfork 20",
    "reset_account": "false: Reset Account Operation is currently disabled.",
    "set_reset_account": "false: Set Reset Account Operation is currently disabled.",
    "pow": "!db().has_hardfork( STEEM_HARDFORK_0_13__256 ): pow is deprecated. Use pow2 instead",
    "pow2": "!db.has_hardfork( STEEM_HARDFORK_0_17__770 ): mining is now disabled",
    "report_over_production": "!_db.has_hardfork( STEEM_HARDFORK_0_4 ): report_over_production_operation is disabled.",
}


class OnlyRules:
    rules = RULES
    is_pending = True


@pytest.mark.parametrize("name", REFUSED_FOR_GOOD)
def test_what_the_reference_refuses_for_good_is_refused(name: str) -> None:
    operation: Any = SAMPLES[name]
    with pytest.raises(Rejected) as caught:
        operation.apply(OnlyRules())
    assert caught.value.message == f"Assert Exception:{REFUSED_FOR_GOOD[name]}"


def test_an_operation_without_effect_is_refused_by_name() -> None:
    class Nothing(Operation):
        wire_name = "nothing"

    with pytest.raises(Rejected, match="nothing_operation is not enabled on this chain"):
        Nothing().apply(None)


def test_nobody_may_send_a_virtual_operation() -> None:
    event = Codec(MAINNET).from_json(OPERATIONS_BY_NAME["producer_reward"], {})
    with pytest.raises(Invalid, match="This is a virtual operation"):
        event.validate(RULES)


@pytest.mark.parametrize("chain", ["reference_chain_a", "reference_chain_b"])
@pytest.mark.recorded
def test_what_the_reference_rejected_by_its_fields_is_rejected_with_the_same_message(chain: str) -> None:
    config = TESTNET
    codec = Codec(config.identity)
    files = ("steem_operations.cpp", "sps_operations.cpp", "validation.hpp", "asset.cpp", "json.cpp")
    compared = 0
    for record in read_jsonl(recorded_path(chain, "rejections.jsonl")):
        stack = record["error"].get("data")
        # A rule of validate() shows a frame of the file it stands in; an evaluator's adds one line of its own.
        frames = [frame["context"] for frame in stack["stack"]] if isinstance(stack, dict) else []
        if not frames or frames[0]["file"] not in files or any(f["line"] == 3706 for f in frames):
            continue
        with pytest.raises(ProtocolError) as caught:
            for name, body in record["transaction"]["operations"]:
                codec.from_json(OPERATIONS_BY_NAME[name], body).validate(config.rules)
        assert caught.value.message == record["error"]["message"], record["rule"]
        compared += 1
    assert compared >= 2
