/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints and watchpoints as KVM has them on arm64, in front of a QEMU that runs TCG.
 *
 * The trap of a software breakpoint is really in the guest's memory. TCG would take it as
 * an exception of the guest's, so a breakpoint of TCG's lies on the same address; where that
 * one fires and the trap is no longer there, the machine goes on as if nothing had been.
 *
 * A watchpoint gets to QEMU when the machine is to run, and out of it when the machine is
 * to run without it: one that comes and goes in between refreshes nothing.
 */
#include "shim.h"

#include "error.h"
#include "hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BRK	 0xd4200000u /* brk_insn: target/arm/kvm64.c (7.2), target/arm/kvm.c (10.0) */
#define BRK_MASK 0xffe0001fu /* any immediate: the syndrome's class is what KVM looks at */

/* cpu_memory_rw_debug() */
int point_word(struct shim *s, unsigned int cpu, uint64_t addr, uint32_t *value, bool write,
	       bool *ok)
{
	struct buf reply = { 0 };
	uint8_t raw[4];
	int err = run_select(s, cpu);

	*ok = false;
	le_write(raw, 4, *value);
	if (!err && s->phys)
		err = wire_ask(&s->w, &reply, "Qqemu.PhyMemMode:0");
	if (!err && write)
		err = wire_ask(&s->w, &reply, "M%" PRIx64 ",4:%02x%02x%02x%02x", addr, raw[0],
			       raw[1], raw[2], raw[3]);
	else if (!err)
		err = wire_ask(&s->w, &reply, "m%" PRIx64 ",4", addr);
	if (!err && write)
		*ok = strcmp(reply.data, "OK") == 0;
	else if (!err && reply.len == 8 && hex_decode(reply.data, 8, raw) == 0)
		*ok = true;
	if (*ok)
		*value = (uint32_t)le_read(raw, 4);
	if (!err && s->phys)
		err = wire_ask(&s->w, &reply, "Qqemu.PhyMemMode:1");
	buf_free(&reply);
	return err;
}

/* kvm_find_sw_breakpoint(), accel/kvm/kvm-all.c */
static struct soft *find_soft(struct shim *s, uint64_t pc)
{
	for (unsigned int i = 0; i < s->softs; i++)
		if (s->soft[i].pc == pc)
			return &s->soft[i];
	return NULL;
}

/* find_hw_breakpoint(), target/arm/hyp_gdbstub.c */
static int find_hard(const struct shim *s, uint64_t pc)
{
	for (unsigned int i = 0; i < s->hards; i++)
		if (s->hard[i] == pc)
			return (int)i;
	return -1;
}

bool points_at(const struct shim *s, uint64_t pc)
{
	for (unsigned int i = 0; i < s->softs; i++)
		if (s->soft[i].pc == pc)
			return true;
	return find_hard(s, pc) >= 0;
}

int points_lift(struct shim *s, uint64_t pc, bool back)
{
	struct buf reply = { 0 };
	int err = wire_ask(&s->w, &reply, "%c1,%" PRIx64 ",4", back ? 'Z' : 'z', pc);

	buf_free(&reply);
	return err;
}

/*
 * kvm_insert_breakpoint(), accel/kvm/kvm-all.c: one that is known is counted, and nothing is
 * written, even where the trap was lost since. kvm_arch_insert_sw_breakpoint(),
 * target/arm/kvm64.c, reads and writes through gdbserver_state.c_cpu (gdbstub/gdbstub.c,
 * handle_insert_bp()).
 */
static int insert_soft(struct shim *s, uint64_t addr, bool *ok)
{
	struct soft *b = find_soft(s, addr);
	struct soft new = { addr, 0, 1 };
	uint32_t trap = BRK;
	bool known = points_at(s, addr);
	int err;

	*ok = b != NULL;
	if (b)
		b->uses++;
	if (b || s->softs == SOFT_MAX)
		return 0;
	err = point_word(s, s->c_cpu, addr, &new.saved, false, ok);
	if (!err && *ok)
		err = point_word(s, s->c_cpu, addr, &trap, true, ok);
	s->synced[s->c_cpu] = true;
	if (err || !*ok)
		return err;
	s->soft[s->softs++] = new;
	return known ? 0 : points_lift(s, addr, true);
}

/*
 * kvm_remove_breakpoint() and kvm_arch_remove_sw_breakpoint(), same files: where the trap is
 * no longer there it fails, and the breakpoint stays in the list.
 */
static int remove_soft(struct shim *s, uint64_t addr, bool force, unsigned int cpu, bool *ok)
{
	struct soft *b = find_soft(s, addr);
	uint32_t now = 0, saved;
	int err;

	*ok = b != NULL;
	if (b && b->uses > 1 && !force)
		b->uses--;
	if (!b || (b->uses > 1 && !force))
		return 0;
	saved = b->saved;
	err = point_word(s, cpu, addr, &now, false, ok);
	*ok = *ok && now == BRK;
	if (!err && *ok)
		err = point_word(s, cpu, addr, &saved, true, ok);
	if (err || (!*ok && !force))
		return err;
	*b = s->soft[--s->softs];
	return points_at(s, addr) ? 0 : points_lift(s, addr, false);
}

/* insert_hw_breakpoint(), target/arm/hyp_gdbstub.c: ENOBUFS; the address is 53 bits. */
static int insert_hard(struct shim *s, uint64_t addr, bool *ok)
{
	bool known;

	addr = (uint64_t)((int64_t)(addr << 11) >> 11);
	known = points_at(s, addr);
	*ok = s->hards < s->max_bps;
	if (*ok)
		s->hard[s->hards++] = addr;
	return !*ok || known ? 0 : points_lift(s, addr, true);
}

/* delete_hw_breakpoint(): ENOENT */
static int remove_hard(struct shim *s, uint64_t addr, bool *ok)
{
	int i = find_hard(s, addr);

	*ok = i >= 0;
	if (*ok)
		s->hard[i] = s->hard[--s->hards];
	return !*ok || points_at(s, addr) ? 0 : points_lift(s, addr, false);
}

/*
 * insert_hw_watchpoint(): up to 8 bytes within a doubleword, more as a power of two on its
 * boundary; any other length is ENOBUFS like a pool that is empty.
 */
static void insert_watch(struct shim *s, unsigned int type, uint64_t addr, uint64_t len, bool *ok)
{
	struct watch w = { type, addr, len, addr, len, len > 8 };

	*ok = s->watches < s->max_wps && (len <= 8 || (len & (len - 1)) == 0);
	if (!*ok)
		return;
	if (w.mask)
		w.first = addr & ~(len - 1);
	else if (len > 8 - (addr & 7))
		w.size = 8 - (addr & 7);
	s->watch[s->watches++] = w;
}

/* check_watchpoint_in_range(): the type does not matter, the end is one too far with MASK. */
static bool in_range(const struct watch *w, uint64_t addr)
{
	return w->mask ? addr >= w->first && addr <= w->first + w->size
		       : w->size && addr == w->first;
}

/* delete_hw_watchpoint(): the first that the address is in. */
static void remove_watch(struct shim *s, uint64_t addr, bool *ok)
{
	unsigned int i = 0;

	while (i < s->watches && !in_range(&s->watch[i], addr))
		i++;
	*ok = i < s->watches;
	for (; *ok && i + 1 < s->watches; i++)
		s->watch[i] = s->watch[i + 1];
	s->watches -= *ok;
}

int point_insert(struct shim *s, unsigned int type, uint64_t addr, uint64_t len, bool *ok)
{
	if (type == 0)
		return insert_soft(s, addr, ok);
	if (type == 1)
		return insert_hard(s, addr, ok);
	insert_watch(s, type, addr, len, ok);
	return 0;
}

int point_remove(struct shim *s, unsigned int type, uint64_t addr, uint64_t len, bool *ok)
{
	(void)len;
	if (type == 0)
		return remove_soft(s, addr, false, s->c_cpu, ok);
	if (type == 1)
		return remove_hard(s, addr, ok);
	remove_watch(s, addr, ok);
	return 0;
}

/* kvm_remove_all_breakpoints(), accel/kvm/kvm-all.c: without complaint. */
int point_remove_all(struct shim *s)
{
	int err = 0;
	bool ok;

	while (!err && s->softs)
		err = remove_soft(s, s->soft[0].pc, true, s->c_cpu, &ok);
	while (!err && s->hards)
		err = remove_hard(s, s->hard[0], &ok);
	s->watches = 0;
	return err;
}

static bool same(const struct watch *a, const struct watch *b)
{
	return a->type == b->type && a->first == b->first && a->size == b->size;
}

/* In QEMU whatever is in @want, and nothing that is not. */
int points_watch(struct shim *s)
{
	struct buf reply = { 0 };
	int err = 0;

	for (unsigned int i = 0; !err && i < s->theres + s->watches; i++) {
		bool old = i < s->theres, both = false;
		const struct watch *w = old ? &s->there[i] : &s->watch[i - s->theres];
		const struct watch *other = old ? s->watch : s->there;

		for (unsigned int j = 0; j < (old ? s->watches : s->theres); j++)
			both |= same(w, &other[j]);
		if (!both && w->size)
			err = wire_ask(&s->w, &reply, "%c%u,%" PRIx64 ",%" PRIx64, old ? 'z' : 'Z',
				       w->type, w->first, w->size);
	}
	buf_free(&reply);
	memcpy(s->there, s->watch, sizeof(s->there));
	s->theres = s->watches;
	return err;
}

/*
 * kvm_arm_handle_debug(), target/arm/kvm64.c. A `brk` that is executed is ours if its
 * address is in the list. Either kind needs an instruction that can be fetched: an abort of
 * the fetch comes first (DDI 0487, D1.3.5.5 "Prioritization of Synchronous exceptions").
 * What is mapped and may not be executed is taken for code here.
 */
int points_stop(struct shim *s, unsigned int cpu, uint64_t pc, bool *stops)
{
	uint32_t now = 0;
	bool mapped = false;
	int err;

	*stops = false;
	if (!points_at(s, pc))
		return 0;
	err = point_word(s, cpu, pc, &now, false, &mapped);
	*stops = mapped && (find_hard(s, pc) >= 0 || (find_soft(s, pc) && (now & BRK_MASK) == BRK));
	return err;
}

void points_name(const struct shim *s, struct buf *reply)
{
	const char *at = strstr(reply->data, "watch:");
	uint64_t first;
	struct buf out = { 0 };

	if (!at)
		return;
	at += strlen("watch:");
	buf_add(&out, reply->data, (size_t)(at - reply->data));
	if (hex_u64(&at, &first))
		return;
	for (unsigned int i = 0; i < s->watches; i++)
		if (s->watch[i].first == first) {
			first = s->watch[i].addr;
			break;
		}
	buf_printf(&out, "%016" PRIx64 "%s", first, at);
	buf_free(reply);
	*reply = out;
}
