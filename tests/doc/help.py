#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""help.py PROGRAM PAGE - compares `PROGRAM --help` with its manual page: the
same options, long ones and those of -o, with the same defaults; and the help
is at most 80 columns wide, goes to stdout and exits with 0.

A program with verbs ("Verbs:" in its help) has the help of all its verbs
compared with the one page.
"""
import re
import subprocess
import sys

# argp's own, the same in every program.
COMMON = {"--help", "--usage", "--version"}
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z0-9-]*|-o [a-z_]+)(?![\w-])")
DEFAULT = re.compile(r"\(default: ([^)]+)\)|; default ([\w.-]*\w)|"
                     r"default is ([\w.-]*\w)|"
                     r"(\w+) \(the default\)|(\w+) \(default\)")

wrong = []


def complain(text):
    wrong.append(text)


def default_of(text):
    found = DEFAULT.search(" ".join(text.split()))
    return next(x for x in found.groups() if x) if found else None


def run_help(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE, check=False)
    name = " ".join(command[1:]) or command[0]
    if done.returncode != 0 or not done.stdout or done.stderr:
        complain("%s: exit %d, %d bytes on stdout, %d on stderr" % (
            name, done.returncode, len(done.stdout), len(done.stderr)))
    for line in done.stdout.splitlines():
        if len(line.expandtabs()) > 80:
            complain("%s: wider than 80 columns: %s" % (name, line))
    return done.stdout


def options_of_help(text):
    """{option: default} from the indented lines that begin with one."""
    found, current, body = {}, [], ""
    for line in text.splitlines() + [""]:
        starts = re.match(r"\s{1,8}-", line)
        if starts or not line.startswith("      "):
            for option in current:
                found[option] = default_of(body)
            current, body = [], ""
        if starts:
            head = re.split(r"\s{2,}", line.strip())
            current = OPTION.findall(line if len(head) == 1 else head[0] + " "
                                     + (head[1] if head[1][0] == "-" else ""))
        body += " " + line
    return found


def options_of_page(text):
    """{option: default} from the tags of .TP paragraphs."""
    text = re.sub(r"\\f[BIRP]|\\&", "", text.replace("\\-", "-"))
    text = re.sub(r"\\\(lq|\\\(rq", '"', text)
    found = {}
    for paragraph in re.split(r"^\.TP.*\n(?:\.TQ\n)?", text, flags=re.M)[1:]:
        paragraph = re.split(r"^\.S[HS]", paragraph, flags=re.M)[0]
        tag, _, body = paragraph.partition("\n")
        tag = re.sub(r'^\.[BIR]+ ', "", tag).replace('"', "")
        tag = re.sub(r" +", " ", tag)
        body = re.sub(r"^\.[BIR]+ (.*)$",
                      lambda m: re.sub(r'(?<=\S) (?=[.,;:)])', "",
                                       m[1].replace('"', "")), body,
                      flags=re.M)
        for option in OPTION.findall(tag):
            found[option] = default_of(tag + " " + body)
    return found


def main(program, page):
    text = run_help([program, "--help"])
    shown = options_of_help(text)
    verbs = re.search(r"^Verbs:\n((?:  \w.*\n(?:    .*\n)*)+)", text, re.M)
    if verbs:
        for verb in re.findall(r"^  (\w+)", verbs[1], re.M):
            shown.update(options_of_help(run_help([program, verb, "--help"])))
    with open(page, encoding="utf-8") as f:
        told = options_of_page(f.read())
    for option in sorted(shown.keys() - told.keys() - COMMON):
        complain("%s: in --help, not in the manual" % option)
    for option in sorted(told.keys() - shown.keys() - COMMON):
        complain("%s: in the manual, not in --help" % option)
    for option in sorted(shown.keys() & told.keys()):
        if shown[option] != told[option]:
            complain("%s: default %s in --help, %s in the manual" % (
                option, shown[option], told[option]))
    if not shown.keys() - COMMON:
        complain("no options found in --help")
    print("\n".join(wrong + ["%d options compared" % len(shown)]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
