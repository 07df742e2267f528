/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest RAM read where it lies: in QEMU's own memory, through /proc/PID/mem. The
 * monitor's `gpa2hva` says where that is. Some 0.7 us for a word instead of 22 us by
 * packet, and coherent while the machine stands. Only for reading: a direct write to
 * code would leave translated code behind.
 */
#ifndef BATON_FASTRAM_H
#define BATON_FASTRAM_H

#include "machine/machine.h"

#include <sys/types.h>

struct fastram_range {
	uint64_t first, last; /* physical */
	uint64_t host;	      /* where @first is in QEMU */
};

struct fastram {
	pid_t pid;
	int fd; /* of /proc/PID/mem; -1: not available, @why says why */
	struct fastram_range *range;
	size_t count;
	char why[128];
};

/**
 * fastram_open() - find out whether @m's RAM can be read in process @pid (0: unknown).
 * Proved by comparing words at both ends of each range with what the stub reads.
 *
 * Return: 0, also where it is not available; -BATON_ELINK.
 */
int fastram_open(struct fastram *f, struct machine *m, pid_t pid);
void fastram_close(struct fastram *f);

/** fastram_read() - true if all of it was read this way; false: use packets. */
bool fastram_read(const struct fastram *f, uint64_t pa, void *data, size_t len);

/**
 * fastram_gather() - @n pieces of @size bytes from @pa[i] to @data + i * @size, where
 * ok[i] is set; what could not be read so is left for packets: ok[i] stays, done[i] is false.
 * One system call for hundreds, which is twice as fast as one for each.
 */
void fastram_gather(const struct fastram *f, const uint64_t *pa, unsigned int n, size_t size,
		    uint8_t *data, const bool *ok, bool *done);

#endif
