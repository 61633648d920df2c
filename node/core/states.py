"""The handshake as a state machine: messages accepted in each state, and transitions.

Source: libraries/net/node.cpp, in which a peer may request blocks before it has sent its addresses.
"""

from collections.abc import Mapping
from enum import Enum, IntEnum
from typing import Final, NamedTuple


class Phase(IntEnum):
    """From which point on a message is accepted."""

    HANDSHAKE = 0
    """From the start of the connection."""
    ACTIVE = 1
    """Once the handshake is done."""
    ASKED = 2
    """Only if this node requested it, by hash or id; it is passed on undecoded."""
    NEVER = 3
    """An answer to a request that this node never sends; it is not decoded."""


class State(Enum):
    """State of the handshake. Each side sends a hello, and accepts or rejects the other's."""

    GREETED = "we said hello"
    TAKEN = "it took our hello, and has not said its own"
    WELCOME = "we took its hello"
    AGREED = "each side took the other's hello; its addresses are awaited"
    REFUSED = "we refused its hello; it may still ask for addresses"
    ACTIVE = "the handshake is done"


class Event(Enum):
    """Events that change the state."""

    HELLO = "a hello that we take"
    REFUSAL = "a hello that we refuse"
    ACCEPTED = "it takes our hello"
    ADDRESSES = "it tells addresses"
    SYNOPSIS = "it asks for block ids"


class Stage(NamedTuple):
    """Messages accepted in a state, and its transitions; other events are ignored."""

    hears: Phase
    moves: Mapping[Event, State]


STAGES: Final[Mapping[State, Stage]] = {
    State.GREETED: Stage(
        Phase.HANDSHAKE,
        {Event.HELLO: State.WELCOME, Event.REFUSAL: State.REFUSED, Event.ACCEPTED: State.TAKEN},
    ),
    State.TAKEN: Stage(Phase.HANDSHAKE, {Event.HELLO: State.AGREED, Event.REFUSAL: State.REFUSED}),
    State.WELCOME: Stage(Phase.HANDSHAKE, {Event.ACCEPTED: State.AGREED, Event.SYNOPSIS: State.ACTIVE}),
    State.AGREED: Stage(Phase.HANDSHAKE, {Event.ADDRESSES: State.ACTIVE, Event.SYNOPSIS: State.ACTIVE}),
    State.REFUSED: Stage(Phase.HANDSHAKE, {}),
    State.ACTIVE: Stage(Phase.ACTIVE, {}),
}
