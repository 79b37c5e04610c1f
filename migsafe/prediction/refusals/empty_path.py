"""What a search_path without schemas has to do with a refusal."""

from msgspec.structs import replace

from migsafe.schema.refusal import Refusal, RefusalKind

_DROPPED = "it was dropped"
_BECAUSE_OF_PATH = ("does not exist", "no schema has been selected to create in")


def with_empty_path(refusal: Refusal) -> Refusal:
    """Returns a refusal in a session that has emptied its search_path, as the output of pg_dump does, with that as its reason: PostgreSQL finds
    no object without the schema in its name (manual, 5.10.3, The Schema Search Path)."""
    if refusal.kind is not RefusalKind.SCHEMA or refusal.detail not in ("", _DROPPED) or not refusal.error.endswith(_BECAUSE_OF_PATH):
        return refusal
    detail = "an earlier statement of the session has emptied search_path"
    return replace(refusal, detail=detail, help="RESET search_path;  -- before this statement")
