"""Sizes and durations as text."""

from migsafe.patterns import lazy_pattern

_SIZE = lazy_pattern(r"(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)?")
_UNITS = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


def parse_size(text: str) -> int | None:
    """Returns the bytes of a size in PostgreSQL's units (`200MB`, `1.5 GB`, `8192`); None if the text is not a size."""
    match = _SIZE.fullmatch(text.strip())
    return int(float(match[1]) * _UNITS[match[2] or "B"]) if match else None


def format_size(size: int) -> str:
    """Returns a number of bytes for people: `1.5 GB`."""
    for unit in ("TB", "GB", "MB", "kB"):
        if size >= _UNITS[unit]:
            return f"{size / _UNITS[unit]:.1f} {unit}"
    return f"{size} bytes"


def format_duration(ms: float) -> str:
    """Returns a duration for people: `0.4 ms`, `12 ms`, `3.1 s`, `2 min 5 s`."""
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 60_000 else f"{int(ms // 60_000)} min {int(ms % 60_000 / 1000)} s"


def format_range(low_ms: float, high_ms: float) -> str:
    """Returns a range of time for people: `2.0 s to 3.1 s`, or one duration if its ends look the same."""
    low, high = format_duration(low_ms), format_duration(high_ms)
    return low if low == high else f"{low} to {high}"
