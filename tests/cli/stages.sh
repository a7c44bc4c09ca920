#!/bin/bash
# What every stage of a run has taken is told, and adds up: one large file, a
# few of middle size, many small ones, a stream.
. "$(dirname "$0")/tool_helpers"

# NAME OPTION...: a run over the folder NAME, its figures in NAME.json
run()
{
	local name=$1

	shift
	expect 0 mkarchive --no-sync --force --json -l 1 -F 1M "$@" \
		"$name" "$name-set"
	mv out "$name.json"
}

mkdir -p many/{a,b} few one
random_file one/large 12288000 1
truncate -s 20000000 one/large
for i in 1 2 3; do
	random_file few/$i $((i * 1500000)) $i
done
cp few/1 few/copy
python3 - <<'P'
for i in range(900):
    with open("many/%s/%d" % ("ab"[i % 2], i), "w") as f:
        f.write("%d is one of many\n" % i * (i % 30))
P
ln many/a/10 many/b/link
ln -s ../a many/b/symlink
mkfifo many/fifo
run one -j 3
run few -j 1
run many -j 2
tar -cf stream.tar many
mv stream.tar stream
run stream --unpack -j 2

cat >check.py <<'P'
import json, sys
MB = 1 << 20


def near(a, b):
    assert abs(a - b) <= 1e-3 * max(abs(a), abs(b), 1e-3), (a, b)


def check_usage(u, cores):
    near(u["cpu_percent"], 100 * u["cpu_seconds"] / u["seconds"] / cores)
    near(u["files_per_second"], u["files"] / u["seconds"])
    for what in "read", "written":
        near(u[what + "_mb_per_second"],
             u[what + "_bytes"] / MB / u["seconds"])


def check(name, threads):
    j = json.load(open(name + ".json"))
    stages, whole = j["stages"], j["all"]
    assert list(stages) == (["pack", "index"] if name == "stream" else
                            ["scan", "dedup", "pack", "index"]), stages
    for u in [whole] + list(stages.values()):
        check_usage(u, j["cores"])
    for figure in "seconds", "cpu_seconds", "disk_read_bytes":
        assert sum(u[figure] for u in stages.values()) <= \
            whole[figure] + 1e-6, (figure, j)
    for figure in "files", "read_bytes", "written_bytes":
        assert sum(u[figure] for u in stages.values()) == whole[figure], j
    near(j["seconds"], whole["seconds"])
    near(j["mb_per_second"], j["bytes_in"] / MB / whole["seconds"])
    assert whole["written_bytes"] == j["bytes_out"]
    assert stages["index"]["written_bytes"] >= j["index_bytes"]
    assert stages["pack"]["written_bytes"] >= \
        sum(c["stored"] for c in j["codecs"].values())
    assert j["threads"] == threads
    assert 0 < j["peak_rss_bytes"] < 1 << 30, j["peak_rss_bytes"]
    if name == "stream":
        return
    listed = (j["files"] + j["directories"] + j["symlinks"] + j["others"] +
              j["hardlinks"])
    assert stages["scan"]["files"] == listed
    assert stages["index"]["files"] == listed - 1  # the root has no name
    assert stages["scan"]["read_bytes"] == 0
    assert stages["pack"]["read_bytes"] == j["read_bytes"] - j["held_bytes"]
    assert stages["pack"]["files"] == j["read_files"] - j["held_files"]
    # Nobody reads ahead where there is nothing to be read ahead.
    if name in ("one", "few"):
        assert j["reader_threads"] == 0, j
    assert j["reader_threads"] <= 8, j
    # What is small and may have an equal one is read once.
    if name == "many":
        assert j["read_files"] >= j["held_files"] > 800, j
        assert stages["dedup"]["read_bytes"] >= j["held_bytes"], j
    if name == "one":
        assert stages["dedup"]["files"] == 0, j
        assert stages["pack"]["read_bytes"] == 12288000, j


for name, threads in ("one", 3), ("few", 1), ("many", 2), ("stream", 2):
    check(name, threads)
P
python3 check.py

# For people: a line for each stage, why so many threads, and the memory.
expect 0 mkarchive --no-sync --force -v -j 2 many many-set
contains out '^stage .*CPU %.*files/s.*read MB/s.*write MB/s' \
	'^scan  *[0-9.]* ' '^dedup ' '^pack ' '^index ' '^all ' \
	'^CPU %  *of [0-9]* cores, 2 threads that compress' \
	'^peak memory  [0-9]* MB'
contains err '2 threads compress' 'up to 1M'
expect 0 mkarchive --no-sync --force many many-set
! grep -q '^stage\|^peak' out || fail "stages without being asked for"

# What was held in memory is what the files had.
expect 0 arctool extract -q many-set.001 dest
same_trees many dest
