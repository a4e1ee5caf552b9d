"""The alert rules and the dashboard speak of metrics that exist, and promtool, where it is installed, takes the rules.

Usage: monitoring_test.py. Standard library only.
"""

import json
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
passed = failed = 0


def check(condition, what):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}")


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as file:
        return file.read()


def families():
    """Name to whether it is a histogram, from the table that the metrics' own test holds to the code."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", read("server/metrics/README.md"), re.M)
    return {name: "histogram" in meaning for name, meaning in rows}


def names_in(expression):
    without_labels = re.sub(r"\{[^}]*\}", "", expression)
    return set(re.findall(r"\b(?:usher|process)_\w+", without_labels))


def check_expression(known, expression, where):
    names = names_in(expression)
    check(names or "up{" in expression, f"{where}: names no metric: {expression}")
    for name in names:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        is_known = name in known or known.get(base, False)
        check(is_known, f"{where}: {name} is no family of server/metrics/README.md")
    for open_bracket, close_bracket in ("()", "{}", "[]"):
        check(expression.count(open_bracket) == expression.count(close_bracket), f"{where}: brackets: {expression}")


def main():
    known = families()
    check(len(known) > 40, f"the families were found: {len(known)}")
    rules = read("tools/monitoring/alerts.yml")
    expressions = re.findall(r"- alert: (\w+)\n\s+expr: (.*)", rules)
    check(len(expressions) >= 8, "the alerts were found")
    check(len({name for name, _ in expressions}) == len(expressions), "each alert has a name of its own")
    check(rules.count("severity:") == len(expressions) == rules.count("summary:"), "each says how bad it is and what it is")
    for name, expression in expressions:
        check_expression(known, expression, name)
    dashboard = json.loads(read("tools/monitoring/grafana.json"))
    check(len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"]) > 10, "panels have ids of their own")
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            check_expression(known, target["expr"], panel["title"])
    promtool = shutil.which("promtool")
    if promtool:
        done = subprocess.run([promtool, "check", "rules", os.path.join(TOP, "tools/monitoring/alerts.yml")],
                              capture_output=True, text=True, check=False)
        check(done.returncode == 0, done.stdout + done.stderr)
    else:
        print("promtool is not installed: the rules were checked by name only")
    print(f"{passed} checks passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
