"""Rules over migrations: their declaration, the judge that runs them, suppressions and baselines."""
