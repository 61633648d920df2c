"""The APIs: one module per API of the reference, and plaudit_api, which only Plaudit has."""
