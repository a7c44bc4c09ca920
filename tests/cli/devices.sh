#!/bin/bash
# devices: what there is, whether it works, and who would use it. What is said
# wrongly is an error before anything is tried.
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"

# EXPRESSION: holds for j, the JSON in out, and c, its first device made of CPU
# cores
holds()
{
	python3 - "$1" <<'P' || fail "$1: $(cat out)"
import json, sys
j = json.load(open("out"))
c = next(d for d in j["devices"] if d["cpu"])
sys.exit(not eval(sys.argv[1]))
P
}

expect 0 arctool devices
contains out '^device 0$' '^  name  *.' '^  platform  *.' '^  driver  *.' \
	'^  memory  *[0-9]' '^  self-test  *passed$' \
	'^  speed  *hash [0-9.]*, encode [0-9.]*, decode [0-9.]* GB/s$' \
	'^  used  *no: .*CPU cores' '^CPU, [0-9]* threads$'

expect 0 arctool devices --json -j 3
holds 'c["passed"] and c["tried"]'
holds 'not c["used"] and "CPU" in c["why"]'
holds 'c["name"] and c["platform"] and c["memory"] > 0 and c["units"] > 0'
holds 'all(c["bytes_per_second"][w] > 0
	for w in ("hash", "encode", "decode"))'
holds 'all(j["cpu_bytes_per_second"][w] > 0
	for w in ("hash", "encode", "decode"))'
holds 'j["threads"] == 3'
holds '[d["number"] for d in j["devices"]] == list(range(len(j["devices"])))'
number=$(python3 -c 'import json
print(next(d["number"] for d in json.load(open("out"))["devices"] if d["cpu"]))')
part=$(python3 -c 'import json
print(json.load(open("out"))["devices"]['"$number"']["name"][2:9].upper())')

expect 0 arctool devices --json --gpu force
holds 'c["used"] and "times as fast" in c["why"]'
expect 0 arctool devices --json --gpu "$number"
holds 'c["used"]'
expect 0 arctool devices --json --gpu "$part"
holds 'c["used"]'
expect 0 arctool devices --json --gpu off
holds 'not c["used"] and "switched off" in c["why"]'
FORCE_CPU_MODE=yes expect 0 arctool devices --json
holds 'not c["used"] and "switched off" in c["why"]'

expect 3 arctool devices --gpu 99
contains err "'99'" 'none of the devices asked for can be used'
expect 3 arctool devices --gpu no-such-name
contains err "'no-such-name'"

# Without any driver there is no device, which is no error, but when forced.
mkdir none
OCL_ICD_VENDORS=$work/none expect 0 arctool devices
contains out '^no OpenCL device$'
OCL_ICD_VENDORS=$work/none expect 0 arctool devices --json
python3 -c 'import json; assert json.load(open("out"))["devices"] == []'
OCL_ICD_VENDORS=$work/none expect 3 arctool devices --gpu force
contains err 'none of the devices'

# One that fails its trial is shown, and why.
OPENCL_LAYERS=$layer ARC_FAULT_FLIP=1 expect 0 arctool devices --json
holds 'c["tried"] and not c["passed"] and "wrongly" in c["why"]'

for text in '' , 1,,2; do
	expect 2 arctool devices --gpu "$text"
	contains err '^arctool: '
done
mkdir src
for variable in FORCE_CPU_MODE=maybe GPU_FALLBACK_ENABLED=2 \
	COMPRESSOR_BATCH_SIZE=0 COMPRESSOR_BATCH_SIZE=257 \
	DECOMPRESSOR_BATCH_SIZE=x GPU_TIMEOUT=0 GPU_TIMEOUT=1.5; do
	for command in "arctool devices" "arctool verify x" "arcfs x y" \
		"mkarchive src x"; do
		expect 2 env "$variable" $command
		contains err "${variable%=*}" "'${variable#*=}'"
	done
done
[ ! -e x.001 ] || fail "an archive was made"
