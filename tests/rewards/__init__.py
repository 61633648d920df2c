"""Tests of `rewards/`."""
