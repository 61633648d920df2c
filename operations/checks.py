"""Checks of fields that several operations share; each raises Invalid with the reference's assertion and text.

Source: validation.hpp; authority.cpp; steem_operations.cpp, validate_auth_size; steem_operations.hpp,
legacy_chain_properties::validate.
"""

from itertools import filterfalse

from protocol.assets import CORE_SYMBOLS, STEEM, Asset, check_symbol, is_vesting
from protocol.errors import Invalid
from protocol.json_text import is_valid_json
from protocol.names import is_valid_account_name
from protocol.rules import Rules
from protocol.types import Authority, LegacyChainProperties
from protocol.units import BASIS_POINTS


def byte_size(text: str) -> int:
    """The length of a string on the wire without its length prefix, in bytes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def is_utf8(text: str) -> bool:
    """Whether a string was read from valid UTF-8; invalid bytes are kept as lone surrogates."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def check_account_name(name: str) -> None:
    """Refuses an invalid account name. Source: validation.hpp, validate_account_name."""
    if not is_valid_account_name(name):
        raise Invalid("is_valid_account_name( name )", "Account name ${n} is invalid", n=name)


def check_account_names(*names: str) -> None:
    """Refuses the first invalid account name among `names`."""
    for name in filterfalse(is_valid_account_name, names):
        check_account_name(name)


def check_permlink(permlink: str, rules: Rules) -> None:
    """Refuses a permlink that is too long or not UTF-8. Source: validation.hpp, validate_permlink."""
    if not byte_size(permlink) < rules.max_permlink_length:
        raise Invalid("permlink.size() < STEEM_MAX_PERMLINK_LENGTH", "permlink is too long")
    if not is_utf8(permlink):
        raise Invalid("fc::is_utf8( permlink )", "permlink not formatted in UTF8")


def check_json(text: str, field: str = "json_metadata") -> None:
    """Refuses text that is not JSON in UTF-8; `field` is the name of the text in the reference's assertion."""
    if not is_utf8(text):
        raise Invalid(f"fc::is_utf8({field})", "JSON Metadata not formatted in UTF8")
    if not is_valid_json(text):
        raise Invalid(f"fc::json::is_valid({field})", "JSON Metadata not valid JSON")


def check_optional_json(text: str, field: str = "json_metadata") -> None:
    """Like check_json, but accepts an empty text."""
    if text:
        check_json(text, field)


def check_memo(memo: str, rules: Rules) -> None:
    """Refuses a memo that is too long or not UTF-8. Source: steem_operations.cpp, transfer_operation::validate."""
    if not byte_size(memo) < rules.max_memo_size_bytes:
        raise Invalid("memo.size() < STEEM_MAX_MEMO_SIZE", "Memo is too large")
    if not is_utf8(memo):
        raise Invalid("fc::is_utf8( memo )", "Memo is not UTF8")


def check_authority(authority: Authority) -> None:
    """Refuses an authority with an invalid account name. Source: authority.cpp, authority::validate."""
    for name, _weight in authority.account_auths:
        if not is_valid_account_name(name):
            raise Invalid("is_valid_account_name( item.first )")


def check_authority_size(authority: Authority, rules: Rules) -> None:
    """Refuses an authority with too many members. Source: steem_operations.cpp, validate_auth_size."""
    members = len(authority.account_auths) + len(authority.key_auths)
    if members > rules.max_authority_membership:
        raise Invalid(
            "size <= STEEM_MAX_AUTHORITY_MEMBERSHIP",
            "Authority membership exceeded. Max: ${max} Current: ${n}",
            max=rules.max_authority_membership,
            n=members,
        )


def is_impossible(authority: Authority) -> bool:
    """Whether the sum of all weights is below the threshold. Source: authority.cpp, authority::is_impossible."""
    weights = sum(weight for _, weight in authority.account_auths) + sum(weight for _, weight in authority.key_auths)
    return weights < authority.weight_threshold


def is_token(symbol: int) -> bool:
    """Whether a symbol is not one of the three core ones. Source: asset.cpp, asset_symbol_type::space."""
    return symbol not in CORE_SYMBOLS


def check_token_symbol(symbol: int) -> None:
    """Refuses any symbol but the liquid one of a token. Source: validation.hpp of master, validate_smt_symbol."""
    check_symbol(symbol)
    if not is_token(symbol):
        raise Invalid("symbol.space() == asset_symbol_type::smt_nai_space", "legacy symbol used instead of NAI")
    if is_vesting(symbol):
        raise Invalid("symbol.is_vesting() == false", "liquid variant of NAI expected")


def check_same_symbol(asset: Asset, symbol: int) -> None:
    """Refuses to compare amounts of two symbols. Source: asset.hpp, comparison of assets."""
    if asset.symbol != symbol:
        raise Invalid("a.symbol == b.symbol")


def check_account_creation_fee(fee: Asset) -> None:
    """Refuses a creation fee that is not STEEM. Source: steem_operations.cpp, account_create_operation::validate."""
    if fee.symbol != STEEM:
        raise Invalid("is_asset_type( fee, STEEM_SYMBOL )", "Account creation fee must be STEEM")


def check_chain_properties(props: LegacyChainProperties, rules: Rules, *, canonical: bool) -> None:
    """Refuses a witness's chain properties out of range; `canonical` also wants the exact symbol of the fee.

    Source: steem_operations.hpp, legacy_chain_properties::validate.
    """
    if canonical and props.account_creation_fee.symbol != STEEM:
        raise Invalid("account_creation_fee.symbol.is_canon()")
    if not props.account_creation_fee.amount >= rules.min_account_creation_fee:
        raise Invalid("account_creation_fee.amount >= STEEM_MIN_ACCOUNT_CREATION_FEE")
    if not props.maximum_block_size >= rules.min_block_size_limit_bytes:
        raise Invalid("maximum_block_size >= STEEM_MIN_BLOCK_SIZE_LIMIT")
    if not props.sbd_interest_rate <= BASIS_POINTS:
        raise Invalid("sbd_interest_rate <= STEEM_100_PERCENT")
