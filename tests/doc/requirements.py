#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""requirements.py TABLE BUILD - checks tests/REQUIREMENTS.md: every row is
there once, and every test that it names is known to ctest."""
import re
import subprocess
import sys

ROWS = (["A%d" % i for i in range(1, 31)] + ["B%d" % i for i in range(1, 48)] +
        ["C%d" % i for i in range(1, 49)] + ["D%d" % i for i in range(1, 25)] +
        ["E%d" % i for i in range(1, 29)] + ["X%d" % i for i in range(1, 12)] +
        ["P%d" % i for i in range(1, 20)])


def main(table, build):
    listed = subprocess.run(["ctest", "-N", "--test-dir", build], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    known = set(re.findall(r"Test +#\d+: (\S+)", listed))
    with open(table, encoding="utf-8") as f:
        rows = re.findall(r"^\| ([A-EXP]\d+) \| (.*?) \| (.*?) \|$", f.read(),
                          re.M)
    wrong = []
    for row in ROWS:
        if [r[0] for r in rows].count(row) != 1:
            wrong.append("%s: stands there not exactly once" % row)
    for row, meaning, shown in rows:
        tests = re.findall(r"`([^`]+)`", shown)
        if row not in ROWS:
            wrong.append("%s: no such row" % row)
        if not meaning.strip():
            wrong.append("%s: nothing is told about it" % row)
        if not tests and not re.match(r"(later|replaced|none)\b", shown):
            wrong.append("%s: neither a test nor later" % row)
        for test in tests:
            if test not in known:
                wrong.append("%s: ctest knows no %s" % (row, test))
    print("\n".join(wrong + ["%d rows, %d tests known" % (len(rows),
                                                         len(known))]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
