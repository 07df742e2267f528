/* SPDX-License-Identifier: BSD-2-Clause */
/* Many pieces of physical memory at once: out of QEMU's own memory, or in one flight of packets. */
#include "machine/live.h"

#include "hex.h"

#include <string.h>

#define GATHER_MAX 256u

struct gather {
	struct live *l;
	const uint64_t *pa;
	size_t size, parts; /* of each piece: bytes, and packets that it takes */
	uint8_t *data;
	bool *ok;
	unsigned int which[GATHER_MAX]; /* those that packets have to bring */
	unsigned int count;
};

static bool is_mode(const struct gather *g, size_t i)
{
	return i == 0 || i == g->count * g->parts + 1;
}

static void part(const struct gather *g, size_t i, unsigned int *piece, size_t *at, size_t *len)
{
	*piece = g->which[(i - 1) / g->parts];
	*at = (i - 1) % g->parts * g->l->chunk;
	*len = g->size - *at < g->l->chunk ? g->size - *at : g->l->chunk;
}

static void gather_request(void *ctx, size_t i, struct buf *payload)
{
	struct gather *g = ctx;
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
	struct gather *g = ctx;
	unsigned int piece;
	size_t at, len;

	if (is_mode(g, i)) {
		if (answer->len == 2 && memcmp(answer->data, "OK", 2) == 0)
			return 0;
		return machine_fail(&g->l->m, -BATON_EUNSUPPORTED,
				    "QEMU does not take Qqemu.PhyMemMode");
	}
	part(g, i, &piece, &at, &len);
	if (answer->len != 2 * len ||
	    hex_decode(answer->data, answer->len, g->data + piece * g->size + at))
		g->ok[piece] = false;
	return 0;
}

int live_phys_gather(struct machine *m, const uint64_t *pa, unsigned int n, size_t size,
		     uint8_t *data, bool *ok)
{
	struct live *l = live_of(m);
	bool done[GATHER_MAX];

	for (unsigned int from = 0; from < n; from += GATHER_MAX) {
		unsigned int count = n - from < GATHER_MAX ? n - from : GATHER_MAX;
		struct gather g = { .l = l,
				    .pa = pa + from,
				    .size = size,
				    .parts = (size + l->chunk - 1) / l->chunk,
				    .data = data + from * size,
				    .ok = ok + from };
		int err = 0;

		for (unsigned int i = 0; i < count; i++)
			g.ok[i] = machine_is_ram(m, g.pa[i], size, true);
		fastram_gather(&l->fast, g.pa, count, size, g.data, g.ok, done);
		for (unsigned int i = 0; i < count; i++) {
			if (g.ok[i] && !done[i])
				g.which[g.count++] = i;
		}
		if (g.count) {
			struct rsp_pipeline p = { g.count * g.parts + 2, gather_request,
						  gather_reply, &g };

			err = rsp_pipeline(&l->rsp, &p);
		}
		if (err)
			return err;
	}
	return 0;
}
