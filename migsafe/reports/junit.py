"""JUnit's XML, which every CI server shows: a suite for each file, a failed test for each finding, a passed one for a file without any.

The format has no standard; most programs follow Jenkins' schema.
"""

from itertools import groupby
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.verdict import Verdict
from migsafe.patterns import lazy_pattern
from migsafe.reports.paths import from_root, unicode
from migsafe.terminal.display import Display

_NO_XML = lazy_pattern("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(verdict: Verdict, display: Display) -> str:
    """Returns the suites; the problems are a separate suite."""
    findings = {path: list(group) for path, group in groupby(verdict.findings, key=lambda finding: finding.script.path)}
    root = Element("testsuites", name="migsafe")
    for path in sorted({*verdict.paths, *findings}):
        _suite(root, path, findings.get(path, []))
    if verdict.problems:
        suite = SubElement(root, "testsuite", name="could not be judged")
        for number, problem in enumerate(verdict.problems, 1):
            _failure(_case(suite, f"problem {number}", "migsafe"), type(problem).__name__, problem.message, str(problem))
        _count(suite)
    if not len(root):
        _case(suite := SubElement(root, "testsuite", name="migsafe"), "nothing to judge", "migsafe")
        _count(suite)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, path: str, findings: list[Finding]) -> None:
    name = from_root(path)
    suite = SubElement(root, "testsuite", name=_clean(name))
    names: set[str] = set()
    for finding in findings:
        # GitLab shows only the first of several tests with the same name.
        position = finding.script.position(finding.span.start)
        title = name_of_test = f"{finding.rule} at {position.line}:{position.column}"
        while name_of_test in names:
            name_of_test = f"{title} ({len(names)})"
        names.add(name_of_test)
        case = _case(suite, name_of_test, name)
        if finding.severity is Severity.INFO:
            SubElement(case, "skipped", message=_clean(finding.message))
        else:
            safe = f"\n\nSafe:\n{finding.help}" if finding.help else ""
            text = f"{name}:{position.line}:{position.column} {finding.severity.word} {finding.rule}\n{finding.message}{safe}"
            _failure(case, f"{finding.severity.word}: {finding.rule}", finding.message, text)
    if not findings:
        _case(suite, "no findings", name)
    _count(suite)


def _case(suite: Element, name: str, of: str) -> Element:
    return SubElement(suite, "testcase", name=_clean(name), classname=_clean(of))


def _failure(case: Element, kind: str, message: str, text: str) -> None:
    SubElement(case, "failure", type=_clean(kind), message=_clean(message)).text = _clean(text)


def _count(suite: Element) -> None:
    paths = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error", "skipped": "testcase/skipped"}
    for name, path in paths.items():
        suite.set(name, str(len(suite.findall(path))))


def _clean(text: str) -> str:
    """Returns the text without the characters that XML cannot contain, not even escaped."""
    return _NO_XML.sub("\ufffd", unicode(text))
