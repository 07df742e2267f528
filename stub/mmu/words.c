/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_map() where memory is read by the word. */
#include "mmu/internal.h"
#include "mmu/map.h"

#include <string.h>

struct words {
	const struct pt_reader *reader;
	struct pt_config s2;
	bool nested;
};

/* Of two stages, each page of 4 KiB of a table may lie elsewhere. */
static bool read_table(const struct words *w, uint64_t ipa, size_t size, uint8_t *data)
{
	uint64_t pa = ipa, word;

	for (size_t at = 0; at < size; at += 8, pa += 8) {
		if (w->nested && (!at || !((ipa + at) & 0xfff)) &&
		    pt_stage2_address(&w->s2, w->reader, ipa + at, &pa))
			return false;
		if (w->reader->read(w->reader->ctx, pa, &word))
			return false;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		memcpy(data + at, &word, sizeof(word));
	}
	return true;
}

static int read_tables(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		       bool *ok)
{
	for (unsigned int i = 0; i < n; i++)
		ok[i] = read_table(ctx, pa[i], size, data + i * size);
	return 0;
}

int pt_map_words(const struct pt_config *cfg, const struct pt_reader *reader, uint64_t from,
		 uint64_t to, const struct pt_map_sink *sink, struct pt_map_stats *stats)
{
	struct words w = { .reader = reader, .nested = cfg->regime.nested };
	const struct pt_bulk bulk = { read_tables, &w, NULL };
	int err = w.nested ? pt_config_stage2(&w.s2, cfg, NULL) : 0;

	return err ? err : pt_map(cfg, &bulk, from, to, sink, stats);
}
