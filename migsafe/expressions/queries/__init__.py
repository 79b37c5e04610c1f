"""What an application's query reads, writes and needs of the schema, found out with sqlglot's trees."""
