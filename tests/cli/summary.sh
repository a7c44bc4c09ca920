#!/bin/bash
# The summary's figures are right: compared with the source, the volumes and
# what arctool info says.
. "$(dirname "$0")/tool_helpers"

"$tests/maketree" --small src 2>notes
random_file src/incompressible 3000000 1
expect 0 mkarchive --no-sync --json -c lz4 -F 1M -s 2M src set
mv out summary.json
expect 0 arctool info --json set.001
mv out info.json
python3 - <<'P'
import glob, json, os, stat
s = json.load(open("summary.json"))
seen, count = set(), {"file": 0, "dir": 1, "link": 0, "other": 0, "hard": 0}
total = 0


def visit(fd):
    global total
    for name in os.listdir(fd):
        st = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if stat.S_ISDIR(st.st_mode):
            count["dir"] += 1
            child = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
            visit(child)
            os.close(child)
        elif st.st_ino in seen:
            count["hard"] += 1
        else:
            seen.add(st.st_ino)
            kind = ("link" if stat.S_ISLNK(st.st_mode) else "file"
                    if stat.S_ISREG(st.st_mode) else "other")
            count[kind] += 1
            total += st.st_size if kind == "file" else 0


visit(os.open("src", os.O_RDONLY))
assert s["files"] == count["file"], (s, count)
assert s["directories"] == count["dir"], (s, count)
assert s["symlinks"] == count["link"] and s["others"] == count["other"]
assert s["hardlinks"] == count["hard"], (s, count)
assert s["bytes_in"] == total, (s, total)
volumes = glob.glob("set.*")
assert s["volumes"] == len(volumes) > 1
assert s["bytes_out"] == sum(map(os.path.getsize, volumes))
codecs = s["codecs"].values()
assert set(s["codecs"]) == {"raw", "lz4"}, s["codecs"]
assert s["frames"] == sum(c["frames"] for c in codecs)
assert abs(sum(c["percent"] for c in codecs) - 100) < 0.01
assert s["stream_bytes"] == sum(c["raw"] for c in codecs)
stored = sum(c["stored"] for c in codecs)
assert s["bytes_out"] == (stored + s["index_bytes"] + 64 * len(volumes) + 128)
assert abs(s["reduction_percent"] - 100 * (1 - s["bytes_out"] / total)) < 0.01
assert s["problems"] == 0
P

# For people.
expect 0 mkarchive --no-sync --force -v -c lz4 -F 1M -s 2M src set
contains out '^files  *[0-9]' '^directories  *[0-9]' \
	'^duplicates  *[0-9]*, [0-9]* bytes saved' \
	'^frames  *[0-9]* (raw [0-9]*, [0-9.]* %; lz4 [0-9]*, [0-9.]* %)' \
	'^in  *[0-9]* bytes' '^out  *[0-9]* bytes in [0-9]* volumes' \
	'^reduction  *[0-9.]* %' '^time  *[0-9.]* s, [0-9.]* MB/s' \
	'^same size ' '^hashed '

# What does not shrink grows by 0.15 % at most.
mkdir random
random_file random/file 20000000 2
for codec in raw lz4 lz4hc lzext3 zstd auto; do
	expect 0 mkarchive -q --no-sync --force -c $codec random set
	n=$(cat set.* | wc -c)
	[ $n -le $((20000000 + 20000000 / 1000 * 15 / 10 + 1000)) ] ||
		fail "$codec: $n bytes"
done

# A higher level is never larger.
mkdir text
python3 - <<'P'
import random
r = random.Random(3)
words = [bytes(r.choices(b"etaoinshrdlu", k=r.randrange(2, 9)))
         for _ in range(3000)]
with open("text/file", "wb") as f:
    f.write(b" ".join(r.choices(words, k=400000)))
P
last=999999999
for level in 1 4 6 9; do
	expect 0 mkarchive -q --no-sync --force -l $level text set
	n=$(cat set.* | wc -c)
	[ $n -le $last ] || fail "level $level: $n bytes after $last"
	last=$n
done
