"""Layers 5 and 6: the node without input and output (core) and its shell: network, files, command line."""
