#!/bin/bash
# Holes are found where they were and read as zeros.
. "$(dirname "$0")/helpers"

mkdir "$work/src"
cat >"$work/files.py" <<'P'
import errno, os, random, sys

def runs(path):
	"""Data ranges by SEEK_DATA and SEEK_HOLE."""
	found, pos = [], 0
	with open(path, "rb") as f:
		size = os.fstat(f.fileno()).st_size
		while pos < size:
			try:
				start = f.seek(pos, os.SEEK_DATA)
			except OSError as e:
				assert e.errno == errno.ENXIO, e
				break
			pos = f.seek(start, os.SEEK_HOLE)
			assert pos > start, (pos, start)
			found.append((start, pos))
		try:
			f.seek(size, os.SEEK_DATA)
			assert False, "data past the end"
		except OSError as e:
			assert e.errno == errno.ENXIO, e
	return found

def make(folder):
	rnd = random.Random(5)
	for name, size, parts in (
			("front", 4 << 20, [(0, 100000)]),
			("back", 4 << 20, [((4 << 20) - 5000, 5000)]),
			("middle", 300 << 20, [(64 << 20, 70000),
					       (200 << 20, 4096)]),
			("many", 8 << 20,
			 [(i << 16, 4096) for i in range(0, 128, 2)]),
			("none", 50000, [(0, 50000)]),
			("all", 100 << 20, [])):
		with open(os.path.join(folder, name), "wb") as f:
			for off, n in parts:
				f.seek(off)
				f.write(rnd.randbytes(n))
			f.truncate(size)
	with open(os.path.join(folder, "zeros"), "wb") as f:
		f.write(bytes(1 << 20))

def compare(a, b):
	for name in sorted(os.listdir(a)):
		one, two = os.path.join(a, name), os.path.join(b, name)
		assert runs(one) == runs(two), (name, runs(one), runs(two))
		with open(one, "rb") as f, open(two, "rb") as g:
			while True:
				x, y = f.read(1 << 20), g.read(1 << 20)
				assert x == y, (name, f.tell())
				if not x:
					break
		data = sum(e - s for s, e in runs(one))
		blocks = os.stat(two).st_blocks
		assert blocks == -(-data // 512), (name, blocks, data)

{"make": make, "compare": compare}[sys.argv[1]](*sys.argv[2:])
P
python3 "$work/files.py" make "$work/src"
archive "$work/src" "$work/a"
mount_archive "$work/a.001" "$work/mnt" -o inodes=distinct
python3 "$work/files.py" compare "$work/src" "$work/mnt" || fail "holes differ"
unmount "$work/mnt"
