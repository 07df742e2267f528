/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One GDB at a time in front of one machine: who connects, what each packet means
 * (route.c), and what is left when GDB goes.
 */
#ifndef BATON_SESSION_H
#define BATON_SESSION_H

#include "machine/live.h"
#include "monitor/command.h"
#include "proxy/alias.h"
#include "proxy/client.h"
#include "proxy/pseudo.h"

struct session {
	struct live *live;
	struct context *ctx;
	struct client client;
	struct listener listener;
	struct loop *loop;
	unsigned int cpu;  /* the one that GDB's g, p and m speak of (Hg) */
	bool phys;	   /* GDB asked for physical memory (Qqemu.PhyMemMode) */
	bool file_request; /* a semihosting request is with GDB, the machine waits */
	bool was_running;  /* GDB went while the machine ran: let it run on */
	bool resuming;	   /* within a packet that runs the machine, running or not */
	struct pseudo pseudo;
	struct aliases aliases;
	bool stdio, done; /* done: killed, or the one client of stdio is gone */
	bool verbose;
	size_t loaded_tables; /* pages written that look like tables and were not journalled */
	uint64_t loaded_last; /* the number of the last of them */
	struct buf aside;     /* what GDB's console is to show when it next listens */
	struct buf noticed;   /* the machine's notice that it was last shown */
};

/**
 * session_listen() - open where GDB connects, and say how on stderr.
 * @addr: an address, or "stdio"
 */
int session_listen(struct session *s, struct loop *loop, const char *addr, bool allow_remote,
		   char err[LINK_ERR_SIZE]);

/**
 * session_serve() - until QEMU ends, a signal comes or GDB kills the machine.
 * Return: 0 for a kill or the end of stdio; -BATON_ELINK: QEMU is gone.
 */
int session_serve(struct session *s);
void session_close(struct session *s);

/** session_handle() - answer one packet (route.c). -BATON_ELINK ends the session. */
int session_handle(struct session *s, struct buf *packet);

/** session_sink() - where commands' text goes: GDB's console. */
struct sink session_sink(struct session *s);

/**
 * session_write() - GDB's write to memory, physical or not as it has chosen (write.c). What it
 * did to a table is kept for GDB's console: session_say_aside() shows it, where GDB takes
 * console output: once it has resumed the machine, or within a monitor command.
 */
int session_write(struct session *s, uint64_t addr, const uint8_t *data, size_t len);
void session_say_aside(struct session *s);

/** session_error() - answer `Enn` for a BATON_E; -BATON_ELINK is returned instead. */
int session_error(struct session *s, int err);

#endif
