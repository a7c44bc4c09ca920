#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""arcread - reads archives of format version 1, written from arc-format(5)
alone: it shares no code with the C programs and serves the tests as an oracle.

  arcread.py list ARCHIVE          one JSON object per entry, contents hashed
  arcread.py sha256 ARCHIVE        "DIGEST  PATH" of every regular file
  arcread.py extract ARCHIVE DEST  contents: directories, files, symlinks

ARCHIVE is any volume of the set. --no-check leaves segment checksums out
(everything else is always checked), --no-hash leaves "sha256" out of list.
Python's standard library is all it needs. It is slow and easy to read.
"""
import hashlib
import json
import os
import re
import stat
import struct
import sys
import zlib
from functools import lru_cache
from itertools import accumulate

from plain import Damaged, lz4_decode, need, u32, u64, xxh3

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF

# ---- tables ----------------------------------------------------------------

TABLES = {  # id: (name, row size, rows per block, columns "name width[d]")
    0: ("root", 1, 262144, None),
    1: ("inode", 80, 2048,
        "size 8 data 8d mtime 8d mtime_ns 4 mode 4 uid 4 gid 4 nlink 4 xset 4 "
        "leader 8d share 8d extents 4 share_nlink 4 flags 4 reserved 4"),
    2: ("dirent", 32, 4096, "name 8d row 8d share 8d type 1 reserved 7"),
    3: ("name", 1, 262144, None),
    4: ("text", 1, 262144, None),
    5: ("extent", 24, 8192, "file 8d len 8 stream 8d"),
    6: ("xset", 16, 8192, "first 8d count 4 reserved 4"),
    7: ("xattr", 16, 8192, "name 8 value 8"),
    8: ("frame", 40, 4096,
        "start 8d offset 8d checksum 8 volume 4 raw 4 stored 4 codec 1 "
        "group_log 1 entry_size 1 reserved 1"),
    9: ("digest", 16, 8192, None),
    10: ("sha256", 32, 4096, None),
}
DESCRIPTOR = "offset 8d checksum 8 volume 4 stored 4 rows 4 reserved 4"
ZEROS = M64
TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink",
         stat.S_IFCHR: "chr", stat.S_IFBLK: "blk", stat.S_IFIFO: "fifo",
         stat.S_IFSOCK: "socket"}


def untranspose(data, columns, rows):
    """The columns of a block as lists of numbers, by name."""
    words, table, pos = columns.split(), {}, 0
    for name, kind in zip(words[0::2], words[1::2]):
        width = int(kind.rstrip("d"))
        plain = bytearray(rows * width)
        for i in range(width):
            plain[i::width] = data[pos:pos + rows]
            pos += rows
        if width == 7:
            continue
        code = {1: "B", 4: "I", 8: "Q"}[width]
        values = struct.unpack("<%d%s" % (rows, code), plain)
        if kind.endswith("d"):
            mask = (1 << 8 * width) - 1
            values = accumulate(values, lambda a, b, m=mask: a + b & m)
        table[name] = list(values)
    return table


class Archive:
    def __init__(self, path, check=True):
        self.check = check
        folder, name = os.path.split(os.path.abspath(os.fsencode(path)))
        match = re.fullmatch(rb"(.+)\.(\d{3}|[1-9]\d{3,})", name, re.S)
        need(match, "no volume name")
        self.base, named = os.path.join(folder, match[1]), int(match[2])
        self.footer = self.find_footer(folder, match[1], named)
        self.read_root()

    @lru_cache(500)
    def volume(self, number):
        """An open volume and its archive's id."""
        f = open(self.base + b".%03d" % number, "rb")
        head = f.read(64)
        need(len(head) == 64 and head[:8] == b"ARCVOL01", "volume header")
        need(u64(head, 56) == xxh3(head[:56]), "volume header checksum")
        need(u32(head, 12) == number, "volume number")
        return f, head[24:40]

    def pread(self, number, offset, n):
        data = os.pread(self.volume(number)[0].fileno(), n, offset)
        need(len(data) == n, "volume %d ends early" % number)
        return data

    def find_footer(self, folder, base, named):
        parts = [name.rpartition(b".") for name in os.listdir(folder)]
        found = [int(digits) for stem, _, digits in parts if stem == base
                 and re.fullmatch(rb"\d{3}|[1-9]\d{3,}", digits)]
        for number in sorted(found, reverse=True):
            with open(self.base + b".%03d" % number, "rb") as f:
                size = f.seek(0, 2)
                f.seek(max(size - 128, 0))
                foot = f.read()
            if (len(foot) == 128 and foot[:8] == b"ARCFOOT1"
                    and foot[120:] == b"GPU_IDX1" and u32(foot, 12) == number
                    and u64(foot, 96) == xxh3(foot[:96] + foot[104:])
                    and foot[40:56] == self.volume(named)[1]):
                need(u64(foot, 16) == 0, "unknown feature")
                return foot
        raise Damaged("no footer found: the set is unfinished or incomplete")

    def load(self, place, table, level, number):
        """Raw bytes and rows of the block at (volume, offset, bytes, sum)."""
        volume, offset, n, checksum = place
        block = self.pread(volume, offset, n)
        rows, raw, stored = struct.unpack_from("<III", block, 16)
        what = "block %d of level %d, table %d" % (number, level, table)
        need(block[:4] == b"ARCB" and block[4] == table and block[5] == level
             and u64(block, 8) == number and stored + 40 == n, what)
        need(u64(block, 32) == xxh3(block[:32] + block[40:]), what)
        need(checksum is None or u64(block, 32) == checksum, what)
        data = block[40:] if block[6] & 1 else zlib.decompress(block[40:])
        need(len(data) == raw <= 262144, what)
        return data, rows

    def read_root(self):
        place = (u32(self.footer, 12), u64(self.footer, 104),
                 u64(self.footer, 112), None)
        root, _ = self.load(place, 0, 0, 0)
        self.tables, pos = {}, 296
        self.stream = u64(root, 8)
        for _ in range(u32(root, 0)):
            ident, size, rows, per, levels = struct.unpack_from("<IIQII", root,
                                                                pos)
            top = struct.unpack_from("<QQIIII", root, pos + 24)
            pos += 56
            if ident in TABLES:
                need((size, per) == TABLES[ident][1:3], "table layout")
                self.tables[ident] = (rows, levels, top)
        self.text = root[pos:pos + u32(root, 4)].decode()

    @lru_cache(2000)
    def block(self, table, level, number):
        """A block, decoded: columns by name, or bytes."""
        if level == self.tables[table][1] - 1:
            offset, checksum, volume, n, count, _ = self.tables[table][2]
        else:
            up = self.block(table, level + 1, number // 4096)
            offset, checksum, volume, n, count, _ = (
                values[number % 4096] for values in up.values())
        data, rows = self.load((volume, offset, n, checksum), table, level,
                               number)
        need(rows == count, "rows of a block")
        columns = DESCRIPTOR if level else TABLES[table][3]
        return untranspose(data, columns, rows) if columns else data

    def row(self, table, r):
        need(r < self.tables[table][0], "row of " + TABLES[table][0])
        per = TABLES[table][2]
        columns = self.block(table, 0, r // per)
        return {name: values[r % per] for name, values in columns.items()}

    def item(self, table, offset, width):
        need(offset < self.tables[table][0], "offset in a heap")
        block, i = self.block(table, 0, offset // 262144), offset % 262144
        n = int.from_bytes(block[i:i + width], "little")
        data = block[i + width:i + width + n]
        need(len(data) == n, "item of a heap")
        return data

    def digest(self, table, r):
        size, per = TABLES[table][1:3]
        if table not in self.tables or r >= self.tables[table][0]:
            return None
        i = r % per * size
        value = self.block(table, 0, r // per)[i:i + size]
        return value.hex() if any(value) else None

    def xattrs(self, inode):
        if not inode["xset"]:
            return {}
        xset = self.row(6, inode["xset"] - 1)
        rows = [self.row(7, xset["first"] + i) for i in range(xset["count"])]
        return {os.fsdecode(self.item(4, x["name"], 4)):
                self.item(4, x["value"], 4).hex() for x in rows}

    def entries(self, r):
        """(name, row) of a directory's entries, the order checked."""
        inode, last = self.row(1, r), b""
        for i in range(inode["size"]):
            entry = self.row(2, inode["data"] + i)
            name = self.item(3, entry["name"], 1)
            need(last < name and b"/" not in name and b"\0" not in name
                 and name not in (b".", b".."), "name of an entry")
            mode = self.row(1, entry["row"])["mode"]
            need(entry["type"] == stat.S_IFMT(mode) >> 12, "type of an entry")
            need(entry["type"] != 4 or entry["row"] > r, "loop")
            last = name
            yield name, entry["row"]

    def walk(self):
        """(path, row) of everything, depth first, names in order."""
        yield b"", 0
        stack = [(b"", self.entries(0))]
        while stack:
            prefix, names = stack[-1]
            name, r = next(names, (None, 0))
            if name is None:
                stack.pop()
                continue
            yield prefix + name, r
            if stat.S_ISDIR(self.row(1, r)["mode"]):
                stack.append((prefix + name + b"/", self.entries(r)))

    def frame_at(self, offset):
        low, high = 0, self.tables[8][0]
        while high - low > 1:
            middle = (low + high) // 2
            if self.row(8, middle)["start"] <= offset:
                low = middle
            else:
                high = middle
        return low, self.row(8, low)

    @lru_cache(64)
    def group(self, number, g):
        """The raw bytes of group g of a frame."""
        frame = self.row(8, number)
        size = frame["entry_size"]
        segments = -(-frame["raw"] // 65536)
        head = self.pread(frame["volume"], frame["offset"],
                          64 + segments * size)
        what = "record of frame %d" % number
        need(head[:8] == b"ARCREC01" and u64(head, 8) == number
             and head[16] == frame["codec"] and head[18] == size
             and head[17] == frame["group_log"] and u32(head, 20) == segments
             and u32(head, 24) == frame["raw"], what)
        need(u64(head, 56) == frame["checksum"] == xxh3(head[:56] + head[64:]),
             what)
        per, out = 1 << frame["group_log"] - 16, bytearray()
        for s in range(g * per, min((g + 1) * per, segments)):
            self.segment(frame, len(head), head[64 + s * size:], out,
                         min(65536, frame["raw"] - 65536 * s))
        return bytes(out)

    def segment(self, frame, head, entry, out, raw):
        offset, n, kind, fill = struct.unpack_from("<IIBB", entry)
        data = self.pread(frame["volume"], frame["offset"] + head + offset, n)
        start = len(out)
        if kind == 0:
            out += data
        elif kind == 2:
            out += bytes([fill]) * raw
        else:
            need(kind == 1 and frame["codec"] == 1, "codec")
            lz4_decode(data, out, raw)
        need(len(out) - start == raw, "size of a segment")
        if self.check:
            need(xxh3(bytes(out[start:])) == u64(entry, 16), "segment")

    def read(self, offset, n):
        """Pieces of the stream."""
        while n:
            number, frame = self.frame_at(offset)
            g, skip = divmod(offset - frame["start"], 1 << frame["group_log"])
            piece = self.group(number, g)[skip:skip + n]
            need(piece, "stream")
            yield piece
            offset, n = offset + len(piece), n - len(piece)

    def extents(self, inode):
        if not inode["flags"] & 1:
            return [(0, inode["size"], inode["data"])] if inode["size"] else []
        rows = (self.row(5, inode["data"] + i)
                for i in range(inode["extents"]))
        return [(e["file"], e["len"], e["stream"]) for e in rows]

    def content(self, inode):
        """(offset, bytes or None for a hole's length) pieces of a file."""
        pos = 0
        for start, n, stream in self.extents(inode):
            need(pos <= start and start + n <= inode["size"], "extent")
            if start > pos:
                yield pos, None, start - pos
            pos = start
            pieces = [bytes(n)] if stream == ZEROS else self.read(stream, n)
            for piece in pieces:
                yield pos, piece, len(piece)
                pos += len(piece)
        if pos < inode["size"]:
            yield pos, None, inode["size"] - pos

    def sha256(self, inode):
        h = hashlib.sha256()
        for _, data, n in self.content(inode):
            while data is None and n:
                h.update(bytes(min(n, 1 << 20)))
                n -= min(n, 1 << 20)
            h.update(data or b"")
        return h.hexdigest()


# ---- verbs -----------------------------------------------------------------

def merged(extents):
    out = []
    for start, n, _ in extents:
        if out and out[-1][1] == start:
            out[-1][1] += n
        else:
            out.append([start, start + n])
    return out


def describe(a, path, r, hashed, firsts):
    i = a.row(1, r)
    kind = TYPES[stat.S_IFMT(i["mode"])]
    seconds = i["mtime"] - (i["mtime"] >> 63 << 64)
    e = {"path": os.fsdecode(path), "type": kind, "uid": i["uid"],
         "gid": i["gid"], "mode": stat.S_IMODE(i["mode"]),
         "mtime": seconds * 10**9 + i["mtime_ns"], "xattrs": a.xattrs(i)}
    if kind != "dir":
        e["nlink"], e["size"] = i["nlink"], i["size"]
        e["link"] = os.fsdecode(firsts.setdefault(r, path))
    if kind == "symlink":
        e["target"] = os.fsdecode(a.item(4, i["data"], 4))
    if kind in ("chr", "blk"):
        e["rdev"] = [i["data"] >> 32, i["data"] & M32]
    if kind == "file":
        e["data"] = merged(a.extents(i))
        if hashed:
            e["sha256"] = a.sha256(i)
        e["digest"], e["stored_sha256"] = a.digest(9, r), a.digest(10, r)
        for key in ("leader", "share", "share_nlink"):
            e[key] = i[key]
    return e


def extract(a, r, fd):
    """Directories, contents and symlinks, at any depth."""
    for name, row in a.entries(r):
        i = a.row(1, row)
        if stat.S_ISDIR(i["mode"]):
            os.mkdir(name, dir_fd=fd)
            child = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
            extract(a, row, child)
            os.close(child)
        elif stat.S_ISLNK(i["mode"]):
            os.symlink(a.item(4, i["data"], 4), name, dir_fd=fd)
        elif stat.S_ISREG(i["mode"]):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with open(os.open(name, flags, 0o600, dir_fd=fd), "wb") as f:
                for offset, data, _ in a.content(i):
                    if data is not None:
                        f.seek(offset)
                        f.write(data)
                f.truncate(i["size"])


def main(argv):
    flags = {x for x in argv if x.startswith("--")}
    args = [x for x in argv if x not in flags]
    if len(args) < 2 or args[0] not in ("list", "sha256", "extract") or \
            len(args) != 2 + (args[0] == "extract"):
        sys.stderr.write(__doc__)
        return 2
    sys.setrecursionlimit(100000)
    a, firsts = Archive(args[1], "--no-check" not in flags), {}
    if args[0] == "extract":
        os.mkdir(args[2])
        extract(a, 0, os.open(args[2], os.O_RDONLY | os.O_DIRECTORY))
        return 0
    for path, r in a.walk():
        if args[0] == "list":
            print(json.dumps(describe(a, path, r, "--no-hash" not in flags,
                                      firsts)))
        elif stat.S_ISREG(a.row(1, r)["mode"]):
            out = a.sha256(a.row(1, r)).encode() + b"  " + path + b"\n"
            sys.stdout.buffer.write(out)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Damaged, OSError, IndexError, struct.error, zlib.error) as err:
        sys.exit("arcread: %s" % err)
