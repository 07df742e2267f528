/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BATON_BISECT_H
#define BATON_BISECT_H

#include <stddef.h>

/**
 * BISECT() - in a sorted list, the first that is not below: @at becomes the least index @i of
 * 0 to @n - 1 for which the expression @below, of @i, is false; @n if there is none.
 */
#define BISECT(at, i, n, below)                                      \
	do {                                                         \
		size_t bisect_high_ = (n);                           \
                                                                     \
		(at) = 0;                                            \
		while ((at) < bisect_high_) {                        \
			size_t i = (at) + (bisect_high_ - (at)) / 2; \
                                                                     \
			if (below)                                   \
				(at) = i + 1;                        \
			else                                         \
				bisect_high_ = i;                    \
		}                                                    \
	} while (0)

#endif
