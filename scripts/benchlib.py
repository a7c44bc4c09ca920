# SPDX-License-Identifier: MIT
"""Paired timing of commands: every contestant runs once per round, the order
turns from round to round, and what counts is the median of the ratios within
the rounds, so that a machine whose speed drifts still compares fairly."""
import os
import platform
import statistics
import subprocess
import sys
import time


def run(command):
    """Wall and CPU seconds, peak RSS (MiB) of one shell command."""
    begin = time.monotonic()
    child = subprocess.Popen(["bash", "-c", command],
                             stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit("failed (%d): %s\n%s" % (child.returncode, command,
                                          errors.decode(errors="replace")))
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime,
            "rss": usage.ru_maxrss / 1024}


def drop_caches():
    subprocess.run("sync; echo 3 > /proc/sys/vm/drop_caches", shell=True,
                   check=True)


def spread(values, digits=2):
    return "%.*f (%.*f..%.*f)" % (digits, statistics.median(values), digits,
                                  min(values), digits, max(values))


def confidence(values):
    """Median, and the order statistics that enclose it with >= 93 %: (median,
    low, high). Of fewer than five values, all of them."""
    values = sorted(values)
    drop = 0
    if len(values) >= 5:
        drop = {5: 0, 6: 0, 7: 0, 8: 1, 9: 1, 10: 1, 11: 2}.get(len(values), 2)
    return statistics.median(values), values[drop], values[-1 - drop]


def interval(ratios):
    return "%.2f [%.2f..%.2f]" % confidence(ratios)


def judge(low, high, bound, fewer_is_better):
    """Whether the whole interval lies on the right side of a bound."""
    if fewer_is_better:
        met, missed = high <= bound, low > bound
    else:
        met, missed = low >= bound, high < bound
    return "met" if met else "MISSED" if missed else "undecided"


def rotated(items, round_number):
    k = round_number % max(len(items), 1)
    return items[k:] + items[:k]


def version(command):
    out = subprocess.run(command, shell=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT).stdout.decode()
    return next((line for line in out.splitlines() if line.strip()), "?")


def machine():
    model = next((line.split(":", 1)[1].strip()
                  for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "?")
    memory = next(int(line.split()[1]) // 1048576
                  for line in open("/proc/meminfo")
                  if line.startswith("MemTotal"))
    return "%s, %d cores, %d GiB, Linux %s" % (
        model, os.cpu_count(), memory, platform.release())


def commit():
    return version("git -C '%s' describe --always --dirty" %
                   os.path.dirname(os.path.abspath(__file__)))


def rows(header, lines):
    print("| %s |\n|%s" % (" | ".join(header), "---|" * len(header)))
    for line in lines:
        print("| %s |" % " | ".join(line))
    print()


def table(title, notes, header, lines):
    print("# %s\n" % title)
    print("- machine: %s" % machine())
    print("- commit: %s" % commit())
    for note in notes:
        print("- %s" % note)
    print()
    rows(header, lines)
