"""Write junit.xml: a suite for each student, a case for each check."""

import re
from collections import Counter
from xml.etree import ElementTree

from jobs_kit.grading.batch.out_folder import write_whole
from jobs_kit.grading.batch.reports.check_text import check_text

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]")
TAGS = {"fail": "failure", "timeout": "failure", "error": "error"}  # all others are "skipped"


def write(batch, results):
    """Write junit.xml. results: SubmissionResults."""
    root = ElementTree.Element("testsuites")
    for result in results:
        _add_suite(root, result)
    text = ElementTree.tostring(root, encoding="unicode")
    write_whole(batch.out / "junit.xml", f'<?xml version="1.0" encoding="utf-8"?>\n{text}')


def _add_suite(root, result):
    suite = ElementTree.SubElement(root, "testsuite", name=_xml(result.student))
    checks = [(exercise, check) for exercise in result.exercises for check in exercise.checks]
    for exercise, check in checks:
        _add_case(suite, exercise, check)
    outcomes = Counter(check.outcome for _, check in checks)
    suite.attrib |= {
        "tests": str(len(checks)),
        "failures": str(outcomes["fail"] + outcomes["timeout"]),
        "errors": str(outcomes["error"]),
        "skipped": str(outcomes["not attempted"] + outcomes["not reached"]),
    }


def _add_case(suite, exercise, check):
    names = {"classname": exercise.id, "name": check.name, "time": str(check.seconds)}
    case = ElementTree.SubElement(suite, "testcase", names)
    if check.outcome != "pass":
        tag = TAGS.get(check.outcome, "skipped")
        problem = ElementTree.SubElement(case, tag, message=_xml(check.outcome))
        problem.text = _xml(check_text(check))


def _xml(text):
    """Return text without the characters that XML cannot hold."""
    return NOT_XML.sub("�", text)
