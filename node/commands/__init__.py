"""The commands of `plaudit`."""
