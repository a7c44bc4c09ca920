# SPDX-License-Identifier: MIT
"""What bench-create runs, and what is wanted of it."""
import collections

# Peers say nothing of the disk: a sync makes them wait for it as mkarchive does.
SQUASH = "mksquashfs {src} {out} -quiet -no-progress -noappend -comp %s " \
         "&& sync -f {out}"
OURS = "{bin}/mkarchive -q --force %s {src} {out}"

Contestant = collections.namedtuple("Contestant", "name command program")


def squash(name, how):
    return Contestant(name, SQUASH % how, "mksquashfs")


def ours(name, options=""):
    return Contestant(name, OURS % options, None)


SQ_LZ4 = squash("squashfs lz4 1M", "lz4 -b 1M")
SQ_HC = squash("squashfs lz4hc 128K", "lz4 -Xhc -b 128K")
SQ_ZSTD = squash("squashfs zstd 3 1M",
                 "zstd -Xcompression-level 3 -b 1M")
TAR = Contestant("tar, lz4", "set -o pipefail; tar -C {src} -cf - . | "
                 "lz4 -q -1 -c > {out} && sync -f {out}", "lz4")
DEFAULT = ours("default")
LEVEL1 = ours("level 1", "-l 1")
# With -j 1 other threads still read and write beside the one that compresses:
# what two cores are worth is seen beside a run on one.
ONE, TWO = ours("default, -j 1", "-j 1"), ours("default, -j 2", "-j 2")
CORE = Contestant("default, one core",
                  "taskset -c 0 " + OURS % "-j 1", None)

CONTESTANTS = {
    "linux": [SQ_LZ4, LEVEL1, SQ_HC, DEFAULT, SQ_ZSTD,
              ours("zstd level 3", "-c zstd -l 3"), ours("level 9", "-l 9"),
              CORE, ONE, TWO],
    "many": [TAR, DEFAULT, LEVEL1],
    "big": [SQ_LZ4, LEVEL1, DEFAULT, CORE, ONE, TWO],
    "usr": [SQ_LZ4, LEVEL1, DEFAULT],
}

# What is measured, the contestant, and the one it is divided by (None: the
# figure itself). `most`: what it may be; `aim`: what it should be; of speed-ups
# the least.
Cell = collections.namedtuple("Cell", "corpus what ours peer most aim")

MB, MIB = 1e6, float(1 << 20)
CELLS = [
    Cell("linux", "wall", "level 1", "squashfs lz4 1M", 1, 0.5),
    Cell("linux", "cpu", "level 1", "squashfs lz4 1M", 1, None),
    Cell("linux", "bytes", "level 1", "squashfs lz4 1M", 1, None),
    Cell("linux", "bytes", "default", None, 262 * MB, None),
    Cell("linux", "cpu", "default", "squashfs lz4hc 128K", 1 / 3, None),
    Cell("linux", "wall", "zstd level 3", "squashfs zstd 3 1M", 1, None),
    Cell("linux", "cpu", "zstd level 3", "squashfs zstd 3 1M", 1, None),
    Cell("linux", "bytes", "zstd level 3", "squashfs zstd 3 1M", 1, None),
    Cell("linux", "bytes", "level 9", None, 245 * MB, None),
    Cell("linux", "cpu", "level 9", "squashfs lz4hc 128K", 1 / 2, None),
    Cell("linux", "bytes", "default", None, 245 * MB, None),
    Cell("linux", "cpu", "default", "squashfs lz4hc 128K", 1 / 2, None),
    Cell("linux", "speed-up", "default, -j 2", "default, one core", 1.85,
         1.95),
    Cell("linux", "speed-up", "default, -j 2", "default, -j 1", 1.85, 1.95),
    Cell("linux", "rss", "default", None, 512 * MIB, 256 * MIB),
    Cell("linux", "rss", "level 1", None, 512 * MIB, 256 * MIB),
    Cell("many", "wall", "default", "tar, lz4", 3, 1.5),
    Cell("many", "bytes", "default", None, 34 * MB, None),
    Cell("many", "rss", "default", None, 512 * MIB, 256 * MIB),
    Cell("big", "wall", "level 1", "squashfs lz4 1M", 1, None),
    Cell("big", "bytes", "default", None, 600 * MB, None),
    Cell("big", "cpu", "default", "squashfs lz4 1M", 4, None),
    Cell("big", "speed-up", "default, -j 2", "default, one core", 1.85,
         1.95),
    Cell("big", "speed-up", "default, -j 2", "default, -j 1", 1.85, 1.95),
    Cell("big", "rss", "default", None, 512 * MIB, 256 * MIB),
    Cell("usr", "wall", "level 1", "squashfs lz4 1M", 1, None),
    Cell("usr", "bytes", "default", None, 680 * MB, None),
    Cell("usr", "rss", "default", None, 512 * MIB, 256 * MIB),
]
