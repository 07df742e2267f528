/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked after a stop. Each exchange with QEMU wakes two processes, which costs
 * more than the answer: so all that GDB is about to need comes in one.
 */
#include "machine/live.h"

#include "hex.h"

#include <stdio.h>
#include <string.h>

enum ask { ASK_SELECT, ASK_REGISTERS, ASK_PAGE };

struct stopped {
	struct live *l;
	unsigned int cpu;
	enum ask ask[3];
	size_t asks;
	bool refused;	 /* QEMU does not select this CPU: its registers would be another's */
	struct buf page; /* the monitor's words */
	void (*tell)(void *ctx);
	void *ctx;
};

static void stopped_request(void *ctx, size_t i, struct buf *payload)
{
	const struct stopped *s = ctx;
	char command[48];

	switch (s->ask[i]) {
	case ASK_SELECT:
		buf_printf(payload, "Hg%s", s->l->thread[s->cpu]);
		break;
	case ASK_REGISTERS:
		buf_putc(payload, 'g');
		break;
	case ASK_PAGE:
		snprintf(command, sizeof(command), "gva2gpa %#" PRIx64,
			 s->l->foreseen & ~(uint64_t)0xfff);
		buf_puts(payload, "qRcmd,");
		hex_encode(payload, command, strlen(command));
		break;
	}
}

static int page_reply(struct stopped *s, const struct buf *answer)
{
	char text[128];

	if (answer->len == 2 && memcmp(answer->data, "OK", 2) == 0) {
		live_page_learn(s->l, s->cpu, s->l->foreseen, s->page.data);
		return 0;
	}
	/* Anything but output or an end: not understood, and nothing is learnt. */
	if (answer->len == 0 || answer->data[0] != 'O')
		return 0;
	if (answer->len / 2 <= sizeof(text) &&
	    hex_decode(answer->data + 1, answer->len - 1, text) == 0)
		buf_add(&s->page, text, answer->len / 2);
	return RSP_MORE;
}

static int stopped_reply(void *ctx, size_t i, const struct buf *answer)
{
	struct stopped *s = ctx;
	struct live *l = s->l;

	switch (s->ask[i]) {
	case ASK_SELECT:
		s->refused = answer->len != 2 || memcmp(answer->data, "OK", 2) != 0;
		l->hg = s->refused ? -1 : (int)s->cpu;
		return 0;
	case ASK_REGISTERS:
		if (!s->refused && answer->len && answer->data[0] != 'E')
			buf_add(&l->g[s->cpu], answer->data, answer->len);
		if (l->g[s->cpu].len)
			s->tell(s->ctx);
		return 0;
	case ASK_PAGE:
		return page_reply(s, answer);
	}
	return 0;
}

void live_stopped(struct live *l, unsigned int cpu, void (*tell)(void *ctx), void *ctx)
{
	struct stopped s = { .l = l, .cpu = cpu, .tell = tell, .ctx = ctx };
	struct rsp_pipeline p = { 0, stopped_request, stopped_reply, &s };

	if (l->g[cpu].len) {
		tell(ctx);
		return;
	}
	if (l->hg != (int)cpu)
		s.ask[s.asks++] = ASK_SELECT;
	s.ask[s.asks++] = ASK_REGISTERS;
	if (l->foreseen != UINT64_MAX && l->hmp_cpu == cpu)
		s.ask[s.asks++] = ASK_PAGE;
	p.count = s.asks;
	/* A lost connection is seen by whoever asks next. */
	rsp_pipeline(&l->rsp, &p);
	buf_free(&s.page);
}

void live_foresee(struct live *l, unsigned int cpu)
{
	struct machine_reg pc = { .name = "pc" };
	uint32_t insn;

	/* That it cannot be read is for GDB to hear when it asks. */
	if (machine_regs_read(&l->m, cpu, &pc, 1) || pc.err)
		return;
	l->foreseen = pc.value;
	machine_virt_read(&l->m, cpu, pc.value, &insn, sizeof(insn));
}
