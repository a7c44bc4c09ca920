#!/bin/bash
# What devices encode has the bytes that the CPU makes of it in the profile
# parallel, whatever the options, the batches and the threads.
. "$(dirname "$0")/tool_helpers"
. "$tests/cli/gpu_helpers"

mixed_tree src
make_archive() # NAME OPTION...
{
	local name=$1

	shift
	rm -f "$name".0*
	expect 0 mkarchive --json --no-sync --force "$@" src "$name"
}

same_bytes() # OPTION...
{
	make_archive cpu --gpu off --profile parallel "$@"
	make_archive dev --gpu force "$@"
	grep -q '"device_frames": *[1-9]' out ||
		fail "$*: no frame is of a device"
	ls cpu.0* | sed s/cpu/dev/ | cmp - <(ls dev.0*) ||
		fail "$*: other volumes"
	for volume in cpu.0*; do
		cmp "$volume" "dev${volume#cpu}" || fail "$*"
	done
}

same_bytes -l 1 -F 256K -j1 --gpu-batch 1
same_bytes -l 3 -F 64K -j4 --gpu-batch 16 --reach 64K
same_bytes -l 6 -F 256K -j4 --gpu-batch 4 -s 1M
same_bytes -l 9 --reach auto
same_bytes -l 6 -F 320K --reach 16M -j1
COMPRESSOR_BATCH_SIZE=3 same_bytes -F 128K --reach 128K -l 2
same_bytes -F 512K --hash-log 12 --hash-candidates 3 --good-enough-match 20
same_bytes -F 512K --gpu-memory 64M -l 4

# Nothing but the clock tells who encoded; what decodes does not care.
make_archive dev --gpu force -F 256K
expect 0 arctool info dev.001
contains out '^  profile=parallel$'
for who in off force; do
	rm -rf dest
	expect 0 arctool verify --gpu $who dev.001
	DECOMPRESSOR_BATCH_SIZE=1 expect 0 arctool verify --gpu $who dev.001
	expect 0 arctool extract -q --gpu $who dev.001 dest
	same_trees src dest
done
make_archive plain --gpu off
expect 0 arctool info plain.001
contains out '^  profile=serial$'
make_archive auto
cmp plain.001 auto.001

# Told to keep to the CPU, nothing asks for a device, much though there is to do.
cp -r src large
truncate -s 1G large/hole
: >none
OPENCL_LAYERS=$layer ARC_FAULT_COUNT=$work/none FORCE_CPU_MODE=yes \
	expect 0 mkarchive -q --no-sync large cpu --force
OPENCL_LAYERS=$layer ARC_FAULT_COUNT=$work/none \
	expect 0 mkarchive -q --no-sync --gpu off large cpu --force
for command in "verify -q" "extract -q"; do
	rm -rf dest
	OPENCL_LAYERS=$layer ARC_FAULT_COUNT=$work/none FORCE_CPU_MODE=yes \
		expect 0 arctool $command cpu.001 \
		$([ "$command" = "verify -q" ] || echo dest)
done
read -r calls rest <none || calls=0
[ "$calls" = 0 ] || fail "$calls calls of OpenCL"

# What devices do not know is refused.
for options in "-c lz4" "-c zstd" "-c raw" "--far 2" "--profile serial"; do
	expect 2 mkarchive --gpu force $options src refused
	contains err '^mkarchive: --'
done
expect 2 mkarchive --profile parallel --far 2 src refused
expect 3 mkarchive --gpu 99 src refused
contains err "'99'" 'none of the devices'
[ ! -e refused.001 ] || fail "an archive was made"
for command in verify "extract -q"; do
	expect 3 arctool $command --gpu 99 dev.001 \
		$([ "$command" = verify ] || echo refused)
	contains err "'99'" 'none of the devices asked for can be used'
	[ "$(grep -c 'none of the devices' err)" = 1 ] || fail "said twice"
done
[ ! -e refused ] || fail "something was extracted"
