"""A wallet: keeps your keys in an encrypted file, signs here, and talks to a node."""

from wallet.cli import wallet as command

__all__ = ["command"]
