"""The language server: what migsafe finds and predicts, in an editor, while a migration is typed."""
