"""What PostgreSQL's refusals mean for a replay."""

import re

from migsafe.replaying.recording.records import Failure

_MISSING_ROLE = re.compile(r'role "(.+)" does not exist')
_CLOSED_SCHEMA = re.compile(r"permission denied for schema (.+)")
_UNDEFINED, _DENIED = "42704", "42501"
_ABOUT_ROWS = ("22", "23")
"""The classes of data exceptions and of violated constraints (manual, appendix A)."""


def is_about_rows(failure: Failure) -> bool:
    """Whether a statement failed for the values that it found in rows."""
    return failure.sqlstate[:2] in _ABOUT_ROWS


def missing_role(failure: Failure) -> str | None:
    """The role that PostgreSQL misses, if that is what it said."""
    found = _MISSING_ROLE.fullmatch(failure.message) if failure.sqlstate == _UNDEFINED else None
    return found[1] if found is not None else None


def closed_schema(failure: Failure) -> str | None:
    """The schema that a role may not use, if that is what PostgreSQL said."""
    found = _CLOSED_SCHEMA.fullmatch(failure.message) if failure.sqlstate == _DENIED else None
    return found[1] if found is not None else None


def hint_for(message: str) -> str:
    """What to do about something that PostgreSQL misses."""
    if "extension" in message and ("not available" in message or "control file" in message):
        return "Install the extension's package beside this PostgreSQL, or name another one with --pg-bin or --server."
    if "permission denied to create role" in message:
        return "Before PostgreSQL 16, who may make roles may run programs on the server; take a newer one (--pg-version), or --superuser."
    if "permission denied" in message or "must be superuser" in message:
        return "Migrations run as the database's owner, who is no superuser; --superuser lets them do what they like."
    if message.startswith("role ") and "does not exist" in message:
        return "The migrations take a role for granted that no migration makes."
    return ""
