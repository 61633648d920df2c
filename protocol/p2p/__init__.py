"""The wire of the peer-to-peer network: the cipher and frames of a connection, and the messages in them."""
