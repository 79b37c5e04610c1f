"""The texts of the files: as short as a team would write them by hand, with a comment where a line needs a reason."""

from collections.abc import Sequence

from migsafe import versions
from migsafe.setup.queries import QuerySource
from migsafe.setup.repository import History


def configuration(histories: Sequence[History], schemas: Sequence[str] = (), queries: Sequence[QuerySource] = ()) -> str:
    """Returns the keys of a configuration: where the migrations are, and, as comments, what a team will set next."""
    lines = [f"    {_quoted(history.path)}, # {history.counted}, {history.runner}\n" for history in histories]
    schema = "".join(f"# schema = {_quoted(each)}   # the database before the first of these migrations\n" for each in schemas[:1])
    newest = max(histories, key=lambda history: history.count).newest
    return (
        f"migrations = [\n{''.join(lines)}]\n"
        f"{_queries(queries)}"
        f"# pg-version = {versions.DEFAULT}   # production's major version, {versions.OLDEST} to {versions.NEWEST}\n"
        f"# start-after = {_quoted(newest)}   # migrations up to this one are history: read, not checked\n"
        f"{schema}"
        '# stats = "stats.json"   # `migsafe stats DSN --output stats.json`: no findings about slow work on small tables\n'
        '# ignore = ["timestamp-without-time-zone"]   # `migsafe rules` lists all rules\n'
    )


def _queries(queries: Sequence[QuerySource]) -> str:
    if not queries:
        return '# queries = ["queries.jsonl"]   # the application\'s queries: `pytest --migsafe-record queries.jsonl`, or files of queries\n'
    return "queries = [\n" + "".join(f"    {_quoted(each.path)}, # {each.counted}, {each.title}\n" for each in queries) + "]\n"


def hook(requirement: str) -> str:
    """Returns an entry of pre-commit's `repos`. pre-commit makes an environment with migsafe, whichever environment is active; modules of the
    application that Alembic's scripts import are read from their files, and missing ones are substituted."""
    return (
        "- repo: local\n"
        "  hooks:\n"
        "    - id: migsafe\n"
        "      name: migsafe\n"
        "      entry: migsafe lint --changed\n"
        "      language: python\n"
        f"      additional_dependencies: [{_quoted(requirement)}]\n"
        "      files: '\\.(sql|py|jsonl?|ya?ml|toml)$'\n"
        "      pass_filenames: false\n"
        "      require_serial: true\n"
    )


def github(requirement: str, imported: Sequence[str], python: str) -> str:
    """Returns a GitHub workflow."""
    application = "".join(f"      - run: pip install {each}   # the scripts import the application\n" for each in imported)
    return (
        "name: migsafe\n"
        "on: pull_request\n"
        "permissions:\n"
        "  contents: read\n"
        "jobs:\n"
        "  migrations:\n"
        "    runs-on: ubuntu-latest\n"
        "    steps:\n"
        "      - uses: actions/checkout@v4\n"
        "        with:\n"
        "          fetch-depth: 0   # the whole history, to compare with the base\n"
        "      - uses: actions/setup-python@v5\n"
        "        with:\n"
        f'          python-version: "{python}"\n'
        f"{application}"
        f"      - run: pip install {_quoted(requirement)}\n"
        '      - run: migsafe lint --since "origin/${{ github.base_ref }}" --format github\n'
    )


def gitlab(requirement: str, imported: Sequence[str], python: str) -> str:
    """Returns a GitLab job: findings in the job's log, and as code quality in the merge request."""
    lint = 'migsafe lint --since "origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME"'
    application = "".join(f"    - pip install {each}   # the scripts import the application\n" for each in imported)
    return (
        "migsafe:\n"
        f"  image: python:{python}\n"
        "  rules:\n"
        '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n'
        "  variables:\n"
        '    GIT_DEPTH: "0"   # the whole history, to compare with the base\n'
        "  script:\n"
        f"{application}"
        f"    - pip install {_quoted(requirement)}\n"
        "    # also what the target branch has now: a job has only the merge request's commits\n"
        '    - git fetch origin "+refs/heads/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME:refs/remotes/origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME"\n'
        f"    - {lint} --also gitlab=gl-code-quality-report.json\n"
        "  artifacts:\n"
        "    when: always\n"
        "    reports:\n"
        "      codequality: gl-code-quality-report.json\n"
    )


def agents() -> str:
    """Returns a section of AGENTS.md: how a coding agent checks a migration."""
    return (
        "## Database migrations\n"
        "\n"
        "Check each migration that you write or change with migsafe, before you commit it:\n"
        "\n"
        "1. `migsafe lint --changed` checks uncommitted migrations. Use the SQL below each finding, or `migsafe lint --changed --fix`;\n"
        "   `migsafe explain RULE` has the reasons and examples.\n"
        "2. `migsafe replay --changed` runs them on a disposable PostgreSQL, and measures locks and blocked queries.\n"
        "3. Repeat until both commands exit with code 0. With the MCP server `migsafe mcp`, use its tools `lint`, `fix` and `replay` instead.\n"
        "\n"
        "Do not suppress a finding, ignore a rule, or add to the baseline to make a check pass: ask first. Do not change a migration that is\n"
        "already deployed: write a new one.\n"
    )


def _quoted(text: str) -> str:
    """Returns a string that is valid in TOML and YAML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
