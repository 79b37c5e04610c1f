"""HTML pages from the templates in `templates/`. Only the formats that write HTML import this module, because jinja2 loads slowly."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from migsafe.reports.paths import unicode
from migsafe.terminal.width import visible

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, filters: Mapping[str, Callable[..., Any]], **values: Any) -> str:
    """Returns the page of a template. Every value is escaped, except Markup."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_displayable,
    )
    environment.filters.update(filters)
    return environment.get_template(template).render(**values)


def lines(text: str) -> Markup:
    """Returns a text of several lines, escaped. In other values a line end is displayed as a symbol, like every control character."""
    return Markup("\n").join(visible(unicode(line)) for line in text.splitlines())


def _displayable(value: object) -> object:
    """Returns a value as text without control characters, which Markup may contain."""
    return value if isinstance(value, Markup) else visible(unicode(str(value)))
