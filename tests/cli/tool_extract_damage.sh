#!/bin/bash
# extract of a damaged archive: what is damaged is zeros and reported to the
# byte, everything else is exact.
. "$(dirname "$0")/tool_helpers"

mkdir src
random_file src/a 100001 1
random_file src/b 1000000 2
seq 1 300000 >src/c
cp src/b src/d
mkarchive -q --no-sync -c raw -s 2M -F 1M src a
flip_content a src/b 500000
expect 1 arctool extract a.001 to
cp err said
python3 - <<'P'
import re
said = open("said").read()
for name in "bd":
    found = re.findall(r"^arctool: %s: bytes (\d+)\.\.(\d+) are damaged" % name,
                       said, re.M)
    assert len(found) == 1, (name, said)
    lo, hi = map(int, found[0])
    assert lo <= 500000 <= hi and hi - lo < 65536, (lo, hi)
    want = bytearray(open("src/" + name, "rb").read())
    want[lo:hi + 1] = bytes(hi + 1 - lo)
    assert open("to/" + name, "rb").read() == want, name
assert not re.search(r"^arctool: [ac]: bytes", said, re.M), said
P
cmp src/a to/a
cmp src/c to/c
for name in a b c d; do
	[ "$(stat -c %Y to/$name)" = "$(stat -c %Y src/$name)" ] ||
		fail "metadata of $name"
done

# A volume is missing: the files that lie in others are whole.
mkarchive -q --no-sync --force -c raw -s 1M -F 256K src a
rm a.002
expect 1 arctool extract a.001 rest
cmp src/a rest/a
python3 - <<'P'
import os, re
said = open("err").read()
for name in "abcd":
    want = bytearray(open("src/" + name, "rb").read())
    for lo, hi in re.findall(r"^arctool: %s: bytes (\d+)\.\.(\d+) are damaged"
                             % name, said, re.M):
        want[int(lo):int(hi) + 1] = bytes(int(hi) + 1 - int(lo))
    assert open("rest/" + name, "rb").read() == want, name
P

# Whatever byte changes, what is extracted is right or reported.
mkdir small
seq 1 30000 >small/numbers
random_file small/noise 70000 5
ln -s numbers small/link
mkdir small/dir
echo deep >small/dir/file
mkarchive -q --no-sync -c lz4 small s
python3 - <<'P'
import os, shutil, subprocess
data = bytearray(open("s.001", "rb").read())
want = {n: open("small/" + n, "rb").read()
        for n in ("numbers", "noise", "dir/file")}
for at in range(3, len(data), len(data) // 200):
    data[at] ^= 1 << at % 8
    open("t.001", "wb").write(data)
    data[at] ^= 1 << at % 8
    shutil.rmtree("out.d", ignore_errors=True)
    p = subprocess.run(["arctool", "extract", "t.001", "out.d"], timeout=60,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode in (0, 1, 3), (at, p)
    for name, content in want.items():
        try:
            got = open("out.d/" + name, "rb").read()
        except FileNotFoundError:
            assert p.returncode != 0, (at, name)
            continue
        if got != content:
            assert p.returncode == 1, (at, name)
            assert b"%s: bytes" % name.encode() in p.stderr, (at, p.stderr)
            assert len(got) == len(content), (at, name)
            assert all(g in (0, c) for g, c in zip(got, content)), (at, name)
P
