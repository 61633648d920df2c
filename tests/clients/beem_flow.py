"""beem 0.24.26: everything a person does, once per way of connecting.

Modes: `default` (reads through the appbase APIs, broadcasts through condenser_api), `condenser` (everything through
condenser_api), `appbase` (broadcasts through network_broadcast_api too).
"""

from datetime import datetime, timedelta
from typing import Any

from beem import Steem
from beem.account import Account
from beem.blockchain import Blockchain
from beem.comment import Comment
from beem.market import Market
from beem.transactionbuilder import TransactionBuilder
from beem.vote import ActiveVotes
from beemapi.exceptions import UnknownTransaction
from beembase import operations
from beembase.objects import Operation
from beembase.signedtransactions import Signed_Transaction
from beemgraphenebase.account import PrivateKey
from steps import KEYS, SETTINGS, dev, step, thousandths, until

URL = SETTINGS["url"]
MODE = SETTINGS["mode"]


def wifs(*roles: str) -> list[str]:
    """The keys of alice, bob and carol for some roles."""
    return [KEYS[name][role] for name in ("alice", "bob", "carol") for role in roles]


def connect() -> Steem:
    """Connects as a user of the client would."""
    if MODE == "condenser":
        steem = Steem(node=URL, keys=wifs("active", "posting"), use_condenser=True)
        return steem
    steem = Steem(node=URL, keys=wifs("active", "posting"))
    steem.config["use_condenser"] = MODE != "appbase"
    return steem


steem = connect()
chain = Blockchain(blockchain_instance=steem, mode="head")


def account(name: str) -> Account:
    """An account as it is now."""
    return Account(name, blockchain_instance=steem)


def head() -> dict[str, Any]:
    """The dynamic global properties as they are now."""
    found: dict[str, Any] = steem.get_dynamic_global_properties(use_stored_data=False)
    return found


def at(seconds: int) -> str:
    """A time so many seconds after the head block's."""
    now = datetime.strptime(head()["time"], "%Y-%m-%dT%H:%M:%S")
    return (now + timedelta(seconds=seconds)).isoformat()


def transfer(amount: str, to: str = "bob", memo: str = "", sender: str = "alice") -> Any:
    """A transfer operation."""
    prefix = steem.prefix
    return operations.Transfer(**{"from": sender, "to": to, "amount": amount, "memo": memo, "prefix": prefix})


def vote(author: str, permlink: str) -> Any:
    """A vote of alice."""
    return operations.Vote(voter="alice", author=author, permlink=permlink, weight=100)


def sign(ops: list[Any], keys: list[str], **changes: Any) -> dict[str, Any]:
    """Signs operations with any keys, after changes to the transaction's own fields."""
    number, prefix = TransactionBuilder(blockchain_instance=steem).get_block_params()
    appbase = not steem.config["use_condenser"] and MODE != "condenser"
    fields = {
        "ref_block_num": number,
        "ref_block_prefix": prefix,
        "expiration": at(30),
        "operations": [Operation(op, appbase=appbase, prefix=steem.prefix) for op in ops],
    }
    signed = Signed_Transaction(**{**fields, **changes}, custom_chains=steem.custom_chains, prefix=steem.prefix)
    signed.sign(keys, chain=steem.chain_params)
    shown: dict[str, Any] = signed.json()
    return shown


def broadcast(transaction: dict[str, Any]) -> Any:
    """Hands a signed transaction to the node as the client does."""
    if steem.config["use_condenser"]:
        return steem.rpc.broadcast_transaction(transaction, api="condenser")
    arguments = {"trx": transaction, "max_block_age": -1}
    return steem.rpc.broadcast_transaction(arguments, api="network_broadcast")


def send(ops: list[Any], keys: list[str], **changes: Any) -> Any:
    """Signs and broadcasts."""
    return broadcast(sign(ops, keys, **changes))


def find_transaction(trx_id: str) -> Any:
    """The transaction once a block contains it."""
    try:
        return chain.get_transaction(trx_id)
    except UnknownTransaction:
        return None


def included(transaction: dict[str, Any]) -> Any:
    """Waits for the block that contains a transaction."""
    return until(lambda: find_transaction(transaction["trx_id"]))


def reads() -> None:
    """Connects and reads."""
    step("connect", lambda: head()["head_block_number"] > 0)

    def balances() -> dict[str, str]:
        balance, sbd, vests = account("alice").balances["available"]
        return {"balance": str(balance), "sbd": str(sbd), "vests": str(vests)}

    step("balances", balances)
    step("unknown_account", lambda: account("nobody"))
    step("config", lambda: steem.get_config()["STEEM_ADDRESS_PREFIX"])
    step("chain_id", lambda: steem.chain_params["chain_id"])


def accounts() -> None:
    """Creates an account, finds it by its key."""

    def create() -> dict[str, Any]:
        included(steem.create_account("newcomer", creator="alice", password="secret", storekeys=False))
        row = account("newcomer")
        return {
            "name": row["name"],
            "active": len(row["active"]["key_auths"]) == 1,
            "recovery": row["recovery_account"],
        }

    step("create_account", create)

    def claimed() -> list[Any]:
        fee = steem.get_witness_schedule(use_stored_data=False)["median_props"]["account_creation_fee"]
        steem.claim_account("alice", fee=fee)
        waiting = account("alice")["pending_claimed_accounts"]
        included(steem.create_claimed_account("claimed", creator="alice", password="secret", storekeys=False))
        return [waiting, account("alice")["pending_claimed_accounts"], account("claimed")["name"]]

    step("claimed_account", claimed)
    public = format(PrivateKey(KEYS["alice"]["active"]).pubkey, steem.prefix)
    step("key_references", lambda: list(steem.wallet.getAccountsFromPublicKey(public)))

    def update() -> Any:
        alice = account("alice")
        alice.update_account_profile({"about": "plaudit"})
        return account("alice").profile.get("about")

    step("account_update", update)


def money() -> None:
    """Moves and stakes tokens."""

    def transfers() -> dict[str, Any]:
        before = account("bob").balances["available"]
        first = account("alice").transfer("bob", 1, "STEEM", "thanks")
        account("alice").transfer("bob", 2.5, "SBD", "")
        transaction = included(first)
        after = account("bob").balances["available"]
        operation = transaction["operations"][0]
        block = next(chain.blocks(start=transaction["block_num"], stop=transaction["block_num"]))
        return {
            "balance": thousandths(after[0]) - thousandths(before[0]),
            "sbd": thousandths(after[1]) - thousandths(before[1]),
            "operation": operation["type"] if isinstance(operation, dict) else operation[0],
            "in_block": first["trx_id"] in block["transaction_ids"],
        }

    step("transfer", transfers)

    def power_up() -> dict[str, Any]:
        before = account("alice").balances["available"]
        account("alice").transfer_to_vesting(500)
        after = account("alice").balances["available"]
        vests = thousandths(after[2]) > thousandths(before[2])
        return {"balance": thousandths(after[0]) - thousandths(before[0]), "vests": vests}

    step("power_up", power_up)

    def power_down() -> dict[str, Any]:
        account("alice").withdraw_vesting(13000)
        account("alice").delegate_vesting_shares("carol", "1000000 VESTS")
        alice = account("alice")
        delegations = alice.get_vesting_delegations()
        rate, delegated = str(alice["vesting_withdraw_rate"]), str(alice["delegated_vesting_shares"])
        return {"rate": rate, "delegated": delegated, "delegations": len(delegations)}

    step("power_down_and_delegate", power_down)

    def order() -> list[int]:
        market = Market("SBD:STEEM", blockchain_instance=steem)
        market.sell(2, 10, 86400, account="alice", orderid=7)
        market = Market("STEEM:SBD", blockchain_instance=steem)
        return [entry["orderid"] for entry in market.accountopenorders("alice", raw_data=True)]

    step("limit_order", order)


def content() -> None:
    """Posts, replies, votes."""

    def post() -> dict[str, Any]:
        beneficiaries = [{"account": "bob", "weight": 2500}]
        sent = steem.post(
            "Hello", "The body, öäü.", author="alice", permlink="hello", tags=["plaudit"], beneficiaries=beneficiaries
        )
        included(sent)
        found = Comment("@alice/hello", blockchain_instance=steem)
        names = ("author", "permlink", "title", "body", "beneficiaries")
        return {name: found[name] for name in names}

    step("post", post)

    def vote_and_reply() -> dict[str, Any]:
        steem.vote(100, "@alice/hello", account="bob")
        Comment("@alice/hello", blockchain_instance=steem).reply("Welcome", author="carol")
        included(steem.custom_json("plaudit-test", {"n": 1}, required_posting_auths=["alice"]))
        votes = ActiveVotes("@alice/hello", blockchain_instance=steem)
        replies = steem.rpc.get_content_replies("alice", "hello", api="condenser")
        return {
            "voters": [[one["voter"], one["percent"]] for one in votes],
            "replies": [[one["author"], one["body"]] for one in replies],
        }

    step("vote_reply_and_custom_json", vote_and_reply)

    def read_by(api: str) -> str:
        return str(Comment("@alice/hello", api=api, blockchain_instance=steem)["title"])

    step("content_by_condenser", lambda: read_by("condenser"))

    def witness() -> Any:
        account("alice").approvewitness("initminer")
        return account("alice")["witnesses_voted_for"]

    step("witness_vote", witness)


def errors() -> None:
    """Provokes the documented errors."""
    alice, bob = KEYS["alice"], KEYS["bob"]
    step("error_missing_posting", lambda: send([vote("alice", "hello")], [bob["posting"]]))
    step("error_missing_active", lambda: send([transfer("1.000 STEEM")], [alice["posting"]]))

    def change_owner() -> Any:
        row = account("alice").json()
        update = {"account": "alice", "owner": row["owner"], "memo_key": row["memo_key"], "json_metadata": ""}
        return send([operations.Account_update(**update, prefix=steem.prefix)], [alice["active"]])

    step("error_missing_owner", change_owner)
    step("error_irrelevant_signature", lambda: send([transfer("0.001 STEEM")], [alice["active"], bob["active"]]))
    step("error_funds", lambda: account("alice").transfer("bob", 9000000, "STEEM"))
    step("error_receiver_checked_by_client", lambda: account("alice").transfer("nobody", 1, "STEEM"))
    step("error_unknown_receiver", lambda: send([transfer("0.001 STEEM", "nobody")], [alice["active"]]))
    step("error_unknown_sender", lambda: send([transfer("0.001 STEEM", sender="nobody")], [alice["active"]]))

    def wrong_fee() -> Any:
        key = format(PrivateKey(bob["posting"]).pubkey, steem.prefix)
        authority = {"weight_threshold": 1, "account_auths": [], "key_auths": [[key, 1]]}
        create = operations.Account_create(
            fee="2.345 STEEM",
            creator="alice",
            new_account_name="cheap",
            owner=authority,
            active=authority,
            posting=authority,
            memo_key=key,
            json_metadata="",
            prefix=steem.prefix,
        )
        return send([create], [alice["active"]])

    step("error_fee", wrong_fee)
    step("error_account_exists", lambda: steem.create_account("bob", creator="alice", password="x", storekeys=False))
    mixed = [vote("alice", "hello"), transfer("0.001 STEEM")]
    step("error_mixed_authorities", lambda: send(mixed, [alice["active"]]))

    def twice() -> Any:
        signed = sign([transfer("0.001 STEEM", memo="twice")], [alice["active"]])
        broadcast(signed)
        return broadcast(signed)

    step("error_duplicate", twice)
    payment = [transfer("0.001 STEEM")]
    step("error_expired", lambda: send(payment, [alice["active"]], expiration=at(-3)))
    step("error_expiration_too_far", lambda: send(payment, [alice["active"]], expiration=at(3700)))
    step("error_tapos", lambda: send(payment, [alice["active"]], ref_block_num=1, ref_block_prefix=12345))

    def vote_fast() -> Any:
        reply = steem.rpc.get_content_replies("alice", "hello", api="condenser")[0]["permlink"]
        first = sign([vote("alice", "hello")], [alice["posting"]])
        second = sign([vote("carol", reply)], [alice["posting"]])
        start = head()["head_block_number"]
        until(lambda: head()["head_block_number"] > start)
        broadcast(first)
        return broadcast(second)

    step("error_vote_too_fast", vote_fast)
    step("error_unknown_method", lambda: steem.rpc.get_nothing({}, api="database"))
    if MODE != "condenser":
        step("error_unknown_api", lambda: steem.rpc.get_nothing({}, api="nowhere"))
    step("error_unknown_transaction", lambda: chain.get_transaction("ab" * 20))


def history() -> None:
    """Reads the account history and streams."""

    def entries() -> list[Any]:
        return [[entry["index"], entry["type"]] for entry in account("alice").history(use_block_num=False)]

    step("history", entries)

    def backwards() -> bool:
        numbers = [entry["index"] for entry in account("alice").history_reverse(batch_size=5)]
        return len(numbers) > 13 and numbers == list(range(len(numbers) - 1, -1, -1))

    step("history_reverse", backwards)

    def stream() -> list[int]:
        start = head()["head_block_number"]
        return [block.block_num - start for block in chain.blocks(start=start - 1, stop=start + 2)]

    step("stream", stream)

    def stream_operations() -> Any:
        number = included(account("alice").transfer("bob", 0.001, "STEEM", "streamed"))["block_num"]
        found = list(chain.stream(opNames=["transfer"], start=number, stop=number))
        return [[one["from"], one["to"], one["memo"]] for one in found]

    step("stream_operations", stream_operations)

    def batches() -> list[int]:
        blocks = chain.blocks(start=1, stop=7, max_batch_size=3)
        return [block.block_num for block in blocks]

    if MODE != "condenser":
        step("stream_batches", batches)
    virtual = chain.stream(start=2, stop=4, only_virtual_ops=True)
    step("stream_virtual", lambda: sorted({one["type"] for one in virtual}))


def payout() -> None:
    """Lets a week pass, and claims the rewards."""

    def paid() -> dict[str, Any]:
        dev("advance_time", {"seconds": 7 * 86400})
        found = Comment("@alice/hello", api="condenser", blockchain_instance=steem)
        author, curators = found["total_payout_value"], found["curator_payout_value"]
        return {"author": thousandths(author) > 0, "curators": thousandths(curators) > 0}

    step("payout", paid)

    def claim() -> dict[str, Any]:
        before = account("alice").balances
        included(account("alice").claim_reward_balance())
        after = account("alice").balances
        gained = thousandths(after["available"][1]) - thousandths(before["available"][1])
        return {
            "rewarded": thousandths(before["rewards"][2]) > 0,
            "left": [str(one) for one in after["rewards"]],
            "sbd": gained == thousandths(before["rewards"][1]),
        }

    step("claim", claim)

    def rewards() -> list[str]:
        ops = ("author_reward", "curation_reward", "comment_benefactor_reward", "claim_reward_balance")
        return sorted({entry["type"] for entry in account("bob").history(only_ops=ops, use_block_num=False)})

    step("reward_history", rewards)


def main() -> None:
    """Runs all steps."""
    reads()
    accounts()
    money()
    content()
    errors()
    history()
    payout()


if __name__ == "__main__":
    main()
