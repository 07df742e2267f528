/* SPDX-License-Identifier: BSD-2-Clause */
/* GDB's packets about registers: QEMU's, those that are offered here, and which there are. */
#include "proxy/route.h"

#include "hex.h"
#include "machine/inject.h"
#include "mmu/sysreg.h"
#include "patch/sysreg_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int route_read_registers(struct session *s, struct buf *packet, const char *rest)
{
	const struct buf *g;
	int err = live_g(s->live, s->cpu, &g);

	(void)packet;
	(void)rest;
	if (err)
		return session_error(s, err);
	client_send(&s->client, g->data, g->len);
	return 0;
}

/* The target description, with the registers in it that are offered here (pseudo.c). */
int route_read_features(struct session *s, struct buf *packet, const char *rest)
{
	const char *colon = strrchr(rest, ':'), *at = colon ? colon + 1 : "";
	char *annex = strndup(rest, colon ? (size_t)(colon - rest) : 0);
	struct buf all = { 0 }, reply = { 0 };
	uint64_t offset, len;
	bool ours;

	if (!annex)
		abort();
	ours = pseudo_annex(s->live, annex, &all);
	free(annex);
	if (!ours)
		return route_forward(s, packet, rest);
	if (route_address_length(&at, &offset, &len) || *at || offset > all.len) {
		buf_free(&all);
		return session_error(s, -BATON_EINVAL);
	}
	len = len < all.len - offset ? len : all.len - offset;
	buf_putc(&reply, offset + len < all.len ? 'm' : 'l');
	buf_add(&reply, all.data + offset, len);
	client_send(&s->client, reply.data, reply.len);
	buf_free(&reply);
	buf_free(&all);
	return 0;
}

int route_read_register(struct session *s, struct buf *packet, const char *rest)
{
	struct buf reply = { 0 };
	const char *p = rest;
	uint64_t number, value;
	uint8_t raw[8];
	int err;

	if (hex_u64(&p, &number) || *p || !pseudo_name(s->live, number))
		return route_forward(s, packet, rest);
	err = pseudo_read(&s->pseudo, s->live, s->cpu, number, &value);
	if (!err) {
		le_write(raw, 8, value);
		hex_encode(&reply, raw, sizeof(raw));
		client_send(&s->client, reply.data, reply.len);
	} else if (err != -BATON_ELINK) {
		/* An error would end `info registers`; this is shown as <unavailable>. */
		client_text(&s->client, "xxxxxxxxxxxxxxxx");
	}
	buf_free(&reply);
	return err == -BATON_ELINK ? err : 0;
}

/* What a CPU is made to write is a patch, like one of ours. */
static int edit_sysreg(struct session *s, struct sysreg_edit *e)
{
	struct machine *m = &s->live->m;
	unsigned int n;
	int err;

	/* QEMU's name for it, or an architectural one. */
	if (sysreg_encode(e->name, &n)) {
		const char *known =
			sysreg_name(n >> 14, n >> 11 & 7, n >> 7 & 15, n >> 3 & 15, n & 7);

		e->name = known ? known : e->name;
	}
	err = machine_reg_read(m, e->cpu, e->name, &e->old);
	e->by_cpu = err == -BATON_ENOTFOUND;
	if (e->by_cpu)
		err = inject_sysreg_read(m, e->cpu, e->name, &e->old);
	/* As after a function that GDB has called in the guest. */
	if (err || e->old == e->value)
		return err;
	err = sysreg_edit(m, s->ctx->journal, e);
	if (!err)
		buf_printf(&s->aside,
			   "patch %u: CPU %u %s: 0x%016" PRIx64 " -> 0x%016" PRIx64 " (%s)\n",
			   e->number, e->cpu, e->name, e->old, e->value, e->why);
	return err;
}

/*
 * QEMU answers OK to a write of a system register and changes nothing: the CPU itself is made
 * to write it, and what does not read back is an error.
 */
static int write_sysreg(struct session *s, const char *name, unsigned int bits, const char *value)
{
	struct sysreg_edit e = { .cpu = s->cpu, .name = name, .why = "GDB" };
	struct machine *m = &s->live->m;
	size_t len = strlen(value);
	uint8_t raw[8];
	int err;

	if (len != bits / 4 || len > 2 * sizeof(raw) || hex_decode(value, len, raw))
		return -BATON_EINVAL;
	e.value = le_read(raw, (unsigned int)len / 2);
	err = edit_sysreg(s, &e);
	/* GDB has no words for it, and its user has to know why. */
	if (err && err != -BATON_ELINK)
		fprintf(stderr, "baton: %s is not written: %s\n", name, machine_error(m, err));
	return err;
}

int route_write_register(struct session *s, struct buf *packet, const char *rest)
{
	struct live *l = s->live;
	struct buf reply = { 0 };
	const struct tdesc_reg *reg = NULL;
	const char *p = rest, *ours = NULL;
	uint64_t number;
	int err;

	if (hex_u64(&p, &number) == 0 && *p == '=') {
		reg = tdesc_reg(&l->tdesc, (unsigned int)number);
		ours = pseudo_name(l, number);
	}
	if (ours || (reg && strstr(reg->annex, "system-registers"))) {
		err = write_sysreg(s, ours ? ours : reg->name, ours ? 64 : reg->bitsize, p + 1);
		buf_puts(&reply, "OK");
	} else {
		err = live_forward(l, s->cpu, packet->data, packet->len, &reply);
		machine_changed(&l->m);
	}
	pseudo_forget(&s->pseudo, l);
	if (err && err != -BATON_ELINK) {
		buf_clear(&reply);
		buf_printf(&reply, "E%02x", baton_wire(err));
		err = 0;
	}
	if (!err)
		client_send(&s->client, reply.data, reply.len);
	buf_free(&reply);
	return err;
}
