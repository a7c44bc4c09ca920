#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check.py BIN FOLDER - every golden archive of FOLDER is read by arctool and
by arcread.py and is what its listing says it was when it was made.

  NAME.001 ...    the volumes
  NAME.listing    what arcread.py list printed: metadata, SHA-256 of contents

Archives and listings are never made again: a reader that cannot read them any
more is wrong.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = {"directory": "dir", "char": "chr", "block": "blk"}
COMMON = ("type", "mode", "uid", "gid", "nlink", "size", "mtime", "target",
          "rdev", "leader", "share", "share_nlink", "digest", "stored_sha256")


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SystemExit("%s: exit status %d" % (" ".join(command),
                                                 done.returncode))
    return done.stdout.decode()


def by_path(lines):
    return {e["path"]: e for e in map(json.loads, lines.splitlines())}


def text_of(e, key):
    if key + "_hex" in e:
        return os.fsdecode(bytes.fromhex(e[key + "_hex"]))
    return e.get(key)


def as_listed(e):
    """An object of `arctool list --json` in the words of arcread.py."""
    out = {key: e.get(key) for key in COMMON}
    out["path"], out["target"] = text_of(e, "path"), text_of(e, "target")
    out["type"] = TYPES.get(e["type"], e["type"])
    out["mode"] = int(e["mode"], 8)
    out["mtime"] = e["mtime"] * 10**9 + e["mtime_ns"]
    out["stored_sha256"] = e.get("sha256")
    if out["type"] == "dir":
        out["nlink"] = out["size"] = None
    for key in ("leader", "share"):  # rows, not inode numbers
        if out[key] is not None:
            out[key] -= 1
    return out


def compare(name, who, expected, found):
    wrong = []
    for path in sorted(expected.keys() | found.keys()):
        a, b = expected.get(path), found.get(path)
        if a is None or b is None:
            wrong.append("%r: %s" % (path, "extra" if b else "missing"))
            continue
        wrong += ["%r: %s: %r, not %r" % (path, key, b.get(key), a.get(key))
                  for key in COMMON if a.get(key) != b.get(key)]
    for line in wrong[:20]:
        print("%s, %s: %s" % (name, who, line))
    return len(wrong)


def extracted(arctool, volume, listing):
    """Extracts and compares; what only root may do is left out for others."""
    if os.geteuid() != 0:
        print("note: owners, devices and attributes need root")
        return 0
    with tempfile.TemporaryDirectory() as work:
        dest = os.path.join(work, "dest")
        run(arctool, "extract", volume, dest)
        done = subprocess.run(
            [os.path.join(HERE, "..", "comparetree"), "--exact-holes",
             listing, dest], check=False)
        return 1 if done.returncode else 0


def main(bin_dir, folder):
    arctool, wrong, count = os.path.join(bin_dir, "arctool"), 0, 0
    for listing in sorted(os.listdir(folder)):
        name, dot, kind = listing.rpartition(".")
        if kind != "listing" or not dot:
            continue
        count += 1
        volume = os.path.join(folder, name + ".001")
        listing = os.path.join(folder, listing)
        with open(listing, encoding="ascii") as f:
            expected = f.read()
        told = run(sys.executable, os.path.join(HERE, "arcread.py"), "list",
                   volume)
        if told != expected:
            wrong += 1 + compare(name, "arcread.py", by_path(expected),
                                 by_path(told))
        listed = [as_listed(json.loads(line)) for line in
                  run(arctool, "list", "--json", volume).splitlines()]
        wrong += compare(name, "arctool list", by_path(expected),
                         {e["path"]: e for e in listed})
        run(arctool, "verify", "-q", volume)
        wrong += extracted(arctool, volume, listing)
    print("%d archives, %d differences" % (count, wrong))
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
