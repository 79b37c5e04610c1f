"""The colours are readable on light and dark terminals."""

import re
from pathlib import Path

import pytest

import migsafe
from migsafe.terminal import colours

PALETTES = {
    "xterm": {"31": "cd0000", "1;31": "ff0000", "35": "cd00cd"},
    "macOS": {"31": "990000", "1;31": "e50000", "35": "b200b2"},
    "GNOME": {"31": "c01c28", "1;31": "f66151", "35": "a347ba"},
    "VS Code": {"31": "cd3131", "1;31": "f14c4c", "35": "bc3fbc"},
}
"""The default colours of terminals for the codes."""
READABLE = 3.0
"""The contrast that WCAG requires of large or bold text."""


def light(colour: str) -> float:
    parts = (int(colour[index : index + 2], 16) / 255 for index in (0, 2, 4))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("ground", ["ffffff", "000000"])
@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("code", [colours.RED, colours.MAGENTA])
def test_they_stand_out_from_light_and_dark(code: str, palette: str, ground: str) -> None:
    dark, bright = sorted((light(PALETTES[palette][code]), light(ground)))
    assert (bright + 0.05) / (dark + 0.05) >= READABLE


def test_there_are_no_others() -> None:
    """Reports use only the codes whose contrast is tested here."""
    root = Path(migsafe.__file__).parent
    files = [file for folder in ("reports", "documentation") for file in (root / folder).rglob("*.py") if file.name != "colours.py"]
    assert {
        file.name: re.findall(r'"(?:1;)?3[0-7]"', file.read_text()) for file in files if re.search(r'"(?:1;)?3[0-7]"', file.read_text())
    } == {}
