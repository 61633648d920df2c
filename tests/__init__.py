"""Tests of Plaudit."""
