/* SPDX-License-Identifier: MIT */
/*
 * order - in which order contents go into the stream, and so which of them
 * share a frame. Nothing else depends on it: entries, names and what is a
 * duplicate of what are those of the tree.
 *
 *	walk        the tree's: the files of a directory, then its
 *	            subdirectories
 *	path        files and subdirectories of a directory by their names
 *	revpath     by the end of the path, backwards: of one suffix and one
 *	            name together
 *	size        small ones first
 *	similarity  as walk, but a file comes directly behind those before it
 *	            whose beginning has much in common with its own (sketch.h)
 *
 * Everything lies in temporary files (spool.h): memory does not depend on the
 * number of files.
 *
 * Threads: one call; reads with run->opt->io_workers threads inside.
 */
#ifndef MK_ORDER_H
#define MK_ORDER_H

#include "mk_run.h"

/*
 * Fills tree->order with the entries that have content of their own, where
 * run->opt->order is not that of the tree. To be called when duplicates are
 * known. A file that cannot be read is like no other (packing will report it).
 * Temporary files go into the folder tmp_fd (borrowed).
 */
int mk_order(struct mk_run *run, struct mk_tree *tree, int tmp_fd);

#endif
