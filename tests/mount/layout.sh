#!/bin/bash
# user.arcfs.layout says where each byte of a file lies, as another reader finds
# it there; damage is told in its place. user.arcfs.digest answers for any file.
. "$(dirname "$0")/helpers"
need getfattr

mkdir "$work/src"
cat >"$work/files.py" <<'P'
import os, random, sys
os.chdir(sys.argv[1])
rnd = random.Random(7)
words = [b"%x " % rnd.getrandbits(rnd.randrange(4, 40)) for i in range(3000)]

def make(name, size, *parts):
	with open(name, "wb") as f:
		for off, data in parts:
			f.seek(off)
			f.write(data)
		f.truncate(size)

make("text", 900000, (0, b"".join(rnd.choices(words, k=200000))[:900000]))
make("noise", 700000, (0, rnd.randbytes(700000)))
make("same", 400000, (0, b"x" * 400000))
make("small", 5, (0, b"small"))
make("empty", 0)
make("hole", 1 << 20)
make("sparse", 3 << 20, (4096, rnd.randbytes(100000)), (1 << 20, b"y" * 300000),
     (2 << 20, bytes(65536)))
make("many", 1200 * 8192, *((i * 8192, b"%d" % i) for i in range(1200)))
os.link("text", "link")
with open("noise", "rb") as f:
	make("copy", 700000, (0, f.read()))
P
python3 "$work/files.py" "$work/src"

cat >"$work/layout.py" <<'P'
import ctypes, errno, json, os, re, struct, subprocess, sys
base, mnt, src = sys.argv[2:5]
sys.path.insert(0, sys.argv[1])
import arcread

CODECS = {0: "raw", 1: "lz4", 2: "lzext3", 3: "zstd"}
TYPES = ["raw", "coded", "fill", "joined"]
archive = arcread.Archive(base + ".001")

def layout(name):
	text = os.getxattr(os.path.join(mnt, name), "user.arcfs.layout")
	assert text.endswith(b"\n") and len(text) <= 65536, len(text)
	return [json.loads(line) for line in text.splitlines()]

def data_ranges(path):
	found, pos, size = [], 0, os.path.getsize(path)
	fd = os.open(path, os.O_RDONLY)
	while pos < size:
		try:
			start = os.lseek(fd, pos, os.SEEK_DATA)
		except OSError:
			break
		pos = os.lseek(fd, start, os.SEEK_HOLE)
		found.append([start, pos])
	os.close(fd)
	return found

def check_frame(line, last, stream, length):
	"""A line of a frame, in which [stream, stream + length) begins; returns
	how much of it lies there."""
	row = archive.row(arcread.FRAME, line["frame"])
	inside = min(length, row["start"] + row["raw"] - stream)
	lo, hi = line["segments"]
	assert row["start"] <= stream and inside > 0, (row, stream)
	assert lo == (stream - row["start"]) // 65536, line
	assert hi == (stream + inside - 1 - row["start"]) // 65536, line
	told = {"volume": row["volume"], "offset": row["offset"],
		"codec": CODECS[row["codec"]], "group": 1 << row["group_log"],
		"raw": row["raw"], "stored": row["stored"]}
	assert {k: line[k] for k in told if k in line} == (
		told if line["frame"] != last else {}), (line, told)
	if "error" in line:
		return inside
	size = row["entry_size"]
	table = archive.pread(row["volume"], row["offset"] + 64,
			      -(-row["raw"] // 65536) * size)
	entries = [struct.unpack_from("<IIB", table, i * size)
		   for i in range(lo, hi + 1)]
	types = [TYPES[e[2]] for e in entries]
	assert line["types"] == {t: types.count(t) for t in set(types)}, line
	assert line["segment_bytes"] == sum(e[1] for e in entries), line
	return inside

def check(name):
	"""Its lines tile the file, and what they name is the content."""
	path = os.path.join(src, name)
	lines = layout(name)
	head, lines = lines[0], lines[1:]
	assert head["size"] == os.path.getsize(path), head
	mark = lines.pop() if lines and "cut_at" in lines[-1] else None
	at, last, ranges, errors, i = 0, None, [], [], 0
	with open(path, "rb") as f:
		content = f.read()
	while i < len(lines):
		line, i = lines[i], i + 1
		assert line["file"] == at, (line, at)
		begin, left = at, line["len"]
		at += left
		if "hole" in line or "zeros" in line:
			assert not any(content[begin:at]), line
		if "hole" in line:
			continue
		if ranges and ranges[-1][1] == begin:
			ranges[-1][1] = at
		else:
			ranges.append([begin, at])
		stream = line.get("stream")
		while stream is not None and left and i < len(lines):
			line, i = lines[i], i + 1
			if "frame" not in line:
				errors.append(line["error"])
				break
			n = check_frame(line, last, stream, left)
			if "error" in line:
				errors.append(line["error"])
			elif os.environ.get("CONTENT"):
				begin = at - left
				assert content[begin:begin + n] == b"".join(
					archive.read(stream, n)), line
			last = line["frame"]
			stream, left = stream + n, left - n
		assert not left or mark or errors, lines[i - 1]
	if mark:
		assert at >= mark["cut_at"], (at, mark)
	else:
		assert at == head["size"], (at, head)
		assert ranges == data_ranges(path), (name, ranges)
		assert head["extents"] >= len(ranges), (head, ranges)
	return head, mark, errors

def check_all(names):
	listed = subprocess.run(["arctool", "list", "--json", base + ".001"],
				check=True, stdout=subprocess.PIPE).stdout
	listed = {e["path"]: e for e in map(json.loads, listed.splitlines())}
	for name in names:
		head, mark, errors = check(name)
		assert not mark and not errors, (name, mark, errors)
		entry = listed[name]
		for key in ("ino", "leader"):
			assert head[key] == entry[key], (name, head, entry)

def check_cut():
	head, mark, errors = check("many")
	assert head["extents"] == 1200 and not errors, head
	assert 0 < mark["cut_at"] < head["size"], mark
	assert re.search("no room", mark["error"]), mark
	text = os.getxattr(mnt + "/many", "user.arcfs.layout")
	assert len(text) > 64000, len(text)

def check_sizes():
	libc = ctypes.CDLL(None, use_errno=True)
	def get(name, size):
		buf = ctypes.create_string_buffer(max(size, 1))
		n = libc.getxattr((mnt + "/" + name).encode(),
				  b"user.arcfs.layout", buf, size)
		return n if n >= 0 else -ctypes.get_errno()
	for name in ("text", "many", "empty"):
		n = get(name, 0)
		assert n > 0 and get(name, n) == n, (name, n)
		assert get(name, n - 1) == -errno.ERANGE, name
	assert get(".", 0) == -errno.ENODATA

def check_errors(name, *want):
	head, mark, errors = check(name)
	assert not mark and sorted(set(errors)) == sorted(want), (mark, errors)

def flip(where, number):
	"""Changes a byte of a frame's record header, or of the table of frames."""
	if where == "frame":
		place = archive.row(arcread.FRAME, int(number))
	else:
		place = archive.tables[arcread.FRAME][2]
	with open("%s.%03d" % (base, place["volume"]), "r+b") as f:
		f.seek(place["offset"] + 50)
		byte = f.read(1)[0]
		f.seek(-1, 1)
		f.write(bytes([byte ^ 1]))

def stale(number):
	"""Puts the head of the frame before in a frame's place."""
	to, of = (archive.row(arcread.FRAME, int(number) - i) for i in (0, 1))
	assert to["raw"] == of["raw"] and to["stored"] == of["stored"], (to, of)
	head = archive.pread(of["volume"], of["offset"],
			     64 + -(-of["raw"] // 65536) * of["entry_size"])
	with open("%s.%03d" % (base, to["volume"]), "r+b") as f:
		f.seek(to["offset"])
		f.write(head)

command, rest = sys.argv[5], sys.argv[6:]
{"all": lambda: check_all(rest), "cut": check_cut, "sizes": check_sizes,
 "errors": lambda: check_errors(*rest), "flip": lambda: flip(*rest),
 "stale": lambda: stale(*rest)}[command]()
P
tool() # BASE COMMAND [ARGUMENT...]
{
	local base=$1

	shift
	python3 "$work/layout.py" "$here/../golden" "$base" "$work/mnt" \
		"$work/src" "$@" || fail "$base: $*"
}

files="text noise same small empty hole sparse link copy"
for codec in lzext3 zstd lz4 raw; do
	base=$work/$codec
	archive "$work/src" "$base" -c $codec -F 256K -s 1M -l 1
	mount_archive "$base.001" "$work/mnt" -o inodes=distinct
	CONTENT=$([ $codec = zstd ] || echo yes) tool "$base" all $files
	unmount "$work/mnt"
done

base=$work/lzext3
mount_archive "$base.001" "$work/mnt" -o inodes=distinct
tool "$base" cut
tool "$base" sizes

digest() { getfattr --only-values -n user.arcfs.digest "$1" 2>/dev/null; }
arctool list --json "$base.001" >"$work/list"
for file in $files many; do
	same "digest of $file" "$(python3 -c 'import json, sys
for line in open(sys.argv[1]):
    entry = json.loads(line)
    if entry["path"] == sys.argv[2]:
        print(entry["digest"])' "$work/list" $file)" "$(digest "$work/mnt/$file")"
	! command -v xxhsum >/dev/null ||
		same "digest of $file by xxhsum" \
			"$(xxhsum -H2 <"$work/src/$file" | cut -d' ' -f1)" \
			"$(digest "$work/mnt/$file")"
done
unmount "$work/mnt"

archive "$work/src" "$work/bare" --digest none
mount_archive "$work/bare.001" "$work/mnt"
for file in $files many; do
	[ "$(status_of getfattr -n user.arcfs.digest "$work/mnt/$file")" = 1 ] ||
		fail "$file has a digest"
	contains "digest of $file" "No such attribute" "$(cat "$work/err")"
done
unmount "$work/mnt"

# A damaged record header concerns its frame alone, and so does a volume that is
# missing; without the table of frames nothing is known of any.
frame_of() # FILE: its first
{
	getfattr --only-values -n user.arcfs.layout "$work/mnt/$1" \
		2>/dev/null | sed -n 's/^{"frame":\([0-9]*\),.*/\1/p' | head -n 1
}
corrupt="the bytes are not what their checksum says"
mount_archive "$work/raw.001" "$work/mnt" -o inodes=distinct
frame=$(frame_of noise)
unmount "$work/mnt"
for damage in header stale table missing; do
	for volume in "$work"/raw.*; do
		cp "$volume" "$work/$damage.${volume##*.}"
	done
done
tool "$work/header" flip frame $((frame + 1))
tool "$work/stale" stale $((frame + 1))
for damage in header stale; do
	mount_archive "$work/$damage.001" "$work/mnt" -o inodes=distinct
	tool "$work/$damage" errors noise "$corrupt"
	tool "$work/$damage" errors copy "$corrupt"
	tool "$work/$damage" errors text
	same "$damage: frames that are damaged" 1 "$(getfattr --only-values \
		-n user.arcfs.layout "$work/mnt/noise" 2>/dev/null |
		grep -c error)"
	same "$damage: read from it" 1 "$(status_of cat "$work/mnt/noise")"
	unmount "$work/mnt"
done

tool "$work/table" flip table 0
mount_archive "$work/table.001" "$work/mnt" -o inodes=distinct
same "frames of a damaged table" "1 $corrupt" "$(getfattr --only-values \
	-n user.arcfs.layout "$work/mnt/noise" 2>/dev/null |
	sed -n 's/.*"stream":.*"error":"\(.*\)"}$/1 \1/p')"
unmount "$work/mnt"

rm "$work/missing.001"
mount_archive "$work/missing.002" "$work/mnt" -o inodes=distinct
same "frames of a missing volume" True "$(getfattr --only-values \
	-n user.arcfs.layout "$work/mnt/noise" "$work/mnt/text" 2>/dev/null |
	python3 -c 'import json, sys
frames = [x for x in map(json.loads, sys.stdin) if "frame" in x]
volumes = {}
for f in frames:
    volumes.setdefault(f["frame"], f.get("volume"))
print(any(v == 1 for v in volumes.values()) and all(
    ("a volume of the set is missing" == f.get("error")) ==
    (volumes[f["frame"]] == 1) for f in frames))')"
unmount "$work/mnt"
