# SPDX-License-Identifier: MIT
"""zstd - groups of Zstandard (codec 3), by the command zstd. It takes more than arc-format(5)
allows, several frames and skippable ones, so the frame is looked at here."""
import subprocess

from plain import need


def frame_end(src):
    """Where the Zstandard frame that src begins with ends (RFC 8878, 3.1.1)."""
    need(src[:4] == b"\x28\xb5\x2f\xfd", "zstd: magic number")
    flags = src[4]
    single, size_flag = flags >> 5 & 1, flags >> 6
    dictionary = 5 + (not single)  # its number follows the window
    at = dictionary + (0, 1, 2, 4)[flags & 3]
    need(not any(src[dictionary:at]), "zstd: a dictionary")
    at += 1 << size_flag if size_flag else single
    last = False
    while not last:
        head = int.from_bytes(src[at:at + 3], "little")
        last, at = head & 1, at + 3 + (1 if head >> 1 & 3 == 1 else head >> 3)
        need(at <= len(src), "zstd: a block")
    return at + (4 if flags & 4 else 0)


def zstd_decode(src, out, raw, log, _):
    """Appends a group to out, the frame so far. Of the frame: raw bytes, log2 of its groups."""
    n = min(1 << log, raw - len(out))
    need(len(out) >> log << log == len(out) and frame_end(src) == len(src), "zstd: frame")
    done = subprocess.run(("zstd", "-dcq", "--long=31", "--no-sparse"), input=src,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    need(done.returncode == 0 and len(done.stdout) == n, "zstd: data")
    out += done.stdout
