#!/bin/bash
# --report: a line of JSON for each problem and for each entry, as the archive
# has it, names of any bytes included.
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/moment_helpers"

"$tests/maketree" --small src 2>notes
expect 0 mkarchive --no-sync --verify --digest sha256 --report lines src set
contains out '^files' '^verified'
expect 0 arctool list --json set.001
# Every entry once, with what arctool list says of it.
cat >compare.py <<'P'
import json, sys
listed = [json.loads(line) for line in open("out")]
lines = [json.loads(line) for line in open("lines")]
key = lambda e: e.get("path_hex", e["path"].encode().hex())
listed = {key(e): e for e in listed}
assert len(lines) == len(listed) == len({key(e) for e in lines})
ino_of = {k: e["ino"] for k, e in listed.items()}
kinds, links = {}, {}
for e in lines:
    other = listed[key(e)]
    assert e["stored"] is True, e
    assert "verified" not in e or e["verified"] is True, e
    assert "removed" not in e and "problem" not in e, e
    for field in "type", "digest", "sha256":
        assert e.get(field) == other.get(field), (e, other)
    if "link_of" in e:
        target = e.get("link_of_hex", e["link_of"].encode().hex())
        assert ino_of[target] == other["ino"] and other["nlink"] > 1
    links.setdefault(other["ino"], []).append("link_of" in e)
    if e["type"] != "file":
        assert "content" not in e
        continue
    assert e["size"] == other["size"]
    kinds[e["content"]] = kinds.get(e["content"], 0) + 1
    if e["content"] == "duplicate":
        of = e.get("duplicate_of_hex", e["duplicate_of"].encode().hex())
        assert ino_of[of] == other["duplicate_of"] != other["ino"]
    else:
        assert "duplicate_of" not in other
        assert (e["content"] == "empty") == (e["size"] == 0), e
assert set(kinds) == {"new", "duplicate", "empty"}, kinds
# One name of each inode is the first.
assert all(further.count(False) == 1 for further in links.values()), links
print(len(lines), "entries", kinds)
P
python3 compare.py

# On standard output, in the place of the summary; of a stream; of a list.
expect 0 mkarchive --no-sync --force --report - --digest none src set
mv out lines
expect 0 arctool list --json set.001
python3 compare.py
tar cf - -C src . 2>/dev/null | mkarchive --no-sync --force --report - - set \
	>lines 2>err
expect 0 arctool list --json set.001
python3 compare.py
(cd src && find . -mindepth 1 -print0) >list
expect 0 mkarchive --no-sync --force --report lines --null \
	--files-from list --digest sha256 src set
expect 0 arctool list --json set.001
python3 compare.py

# What goes wrong has its line, and what is removed.
mkdir few
echo a >few/a
echo b >few/$'b\xff'
echo c >few/c
mkdir few/d
expect 1 at_written 'echo more >>few/c' \
	mkarchive -q --remove-source --report lines few few/set
python3 - <<'P'
import json
lines = [json.loads(line) for line in open("lines")]
assert lines[0] == {"path": "c", "problem":
                    "changed since it was archived: not verified"}, lines
assert lines[1:] == [
    {"path": "", "type": "directory", "stored": True, "verified": True,
     "removed": False},
    {"path": "a", "type": "file", "stored": True, "size": 2, "content": "new",
     "digest": lines[2]["digest"], "verified": True, "removed": True},
    {"path": "b\ufffd", "path_hex": "62ff", "type": "file", "stored": True,
     "size": 2, "content": "new", "digest": lines[3]["digest"],
     "verified": True, "removed": True},
    {"path": "c", "type": "file", "stored": True, "size": 2, "content": "new",
     "digest": lines[4]["digest"], "verified": False, "removed": False},
    {"path": "d", "type": "directory", "stored": True, "verified": True,
     "removed": True}], lines
P

# What could not be read is in it too.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir -m 777 open
	mkdir other
	echo x >other/open
	echo y >other/closed
	chmod 600 other/closed
	chmod 755 "$work" other
	expect 1 setpriv --reuid 65534 --regid 65534 --clear-groups \
		mkarchive -q --no-sync --report open/lines other open/set
	contains open/lines '"path":"closed","problem":".*[Pp]ermission' \
		'"path":"closed","type":"file","stored":false' \
		'"path":"open","type":"file","stored":true'
fi

# Where it cannot be written nothing is archived, or it is said.
expect 2 mkarchive --json --report - src none
contains err 'both want'
expect 3 mkarchive --report /nonexistent/report src none
contains err '/nonexistent/report'
[ ! -e none.001 ] || fail "an archive without its report"
if [ -c /dev/full ]; then
	expect 1 mkarchive -q --no-sync --report /dev/full src none
	contains err report
	expect 0 arctool verify -q none.001
fi
