#!/bin/bash
# --exclude and --exclude-from leave out what gitignore(5) would;
# --one-file-system stays.
. "$(dirname "$0")/tool_helpers"

mkdir -p src/build/deep src/sub/build src/cache src/a/x/y/b
for f in main.c main.o sub/util.o sub/keep.o build/out build/deep/out \
	sub/build/out cache/data a/b a/x/b a/x/y/b/file "odd name"; do
	mkdir -p "src/$(dirname "$f")"
	[ -d "src/$f" ] || echo "$f" >"src/$f"
done

left() # OPTION...: what is archived, in one line
{
	expect 0 mkarchive -q --no-sync --force "$@" src set
	expect 0 arctool list --json set.001
	python3 -c 'import json, sys
print(" ".join(sorted(p for p in (json.loads(x)["path"] for x in open("out"))
                      if p.strip("/."))))'
}

is() # EXPECTED FOUND
{
	[ "$1" = "$2" ] || fail "expected '$1', found '$2'"
}

all=$(left)
is "a a/b a/x a/x/b a/x/y a/x/y/b a/x/y/b/file build build/deep build/deep/out \
build/out cache cache/data main.c main.o odd name sub sub/build sub/build/out \
sub/keep.o sub/util.o" "$all"
without() # PATTERN: a regular expression over single paths
{
	(cd src && find . -mindepth 1 -printf '%P\n') | sort |
		grep -Ev "$1" | tr '\n' ' ' | sed 's/ $//'
}
is "$(without '\.o$' | tr -d '\n')" "$(left --exclude '*.o')"
is "$(without '^main\.o$|^sub/util\.o$')" \
	"$(left --exclude '*.o' --exclude '!keep.o')"
is "$(without '^build')" "$(left --exclude /build)"
is "$(without '(^|/)build')" "$(left --exclude build/)"
is "$(without '^cache/')" "$(left --exclude 'cache/*')"
is "$(without '^a/b|^a/x/b|^a/x/y/b')" "$(left --exclude 'a/**/b')"
is "$(without '^odd name')" "$(left --exclude 'odd name')"
printf '# a comment\n\n*.o\n!keep.o\n/build\n' >patterns
is "$(without '^main\.o$|^sub/util\.o$|^build')" \
	"$(left --exclude-from patterns)"
is "$(without '\.o$|^build')" \
	"$(left --exclude-from patterns --exclude '*.o')"

if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1M none src/cache 2>/dev/null
then
	mounted=$work/src/cache
	echo mounted >src/cache/mounted
	case $(left) in
	*cache/mounted*) ;;
	*) fail "other file systems are left out without being asked" ;;
	esac
	case $(left -x) in
	*cache/mounted*) fail "-x enters other file systems" ;;
	*cache*) ;;
	*) fail "-x leaves the mount point out" ;;
	esac
fi
