/* SPDX-License-Identifier: MIT */
/*
 * guard - calls a function that may never return.
 *
 * Threads: any.
 */
#ifndef ARC_GUARD_H
#define ARC_GUARD_H

/*
 * fn(ctx) in a thread of its own; returns what it returns, or -ECANCELED after
 * ms milliseconds: then the thread goes on with ctx, which must never be freed
 * or looked at again. -ENOMEM: fn was not called.
 */
int arc_guard(int (*fn)(void *ctx), void *ctx, unsigned ms);

#endif
