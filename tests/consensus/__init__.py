"""Tests of `consensus/`."""
