"""The commands of the wallet, one module per subject: whatever click.command or click.group decorates here is one."""
