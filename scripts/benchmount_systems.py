# SPDX-License-Identifier: MIT
"""The file systems that bench-mount compares: how the image of a tree is
made, how it is mounted, and what is to be found on the machine."""
import glob
import hashlib
import os
import shlex
import shutil
import subprocess
import time

import benchlib

BASE = "squashfuse_ll"


class System:
    """How one file system is used. `make` has {src} and {out}, `mount` has
    {image} and {mnt}; `needs` are programs, the first makes the image;
    `driver` is the kernel's name of it; `kind` is part of the image's name:
    those who read the same share it."""
    own = False

    def __init__(self, name, needs, kind, make, mount, version, driver=None):
        self.name, self.needs, self.kind = name, needs, kind
        self.make, self.mount = make, mount
        self.version, self.driver = version, driver

    def missing(self):
        """What keeps it from being used: text, or None."""
        for program in self.needs:
            if not shutil.which(program):
                return "%s is not installed" % program
        if self.driver and not has_driver(self.driver):
            return "this kernel has no %s" % self.driver
        return None

    def out(self, work, corpus):
        return os.path.join(work, "%s.%s" % (corpus, self.kind))

    def files(self, out):
        """What there is of an image."""
        return [out] if os.path.exists(out) else []


class Arcfs(System):
    own = True

    def __init__(self, folder, codec):
        mk, arcfs = (os.path.join(folder, p) for p in ("mkarchive", "arcfs"))
        super().__init__("arcfs " + codec, [mk, arcfs], "arcfs-" + codec,
                         mk + " -q --force -c %s {src} {out}" % codec,
                         arcfs + " {image}.001 {mnt}", arcfs + " --version")

    def files(self, out):
        return sorted(glob.glob(glob.escape(out) + ".[0-9]*"))


def peers():
    squashfs = "mksquashfs {src} {out} -quiet -no-progress -noappend " \
               "-comp lz4 -b 128K"
    erofs = "mkfs.erofs --quiet -zlz4hc -C65536 {out} {src}"
    loop = "mount -t %s -o loop,ro {image} {mnt}"
    return [
        System(BASE, ["mksquashfs", "squashfuse_ll"], "squashfs", squashfs,
               "squashfuse_ll {image} {mnt}", "squashfuse_ll --help"),
        System("erofsfuse", ["mkfs.erofs", "erofsfuse"], "erofs", erofs,
               "erofsfuse {image} {mnt}", "mkfs.erofs --version"),
        System("dwarfs", ["mkdwarfs", "dwarfs"], "dwarfs",
               "mkdwarfs -i {src} -o {out} --no-progress --log-level=error "
               "-l3", "dwarfs {image} {mnt}", "mkdwarfs --version"),
        System("squashfs in the kernel", ["mksquashfs"], "squashfs", squashfs,
               loop % "squashfs", "mksquashfs -version", driver="squashfs"),
        System("erofs in the kernel", ["mkfs.erofs"], "erofs", erofs,
               loop % "erofs", "mkfs.erofs --version", driver="erofs"),
    ]


def has_driver(name):
    with open("/proc/filesystems", encoding="ascii") as f:
        if name in f.read().split():
            return True
    return subprocess.run(["modprobe", "-q", name],
                          check=False).returncode == 0


def digest_of(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def make_image(system, source, work, corpus):
    """The image, made unless an earlier run left one that the same program
    made in the same way."""
    out = system.out(work, corpus)
    note = out + ".made"
    wanted = "%s\n%s\n%s\n" % (system.make, source,
                               digest_of(shutil.which(system.needs[0])))
    if system.files(out) and os.path.exists(note):
        with open(note, encoding="utf-8") as f:
            if f.read() == wanted:
                return out
    for old in system.files(out):
        os.unlink(old)
    benchlib.run(system.make.format(src=shlex.quote(source),
                                    out=shlex.quote(out)))
    with open(note, "w", encoding="utf-8") as f:
        f.write(wanted)
    return out


def image_bytes(system, image):
    return sum(os.path.getsize(p) for p in system.files(image))


class Mount:
    """The one mount point; what is mounted there is taken away by end()."""

    def __init__(self, point):
        self.point = point
        self.server = None
        os.makedirs(point, exist_ok=True)

    def is_mounted(self):
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            return any(line.split()[4] == self.point for line in f)

    def begin(self, system, image):
        """Seconds that mounting took, and a first `ls`."""
        taken = benchlib.run("%s && ls %s" % (
            system.mount.format(image=shlex.quote(image),
                                mnt=shlex.quote(self.point)),
            shlex.quote(self.point)))["wall"]
        self.server = None if system.driver else self.find_server()
        return taken

    def cold(self, system, image):
        self.end()
        benchlib.drop_caches()
        return self.begin(system, image)

    def find_server(self):
        """The process that serves the mount: it has the mount point among its
        arguments."""
        wanted = os.fsencode(self.point)
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            pid = int(path.split("/")[2])
            try:
                with open(path, "rb") as f:
                    if pid != os.getpid() and wanted in f.read().split(b"\0"):
                        return pid
            except OSError:
                pass
        return None

    def server_cpu(self):
        """Seconds of user and system time that the server has used."""
        if not self.server:
            return 0
        with open("/proc/%d/stat" % self.server, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak(self):
        """Peak RSS of the server in MiB; None: there is none."""
        if not self.server:
            return None
        with open("/proc/%d/status" % self.server, encoding="ascii") as f:
            return next(int(line.split()[1]) / 1024 for line in f
                        if line.startswith("VmHWM"))

    def end(self):
        """Unmounts and waits until the server is gone."""
        for _ in range(200):
            if not self.is_mounted():
                break
            subprocess.run(["umount", self.point], check=False,
                           stderr=subprocess.DEVNULL)
            time.sleep(0.02 if self.is_mounted() else 0)
        else:
            raise RuntimeError("%s cannot be unmounted" % self.point)
        for _ in range(500):
            if not self.server or not os.path.exists("/proc/%d" % self.server):
                break
            time.sleep(0.02)
        self.server = None
