/* SPDX-License-Identifier: MIT */
/*
 * memory - how much of it there is for this process, how to learn that there is
 * too little, and how to give some back.
 *
 * Limits are those of the machine and of the control groups that the process is
 * in, from its own up to the one that is mounted: memory.max and memory.high of
 * version 2, memory.limit_in_bytes of version 1.
 *
 * Shortage is told by the kernel as pressure (PSI): that tasks of the own group,
 * or of the machine, had to wait for memory for so long. memory.events is not
 * watched: a group that reads files is always at its memory.high with pages
 * that nobody misses, and would have its caches shrunk for ever.
 *
 * Threads: pure, but for what is said of the whole process.
 */
#ifndef ARC_MEMORY_H
#define ARC_MEMORY_H

#include "base.h"

/* root stands for "/": "" but for tests. */

/* Bytes this process may hope for; 0: unknown. */
uint64_t arc_memory_available(const char *root);

/*
 * What caches of decoded data take if nobody says: an eighth of what is
 * available, so that several mounts and what they serve fit beside each other;
 * at least 64 MiB, which is four of the largest groups, but never more than
 * half of what is available; at most 512 MiB, since the kernel keeps what was
 * read, and only what is read ahead gains by more.
 */
size_t arc_memory_cache_size(uint64_t available);

/*
 * A descriptor that poll(2) shows as POLLPRI when tasks have waited for memory
 * for 150 ms within a second; POLLERR: the group has gone. name: which file it
 * is. -ENOENT: this kernel or its owner tells nobody.
 */
int arc_memory_watch(const char *root, char *name, size_t cap);

/*
 * Whether shortage is ours: an eighth of the machine's memory or less is
 * available, or a group that the process is in uses seven eighths of its limit.
 * Otherwise somebody else waits at a limit of his own, and is not helped by
 * what we give back.
 */
bool arc_memory_is_short(const char *root);

/* For the process: pieces of more than 128 KiB go back to the system as they
 * are freed, whatever sizes have been freed before. */
void arc_memory_return_large(void);

/* For the process: gives back what has been freed and is still held. */
void arc_memory_give_back(void);

#endif
