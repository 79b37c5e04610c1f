"""The page of a pre-mortem: its Markdown, rendered, without network access or scripts."""

from markdown_it import MarkdownIt
from markupsafe import Markup

from migsafe.assessment.premortem import Premortem
from migsafe.reports.page import render_page
from migsafe.reports.premortem.markdown import report as markdown
from migsafe.terminal.display import Display


def report(premortem: Premortem, display: Display) -> str:
    """Returns the whole page."""
    # With `html` off, markdown-it escapes all text of the Markdown.
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown(premortem, Display()))
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    # A checklist, as GitHub renders it.
    body = body.replace("<li>[ ] ", '<li class="todo"><input type="checkbox"> ')
    title = "Pre-mortem: " + ", ".join(assessment.path.rpartition("/")[2] for assessment in premortem.assessments[:3])
    return render_page("premortem.html", {}, title=title, body=Markup(body))  # noqa: S704  # markdown-it has escaped it
