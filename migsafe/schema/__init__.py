"""The database after the migrations so far."""
