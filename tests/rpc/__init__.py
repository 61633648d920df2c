"""Tests of `rpc/`."""
