#!/bin/bash
# extract --tar: what GNU tar and Python make of the stream is the source.
. "$(dirname "$0")/tool_helpers"

"$tests/maketree" --tiny src 2>notes
find src -type s -delete
# What has a record of its own: more than a field of the header holds.
mkdir -p src/tar
name=$(printf 'n%.0s' $(seq 250))
echo long >"src/tar/$name"
ln "src/tar/$name" src/tar/linked
ln -s "$(printf 't%.0s' $(seq 300))" src/tar/target
printf 'e\xcc\x81 nfd' >"src/tar/$(printf 'e\xcc\x81')"
printf 'bytes' >"src/tar/$(printf '\xff\xfe=%%\n')"
truncate -s 200M src/tar/large
printf tail | dd of=src/tar/large bs=1 seek=150000000 conv=notrunc status=none
truncate -s 100M src/tar/hole
touch -d '1960-01-02 03:04:05.25 UTC' src/tar/linked
touch -d '@-1.000000001' src/tar/hole
if [ "$(id -u)" = 0 ]; then
	chown -h 3000000:4000000000 src/tar/target
	mknod src/tar/device c 200 1000000
fi
setfattr -n 'user.a=b%3D%' -v 'v' src/tar/large 2>/dev/null || true

mkarchive -q --no-sync src a
arctool extract --tar a.001 >a.tar 2>err || fail "exit $?: $(cat err)"
[ ! -s err ] || fail "it said something: $(cat err)"
[ "$(stat -c %s a.tar)" -lt 20000000 ] || fail "holes are in the stream"
mkdir dest
tar x --xattrs --xattrs-include='*' --acls --numeric-owner -p -C dest -f a.tar 2>err ||
	fail "tar is not content"
same_trees --exact-holes src dest

# The same archive gives the same stream, and -v talks on standard error.
arctool extract -v --tar -j 1 a.001 >b.tar 2>err
cmp a.tar b.tar || fail "the stream differs"
contains err '^tar/linked$'
[ "$(wc -l <err)" -eq "$(arctool list a.001 | sed 1d | wc -l)" ] ||
	fail "-v does not print each path"

# The whole of the larger tree, by another reader that knows long paths.
"$tests/maketree" --small more 2>notes
mkarchive -q --no-sync more m
expect 1 arctool extract --tar m.001
mv out m.tar
contains err 'left out: a tar stream has no sockets'
python3 - <<'P'
import json, subprocess, tarfile
want = {e["path"]: e for e in map(json.loads, subprocess.run(
    ["arctool", "list", "--json", "m.001"], stdout=subprocess.PIPE, check=True)
    .stdout.decode().splitlines())}
kinds = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory",
         tarfile.SYMTYPE: "symlink", tarfile.CHRTYPE: "char",
         tarfile.BLKTYPE: "block", tarfile.FIFOTYPE: "fifo",
         tarfile.GNUTYPE_SPARSE: "file"}
seen, first = 0, {}
for m in tarfile.open("m.tar", errors="surrogateescape"):
    path = "" if m.name == "." else m.name
    raw = path.encode(errors="surrogateescape")
    e = want.get(path) or next(w for w in want.values() if
                               w.get("path_hex") == raw.hex())
    seen += 1
    if m.type == tarfile.LNKTYPE:
        assert first[m.linkname] == e["ino"], path
        continue
    first[m.name] = e["ino"]
    assert kinds[m.type] == e["type"], (path, m.type, e["type"])
    assert m.mode == int(e["mode"], 8) & 0o7777, path
    assert (m.uid, m.gid) == (e["uid"], e["gid"]), path
    if e["type"] == "file":
        assert m.size == e["size"], path
sockets = sum(e["type"] == "socket" for e in want.values())
assert seen == len(want) - sockets, (seen, len(want))
P

# Parts; files equal but for their times as links.
arctool extract --tar a.001 tar duplicates/same0 >part.tar
tar tf part.tar | grep -qx 'duplicates/same0' || fail "a PATH is missing"
! tar tf part.tar | grep -qx 'duplicates/' || fail "the way is in the stream"
tar tf part.tar | grep -qx 'tar/linked' || fail "what is below is missing"
expect 1 arctool extract --tar a.001 no/such
contains err 'no/such'
mkdir twins
echo same >twins/one
echo same >twins/two
mkarchive -q --no-sync twins w
[ "$(arctool extract --tar --hardlink-duplicates w.001 | tar tv | grep -c ^h)" = 1 ] ||
	fail "--hardlink-duplicates makes no link"

# What makes no sense, and what cannot be written.
expect 2 arctool extract --tar --force a.001
contains err 'force'
expect 2 arctool extract a.001
contains err 'DEST is missing'
status=0
arctool extract --tar a.001 >/dev/full 2>err || status=$?
[ $status = 1 ] || fail "exit $status with a full disk"
contains err 'No space left'

# Damage: zeros where it is, said; the stream is whole.
mkdir hurt
random_file hurt/bad 300000 1
random_file hurt/good 300000 2
mkarchive -q --no-sync -c raw hurt h
flip_content h hurt/bad 100000
expect 1 arctool extract --tar h.001
contains err '^arctool: bad: bytes 65536..131071 are damaged'
[ "$(grep -c damaged err)" = 1 ] || fail "more than one word: $(cat err)"
mkdir healed
tar x -C healed -f out
cmp hurt/good healed/good || fail "a file without damage differs"
[ "$(stat -c %s healed/bad)" = 300000 ] || fail "its length differs"
cmp -n 65536 hurt/bad healed/bad || fail "before the damage"
cmp -i 131072 hurt/bad healed/bad || fail "behind the damage"
