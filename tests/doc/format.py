#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""format.py LAYOUT_PROGRAM arc-format.5 format.h - compares the tables of the
manual page with what the compiler makes of the header: every structure, every
field, every offset and size, every delta column, every limit and magic."""
import re
import subprocess
import sys

WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8}
wrong = []


def same(what, told, real):
    if told == real:
        return
    if isinstance(told, list):  # only what differs
        told, real = ([x for x in told if x not in real] or told,
                      [x for x in real if x not in told] or real)
    wrong.append("%s: the page says %s, the compiler %s" % (what, told, real))


def page_tables(text):
    """The rows of the tables by the comment that marks them."""
    text = text.replace("\\-", "-")
    found = {}
    for mark, body in re.findall(
            r'^\.\\" (struct \w+ \d+|tables|limits)\n\.TS\n(.*?)^\.TE', text,
            re.M | re.S):
        rows = body.split("\n", 4)[4].strip().split("\n")
        found[mark] = [row.split("|") for row in rows]
    return found


def compiled(program):
    out = {"field": [], "struct": [], "table": [], "column": [], "limit": []}
    text = subprocess.run([program], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    for line in text.splitlines():
        kind, *values = line.split()
        out[kind].append(values)
    return out


def check_struct(name, size, rows, real):
    told = [[name, r[0], r[1], r[2]] for r in rows]
    same("fields of " + name, told,
         [f for f in real["field"] if f[0] == name])
    same("size of " + name, [name, size],
         [s for s in real["struct"] if s[0] == name][0])
    end = 0
    for field, offset, n, kind, _ in rows:
        same("%s.%s: no gap before" % (name, field), int(offset), end)
        end = int(offset) + int(n)
        width = WIDTHS.get(kind.split()[0])
        if width:
            same("%s.%s: kind" % (name, field), width, int(n))
    same("end of " + name, int(size), end)
    deltas = {(c[1], c[2]) for c in real["column"]
              if c[0] == name and c[3] == "1"}
    same("delta columns of " + name,
         sorted((r[1], r[2]) for r in rows if r[3].endswith(" delta")),
         sorted(deltas))


def check_columns(name, rows, real):
    """Every field of a row is a column; reserved bytes may be several."""
    columns = [(int(c[1]), int(c[2])) for c in real["column"] if c[0] == name]
    if name == "root":  # rows of single bytes
        columns = []
    for field, offset, n, _, _ in rows if columns else []:
        if field != "reserved" and (int(offset), int(n)) not in columns:
            wrong.append("%s.%s is no column" % (name, field))


def main(program, page, header):
    with open(page, encoding="utf-8") as f:
        text = f.read()
    with open(header, encoding="utf-8") as f:
        source = f.read()
    tables, real = page_tables(text), compiled(program)
    for mark, rows in tables.items():
        if mark.startswith("struct "):
            _, name, size = mark.split()
            check_struct(name, size, rows, real)
            check_columns(name, rows, real)
    same("structures", sorted(m.split()[1] for m in tables if " " in m),
         sorted(re.findall(r"^struct arc_disk_(\w+) {", source, re.M)))
    same("tables", [[r[0], r[1].lower(), r[2], r[3]]
                    for r in tables["tables"]], real["table"])
    same("limits", [r[:2] for r in tables["limits"]], real["limit"])
    magics = re.findall(r'^#define ARC_\w*MAGIC "(\w+)"', source, re.M)
    for magic in magics:
        if '"%s"' % magic not in text:
            wrong.append("the magic %s is not in the page" % magic)
    print("\n".join(wrong + ["%d structures compared" % len(real["struct"])]))
    return 1 if wrong or len(magics) < 5 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
