"""What the README and the pages of docs/ show is what the commands print.

A line that is `…` stands for lines that are left out. What a replay measures differs from run to run: there, times and sizes, spaces and bars
are not compared.
"""

import re
import shlex
from pathlib import Path

import pytest
import typer

from migsafe.cli import main
from migsafe.cli.application import application

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
MEASURING = ("replay", "rehearse")
SHOWN = [
    pytest.param(command, shown, id=f"{page.stem}: {command}", marks=[pytest.mark.server] if command.startswith(MEASURING) else [])
    for page in PAGES
    for command, shown in re.findall(r"```console\n\$ migsafe ([^\n]*)\n(.*?)```", page.read_text(), re.DOTALL)
]
LINKS = [
    pytest.param(page, target, id=f"{page.stem}: {target}")
    for page in PAGES
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
]
COMMANDS = [
    pytest.param(command, id=f"{page.stem}: {command}")
    for page in PAGES
    for block in re.findall(r"```(?:sh|bash)\n(.*?)```", page.read_text(), re.DOTALL)
    for command in re.findall(r"(?:^|[ /])migsafe ([^\n|]*)", block, re.MULTILINE)
]
LEFT_OUT = "…"
RUNS = 3
"""How often a measurement is repeated: on a busy machine, no query may happen to be sent while a statement of a few milliseconds runs."""
MEASURED = re.compile(r"[\d.,]+ (?:ms|s|B|kB|MB)\b|(?<=cost falls from )[\d.,]+ to [\d.,]+|(?<=PostgreSQL )[\d.]+| +|[█▓░·─]+")


@pytest.mark.parametrize(("command", "shown"), SHOWN)
def test_the_output_is_real(command: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    printed = ""
    for _ in range(RUNS if command.startswith(MEASURING) else 1):
        main(shlex.split(command))
        printed = capsys.readouterr().out
        if is_shown(printed, shown, measured=command.startswith(MEASURING)):
            return
    pytest.fail(f"{command} prints:\n{printed}")


def is_shown(printed: str, shown: str, *, measured: bool) -> bool:
    if measured:
        shown, printed = MEASURED.sub(" ", shown), MEASURED.sub(" ", printed)
    pieces = re.split(rf"^ *{LEFT_OUT}\n", shown, flags=re.MULTILINE)
    return re.fullmatch("(?:.*\n)*?".join(map(re.escape, pieces)), printed) is not None


@pytest.mark.parametrize("command", [one for one in COMMANDS if str(one.id).startswith("README")])
def test_the_readme_s_commands_run_on_the_fixtures(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert main(shlex.split(command, comments=True)) in (0, 1)
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_have_these_options(command: str) -> None:
    name, *arguments = shlex.split(command, comments=True)
    typer.main.get_command(application()).commands[name].make_context(name, arguments)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_links_lead_somewhere(page: Path, target: str) -> None:
    assert (page.parent / target).exists()


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert {f"docs/{page.name}" for page in PAGES[1:]} <= set(re.findall(r"\]\(([^)#]+)", readme))
