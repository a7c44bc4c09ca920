#!/bin/bash
# Someone without privileges mounts, reads and unmounts.
. "$(dirname "$0")/helpers"

cat >"$work/user.sh" <<'P'
set -eu
cd "$1"
mkdir mnt
arcfs a.001 mnt
cmp mnt/data data
ls -lR mnt >/dev/null
test "$(getfattr --only-values -n user.arcfs.stats mnt | head -c 1)" = "{"
! touch mnt/new 2>/dev/null
fusermount3 -u mnt
! mountpoint -q mnt
arcfs a.001 mnt -f &
for i in $(seq 100); do
	mountpoint -q mnt && break
	sleep 0.1
done
cmp mnt/data data
kill -TERM $!
wait $!
! mountpoint -q mnt
P

need getfattr
mkdir "$work/src" "$work/home"
random_file "$work/src/data" 300000 3
cp "$work/src/data" "$work/home/data"
archive "$work/src" "$work/home/a"
if [ "$(id -u)" != 0 ]; then
	bash "$work/user.sh" "$work/home" || fail "as this user"
	exit 0
fi

# As root: become someone else, in a mount namespace where everybody may open
# the device, whatever this machine allows.
need setpriv unshare mknod
chown -R 65534:65534 "$work/home"
chmod 755 "$work" "$work/home"
mknod -m 666 "$work/fuse" c 10 229 || skip "no device nodes here"
cat >"$work/enter.sh" <<'P'
mount --bind "$1/fuse" /dev/fuse || exit 77
exec setpriv --reuid=65534 --regid=65534 --clear-groups \
	bash "$1/user.sh" "$1/home"
P
setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$bin/arcfs" ||
	skip "$bin is not open to other users"
status=0
unshare -m bash "$work/enter.sh" "$work" || status=$?
[ $status != 77 ] || skip "no private /dev/fuse here"
same "exit status" 0 $status
