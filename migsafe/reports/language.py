"""The language of the code in a report, by the names that Markdown and SARIF use."""

from migsafe.linting.finding import Finding

_BY_SUFFIX = {".py": "python", ".json": "json", ".jsonl": "json"}


def source_language(path: str) -> str:
    """Returns the language of a file; SQL if its name does not say another one, as for standard input."""
    return next((language for suffix, language in _BY_SUFFIX.items() if path.endswith(suffix)), "sql")


def help_language(finding: Finding) -> str:
    """Returns the language of a finding's safe way: that of its migration. At a query of the application it is SQL, for a migration."""
    return source_language(finding.script.path) if finding.migration else "sql"
