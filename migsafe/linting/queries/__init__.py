"""The application's queries while migrations are judged: which of them a migration changes, and where they are in the project."""
