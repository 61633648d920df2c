"""The APIs: one module per API of the reference, and plaudit_api with what no other node offers."""
