#!/bin/bash
# Modes and access control lists hold for a second user under allow_other.
. "$(dirname "$0")/helpers"
need_root
need setpriv

as() # UID COMMAND...
{
	id=$1
	shift
	setpriv --reuid="$id" --regid="$id" --clear-groups "$@"
}

chmod 755 "$work"
mkdir "$work/src" "$work/src/private" "$work/src/open"
cd "$work/src"
for name in all owner group private/inside open/inside listed; do
	echo "text" >"$name"
done
chmod 644 all open/inside private/inside
chmod 600 owner listed
chmod 640 group
chown 0:4242 group
chmod 700 private
have_acl=
if command -v setfacl >/dev/null && setfacl -m u:4242:r listed 2>/dev/null
then
	have_acl=1
fi
cd /
archive "$work/src" "$work/a"
mount_archive "$work/a.001" "$work/mnt" -o allow_other

cd "$work/mnt"
as 4242 cat all open/inside group >/dev/null || fail "readable is refused"
for name in owner private/inside; do
	[ "$(status_of as 4242 cat $name)" = 1 ] || fail "$name was read"
	contains "$name" "Permission denied" "$(cat "$work/err")"
done
[ "$(status_of as 4343 cat group)" = 1 ] || fail "group was read"
[ "$(status_of as 4242 ls private)" = 2 ] || fail "private was listed"
if [ -n "$have_acl" ]; then
	for again in 1 2; do
		as 4242 cat listed >/dev/null || fail "the ACL lets nobody in"
		[ "$(status_of as 4343 cat listed)" = 1 ] ||
			fail "the ACL lets everybody in"
	done
	contains "getfacl" "user:4242:r--" "$(getfacl -n listed 2>/dev/null)"
fi
cd /
unmount "$work/mnt"

# Without allow_other nobody else gets in at all.
mount_archive "$work/a.001" "$work/mnt"
[ "$(status_of as 4242 cat "$work/mnt/all")" = 1 ] || fail "a stranger reads"
unmount "$work/mnt"
