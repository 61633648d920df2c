"""Mutants: small changes to the program, each of which some test must notice."""
