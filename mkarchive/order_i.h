/* SPDX-License-Identifier: MIT */
/*
 * order_i - what the files of order share: order.c (the orders that names and
 * sizes give), order_similar.c (what is alike).
 */
#ifndef MK_ORDER_I_H
#define MK_ORDER_I_H

#include "order.h"

/* Bytes of a path, from its end, that revpath compares. */
#define MK_ORDER_KEY 40

/* A content on its way to its place: ascending keys, then ascending entries. */
struct mk_order_row {
	uint8_t key[MK_ORDER_KEY];
	uint64_t entry;
};

struct mk_order {
	struct mk_run *run;
	struct mk_tree *tree;
	int tmp_fd;
	struct mk_spool rows; /* struct mk_order_row */
	struct mk_spool spare; /* to sort with */
};

/* Rows after which pages are handed back. */
#define MK_ORDER_RELEASE 65536

/* The entry has content that will be read and stored under its name. */
bool mk_order_wants(const struct mk_tree *tree, uint64_t entry);

int mk_order_add(struct mk_order *o, uint64_t entry, const uint8_t *key,
		 size_t n);

/* A row for each wanted entry, by what is alike. */
int mk_order_similar(struct mk_order *o);

#endif
