#!/bin/bash
# Stored attributes come back; virtual ones are there but in no list.
. "$(dirname "$0")/helpers"
need getfattr setfattr

make_tree "$work/src"
cd "$work/src"
setfattr -n user.note -v "some text" hello 2>/dev/null ||
	skip "no user attributes on this file system"
setfattr -n user.empty hello
setfattr -n user.binary -v 0x00ff0010 hello
setfattr -n user.dir -v "$(printf '%01000d' 7)" sub
if [ "$(id -u)" = 0 ]; then
	setfattr -h -n trusted.on-a-link -v yes link
	setfattr -n trusted.secret -v yes hello
	setfattr -n security.capability \
		-v 0x0100000200040000000000000000000000000000 numbers
fi
cd /
archive "$work/src" "$work/a" --digest sha256
chmod 755 "$work"
others=
[ "$(id -u)" = 0 ] && others="-o allow_other"
mount_archive "$work/a.001" "$work/mnt" $others

dump() # DIR
{
	(cd "$1" && find . -print0 | sort -z |
		xargs -0 getfattr -h -d -m - -e hex | grep -v '^$')
}
dump "$work/src" >"$work/src.dump"
dump "$work/mnt" | diff -u "$work/src.dump" - || fail "attributes differ"

cd "$work/mnt"
kinds="user.nothing user.arcfs.nothing"
[ "$(id -u)" != 0 ] || kinds="$kinds security.nothing"
for name in $kinds; do
	for file in hello numbers sub; do
		[ "$(status_of getfattr -n $name $file)" = 1 ] ||
			fail "$name of $file is there"
		contains "$name of $file" "No such attribute" \
			"$(cat "$work/err")"
	done
done
value() { getfattr --only-values -n "$@" 2>/dev/null; }
same "sha256" "$(sha256sum <big | cut -d' ' -f1)" \
	"$(value user.arcfs.sha256 big)"
same "length of the digest" 32 "$(value user.arcfs.digest big | wc -c)"
same "digest of a duplicate" "$(value user.arcfs.digest big)" \
	"$(value user.arcfs.digest sub/big-again)"
if command -v xxhsum >/dev/null; then
	same "digest" "$(xxhsum -H2 <big | cut -d' ' -f1)" \
		"$(value user.arcfs.digest big)"
fi
[ "$(status_of getfattr -n user.arcfs.digest sub)" = 1 ] ||
	fail "a directory has a digest"
[ "$(status_of getfattr -n user.arcfs.stats sub)" = 1 ] ||
	fail "stats below the root"
python3 - <<'P' || fail "sizes"
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def get(path, name, size):
	buf = ctypes.create_string_buffer(max(size, 1))
	n = libc.getxattr(path, name, buf, size)
	return n if n >= 0 else -ctypes.get_errno()
assert get(b"hello", b"user.note", 0) == 9
assert get(b"hello", b"user.note", 8) == -errno.ERANGE
assert get(b"hello", b"user.note", 9) == 9
assert get(b"hello", b"user.empty", 0) == 0
assert os.listxattr("many") == []
P
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	same "trusted names seen by root" 1 \
		"$(getfattr -m - numbers sub hello | grep -c trusted)"
	same "trusted names seen by others" 0 \
		"$(setpriv --reuid=1000 --regid=2000 --clear-groups \
			getfattr -m - hello 2>/dev/null | grep -c trusted)"
fi
cd /
unmount "$work/mnt"

# Of an archive that has none of a kind nobody asks again for each file, and
# who may read what is a matter of modes.
mkdir "$work/plain"
for i in $(seq 200); do
	echo "$i" >"$work/plain/$i"
done
chmod 600 "$work/plain/1"
chmod 640 "$work/plain/2"
archive "$work/plain" "$work/p"
mount_archive "$work/p.001" "$work/mnt" $others
for name in security.nothing system.posix_acl_access; do
	[ "$(status_of getfattr -n $name "$work/mnt/7")" = 1 ] ||
		fail "$name is there"
	contains "$name" "not supported" "$(cat "$work/err")"
done
[ "$(status_of getfattr -n user.nothing "$work/mnt/7")" = 1 ] ||
	fail "user.nothing is there"
contains "user.nothing" "No such attribute" "$(cat "$work/err")"
same "digest" 32 "$(value user.arcfs.digest "$work/mnt/7" | wc -c)"
ls -l "$work/mnt" >/dev/null
same "few questions" True "$(value user.arcfs.stats "$work/mnt" |
	python3 -c 'import json, sys
print(json.load(sys.stdin)["operations"]["getxattr"]["count"] < 30)')"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	for i in 1 2; do
		[ "$(status_of setpriv --reuid=1000 --regid=1000 \
			--clear-groups cat "$work/mnt/$i")" = 1 ] ||
			fail "$i was read"
	done
	same "what all may read" 3 "$(setpriv --reuid=1000 --regid=1000 \
		--clear-groups cat "$work/mnt/3")"
	same "what the group may read" 2 "$(setpriv --reuid=1000 --regid=0 \
		--clear-groups cat "$work/mnt/2")"
fi
unmount "$work/mnt"
