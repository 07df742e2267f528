/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many pieces of physical memory at once: out of QEMU's own memory, or in one flight of
 * packets, whose first pieces are used while the others are still under way.
 */
#include "machine/live.h"

#include "hex.h"

#include <limits.h>
#include <string.h>

static bool is_mode(const struct live_gather *g, size_t i)
{
	return i == 0 || i == g->count * g->parts + 1;
}

static void part(const struct live_gather *g, size_t i, unsigned int *piece, size_t *at,
		 size_t *len)
{
	*piece = g->which[(i - 1) / g->parts];
	*at = (i - 1) % g->parts * g->l->chunk;
	*len = g->size - *at < g->l->chunk ? g->size - *at : g->l->chunk;
}

static void gather_request(void *ctx, size_t i, struct buf *payload)
{
	struct live_gather *g = ctx;
	unsigned int piece;
	size_t at, len;

	if (is_mode(g, i)) {
		buf_puts(payload, i ? "Qqemu.PhyMemMode:0" : "Qqemu.PhyMemMode:1");
		return;
	}
	part(g, i, &piece, &at, &len);
	buf_printf(payload, "m%" PRIx64 ",%zx", g->pa[piece] + at, len);
}

static int gather_reply(void *ctx, size_t i, const struct buf *answer)
{
	struct live_gather *g = ctx;
	unsigned int piece;
	size_t at, len;

	if (is_mode(g, i)) {
		if (answer->len == 2 && memcmp(answer->data, "OK", 2) == 0)
			return 0;
		g->err = machine_fail(&g->l->m, -BATON_EUNSUPPORTED,
				      "QEMU does not take Qqemu.PhyMemMode");
		return g->err;
	}
	part(g, i, &piece, &at, &len);
	if (answer->len != 2 * len ||
	    hex_decode(answer->data, answer->len, g->data + piece * g->size + at))
		g->ok[piece] = false;
	else
		live_hide_traps(g->l, g->pa[piece] + at, g->data + piece * g->size + at, len);
	return 0;
}

int live_phys_gather(struct machine *m, const uint64_t *pa, unsigned int n, size_t size,
		     uint8_t *data, bool *ok)
{
	struct live *l = live_of(m);
	struct live_gather *g = &l->gather;
	bool done[MACHINE_GATHER_MAX];

	rsp_pipeline_receive(&l->rsp, SIZE_MAX); /* the one before may be in *g */
	*g = (struct live_gather){
		.l = l,
		.pa = pa,
		.size = size,
		.parts = (size + l->chunk - 1) / l->chunk,
		.data = data,
		.ok = ok,
	};
	for (unsigned int i = 0; i < n; i++)
		ok[i] = machine_is_ram(m, pa[i], size, true);
	fastram_gather(&l->fast, pa, n, size, data, ok, done);
	for (unsigned int i = 0; i < n; i++) {
		if (ok[i] && !done[i])
			g->which[g->count++] = i;
		else if (ok[i])
			live_hide_traps(l, pa[i], data + i * size, size);
	}
	g->flight =
		(struct rsp_pipeline){ g->count * g->parts + 2, gather_request, gather_reply, g };
	return g->count ? rsp_pipeline_start(&l->rsp, &g->flight) : 0;
}

int live_phys_gathered(struct machine *m, unsigned int i)
{
	struct live *l = live_of(m);
	struct live_gather *g = &l->gather;
	int err = 0;

	while (g->there < g->count && g->which[g->there] <= i)
		g->there++;
	/* Another request in between has received all of them. */
	if (l->rsp.flight == &g->flight)
		err = rsp_pipeline_receive(&l->rsp, g->there < g->count ? 1 + g->there * g->parts
									: SIZE_MAX);
	if (err || l->rsp.lost)
		return err ? err : -BATON_ELINK;
	return g->err;
}
