#!/bin/bash
# arc-bench gpu: the table has a row for each input and each work with a figure
# in every place, sizes are plausible, and a device whose results are wrong is
# found out. scripts/bench-gpu: shows the devices, runs the tests of the
# kernels, prints the table; also from a packed folder. Timings are for people,
# not for tests.
. "$(dirname "$0")/tool_helpers"

small="--rounds 1 -F 64K --batches 1,2 --max 200K"
layer=$bin/../tests/libfault_layer.so
script=$tests/../scripts/bench-gpu

# The table.
expect 0 arc-bench gpu $small --device 0 --note 'one note' -l 3
contains out '^# OpenCL on CPU cores' '^- no figures of a GPU' '^- one note' \
	'^- device: .* units' '^- driver: ' '^- lzext3 level 3, reach 1M' \
	'^Verified in this run'
! grep -q 'There was no time' out || fail "something was left out"
python3 - out <<'END' || fail "the table is not what it should be"
import re
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    lines = [line.strip().strip("|").split("|") for line in f
             if line[0] == "|"]
rows = [[cell.strip() for cell in line] for line in lines]
title, rows = rows[0], rows[2:]
assert title == ["input", "work", "kernels, 1", "kernels, 2", "engine, 1",
                 "engine, 2", "CPU", "liblz4", "ratio", "of the CPU",
                 "of liblz4"], title
assert [r[0].split()[0] for r in rows[::3]] == ["text", "ELF", "JSON",
                                                "random"]
assert [r[1] for r in rows] == ["hash", "encode", "decode"] * 4
number = re.compile(r"\d+(\.\d+)?$")
for r in rows:
    assert len(r) == len(title), r
    if r[:2] == ["random (generated)", "decode"]:
        assert r[2:6] == ["-"] * 4, r
        continue
    assert all(number.match(cell) for cell in r[2:7]), r
    assert (r[7] == "-") == (r[1] == "hash"), r
    if r[1] != "encode":
        continue
    device, cpu, lz4 = (float(cell) for cell in r[8:11])
    if r[0].startswith("random"):
        assert 0.99 < min(device, cpu, lz4) <= max(device, cpu, lz4) < 1.01, r
    else:
        assert device > 0.9 * cpu > 0.9 * lz4 > 0.9, r
END

# JSON; a file of one's own, two rounds for each figure.
seq 1 30000 >numbers
expect 0 arc-bench gpu $small --json --rounds 2 numbers
python3 - out <<'END' || fail "figures as JSON"
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    top = json.load(f)
assert top["verified"] and top["complete"] and top["device"]["cpu"]
numbers, = top["inputs"]
assert numbers["name"] == "numbers" and numbers["frames"] == 2
assert 0 < numbers["stored_device"] < 2 * numbers["frame_bytes"]
for work in ("hash", "encode", "decode"):
    w = numbers[work]
    assert list(w["kernels"]) == list(w["engine"]) == ["1", "2"]
    series = [w["cpu"], *w["kernels"].values(), *w["engine"].values()]
    assert all(len(s) == 2 and min(s) > 0 for s in series), w
END

# A bit of what comes back from the device is wrong: of hashes, tables, coded
# bytes. Nothing says then that it was verified.
[ -e "$layer" ] || fail "no fault layer at $layer"
for n in 1 2 9; do
	OPENCL_LAYERS=$layer ARC_FAULT_FLIP=$n \
		expect 1 arc-bench gpu $small numbers
	contains err 'numbers: a result is wrong'
	! grep -q Verified out || fail "read $n is wrong, and nobody noticed"
done

# What is wrong is said, and nothing is measured.
expect 0 arc-bench gpu --help
! grep -q '.\{81\}' out || fail "help is wider than 80"
expect 1 arc-bench gpu --device no-such-device numbers
contains err '^arc-bench: no-such-device: '
expect 1 arc-bench gpu no-such-file
for wrong in '--batches 4,1' '--batches 0' '--batches 1,,2' '--batches 86' \
	'-F 65537' '-l 0' '-l 10' '--reach 3M' '--reach 32K' '--rounds 0' \
	'--seconds 0' '--max 0' '-j 0'; do
	expect 2 arc-bench gpu $wrong numbers
	contains err "^arc-bench gpu: --.*: '.*' is not"
done

# The script, with what a bare machine gets.
expect 0 "$script" --bin "$bin" --pack pack
[ -x pack/arc-bench ] && [ -x pack/unit-device_hash ] && [ -s pack/commit ] ||
	fail "the packed folder lacks something"
find pack -name 'unit-device_*' ! -name '*_hash' -delete
expect 0 "$script" --bin pack --device 0 --tests --seconds 200 --out table \
	$small numbers
contains out '^device 0' '^- unit-device_hash: passed' '^Verified'
contains table '^# OpenCL' '^- commit: ' '^- command: `scripts/bench-gpu ' \
	'^| numbers | decode |'
expect 2 "$script" --seconds never
expect 1 "$script" --bin no-such-folder
