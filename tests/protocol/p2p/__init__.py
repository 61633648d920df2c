"""Tests of the wire of the peer-to-peer network."""
