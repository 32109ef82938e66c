"""The floor under the cost of a page: 50 rows by a bare Django ListView behind Django's own standard middleware, with a
session and an account."""
