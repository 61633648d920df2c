"""The handshake with a peer as states: what is heard in each of them, and which event leads where.

Source: libraries/net/node.cpp, in which a peer may ask for blocks before it has told its addresses.
"""

from collections.abc import Mapping
from enum import Enum, IntEnum
from typing import Final, NamedTuple


class Phase(IntEnum):
    """From when on a message is looked at."""

    HANDSHAKE = 0
    """From the first moment."""
    ACTIVE = 1
    """Once the handshake is done."""
    ASKED = 2
    """If this node asked for it, by its hash or id; it is handed over undecoded."""
    NEVER = 3
    """It answers a question that this node never asks, and is not even decoded."""


class State(Enum):
    """How far the handshake with a peer is. Each side says hello, and accepts or refuses the other's."""

    GREETED = "we said hello"
    TAKEN = "it took our hello, and has not said its own"
    WELCOME = "we took its hello"
    AGREED = "each side took the other's hello; its addresses are awaited"
    REFUSED = "we refused its hello; it may still ask for addresses"
    ACTIVE = "the handshake is done"


class Event(Enum):
    """What can move the handshake on."""

    HELLO = "a hello that we take"
    REFUSAL = "a hello that we refuse"
    ACCEPTED = "it takes our hello"
    ADDRESSES = "it tells addresses"
    SYNOPSIS = "it asks for block ids"


class Stage(NamedTuple):
    """What is heard in a state, and where events lead; another event leads nowhere."""

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
