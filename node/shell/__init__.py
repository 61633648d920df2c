"""The process around the node core: its event loop, sockets, files, memory and helper processes."""
