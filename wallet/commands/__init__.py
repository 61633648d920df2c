"""The commands of the wallet, one module per subject; each lists them in COMMANDS."""
