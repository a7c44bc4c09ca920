#!/bin/bash
# Sources that come but once: memory is bounded, volumes appear while the input
# still flows, a pipe or standard input can be one file.
. "$(dirname "$0")/tool_helpers"

# Standard input as one file: the bytes decide what is stored, and nothing else.
random_file bytes 3000000 1
cat bytes | mkarchive -q --no-sync --stdin-name 'a name' - one
(sleep 1; cat bytes) | mkarchive -q --no-sync --stdin-name 'a name' - two
cmp one.001 two.001 || fail "the same bytes give another archive"
expect 0 arctool extract one.001 one.dest
cmp bytes "one.dest/a name"
[ "$(stat -c %a:%Y "one.dest/a name")" = 644:0 ] || fail "its metadata"
touch -d @1234567890 bytes
chmod 604 bytes
expect 0 mkarchive -q --no-sync --stdin-name redirected - red <bytes
expect 0 arctool extract red.001 red.dest
[ "$(stat -c %a:%Y red.dest/redirected)" = 604:1234567890 ] ||
	fail "a redirected file has its own metadata"
: | mkarchive -q --no-sync --stdin-name empty - nothing
expect 0 arctool extract nothing.001 nothing.dest
[ -f nothing.dest/empty ] && [ ! -s nothing.dest/empty ] || fail "an empty file"

# A named pipe is one file of its name, or an archive.
mkfifo pipe
cat bytes >pipe &
expect 0 mkarchive -q --no-sync pipe fifo
wait
expect 0 arctool extract fifo.001 fifo.dest
cmp bytes fifo.dest/pipe
tar c --format=posix bytes >t.tar
cat t.tar >pipe &
expect 0 mkarchive -q --no-sync --unpack pipe tar
wait
expect 0 arctool extract tar.001 tar.dest
cmp bytes tar.dest/bytes
expect 3 mkarchive -q --no-sync /dev/null null
contains err 'neither a directory nor a regular file'

# Volumes appear before the input ends.
appear() # NAME OPTION...
{
	local name=$1

	shift
	rm -f pipe
	mkfifo pipe
	mkarchive -q --no-sync -c raw -s 1M -F 64K -j 2 "$@" "$name" <pipe &
	exec 3>pipe
	head -c 2500000 t.tar >&3
	for i in $(seq 100); do
		[ ! -e "$name.001" ] || break
		sleep 0.1
	done
	[ -e "$name.001" ] || fail "no volume while the input flows: $*"
	expect 3 arctool info "$name.001"
	tail -c +2500001 t.tar >&3
	exec 3>&-
	wait $! || fail "exit $?: $*"
	expect 0 arctool verify -q "$name.001"
}
appear early -
appear alone --stdin-name x -
expect 0 arctool extract early.001 early.dest
cmp bytes early.dest/bytes

# Who writes into the pipe may write to its end, even behind the archive's.
(cat t.tar; head -c 1000000 /dev/zero; echo all >written) |
	mkarchive -q --no-sync - rest || fail "exit $?"
[ -e written ] || fail "the writer was ended"

# Memory does not depend on what comes: one file, an archive of one, the same
# contents again, many entries.
python3 - <<'P'
import io, os, resource, subprocess, sys, tarfile
MIB = 1 << 20
def feed(args, chunks):
    p = subprocess.Popen(["mkarchive", "-q", "--no-sync", "-l", "1", "-F", "1M",
                          "-j", "2", "--force"] + args, stdin=subprocess.PIPE)
    for chunk in chunks:
        p.stdin.write(chunk)
    p.stdin.close()
    _, status, usage = os.wait4(p.pid, 0)
    assert status == 0, (args, status)
    return usage.ru_maxrss // 1024
def header(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)
zeros = bytes(MIB)
end = bytes(1024)
def many(n):
    for i in range(n):
        yield header("d%03d/f%d" % (i % 1000, i), 5) + (b"%5d" % i).ljust(512, b"\0")
    yield end
def twice(n):
    for name in "one", "two":
        yield header(name, n * MIB)
        for i in range(n):
            yield zeros
    yield end
small = feed(["-", "small"], many(10))
limit = small + 96 # pages of temporary files are handed back now and then
# A sanitizer's own memory is not the program's.
import shutil
with open(shutil.which("mkarchive"), "rb") as f:
    text = f.read()
sanitized = b"__asan_init" in text or b"__tsan_init" in text
for args, chunks in (
        (["--stdin-name", "x", "-", "x"], (zeros for i in range(2048))),
        (["-", "y"], twice(256)),
        (["-", "m"], many(100000))):
    most = feed(args, chunks)
    print(args, small, "->", most, "MB")
    assert sanitized or most < limit, (args, small, most)
P
[ "$(arctool list --json y.001 | grep -c duplicate_of)" = 1 ] || fail "a duplicate"
