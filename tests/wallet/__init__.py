"""Tests of `wallet/`."""
