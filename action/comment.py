"""Keeps one comment below a pull request: writes it, or brings the one that is there up to date.

Usage: comment.py REPORT.md NUMBER. GITHUB_API_URL, GITHUB_REPOSITORY and GH_TOKEN come from the action. Where IDLE is `true`,
because no migration has changed, none is begun.
"""

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "<!-- migsafe -->"
LONGEST = 65_536
"""GitHub takes no longer comment; a report of lint and one of replay may be longer together."""
PAGE = 100
MOST_PAGES = 50
SECONDS = 30


def main() -> int:
    """Write the comment; the exit code is 1 where the server refuses."""
    report, number = sys.argv[1:]
    comments = f"/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    body = _fitting(f"{MARK}\n{Path(report).read_text(encoding='utf-8')}")
    try:
        found = next(_ours(f"{comments}/{number}/comments"), None)
        if found is None and os.environ.get("IDLE") == "true":
            return 0
        if found is None:
            _ask("POST", f"{comments}/{number}/comments", {"body": body})
        elif found["body"] != body:
            _ask("PATCH", f"{comments}/comments/{found['id']}", {"body": body})
    except OSError as error:
        # The token of a pull request from a fork may only read.
        print(f"::warning title=migsafe::the comment could not be written ({error}): does the job have pull-requests: write?")
        return 1
    return 0


def _ours(comments: str) -> Iterator[dict[str, Any]]:
    """The comments that a bot began with the mark: anybody can write the mark, and nobody's own words are to be replaced."""
    for page in range(1, MOST_PAGES + 1):
        found = _ask("GET", f"{comments}?per_page={PAGE}&page={page}")
        yield from (one for one in found if (one["body"] or "").startswith(MARK) and one["user"]["type"] == "Bot")
        if len(found) < PAGE:
            return


def _ask(method: str, path: str, content: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310  # GitHub's own address, from the runner
        os.environ["GITHUB_API_URL"] + path,
        data=json.dumps(content).encode() if content else None,
        method=method,
        headers={
            "Authorization": f"Bearer {os.environ['GH_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "User-Agent": "migsafe",
        },
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        return json.load(answer)


def _fitting(body: str) -> str:
    """The text, cut at the end of a line where there is no room for more."""
    if len(body) <= LONGEST:
        return body
    end = "\n\n*The rest is in the summary of the job.*\n"
    kept = body[: LONGEST - len(end)].rpartition("\n")[0]
    # A block of code that was cut open would swallow what follows.
    return kept.rpartition("\n```")[0] + end if kept.count("\n```") % 2 else kept + end


if __name__ == "__main__":
    sys.exit(main())
