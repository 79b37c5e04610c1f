"""Pages in a real browser: headless Chromium, where this machine has one."""

import json
import re
import shutil
import subprocess
import zlib
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run")
_DARK = "--blink-settings=preferredColorScheme=0"

_MEASURE = """
<script>
const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const ground = e => {
  for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; }
  return [255, 255, 255];
};
const faint = [], cut = [];
for (const e of document.querySelectorAll("main *")) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const style = getComputedStyle(e);
  if (!own || !e.getClientRects().length) continue;
  const [a, b] = [light(rgb(e instanceof SVGElement ? style.fill : style.color)), light(ground(e))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5 && e.tagName !== "title") faint.push([e.textContent.slice(0, 40), ratio.toFixed(2)]);
  if (!e.closest(".wide") && e.getBoundingClientRect().right > innerWidth + 1) cut.push(e.textContent.slice(0, 40));
}
document.title = JSON.stringify({wide: document.documentElement.scrollWidth - innerWidth, faint, cut});
</script>
"""


class Seen(NamedTuple):
    """A page as it is seen: by how many pixels it is wider than the window, texts whose colour is too near to the ground's, and those that
    are cut."""

    wide: int
    faint: list[list[str]]
    cut: list[str]


class Picture(NamedTuple):
    """A screenshot: its upper left pixel, and how many different lines it has."""

    corner: tuple[int, ...]
    lines: int


def chromium() -> str:
    """The browser; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


def seen(page: Path, width: int, *, dark: bool = False) -> Seen:
    """What the page measures of itself in a window of that width."""
    measured = page.with_name(f"measured_{page.name}")
    measured.write_text(page.read_text().replace("</body>", f"{_MEASURE}</body>"))
    out = _run(measured, width, dark, "--dump-dom")
    title = re.search(r"<title>(.*?)</title>", out, re.DOTALL)
    assert title is not None
    return Seen(**json.loads(unescape(title[1])))


def picture(page: Path, width: int, *, dark: bool = False) -> Picture:
    """A screenshot of the page."""
    file = page.with_suffix(".png")
    _run(page, width, dark, f"--screenshot={file}")
    return _decoded(file.read_bytes())


def _run(page: Path, width: int, dark: bool, *what: str) -> str:
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [chromium(), *_QUIET, profile, f"--window-size={width},1400", *([_DARK] if dark else []), *what, page.resolve().as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return run.stdout


def _decoded(png: bytes) -> Picture:
    """The little of a PNG that is needed: Chromium writes eight bits a channel, and a filter's byte before each line."""
    assert png.startswith(b"\x89PNG")
    width, depth, kind = int.from_bytes(png[16:20]), png[24], png[25]
    assert depth == 8
    channels = {2: 3, 6: 4}[kind]
    data, place = b"", 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += length + 12
    raw = zlib.decompress(data)
    step = 1 + width * channels
    lines = {raw[start : start + step] for start in range(0, len(raw), step)}
    return Picture(tuple(raw[1:4]), len(lines))
