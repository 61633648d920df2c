"""Kinds of values that rows hold."""

TIME_MAX = 0xFFFFFFFF
"""The latest time that fits (time_point_sec::maximum): means "never" in cashout and withdrawal times."""
