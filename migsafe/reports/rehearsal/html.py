"""The page of a rehearsal, without network access or scripts; light or dark as the reader's system is."""

from migsafe import __version__
from migsafe.library.rehearse import Rehearsal
from migsafe.reports.page import lines, render_page
from migsafe.reports.rehearsal.wording import PURPOSES, RESULTS, backfill, heading, load_of, release_cell, remarks, verdict
from migsafe.reports.replay.wording import facts
from migsafe.terminal.display import Display
from migsafe.terminal.quantities import format_duration

_MOODS = {True: "good", False: "bad", None: "warn"}
_ANSWERS = {"works": "good", "fails": "bad", "not running": "none", "not tried": "warn"}


def report(rehearsal: Rehearsal, display: Display) -> str:
    """Returns the whole page."""
    return render_page(
        "rehearsal.html",
        {"duration": format_duration, "cell": release_cell, "sql": lines, "backfill": backfill, "load": load_of},
        title="Rehearsal",
        rehearsal=rehearsal,
        heading=heading(rehearsal),
        verdict=verdict(rehearsal),
        facts=list(facts(rehearsal.replay)),
        remarks=list(remarks(rehearsal)),
        purposes=PURPOSES,
        results=RESULTS,
        moods=_MOODS,
        answers=_ANSWERS,
        version=__version__,
    )
