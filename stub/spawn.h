/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU as a child: started stopped, with a gdbstub that only we can reach. */
#ifndef BATON_SPAWN_H
#define BATON_SPAWN_H

#include "buf.h"

#include <stdbool.h>
#include <sys/types.h>

struct termios;

struct child {
	pid_t pid;		  /* 0: none, or it has ended */
	int status;		  /* as waitpid() gives it, once it has ended */
	char dir[64];		  /* mode 0700 */
	char address[96];	  /* unix:DIR/gdb */
	int console;		  /* CHILD_KEPT: what it prints can be read here; or -1 */
	struct termios *terminal; /* as it was before QEMU changed it; NULL: no terminal */
};

/* Where its standard output goes, and what its input is. */
enum child_console {
	CHILD_OURS,   /* as ours */
	CHILD_STDERR, /* to standard error, and nothing to read (-l stdio) */
	CHILD_KEPT,   /* to us, through a pipe; our input */
};

/**
 * child_start() - start @argv with -S and a gdbstub on a unix socket, and wait until
 * the socket is there.
 * @err: on error one line
 *
 * It ends with us, however we end. Return: 0; -BATON_ESYS: it cannot be started;
 * -BATON_ELINK: it ended before its stub was there.
 */
int child_start(struct child *c, char **argv, enum child_console console, struct buf *err);

/** child_read() - what it has printed, up to @len bytes, without waiting. 0: nothing. */
size_t child_read(struct child *c, char *data, size_t len);

/** child_reap() - true if it has ended; never waits. child_say() - "exited with status 1". */
bool child_reap(struct child *c);
void child_say(const struct child *c, struct buf *out);

/** child_hide() - once connected: nobody else needs the socket, nothing is left behind. */
void child_hide(struct child *c);

/** child_wait() - give it a few seconds to end by itself. */
void child_wait(struct child *c);

/** child_stop() - end it, politely first; clean up. Harmless if there is none. */
void child_stop(struct child *c);

#endif
