"""The tools, one file for each; `TOOLS` has them in the order in which an agent uses them."""

from migsafe.agent.tool import Tool
from migsafe.agent.tools.explain import EXPLAIN
from migsafe.agent.tools.fix import FIX
from migsafe.agent.tools.lint import LINT
from migsafe.agent.tools.locks import LOCKS
from migsafe.agent.tools.premortem import PREMORTEM
from migsafe.agent.tools.queries import QUERIES
from migsafe.agent.tools.replay import REPLAY

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (LINT, EXPLAIN, FIX, LOCKS, REPLAY, PREMORTEM, QUERIES)}
"""The tools by name."""
