"""The queries in a project's files: those of sqlc and sqlx, `-- name:` files, and the SQL in Python."""
