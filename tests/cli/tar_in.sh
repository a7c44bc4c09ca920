#!/bin/bash
# Archives of other programs as the source: from standard input and from files.
. "$(dirname "$0")/tool_helpers"

# What arctool extract --tar writes comes back, and what GNU tar writes.
# Of a time less than a second before 1970 libarchive loses the sign.
tree() # [OPTION] DIR
{
	"$tests/maketree" "$@" 2>notes
	find "${@: -1}" -type s -delete
	touch -d @-1 "${@: -1}/modes/0400" "${@: -1}/modes/0600"
}
tree --small src
printf 'nfd' >"src/$(printf 'e\xcc\x81')"
setfattr -n 'user.a=b%3D%' -v 'v' "src/$(printf 'e\xcc\x81')" 2>/dev/null || true
mkarchive -q --no-sync src a
arctool extract --tar a.001 >a.tar
expect 0 mkarchive -q --no-sync - b <a.tar
[ ! -s err ] || fail "it said something: $(head -n 3 err)"
expect 0 arctool verify -q b.001
expect 0 arctool extract b.001 b.dest
same_trees --exact-holes src b.dest
chmod -R u+rwx b.dest
tree --tiny tiny
tar c --format=posix --sparse --xattrs --xattrs-include='*' --acls -C tiny . |
	mkarchive -q --no-sync - t || fail "exit $?: a tar of GNU tar"
expect 0 arctool extract t.001 t.dest
# GNU tar does not know that fifos, devices and links have several names.
same_trees --exact-holes --ignore nlink,link tiny t.dest

# The same input gives the same bytes, wherever it comes from and however fast.
for threads in 1 3; do
	dd if=a.tar bs=1111 status=none |
		mkarchive -q --no-sync -j $threads - "j$threads"
	cmp b.001 "j$threads.001" || fail "another archive with $threads threads"
done
zstd -q a.tar
gzip -k a.tar
for file in a.tar a.tar.zst a.tar.gz; do
	expect 0 mkarchive -q --no-sync "$file" from
	cmp b.001 from.001 || fail "another archive from $file"
	rm from.001
done

# What a file is, its name says, unless the options do.
expect 0 mkarchive -q --no-sync --as-file a.tar.gz as
arctool extract as.001 as.dest
cmp a.tar.gz as.dest/a.tar.gz || fail "--as-file"
cp a.tar.gz document
expect 0 mkarchive -q --no-sync document doc
arctool extract doc.001 doc.dest
cmp document doc.dest/document || fail "a file of another name was unpacked"
expect 0 mkarchive -q --no-sync --unpack document un
cmp b.001 un.001 || fail "--unpack"
expect 2 mkarchive --as-file --unpack a.tar no
expect 2 mkarchive --stdin-name x a.tar no
expect 2 mkarchive --stdin-name x/y - no
expect 2 mkarchive --as-file - no

# The digests are asked for as with a tree.
expect 0 mkarchive -q --no-sync --digest sha256 a.tar sums
"$tests/golden/arcread.py" list sums.001 >sums.listing
python3 - <<'P'
import json
files = [e for e in map(json.loads, open("sums.listing")) if e["type"] == "file"]
assert len(files) > 300
assert all(e["stored_sha256"] == e["sha256"] for e in files)
P
expect 0 mkarchive -q --no-sync --digest none a.tar none
expect 0 arctool extract none.001 none.dest
same_trees --exact-holes src none.dest
expect 0 mkarchive -q --no-sync --exclude=/sizes --exclude='same*' a.tar less
arctool list less.001 >listing
lacks listing sizes
lacks listing same
contains listing duplicates

# Equal contents are stored once, small ones and such as go through a file;
# what only begins alike, or has other holes, is not taken for equal.
python3 - <<'P'
import io, random, tarfile
noise = random.Random(5).randbytes(20 << 20)
def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
with tarfile.open("dup.tar", "w") as tar:
    for n in (10, 65536, 65537, 300000, 20 << 20):
        add(tar, "a%d" % n, noise[:n])
        add(tar, "b%d" % n, noise[:n])
        add(tar, "c%d" % n, noise[:n - 1] + bytes([noise[n - 1] ^ 1]))
        add(tar, "d%d" % n, noise[:n])
P
expect 0 mkarchive --json --no-sync -c raw dup.tar dup
python3 - <<'P'
import json
s = json.load(open("out"))
assert s["dedup"]["duplicates"] == 10, s
total = 2 * (10 + 65536 + 65537 + 300000 + (20 << 20))
assert total < s["bytes_out"] < total + 100000, s
P
mkdir dup.want dup.dest
tar x -C dup.want -f dup.tar
expect 0 arctool extract dup.001 dup.dest
same_trees --ignore mtime dup.want dup.dest

# What comes later wins; links keep what they were linked to; paths are made
# safe; folders that are missing are made.
python3 - <<'P'
import io, tarfile
def add(tar, name, data=b"", **more):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))
with tarfile.open("odd.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    add(tar, "./first", b"old", mtime=100)
    add(tar, "link", type=tarfile.LNKTYPE, linkname="/first")
    add(tar, "first", b"new", mtime=200)
    add(tar, "/abs//path/./file", b"abs", mtime=300, uid=7)
    add(tar, "abs", type=tarfile.DIRTYPE, mode=0o711, mtime=400)
    add(tar, "empty", type=tarfile.DIRTYPE)
    add(tar, "empty", b"a file now")
    add(tar, "n" * 255 + "/x", b"long")
    add(tar, "reserved", b"r",
        pax_headers={"SCHILY.xattr.user.arcfs.x": "1"})
    add(tar, "acl", mode=0o670, pax_headers={"SCHILY.acl.access":
        "user::rw-\nuser:root:r--\ngroup::--x\nmask::rwx\nother::---"})
    add(tar, "stranger", pax_headers={"SCHILY.acl.access":
        "user::rw-,user:no-such-user:r--,group::--x,mask::rwx,other::---"})
    add(tar, "up/../../etc", b"no")
    add(tar, "n" * 256, b"no")
    add(tar, "dangling", type=tarfile.LNKTYPE, linkname="nowhere")
    add(tar, "first/below", b"no")
    add(tar, "abs", b"no")
    add(tar, "sym", type=tarfile.SYMTYPE, linkname="../../out")
P
expect 1 mkarchive --no-sync odd.tar odd
contains err 'up/../../etc: left out: ".." in its path' \
	'nnn: left out: a name in its path is too long' \
	'dangling: left out: what it is a link to did not come' \
	'first/below: left out: what it lies in is no folder' \
	'abs: left out: a folder with entries has this name' \
	'reserved: attribute user.arcfs.x is reserved and left out' \
	'stranger: attribute system.posix_acl_access left out' \
	'2 folders that do not stand in the input were made'
[ "$(wc -l <err)" = 8 ] || fail "more words than that: $(cat err)"
"$tests/golden/arcread.py" list odd.001 >odd.listing
python3 - <<'P'
import json
acl = next(e for e in map(json.loads, open("odd.listing"))
           if e["path"] == "acl")
assert acl["mode"] in (0o670, "0670", "670"), acl["mode"]
def entry(tag, perm, who=0xffffffff):
    return (tag.to_bytes(2, "little") + perm.to_bytes(2, "little") +
            who.to_bytes(4, "little")).hex()
assert acl["xattrs"]["system.posix_acl_access"] == "02000000" + \
    entry(1, 6) + entry(2, 4, 0) + entry(4, 1) + entry(16, 7) + entry(32, 0)
P
# A file system may know no ACLs.
arctool extract odd.001 odd.dest 2>err || contains err 'attribute'
cd odd.dest
[ "$(cat first)" = new ] && [ "$(cat link)" = old ] ||
	fail "the last one does not win, or its link lost it"
[ "$(stat -c %a:%Y abs)" = 711:400 ] || fail "a late folder is not as it came"
[ "$(cat abs/path/file)" = abs ] || fail "an absolute path is lost"
[ "$(stat -c %a:%Y abs/path)" = 755:300 ] || fail "a folder that was made"
[ "$(cat empty)" = "a file now" ] || fail "an empty folder is not replaced"
[ "$(readlink sym)" = ../../out ] || fail "a target was changed"
[ "$(ls | wc -l)" = 9 ] || fail "something else is there: $(ls)"
cd ..

# zip and cpio, where the last name of a link has the content; 7z.
python3 - <<'P'
import zipfile
with zipfile.ZipFile("z.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("dir/one", b"1" * 100000)
    z.writestr("dir/\u00e9", b"two")
def entry(name, data, ino, nlink, mode=0o100644):
    name = name.encode() + b"\0"
    head = b"070701" + b"".join(b"%08x" % v for v in (
        ino, mode, 1, 2, nlink, 1000, len(data), 0, 0, 0, 0, len(name), 0))
    head += name
    head += bytes(-len(head) % 4)
    return head + data + bytes(-len(data) % 4)
with open("c.cpio", "wb") as f:
    f.write(entry("a", b"", 5, 2) + entry("b", b"shared", 5, 2) +
            entry("TRAILER!!!", b"", 0, 1, 0))
P
expect 0 mkarchive -q --no-sync z.zip zip
expect 0 arctool extract zip.001 zip.dest
[ "$(cat "zip.dest/dir/$(printf '\xc3\xa9')")" = two ] || fail "a name in a zip"
[ "$(stat -c %s zip.dest/dir/one)" = 100000 ] || fail "a file in a zip"
mkarchive -q --no-sync - zip2 <z.zip || fail "a zip on standard input"
cat z.zip | mkarchive -q --no-sync - zip3 || fail "a zip from a pipe"
expect 0 mkarchive -q --no-sync c.cpio cpio
expect 0 arctool extract cpio.001 cpio.dest
[ "$(cat cpio.dest/a)" = shared ] && [ cpio.dest/a -ef cpio.dest/b ] ||
	fail "linked files in a cpio"
# What one entry has that cannot be read is no fault of the others.
python3 - <<'P'
import zipfile
with zipfile.ZipFile("e.zip", "w") as z:
    z.writestr("secret", b"s" * 200000)
    z.writestr("torn", b"t" * 300000)
    z.writestr("plain", b"p" * 200000)
data = bytearray(open("e.zip", "rb").read())
data[6] |= 1 # encrypted
at = data.find(b"PK\1\2")
data[at + 8] |= 1
data[data.find(b"t" * 1000) + 200000] ^= 1
open("e.zip", "wb").write(data)
P
expect 1 mkarchive --json --no-sync e.zip e
contains err 'secret: left out: ' 'torn: left out: .*CRC'
contains out '"stream_bytes": *200000'
expect 0 arctool extract e.001 e.dest
[ "$(ls e.dest)" = plain ] || fail "an entry that cannot be read: $(ls e.dest)"
[ "$(stat -c %s e.dest/plain)" = 200000 ] || fail "the one behind it"
if command -v bsdtar >/dev/null; then
	(cd tiny && bsdtar --format 7zip -cf ../s.7z sizes)
	expect 0 mkarchive -q --no-sync s.7z seven
	expect 0 arctool extract seven.001 seven.dest
	same_trees --ignore mtime tiny/sizes seven.dest/sizes
fi

# What is no archive, or is damaged, or was cut off.
no_archive() # WORD FILE
{
	expect 3 mkarchive -q --no-sync - bad <"$2"
	contains err "standard input: .*$1" 'no archive was made'
	status=0
	arctool info bad.001 >/dev/null 2>&1 || status=$?
	[ $status = 3 ] || fail "an archive was left: $2"
	rm -f bad.0*
}
: >nothing
head -c 5000 /dev/urandom >noise
head -c 700000 a.tar >cut.tar
head -c 30000 a.tar.gz >cut.gz
head -c 512 a.tar >header.tar
python3 - <<'P'
import tarfile
info = tarfile.TarInfo("huge")
info.size = 1 << 61
open("huge.tar", "wb").write(info.tobuf(tarfile.GNU_FORMAT) + bytes(10000))
# a map of holes that goes back and out of the file
info = tarfile.TarInfo("holes")
body = b"2\n5000\n512\n0\n512\n".ljust(512, b"\0") + bytes(1024)
info.size = len(body)
info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                    "GNU.sparse.name": "holes", "GNU.sparse.realsize": "100"}
open("holes.tar", "wb").write(info.tobuf(tarfile.PAX_FORMAT) + body +
                              bytes(10240))
P
no_archive 'Unrecognized' nothing
contains err '--stdin-name NAME stores it as one file'
no_archive 'Unrecognized' noise
no_archive 'runcated' cut.tar
no_archive 'runcated' cut.gz
no_archive 'cut off' header.tar
no_archive 'runcated' huge.tar
status=0
mkarchive -q --no-sync - holes <holes.tar 2>err || status=$?
[ $status = 1 ] || [ $status = 3 ] || fail "exit $status with a map of nonsense"
expect 3 mkarchive -q --no-sync --unpack noise bad
contains err 'as-file'
expect 3 mkarchive -q --no-sync no-such.tar bad
# Bits of a mode that there are none of.
python3 - <<'P'
import tarfile
info = tarfile.TarInfo("mode")
block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
block[100:108] = b"7504644\0"
block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * 32)
open("mode.tar", "wb").write(block + bytes(1024))
P
expect 0 mkarchive -q --no-sync mode.tar mode
expect 0 arctool verify -q mode.001
arctool list mode.001 | grep -q -e '^-rwSr--r-- .* mode$' || fail "a mode"

# gzip: in members, with something behind them, and with its checksum.
half=$(($(stat -c %s a.tar) / 2))
(head -c $half a.tar | gzip; tail -c +$((half + 1)) a.tar | gzip
	head -c 300000 /dev/zero) | mkarchive -q --no-sync - members ||
	fail "exit $?: members"
cmp b.001 members.001 || fail "another archive from members"
size=$(stat -c %s a.tar.gz)
for at in $((size / 2)) $((size - 6)) $((size - 2)); do
	cp a.tar.gz flip.gz
	flip flip.gz $at
	no_archive 'amaged' flip.gz
done
head -c $((size - 3)) a.tar.gz >cut.gz
no_archive 'truncated gzip' cut.gz

# Cut between two entries: all that came is stored, and it is said.
head -c 1024 dup.tar >end.tar
expect 1 mkarchive -q --no-sync - end <end.tar
contains err 'standard input: has no end: it may have been cut off'
expect 0 arctool list end.001
contains out a10
