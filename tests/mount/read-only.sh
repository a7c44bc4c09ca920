#!/bin/bash
# Every attempt to change something fails with EROFS, whoever tries.
. "$(dirname "$0")/helpers"

make_tree "$work/src"
archive "$work/src" "$work/a"
mount_archive "$work/a.001" "$work/mnt"

cat >"$work/try.py" <<'P'
import errno, os, sys
os.chdir(sys.argv[1])
tries = {
	"create": lambda: os.open("new", os.O_CREAT | os.O_WRONLY),
	"write": lambda: os.write(os.open("hello", os.O_WRONLY), b"x"),
	"append": lambda: os.write(
		os.open("hello", os.O_WRONLY | os.O_APPEND), b"x"),
	"open to truncate": lambda: os.open("hello", os.O_WRONLY | os.O_TRUNC),
	"truncate": lambda: os.truncate("hello", 1),
	"fallocate": lambda: os.posix_fallocate(
		os.open("hello", os.O_RDWR), 0, 10),
	"mkdir": lambda: os.mkdir("new"),
	"mkfifo": lambda: os.mkfifo("new"),
	"symlink": lambda: os.symlink("x", "new"),
	"link": lambda: os.link("hello", "new"),
	"unlink": lambda: os.unlink("hello"),
	"rmdir": lambda: os.rmdir("empty-dir"),
	"rename": lambda: os.rename("hello", "new"),
	"rename over": lambda: os.rename("hello", "numbers"),
	"chmod": lambda: os.chmod("hello", 0o600),
	"chown": lambda: os.chown("hello", 0, 0),
	"utime": lambda: os.utime("hello"),
	"setxattr": lambda: os.setxattr("hello", "user.x", b"x"),
	"setxattr virtual": lambda: os.setxattr(
		"hello", "user.arcfs.digest", b"x"),
	"removexattr": lambda: os.removexattr("hello", "user.x"),
}
bad = 0
for name, attempt in tries.items():
	try:
		attempt()
		result = "success"
	except OSError as e:
		result = errno.errorcode[e.errno]
	if result != "EROFS":
		print("%s: %s instead of EROFS" % (name, result))
		bad = 1
sys.exit(bad)
P
python3 "$work/try.py" "$work/mnt" || fail "something could be changed"
contains "mount options" "ro," "$(findmnt -n -o OPTIONS "$work/mnt"),"

# Even when the kernel has been told to let changes through.
if [ "$(id -u)" = 0 ] && mount -i -o remount,rw "$work/mnt" 2>/dev/null; then
	contains "options" "rw," "$(findmnt -n -o OPTIONS "$work/mnt"),"
	python3 "$work/try.py" "$work/mnt" || fail "changed after remount,rw"
fi
diff -r --no-dereference --exclude=fifo --exclude=socket --exclude=chr \
	--exclude=blk "$work/src" "$work/mnt" || fail "contents differ"
unmount "$work/mnt"

# -o rw is what mount(8) says when nobody cares: the mount is read-only.
mount_archive "$work/a.001" "$work/mnt" -o rw
python3 "$work/try.py" "$work/mnt" || fail "changed with -o rw"
unmount "$work/mnt"
