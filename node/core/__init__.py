"""The node without I/O: chain, production, and its part in the network, told what happens and acting on a World."""

from node.core.node import Node
from node.core.production import ProductionOutcome
from node.core.settings import Checkpoint, NetworkSettings, NodeSettings
from node.core.world import Disk, Link, World

__all__ = ["Checkpoint", "Disk", "Link", "NetworkSettings", "Node", "NodeSettings", "ProductionOutcome", "World"]
