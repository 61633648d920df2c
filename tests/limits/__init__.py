"""How the work of one operation and of one per-block step grows with what it works on."""
