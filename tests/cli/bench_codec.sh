#!/bin/bash
# arc-bench codec: every row is there, for generated inputs, files and folders;
# sizes are plausible and depend on the input alone. That all bytes come back is
# checked by the program itself. Timings are for people, not for tests.
. "$(dirname "$0")/tool_helpers"

quick="--rounds 1 --seconds 0 --reads 8"

# Generated inputs: all codecs beside all references.
expect 0 arc-bench codec $quick --max 300K --json --level 1,9 --reach 64K,1M
cp out generated
arc-bench codec --help | sed -n '/^Codecs:/,/^$/s/^  \([a-z0-9]*\) .*/\1/p' >codecs
[ -s codecs ] || fail "--help lists no codecs"
python3 - generated codecs <<'END' || fail "figures of generated inputs"
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    inputs = json.load(f)["inputs"]
with open(sys.argv[2], encoding="ascii") as f:
    codecs = f.read().split()
rows = ["liblz4", "liblz4 HC 9", "liblz4 HC 12", "libzstd -1", "libzstd -3",
        "libzstd -9"]
rows += ["%s -l %d, %s" % (c, l, r) for c in codecs for l in (1, 9)
         for r in ("64K", "1M")]
# Smallest and largest part of the input that is stored.
plausible = {"text": (0.1, 0.9), "records": (0.1, 0.9), "random": (1, 1.01),
             "zeros": (0.00001, 0.01)}
size = 300 << 10
assert [i["name"].split()[0] for i in inputs] == list(plausible), "inputs"
for i in inputs:
    assert i["bytes"] == size, i["bytes"]
    assert [r["coder"] for r in i["rows"]] == rows, [r["coder"]
                                                    for r in i["rows"]]
    low, high = plausible[i["name"].split()[0]]
    for r in i["rows"]:
        what = (i["name"], r["coder"])
        assert low <= r["stored"] / size <= high, (what, r["stored"])
        assert 4096 <= r["closure_bytes"] <= size, (what, r["closure_bytes"])
        for figure in ("encode", "decode", "decode_all_cores", "cold_mean",
                       "cold_p95"):
            assert len(r[figure]) == 1 and r[figure][0] > 0, (what, figure)
        if r.get("reach") == "64K":
            assert r["closure_bytes"] <= 65536, what
text = {r["coder"]: r for r in inputs[0]["rows"]}
assert text["liblz4 HC 9"]["stored"] < text["liblz4"]["stored"]
for c in codecs:
    near, wide = text[c + " -l 9, 64K"], text[c + " -l 9, 1M"]
    assert near["stored"] > wide["stored"], (c, "a wider reach gains nothing")
    assert near["closure_bytes"] < wide["closure_bytes"], (c, "closure")
    assert wide["stored"] <= text[c + " -l 1, 1M"]["stored"], (c, "level")
END

# A file and a folder that holds it; names in order, --max cuts.
mkdir -p folder/b
seq 1 20000 >folder/a
seq 30000 50000 >folder/b/x
seq 7 7777 >folder/c
ln -s a folder/d
cat folder/a folder/b/x folder/c >whole
n=$(stat -c %s whole)
expect 0 arc-bench codec $quick --json --codec lz4 --level 3 whole folder
python3 - out "$n" <<'END' || fail "a folder is not its files in order"
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    whole, folder = json.load(f)["inputs"]
assert (whole["name"], folder["name"]) == ("whole", "folder")
assert whole["bytes"] == folder["bytes"] == int(sys.argv[2])
for one, other in zip(whole["rows"], folder["rows"]):
    assert one["stored"] == other["stored"], one["coder"]
END
expect 0 arc-bench codec $quick --json --no-reference --max 70001 folder
contains out '"bytes": 70001'
! grep -q liblz4\ HC out || fail "--no-reference has references"

# More than one piece, frames smaller than the reach, one byte.
head -c 1 whole >byte
expect 0 arc-bench codec $quick -F 64K --reach 16M --bare -j 3 -l 6 whole byte
[ "$(grep -c '^## ' out)" -eq 2 ] || fail "not one table for each input"
python3 - out <<'END' || fail "the table is not even"
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    lines = [line for line in f if line.startswith("|")]
assert len(lines) > 16 and len({line.count("|") for line in lines}) == 1
END
for column in 'ratio' 'encode MB/s' 'decode MB/s' 'all cores' 'cold ms' \
	'p95 ms' 'closure KiB' 'enc / lz4' 'enc / HC 9' 'enc / HC 12' \
	'dec / HC 9' 'cold / HC 9'; do
	contains out "^| coder .*| $column"
done

# What is wrong is said, and nothing is measured.
expect 0 arc-bench codec --help
! grep -q '.\{81\}' out || fail "help is wider than 80"
expect 1 arc-bench codec no-such-file
contains err '^arc-bench: no-such-file: '
: >empty
expect 1 arc-bench codec empty
contains err 'empty: has no bytes'
for wrong in '-c zip' '-c lz4,' '-l 0' '-l 10' '-l 1,,2' '--reach 3M' \
	'--reach 32K' '-F 65537' '--far 17' '--hash-log 11' '--candidates 0' \
	'--candidates 65' '--good-enough 3' '--rounds 0' '--seconds x' \
	'--seconds -1' '-j 0' '--max 0' '--reads 0'; do
	expect 2 arc-bench codec $wrong whole
	contains err "^arc-bench codec: --.*: '.*' is not"
done
expect 2 arc-bench
expect 2 arc-bench nothing
contains err 'no such verb'
