"""`python -m wallet` is the same as `plaudit wallet`."""

from wallet.cli import wallet

if __name__ == "__main__":
    wallet(prog_name="python -m wallet")
