"""A page to read: what the Markdown says, on its own, without network or script."""

from html import escape

from migsafe.premortem.assessment import Premortem
from migsafe.reports.premortem.markdown import report as markdown
from migsafe.reports.replay.style import STYLE
from migsafe.terminal.display import Display


def report(premortem: Premortem, display: Display) -> str:
    """The whole page."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  # only this format needs it

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown(premortem, Display()))
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    # What GitHub makes of a list to tick off.
    body = body.replace("<li>[ ] ", '<li class="todo"><input type="checkbox"> ')
    title = "Pre-mortem: " + ", ".join(one.path.rpartition("/")[2] for one in premortem.assessments[:3])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
