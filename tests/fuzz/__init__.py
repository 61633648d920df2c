"""Fuzzing: spoiled and made-up input for everything that takes bytes from outside, the same for one seed every time."""
