#!/bin/bash
# --files-from: what a list names, in its order, while it comes.
. "$(dirname "$0")/tool_helpers"

"$tests/maketree" --small src 2>notes

# The list of all makes the archive of all, but for the order of the data.
mkarchive -q --no-sync src whole
(cd src && find . -mindepth 1 -print0 | sort -rz) >all
expect 0 mkarchive -q --no-sync --null --files-from all src list
[ ! -s err ] || fail "it said something: $(head -n 3 err)"
expect 0 arctool verify -q list.001
expect 0 arctool extract list.001 list.dest
same_trees --exact-holes src list.dest
chmod -R u+rwx list.dest
arctool list whole.001 >whole.txt
arctool list list.001 >list.txt
cmp whole.txt list.txt || fail "the list of everything lacks something"
mkarchive -q --no-sync -j 1 --null --files-from - src again <all ||
	fail "exit $? with the list on standard input"
cmp list.001 again.001 || fail "the same list gives another archive"

# The data stands in the order of the list.
mkdir order
for i in 1 2 3 4 5 6; do
	random_file order/f$i 70000 $i
done
cp order/f2 order/twin
printf 'f4\nf1\n./f6\ntwin\nf2\n/f4\nf5\n' >some
expect 0 mkarchive --json -q --no-sync -c raw -F 64K -s 1M \
	--files-from some order data
arctool list data.001 >listing
lacks listing f3
python3 - <<'P'
data = open("data.001", "rb").read()
places = []
for name in "f4", "f1", "f6", "f2", "f5":
    head = open("order/" + name, "rb").read()[:1000]
    assert data.count(head) == 1, name
    places.append(data.find(head))
assert places == sorted(places), places
P
[ "$(arctool list --json data.001 | grep -c duplicate_of)" = 1 ] ||
	fail "a duplicate is not found"

# Folders on the way are as they are; a folder stands for itself alone.
mkdir -p way/to/it way/other
echo x >way/to/it/file
echo y >way/other/file
chmod 711 way/to
touch -d @1000000000 way/to/it way/to
printf 'to/it/file\nother\n' | mkarchive -q --no-sync --files-from - way w ||
	fail "exit $?"
expect 0 arctool extract w.001 w.dest
[ "$(stat -c %a:%Y w.dest/to)" = 711:1000000000 ] || fail "a folder on the way"
[ -d w.dest/other ] && [ ! -e w.dest/other/file ] || fail "a listed folder"
[ "$(cat w.dest/to/it/file)" = x ] || fail "a listed file"

# What cannot be had is told; the rest is there. No link is followed.
ln -s to way/link
printf 'to/it/file\nno/such\n../src\nlink/it/file\nto/it/file/below\nlink\n' >bad
expect 1 mkarchive -q --no-sync --files-from bad way b
contains err 'no: cannot be read (No such file' '../src: left out' \
	'link/it/file: left out' 'to/it/file/below: left out'
arctool list b.001 >listing
contains listing 'to/it/file$' 'link -> to'
lacks listing 'link/'
printf 'f1\nf2\nf3\n' | mkarchive -q --no-sync --exclude=f2 --files-from - order x
arctool list x.001 >listing
lacks listing 'f2$'
contains listing 'f3$'

# Nothing, and the archive's own volumes.
: | mkarchive -q --no-sync --files-from - way none || fail "an empty list"
expect 0 arctool list none.001
[ "$(wc -l <out)" = 1 ] || fail "an empty list makes more than the folder"
cp order/f1 way/own.001.txt
printf 'own.001\nown.001.part\nown.002\nown.001.txt\n' >own
expect 0 mkarchive -q --no-sync --files-from own way way/own
arctool list way/own.001 | grep -qx '.* own.001.txt' || fail "a file of such a name"
[ "$(arctool list way/own.001 | wc -l)" = 2 ] || fail "its own volumes"

expect 2 mkarchive --files-from some - no
expect 2 mkarchive --null way no
expect 3 mkarchive --files-from some order/f1 no
expect 3 mkarchive --files-from no-such way no
contains err 'cannot open no-such'

# Volumes appear while the list still comes.
mkfifo pipe
random_file order/large 3000000 7
mkarchive -q --no-sync -j 2 -c raw -s 1M -F 64K --files-from pipe order early &
exec 3>pipe
echo large >&3
for i in $(seq 100); do
	[ ! -e early.001 ] || break
	sleep 0.1
done
[ -e early.001 ] || fail "no volume while the list comes"
echo f5 >&3
exec 3>&-
wait $! || fail "exit $?"
expect 0 arctool list early.001
contains out 'f5$' 'large$'
