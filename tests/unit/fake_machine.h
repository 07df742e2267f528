/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine made of arrays: 1 MiB of RAM, one device, registers by name, and a QEMU
 * monitor that answers from a table. What is done to it is written down in log.
 */
#ifndef BATON_TESTS_FAKE_MACHINE_H
#define BATON_TESTS_FAKE_MACHINE_H

#include "unit.h"

#include "hex.h"
#include "machine/machine.h"
#include "monitor/command.h"
#include "patch/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define FAKE_RAM    0x40000000ull
#define FAKE_SIZE   0x100000ull
#define FAKE_DEVICE 0x9000000ull
#define FAKE_REGS   32

struct fake_reg {
	const char *name;
	uint64_t value;
};

struct fake {
	struct machine m;
	struct ram_range map[2];
	uint8_t ram[FAKE_SIZE];
	struct fake_reg reg[FAKE_REGS];
	struct buf log;		/* monitor commands, stop points and runs, one a line */
	const char *const *hmp; /* pairs: command, answer; NULL ends; others: unknown command */
	int device_reads;
	bool stuck;	       /* memory ignores writes */
	bool lost;	       /* the link is gone */
	bool lose_after_write; /* ... once memory was written */
	/* what commands see and say */
	struct context ctx;
	struct sink sink;
	struct buf out;
};

static inline struct fake *fake_of(struct machine *m)
{
	return m->priv;
}

static inline struct fake_reg *fake_reg(struct fake *f, const char *name)
{
	for (struct fake_reg *r = f->reg; r < f->reg + FAKE_REGS && r->name; r++)
		if (!strcasecmp(r->name, name))
			return r;
	return NULL;
}

static inline void fake_set_reg(struct fake *f, const char *name, uint64_t value)
{
	struct fake_reg *r = fake_reg(f, name);

	for (r = r ? r : f->reg; r->name && strcasecmp(r->name, name); r++)
		assert_true(r < f->reg + FAKE_REGS - 1);
	*r = (struct fake_reg){ name, value };
}

static inline int fake_regs_read(struct machine *m, unsigned int cpu, struct machine_reg *regs,
				 size_t n)
{
	(void)cpu;
	if (fake_of(m)->lost)
		return -BATON_ELINK;
	for (size_t i = 0; i < n; i++) {
		struct fake_reg *r = fake_reg(fake_of(m), regs[i].name);

		regs[i].err = r ? 0 : -BATON_ENOTFOUND;
		regs[i].value = r ? r->value : 0;
	}
	return 0;
}

static inline int fake_reg_write(struct machine *m, unsigned int cpu, const char *name,
				 uint64_t value)
{
	(void)cpu;
	fake_set_reg(fake_of(m), name, value);
	return 0;
}

static inline int fake_phys_read(struct machine *m, uint64_t pa, void *data, size_t len)
{
	struct fake *f = fake_of(m);

	if (f->lost)
		return -BATON_ELINK;
	if (pa < FAKE_RAM) {
		f->device_reads++;
		memset(data, 0xdd, len);
	} else {
		memcpy(data, f->ram + (pa - FAKE_RAM), len);
	}
	return 0;
}

static inline int fake_phys_write(struct machine *m, uint64_t pa, const void *data, size_t len)
{
	struct fake *f = fake_of(m);

	if (!f->stuck)
		memcpy(f->ram + (pa - FAKE_RAM), data, len);
	f->lost |= f->lose_after_write;
	return 0;
}

static inline int fake_run(struct machine *m, const char *what, enum stop_kind kind,
			   struct machine_stop *stop)
{
	buf_printf(&fake_of(m)->log, "%s\n", what);
	*stop = (struct machine_stop){ .kind = kind, .signal = 5, .cpu = 0 };
	m->last_stop.kind = kind;
	return 0;
}

static inline int fake_step(struct machine *m, unsigned int cpu, int timeout_ms,
			    struct machine_stop *stop)
{
	(void)cpu;
	(void)timeout_ms;
	return fake_run(m, "step", STOP_SIGNAL, stop);
}

static inline int fake_resume(struct machine *m, int timeout_ms, struct machine_stop *stop)
{
	char what[32];

	snprintf(what, sizeof(what), "resume %d", timeout_ms);
	return fake_run(m, what, timeout_ms < 0 ? STOP_EXITED : STOP_TIMEOUT, stop);
}

static inline int fake_stop_point(struct machine *m, bool insert, enum break_type type,
				  uint64_t addr, unsigned int kind)
{
	buf_printf(&fake_of(m)->log, "%c%d %#" PRIx64 " %u\n", insert ? 'Z' : 'z', type, addr,
		   kind);
	return 0;
}

static inline int fake_hmp(struct machine *m, const char *command, struct buf *out)
{
	struct fake *f = fake_of(m);

	buf_printf(&f->log, "hmp %s\n", command);
	for (const char *const *row = f->hmp; row && *row; row += 2) {
		if (!strcmp(row[0], command)) {
			buf_puts(out, row[1]);
			return 0;
		}
	}
	buf_printf(out, "unknown command: '%s'\r\n", command);
	return 0;
}

static inline void fake_write(void *ctx, const char *text, size_t len)
{
	buf_add(&((struct fake *)ctx)->out, text, len);
}

static inline int fake_setup(void **state)
{
	static const struct machine_ops ops = {
		.regs_read = fake_regs_read,
		.reg_write = fake_reg_write,
		.phys_read = fake_phys_read,
		.phys_write = fake_phys_write,
		.step = fake_step,
		.resume = fake_resume,
		.stop_point = fake_stop_point,
		.hmp = fake_hmp,
	};
	struct fake *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->map[0] = (struct ram_range){ FAKE_DEVICE, FAKE_DEVICE + 0xfff, RAM_IO, "pl011" };
	f->map[1] = (struct ram_range){ FAKE_RAM, FAKE_RAM + FAKE_SIZE - 1, RAM_RAM, "ram" };
	f->m = (struct machine){ .ops = &ops, .priv = f, .accel = ACCEL_TCG, .cpus = 2 };
	f->m.ram = f->map;
	f->m.ram_count = 2;
	f->ctx = (struct context){ .machine = &f->m,
				   .symbols = symbols_new(),
				   .journal = journal_new() };
	f->sink = (struct sink){ .write = fake_write, .ctx = f };
	fake_set_reg(f, "pc", FAKE_RAM);
	fake_set_reg(f, "cpsr", 0x3c5); /* EL1, SP_EL1 */
	*state = f;
	return 0;
}

static inline int fake_teardown(void **state)
{
	struct fake *f = *state;

	symbols_free(f->ctx.symbols);
	journal_free(f->ctx.journal);
	free(f->m.breaks);
	buf_free(&f->m.notice);
	buf_free(&f->log);
	buf_free(&f->out);
	free(f);
	return 0;
}

/* Run one line; what was said and done before is forgotten. */
static inline int fake_command(struct fake *f, const char *line)
{
	buf_clear(&f->out);
	buf_clear(&f->log);
	return command_run(&f->ctx, &f->sink, line);
}

#define assert_said(f, text)                                                \
	do {                                                                \
		if (!(f)->out.len || !strstr((f)->out.data, (text)))        \
			fail_msg("\"%s\" was not said, but: %s", (text),    \
				 (f)->out.len ? (f)->out.data : "nothing"); \
	} while (0)

#define assert_log(f, text) assert_string_equal((f)->log.len ? (f)->log.data : "", (text))

static inline uint64_t fake_u64(struct fake *f, uint64_t pa)
{
	return le_read(f->ram + (pa - FAKE_RAM), 8);
}

static inline void fake_set_u64(struct fake *f, uint64_t pa, uint64_t value)
{
	le_write(f->ram + (pa - FAKE_RAM), 8, value);
}

/* A patch of one write that is made already. */
static inline unsigned int fake_patched(struct journal *j, const struct patch *p)
{
	unsigned int number = journal_begin(j, "test");

	assert_int_equal(journal_note(j, number, p), 0);
	assert_int_equal(journal_end(j, number), 0);
	return number;
}

/*
 * The EL1 regime of the seed case, 48 bits and 4 KiB, both roots. Below: L0, L1, L2 and
 * L3 in the four pages behind FAKE_TABLES; address 0x40000000 + N pages is itself.
 * Above: an L0 that is empty.
 */
#define FAKE_TABLES (FAKE_RAM + 0x80000)
#define FAKE_UPPER  (FAKE_RAM + 0x90000)
#define FAKE_L3	    (FAKE_TABLES + 0x3000)
#define FAKE_PAGE   0x703ull /* AF, inner shareable, AttrIndx 0, a page */

static inline void fake_tables(struct fake *f)
{
	fake_set_reg(f, "SCTLR_EL1", 0x30d0180d);
	fake_set_reg(f, "TCR_EL1", 0x12b5103510);
	fake_set_reg(f, "MAIR_EL1", 0xff);
	fake_set_reg(f, "TTBR0_EL1", FAKE_TABLES);
	fake_set_reg(f, "TTBR1_EL1", FAKE_UPPER);
	fake_set_u64(f, FAKE_TABLES, (FAKE_TABLES + 0x1000) | 3);
	fake_set_u64(f, FAKE_TABLES + 0x1000 + 8, (FAKE_TABLES + 0x2000) | 3);
	fake_set_u64(f, FAKE_TABLES + 0x2000, FAKE_L3 | 3);
	for (uint64_t i = 0; i < FAKE_SIZE / 0x1000; i++)
		fake_set_u64(f, FAKE_L3 + 8 * i, (FAKE_RAM + i * 0x1000) | FAKE_PAGE);
}

#endif
