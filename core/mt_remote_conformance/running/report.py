"""What came of a run, for people (text, HTML) and for machines (JUnit XML)."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import escape

from mt_remote_conformance.laws import AREAS, KIT_VERSION, LAWS, Law
from mt_remote_conformance.running.runner import Failure, Report


def status(report: Report, law: Law) -> str:
    """``held``, ``broken`` or ``not examined``."""
    if law.name in report.broken:
        return "broken"
    return "held" if report.examined.get(law.name) else "not examined"


def text(report: Report, *, every_law: bool = False) -> str:
    """A page for a terminal: what broke with the shortest case, then the sums."""
    lines = []
    for failure in report.failures:
        lines += [*_failure_lines(failure), ""]
    if every_law:
        lines += _law_lines(report)
    lines += unplayed(report)
    if report.unexamined and not report.only:
        lines.append(f"not examined: {', '.join(report.unexamined)}")
    lines.append(summary(report))
    return "\n".join(lines)


def unplayed(report: Report) -> list[str]:
    """Which suites were not played, or not to their end, and why: a line for each reason."""
    lines = [f"{each.suite.name} could not be played: {each.unplayable}" for each in report.played if each.unplayable]
    by_reason: dict[str, list[str]] = {}
    for name, reason in report.skipped.items():
        by_reason.setdefault(reason, []).append(name)
    return lines + [f"not played: {', '.join(names)}: {reason}" for reason, names in by_reason.items()]


def _why_unexamined(report: Report) -> str:
    asked = [f"only {', '.join(report.only)} were asked for"] if report.only else []
    return "; ".join([*unplayed(report), *asked]) or "no case that was played came by it"


def summary(report: Report) -> str:
    """One line."""
    cases = sum(played.cases for played in report.played)
    broken = f"{len(report.broken)} broken ({', '.join(report.broken)})" if report.broken else "none broken"
    return (
        f"conformance kit {KIT_VERSION}, profile {report.profile}, {report.target}: {len(report.held)} laws held, "
        f"{broken}, {len(report.unexamined)} not examined; {cases} cases in {report.seconds:.0f} s, seed {report.seed}"
    )


def _failure_lines(failure: Failure) -> Iterator[str]:
    law = LAWS[failure.law]
    yield f"{law.name} is broken: {law.statement}  [{law.source}]"
    yield f"  {failure.detail}"
    yield f"  shortest case ({failure.suite}, seed {failure.seed}, {failure.length} messages):"
    sent = [entry for entry in failure.transcript if entry["kind"] in ("open", "send")]
    for entry in sent[-12:]:
        what = entry.get("request") or entry.get("raw") or f"opens a session of dialect {entry.get('dialect')}"
        yield f"    {entry['session']} {json.dumps(what, ensure_ascii=False)[:300]}"


def _law_lines(report: Report) -> Iterator[str]:
    for law in LAWS.values():
        yield f"{status(report, law):12}  {law.name:9}  {report.examined.get(law.name, 0):7}  {law.statement}"
    yield ""


def junit(report: Report) -> str:
    """A test case for each law, and one with an error for each suite that could not be played."""
    in_vain = [played for played in report.played if played.unplayable]
    suite = ET.Element(
        "testsuite", name=f"mt-remote conformance ({report.profile})", tests=str(len(LAWS) + len(in_vain)),
        failures=str(len(report.broken)), errors=str(len(in_vain)), skipped=str(len(report.unexamined)),
        time=f"{report.seconds:.3f}",
    )  # fmt: skip
    failures = {failure.law: failure for failure in reversed(report.failures)}
    why = _why_unexamined(report)
    for law in LAWS.values():
        case = ET.SubElement(
            suite, "testcase", classname=f"mt_remote.{AREAS[law.area]}", name=f"{law.name}: {law.statement}"
        )
        if law.name in failures:
            failure = failures[law.name]
            ET.SubElement(case, "failure", message=failure.detail[:500]).text = "\n".join(_failure_lines(failure))
        elif not report.examined.get(law.name):
            ET.SubElement(case, "skipped", message=f"not examined: {why}")
    for played in in_vain:
        case = ET.SubElement(suite, "testcase", classname="mt_remote.suites", name=played.suite.name)
        ET.SubElement(case, "error", message=f"could not be played: {played.unplayable}")
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


_STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.25rem .5rem;text-align:left}
.held{color:#176c32}.broken{color:#b00020;font-weight:bold}.not{color:#777}pre{background:#f6f6f6;padding:.7rem;overflow:auto}"""


def html(report: Report) -> str:
    """A page of its own."""
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Conformance</title>",
        f"<style>{_STYLE}</style><h1>Conformance</h1><p>{escape(summary(report))}</p>",
    ]
    for failure in report.failures:
        law = LAWS[failure.law]
        body = escape("\n".join(_failure_lines(failure)))
        parts.append(f"<h2 class='broken'>{law.name}: {escape(law.statement)}</h2><pre>{body}</pre>")
    parts += [f"<p>{escape(line)}</p>" for line in unplayed(report)]
    for letters, area in AREAS.items():
        parts.append(f"<h2>{area}</h2><table><tr><th>law<th>status<th>cases<th>statement<th>source</tr>")
        for law in LAWS.values():
            if law.area == letters:
                found = status(report, law)
                cells = (law.name, report.examined.get(law.name, 0), escape(law.statement), law.source)
                row = f"<td>{cells[0]}<td class='{found.split()[0]}'>{found}<td>{cells[1]}<td>{cells[2]}<td>{cells[3]}"
                parts.append(f"<tr>{row}</tr>")
        parts.append("</table>")
    return "\n".join(parts)
