#!/bin/bash
# Reading in every way: O_DIRECT, mmap, backwards, past the end, one byte.
. "$(dirname "$0")/helpers"

mkdir "$work/src"
random_file "$work/src/noise" 1234567 21
seq 1 200000 >"$work/src/numbers"
: >"$work/src/empty"
archive "$work/src" "$work/a"
mount_archive "$work/a.001" "$work/mnt"
python3 - "$work/src" "$work/mnt" <<'P' || fail "reading"
import mmap, os, random, sys
src, mnt = sys.argv[1:]
rnd = random.Random(2)
for name in ("noise", "numbers", "empty"):
	want = open(os.path.join(src, name), "rb").read()
	path = os.path.join(mnt, name)
	fd = os.open(path, os.O_RDONLY)
	for _ in range(300):
		off = rnd.randrange(len(want) + 5000)
		n = rnd.choice((1, 100, 4096, 65536, 300000))
		assert os.pread(fd, n, off) == want[off:off + n], (off, n)
	assert os.pread(fd, 10, len(want)) == b""
	os.fsync(fd)
	os.close(fd)
	fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
	buf = mmap.mmap(-1, 1 << 20)
	for off in range(0, len(want) + 4096, 1 << 19):
		n = os.preadv(fd, [buf], off)
		assert buf[:n] == want[off:off + (1 << 20)], off
	os.close(fd)
	if want:
		with open(path, "rb") as f:
			with mmap.mmap(f.fileno(), 0,
				       prot=mmap.PROT_READ) as m:
				assert m[:] == want
P
unmount "$work/mnt"
