#!/bin/bash
# The configuration file: where it is looked for, what comes before what, what
# is refused, and that every key has an effect.
. "$(dirname "$0")/tool_helpers"

unset FORCE_CPU_MODE GPU_FALLBACK_ENABLED COMPRESSOR_BATCH_SIZE
unset DECOMPRESSOR_BATCH_SIZE GPU_TIMEOUT
export XDG_CONFIG_HOME=$work/home
mkdir -p home/arcfs src
seq 1 40000 >src/text
echo >none

# COMMAND...: what it has in force is in the file "out"
show()
{
	expect 0 "$@" --show-config
	[ ! -s err ] || fail "$* --show-config: $(cat err)"
}

# ---- where it is looked for ------------------------------------------------

show mkarchive
contains out '^# HASH_LOG = (by level)  *# default$' \
	'^FORCE_CPU_MODE = no  *# default$'
lacks out DECOMPRESSOR
echo 'HASH_LOG = 18' >home/arcfs/config
show mkarchive
contains out "^HASH_LOG = 18  *# $work/home/arcfs/config:1\$"
HOME=$work/home XDG_CONFIG_HOME= show mkarchive
lacks out 'home/arcfs/config'
mkdir -p other/.config/arcfs
printf '\n\nHASH_LOG = 19\n' >other/.config/arcfs/config
(
	unset XDG_CONFIG_HOME
	HOME=$work/other show mkarchive
)
contains out "^HASH_LOG = 19  *# $work/other/.config/arcfs/config:3\$"
show mkarchive --config none
contains out '^# HASH_LOG = (by level)'
for program in "mkarchive --config nowhere src set" \
	"arctool --config nowhere info set.001" \
	"arctool info --config=nowhere set.001" \
	"arcfs -o config=nowhere set.001 mnt"; do
	expect 2 $program
	contains err "^${program%% *}: nowhere: No such file"
done

# ---- what comes before what ------------------------------------------------

cat >file <<'C'
# comments, blanks, and what other programs use
  COMPRESSOR_BATCH_SIZE=4
DECOMPRESSOR_BATCH_SIZE = 5 # frames
GPU_TIMEOUT = 6 ; seconds
MAX_WORKER_THREADS	=	3
C
show mkarchive --config file
contains out '^COMPRESSOR_BATCH_SIZE = 4  *# file:2$' \
	'^GPU_TIMEOUT = 6  *# file:4$' '^MAX_WORKER_THREADS = 3  *# file:5$'
COMPRESSOR_BATCH_SIZE=7 show mkarchive --config file
contains out '^COMPRESSOR_BATCH_SIZE = 7  *# environment$'
COMPRESSOR_BATCH_SIZE=7 show mkarchive --gpu-batch 8 -j 2 --config file
contains out '^COMPRESSOR_BATCH_SIZE = 8  *# command line$' \
	'^MAX_WORKER_THREADS = 2  *# command line$'
show mkarchive --set GPU_TIMEOUT=9 --config file --no-gpu-fallback --gpu=off
contains out '^GPU_TIMEOUT = 9  *# command line$' \
	'^GPU_FALLBACK_ENABLED = no  *# command line$' \
	'^FORCE_CPU_MODE = yes  *# command line$'
FORCE_CPU_MODE=yes show mkarchive --gpu=auto
contains out '^FORCE_CPU_MODE = no  *# command line$'
for program in arctool "arctool verify"; do
	show $program --config file --set GPU_FALLBACK_ENABLED=no
	contains out '^DECOMPRESSOR_BATCH_SIZE = 5  *# file:3$' \
		'^GPU_FALLBACK_ENABLED = no  *# command line$'
	lacks out HASH_LOG
done
show arctool verify -j 4 --config file
contains out '^MAX_WORKER_THREADS = 4  *# command line$'
show arcfs -o config=file
contains out '^MAX_WORKER_THREADS = 3  *# file:5$' \
	'^DECOMPRESSOR_BATCH_SIZE = 5  *# file:3$'
lacks out GPU_FALLBACK
show arcfs -o config=file,threads=6,gpu=off
contains out '^MAX_WORKER_THREADS = 6  *# command line$' \
	'^FORCE_CPU_MODE = yes  *# command line$'

# ---- what is refused -------------------------------------------------------

expect 0 mkarchive -q --no-sync src set
printf 'HASHLOG = 20\nHASH_LOG = 20\n' >unknown
for program in "mkarchive -q --force --config unknown src again" \
	"arctool verify -q --config unknown set.001" \
	"arcfs -o config=unknown --show-config"; do
	expect 0 $program
	contains err "^${program%% *}: warning: unknown:1: no such key: HASHLOG"
done
printf '\nHASH_LOG = 40\nFORCE_CPU_MODE = perhaps\n' >bad
for program in "mkarchive --config bad src more" \
	"arctool info --config bad set.001" "arcfs -o config=bad set.001 mnt"
do
	expect 2 $program
	contains err "bad:2: HASH_LOG: '40' is not a number from 12 to 24" \
		"bad:3: FORCE_CPU_MODE: 'perhaps' is not yes or no"
done
[ ! -e more.001 ] || fail "an archive was made"
for set in HASH_LOG HASH_LOG=1 NOTHING=1 =; do
	expect 2 mkarchive --set $set src more
	contains err "^mkarchive: --set: '$set' is not KEY=VALUE"
	expect 2 arctool --set $set info set.001
	contains err "^arctool: --set: '$set' is not KEY=VALUE"
done
expect 2 mkarchive -c zstd --set HASH_LOG=20 src more
contains err 'only for lzext3'

# ---- the sample ------------------------------------------------------------

sample=$bin/../man/arcfs.conf.sample
[ -e "$sample" ] || fail "no $sample"
show mkarchive --config "$sample"
lacks out 'sample:'
sed 's/^#\([A-Z]\)/\1/' "$sample" >all
for program in "mkarchive --config" "arctool --config" "arcfs -o config=all"; do
	[ "${program#arcfs}" != "$program" ] || program="$program all"
	show $program
	lacks out 'default'
done

# ---- the effects -----------------------------------------------------------

# The search of lzext3: what the file says is what the option says; other codecs
# take no notice.
printf 'HASH_LOG = 14\nHASH_CANDIDATES = 2\nGOOD_ENOUGH_MATCH = 32\n' >search
expect 0 mkarchive -q --no-sync --config search src by-file
expect 0 mkarchive -q --no-sync --hash-log 14 --hash-candidates 2 \
	--good-enough-match 32 src by-option
cmp by-file.001 by-option.001 || fail "the file says something else"
expect 0 arctool info by-file.001
contains out 'hash_log=14' 'hash_candidates=2' 'good_enough_match=32'
! cmp -s by-file.001 set.001 || fail "the file says nothing"
for codec in zstd lz4 raw; do
	expect 0 mkarchive -q --no-sync -c $codec src without-$codec
	expect 0 mkarchive -q --no-sync -c $codec --config search src with
	cmp with.001 without-$codec.001 || fail "$codec hears of lzext3"
	rm with.001
done

# COMMAND...: sets n to the threads that it starts
count_threads()
{
	ASAN_OPTIONS=detect_leaks=0 expect 0 strace -f -e trace=clone,clone3 \
		-o trace "$@"
	n=$(grep -c 'clone3\?(' trace || true)
}

if strace -o trace true 2>/dev/null; then
	mk="mkarchive -q --no-sync --force --config none"
	count_threads $mk --set MAX_WORKER_THREADS=1 -F 64K src a
	one=$n
	count_threads $mk --set MAX_WORKER_THREADS=6 -F 64K src b
	[ $n -ge $((one + 5)) ] || fail "six compress: $n threads, one: $one"
	cmp a.001 b.001

	mk="$mk --set NUM_READERS=0"
	count_threads $mk -j 1 --set NUM_SCAN_WORKERS=0 src a
	one=$n
	count_threads $mk -j 1 --set NUM_SCAN_WORKERS=0 \
		--set NUM_IO_WORKERS=1 src a
	[ $n = 2 ] || fail "one compresses, one writes: $n threads"
	count_threads $mk -j 1 --set NUM_SCAN_WORKERS=5 src b
	[ $n = $((one + 5)) ] || fail "five scan: $n threads, none: $one"
	cmp a.001 b.001

	# Pairs of equal files, and others of the same size.
	mkdir twins
	for i in $(seq 32); do
		printf '%05d' $((i / 2 * 2)) >twins/$i
	done
	count_threads $mk -j 1 --set NUM_IO_WORKERS=1 twins a
	one=$n
	count_threads $mk -j 1 --set NUM_IO_WORKERS=5 twins b
	[ $n -ge $((one + 4)) ] || fail "five search: $n threads, one: $one"
	cmp a.001 b.001

	# The threads that read files before their turn: as many as are needed.
	count_threads $mk -j 1 --set NUM_READERS=0 src a
	one=$n
	count_threads $mk -j 1 --set NUM_READERS=5 src b
	[ $n -gt $one ] && [ $n -le $((one + 5)) ] ||
		fail "one to five read: $n threads, none: $one"
	cmp a.001 b.001

	count_threads arctool verify -q --config none -j 1 set.001
	one=$n
	[ $n = 0 ] || fail "the first thread is the one: $n more"
	count_threads arctool verify -q --set MAX_WORKER_THREADS=3 by-file.001
	[ $n -gt $one ] || fail "three verify: $n threads, one: $one"
fi

# Memory: sets n to the KiB that a command has resident at most.
resident()
{
	n=$(python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@") ||
		fail "$*"
}

# Sixteen batches more of frames of 1 MiB, written from where they lie: 16 MiB.
mkdir noise
random_file noise/file 70000000 1
pack="mkarchive -q --no-sync --force -j 2 -F 1M -c raw --set BUFFER_SIZE=1M noise"
resident $pack small
small=$n
for key in READ_BUFFER_BATCHES WRITE_BUFFER_BATCHES; do
	resident $pack large --set $key=17
	[ $((n - small)) -gt 12000 ] && [ $((n - small)) -lt 24000 ] ||
		fail "$key=17: $n KiB, $small before"
	cmp small.001 large.001 || fail "$key changes bytes"
done

# What was read before its turn: 70 MB, all of them or 1M at a time.
split -b 200000 -a 3 noise/file noise/part
rm noise/file
resident $pack small
small=$n
resident $pack large --set BUFFER_SIZE=128M
[ $((n - small)) -gt 60000 ] && [ $((n - small)) -lt 110000 ] ||
	fail "BUFFER_SIZE: $n KiB, $small before"
cmp small.001 large.001
for readers in 0 1 16; do
	expect 0 $pack other --set NUM_READERS=$readers
	cmp small.001 other.001 || fail "$readers readers change bytes"
done

# A tree with all there is, by any number of any of them.
"$tests/maketree" tree 2>notes
mk="mkarchive -q --no-sync --force -F 256K -c lz4 -s 8M --digest sha256 tree"
expect 0 $mk many
for n in 0 1 16; do
	expect 0 $mk few --set NUM_SCAN_WORKERS=$n --set NUM_READERS=$n \
		--set NUM_IO_WORKERS=$((n + 1)) --set BUFFER_SIZE=$((n + 1))M \
		--set READ_BUFFER_BATCHES=$((n + 1)) \
		--set WRITE_BUFFER_BATCHES=$((n + 1))
	for volume in many.*; do
		cmp $volume few.${volume##*.} || fail "$n of each change bytes"
	done
done
