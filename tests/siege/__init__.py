"""A witness under attack: see `__main__`."""
