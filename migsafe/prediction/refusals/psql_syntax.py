"""What only psql reads, in a script that its runner sends to the server."""

from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import Copy, Operation, PsqlCommand

_OF_DUMPS = ("restrict", "unrestrict")


def refuse_psql_syntax(operation: Operation) -> Refusal | None:
    r"""Returns why a script fails that is not run by psql: at a meta-command, or at the rows after COPY … FROM stdin. A server reads both as
    SQL (manual, psql, "Meta-Commands", and COPY, "Notes"; tried on 15 and 18)."""
    match operation:
        case PsqlCommand(command=command):
            advice = "leave the line out" if command in _OF_DUMPS else f"leave out \\{command}, or run the script with psql"
            return Refusal(error='syntax error at or near "\\"', detail=f"\\{command} is a command of psql", help=f"-- {advice}")
        case Copy(source=True, endpoint="stdin", data=data) if data is not None and data.start < data.end:
            detail = "only psql reads the rows of COPY … FROM stdin from the script"
            advice = "-- INSERT the rows; pg_dump --inserts writes them so"
            return Refusal(error="syntax error in the rows of COPY", detail=detail, help=advice)
    return None
