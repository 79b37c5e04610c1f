"""JUnit's XML, which every CI server shows: a suite for each file, a failed test for each finding, a passed one for a file without any.

The format has no standard; Jenkins' schema is the one that most programs go by.
"""

import re
from itertools import groupby
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.judge import Verdict
from migsafe.reports.paths import from_root, unicode
from migsafe.terminal.display import Display

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(verdict: Verdict, display: Display) -> str:
    """The suites; what could not be judged is a suite of its own."""
    found = {path: list(of_it) for path, of_it in groupby(verdict.findings, key=lambda finding: finding.script.path)}
    root = Element("testsuites", name="migsafe")
    for path in sorted({*verdict.paths, *found}):
        _suite(root, path, found.get(path, []))
    if verdict.problems:
        suite = SubElement(root, "testsuite", name="what could not be judged")
        for number, problem in enumerate(verdict.problems, 1):
            _failure(_case(suite, f"problem {number}", "migsafe"), type(problem).__name__, problem.what, str(problem))
        _count(suite)
    if not len(root):
        _case(suite := SubElement(root, "testsuite", name="migsafe"), "nothing to judge", "migsafe")
        _count(suite)
    for counted in ("tests", "failures", "errors"):
        root.set(counted, str(sum(int(suite.get(counted, 0)) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, path: str, findings: list[Finding]) -> None:
    name = from_root(path)
    suite = SubElement(root, "testsuite", name=_clean(name))
    names: set[str] = set()
    for finding in findings:
        # Of tests with one name GitLab shows the first alone.
        place = finding.script.position(finding.span.start)
        title = called = f"{finding.rule} at {place.line}:{place.column}"
        while called in names:
            called = f"{title} ({len(names)})"
        names.add(called)
        case = _case(suite, called, name)
        if finding.severity is Severity.INFO:
            SubElement(case, "skipped", message=_clean(finding.message))
        else:
            safe = f"\n\nSafe:\n{finding.help}" if finding.help else ""
            text = f"{name}:{place.line}:{place.column} {finding.severity.word} {finding.rule}\n{finding.message}{safe}"
            _failure(case, f"{finding.severity.word}: {finding.rule}", finding.message, text)
    if not findings:
        _case(suite, "no findings", name)
    _count(suite)


def _case(suite: Element, name: str, of: str) -> Element:
    return SubElement(suite, "testcase", name=_clean(name), classname=_clean(of))


def _failure(case: Element, kind: str, message: str, text: str) -> None:
    SubElement(case, "failure", type=_clean(kind), message=_clean(message)).text = _clean(text)


def _count(suite: Element) -> None:
    counted = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error", "skipped": "testcase/skipped"}
    for name, path in counted.items():
        suite.set(name, str(len(suite.findall(path))))


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold, not even escaped."""
    return _NO_XML.sub("\ufffd", unicode(text))
