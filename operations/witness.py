"""Witnesses: registration, properties, price feed, and votes for them."""

from typing import Annotated

from consensus.witnesses import default_properties, get_witness, make_witness
from operations.checks import (
    byte_size,
    check_account_name,
    check_account_names,
    check_chain_properties,
    check_same_symbol,
)
from operations.witness_properties import check_url, read_properties, unpack_key
from protocol.assets import SBD, STEEM, Asset, Price, check_price
from protocol.errors import Invalid, Rejected, UnknownKey
from protocol.keys import encode_public_key
from protocol.measures import size_text
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.resources import Resources, state_size
from protocol.rules import Rules
from protocol.types import (
    AccountName,
    Authority,
    Bool,
    Bytes,
    ChainProperties,
    Default,
    FutureExtensions,
    LegacyChainProperties,
    PublicKey,
    SortedMap,
    String,
)
from state.context import Context
from state.tables.accounts import Account
from state.tables.witnesses import Witness, WitnessVote
from state.witness_votes import (
    WitnessVoteSums,
    adjust_proxied_witness_votes,
    adjust_witness_vote,
    clear_witness_votes,
)

UNSATISFIABLE_AUTHORITY = Authority(1, (), ())
"""Required authority of an operation without a signing key: nobody can satisfy it. The reference requires the authority
of its null account, which is this one; here account names are data of the chain.
"""


_URL_BYTE = state_size("witness_object_url_char_size", 1)


@operation(number=11, takes=Resources(9500, state_size("witness_object_base_size", 266)), active="owner")
class WitnessUpdate(Operation):
    """Makes an account a witness, or changes its url, signing key and properties; the null key retires it.

    Source: steem_operations.hpp, witness_update_operation; steem_operations.cpp, witness_update_operation::validate;
    steem_evaluator.cpp, witness_update_evaluator.
    """

    owner: Annotated[AccountName, "The witness; its active authority signs."]
    url: Annotated[String, "Where to read about the witness, 1 to 2048 bytes of UTF-8."]
    block_signing_key: Annotated[PublicKey, "Key that signs the witness's blocks; the null key retires it."]
    props: Annotated[LegacyChainProperties, "Chain properties the witness votes for."]
    fee: Annotated[Asset, "STEEM; not taken any more, but not negative."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.owner)
        check_url(self.url, byte_size(self.url), rules)
        check_same_symbol(self.fee, STEEM)
        if not self.fee.amount >= 0:
            raise Invalid("fee >= asset( 0, STEEM_SYMBOL )", "Fee cannot be negative")
        check_chain_properties(self.props, rules, canonical=False)

    def count_resources(self) -> Resources:
        return self.resources.more(state_bytes=_URL_BYTE * byte_size(self.url))

    def apply(self, ctx: Context) -> None:
        _get_account(ctx, self.owner)
        self._check_properties(ctx.rules)
        witnesses = ctx.tables.witnesses
        witness = witnesses.find(self.owner)
        if witness is None:
            witness = witnesses.insert(make_witness(ctx, self.owner, created=ctx.time))
        props = witness.props._replace(
            account_creation_fee=Asset(self.props.account_creation_fee.amount, STEEM),
            maximum_block_size=self.props.maximum_block_size,
            sbd_interest_rate=self.props.sbd_interest_rate,
        )
        witnesses.update(witness, url=self.url, signing_key=self.block_signing_key, props=props)

    def _check_properties(self, rules: Rules) -> None:
        if self.props.account_creation_fee.symbol != STEEM:
            raise Rejected("o.props.account_creation_fee.symbol.is_canon()")
        if not self.props.account_creation_fee.amount <= rules.max_account_creation_fee:
            raise Rejected(
                "o.props.account_creation_fee.amount <= STEEM_MAX_ACCOUNT_CREATION_FEE",
                "account_creation_fee greater than maximum account creation fee",
            )
        if not self.props.maximum_block_size <= rules.soft_max_block_size_bytes:
            raise Rejected(
                "o.props.maximum_block_size <= STEEM_SOFT_MAX_BLOCK_SIZE",
                f"Max block size cannot be more than {size_text(rules.soft_max_block_size_bytes)}",
            )


def _get_account(ctx: Context, name: str) -> Account:
    account = ctx.tables.accounts.find(name)
    if account is None:
        raise UnknownKey(name=name)
    return account


@operation(number=42, takes=Resources(9500), impacts=("owner",))
class WitnessSetProperties(Operation):
    """Changes some properties of a witness, signed with its signing key.

    Source: steem_operations.hpp, witness_set_properties_operation; steem_operations.cpp,
    witness_set_properties_operation::validate; steem_evaluator.cpp, witness_set_properties_evaluator.
    """

    owner: Annotated[AccountName, "The witness."]
    props: Annotated[
        SortedMap[String, Bytes],
        "Packed values by name: key (the present signing key, which signs), account_creation_fee, maximum_block_size, "
        "sbd_interest_rate, new_signing_key, sbd_exchange_rate, url, account_subsidy_budget, account_subsidy_decay.",
    ]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.owner)
        read_properties(self.props, rules)

    def payer(self) -> str:
        return self.owner

    def authorities(self, required: RequiredAuthorities) -> None:
        packed = dict(self.props).get("key")
        if packed is None:
            required.other(UNSATISFIABLE_AUTHORITY)
        else:
            required.other(Authority(1, (), ((unpack_key(packed), 1),)))

    def apply(self, ctx: Context) -> None:
        witness = get_witness(ctx, self.owner)
        packed = dict(self.props)
        self._check_key(ctx, unpack_key(packed["key"]), witness.signing_key)
        symbols = {name: symbol for symbol, name in ctx.config.identity.symbol_bytes.items()}
        wanted = read_properties(self.props, ctx.rules, symbols)
        fee = wanted.account_creation_fee
        if fee is not None and not fee.amount <= ctx.rules.max_account_creation_fee:
            raise Rejected(
                "props.account_creation_fee.amount <= STEEM_MAX_ACCOUNT_CREATION_FEE",
                "account_creation_fee greater than maximum account creation fee",
            )
        # A fee or an interest rate named with an empty value is the default one, as in the reference.
        given = wanted._asdict()
        default = default_properties(ctx.rules)
        named = [name for name in ChainProperties._fields if name in packed]
        changes = {name: getattr(default, name) if given[name] is None else given[name] for name in named}
        if wanted.sbd_exchange_rate is not None:
            witness = ctx.tables.witnesses.update(
                witness, sbd_exchange_rate=wanted.sbd_exchange_rate, last_sbd_exchange_update=ctx.time
            )
        ctx.tables.witnesses.update(
            witness,
            props=witness.props._replace(**changes),
            signing_key=witness.signing_key if wanted.new_signing_key is None else wanted.new_signing_key,
            url=witness.url if wanted.url is None else wanted.url,
        )

    @staticmethod
    def _check_key(ctx: Context, given: bytes, present: bytes) -> None:
        if given != present:
            prefix = ctx.config.identity.address_prefix
            raise Rejected(
                "signing_key == witness.signing_key",
                "'key' does not match witness signing key.",
                key=encode_public_key(given, prefix),
                signing_key=encode_public_key(present, prefix),
            )


@operation(
    number=12,
    takes=Resources(23_000, state_size("witness_vote_object_base_size", 40)),
    active="account",
    impacts=("account", "witness"),
)
class AccountWitnessVote(Operation):
    """Votes for a witness, or withdraws the vote.

    Source: steem_operations.hpp, account_witness_vote_operation; steem_operations.cpp,
    account_witness_vote_operation::validate; steem_evaluator.cpp, account_witness_vote_evaluator.
    """

    account: Annotated[AccountName, "Account that votes; its active authority signs."]
    witness: Annotated[AccountName, "The witness."]
    approve: Annotated[Bool, "Whether to vote for the witness or to withdraw the vote.", Default(True)]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.account, self.witness)

    def apply(self, ctx: Context) -> None:
        voter = _get_account(ctx, self.account)
        if voter.proxy != "":
            raise Rejected(
                "voter.proxy.size() == 0",
                "A proxy is currently set, please clear the proxy before voting for a witness.",
            ).named("proxy_is_set")
        if self.approve and not voter.can_vote:
            raise Rejected("voter.can_vote", "Account has declined its voting rights.").named("voting_rights_declined")
        witness = get_witness(ctx, self.witness)
        vote = ctx.tables.witness_votes.find((self.account, self.witness))
        if vote is None:
            self._give(ctx, voter, witness)
        else:
            self._take_back(ctx, voter, witness, vote)

    def _give(self, ctx: Context, voter: Account, witness: Witness) -> None:
        if not self.approve:
            raise Rejected("o.approve", "Vote doesn't exist, user must indicate a desire to approve witness.").named(
                "witness_vote_missing"
            )
        if not voter.witnesses_voted_for < ctx.rules.max_account_witness_votes:
            raise Rejected(
                "voter.witnesses_voted_for < STEEM_MAX_ACCOUNT_WITNESS_VOTES",
                "Account has voted for too many witnesses.",
            ).named("witness_votes_used_up")
        votes = ctx.tables.witness_votes
        votes.insert(WitnessVote(id=votes.next_id(), witness=witness.owner, account=voter.name))
        adjust_witness_vote(ctx, witness, voter.witness_vote_weight)
        ctx.tables.accounts.update(voter, witnesses_voted_for=voter.witnesses_voted_for + 1)

    def _take_back(self, ctx: Context, voter: Account, witness: Witness, vote: WitnessVote) -> None:
        if self.approve:
            raise Rejected("!o.approve", "Vote currently exists, user must indicate a desire to reject witness.").named(
                "witness_vote_exists"
            )
        adjust_witness_vote(ctx, witness, -voter.witness_vote_weight)
        ctx.tables.accounts.update(voter, witnesses_voted_for=voter.witnesses_voted_for - 1)
        ctx.tables.witness_votes.delete(vote)


@operation(number=13, takes=Resources(117_000), active="account", impacts=("account", "proxy"))
class AccountWitnessProxy(Operation):
    """Sets or clears a proxy that votes for witnesses with the account's weight; its own votes are removed.

    Source: steem_operations.hpp, account_witness_proxy_operation; steem_operations.cpp,
    account_witness_proxy_operation::validate; steem_evaluator.cpp, account_witness_proxy_evaluator.
    """

    account: Annotated[AccountName, "Account that sets the proxy; its active authority signs."]
    proxy: Annotated[AccountName, "Account that votes on its behalf; empty clears the proxy."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account)
        if self.proxy:
            check_account_name(self.proxy)
        if self.proxy == self.account:
            raise Invalid("proxy != account", "Cannot proxy to self")

    def apply(self, ctx: Context) -> None:
        account = _get_account(ctx, self.account)
        if account.proxy == self.proxy:
            raise Rejected("account.proxy != o.proxy", "Proxy must change.").named("proxy_unchanged")
        if not account.can_vote:
            raise Rejected(
                "account.can_vote", "Account has declined the ability to vote and cannot proxy votes."
            ).named("voting_rights_declined")
        weights = (account.vesting_shares, *account.proxied_vsf_votes)
        sums = WitnessVoteSums(ctx)
        adjust_proxied_witness_votes(ctx, account, tuple(-weight for weight in weights), sums)
        if self.proxy:
            self._check_chain(ctx)
            clear_witness_votes(ctx, self.account)
            sums.forget_choices(self.account)
        accounts = ctx.tables.accounts
        account = accounts.update(accounts.get(self.account), proxy=self.proxy)
        if self.proxy:
            adjust_proxied_witness_votes(ctx, account, weights, sums)
        sums.finish()

    def _check_chain(self, ctx: Context) -> None:
        """Refuses a proxy that would create a loop or a chain that is too long."""
        chain = {self.account, self.proxy}
        following = _get_account(ctx, self.proxy).proxy
        while following:
            if following in chain:
                raise Rejected(
                    "proxy_chain.insert( next_proxy.id ).second", "This proxy would create a proxy loop."
                ).named("proxy_loop")
            chain.add(following)
            if not len(chain) <= ctx.rules.max_proxy_recursion_depth:
                raise Rejected("proxy_chain.size() <= STEEM_MAX_PROXY_RECURSION_DEPTH", "Proxy chain is too long.")
            following = _get_account(ctx, following).proxy


@operation(number=7, takes=Resources(6200), active="publisher")
class FeedPublish(Operation):
    """Publishes a witness's price of STEEM in SBD.

    Source: steem_operations.hpp, feed_publish_operation; steem_operations.cpp, feed_publish_operation::validate;
    steem_evaluator.cpp, feed_publish_evaluator.
    """

    publisher: Annotated[AccountName, "The witness; its active authority signs."]
    exchange_rate: Annotated[Price, "An amount of SBD and the amount of STEEM it is worth."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.publisher)
        if (self.exchange_rate.base.symbol, self.exchange_rate.quote.symbol) not in ((STEEM, SBD), (SBD, STEEM)):
            raise Invalid(
                "( is_asset_type( exchange_rate.base, STEEM_SYMBOL ) && "
                "is_asset_type( exchange_rate.quote, SBD_SYMBOL ) ) "
                "|| ( is_asset_type( exchange_rate.base, SBD_SYMBOL ) && "
                "is_asset_type( exchange_rate.quote, STEEM_SYMBOL ) )",
                "Price feed must be a STEEM/SBD price",
            )
        check_price(self.exchange_rate)

    def apply(self, ctx: Context) -> None:
        rate = self.exchange_rate
        if not (rate.base.symbol == SBD and rate.quote.symbol == STEEM):
            raise Rejected(
                "is_asset_type( o.exchange_rate.base, SBD_SYMBOL ) && "
                "is_asset_type( o.exchange_rate.quote, STEEM_SYMBOL )",
                "Price feed must be a SBD/STEEM price",
            )
        witness = get_witness(ctx, self.publisher)
        ctx.tables.witnesses.update(witness, sbd_exchange_rate=rate, last_sbd_exchange_update=ctx.time)
