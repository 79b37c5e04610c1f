"""The reasons for which PostgreSQL refuses an operation, as far as the database before it settles them.

`find_refusal` (in `reasons`) asks the functions that the other modules registered for the operation. The error of each refusal is the server's
primary message; tests/prediction/refusals compares it with servers, and has the similar statements that PostgreSQL accepts.
"""
