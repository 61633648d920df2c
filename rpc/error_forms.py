"""Conversion of values captured in errors to the JSON that the reference prints."""

from typing import Any

from protocol.assets import Asset, Price
from protocol.codec import Codec
from protocol.identity import ChainIdentity
from protocol.operation import Fields, Operation
from protocol.times import time_text
from protocol.transaction import Transaction
from protocol.types import Authority
from rpc.objects import forms_for

PUBLIC_KEY_BYTES = 33


class ErrorForms:
    """Shows captured values in the form of all APIs but condenser_api."""

    def __init__(self, codec: Codec, identity: ChainIdentity) -> None:
        self._codec = codec
        self._forms = forms_for(identity, legacy=False)

    def show(self, value: Any) -> Any:
        """Returns the JSON of protocol values and lists of them, other values unchanged. Transactions are shown
        unsigned."""
        if isinstance(value, Authority):
            return self._forms.authority(value)
        if isinstance(value, Operation):
            return self._codec.operation_to_json(value, False)
        if isinstance(value, Fields):
            return self._codec.operation_to_json(value.operation, False)["value"]
        if isinstance(value, Transaction):
            return {
                "ref_block_num": value.ref_block_num,
                "ref_block_prefix": value.ref_block_prefix,
                "expiration": time_text(value.expiration),
                "operations": [self.show(operation) for operation in value.operations],
                "extensions": list(value.extensions),
            }
        if isinstance(value, Asset):
            return self._forms.asset(value)
        if isinstance(value, Price):
            return self._forms.price(value)
        if isinstance(value, bytes) and len(value) == PUBLIC_KEY_BYTES:
            return self._forms.key(value)
        if isinstance(value, list) and value and isinstance(value[0], bytes | Authority | Operation):
            return [self.show(member) for member in value]
        return value
