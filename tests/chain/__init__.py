"""Tests of `chain/`."""
