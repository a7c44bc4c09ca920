#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""arcread.py list VOLUME - prints a JSON object for each entry of an archive, contents hashed.

This reader is written from arc-format(5) alone: it shares no code with the C programs and serves
the tests as an oracle. It needs Python's standard library only (for zstd the command zstd as
well), is slow and easy to read.
"""
import hashlib
import json
import os
import re
import struct
import sys
import zlib
from bisect import bisect_right
from functools import lru_cache
from itertools import chain

from lz4 import lz4_decode
from lzext3 import lzext3_decode
from plain import M64, need, xxh3
from zstd import zstd_decode

# Structures as "name code ..." with the codes of the module struct: 4x are four bytes that matter
# to nobody, + is a delta column.
VOLUME = "magic 8s version H size H number I incompat Q id 16s16x checksum Q"
FOOTER = ("magic 8s version H2x volumes I incompat Q16x id 16s40x checksum Q offset Q length Q "
          "end 8s")
RECORD = "magic 8s frame Q codec B group_log B entry_size Bx segments I raw I28x checksum Q"
SEGMENT = "offset I size I type B fill B6x check Q"
BLOCK = "magic 4s table B level B flags H number Q rows I raw I stored I4x checksum Q"
DESCRIPTOR = "offset +Q checksum Q volume I stored I rows I4x"
TABLE = "id I row_size I table_rows Q rows_per_block I levels I " + DESCRIPTOR
TABLES = {  # id: (row size, rows per block, columns of the row)
    0: (1, 262144, ""),
    1: (80, 2048, "size Q data +Q mtime +Q mtime_ns I mode I uid I gid I nlink I xset I "
        "leader +Q share +Q extents I share_nlink I flags I4x"),
    2: (32, 4096, "name +Q row +Q share +Q type B7x"),
    3: (1, 262144, ""), 4: (1, 262144, ""),
    5: (24, 8192, "file +Q len Q stream +Q"),
    6: (16, 8192, "first +Q count I4x"),
    7: (16, 8192, "name Q value Q"),
    8: (40, 4096, "start +Q offset +Q checksum Q volume I raw I stored I codec B group_log B "
        "entry_size Bx"),
    9: (16, 8192, ""), 10: (32, 4096, ""),
}
ROOT, INODE, DIRENT, NAME, TEXT, EXTENT, XSET, XATTR, FRAME, DIGEST, SHA256 = TABLES
# Codec: (bytes of an entry at least, what appends a coded segment, or a whole group, to a frame).
DECODERS = {1: (24, lz4_decode), 2: (40, lzext3_decode), 3: (24, zstd_decode)}
NO_DECODER = 24, lambda *_: need(False, "coded by an unknown codec")
ZEROS = M64  # the offset in the stream of data that is not stored
TYPES = {1: "fifo", 2: "chr", 4: "dir", 6: "blk", 8: "file", 10: "symlink", 12: "socket"}
VOLUME_NAME = re.compile(rb"(.+)\.(\d{3}|[1-9]\d{3,7})", re.S)


def fields(text, data, what, **expected):
    """The fields of a structure by name; those of `expected` are as told, or it is damaged."""
    words = text.split()
    code = "<" + "".join(words[1::2]).replace("+", "")
    found = dict(zip(words[0::2], struct.unpack_from(code, data)))
    need(expected.items() <= found.items(), what)
    return found


def untranspose(text, data, size):
    """The rows of a block, of that many bytes each."""
    n, plain = len(data) // size, bytearray(data)
    for i in range(size):
        plain[i::size] = data[i * n:(i + 1) * n]
    rows = [fields(text, plain[i:i + size], "row") for i in range(0, len(data), size)]
    for name in re.findall(r"(\w+) \+Q", text):
        for before, row in zip(rows, rows[1:]):
            row[name] = before[name] + row[name] & M64
    return rows


def zeros(n):
    """n bytes of zeros in pieces."""
    return (bytes(min(n - pos, 1 << 20)) for pos in range(0, n, 1 << 20))


class Archive:
    def __init__(self, path):
        folder, name = os.path.split(os.path.abspath(os.fsencode(path)))
        match = VOLUME_NAME.fullmatch(name)
        need(match, "no volume name")
        self.base = os.path.join(folder, match[1])
        found = [m for m in map(VOLUME_NAME.fullmatch, os.listdir(folder)) if m]
        numbers = sorted((int(m[2]) for m in found if m[1] == match[1]), reverse=True)
        ident = self.volume(int(match[2]))[1]["id"]
        footer = next(filter(None, (self.footer(number, ident) for number in numbers)), None)
        need(footer, "no footer found: the set is unfinished or incomplete")
        need(footer["version"] == 1 and footer["incompat"] == 0, "unknown feature")
        top = {"volume": footer["volumes"], "offset": footer["offset"], "stored": footer["length"]}
        self.first = {}  # the first path of each row
        self.tables = {ROOT: (0, 1, top)}  # id: (rows, levels, descriptor of the top block)
        root = self.block(ROOT, 0, 0)
        count, text_len = struct.unpack_from("<II", root)
        need(len(root) == 296 + 56 * count + text_len, "top root")
        for pos in range(296, 296 + 56 * count, 56):
            t = fields(TABLE, root[pos:], "top root")
            if t["id"] in TABLES:
                need((t["row_size"], t["rows_per_block"]) == TABLES[t["id"]][:2], "table layout")
                need(t["id"] not in self.tables and t["levels"] <= 8, "table")
                self.tables[t["id"]] = t["table_rows"], t["levels"], t

    @lru_cache(500)
    def volume(self, number):
        """An open volume and its header."""
        f = open(self.base + b".%03d" % number, "rb")
        head = f.read(64)
        return f, fields(VOLUME, head, "header of volume %d" % number, magic=b"ARCVOL01",
                         version=1, size=64, number=number, incompat=0, checksum=xxh3(head[:56]))

    def pread(self, number, offset, n):
        data = os.pread(self.volume(number)[0].fileno(), n, offset)
        need(len(data) == n, "volume %d ends early" % number)
        return data

    def footer(self, number, ident):
        with open(self.base + b".%03d" % number, "rb") as f:
            f.seek(max(f.seek(0, 2) - 128, 0))
            data = f.read()
        try:
            return fields(FOOTER, data, "footer", magic=b"ARCFOOT1", volumes=number, id=ident,
                          end=b"GPU_IDX1", checksum=xxh3(data[:96] + data[104:]))
        except (ValueError, struct.error):
            return None

    @lru_cache(500)
    def block(self, table, level, number):
        """A block, decoded: a list of rows, or the bytes of a heap."""
        _, levels, place = self.tables[table]
        if level < levels - 1:
            place = self.row(table, number, level + 1)
        block = self.pread(place["volume"], place["offset"], place["stored"])
        what = "block %d of level %d, table %d" % (number, level, table)
        known = {key: place[key] for key in ("rows", "checksum") if key in place}
        head = fields(BLOCK, block, what, magic=b"ARCB", table=table, level=level, number=number,
                      stored=len(block) - 40, **known)
        need(head["checksum"] == xxh3(block[:32] + block[40:]), what)
        data = block[40:] if head["flags"] & 1 else zlib.decompress(block[40:])
        size, _, columns = (32, 4096, DESCRIPTOR) if level else TABLES[table]
        need(len(data) == head["raw"] == head["rows"] * size <= 262144, what)
        if columns:
            return untranspose(columns, data, size)
        return data if size == 1 else [data[i:i + size] for i in range(0, len(data), size)]

    def row(self, table, r, level=0):
        """A row (a descriptor, above level 0); of a heap, also what stands behind it."""
        need(level or r < self.tables[table][0], "row %d of table %d" % (r, table))
        number, i = divmod(r, 4096 if level else TABLES[table][1])
        block = self.block(table, level, number)
        return block[i] if isinstance(block, list) else block[i:]

    def item(self, heap, offset):
        data, width = self.row(heap, offset), 1 if heap == NAME else 4
        end = width + int.from_bytes(data[:width], "little")
        need(end <= len(data), "item of a heap")
        return data[width:end]

    def digest(self, table, r):
        value = self.row(table, r) if self.tables.get(table, (0,))[0] else b""
        return value.hex() if any(value) else None

    def xattrs(self, inode):
        xset = self.row(XSET, inode["xset"] - 1) if inode["xset"] else {"first": 0, "count": 0}
        rows = [self.row(XATTR, xset["first"] + i) for i in range(xset["count"])]
        return {os.fsdecode(self.item(TEXT, x["name"])): self.item(TEXT, x["value"]).hex()
                for x in rows}

    def entries(self, r):
        """(name, row) of a directory's entries, the order checked."""
        inode, last = self.row(INODE, r), b""
        for i in range(inode["size"]):
            entry = self.row(DIRENT, inode["data"] + i)
            name, row, kind = self.item(NAME, entry["name"]), entry["row"], entry["type"]
            need(last < name and not re.search(rb"[/\0]|\A\.\.?\Z", name), "name of an entry")
            need(kind == self.row(INODE, row)["mode"] >> 12, "type of an entry")
            need(kind != 4 or row > r, "loop")
            yield name, row
            last = name

    def walk(self):
        """Everything, described, depth first, names in order."""
        todo = [(b"", 0)]
        while todo:
            path, r = todo.pop()
            yield self.describe(path[1:], r)
            if self.row(INODE, r)["mode"] >> 12 == 4:
                todo += reversed([(path + b"/" + name, row) for name, row in self.entries(r)])

    @lru_cache(4)
    def frame(self, number):
        """The raw bytes of a frame."""
        frame, what = self.row(FRAME, number), "frame %d" % number
        size, raw, log = frame["entry_size"], frame["raw"], frame["group_log"]
        segments = -(-raw // 65536)
        least, decode = DECODERS.get(frame["codec"], NO_DECODER)
        need(24 <= least <= size <= 64 and size % 8 == 0 and 16 <= log <= 24, what)
        record = self.pread(frame["volume"], frame["offset"], frame["stored"])
        end = 64 + segments * size
        same = {key: frame[key] for key in ("codec", "group_log", "entry_size", "raw", "checksum")}
        fields(RECORD, record, what, magic=b"ARCREC01", frame=number, segments=segments, **same)
        need(frame["checksum"] == xxh3(record[:56] + record[64:end]), what)
        payload, out, done = record[end:], bytearray(), 0
        for s in range(segments):
            entry = record[64 + s * size:64 + s * size + size]
            e = fields(SEGMENT, entry, what, offset=done)
            first, n, done = s << 16, min(65536, raw - (s << 16)), done + e["size"]
            stored, kind = payload[e["offset"]:done], e["type"]
            need((kind == 3) == (len(out) > first), what)  # joined: it came with its group
            need(kind in (0, 1) or not stored, what)
            if kind == 1:
                decode(stored, out, raw, log, entry[24:])
                need(0 < len(stored) < len(out) - first, what)
            elif kind != 3:
                out += {0: stored, 2: bytes([e["fill"]]) * n}[kind]
                need(len(out) == first + n, what)
            check = xxh3(bytes(out[first:first + n]))
            need(check == e["check"], "segment %d of %s" % (s, what))
        need(done == len(payload), what)
        return bytes(out)

    def read(self, offset, n):
        """Pieces of the stream."""
        while n:
            rows = range(self.tables[FRAME][0])
            number = bisect_right(rows, offset, key=lambda r: self.row(FRAME, r)["start"]) - 1
            frame = self.row(FRAME, number)
            skip = offset - frame["start"]
            piece = self.frame(number)[skip:skip + n]
            need(piece, "stream")
            yield piece
            offset, n = offset + len(piece), n - len(piece)

    def extents(self, inode):
        """(offset, bytes, offset in the stream) of what is no hole."""
        if not inode["flags"] & 1:
            return [(0, inode["size"], inode["data"])] if inode["size"] else []
        rows = (self.row(EXTENT, inode["data"] + i) for i in range(inode["extents"]))
        return [(e["file"], e["len"], e["stream"]) for e in rows]

    def sha256(self, inode):
        h, pos = hashlib.sha256(), 0
        for start, n, stream in self.extents(inode) + [(inode["size"], 0, 0)]:
            need(pos <= start and start + n <= inode["size"], "extent")
            data = zeros(n) if stream == ZEROS else self.read(stream, n)
            for piece in chain(zeros(start - pos), data):
                h.update(piece)
            pos = start + n
        return h.hexdigest()

    def describe(self, path, r):
        i = self.row(INODE, r)
        kind = TYPES[i["mode"] >> 12]
        e = {"path": os.fsdecode(path), "type": kind, "uid": i["uid"], "gid": i["gid"],
             "mode": i["mode"] & 0o7777,
             "mtime": (i["mtime"] - (i["mtime"] >> 63 << 64)) * 10**9 + i["mtime_ns"],
             "xattrs": self.xattrs(i)}
        if kind != "dir":
            e.update(nlink=i["nlink"], size=i["size"],
                     link=os.fsdecode(self.first.setdefault(r, path)))
        if kind == "symlink":
            e["target"] = os.fsdecode(self.item(TEXT, i["data"]))
        if kind in ("chr", "blk"):
            e["rdev"] = divmod(i["data"], 1 << 32)
        if kind == "file":
            e["data"] = []
            for start, n, _ in self.extents(i):
                first = e["data"].pop()[0] if e["data"] and e["data"][-1][1] == start else start
                e["data"].append((first, start + n))
            e["sha256"] = self.sha256(i)
            e["digest"], e["stored_sha256"] = self.digest(DIGEST, r), self.digest(SHA256, r)
            e.update((key, i[key]) for key in ("leader", "share", "share_nlink"))
        return e


if __name__ == "__main__":
    try:
        need(len(sys.argv) == 3 and sys.argv[1] == "list", "usage: " + __doc__)
        for described in Archive(sys.argv[2]).walk():
            print(json.dumps(described))
    except (OSError, ArithmeticError, LookupError, ValueError, struct.error, zlib.error) as err:
        sys.exit("arcread: %s" % err)
