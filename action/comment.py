"""Writes a comment on a pull request, or updates the one that it wrote before.

Usage: comment.py REPORT.md NUMBER. The action sets GITHUB_API_URL, GITHUB_REPOSITORY and GH_TOKEN. If IDLE is `true`, because no migration has
changed, no new comment is written.
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
"""The longest comment that GitHub accepts; the reports of lint and replay together can be longer."""
PAGE = 100
MOST_PAGES = 50
SECONDS = 30


def main() -> int:
    """Write the comment; return 1 if the server refuses."""
    report, number = sys.argv[1:]
    comments = f"/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    body = _cut(f"{MARK}\n{Path(report).read_text(encoding='utf-8')}")
    try:
        previous = next(_own_comments(f"{comments}/{number}/comments"), None)
        if previous is None and os.environ.get("IDLE") == "true":
            return 0
        if previous is None:
            _ask("POST", f"{comments}/{number}/comments", {"body": body})
        elif previous["body"] != body:
            _ask("PATCH", f"{comments}/comments/{previous['id']}", {"body": body})
    except OSError as error:
        # The token of a pull request from a fork is read-only.
        print(f"::warning title=migsafe::the comment could not be written ({error}): does the job have pull-requests: write?")
        return 1
    return 0


def _own_comments(comments: str) -> Iterator[dict[str, Any]]:
    """Yields the comments of bots that begin with the mark. A person can write the mark as well; a person's comment is not replaced."""
    for page in range(1, MOST_PAGES + 1):
        comments_of_page = _ask("GET", f"{comments}?per_page={PAGE}&page={page}")
        yield from (each for each in comments_of_page if (each["body"] or "").startswith(MARK) and each["user"]["type"] == "Bot")
        if len(comments_of_page) < PAGE:
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


def _cut(body: str) -> str:
    """Returns the text, cut at the end of a line if it is too long."""
    if len(body) <= LONGEST:
        return body
    end = "\n\n*The rest is in the summary of the job.*\n"
    kept = body[: LONGEST - len(end)].rpartition("\n")[0]
    # An unclosed block of code would contain everything after it.
    return kept.rpartition("\n```")[0] + end if kept.count("\n```") % 2 else kept + end


if __name__ == "__main__":
    sys.exit(main())
