#!/bin/bash
# extract by an ordinary user: owners are skipped without a word, devices are
# reported, and modes that lock their owner out do no harm.
. "$(dirname "$0")/tool_helpers"

[ "$(id -u)" -eq 0 ] || skip "needs root to become another user"
command -v setpriv >/dev/null || skip "no setpriv"
chmod 755 .
as_user()
{
	setpriv --reuid 12345 --regid 12345 --clear-groups "$@"
}
as_user true 2>/dev/null || skip "cannot become another user"
as_user test -x "$bin/arctool" || skip "the programs are not for everybody"

mkdir -p src/locked/inner src/read-only
echo one >src/locked/inner/file
ln src/locked/inner/file src/zz-linked-later
echo two >src/read-only/file
echo three >src/root-suid
echo four >src/own-suid
chown -R 12345:12345 src/own-suid src/locked src/read-only
chmod 4755 src/root-suid src/own-suid
chmod 444 src/read-only/file
setfattr -n user.note -v x src/read-only/file 2>/dev/null || true
chmod 500 src/read-only
chmod 000 src/locked/inner
chmod 400 src/locked
touch -d 2004-05-06 src/locked/inner src/locked src
mkarchive -q --no-sync src a
chmod 644 a.*
install -d -o 12345 home
expect 0 as_user arctool extract a.001 home/to
[ ! -s err ] || fail "it said something: $(cat err)"
same_trees --ignore uid,gid,mode src home/to
[ "$(stat -c %a home/to/root-suid)" = 755 ] ||
	fail "somebody else's program became a set-user-ID program of the user"
[ "$(stat -c %a home/to/own-suid)" = 4755 ] || fail "own set-user-ID bit"
[ "$(stat -c %a home/to/locked)" = 400 ] || fail "mode of a locked directory"
[ "$(stat -c %a home/to/locked/inner)" = 0 ] || fail "mode of an inner one"
[ home/to/locked/inner/file -ef home/to/zz-linked-later ] || fail "hard link"

mkdir dev
mknod dev/null c 1 3 2>/dev/null || exit 0
echo x >dev/file
mkarchive -q --no-sync dev d
chmod 644 d.*
expect 1 as_user arctool extract d.001 home/dev
contains err 'null: cannot be made'
cmp dev/file home/dev/file
