#!/bin/bash
# File handles, as an NFS server keeps them, stay good over a new mount.
. "$(dirname "$0")/helpers"
need_root

make_tree "$work/src"
archive "$work/src" "$work/a"
cat >"$work/handle.py" <<'P'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
action, mnt, path, store = sys.argv[1:]

class Handle(ctypes.Structure):
	_fields_ = [("size", ctypes.c_uint), ("type", ctypes.c_int),
		    ("data", ctypes.c_ubyte * 128)]

handle, mount_id = Handle(size=128), ctypes.c_int()
if action == "save":
	name = os.path.join(mnt, path).encode()
	if libc.name_to_handle_at(-100, name, ctypes.byref(handle),
				  ctypes.byref(mount_id), 0) != 0:
		sys.exit(os.strerror(ctypes.get_errno()))
	open(store, "wb").write(bytes(handle))
else:
	handle = Handle.from_buffer_copy(open(store, "rb").read())
	root = os.open(mnt, os.O_RDONLY)
	fd = libc.open_by_handle_at(root, ctypes.byref(handle), os.O_RDONLY)
	if fd < 0:
		sys.exit(os.strerror(ctypes.get_errno()))
	if os.path.isdir("/proc/self/fd/%d" % fd):
		print(*sorted(os.listdir(fd)))
	else:
		sys.stdout.buffer.write(os.read(fd, 10000000))
P
mnt=$work/mnt
for options in inodes=shared subdir=sub; do
	[ $options = subdir=sub ] && top=sub || top=.
	mount_archive "$work/a.001" "$mnt" -o $options
	for path in deeper/big-too deeper; do
		[ $top = . ] && path=sub/$path
		python3 "$work/handle.py" save "$mnt" $path \
			"$work/handle.${path##*/}" || skip "no file handles"
	done
	unmount "$mnt"
	mount_archive "$work/a.001" "$mnt" -o $options
	python3 "$work/handle.py" open "$mnt" - "$work/handle.big-too" |
		cmp - "$work/src/big" || fail "$options: file"
	same "$options: directory" "big-too deepest" \
		"$(python3 "$work/handle.py" open "$mnt" - \
			"$work/handle.deeper")"
	unmount "$mnt"
done
