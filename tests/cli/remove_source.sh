#!/bin/bash
# --remove-source removes what was verified and nothing that there is any doubt
# about, whatever happens at any moment.
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/moment_helpers"

# FOLDER: what is in it, sorted, in one line
in_folder()
{
	(cd "$1" && find . -mindepth 1 | sort | sed 's/^..//' | tr '\n' ' ')
}

stay() # FOLDER "NAME NAME..."
{
	[ "$(in_folder "$1")" = "$2${2:+ }" ] ||
		fail "in $1: $(in_folder "$1"), not $2"
}

figure() # NAME: of the summary in out
{
	python3 -c 'import json, sys
print(json.load(open("out"))[sys.argv[1]])' "$1"
}

# The set in the place of a fresh one.
archive()
{
	rm -f set.*
	mkarchive --json --remove-source "$@"
}

# ---- everything is well -----------------------------------------------------

"$tests/maketree" --small keep 2>notes
"$tests/maketree" --small src 2>notes
expect 0 archive -s 1M src set
stay src ""
entries=$("$tests/comparetree" --list keep | wc -l)
[ "$(figure removed)" = $((entries - 1)) ] || fail "$(figure removed) removed"
[ "$(figure removed_bytes)" = "$(figure bytes_in)" ] || fail "bytes"
[ "$(figure not_removed)" = 0 ] || fail "$(figure not_removed) kept"
expect 0 arctool extract -q set.001 dest
same_trees keep dest
rm -rf dest keep

# What people see.
make()
{
	rm -rf src elsewhere set.* dest
	mkdir -p src/a/b/c src/d src/e elsewhere
	for name in 1 a/2 a/b/3 a/b/c/4 d/5 e/6 e/7; do
		echo "file $name" >src/$name
	done
	echo outside >elsewhere/4
}
make
expect 0 mkarchive --remove-source src set
contains out '^verified  *13 entries, 67 bytes compared, 0 differences$' \
	'^removed  *12 entries, 67 bytes; 0 entries stay$'
stay src ""
make
expect 0 mkarchive -q --remove-source --as-file src/1 set
stay src "a a/2 a/b a/b/3 a/b/c a/b/c/4 d d/5 e e/6 e/7"
expect 0 arctool extract -q set.001 dest
stay dest 1

# The set lies in the source.
make
expect 0 mkarchive -q --remove-source src src/d/set
stay src "d d/set.001"
expect 0 arctool extract -q src/d/set.001 dest
stay dest "1 a a/2 a/b a/b/3 a/b/c a/b/c/4 d d/5 e e/6 e/7"

# ---- what is refused --------------------------------------------------------

make
tar cf src/t.tar elsewhere
ln -s 1 src/link
random_file src/large 300000 1
cp -a src before
expect 2 mkarchive --remove-source --no-sync src set
contains err 'no-sync'
expect 2 mkarchive --remove-source - set <src/t.tar
expect 2 mkarchive --remove-source --stdin-name x - set <src/t.tar
contains err 'cannot be compared'
expect 2 mkarchive --remove-source src/t.tar set
contains err 't.tar cannot be compared.*as-file'
expect 2 mkarchive --remove-source --unpack src/1 set
expect 2 mkarchive --remove-source src/link set
contains err 'symbolic link'
mkfifo fifo
echo x >fifo &
expect 2 mkarchive --remove-source fifo set
# No archive, no removal.
expect 3 mkarchive --remove-source src /nonexistent/set
expect 3 bash -c 'ulimit -f 8; mkarchive -q --remove-source src set'
rm -f set.*
[ ! -e set.001 ] || fail "something was archived"
same_trees before src
rm -rf before

# ---- the archive is not as it should be: nothing at all goes ----------------

# COMMAND: happens to the finished set
nothing_goes()
{
	make
	cp -a src before
	expect 1 at_written "$1" \
		mkarchive --json --remove-source -c raw src set
	[ "$(figure removed)" = 0 ] && [ "$(figure not_removed)" = 12 ] ||
		fail "$(figure removed) removed after: $1"
	same_trees before src
	rm -rf before
}
mkdir other
echo other >other/1
mkarchive -q other other
export -f flip flip_content
nothing_goes 'flip_content set src/a/b/3 5'
contains err 'a/b/3' 'nothing was removed'
nothing_goes 'flip set.001 $(($(stat -c %s set.001) - 400))'
nothing_goes 'cp other.001 set.001'
nothing_goes 'rm set.001'

# Interrupted before the comparison has ended.
make
cp -a src before
expect 143 at_written 'kill -TERM $PPID' mkarchive --remove-source src set
contains err 'interrupted after the archive was finished'
same_trees before src
rm -rf before
expect 0 arctool verify -q set.001

# ---- a doubt about an entry: it stays, and its folders ----------------------

# COMMAND "WHAT STAYS" [PATTERN]: after COMMAND happened before the comparison
doubt()
{
	make
	expect 1 at_written "$1" \
		mkarchive --json --remove-source src set
	stay src "$2"
	[ -z "${3:-}" ] || contains err "$3"
	[ "$(cat elsewhere/4)" = outside ] || fail "elsewhere after: $1"
	expect 0 arctool verify -q set.001
}
doubt 'echo more >>src/a/b/3' "a a/b a/b/3" 'a/b/3: changed since'
doubt 'printf FILE | dd of=src/a/b/3 conv=notrunc status=none' "a a/b a/b/3"
doubt 'touch src/a/b/3' "a a/b a/b/3"
doubt 'chmod 600 src/a/b/c/4' "a a/b a/b/c a/b/c/4"
doubt 'echo new >src/e/8' "e e/8" 'e/8: is not in the archive'
doubt 'rm src/e/6' "e" 'e/6: vanished'
doubt 'chmod 700 src/a/b/c' "a a/b a/b/c" 'a/b/c: changed since'
doubt 'cp src/d/5 copy; mv copy src/d/5' "d d/5" 'd/5: changed since'
doubt 'mv src/a/b/c src/a/b/x; ln -s ../../../elsewhere src/a/b/c' \
	"a a/b a/b/c a/b/x a/b/x/4" 'a/b/c: changed since'
doubt 'mv src/a away; ln -s away src/a' "a" 'src/a: changed since'
[ "$(in_folder away)" = "2 b b/3 b/c b/c/4 " ] || fail "in away"
rm -rf away

# What was not archived: patterns, what cannot be read, attributes that the
# archive has no place for.
make
expect 0 archive --exclude 4 --exclude /e src set
stay src "a a/b a/b/c a/b/c/4 e e/6 e/7"
make
printf '%s\n' a/2 e >list
expect 0 archive --files-from list src set
stay src "1 a a/b a/b/3 a/b/c a/b/c/4 d d/5 e e/6 e/7"
make
if setfattr -n user.arcfs.x -v y src/a/2 2>/dev/null; then
	expect 1 archive src set
	stay src "a a/2"
	contains err 'a/2: not all of its attributes'
fi

# ---- between comparison and removal -----------------------------------------

# The files of a folder come before its subfolders; src/1 is the first that goes.
# COMMAND "WHAT STAYS" [PATTERN]
late()
{
	make
	expect 1 at_removal "$1" \
		mkarchive --json --remove-source src set
	stay src "$2"
	[ -z "${3:-}" ] || contains err "$3"
	[ "$(cat elsewhere/4)" = outside ] || fail "elsewhere after: $1"
}
late 'echo more >>src/a/b/3' "a a/b a/b/3" 'a/b/3: stays: it changed'
late 'touch src/a/b/3' "a a/b a/b/3"
late 'cp -a src/a/b/3 copy; mv copy src/a/b/3' "a a/b a/b/3"
late 'rm src/a/b/3; ln -s ../../../elsewhere/4 src/a/b/3' "a a/b a/b/3"
late 'rm src/a/b/3; mkdir src/a/b/3' "a a/b a/b/3"
late 'rm src/a/b/3' "" 'a/b/3: stays: it cannot be looked at again'
late 'mv src/a/b/c src/a/b/x; ln -s ../../../elsewhere src/a/b/c' \
	"a a/b a/b/c a/b/x a/b/x/4" 'a/b/c: stays: the folder is not'
late 'mv src/a/b/c src/a/b/x; cp -a elsewhere src/a/b/c' \
	"a a/b a/b/c a/b/c/4 a/b/x a/b/x/4" 'a/b/c: stays: the folder is not'
late 'chmod 700 src/a/b/c' "a a/b a/b/c" 'a/b/c: stays: the folder changed'
late 'mv src/a src/y' "y y/2 y/b y/b/3 y/b/c y/b/c/4" 'a: stays'
# The very name that is being removed, after the last look at it.
late 'echo x >x; mv x src/1' "1" '1: stays: it changed'
[ "$(cat src/1)" = x ] || fail "what was put there is not there"
late 'rm src/1; mkdir src/1; echo x >src/1/x' "1 1/x" '1: stays: it changed'
late 'echo more >>src/1' "1" '1: stays: it changed'
# What comes into a folder stays, and the folder with it; nobody complains.
make
expect 0 at_removal 'echo new >src/a/b/new' \
		mkarchive --json --remove-source src set
stay src "a a/b a/b/new"
[ "$(figure not_removed)" = 2 ] || fail "$(figure not_removed) kept"

# What we write to ourselves.
make
expect 1 bash -c 'mkarchive --remove-source --report src/report src set \
	>src/out 2>src/e/err'
stay src "e e/err out report"
[ "$(wc -l <src/report)" -ge 16 ] || fail "lines of the report are missing"

# What somebody is still writing to.
make
exec 9>>src/a/b/3
expect 1 archive src set
stay src "a a/b a/b/3"
contains err 'a/b/3: stays: another program has it open'
exec 9>&-
make
exec 9<src/a/b/3
expect 0 archive src set
stay src ""
exec 9<&-

# ---- links, mounts, rights --------------------------------------------------

# Names inside, and outside where they stay what they are.
make
ln src/a/2 src/a/b/also-2
ln src/a/2 src/e/also-2
ln src/1 elsewhere/1
ln -s nowhere src/symlink
ln src/symlink src/symlink-too 2>/dev/null || true
expect 0 archive src set
stay src ""
[ "$(cat elsewhere/1)" = "file 1" ] || fail "the name outside"
[ "$(figure removed_bytes)" = 67 ] || fail "bytes of links"
# One of several names changes what all are.
make
ln src/a/2 src/e/also-2
expect 1 at_removal 'chmod 600 src/e/also-2' \
		mkarchive --json --remove-source src set
stay src "a a/2 e e/also-2"

if [ "$(id -u)" = 0 ]; then
	make
	mkdir src/m src/a/m
	if mount -t tmpfs -o size=1M none src/m 2>/dev/null; then
		mounted=src/m
		echo mounted >src/m/8
		expect 0 archive -x src set
		stay src "m m/8"
		expect 0 archive src set
		stay src "m"
		echo mounted >src/m/8
		echo mounted >src/m/9
		touch -d @1000000000 src/m/* src/m
		mount -o remount,ro src/m
		rm -f set.*
		expect 1 mkarchive -q --remove-source src/m set
		contains err 'src/m/8: cannot be removed (Read-only'
		lacks err 'm/9'
		stay src "m m/8 m/9"
		umount src/m
		mounted=
	fi
fi

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	make
	chmod 600 src/d/5 src/1
	chmod 555 src/a/b
	chmod 700 src/e
	chown -R 65534:65534 src
	chown 0:0 src/d/5 src/e
	chmod 755 "$work"
	mkdir -m 777 open
	expect 1 setpriv --reuid 65534 --regid 65534 --clear-groups \
		mkarchive --json --remove-source src open/set
	chown -R 0:0 src
	stay src "a a/b a/b/3 a/b/c d d/5 e e/6 e/7"
	contains err 'd/5: cannot be opened' 'e: the directory cannot' \
		'a/b/3: cannot be removed' \
		'a/b/c: the folder cannot be removed'
fi
