#!/bin/bash
# What is read here and there, and is in no cache, is read around the system's;
# what is read in order is not, nor what is wanted again.
# lock: caches
. "$(dirname "$0")/helpers"

cat >"$work/read.py" <<'P'
import ctypes, json, os, random, struct, sys

mnt, source, out = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
volumes = [out + "/" + n for n in sorted(os.listdir(out))]


def cached(fd):
    where, told = struct.pack("QQ", 0, 0), ctypes.create_string_buffer(40)
    if libc.syscall(451, fd, where, told, 0) < 0:
        return None
    return struct.unpack_from("Q", told)[0]


def forget(paths):
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def works():  # whether such reads can be had here
    forget(volumes)
    try:
        fd = os.open(volumes[0], os.O_RDONLY | os.O_DIRECT)
    except OSError:
        return False
    return cached(fd) == 0


def stat(name):
    return json.loads(os.getxattr(mnt, "user.arcfs.stats"))[name]


plain = open(source, "rb").read()
f = os.open(mnt + "/file", os.O_RDONLY)
os.posix_fadvise(f, 0, 0, os.POSIX_FADV_RANDOM)
# More than the cache holds: what was read in the first round has been dropped
# when it is wanted in the second.
places = list(range(0, len(plain) - 4096, 65536))
random.Random(3).shuffle(places)
works = works()


def read_places():  # returns how many bytes came around the cache
    forget(volumes)
    os.posix_fadvise(f, 0, 0, os.POSIX_FADV_DONTNEED)
    before = stat("bytes_read_direct")
    for at in places:
        assert os.pread(f, 4096, at) == plain[at:at + 4096], at
    return stat("bytes_read_direct") - before


first, again = read_places(), read_places()
print("direct reads work: %s; first %d bytes, again %d" % (works, first, again))
assert (first >= len(places) * 16384 * 3 / 4) == works, first
assert again <= first / 8, again

forget(volumes)
os.posix_fadvise(f, 0, 0, os.POSIX_FADV_DONTNEED)
before = stat("bytes_read_direct")
assert open(mnt + "/file", "rb").read() == plain
assert stat("bytes_read_direct") - before < len(plain) / 8
P
mkdir "$work/src" "$work/out"
python3 -c 'import random, sys
r = random.Random(8)
words = [r.randbytes(3).hex() for _ in range(3000)]
text = " ".join(r.choices(words, k=1500000))[:10 << 20].encode()
sys.stdout.buffer.write(text + r.randbytes(9 << 20) + b"the end")' \
	>"$work/src/file"
for codec in lz4 lzext3 zstd; do
	archive "$work/src" "$work/out/a" -c $codec --reach 64K --force -s 4M
	sync
	mount_archive "$work/out/a.001" "$work/mnt" -o cache_size=9M
	python3 "$work/read.py" "$work/mnt" "$work/src/file" "$work/out" ||
		fail "$codec"
	unmount "$work/mnt"
done
