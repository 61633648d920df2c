"""Unmodified client libraries against a running node."""
