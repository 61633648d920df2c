"""Nodes that are killed and opened again."""
