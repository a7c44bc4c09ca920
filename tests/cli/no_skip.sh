#!/bin/bash
# What no codec shrinks is not tried: by its name, by what it looks like; a name
# that is wrong is overruled; --no-skip tries all of it.
. "$(dirname "$0")/tool_helpers"

mkdir src
python3 - <<'P'
import random
r = random.Random(1)
words = [bytes(r.choices(b"etaoinshrdlu", k=r.randrange(2, 9)))
         for _ in range(3000)]
text = b" ".join(r.choices(words, k=200000))[:1 << 20]


def put(name, data):
    with open("src/" + name, "wb") as f:
        f.write(data)


put("a.zip", r.randbytes(1 << 20))
put("b.JPG", r.randbytes(1 << 20))
put("c.bin", r.randbytes(1 << 20))
put("d.jpg", text)
put("e.txt", text[::-1])
# One byte in 64 is an A: a codec gains nothing, and only a name tells.
put("f.mp4", bytes(65 if i % 64 == 0 else x
                   for i, x in enumerate(r.randbytes(1 << 20))))
P

# OPTION...: archives src, checks it and reads the summary into $by_name,
# $as_noise and $n
archive()
{
	expect 0 mkarchive --json --no-sync --force "$@" src set
	read -r by_name as_noise n < <(python3 - out <<'P'
import json, sys
s = json.load(open(sys.argv[1]))
print(s["skipped_by_name"], s["skipped_as_noise"], s["bytes_out"])
P
	)
	expect 0 arctool verify -q set.001
}

for codec in lzext3 lz4 lz4hc zstd; do
	archive -c $codec
	# All of the three, but what they share a segment of 64K with.
	[ $by_name -ge 2900000 ] || fail "$codec: $by_name bytes by name"
	[ $as_noise -ge 900000 ] || fail "$codec: $as_noise bytes as noise"
	[ $((by_name + as_noise)) -le $((4 << 20)) ] ||
		fail "$codec: $by_name and $as_noise bytes"
	skipping=$n
	archive -c $codec --no-skip
	[ "$by_name $as_noise" = "0 0" ] || fail "$by_name $as_noise skipped"
	# Nothing was lost by it: 0.05 %, and 64K where pieces meet.
	[ $((skipping - n)) -le $((n / 2000)) ] ||
		fail "$codec: $skipping bytes, $n without skipping"
done

rm -rf dest
expect 0 arctool extract set.001 dest
same_trees src dest

# Recorded, also when the configuration says it.
expect 0 arctool info --json set.001
grep -q '"skip": "no"' out || fail "not recorded"
archive --set SKIP_COMPRESSED=no
expect 0 arctool info --json set.001
grep -q '"skip": "no"' out || fail "not recorded"
archive
expect 0 arctool info --json set.001
! grep -q '"skip"' out || fail "recorded"

# The same in a tar, whose names are seen as well.
tar -C src -cf src.tar .
expect 0 mkarchive --json --no-sync --force src.tar set
[ "$(python3 -c 'import json
print(json.load(open("out"))["skipped_by_name"] >= 2900000)')" = True ] ||
	fail "names in a tar"

# For people, and nothing changes with the threads.
expect 0 mkarchive -v --no-sync --force -F 256K -j 1 src set
contains out '^skipped  *[0-9]* bytes by name, [0-9]* by what they look like'
cat set.* | cksum >one
for profile in serial parallel; do
	for codec in lz4 lzext3; do
		[ $codec$profile != lz4parallel ] || continue
		option=
		[ $codec = lz4 ] || option=--profile=$profile
		for threads in 1 4; do
			expect 0 mkarchive -q --no-sync --force -F 256K \
				-c $codec $option -j $threads src set
			cat set.* | cksum >sum.$threads
		done
		cmp sum.1 sum.4 || fail "$codec $profile: threads"
	done
done
