#!/bin/bash
# How lzext3 searches: more candidates, longer searches and larger tables make
# archives smaller, every one of them comes back, and what was asked for is
# recorded.
. "$(dirname "$0")/tool_helpers"

mkdir src
python3 - <<'P'
import random
r = random.Random(7)
calls = ["%s_%s" % (a, b) for a in "read write open close seek sync".split()
         for b in "block inode page table frame index queue".split()]
flags = ["none", "sync|direct", "append", "nowait|direct"]
t = 1000000
with open("src/log", "w") as f:
    for i in range(30000):
        t += r.randrange(1, 300)
        f.write("%d.%06d worker-%d: %s(object %08x, offset %d, flags %s) "
                "returned %d\n" % (
                    t // 1000000, t % 1000000, r.randrange(8),
                    r.choice(calls), r.getrandbits(32),
                    r.randrange(1 << 20) * 4096, r.choice(flags),
                    r.choice([0, 0, 0, -11, 4096])))
P

# OPTION...: sets n to the bytes of all frames
frame_bytes()
{
	expect 0 mkarchive -q --no-sync --force "$@" src set
	expect 0 arctool verify -q set.001
	expect 0 arctool info --json set.001
	n=$(python3 -c 'import json; print(json.load(open("out"))["stored_bytes"])')
}

# LEVEL OPTION VALUE...: each value gives less than the one before it
falling()
{
	local level=$1 option=$2 last=999999999 value

	shift 2
	for value; do
		frame_bytes -l $level $option $value
		[ $n -lt $last ] ||
			fail "-l $level $option $value: $n bytes after $last"
		last=$n
	done
}

for level in 3 6 9; do
	falling $level --hash-candidates 1 4 12
	falling $level --good-enough-match 16 256
	falling $level --hash-log 12 16 20
done
falling 1 --hash-log 12 14 16
falling 2 --hash-log 12 14 16

# The ends of what may be said.
for level in 1 9; do
	for option in --hash-log=24 --hash-candidates=64 \
		--good-enough-match=4 --good-enough-match=64K; do
		frame_bytes -l $level $option
	done
done
frame_bytes -c lzext3 -l 8 --hash-log 12 --hash-candidates 2 \
	--good-enough-match 20 --far 1
expect 0 arctool extract set.001 dest
same_trees src dest

# What was asked for is in the archive and in its id, nothing else is.
mv out noise
expect 0 arctool info --json set.001
mv out asked.json
frame_bytes
mv out plain.json
frame_bytes --far 1
mv out far.json
frame_bytes -c lzext3 --far 0
mv out none.json
frame_bytes --reach auto
mv out auto.json
frame_bytes --reach 16M
mv out reach.json
python3 - <<'P'
import json
asked, plain, far, none, auto, reach = [
    json.load(open(name + ".json"))
    for name in "asked plain far none auto reach".split()]
names = {"hash_log", "hash_candidates", "good_enough_match", "far"}
assert {k: asked["options"][k] for k in names} == {
    "hash_log": "12", "hash_candidates": "2", "good_enough_match": "20",
    "far": "1"}, asked["options"]
assert not names & plain["options"].keys(), plain["options"]
assert plain["options"]["codec"] == "lzext3", plain["options"]
assert plain["options"]["reach"] == str(1 << 20), plain["options"]
assert plain["options"]["level"] == "6", plain["options"]
assert list(plain["codecs"]) == ["lzext3"], plain["codecs"]
assert far["options"]["far"] == "1", far["options"]
assert auto["options"]["reach"] == "auto", auto["options"]
assert reach["options"]["reach"] == str(1 << 24), reach["options"]
assert none["id"] == plain["id"]
ids = [x["id"] for x in (asked, plain, far, auto, reach)]
assert len(set(ids)) == len(ids), ids
P
