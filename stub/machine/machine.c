/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/machine.h"

#include "machine/inject.h"
#include "mmu/sysreg.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MEMORY_CHECK_CHUNK 4096u

int machine_fail(struct machine *m, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->error, sizeof(m->error), fmt, ap);
	va_end(ap);
	return err;
}

const char *machine_error(const struct machine *m, int err)
{
	return m->error[0] ? m->error : baton_strerror(err);
}

static int unsupported(struct machine *m, const char *what)
{
	return machine_fail(m, -BATON_EUNSUPPORTED, "this machine offers no %s", what);
}

void machine_changed(struct machine *m)
{
	m->generation++;
	if (m->ops->changed)
		m->ops->changed(m);
}

bool machine_canceled(const struct machine *m)
{
	return m->canceled && m->canceled(m->canceled_ctx);
}

/* Registers */

int machine_regs_read(struct machine *m, unsigned int cpu, struct machine_reg *regs, size_t n)
{
	m->error[0] = 0;
	if (!m->ops->regs_read)
		return unsupported(m, "registers");
	return m->ops->regs_read(m, cpu, regs, n);
}

/* S3_0_C2_C0_1: one that only the CPU itself can be asked for. */
static bool is_encoding(const char *name)
{
	return (*name == 'S' || *name == 's') && (name[1] == '2' || name[1] == '3') &&
	       name[2] == '_';
}

int machine_reg_read(struct machine *m, unsigned int cpu, const char *name, uint64_t *value)
{
	bool level = strcasecmp(name, "CurrentEL") == 0;
	struct machine_reg r = { .name = level ? "cpsr" : name };
	int err = machine_regs_read(m, cpu, &r, 1);

	if (err)
		return err;
	if (r.err == -BATON_ENOTFOUND && is_encoding(name))
		return inject_sysreg_read(m, cpu, name, value);
	if (r.err == -BATON_ENOTFOUND)
		return machine_fail(m, r.err, "CPU %u shows no register %s", cpu, name);
	/* QEMU shows no CurrentEL: PSTATE has the same bits at the same place. */
	*value = level ? r.value & 0xc : r.value;
	return r.err;
}

int machine_reg_write(struct machine *m, unsigned int cpu, const char *name, uint64_t value)
{
	unsigned int encoding;
	uint64_t now = 0;
	int err;

	m->error[0] = 0;
	if (!m->ops->reg_write)
		return unsupported(m, "registers to write");
	err = is_encoding(name) ? 0 : m->ops->reg_write(m, cpu, name, value);
	machine_changed(m);
	if (!err)
		err = machine_reg_read(m, cpu, name, &now);
	/* QEMU's stub says OK to a system register and changes nothing. */
	if (!err && now != value && sysreg_encode(name, &encoding)) {
		err = inject_sysreg_write(m, cpu, name, value);
		if (!err)
			err = machine_reg_read(m, cpu, name, &now);
	}
	if (!err && now != value)
		err = machine_fail(m, -BATON_EVERIFY,
				   "%s still reads %#" PRIx64 " after writing %#" PRIx64, name, now,
				   value);
	return err;
}

int machine_el(struct machine *m, unsigned int cpu)
{
	uint64_t cpsr = 0;
	int err = machine_reg_read(m, cpu, "cpsr", &cpsr);

	return err ? err : (int)(cpsr >> 2 & 3);
}

/* Memory */

static const struct ram_range *find(const struct ram_range *list, size_t n, uint64_t pa)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (pa < list[mid].first)
			hi = mid;
		else if (pa > list[mid].last)
			lo = mid + 1;
		else
			return &list[mid];
	}
	return NULL;
}

const struct ram_range *machine_ram_find(const struct machine *m, uint64_t pa)
{
	return find(m->ram, m->ram_count, pa);
}

const struct ram_range *machine_secure_find(const struct machine *m, uint64_t pa)
{
	return find(m->secure, m->secure_count, pa);
}

bool machine_is_ram(const struct machine *m, uint64_t pa, uint64_t len, bool rom)
{
	while (len) {
		const struct ram_range *r = machine_ram_find(m, pa);

		if (!r || r->kind == RAM_IO || (r->kind == RAM_ROM && !rom))
			return false;
		/* Differences, not sums: the last byte of all may be asked for. */
		if (len - 1 <= r->last - pa)
			return true;
		len -= r->last - pa + 1;
		pa = r->last + 1;
	}
	return true;
}

static int check_phys(struct machine *m, uint64_t pa, size_t len, bool write)
{
	if (machine_is_ram(m, pa, len, !write))
		return 0;
	for (uint64_t at = pa; at - pa < len;) {
		const struct ram_range *r = machine_ram_find(m, at);

		if (!r)
			return machine_fail(m, -BATON_ERANGE,
					    "physical %#" PRIx64
					    ": nothing is there (`ram` lists what is)",
					    at);
		if (r->kind == RAM_IO && !m->allow_mmio)
			return machine_fail(m, -BATON_ERANGE,
					    "physical %#" PRIx64 " is the device %s: not touched "
					    "(--allow-mmio insists)",
					    at, r->name);
		if (r->kind == RAM_ROM && write)
			return machine_fail(m, -BATON_ERANGE, "physical %#" PRIx64 " is ROM (%s)",
					    at, r->name);
		if (r->last - pa >= len)
			break;
		at = r->last + 1;
	}
	return 0;
}

/* By way of a CPU in Secure state: its MMU is off, or maps it to itself. */
static int secure_read(struct machine *m, const struct ram_range *r, uint64_t pa, void *data,
		       size_t len)
{
	uint64_t first, last, end = pa + (len - 1);

	if (r->last >= end && machine_el(m, m->cpu) == 3 && !machine_where(m, m->cpu, pa, &first) &&
	    !machine_where(m, m->cpu, end, &last) && first == pa && last == end)
		return machine_virt_read(m, m->cpu, pa, data, len);
	return machine_fail(m, -BATON_ERANGE,
			    "physical %#" PRIx64 " is Secure memory (%s), which no CPU reads now",
			    pa, r->name);
}

int machine_phys_read(struct machine *m, uint64_t pa, void *data, size_t len)
{
	const struct ram_range *secure;
	int err;

	m->error[0] = 0;
	if (!m->ops->phys_read)
		return unsupported(m, "physical memory");
	if (len == 0)
		return 0;
	secure = machine_secure_find(m, pa);
	if (secure)
		return secure_read(m, secure, pa, data, len);
	err = check_phys(m, pa, len, false);
	return err ? err : m->ops->phys_read(m, pa, data, len);
}

int machine_phys_gather(struct machine *m, const uint64_t *pa, unsigned int n, size_t size,
			uint8_t *data, bool *ok)
{
	m->error[0] = 0;
	assert(n <= MACHINE_GATHER_MAX);
	if (machine_canceled(m))
		return -BATON_ECANCELED;
	if (m->ops->phys_gather)
		return m->ops->phys_gather(m, pa, n, size, data, ok);
	for (unsigned int i = 0; i < n; i++) {
		int err = machine_phys_read(m, pa[i], data + i * size, size);

		if (err == -BATON_ELINK)
			return err;
		ok[i] = !err;
	}
	return 0;
}

int machine_phys_gathered(struct machine *m, unsigned int i)
{
	return m->ops->phys_gathered ? m->ops->phys_gathered(m, i) : 0;
}

void machine_memory_way(struct machine *m, struct buf *out)
{
	if (m->ops->memory_way)
		m->ops->memory_way(m, out);
}

/* Read back what was just written; @read as the op for it. */
static int verify(struct machine *m, unsigned int cpu, uint64_t addr, const uint8_t *data,
		  size_t len, bool phys)
{
	uint8_t now[MEMORY_CHECK_CHUNK];

	for (size_t at = 0; at < len; at += sizeof(now)) {
		size_t n = len - at < sizeof(now) ? len - at : sizeof(now);
		int err = phys ? machine_phys_read(m, addr + at, now, n)
			       : machine_virt_read(m, cpu, addr + at, now, n);

		if (err)
			return err;
		if (memcmp(now, data + at, n) != 0)
			return machine_fail(m, -BATON_EVERIFY,
					    "what was written to %s%#" PRIx64 " did not read back",
					    phys ? "physical " : "", addr + at);
	}
	return 0;
}

int machine_phys_write(struct machine *m, uint64_t pa, const void *data, size_t len)
{
	int err;

	m->error[0] = 0;
	if (!m->ops->phys_write)
		return unsupported(m, "physical memory to write");
	err = check_phys(m, pa, len, true);
	if (!err)
		err = m->ops->phys_write(m, pa, data, len);
	machine_changed(m);
	return err ? err : verify(m, 0, pa, data, len, true);
}

int machine_phys_u64(struct machine *m, uint64_t pa, uint64_t *value)
{
	uint8_t raw[8] = { 0 };
	int err = machine_phys_read(m, pa, raw, sizeof(raw));

	if (err)
		return err;
	*value = 0;
	for (int i = 7; i >= 0; i--)
		*value = *value << 8 | raw[i];
	return 0;
}

int machine_virt_read(struct machine *m, unsigned int cpu, uint64_t va, void *data, size_t len)
{
	m->error[0] = 0;
	if (!m->ops->virt_read)
		return unsupported(m, "virtual memory");
	return len ? m->ops->virt_read(m, cpu, va, data, len) : 0;
}

int machine_virt_write(struct machine *m, unsigned int cpu, uint64_t va, const void *data,
		       size_t len)
{
	int err;

	m->error[0] = 0;
	if (!m->ops->virt_write)
		return unsupported(m, "virtual memory to write");
	err = m->ops->virt_write(m, cpu, va, data, len);
	machine_changed(m);
	return err ? err : verify(m, cpu, va, data, len, false);
}

/* Run control */

/* Of several owners' the first one's. */
static const char *whose(const struct machine_break *b)
{
	static const char *const owners[BREAK_OWNERS] = {
		[BREAK_GDB] = "GDB's",	     [BREAK_HANDOFF] = "the handoff's",
		[BREAK_COMMAND] = "baton's", [BREAK_RESET] = "baton's",
		[BREAK_ALIAS] = "an alias",
	};

	return owners[__builtin_ctz(b->owners)];
}

static void say_out(struct machine *m, struct machine_break *b, int err)
{
	buf_printf(&m->notice,
		   "the breakpoint at %#" PRIx64 " (%s) %s: %s; tried again at each %s\n", b->addr,
		   whose(b), b->was ? "cannot be put back after a step over it" : "waits",
		   machine_error(m, err), b->was ? "run" : "stop");
	b->said = true;
}

/* Into the machine; what changes is said once. */
static int put_back(struct machine *m, struct machine_break *b)
{
	int err = m->ops->stop_point(m, true, b->type, b->addr, b->kind);

	if (err && !b->said)
		say_out(m, b, err);
	else if (!err && b->said)
		buf_printf(&m->notice, "the breakpoint at %#" PRIx64 " (%s) is there %s\n", b->addr,
			   whose(b), b->was ? "again" : "now");
	b->out = err;
	b->was |= !err;
	b->said &= b->out;
	return err == -BATON_ELINK ? err : 0;
}

int machine_break_retry(struct machine *m)
{
	uint64_t pc = 0;
	int err = 0;

	for (size_t i = 0; !err && i < m->break_count; i++) {
		if (!m->breaks[i].out)
			continue;
		/* Not where it would hold the CPU. */
		err = machine_reg_read(m, m->cpu, "pc", &pc);
		if (!err && m->breaks[i].addr != pc)
			err = put_back(m, &m->breaks[i]);
	}
	m->error[0] = 0;
	return err == -BATON_ELINK ? err : 0;
}

/* KVM does not step from where a breakpoint lies: it stops there again. */
static int step_off(struct machine *m, unsigned int cpu, struct machine_stop *stop)
{
	uint64_t pc = 0;
	int err = machine_reg_read(m, cpu, "pc", &pc), gone = 0;

	for (size_t i = 0; !err && i < m->break_count; i++) {
		const struct machine_break *b = &m->breaks[i];

		if (b->type <= BREAK_HARD && b->addr == pc && !b->out)
			err = m->ops->stop_point(m, false, b->type, pc, 4);
	}
	if (err)
		return err;
	err = m->ops->step(m, cpu, 0, stop);
	if (err == -BATON_ELINK)
		return err;
	for (size_t i = 0; !gone && i < m->break_count; i++)
		if (m->breaks[i].type <= BREAK_HARD && m->breaks[i].addr == pc)
			gone = put_back(m, &m->breaks[i]);
	return gone ? gone : err;
}

int machine_step(struct machine *m, unsigned int cpu, struct machine_stop *stop)
{
	m->error[0] = 0;
	if (!m->ops->step)
		return unsupported(m, "single steps");
	return m->accel == ACCEL_KVM && m->break_count ? step_off(m, cpu, stop)
						       : m->ops->step(m, cpu, 0, stop);
}

int machine_resume(struct machine *m, int timeout_ms, struct machine_stop *stop)
{
	int err = machine_break_retry(m);

	m->error[0] = 0;
	if (err)
		return err;
	return m->ops->resume ? m->ops->resume(m, timeout_ms, stop) : unsupported(m, "run control");
}

static struct machine_break *find_break(const struct machine *m, enum break_type type,
					uint64_t addr, unsigned int kind)
{
	for (size_t i = 0; i < m->break_count; i++) {
		struct machine_break *b = &m->breaks[i];

		if (b->type == type && b->addr == addr && b->kind == kind)
			return b;
	}
	return NULL;
}

/* GDB's user asks once, and may ask before there is anything at that address. */
static bool may_wait(const struct machine *m, enum break_owner owner, enum break_type type, int err)
{
	return m->accel == ACCEL_KVM && owner == BREAK_GDB && type == BREAK_SOFT &&
	       (err == -BATON_EFAULT || err == -BATON_ETOOBIG);
}

/* A later owner's, or one of GDB's that can wait for one that cannot. */
static bool gives_way(const struct machine *m, const struct machine_break *b,
		      enum break_owner owner, enum break_type type)
{
	int its = __builtin_ctz(b->owners);

	if (b->out || b->type > BREAK_HARD)
		return false;
	return its > (int)owner || (its == (int)owner && type == BREAK_HARD &&
				    may_wait(m, owner, b->type, -BATON_ETOOBIG));
}

static void say_gave_way(struct machine *m, struct machine_break *b,
			 const struct machine_break *new)
{
	/* machine_break_retry() says of GDB's that it waits. */
	b->was = b->said = !(b->owners & 1u << BREAK_GDB);
	if (b->said)
		buf_printf(&m->notice,
			   "no hardware breakpoint is left: the one at %#" PRIx64 " (%s) gave way "
			   "to %#" PRIx64 " (%s); what happens there may be missed\n",
			   b->addr, whose(b), new->addr, whose(new));
}

/* Where hardware breakpoints are few: @new takes the place of another, the last owner's first. */
static int take_place(struct machine *m, enum break_owner owner, const struct machine_break *new,
		      int err)
{
	for (int its = BREAK_OWNERS - 1; err && its >= (int)owner; its--)
		for (size_t i = 0; err && i < m->break_count; i++) {
			struct machine_break *b = &m->breaks[i];

			if (__builtin_ctz(b->owners) != its || !gives_way(m, b, owner, new->type) ||
			    m->ops->stop_point(m, false, b->type, b->addr, b->kind))
				continue;
			err = m->ops->stop_point(m, true, new->type, new->addr, new->kind);
			b->out = true;
			if (err)
				(void)put_back(m, b);
			else
				say_gave_way(m, b, new);
		}
	return err;
}

int machine_break_add(struct machine *m, enum break_owner owner, enum break_type type,
		      uint64_t addr, unsigned int kind)
{
	struct machine_break new = {
		.type = type, .addr = addr, .kind = kind, .owners = 1u << owner
	};
	struct machine_break *b = find_break(m, type, addr, kind);
	int err;

	m->error[0] = 0;
	if (b && !b->out) {
		b->owners |= 1u << owner;
		return 0;
	}
	if (!m->ops->stop_point)
		return unsupported(m, "breakpoints");
	err = m->ops->stop_point(m, true, type, addr, kind);
	if (err == -BATON_ETOOBIG && type <= BREAK_HARD)
		err = take_place(m, owner, &new, err);
	if (err && !may_wait(m, owner, type, err))
		return err;
	new.out = err;
	new.was = !err;
	if (b) {
		new.owners |= b->owners;
		*b = new;
		return 0;
	}
	m->breaks = realloc(m->breaks, (m->break_count + 1) * sizeof(*m->breaks));
	if (!m->breaks)
		abort();
	m->breaks[m->break_count++] = new;
	return 0;
}

int machine_break_remove(struct machine *m, enum break_owner owner, enum break_type type,
			 uint64_t addr, unsigned int kind)
{
	struct machine_break *b = find_break(m, type, addr, kind);
	bool out;

	m->error[0] = 0;
	if (!b || !(b->owners & 1u << owner))
		return 0;
	b->owners &= ~(1u << owner);
	if (b->owners)
		return 0;
	out = b->out;
	*b = m->breaks[--m->break_count];
	return out ? 0 : m->ops->stop_point(m, false, type, addr, kind);
}

int machine_break_clear(struct machine *m, enum break_owner owner)
{
	int first = 0;

	for (size_t i = m->break_count; i-- > 0;) {
		struct machine_break b = m->breaks[i];
		int err = machine_break_remove(m, owner, b.type, b.addr, b.kind);

		first = first ? first : err;
	}
	return first;
}

bool machine_break_has(const struct machine *m, enum break_owner owner, uint64_t addr)
{
	for (size_t i = 0; i < m->break_count; i++) {
		const struct machine_break *b = &m->breaks[i];

		if (b->addr == addr && b->type <= BREAK_HARD && b->owners & 1u << owner)
			return true;
	}
	return false;
}

const char *machine_break_whose(const struct machine *m, uint64_t addr)
{
	for (size_t i = 0; i < m->break_count; i++)
		if (m->breaks[i].addr == addr && m->breaks[i].type <= BREAK_HARD &&
		    !m->breaks[i].out)
			return whose(&m->breaks[i]);
	return "";
}

bool machine_break_within(const struct machine *m, uint64_t addr, uint64_t len)
{
	for (size_t i = 0; i < m->break_count; i++)
		if (m->breaks[i].type <= BREAK_HARD && m->breaks[i].addr - addr < len)
			return true;
	return false;
}

bool machine_trap(struct machine *m, size_t i, struct machine_trap *out)
{
	return m->ops->trap && m->ops->trap(m, i, out);
}

int machine_trap_copied(struct machine *m, size_t i, uint64_t pa)
{
	int err;

	m->error[0] = 0;
	if (!machine_is_ram(m, pa, 4, false))
		return 0;
	err = m->ops->trap_copied(m, i, pa);
	if (err)
		machine_changed(m);
	return err;
}

/* QEMU's monitor */

int machine_query(struct machine *m, const char *command, struct buf *out)
{
	m->error[0] = 0;
	return m->ops->hmp ? m->ops->hmp(m, command, out) : unsupported(m, "QEMU monitor");
}

int machine_hmp(struct machine *m, const char *command, struct buf *out)
{
	int err = machine_query(m, command, out);

	machine_changed(m);
	return err;
}

void machine_free(struct machine *m)
{
	free(m->ram);
	free(m->secure);
	free(m->breaks);
	buf_free(&m->notice);
	buf_free(&m->last_stop.packet);
	m->ram = m->secure = NULL;
	m->secure_count = 0;
	m->breaks = NULL;
}
