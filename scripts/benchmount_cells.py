# SPDX-License-Identifier: MIT
"""What bench-mount measures: the cells of its table with their bounds, and the
tests that fill them."""
import hashlib
import json
import os
import shlex
import shutil
import tempfile
from typing import NamedTuple, Optional

import benchlib


class Cell(NamedTuple):
    """One figure of every file system. Bound and aim are ratios to the base:
    not more of seconds, not less of everything else. p99: milliseconds that
    one read in a hundred may take."""
    corpus: str
    test: str
    state: str
    unit: str
    bound: Optional[float]
    aim: Optional[float]
    p99: Optional[float] = None

    def fewer_is_better(self):
        return self.unit == "s"


CELLS = [
    Cell("linux", "mount", "cold", "s", 1.3, 1.0),
    Cell("linux", "find", "cold", "s", 0.69, 0.5),
    Cell("linux", "find", "warm", "s", None, None),
    Cell("linux", "ls", "cold", "s", 1.0, 0.35),
    Cell("linux", "du", "cold", "s", 0.75, 0.4),
    Cell("linux", "git", "cold", "s", None, None),
    Cell("linux", "git", "warm", "s", None, None),
    Cell("linux", "cp", "cold", "s", 1.0, 0.9),
    Cell("linux", "cat4", "cold", "s", 0.76, 0.55),
    Cell("linux", "cat1", "cold", "s", 1.0, 0.8),
    Cell("linux", "cat1", "warm", "s", 1.0, 0.5),
    Cell("many", "mount", "cold", "s", 1.3, 1.0),
    Cell("many", "find", "cold", "s", 0.42, 0.35),
    Cell("many", "find", "warm", "s", None, None),
    Cell("big", "rand4k-1", "cold", "IOPS", 1.1, 3, 1),
    Cell("big", "rand4k-8", "cold", "IOPS", 1.5, 4),
    Cell("big", "rand128k-1", "cold", "IOPS", 1.0, 2),
    Cell("big", "rand128k-8", "cold", "IOPS", 1.7, 3),
    Cell("big", "rand4k", "warm", "IOPS", 0.95, 1.0),
    Cell("big", "seq", "cold", "MB/s", 1.2, None),
    Cell("bigtxt", "rand4k-1", "cold", "IOPS", 1.0, 2, 2),
    Cell("bigtxt", "rand4k-8", "cold", "IOPS", 1.0, 2),
    Cell("bigtxt", "rand128k-1", "cold", "IOPS", 1.0, 2, 2),
    Cell("bigtxt", "rand128k-8", "cold", "IOPS", 1.0, 2),
    Cell("bigtxt", "seq", "cold", "MB/s", 1.2, None),
]

TITLES = {
    "mount": "mount, first `ls`",
    "find": "`find -ls`",
    "ls": "`ls -lR`",
    "du": "`du -s`",
    "git": "`git status`",
    "cp": "`cp -r` of %s",
    "cat4": "read all files, 4 at once",
    "cat1": "read all files, one after the other",
    "rand4k-1": "random 4 KiB, 1 job",
    "rand4k-8": "random 4 KiB, 8 jobs",
    "rand128k-1": "random 128 KiB, 1 job",
    "rand128k-8": "random 128 KiB, 8 jobs",
    "rand4k": "random 4 KiB, 1 job",
    "seq": "in order, 1 MiB",
}

COMMANDS = {
    "find": "find {} -ls > /dev/null",
    "ls": "ls -lR {} > /dev/null",
    "du": "du -s {}",
    "cat1": "find {} -type f -print0 | xargs -0 cat > /dev/null",
    "cat4": "find {} -type f -print0 | xargs -0 -P4 -n128 cat > /dev/null",
}

# Reads of each job: what a second or two are enough for.
READS = {"rand4k-1": 3000, "rand4k-8": 600, "rand128k-1": 800,
         "rand128k-8": 150}
MOUNTS = 5  # of which the median counts


class Tree:
    """What a test is to know of a corpus beside where it is mounted."""

    def __init__(self, source, work, part):
        self.source = source
        self.part = part
        self.index = os.path.join(work, "git-%s" % hashlib.sha256(
            os.fsencode(source)).hexdigest()[:8])
        names = os.listdir(source)
        self.file = names[0] if len(names) == 1 else None

    def unusable(self, test):
        """What keeps a test from being run on it: text, or None."""
        if uses_fio(test) and not self.file:
            return "%s is to have one file and nothing else" % self.source
        if test == "cp" and not os.path.isdir(
                os.path.join(self.source, self.part)):
            return "%s has no %s to copy; there is --part" % (self.source,
                                                              self.part)
        return None


def uses_fio(test):
    return test == "seq" or test.startswith("rand")


def missing_program(tests):
    """What keeps the tests from being run: text, or None."""
    if any(uses_fio(t) for t in tests) and not shutil.which("fio"):
        return "fio is not installed: apt-get install fio; or choose " \
               "--tests without rand* and seq"
    if "git" in tests and not shutil.which("git"):
        return "git is not installed: apt-get install git"
    return None


def fio(path, how, size, jobs, more):
    """One measurement by fio; every file system gets the same offsets."""
    with tempfile.NamedTemporaryFile() as out:
        used = benchlib.run(
            "fio --name=read --filename=%s --rw=%s --bs=%s --numjobs=%d %s "
            "--ioengine=psync --readonly --invalidate=0 --group_reporting "
            "--allow_file_create=0 --randrepeat=1 --randseed=4711 "
            "--norandommap --output-format=json --output=%s" % (
                shlex.quote(path), how, size, jobs, more, out.name))
        text = out.read().decode()
    read = json.loads(text[text.index("{"):])["jobs"][0]["read"]
    value = read["bw_bytes"] / 1e6 if how == "read" else read["iops"]
    return {"value": value, "cpu": used["cpu"],
            "p99": read["clat_ns"]["percentile"]["99.000000"] / 1e6}


def timed(command):
    used = benchlib.run(command)
    return {"value": used["wall"], "cpu": used["cpu"]}


class Test:
    """One test on one file system; figures by state: {"cold": {"value": ...,
    "p99": milliseconds, "cpu": seconds of readers and server}, ...}."""

    def __init__(self, mount, system, image, tree):
        self.mount, self.system, self.image = mount, system, image
        self.tree = tree
        self.figures = {}

    def at(self, name=""):
        return os.path.join(self.mount.point, name)

    def take(self, state, measure, *arguments):
        before = self.mount.server_cpu()
        figures = measure(*arguments)
        figures["cpu"] += self.mount.server_cpu() - before
        self.figures[state] = figures

    def run(self, name):
        """The mount stays for the caller to look at."""
        if name == "mount":
            self.run_mounts()
            return self.figures
        self.mount.cold(self.system, self.image)
        if name == "git":
            self.run_git()
        elif name == "cp":
            self.run_copy()
        elif name == "seq":
            self.take("cold", fio, self.at(self.tree.file), "read", "1M", 1,
                      "")
        elif name == "rand4k":
            self.run_random_warm()
        elif name.startswith("rand"):
            self.run_random(name)
        else:
            self.run_command(name)
        return self.figures

    def run_mounts(self):
        taken = [self.mount.cold(self.system, self.image)
                 for _ in range(MOUNTS)]
        self.figures["cold"] = {"value": sorted(taken)[MOUNTS // 2]}

    def run_random(self, name):
        size, jobs = name[len("rand"):].split("-")
        self.take("cold", fio, self.at(self.tree.file), "randread", size,
                  int(jobs), "--number_ios=%d --runtime=12" % READS[name])

    def run_random_warm(self):
        path = self.at(self.tree.file)
        for _ in range(2):
            benchlib.run("cat %s > /dev/null" % shlex.quote(path))
        self.take("warm", fio, path, "randread", "4k", 1,
                  "--time_based --runtime=2")

    def run_copy(self):
        """Into memory, so that no disk is measured."""
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            self.take("cold", timed, "cp -r %s %s/copy" % (
                shlex.quote(self.at(self.tree.part)), shlex.quote(folder)))

    def run_git(self):
        command = "cd %s && out=$(GIT_OPTIONAL_LOCKS=0 git --git-dir=%s " \
                  "--work-tree=. status --porcelain | head -n 3) && " \
                  "if [ -n \"$out\" ]; then echo \"$out\" >&2; exit 1; fi" % (
                      shlex.quote(self.at()), shlex.quote(self.tree.index))
        self.take("cold", timed, command)
        self.take("warm", timed, command)

    def run_command(self, name):
        command = COMMANDS[name].replace("{}", shlex.quote(self.mount.point))
        self.take("cold", timed, command)
        if name in ("find", "cat1"):
            self.take("warm", timed, command)


def prepare_git(tree):
    """A repository of the tree, kept outside of it. Its index looks at sizes
    and at seconds of times, which every file system keeps."""
    if os.path.exists(os.path.join(tree.index, "refs/heads/main")):
        return
    shutil.rmtree(tree.index, ignore_errors=True)
    git = "git --git-dir=%s --work-tree=%s -c gc.auto=0 " % (
        shlex.quote(tree.index), shlex.quote(tree.source))
    benchlib.run(git + "init -q -b main")
    for setting in ("core.checkStat minimal", "core.trustctime false",
                    "core.bigFileThreshold 1", "core.compression 0"):
        benchlib.run(git + "config " + setting)
    benchlib.run("cd %s && %s add -A -f ." % (shlex.quote(tree.source), git))
    benchlib.run(git + "-c user.name=bench -c user.email=bench@localhost "
                 "commit -q -m all")
