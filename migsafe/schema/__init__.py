"""The database as the migrations so far have left it."""
