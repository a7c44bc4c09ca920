/* SPDX-License-Identifier: MIT */
/*
 * printed - what a program was asked to print is written, or it is an error:
 * a help text that went to a full disk is no success. Options that only print
 * (argp ends the program itself for --help and --version) have nobody else who
 * would notice.
 *
 * Threads: for main(), before there are any.
 */
#ifndef ARC_PRINTED_H
#define ARC_PRINTED_H

/*
 * From now on a program that ends with status 0 first writes what is left of
 * standard output; when that, or any output before it, failed, it says so on
 * standard error and ends with `failure`. A status that tells of something else
 * stays, without a word. Borrows program, its name, for ever.
 */
void arc_printed_or(int failure, const char *program);

#endif
