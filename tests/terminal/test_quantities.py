"""Sizes and durations as text."""

from migsafe.terminal.quantities import format_duration, format_size, parse_size


def test_sizes_are_parsed_in_the_units_of_postgresql() -> None:
    sizes = {"8192": 8192, "1.5 GB": 1610612736, "64MB": 67108864, "10 kB": 10240, "1 mb": None, "much": None}
    assert {text: parse_size(text) for text in sizes} == sizes


def test_sizes_and_durations_are_written_for_people() -> None:
    assert [format_size(value) for value in (12, 2048, 5 << 20)] == ["12 bytes", "2.0 kB", "5.0 MB"]
    assert [format_duration(value) for value in (0.44, 12.3, 3100, 125_000)] == ["0.4 ms", "12 ms", "3.1 s", "2 min 5 s"]
