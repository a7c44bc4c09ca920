#!/bin/bash
# A relative path stays right after arcfs has gone to the background, and the
# volumes are opened through the directory that was there at the start.
. "$(dirname "$0")/helpers"

mnt=mnt.${work##*.} # a name that no other process has
mkdir "$work/src" "$work/dir" "$work/dir/$mnt"
need pgrep
random_file "$work/src/data" 3000000 4
archive "$work/src" "$work/dir/a" -s 1M -c raw
cd "$work/dir"
arcfs a.001 $mnt || fail "cannot mount"
cmp $mnt/data ../src/data || fail "content differs"
kill -TERM "$(pgrep -f "arcfs a.001 $mnt" | head -n 1)"
for i in $(seq 100); do
	mountpoint -q $mnt || break
	sleep 0.1
done
! mountpoint -q $mnt || fail "SIGTERM does not unmount a relative mount point"
arcfs a.001 $mnt || fail "cannot mount again"
cd "$work"
fusermount3 -u dir/$mnt
arcfs dir/../dir/a.002 ./dir/$mnt || fail "dir/../dir/a.002"
cmp dir/$mnt/data src/data || fail "content differs"
fusermount3 -u dir/$mnt
mkdir $mnt
arcfs dir/a.001 $mnt || fail "cannot mount outside"
mv dir moved # before anything was read
cmp $mnt/data src/data || fail "content differs after the directory moved"
mv moved dir
fusermount3 -u $mnt

# Closed standard descriptors do not lead volumes into /dev/null.
arcfs dir/a.001 dir/$mnt <&- >&- 2>&- || fail "closed descriptors"
cmp dir/$mnt/data src/data || fail "content differs with closed descriptors"
fusermount3 -u dir/$mnt
