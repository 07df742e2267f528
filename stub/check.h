/* SPDX-License-Identifier: BSD-2-Clause */
/* `baton check`: the same eyes on a file. */
#ifndef BATON_CHECK_H
#define BATON_CHECK_H

#include "options.h"

/**
 * check_run() - open the file, and run the commands of -e, or say all that is known.
 * Return: the exit status: 0 good, 1 something is wrong, 2 not usable.
 */
int check_run(const struct options *o);

#endif
