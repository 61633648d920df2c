"""Whole chains that the C++ node made, followed block by block."""
