#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""walls.py ROOT - the checkers of scripts/ find what they are there to find:
each is run over a small tree that breaks its rule, and over one that does
not."""
import os
import subprocess
import sys
import tempfile

FINE = {"core/base.h": "", "core/format.h": '#include "base.h"\n',
        "core/index.h": '#include "format.h"\n',
        "mkarchive/pack.c": '#include "format.h"\n'}
LAYERS = {
    "looks up": {"core/format.c": '#include "index.h"\n'},
    "is behind another door": {"fs/ops.c": '#include "scan.h"\n',
                               "mkarchive/scan.h": ""},
    "has no business": {"core/index.c": "#include <lz4.h>\n"},
    "in a header": {"core/index_i.h": "#include <uthash.h>\n"},
    "only verify": {"mkarchive/pack.c": '#include "index.h"\n'},
    "of the house": {"core/format.c": '#include "scan.h"\n',
                     "mkarchive/scan.h": ""},
    "two files": {"fs/base.h": ""},
    "no module": {"core/things.c": ""},
}
SIZES = {
    "function": {"core/base.c": "int f(void)\n{\n" + "\n" * 98 + "}\n"},
    "file": {"core/base.c": "/* */\n" * 801},
    "reader": {"tests/golden/arcread.py": "\n" * 300,
               "tests/golden/plain.py": "\n" * 101},
}


def run(root, script, extra):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in {**FINE, **extra}.items():
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
        for name in ("core", "mkarchive", "fs", "arctool", "tests"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        return subprocess.run([os.path.join(root, "scripts", script), folder],
                              stdout=subprocess.PIPE, text=True,
                              check=False).returncode


def main(root):
    wrong = []
    for script, cases in (("check-layers", LAYERS), ("check-size.sh", SIZES)):
        good = run(root, script, {})
        if good == 77:
            continue
        if good != 0:
            wrong.append("%s: complains about nothing" % script)
        for name, extra in cases.items():
            if run(root, script, extra) != 1:
                wrong.append("%s: does not see: %s" % (script, name))
    print("\n".join(wrong + ["%d complaints" % len(wrong)]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
