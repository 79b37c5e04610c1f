"""The reports that one run writes: one to standard output or `--output`, others to the files of `--also`."""

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from migsafe.errors import ConfigError
from migsafe.linting.verdict import Verdict
from migsafe.reports import reporter
from migsafe.terminal.display import Display, display_for
from migsafe.terminal.output import write_output


class ReportFile(Struct, frozen=True):
    """A format, and the file to which the report goes; None is standard output. With `statistics`, the findings are only counted."""

    format: str
    file: str | None
    statistics: bool = False


def read_report_files(format: str, output: str | None, also: Sequence[str] | None, *, statistics: bool = False) -> list[ReportFile]:
    """Returns the reports that the options ask for, the main one first; with `statistics` that one counts the findings. Raises ConfigError
    for an unknown format, a missing file name, and a file that is named twice."""
    reports = [ReportFile(format, output, statistics), *map(_read, also or ())]
    for report in reports:
        _writer(report)
    files = [Path(report.file) for report in reports if report.file is not None]
    for file in files:
        if files.count(file) > 1:
            raise ConfigError(f"{file}: two reports cannot be written to the same file")
    return reports


def write_reports(verdict: Verdict, reports: Sequence[ReportFile]) -> list[tuple[str, str | None]]:
    """Writes the reports; returns the text and the file of each. Raises MigsafeError if a file cannot be written."""
    written = [(_writer(each)(verdict, display_for(Path(each.file) if each.file else None)), each.file) for each in reports]
    for text, file in written:
        write_output(text, file)
    return written


def _writer(report: ReportFile) -> Callable[[Verdict, Display], str]:
    """Returns the function that writes a report. Raises ConfigError if the format is unknown or has no statistics."""
    if not report.statistics:
        return reporter(report.format)
    from migsafe.reports.statistics import statistics_reporter  # noqa: PLC0415  # only needed with --statistics

    return statistics_reporter(report.format)


def _read(value: str) -> ReportFile:
    format, _, file = value.partition("=")
    if not file:
        raise ConfigError(f"--also: expected FORMAT=FILE, got {value}", "An example is --also sarif=migsafe.sarif")
    return ReportFile(format, file)
