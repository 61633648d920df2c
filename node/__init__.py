"""Layers 5 and 6: the node without input and output (core), the process around it, its ports and its commands."""
