"""Admission of messages: decoding costs more than sending, so each is charged by its number and size first."""

from node.core.hub import Hub
from node.core.messages import ROW_BY_NUMBER, MessageRow, Rooms
from node.core.peer import DOUBTFUL_BYTES_PER_COST, Peer
from node.core.states import STAGES, Phase
from protocol.errors import Invalid
from protocol.p2p.messages import ClosingConnection, unpack_message

BYTES_PER_COST = 1_024
"""Bytes of a message per extra cost unit; requested items are free."""

UNKNOWN_COST = 1
"""Cost of a message whose number is unknown to this version."""

EXTENSION_NUMBERS = range(5000, 5100)
"""Unknown messages in this range come from newer versions and are ignored."""

CLOSING_BYTES_MAX = 65_536
"""A longer closing message is treated as one without being decoded."""


class Admission:
    """Charges, checks and decodes messages and dispatches them to their handlers; an invalid one closes the
    connection."""

    def __init__(self, hub: Hub, rooms: Rooms) -> None:
        self._hub = hub
        self._handlers = {number: row.find_handler(rooms) for number, row in ROW_BY_NUMBER.items()}

    def take(self, peer: Peer, number: int, payload: bytes) -> None:
        """Handles a message of a peer."""
        row = ROW_BY_NUMBER.get(number)
        if row is not None and row.phase is Phase.ASKED:
            self._handlers[number](peer, payload)
            return
        cost = UNKNOWN_COST if row is None else row.cost
        if not self._hub.charge(peer, cost + len(payload) // BYTES_PER_COST):
            return
        if row is None:
            if number not in EXTENSION_NUMBERS:
                self._hub.close(peer, "You sent me a message that I didn't request")
        elif self._is_heard(peer, row, payload):
            self._decode(peer, number, payload)

    def _is_heard(self, peer: Peer, row: MessageRow, payload: bytes) -> bool:
        if row.declared is ClosingConnection and len(payload) > CLOSING_BYTES_MAX:
            self._hub.drop(peer, "it closed with an oversized message")
            return False
        return row.phase <= STAGES[peer.state].hears

    def _decode(self, peer: Peer, number: int, payload: bytes) -> None:
        try:
            message = unpack_message(self._hub.codec, number, payload)
        except Invalid as error:
            self._hub.notes.tell("malformed_message", peer=peer.name, number=number, error=error.message)
            self._hub.charge(peer, len(payload) // DOUBTFUL_BYTES_PER_COST)
            self._hub.fault(peer, "You sent a message that can not be decoded")
        else:
            self._handlers[number](peer, message)
