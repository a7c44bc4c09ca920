#!/bin/bash
# --verify finds every way in which a finished archive is not what the source
# is, names what changed meanwhile as such, and takes nothing from either.
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/moment_helpers"

# NAME... : numbers of the summary in out, one a line
figures()
{
	python3 -c 'import json, sys
s = json.load(open("out"))
print(*(s[k] for k in sys.argv[1:]), sep="\n")' "$@"
}

# The summary in out has them so.
has_figures() # "NAME..." "VALUE..."
{
	[ "$(figures $1 | tr '\n' ' ')" = "$2 " ] ||
		fail "$1: $(figures $1 | tr '\n' ' ')instead of $2"
}

# ---- all is well ------------------------------------------------------------

"$tests/maketree" --small src 2>notes
setfattr -n user.some -v thing src/sizes 2>/dev/null || true
entries=$("$tests/comparetree" --list src | wc -l)
for options in "-j 1" "-j 3 -c raw -F 64K -s 1M" "-c zstd --digest sha256"; do
	expect 0 mkarchive --no-sync --force --json --verify $options src set
	has_figures "verified differences problems removed not_removed" \
		"$entries 0 0 0 0"
done
expect 0 mkarchive --no-sync --force --verify src set
contains out "^verified  *$entries entries, [0-9]* bytes compared, 0 differ"
expect 0 arctool verify -q set.001
# Without it nothing is said about it.
expect 0 mkarchive --no-sync --force src set
lacks out verified

# One file, by a link too, and one that has the name of an archive.
tar cf one.tar -C src sizes
ln -s one.tar link
for one in "src/sizes/text9" "link --as-file" "one.tar --as-file"; do
	expect 0 mkarchive --no-sync --force --json --verify $one set
	has_figures "verified differences problems" "2 0 0"
done

# What a list names, whatever else is there, and nothing of it.
printf 'sizes/text9\nmodes\nhardlinks/z/c\nhardlinks/a\n' >list
expect 0 mkarchive --no-sync --force --json --verify --files-from list src set
has_figures "verified differences problems" "8 0 0"
expect 0 mkarchive --no-sync --force --json --verify --files-from /dev/null \
	src set
has_figures "verified differences problems" "1 0 0"

# What is left out on purpose is not missed, nor are the volumes themselves.
mkdir -p small/out
echo a >small/a
echo b >small/b.o
expect 0 mkarchive --no-sync --json --verify --exclude '*.o' small small/out/set
has_figures "verified differences problems" "3 0 0"
expect 0 mkarchive --no-sync --json --verify small small/set
has_figures "verified differences problems" "5 0 0"
rm small/set.*

# Data and holes on both sides, in pieces.
long_file() # FOLDER [AT...]: with an x at each of these
{
	mkdir $1
	python3 - "$@" <<'P'
import sys
with open(sys.argv[1] + "/file", "wb") as f:
    f.truncate(1 << 36)
    for at in 0, 5 << 20, 300 << 20, 1 << 35, (1 << 36) - 4096:
        f.seek(at)
        f.write(b"%20d" % at * 200)
    f.seek(600 << 20)
    for i in range(40):
        f.write(b"%16d" % i * 65536)
    for at in sys.argv[2:]:
        f.seek(int(at))
        f.write(b"x")
P
	touch -d @1000000000 $1/file $1
}
long_file long
expect 0 mkarchive --no-sync --json --verify --digest none long longset
has_figures "verified differences problems" "2 0 0"
rm longset.*
# One byte otherwise: far behind, in a hole of the source, at the very end, in a
# hole of the archive.
expect 0 mkarchive -q --no-sync --digest none long long
for at in $((635 << 20)) $((1 << 30)) $(((1 << 36) - 1)); do
	long_file other $at
	expect 0 mkarchive -q --no-sync --digest none other other
	expect 1 at_written "cp other.001 longset.001" \
		mkarchive --no-sync --json --verify --digest none long longset
	contains err 'long/file: its content differs'
	has_figures "verified problems" "1 1"
	rm longset.*
	expect 1 at_written "cp long.001 longset.001" \
		mkarchive -q --no-sync --verify --digest none other longset
	contains err 'other/file: its content differs'
	rm -r other other.* longset.*
done
rm -r long long.*

# What comes but once: the checksums.
expect 0 mkarchive --no-sync --force --verify one.tar set
contains err 'but once'
contains out '^verified  *the checksums of [1-9][0-9]* bytes, 0 differences'
tar cf - -C src sizes >one
expect 0 mkarchive --no-sync --force --verify - set <one
contains err 'but once'

# ---- the archive is damaged before it is read back --------------------------

export -f flip flip_content fail
expect 1 at_written "flip_content set src/sizes/random9 4" \
	mkarchive --no-sync --force --json --verify -c raw src set
contains err 'sizes/random9: cannot be read from the archive'
[ "$(figures differences | head -n 1)" -ge 1 ] || fail "no difference"
lacks err 'duplicates/near'
[ -e set.001 ] || fail "the set is gone"

# In the index: the last volume's end is the footer, before it the top root.
for back in 300 1500 6000; do
	expect 1 at_written "flip set.001 $(($(stat -c %s set.001) - back))" \
		mkarchive --no-sync --force --verify -c raw src set
	contains err set
done
# A volume that vanished, one that is not ours.
expect 1 at_written "rm set.002" \
	mkarchive -q --no-sync --force --verify -c raw -s 1M src set
contains err 'set\.002'
expect 1 at_written "cp set.001 set.002" \
	mkarchive -q --no-sync --force --verify -c raw -s 1M src set
contains err 'set\.002'
expect 1 at_written "rm set.*" mkarchive -q --no-sync --force --verify src set
contains err 'finished, but could not be compared'
expect 1 at_written "flip_content set src/sizes/random9 4" \
	mkarchive --no-sync --force --verify -c raw one.tar set
contains err 'offset .*: segment'

# ---- the archive is whole, and of something else ----------------------------

# Makes the trees one and other, equal but for what COMMAND does, and the set
# other.001 of the second. Times are equal in both.
make_other() # "COMMAND"
{
	rm -rf one other other.0*
	mkdir -p one/dir/inner
	for name in content size mode owner time links-a type missing \
		attributes dir/inner/file; do
		echo "$name" >one/$name
	done
	ln one/links-a one/links-b
	cp one/links-a one/links-c
	ln -s target one/symlink
	mkfifo one/fifo
	truncate -s 1M one/hole
	find one -depth -exec touch -h -d @1000000000 {} +
	cp -a one other
	eval "$1"
	find other -depth -exec touch -h -d @1000000000 {} +
	[ "$1" != "touch other/time" ] || touch -d @1000000001 other/time
	touch -d @1000000000 other
	expect 0 mkarchive -q --no-sync other other
}

# The set of the other tree is put in the place of the one that was made.
differs_in() # "COMMAND" PATTERN
{
	make_other "$1"
	expect 1 at_written "cp other.001 set.001" \
		mkarchive --no-sync --force --json --verify one set
	contains err "$2"
	[ "$(figures differences)" -ge 1 ] || fail "no difference: $1"
	lacks err 'not verified'
	same_trees keep one
}

make_other :
cp -a one keep
expect 0 at_written "cp other.001 set.001" \
	mkarchive -q --no-sync --force --verify one set
differs_in 'printf Content\\n >other/content' 'content: its content differs'
differs_in 'echo longer >other/size' 'size: its size differs'
differs_in 'chmod 600 other/mode' 'mode: its mode differs'
differs_in 'rm other/type; mkdir other/type' 'type: its type differs'
differs_in 'rm other/missing' 'missing: is missing in the archive'
differs_in 'echo more >other/more' 'more: stands in the archive'
differs_in 'ln -sf targes other/symlink' 'symlink: its target differs'
differs_in 'rm other/links-b; cp -a other/links-a other/links-b' \
	'links-b: its hard links differ'
differs_in 'ln -f other/links-a other/links-c' 'links-c: its hard links differ'
differs_in 'printf x | dd of=other/hole bs=1 seek=500000 conv=notrunc \
	status=none' 'hole: its content differs'
differs_in 'echo dir/inner/File >other/dir/inner/file' 'inner/file: its content differs'
differs_in 'rm -r other/dir/inner' 'dir/inner: is missing'
if [ "$(id -u)" = 0 ]; then
	differs_in 'chown 77 other/owner' 'owner: its owner differs'
	differs_in 'chown :77 other/fifo' 'fifo: its owner differs'
	differs_in 'rm other/fifo; mknod other/fifo c 1 3' 'fifo: its type'
fi
if setfattr -n user.x -v y keep/attributes 2>/dev/null; then
	setfattr -x user.x keep/attributes
	differs_in 'setfattr -n user.x -v y other/attributes' \
		'attributes: its attributes differ'
fi
differs_in 'touch other/time' 'time: its time differs'

# ---- the source changes meanwhile -------------------------------------------

# "COMMAND" PATTERN...: named as changed, and no fault of the archive
changes()
{
	make_other :
	expect 1 at_written "$1" \
		mkarchive --no-sync --force --json --verify one set
	[ "$(figures differences)" = 0 ] || fail "a difference: $1"
	shift
	contains err "$@"
	expect 0 arctool verify -q set.001
}
changes 'echo later >>one/content' 'content: changed since it was archived'
changes 'printf Content\\n >one/content' 'content: changed since'
changes 'rm one/content' 'content: vanished' 'one: changed since'
changes 'chmod 600 one/mode' 'mode: changed since'
changes 'rm one/links-a' 'links-a: vanished' 'links-b: changed since'
changes 'mv one/dir/inner one/dir/moved' 'dir/inner: vanished' \
	'dir/moved: is not in the archive'
changes 'mv one/dir one/away; ln -s away one/dir' 'dir: changed since' \
	'away: is not in the archive'
changes 'echo new >one/dir/new' 'dir: changed since' \
	'dir/new: is not in the archive'
changes 'rm -r one/*' 'content: vanished'
changes 'rm -r one' 'one: changed since'
