#!/bin/bash
# --order: other places in the stream, the same tree; two versions of a file come
# together where the order says so.
. "$(dirname "$0")/tool_helpers"

"$tests/maketree" --small src 2>notes
mkdir -p src/old/deep src/new/deep src/noise
python3 - <<'P'
import random
r = random.Random(5)


def put(name, data):
    with open("src/" + name, "wb") as f:
        f.write(data)


# Versions 6 MiB apart in the walk, noise but for a few bytes that differ.
for i in range(24):
    data = bytearray(r.randbytes(100000))
    put("old/deep/%02d.dat" % i, data)
    for at in range(500, 100000, 9000):
        data[at] ^= 1
    put("new/deep/%02d.dat" % i, data)
for i in range(24):
    put("noise/%02d" % i, r.randbytes(200000 - 7000 * (i % 9)))
P
cp src/old/deep/03.dat src/a-copy
cp src/noise/05 src/zz-copy
ln src/old/deep/04.dat src/a-link
ln src/noise/06 src/zz-link

# ORDER OPTION...: archives, compares what comes back; n: bytes of all frames
archive()
{
	local order=$1

	shift
	expect 0 mkarchive -q --no-sync --force --order=$order "$@" src set
	expect 0 arctool verify -q set.001
	rm -rf dest
	expect 0 arctool extract set.001 dest
	same_trees src dest
	expect 0 arctool info --json set.001
	n=$(python3 -c 'import json; print(json.load(open("out"))["stored_bytes"])')
}

archive walk -l 3
walk=$n
! grep -q '"order"' out || fail "walk is recorded"
cat set.* | cksum >one
expect 0 mkarchive -q --no-sync --force -l 3 src set
cat set.* | cksum | cmp - one || fail "walk is not the default"
for order in path revpath size similarity; do
	archive $order -l 3
	grep -q "\"order\": \"$order\"" out || fail "$order is not recorded"
	eval "$order=$n"
done
# 2.4 MB of versions are there twice, or once but where a border of 1M is between.
for order in walk path; do
	[ ${!order} -ge $((revpath + 1000000)) ] ||
		fail "$order: ${!order}, revpath $revpath"
	[ ${!order} -ge $((similarity + 1000000)) ] ||
		fail "$order: ${!order}, similarity $similarity"
done

expect 0 mkarchive --json --no-sync --force --order=similarity src set
python3 -c 'import json
assert json.load(open("out"))["similar"] >= 23' || fail "what is similar"

# Threads change nothing, readers ahead neither.
for order in path revpath size similarity; do
	expect 0 mkarchive -q --no-sync --force --order=$order -F 256K -l 1 \
		-j 1 --set NUM_READERS=0 --set NUM_IO_WORKERS=1 src set
	cat set.* | cksum >one
	expect 0 mkarchive -q --no-sync --force --order=$order -F 256K -l 1 \
		-j 4 --set NUM_READERS=7 src set
	cat set.* | cksum | cmp - one || fail "$order: threads change it"
done

# One file; nothing; a folder of none.
mkdir empty
echo hello >empty.txt
for order in path revpath size similarity; do
	for what in empty empty.txt; do
		expect 0 mkarchive -q --no-sync --force --order=$order $what set
		expect 0 arctool verify -q set.001
	done
done

# What comes but once has its own order.
expect 2 mkarchive --order=sideways src set
contains err "'sideways' is not walk, path, revpath, size or similarity"
tar -C src -cf src.tar .
expect 2 mkarchive --order=size - set2 <src.tar
contains err 'stored in the order in which it comes'
expect 2 mkarchive --order=size --files-from=/dev/null src set2
expect 2 mkarchive --order=size src.tar set2
contains err 'stored in the order in which it comes'
expect 0 mkarchive -q --no-sync --order=walk src.tar set2
