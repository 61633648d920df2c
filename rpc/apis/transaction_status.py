"""transaction_status_api: the status of a transaction. Source: plugins/transaction_status."""

from protocol.times import parse_time
from rpc.apis.access import ApiBase, NodeAccess
from rpc.errors import BadCast
from rpc.kinds import HexText, Scalar
from rpc.method import rpc_method
from rpc.objects import Json

ID_BYTES = 20


class TransactionStatusApi(ApiBase):
    """The method of transaction_status_api."""

    def __init__(self, node: NodeAccess) -> None:
        super().__init__(node, legacy=False)

    @rpc_method()
    def find_transaction(self, transaction_id: HexText, expiration: Scalar = None) -> Json:
        """The status of a transaction; for an unknown one with `expiration`, whether it can still be included.

        Answers from the whole history, never "too_old", unlike the reference, which forgets transactions after an hour.
        """
        trx_id = parse_id(transaction_id)
        if trx_id in self.chain.pending:
            return {"status": "within_mempool"}
        place = self.indexes.history.find_transaction(trx_id)
        if place is not None:
            is_final = place[0] <= self.chain.irreversible_number
            return {
                "status": "within_irreversible_block" if is_final else "within_reversible_block",
                "block_num": place[0],
            }
        if expiration is None:
            return {"status": "unknown"}
        return {"status": self._status_of_absent(parse_time(str(expiration)))}

    def _status_of_absent(self, expiration: int) -> str:
        block = self.chain.reader.get_block(self.chain.irreversible_number)
        if block is not None and expiration < block.timestamp:
            return "expired_irreversible"
        return "expired_reversible" if expiration < self.chain.head_time else "unknown"


def parse_id(text: str) -> bytes:
    """Parses a transaction id from hex. Raises BadCast."""
    try:
        trx_id = bytes.fromhex(text)
    except ValueError:
        trx_id = b""
    if len(trx_id) != ID_BYTES:
        raise BadCast("'${text}' is no transaction id", text=text)
    return trx_id
