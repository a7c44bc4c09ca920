#!/bin/bash
# list: every kind of entry as text and as JSON, paths escaped, parts of a tree.
. "$(dirname "$0")/tool_helpers"

mkdir src src/dir src/dir/sub
printf 'hello\n' >src/file
ln src/file src/dir/hard
cp src/file src/dir/sub/copy
ln -s 'some where' src/link
mkfifo src/fifo
printf x >"$(printf 'src/new\nline')"
printf x >"$(printf 'src/not-\377-text')"
printf x >"$(printf 'src/\033[31mred')"
chmod 4755 src/file
chmod 3770 src/dir
touch -h -d '2001-02-03 04:05:06.789012345Z' src/file src/link
touch -d '1960-01-01 00:00:00.25Z' src/dir/sub/copy
root=false
if mknod src/chr c 30 40 2>/dev/null; then
	root=true
	chown 12:34 src/fifo
fi
setfattr -n user.note -v text src/file 2>/dev/null &&
	attr=true || attr=false
mkarchive -q --no-sync --digest sha256 src a

expect 0 arctool list a.001
contains out '^drwxrws--T ' '^-rwsr-xr-x  *2 .* 6 2001-02-03T04:05:06Z file$' \
	'^lrwx.* 2001-02-03T04:05:06Z link -> some where$' '^p.* fifo$' \
	' 2 .* dir/hard$' ' 1960-01-01T00:00:00Z dir/sub/copy$' \
	' new\\x0aline$' ' not-\\xff-text$' ' \\x1b\[31mred$'
! $root || contains out '^c.* 30,40 .* chr$' ' 12/34 .* fifo$'
[ "$(wc -l <out)" -eq "$(find src | tr '\n' _ | grep -o src | wc -l)" ] ||
	fail "not as many lines as entries"
# A directory stands before what it holds.
grep -o 'dir.*$' out | head -2 | tr '\n' ' ' | grep -q '^dir dir/hard' ||
	fail "wrong order"

expect 0 arctool list -i a.001 file dir/hard
[ "$(awk '{ print $1 }' out | sort -u | wc -l)" -eq 1 ] ||
	fail "two names, two inodes"

expect 0 arctool list a.001 /dir//sub/ ./file
awk '{ print $NF }' out >paths
printf '%s\n' dir/sub dir/sub/copy file | cmp - paths
printf '%s\n' file dir/sub/copy >wanted
expect 0 arctool list --files-from wanted a.001 link
[ "$(wc -l <out)" -eq 3 ] || fail "files-from: $(cat out)"
printf 'new\nline\0' | expect 0 arctool list --files-from - --null a.001
[ "$(wc -l <out)" -eq 1 ] || fail "--null: $(cat out)"
expect 1 arctool list a.001 file nothing file/below
contains err 'nothing: no such entry' 'file/below: not a directory'
[ "$(wc -l <out)" -eq 1 ] || fail "the rest is listed all the same"

expect 0 arctool list --json a.001
while IFS= read -r line; do
	printf '%s\n' "$line" | python3 -m json.tool >/dev/null ||
		fail "no JSON: $line"
done <out
ROOT=$root ATTR=$attr python3 - <<'P'
import hashlib, json, os
rows = [json.loads(l) for l in open("out", encoding="utf-8")]
by = {bytes.fromhex(r["path_hex"]) if "path_hex" in r else r["path"].encode():
      r for r in rows}
want = {b""}
for top, dirs, files in os.walk(b"src"):
    for n in dirs + files:
        want.add(os.path.relpath(os.path.join(top, n), b"src"))
assert set(by) == want, set(by) ^ want
for path, r in by.items():
    full = os.path.join(b"src", path)
    st = os.lstat(full)
    assert int(r["mode"], 8) == st.st_mode & 0o7777, r
    assert (r["uid"], r["gid"]) == (st.st_uid, st.st_gid), r
    assert r["mtime"] * 10**9 + r["mtime_ns"] == st.st_mtime_ns, r
    if r["type"] != "directory":
        assert r["nlink"] == st.st_nlink, r
    if r["type"] == "file":
        assert r["size"] == st.st_size, r
        assert r["sha256"] == hashlib.sha256(open(full, "rb").read()
                                             ).hexdigest()
        assert len(r["digest"]) == 32
f = by[b"file"]
assert f["ino"] == by[b"dir/hard"]["ino"]
assert f["mtime_ns"] == 789012345 and f["mode"] == "4755"
copy = by[b"dir/sub/copy"]
assert copy["leader"] == f["leader"], (copy, f)
assert ("duplicate_of" in copy) != ("duplicate_of" in f)
assert copy["mtime"] < 0 and copy["mtime_ns"] == 250000000
assert by[b"link"]["target"] == "some where"
assert by[b"link"]["type"] == "symlink" and by[b"fifo"]["type"] == "fifo"
assert by[b"new\nline"]["path"] == "new\nline"
assert by[b"not-\xff-text"]["path"] == "not-\ufffd-text"
if os.environ["ROOT"] == "true":
    assert by[b"chr"]["rdev"] == [30, 40] and by[b"chr"]["type"] == "char"
if os.environ["ATTR"] == "true":
    assert f["xattrs"] == ["user.note"], f
P

# Nothing is listed wrongly when the names are damaged.
expect 0 arctool list a.001
cp out whole
python3 - <<'P'
import subprocess
lines = set(open("whole", encoding="utf-8").read().splitlines())
data = bytearray(open("a.001", "rb").read())
for at in range(64, len(data) - 128, max(1, len(data) // 150)):
    data[at] ^= 0x10
    open("b.001", "wb").write(data)
    data[at] ^= 0x10
    p = subprocess.run(["arctool", "list", "b.001"], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=60)
    out = p.stdout.decode().splitlines()
    assert p.returncode in (0, 1, 3), p
    if p.returncode == 0:
        assert set(out) == lines, at
    else:
        assert p.stderr.startswith(b"arctool: "), at
        assert all(l in lines or l.endswith(" -> ?") for l in out), at
P
