#!/bin/bash
# mount -t fuse.arcfs works, and an fstab line with the usual options.
. "$(dirname "$0")/helpers"
need_root
need mount.fuse3 mount unshare

# mount(8) looks for the program in the system's folders only. In a mount
# namespace of its own, one of them is ours.
if [ -z "${ARCFS_OWN_NAMESPACE-}" ]; then
	unshare -m true 2>/dev/null || skip "no mount namespaces here"
	[ -d /usr/local/sbin ] || skip "no /usr/local/sbin here"
	ARCFS_OWN_NAMESPACE=1 unshare -m bash "$0" "$@"
	exit
fi
mount --bind "$bin" /usr/local/sbin

make_tree "$work/src"
archive "$work/src" "$work/a"
mkdir "$work/mnt"
mount -t fuse.arcfs "$work/a.001" "$work/mnt" || fail "mount -t fuse.arcfs"
cmp "$work/mnt/big" "$work/src/big" || fail "content differs"
same "type" fuse.arcfs "$(findmnt -n -o FSTYPE "$work/mnt")"
contains "options" ",ro," ",$(findmnt -n -o OPTIONS "$work/mnt"),"
umount "$work/mnt"

mount -t fuse.arcfs "$work/a.001" "$work/mnt" \
	-o ro,nosuid,nodev,noexec,noatime,allow_other,inodes=distinct,uid=77 ||
	fail "mount with options"
same "uid" 77 "$(stat -c %u "$work/mnt/hello")"
for option in nosuid nodev noexec allow_other; do
	contains "options" ",$option," \
		",$(findmnt -n -o OPTIONS "$work/mnt"),"
done
umount "$work/mnt"

# Device nodes only when root says so, and mount(8) says so.
mount -t fuse.arcfs "$work/a.001" "$work/mnt" -o dev
same "device" 1e:28 "$(stat -c %t:%T "$work/mnt/chr")"
umount "$work/mnt"

options="defaults,noauto,user,nofail,_netdev,x-systemd.automount,comment=x"
echo "$work/a.001 $work/mnt fuse.arcfs $options 0 0" >"$work/fstab"
mount -T "$work/fstab" "$work/mnt" || fail "fstab"
cmp "$work/mnt/big" "$work/src/big" || fail "content differs"
umount "$work/mnt"

[ "$(status_of mount -t fuse.arcfs "$work/none.001" "$work/mnt")" != 0 ] ||
	fail "a missing archive was mounted"
contains "missing archive" "none" "$(cat "$work/err")"
