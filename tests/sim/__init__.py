"""Whole networks of nodes in one process, under a clock of their own: see docs/simulation.md."""
