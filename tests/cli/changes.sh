#!/bin/bash
# A source that changes while it is read: what changed is named, the rest is
# exact, the archive is whole, the exit status is 1.
. "$(dirname "$0")/tool_helpers"

# Whether process PID has FILE open; forks nothing, so that it is quick.
has_open() # PID FILE
{
	local fd

	for fd in /proc/$1/fd/*; do
		[ "$fd" -ef "$2" ] && return 0
	done
	return 1
}

# Starts mkarchive and stops it while it reads FILE (frames are small and take
# their time; nothing is read before its turn): $pid. False when it was not seen
# in time.
stop_at() # FILE
{
	rm -f set.*
	mkarchive -q --no-sync -j 1 -F 64K -c lz4hc -l 9 --set NUM_READERS=0 \
		src set 2>said &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		has_open $pid "src/$1" || continue
		kill -STOP $pid 2>/dev/null || break
		has_open $pid "src/$1" && return 0
		kill -CONT $pid
	done
	wait $pid || true
	return 1
}

# Stops mkarchive while it reads FILE, runs CHANGE, lets it go on. On a busy
# machine the moment can be missed: nothing has been changed then, so it is
# tried again.
# FILE CHANGE: status in $status, messages in said
archive_while()
{
	local file=$1 change=$2 pid tries=0

	until stop_at "$file"; do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || fail "$file was not seen open"
	done
	$change
	kill -CONT $pid
	status=0
	wait $pid || status=$?
	expect 0 arctool verify -q set.001
	rm -rf dest
	expect 0 arctool extract -q set.001 dest
}

make_source()
{
	rm -rf src keep
	mkdir src
	python3 - <<'P'
import random
r = random.Random(3)
words = [r.randbytes(r.randrange(3, 12)) for _ in range(5000)]
with open("src/a-large", "wb") as f:
    for _ in range(60):
        f.write(b"".join(r.choice(words) for _ in range(15000)))
names = "m-stays z-cut z-grows z-removed z-replaced z-same-size z-unchanged"
for i, name in enumerate(names.split()):
    with open("src/" + name, "wb") as f:
        f.write(r.randbytes(300000 + i * 10000))
P
	cp -a src keep
}

unchanged() # NAME...
{
	local name

	for name; do
		cmp keep/$name dest/$name || fail "$name is not exact"
		lacks said "$name"
	done
}

change_others()
{
	truncate -s 100000 src/z-cut
	random_file more 50000 8
	cat more >>src/z-grows
	rm src/z-removed
	random_file other 340000 9
	mv other src/z-replaced
	printf changed | dd of=src/z-same-size conv=notrunc status=none
}

make_source
archive_while a-large change_others
[ $status = 1 ] || fail "exit $status instead of 1"
contains said z-cut z-grows z-removed z-replaced z-same-size
unchanged a-large m-stays z-unchanged
[ ! -e dest/z-removed ] || fail "what was removed is there"
# What is stored under a name was read from it: a state it had.
[ ! -e dest/z-cut ] || cmp dest/z-cut src/z-cut ||
	fail "z-cut is what it never was"
[ ! -e dest/z-same-size ] || cmp dest/z-same-size src/z-same-size ||
	cmp dest/z-same-size keep/z-same-size ||
	fail "z-same-size is what it never was"
[ ! -e dest/z-grows ] || cmp -n "$(stat -c %s dest/z-grows)" dest/z-grows \
	src/z-grows || fail "z-grows is what it never was"
[ ! -e dest/z-replaced ] || cmp dest/z-replaced src/z-replaced ||
	cmp dest/z-replaced keep/z-replaced || fail "z-replaced is a mixture"

# The file that is being read.
cut_large()
{
	truncate -s 3000000 src/a-large
}
make_source
archive_while a-large cut_large
[ $status = 1 ] || fail "exit $status instead of 1"
contains said a-large
unchanged m-stays z-cut z-grows z-unchanged

grow_large()
{
	random_file more 500000 10
	cat more >>src/a-large
}
make_source
archive_while a-large grow_large
[ $status = 1 ] || fail "exit $status instead of 1"
contains said a-large
unchanged m-stays z-cut z-grows z-unchanged
cmp -n "$(stat -c %s keep/a-large)" dest/a-large keep/a-large ||
	fail "the old part of a-large is wrong"

# The first of several duplicates changes after they were compared.
change_leader()
{
	printf changed | dd of=src/n-first conv=notrunc status=none
}
make_source
random_file src/n-first 200000 11
cp src/n-first src/n-second
cp src/n-first src/z-third
cp -a src/n-* src/z-third keep
archive_while a-large change_leader
[ $status = 1 ] || fail "exit $status instead of 1"
contains said n-first
unchanged n-second z-third m-stays
[ ! -e dest/n-first ] || cmp dest/n-first src/n-first ||
	cmp dest/n-first keep/n-first || fail "n-first is what it never was"

# What cannot be read is named and left out; the rest is there.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	rm -rf src
	mkdir -p src/closed
	echo readable >src/file
	echo secret >src/secret
	ln src/secret src/secret-too
	echo inside >src/closed/inside
	chmod 700 src/closed
	chmod 600 src/secret
	chmod 755 "$work" src
	mkdir -m 777 open
	expect 1 setpriv --reuid 65534 --regid 65534 --clear-groups \
		mkarchive --no-sync src open/set
	contains err 'secret.*[Pp]ermission' 'closed.*[Pp]ermission'
	contains out '^problems     3 '
	# The summary counts what is stored.
	contains out '^files  *1$' '^directories  *2$' ' 0 further hard links' \
		'^in  *9 bytes'
	expect 0 arctool extract open/set.001 unread
	[ "$(find unread -printf '%P ' | tr ' ' '\n' | sort | tr '\n' ' ')" = \
		" closed file " ] || fail "not the rest: $(ls -R unread)"
	# Of a single file there is no rest.
	expect 3 setpriv --reuid 65534 --regid 65534 --clear-groups \
		mkarchive --no-sync src/secret open/single
	contains err 'secret.*[Pp]ermission'
	[ ! -e open/single.001 ] || fail "an archive of nothing"
fi
