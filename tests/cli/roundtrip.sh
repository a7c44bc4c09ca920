#!/bin/bash
# A tree with every kind of entry comes back as it was, whatever the options:
# through arctool extract and through the reader in Python.
. "$(dirname "$0")/tool_helpers"

"$tests/maketree" --small src 2>notes

# NAME OPTION...: archives, verifies, extracts, compares
round_trip()
{
	local name=$1

	shift
	expect 0 mkarchive -q --no-sync "$@" src "$name"
	[ ! -s err ] || fail "$name: it said something: $(head -n 3 err)"
	expect 0 arctool verify -q "$name.001"
	expect 0 arctool extract "$name.001" "$name.dest"
	same_trees --exact-holes src "$name.dest"
	chmod -R u+rwx "$name.dest"
	rm -rf "$name.dest"
}

round_trip default
round_trip raw -c raw -s 1M
round_trip lz4 -c lz4 -l 1 -s 1M --reach 64K
round_trip hc -c lz4hc -l 9 --reach 16M
round_trip ext-cut -c lzext3 -l 1 -s 1M --reach 64K --far 16
round_trip ext-far -c lzext3 -l 9 --reach 16M
round_trip ext-auto --reach auto --far 2 -F 1M
round_trip zstd -c zstd
round_trip zstd-cut -c zstd -l 1 -s 1M --reach 64K
round_trip zstd-far -c zstd -l 9 --reach 16M
round_trip cut -F 64K -s 1M --reach 64K -j 3
round_trip sums --digest sha256
round_trip bare --digest none
for level in 1 2 3 4 5 6 7 8 9; do
	round_trip level-$level -l $level
done

# The oracle shares no code with the programs.
for name in default raw lz4 hc ext-cut ext-far ext-auto zstd zstd-cut zstd-far \
	cut sums; do
	"$tests/golden/arcread.py" list $name.001 >$name.listing ||
		fail "$name: arcread.py cannot read it"
	same_trees --exact-holes src $name.listing
done

# The digests are those of the contents.
python3 - <<'P'
import json
entries = [json.loads(line) for line in open("sums.listing")]
files = [e for e in entries if e["type"] == "file"]
assert len(files) > 300
assert all(e["stored_sha256"] == e["sha256"] for e in files)
same = {}
for e in files:
    assert same.setdefault(e["sha256"], e["digest"]) == e["digest"], e["path"]
assert len(set(same.values())) == len(same)
bare = [json.loads(line) for line in open("raw.listing")]
assert all(e["digest"] and not e["stored_sha256"] for e in bare
           if e["type"] == "file")
P
if command -v xxhsum >/dev/null; then
	python3 - <<'P'
import json, subprocess
for e in map(json.loads, open("sums.listing")):
    if e["type"] == "file" and e["path"].startswith("sizes/"):
        out = subprocess.run(["xxhsum", "-H2", "src/" + e["path"]], check=True,
                             stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.DEVNULL).stdout
        assert out.split()[0] == e["digest"], e["path"]
P
fi

# One file as the source, by an absolute path, through a symlink, with slashes.
cp src/sparse/many-holes one
expect 0 mkarchive -q --no-sync one single
expect 0 arctool extract single.001 single.dest
cmp one single.dest/one || fail "a single file differs"
[ "$(ls -A single.dest)" = one ] || fail "more than a single file"
expect 0 mkarchive -q --no-sync "$work/src" absolute
cmp default.001 absolute.001 || fail "an absolute path changes the archive"
expect 0 mkarchive -q --no-sync src/ slash
cmp default.001 slash.001 || fail "a slash at the end changes the archive"
ln -s src linked
expect 0 mkarchive -q --no-sync linked through
cmp default.001 through.001 || fail "a link as the source changes the archive"

# An empty folder, an empty file.
mkdir nothing
: >empty
expect 0 mkarchive -q --no-sync nothing nothing-set
expect 0 arctool extract nothing-set.001 nothing.dest
same_trees nothing nothing.dest
expect 0 mkarchive -q --no-sync empty empty-set
expect 0 arctool extract empty-set.001 empty.dest
cmp empty empty.dest/empty
