"""Networks of real daemons on this machine: several processes, their links, and what is checked of them."""
