/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory. QEMU's stub reads zeros where nothing is and acknowledges writes to it, and
 * reading a device may crash it: so every access is checked against the memory map
 * first, a virtual one after QEMU has said where it leads.
 */
#include "machine/live.h"

#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

/* One transfer in pieces that the stub takes, physical mode around it if wanted. */
struct transfer {
	struct live *l;
	bool phys, write;
	uint64_t addr;
	uint8_t *data;
	size_t len, pieces;
	int err;
};

static void piece(const struct transfer *t, size_t i, uint64_t *addr, size_t *at, size_t *len)
{
	size_t chunk = t->write ? t->l->chunk / 2 : t->l->chunk;

	*at = i * chunk;
	*addr = t->addr + *at;
	*len = t->len - *at < chunk ? t->len - *at : chunk;
}

static void transfer_request(void *ctx, size_t i, struct buf *payload)
{
	struct transfer *t = ctx;
	uint64_t addr;
	size_t at, len;

	if (t->phys && (i == 0 || i == t->pieces + 1)) {
		buf_puts(payload, i == 0 ? "Qqemu.PhyMemMode:1" : "Qqemu.PhyMemMode:0");
		return;
	}
	piece(t, i - t->phys, &addr, &at, &len);
	buf_printf(payload, "%c%" PRIx64 ",%zx", t->write ? 'M' : 'm', addr, len);
	if (t->write) {
		buf_putc(payload, ':');
		hex_encode(payload, t->data + at, len);
	}
}

static int transfer_reply(void *ctx, size_t i, const struct buf *answer)
{
	struct transfer *t = ctx;
	uint64_t addr;
	size_t at, len;
	bool ok = answer->len == 2 && memcmp(answer->data, "OK", 2) == 0;

	if (t->phys && (i == 0 || i == t->pieces + 1)) {
		if (ok)
			return 0;
		return machine_fail(&t->l->m, -BATON_EUNSUPPORTED,
				    "QEMU does not take Qqemu.PhyMemMode");
	}
	piece(t, i - t->phys, &addr, &at, &len);
	if (t->write)
		ok = ok && !t->err;
	else
		ok = answer->len == 2 * len &&
		     hex_decode(answer->data, answer->len, t->data + at) == 0;
	if (ok)
		return 0;
	t->err = machine_fail(&t->l->m, t->phys ? -BATON_ERANGE : -BATON_EFAULT,
			      "QEMU cannot %s %zu bytes at %#" PRIx64, t->write ? "write" : "read",
			      len, addr);
	return t->err;
}

static int transfer(struct live *l, bool phys, bool write, unsigned int cpu, uint64_t addr,
		    void *data, size_t len)
{
	size_t chunk = write ? l->chunk / 2 : l->chunk;
	struct transfer t = { l, phys, write, addr, data, len, (len + chunk - 1) / chunk, 0 };
	struct rsp_pipeline p = { t.pieces + (phys ? 2 : 0), transfer_request, transfer_reply, &t };
	int err = phys ? 0 : live_select(l, cpu);

	return err ? err : rsp_pipeline(&l->rsp, &p);
}

/* The line that @addr is in, from memory where it was not read since the machine moved. */
static int line(struct live *l, unsigned int space, uint64_t addr, struct live_line **out)
{
	uint64_t base = addr & ~(uint64_t)(LIVE_LINE - 1);
	struct live_line *e = &l->lines[(base / LIVE_LINE + space * 7u) % LIVE_LINES];
	int err = 0;

	if (e->generation != l->m.generation || e->addr != base || e->space != space) {
		e->generation = 0;
		err = transfer(l, space == LIVE_PHYS, false, space, base, e->data, LIVE_LINE);
		if (!err) {
			e->addr = base;
			e->space = space;
			e->generation = l->m.generation;
		}
	}
	*out = e;
	return err;
}

/* Short reads by lines, which neighbours will hit again; long ones as they are. */
static int read_lines(struct live *l, unsigned int space, uint64_t addr, uint8_t *data, size_t len)
{
	while (len) {
		size_t at = addr % LIVE_LINE, n = LIVE_LINE - at < len ? LIVE_LINE - at : len;
		struct live_line *e;
		int err = line(l, space, addr, &e);

		if (err)
			return err;
		memcpy(data, e->data + at, n);
		addr += n;
		data += n;
		len -= n;
	}
	return 0;
}

static int phys_read(struct machine *m, uint64_t pa, void *data, size_t len)
{
	struct live *l = live_of(m);
	uint64_t base = pa & ~(uint64_t)(LIVE_LINE - 1);

	if (fastram_read(&l->fast, pa, data, len))
		return 0;
	/* Rounding up must not leave what is known to be memory. */
	if (len <= LIVE_LINE && machine_is_ram(m, base, 2 * LIVE_LINE, true))
		return read_lines(l, LIVE_PHYS, pa, data, len);
	return transfer(l, true, false, 0, pa, data, len);
}

int live_phys_read(struct machine *m, uint64_t pa, void *data, size_t len)
{
	int err = phys_read(m, pa, data, len);

	if (!err)
		live_hide_traps(live_of(m), pa, data, len);
	return err;
}

int live_phys_write(struct machine *m, uint64_t pa, const void *data, size_t len)
{
	/* transfer() only reads from what it writes. */
	return transfer(live_of(m), true, true, 0, pa, (void *)(uintptr_t)data, len);
}

static struct live_page *page_slot(struct live *l, unsigned int cpu, uint64_t base)
{
	return &l->pages[(base / PAGE + cpu) % LIVE_PAGES];
}

void live_page_learn(struct live *l, unsigned int cpu, uint64_t va, const char *answer)
{
	uint64_t base = va & ~(uint64_t)(PAGE - 1);
	struct live_page *e = page_slot(l, cpu, base);
	const char *p = answer ? strstr(answer, "gpa: ") : NULL;

	*e = (struct live_page){ base, 0, l->m.generation, cpu, -BATON_EFAULT };
	/* "%#x" of 0 is "0". */
	if (p && strncmp(p += strlen("gpa: "), "0x", 2) == 0)
		p += 2;
	if (p && hex_u64(&p, &e->pa) == 0)
		e->err = 0;
}

/* Where a virtual page of a CPU leads, by QEMU's own translation. */
static int page_of(struct live *l, unsigned int cpu, uint64_t va, struct live_page **out)
{
	uint64_t base = va & ~(uint64_t)(PAGE - 1);
	struct live_page *e = page_slot(l, cpu, base);
	struct buf text = { 0 };
	char command[48];
	int err;

	*out = e;
	if (e->generation == l->m.generation && e->va == base && e->cpu == cpu)
		return e->err;
	e->generation = 0;
	err = live_hmp_cpu(l, cpu);
	snprintf(command, sizeof(command), "gva2gpa %#" PRIx64, base);
	if (!err)
		err = live_hmp_as(l, command, &text);
	if (!err) {
		live_page_learn(l, cpu, base, text.data);
		err = e->err;
	}
	buf_free(&text);
	return err;
}

int live_where(struct live *l, unsigned int cpu, uint64_t va, uint64_t *pa)
{
	struct live_page *p;
	int err = page_of(l, cpu, va, &p);

	*pa = err ? 0 : p->pa + va % PAGE;
	return err;
}

/* May CPU @cpu's [va, va + len) be touched? All in memory, or somebody insists. */
static int check_virt(struct live *l, unsigned int cpu, uint64_t va, size_t len, bool write)
{
	for (uint64_t done = 0; done < len;) {
		uint64_t at = (va + done) % PAGE;
		const struct ram_range *r;
		struct live_page *p;
		int err = page_of(l, cpu, va + done, &p);

		if (err == -BATON_EFAULT)
			return machine_fail(&l->m, err, "%#" PRIx64 " does not translate on CPU %u",
					    va + done, cpu);
		if (err)
			return err;
		r = machine_ram_find(&l->m, p->pa + at);
		/* QEMU reads it in the state that the CPU is in */
		if (!r && machine_el(&l->m, cpu) == 3)
			r = machine_secure_find(&l->m, p->pa + at);
		if (!r)
			return machine_fail(&l->m, -BATON_ERANGE,
					    "%#" PRIx64 " leads to %#" PRIx64 ", where nothing is",
					    va + done, p->pa + at);
		if (r->kind == RAM_IO && !write && !l->m.allow_mmio)
			return machine_fail(&l->m, -BATON_ERANGE,
					    "%#" PRIx64 " leads to %#" PRIx64 ", the device %s: "
					    "not read (--allow-mmio insists)",
					    va + done, p->pa + at, r->name);
		done += PAGE - at;
	}
	return 0;
}

/* Behind pages that check_virt() has just looked up: without packets, where that goes. */
static bool fast_virt_read(struct live *l, unsigned int cpu, uint64_t va, uint8_t *data, size_t len)
{
	while (len) {
		size_t at = va % PAGE, n = PAGE - at < len ? PAGE - at : len;
		struct live_page *p;

		if (page_of(l, cpu, va, &p) || !fastram_read(&l->fast, p->pa + at, data, n))
			return false;
		va += n;
		data += n;
		len -= n;
	}
	return true;
}

static int virt_read(struct machine *m, unsigned int cpu, uint64_t va, void *data, size_t len)
{
	struct live *l = live_of(m);
	int err = check_virt(l, cpu, va, len, false);

	if (err)
		return err;
	if (l->fast.fd >= 0 && fast_virt_read(l, cpu, va, data, len))
		return 0;
	/* A line does not leave its page, and the page is memory - unless MMIO is insisted on. */
	if (len <= LIVE_LINE && !m->allow_mmio)
		return read_lines(l, cpu, va, data, len);
	return transfer(l, false, false, cpu, va, data, len);
}

int live_virt_read(struct machine *m, unsigned int cpu, uint64_t va, void *data, size_t len)
{
	struct live *l = live_of(m);
	int err = virt_read(m, cpu, va, data, len);

	/* Whatever address they were set by. */
	for (uint64_t done = 0, n; !err && l->stop_count && done < len; done += n) {
		struct live_page *p;

		n = PAGE - (va + done) % PAGE < len - done ? PAGE - (va + done) % PAGE : len - done;
		err = page_of(l, cpu, va + done, &p);
		if (!err)
			live_hide_traps(l, p->pa + (va + done) % PAGE, (uint8_t *)data + done, n);
	}
	return err;
}

int live_virt_write(struct machine *m, unsigned int cpu, uint64_t va, const void *data, size_t len)
{
	struct live *l = live_of(m);
	int err = check_virt(l, cpu, va, len, true);

	return err ? err : transfer(l, false, true, cpu, va, (void *)(uintptr_t)data, len);
}
