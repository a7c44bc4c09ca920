#!/bin/bash
# Damage is EIO for exactly the pages it covers, and never a wrong byte.
. "$(dirname "$0")/helpers"

mkdir "$work/src"
random_file "$work/src/first" 10000 11
random_file "$work/src/second" 3000000 12
seq 1 400000 >"$work/src/third"
cat >"$work/tool.py" <<'P'
import errno, os, random, sys

SEGMENT, PAGE = 65536, 4096

def volumes(base):
	folder, name = os.path.split(base)
	return sorted(os.path.join(folder, n) for n in os.listdir(folder)
		      if n.startswith(name + "."))

def flip(path, off):
	with open(path, "r+b") as f:
		f.seek(off)
		byte = f.read(1)[0]
		f.seek(off)
		f.write(bytes([byte ^ 0x10]))

def flip_content(base, source, off):
	with open(source, "rb") as f:
		f.seek(int(off))
		piece = f.read(40)
	for path in volumes(base):
		at = open(path, "rb").read().find(piece)
		if at >= 0:
			return flip(path, at)
	sys.exit("byte %d is in no volume" % off)

def pages(path, source):
	"""Reads page by page: the numbers of those that answer EIO."""
	bad = []
	want = open(source, "rb").read()
	fd = os.open(path, os.O_RDONLY)
	for off in range(0, len(want), PAGE):
		try:
			got = os.pread(fd, PAGE, off)
		except OSError as e:
			assert e.errno == errno.EIO, e
			bad.append(off // PAGE)
			continue
		assert got == want[off:off + PAGE], "wrong bytes at %d" % off
	os.close(fd)
	return bad

def expect(path, source, base, *offsets):
	"""The file begins at `base` in the stream."""
	want = set()
	for off in map(int, offsets):
		start = (int(base) + off) // SEGMENT * SEGMENT - int(base)
		first = max(start, 0) // PAGE
		end = min(start + SEGMENT, os.path.getsize(source))
		want |= set(range(first, -(-end // PAGE)))
	got = pages(path, source)
	assert got == sorted(want), (sorted(want), got)
	data = bytearray(os.path.getsize(source)) # large reads stop at damage
	with open(path, "rb", buffering=0) as f:
		try:
			n = f.readinto(data)
		except OSError as e:
			assert e.errno == errno.EIO, e
			n = 0
	first_bad = min(want, default=len(data)) * PAGE
	assert n <= max(first_bad, 0) or not want, (n, first_bad)
	assert data[:n] == open(source, "rb").read()[:n]

def scatter(base, seed, count):
	"""Flips anything but the last 4 KiB, where footer and root are."""
	rnd = random.Random(int(seed))
	paths = volumes(base)
	for _ in range(int(count)):
		path = rnd.choice(paths)
		size = os.path.getsize(path)
		flip(path, rnd.randrange(size - 4096 if path == paths[-1]
					 else size))

def never_wrong(mnt, source):
	"""Every entry and page is right or EIO. Prints the EIOs."""
	count = 0
	for name in sorted(os.listdir(source)):
		try:
			os.stat(os.path.join(mnt, name))
			count += len(pages(os.path.join(mnt, name),
					   os.path.join(source, name)))
		except OSError as e:
			assert e.errno == errno.EIO, e
			count += 1
	print(count)

{f.__name__: f for f in (flip_content, expect, scatter, never_wrong)}[
	sys.argv[1]](*sys.argv[2:])
P
tool() { python3 "$work/tool.py" "$@" || fail "$*"; }

archive "$work/src" "$work/raw" -s 1M -c raw
src=$work/src mnt=$work/mnt
tool flip_content "$work/raw" "$src/second" 0
tool flip_content "$work/raw" "$src/second" 1500000
tool flip_content "$work/raw" "$src/second" 2900000
mount_archive "$work/raw.001" "$mnt"
tool expect "$mnt/first" "$src/first" 0 9999
tool expect "$mnt/second" "$src/second" 10000 0 1500000 2900000
tool expect "$mnt/second" "$src/second" 10000 0 1500000 2900000
cmp "$mnt/third" "$src/third" || fail "an undamaged file differs"
errors=$(getfattr --only-values -n user.arcfs.stats "$mnt" |
	python3 -c 'import json, sys
stats = json.load(sys.stdin)
print(stats["errors"] > 0 and stats["bad_segments"] >= 3)')
same "stats count the damage" True "$errors"
unmount "$mnt"

total=0
for seed in 1 2 3 4 5 6 7 8; do
	for codec in lz4 lz4hc lzext3 zstd; do
		rm -f "$work"/coded.*
		archive "$src" "$work/coded" -s 1M -c $codec -l 3
		tool scatter "$work/coded" $seed 6
		status=$(status_of arcfs "$work/coded.001" "$mnt")
		[ "$status" = 1 ] && continue # the index's root was hit
		same "$codec $seed: exit status" 0 "$status"
		found=$(tool never_wrong "$mnt" "$src")
		total=$((total + found))
		unmount "$mnt"
	done
done
[ $total -gt 0 ] || fail "none of the damage was met"
