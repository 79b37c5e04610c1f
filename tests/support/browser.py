"""Pages in a real browser: headless Chromium, if it is installed on this machine."""

import json
import re
import shutil
import subprocess
import zlib
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run")
_NARROWEST = 500
"""Chromium has no narrower windows: a narrower page is a frame in a page."""
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
top.document.title = JSON.stringify({wide: document.documentElement.scrollWidth - innerWidth, faint, cut});
</script>
"""


class PageMeasurement(NamedTuple):
    """What a browser measures on a page: by how many pixels it is wider than the window, texts with too little contrast, and texts that are
    cut off."""

    wide: int
    faint: list[list[str]]
    cut: list[str]


class Screenshot(NamedTuple):
    """A screenshot: its upper left pixel, and the number of different lines of pixels."""

    corner: tuple[int, ...]
    lines: int


def find_chromium() -> str:
    """Returns the browser's path; skips the test if there is no browser."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    return path


def measure_page(page: Path, width: int, *, dark: bool = False) -> PageMeasurement:
    """Returns the measurements of the page in a window of this width."""
    measured = page.with_name(f"measured_{page.name}")
    text = page.read_text().replace("</body>", f"{_MEASURE}</body>")
    if width < _NARROWEST:
        text = f'<title></title><iframe srcdoc="{escape(text)}" width="{width}" height="1400" style="border: 0"></iframe>'
    measured.write_text(text)
    out = _run_chromium(measured, width, dark, "--dump-dom")
    title = re.search(r"<title>(.*?)</title>", out, re.DOTALL)
    assert title is not None
    return PageMeasurement(**json.loads(unescape(title[1])))


def take_screenshot(page: Path, width: int, *, dark: bool = False) -> Screenshot:
    """Returns a screenshot of the page."""
    file = page.with_suffix(".png")
    _run_chromium(page, width, dark, f"--screenshot={file}")
    return _decode_png(file.read_bytes())


def _run_chromium(page: Path, width: int, dark: bool, *options: str) -> str:
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [find_chromium(), *_QUIET, profile, f"--window-size={width},1400", *([_DARK] if dark else []), *options, page.resolve().as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return run.stdout


def _decode_png(png: bytes) -> Screenshot:
    """Returns what the tests need of a PNG. Chromium writes eight bits per channel, and a byte for the filter before each line."""
    assert png.startswith(b"\x89PNG")
    width, depth, kind = int.from_bytes(png[16:20]), png[24], png[25]
    assert depth == 8
    channels = {2: 3, 6: 4}[kind]
    data, offset = b"", 8
    while offset < len(png):
        length = int.from_bytes(png[offset : offset + 4])
        if png[offset + 4 : offset + 8] == b"IDAT":
            data += png[offset + 8 : offset + 8 + length]
        offset += length + 12
    raw = zlib.decompress(data)
    step = 1 + width * channels
    lines = {raw[start : start + step] for start in range(0, len(raw), step)}
    return Screenshot(tuple(raw[1:4]), len(lines))
