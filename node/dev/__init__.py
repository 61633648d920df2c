"""The development chain of `plaudit dev` and the API that makes its blocks."""
