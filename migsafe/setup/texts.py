"""The files as they are written: no more in them than a team would write by hand, each line with its reason."""

from collections.abc import Sequence

from migsafe import versions
from migsafe.setup.repository import History


def configuration(histories: Sequence[History]) -> str:
    """The keys of a configuration: where the migrations are, and what a team will want to say next."""
    lines = [f"    {_quoted(history.path)}, # {history.counted}, {history.runner}\n" for history in histories]
    newest = max(histories, key=lambda history: history.count).newest
    return (
        f"migrations = [\n{''.join(lines)}]\n"
        f"# pg-version = {versions.DEFAULT}   # production's major version, {versions.OLDEST} to {versions.NEWEST}\n"
        f"# start-after = {_quoted(newest)}   # what came up to here is history: read, not judged\n"
        '# stats = "stats.json"   # `migsafe stats DSN --output stats.json`: what only takes long is no hazard on a small table\n'
        '# ignore = ["timestamp-without-time-zone"]   # `migsafe rules` lists them all\n'
    )


def hook(requirement: str, scripted: bool) -> str:
    """An entry of pre-commit's `repos`. Alembic's scripts import the application, so that its own environment is theirs."""
    if scripted:
        where = "      language: system   # the environment of the application, which the scripts import\n"
    else:
        where = f"      language: python\n      additional_dependencies: [{_quoted(requirement)}]\n"
    return (
        "- repo: local\n"
        "  hooks:\n"
        "    - id: migsafe\n"
        "      name: migsafe\n"
        "      entry: migsafe lint --changed\n"
        f"{where}"
        "      types_or: [sql, python]\n"
        "      pass_filenames: false\n"
        "      require_serial: true\n"
    )


def github(requirement: str, scripted: bool) -> str:
    """A workflow of GitHub's."""
    application = "      - run: pip install .   # the application, which the scripts import\n" if scripted else ""
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
        "          fetch-depth: 0   # the base must be there to compare with\n"
        "      - uses: actions/setup-python@v5\n"
        "        with:\n"
        '          python-version: "3.12"\n'
        f"{application}"
        f"      - run: pip install {_quoted(requirement)}\n"
        '      - run: migsafe lint --since "origin/${{ github.base_ref }}" --format github\n'
    )


def gitlab(requirement: str, scripted: bool) -> str:
    """A job of GitLab's: findings in the job's log, and in the merge request as code quality."""
    application = "    - pip install .   # the application, which the scripts import\n" if scripted else ""
    return (
        "migsafe:\n"
        "  image: python:3.12\n"
        "  rules:\n"
        '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n'
        "  variables:\n"
        '    GIT_DEPTH: "0"   # the base must be there to compare with\n'
        "  script:\n"
        f"{application}"
        f"    - pip install {_quoted(requirement)}\n"
        '    - migsafe lint --since "$CI_MERGE_REQUEST_DIFF_BASE_SHA" --format gitlab --output gl-code-quality-report.json --fail-on never\n'
        '    - migsafe lint --since "$CI_MERGE_REQUEST_DIFF_BASE_SHA"\n'
        "  artifacts:\n"
        "    when: always\n"
        "    reports:\n"
        "      codequality: gl-code-quality-report.json\n"
    )


def _quoted(text: str) -> str:
    """A string of TOML and of YAML alike."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
