#!/bin/bash
# Files of equal content cost one copy; nearly equal ones stay what they are;
# what is alone in its size is not read for the search.
. "$(dirname "$0")/tool_helpers"

bytes_of() # SET
{
	cat "$1".[0-9]* | wc -c
}

# A hundred copies cost one, in folders, last in order and first.
mkdir -p copies/z/y one
random_file one/file 2000000 1
for i in $(seq 50); do
	cp one/file copies/$i
	cp one/file copies/z/y/$i
done
expect 0 mkarchive --no-sync one one-set
expect 0 mkarchive --no-sync --json "$work/copies" copies-set
python3 - <<'P'
import json
j = json.load(open("out"))
d = j["dedup"]
assert d["duplicates"] == 99, d
assert d["duplicate_bytes"] == 99 * 2000000, d
assert d["same_size"] == d["same_first"] == d["same_last"] == 100, d
assert d["same_centre"] == d["same_hash"] == 100, d
assert j["bytes_in"] == 100 * 2000000
assert j["read_files"] == 1, j
P
[ $(($(bytes_of copies-set) - $(bytes_of one-set))) -lt 20000 ] ||
	fail "a hundred copies cost more than one"
expect 0 arctool extract -q copies-set.001 dest
same_trees copies dest

# Near-duplicates, caught by one stage after the other.
mkdir near
random_file near/base 100001 2
python3 - <<'P'
base = open("near/base", "rb").read()
n = len(base)
for name, at in (("first0", 0), ("first1", 1), ("last1", n - 1),
                 ("last2", n - 2), ("centre0", n // 2), ("other", n // 3),
                 ("other2", 2), ("other3", n - 3)):
    b = bytearray(base)
    b[at] ^= 1
    open("near/" + name, "wb").write(b)
open("near/shorter", "wb").write(base[:-1])
P
expect 0 mkarchive --no-sync --json near near-set
python3 - <<'P'
import json
d = json.load(open("out"))["dedup"]
assert d["same_size"] == 9 and d["same_first"] == 7, d
assert d["same_last"] == 5 and d["same_centre"] == 4, d
assert d["hashed"] == 4 and d["same_hash"] == d["duplicates"] == 0, d
P
rm -rf dest
expect 0 arctool extract -q near-set.001 dest
same_trees near dest

# What is alone in its size is opened once, for packing.
if strace -o trace true 2>/dev/null; then
	mkdir alone
	for i in $(seq 20); do
		random_file alone/$i $((1000 + i)) $i
	done
	# A sanitizer cannot look for leaks under a tracer.
	ASAN_OPTIONS=detect_leaks=0 expect 0 strace -f -e trace=openat,open -o trace mkarchive -q \
		--no-sync -j 1 alone alone-set
	for i in $(seq 20); do
		n=$(grep -c "\"$i\"" trace || true)
		[ "$n" = 1 ] || fail "alone/$i was opened $n times"
	done
fi

# Links are no duplicates; empty files neither.
mkdir links
echo linked >links/a
ln links/a links/b
: >links/empty1
: >links/empty2
expect 0 mkarchive --no-sync --json links links-set
python3 - <<'P'
import json
j = json.load(open("out"))
assert j["dedup"]["duplicates"] == 0 and j["hardlinks"] == 1, j
assert j["files"] == 3, j
P
