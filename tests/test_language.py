"""Words that keep migsafe's texts from being understood at the first reading; the guide is "How migsafe writes" in CONTRIBUTING.md."""

import ast
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from migsafe.cli.application import COMMANDS, application

ROOT = Path(__file__).parents[1]

RULED_OUT = re.compile(
    r"""\b(
        nobody | somebody | everybody | whoever | whomever            # other sessions, running queries, the application
      | foresee(s|n|ing)? | foretell(s|ing)? | foretold | forecasts?  # predict, predicted
      | parted | anew | aright | thereby | therein | thereupon | hitherto | whither | and\sits\skin | and\stheir\skin
      | for\sever | goes\son\sto | go\son\sto | dear\sto | had\sback
      | minds | is\sof\sno | came\sto\snothing | what\sa\srun\scame\sto | takes\sno\stime
      | (?<!there\s)(is|are)\sno\s(?!longer|more|better|larger|inherit) | (?<!there\s)(is|are)\s(?-i:none)(?!\sif)
      | broke\sdown | makes\sno\ssense | the\sway\sback
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)


def ruled_out(text: str) -> list[str]:
    """The words of a text that are ruled out, each with what is around it."""
    plain = " ".join(text.split())
    return [plain[max(0, match.start() - 40) : match.end() + 30] for match in RULED_OUT.finditer(plain)]


def test_the_words_are_found() -> None:
    assert ruled_out("a revision comes after one that is no revision; nobody minds") != []
    assert ruled_out("there is no table orders; other sessions wait") == []


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_plain(command: str) -> None:
    result = CliRunner().invoke(application(), [*command.split(), "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert ruled_out(result.output) == []


@pytest.mark.parametrize("folder", ["migsafe", "rules"])
def test_messages_and_docstrings_are_plain(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {found}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != "nobody"  # an account of Unix
        for found in ruled_out(node.value)
    ]
    assert wrong == []


@pytest.mark.parametrize("document", [*ROOT.glob("*.md"), *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name)
def test_documents_are_plain(document: Path) -> None:
    assert ruled_out(document.read_text()) == []
