/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random edits of tables against a model that is an array of pages: after each of them all
 * that the tables map is what the array says, and when all are undone, in random order,
 * memory is what it was, to the bit. One that a later one lies upon is refused until then.
 */
#include "fake_machine.h"

#include "machine/tables.h"
#include "mmu/map.h"

#define EDITS	 2400 /* for each configuration: more than ENOUGH take effect, of all */
#define ENOUGH	 10000
#define MEMORY	 (32u << 20)
#define OUT	 UINT64_C(0x1000000000) /* what is mapped onto: never read */
#define OUT_SIZE UINT64_C(0x9000000000)
#define POOL	 12 /* tables that one edit may need */

struct config {
	const char *name, *spec;
	unsigned int granule, el;
	uint64_t unit, base, size, block; /* of the window; block: a larger entry's size */
	uint64_t tcr, root_size;
	uint64_t ipa; /* of two stages: where the first sees memory; 0: there is one stage */
};

/* TCR: 40 bits out; EPD1 at EL1; VTCR: SL0 1, so that two tables are the root. */
static const struct config configs[] = {
	{ "EL1 4K", "el1", 12, 1, 0x1000, 0x3fa00000, 12 << 20, 2 << 20, 0x200803510, 0x1000, 0 },
	{ "EL1 4K, large blocks", "el1", 12, 1, 2 << 20, 0x7f80000000, 4ull << 30, 1 << 30,
	  0x200803510, 0x1000, 0 },
	{ "EL1 16K", "el1", 14, 1, 0x4000, 0xfff000000, 6 * (32 << 20), 32 << 20, 0x20080b511,
	  0x4000, 0 },
	{ "EL1 64K", "el1", 16, 1, 0x10000, 0x20000000, 3ull << 29, 1 << 29, 0x200807516, 0x10000,
	  0 },
	{ "EL2 4K", "el2", 12, 2, 0x1000, 0x3fa00000, 12 << 20, 2 << 20, 0x80823510, 0x1000, 0 },
	{ "stage 2 4K", "s2", 12, 2, 0x1000, 0x7fffa00000, 12 << 20, 2 << 20, 0x80023558, 0x2000,
	  0 },
	{ "EL1 4K behind stage 2", "el1", 12, 1, 0x1000, 0x3fa00000, 12 << 20, 2 << 20, 0x200803510,
	  0x1000, 0x80000000 },
};

enum type { NORMAL, NC, DEVICE };
static const char *const type_names[] = { "normal", "nc", "device" };
static const char *const share_names[] = { "nsh", "", "osh", "ish" };

struct page {
	bool mapped, user, ng;
	unsigned int perm, share;
	enum type type;
	uint64_t oa;
};

struct node {
	uint64_t word;
	unsigned int before; /* who wrote it before, and is not undone */
};

static struct {
	const struct config *c;
	struct fake *f;
	struct machine_ops ops;
	struct ram_range map[2];
	uint8_t *memory, *start;
	struct page *page;
	size_t pages;
	unsigned int *top; /* of each word: the last entry that wrote it */
	struct node *node[EDITS + 1];
	size_t nodes[EDITS + 1];
	bool used[MEMORY / 4096]; /* pages that tables in use lie in */
	uint64_t seen;
	unsigned int refused, writes;
} w;

static uint64_t seed;

static uint64_t any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

/* A machine of 32 MiB */

static int big_read(struct machine *m, uint64_t pa, void *data, size_t len)
{
	(void)m;
	assert_true(pa >= FAKE_RAM && pa + len <= FAKE_RAM + MEMORY);
	memcpy(data, w.memory + (pa - FAKE_RAM), len);
	return 0;
}

static int big_write(struct machine *m, uint64_t pa, const void *data, size_t len)
{
	(void)m;
	w.writes++;
	assert_true(pa >= FAKE_RAM && pa + len <= FAKE_RAM + MEMORY);
	memcpy(w.memory + (pa - FAKE_RAM), data, len);
	return 0;
}

/*
 * Stage 2 in the last pages: memory is at w.c->ipa in blocks of 2 MiB, and what is mapped
 * onto is itself, in blocks of 1 GiB.
 */
#define STAGE2 (MEMORY - 0x4000)
static void set_stage2(void)
{
	fake_set_reg(w.f, "HCR_EL2", 0x80000001);
	fake_set_reg(w.f, "SCTLR_EL2", 0x30c50830);
	fake_set_reg(w.f, "TCR_EL2", 0x80823510);
	fake_set_reg(w.f, "VTCR_EL2", 0x80023558);
	fake_set_reg(w.f, "VTTBR_EL2", FAKE_RAM + STAGE2);
	for (uint64_t at = OUT; at < OUT + OUT_SIZE; at += 1 << 30)
		le_write(w.memory + STAGE2 + 8 * (at >> 30), 8, at | 0x7fd);
	le_write(w.memory + STAGE2 + 8 * (w.c->ipa >> 30), 8, (FAKE_RAM + STAGE2 + 0x2000) | 3);
	for (uint64_t i = 0; i < MEMORY >> 21; i++)
		le_write(w.memory + STAGE2 + 0x2000 + 8 * i, 8, (FAKE_RAM + (i << 21)) | 0x7fd);
}

/* Where a table of the regime lies in memory. */
static uint64_t place(uint64_t table)
{
	return table - (w.c->ipa ? w.c->ipa : FAKE_RAM);
}

static void set_registers(void)
{
	struct fake *f = w.f;
	bool s2 = !strcmp(w.c->spec, "s2");

	fake_set_reg(f, "pc", 0x700000000000);
	fake_set_reg(f, "cpsr", w.c->el == 1 ? 0x3c5 : 0x3c9);
	if (w.c->el == 1) {
		fake_set_reg(f, "SCTLR_EL1", 0x30d0180d);
		fake_set_reg(f, "TCR_EL1", w.c->tcr);
		fake_set_reg(f, "MAIR_EL1", 0xff440400);
		fake_set_reg(f, "TTBR0_EL1", w.c->ipa ? w.c->ipa : FAKE_RAM);
		fake_set_reg(f, "TTBR1_EL1", 0);
		if (w.c->ipa)
			set_stage2();
		return;
	}
	fake_set_reg(f, "HCR_EL2", 0x80000000 | s2);
	fake_set_reg(f, "SCTLR_EL2", s2 ? 0x30c50830 : 0x30c50831);
	fake_set_reg(f, "TCR_EL2", s2 ? 0x80823510 : w.c->tcr);
	fake_set_reg(f, "MAIR_EL2", 0xff440400);
	fake_set_reg(f, "TTBR0_EL2", FAKE_RAM);
	fake_set_reg(f, "VTCR_EL2", w.c->tcr);
	fake_set_reg(f, "VTTBR_EL2", FAKE_RAM);
}

static void new_journal(void)
{
	journal_free(w.f->ctx.journal);
	w.f->ctx.journal = journal_new();
	memset(w.top, 0, MEMORY / 8 * sizeof(*w.top));
	memcpy(w.start, w.memory, MEMORY);
}

static void open_world(const struct config *c, void **state)
{
	memset(&w, 0, sizeof(w));
	fake_setup(state);
	w.c = c;
	w.f = *state;
	w.ops = *w.f->m.ops;
	w.ops.phys_read = big_read;
	w.ops.phys_write = big_write;
	w.f->m.ops = &w.ops;
	w.map[0] = (struct ram_range){ FAKE_RAM, FAKE_RAM + MEMORY - 1, RAM_RAM, "ram" };
	w.map[1] = (struct ram_range){ OUT, OUT + OUT_SIZE - 1, RAM_RAM, "more" };
	w.f->m.ram = w.map;
	w.memory = calloc(1, MEMORY);
	w.start = calloc(1, MEMORY);
	w.top = calloc(MEMORY / 8, sizeof(*w.top));
	w.pages = c->size / c->unit;
	w.page = calloc(w.pages, sizeof(*w.page));
	assert_true(w.memory && w.start && w.top && w.page);
	set_registers();
}

static void close_world(void **state)
{
	for (unsigned int i = 0; i <= EDITS; i++)
		free(w.node[i]);
	free(w.memory);
	free(w.start);
	free(w.top);
	free(w.page);
	fake_teardown(state);
}

/* The dump, and the model */

/* What the page is to be: by the words of the Arm ARM, not by descriptors. */
static void expect(const struct page *p, struct pt_attrs *a)
{
	static const uint8_t mair[] = { 0xff, 0x44, 0x00 };

	*a = (struct pt_attrs){
		.mair = mair[p->type],
		.share = p->type == NORMAL ? (enum pt_share)p->share : PT_SHARE_OUTER,
		.af = true,
		.ng = p->ng,
		.own = p->perm,
		.el0 = strcmp(w.c->spec, "s2") ? 0 : p->perm,
	};
	if (p->user) {
		a->el0 = p->perm;
		a->own = p->perm & ~(unsigned int)PT_X;
	}
}

static int see_range(void *ctx, const struct pt_range *r)
{
	(void)ctx;
	for (uint64_t at = 0; at < r->size; at += w.c->unit) {
		const struct page *p = &w.page[(r->ia + at - w.c->base) / w.c->unit];
		struct pt_attrs a;

		if (r->ia + at < w.c->base || r->ia + at >= w.c->base + w.c->size)
			fail_msg("%#" PRIx64 " is mapped, outside of the window", r->ia + at);
		expect(p, &a);
		if (!p->mapped || p->oa != r->oa + at || !pt_attrs_same(&a, &r->attrs))
			fail_msg("%s: %#" PRIx64 " leads to %#" PRIx64
				 " (own %u el0 %u mair %#x share "
				 "%d), but should %s%#" PRIx64 " (own %u el0 %u mair %#x share %d)",
				 w.c->name, r->ia + at, r->oa + at, r->attrs.own, r->attrs.el0,
				 r->attrs.mair, r->attrs.share, p->mapped ? "" : "not at all, ",
				 p->oa, a.own, a.el0, a.mair, a.share);
		w.seen++;
	}
	return 0;
}

static int see_table(void *ctx, uint64_t table, int level, uint64_t ia, const uint8_t *data)
{
	uint64_t size = level < 0 ? 0 : UINT64_C(1) << w.c->granule;

	(void)ctx, (void)ia, (void)data;
	if (!place(table))
		size = w.c->root_size;
	for (uint64_t at = 0; at < size; at += 4096)
		w.used[(place(table) + at) / 4096] = true;
	return 0;
}

static int read_tables(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		       bool *ok)
{
	(void)ctx;
	for (unsigned int i = 0; i < n; i++) {
		ok[i] = place(pa[i]) + size <= MEMORY;
		if (ok[i])
			memcpy(data + i * size, w.memory + place(pa[i]), size);
	}
	return 0;
}

static void compare(void)
{
	const struct pt_map_sink sink = { .range = see_range, .table = see_table };
	const struct pt_bulk bulk = { .read = read_tables };
	struct pt_map_stats stats;
	struct pt_config cfg;
	struct tables t;
	size_t mapped = 0;

	assert_int_equal(tables_init(&t, &w.f->m, NULL, 0, w.c->spec, NULL), 0);
	assert_int_equal(pt_config_from_regime(&cfg, &t.regime, 0, NULL), 0);
	assert_int_equal(cfg.granule, w.c->granule);
	memset(w.used, 0, sizeof(w.used));
	memset(&w.used[STAGE2 / 4096], w.c->ipa != 0, (MEMORY - STAGE2) / 4096);
	w.seen = 0;
	assert_int_equal(pt_map(&cfg, &bulk, 0, UINT64_MAX, &sink, &stats), 0);
	assert_true(!stats.repeats && !stats.loops && !stats.bad && !stats.unreadable);
	for (size_t i = 0; i < w.pages; i++)
		mapped += w.page[i].mapped;
	if (mapped != w.seen)
		fail_msg("%s: %zu pages should be mapped, %" PRIu64 " are", w.c->name, mapped,
			 w.seen);
}

/* Edits */

struct span {
	size_t first, count; /* pages */
	uint64_t va, size;
};

static struct span any_span(void)
{
	size_t block = w.c->block / w.c->unit;
	struct span s = { 0 };

	switch (any(4)) {
	case 0: /* blocks */
		s.first = any(w.pages / block) * block;
		s.count = block * (1 + any(2));
		break;
	case 1: /* most of a block and more */
		s.first = any(w.pages);
		s.count = 1 + any(block + block / 2);
		break;
	default: /* a few */
		s.first = any(w.pages);
		s.count = 1 + any(40);
		break;
	}
	if (s.count > w.pages - s.first)
		s.count = w.pages - s.first;
	s.va = w.c->base + s.first * w.c->unit;
	s.size = s.count * w.c->unit;
	return s;
}

/* Tables that nothing leads to any more may be used again: `-f pool` says that one knows. */
static void add_pool(struct buf *line)
{
	uint64_t page = UINT64_C(1) << w.c->granule, n = MEMORY / page - POOL, first;
	bool free_run;

	do {
		first = 1 + any(n);
		free_run = true;
		for (uint64_t i = first * (page / 4096); i < (first + POOL) * (page / 4096); i++)
			free_run &= !w.used[i];
	} while (!free_run);
	buf_printf(line, " --pool %#" PRIx64 ",%#" PRIx64 " -f pool -r %s",
		   (uint64_t)(w.c->ipa ? w.c->ipa : FAKE_RAM) + first * page, POOL * page,
		   w.c->spec);
}

static void remember(void)
{
	struct journal *j = w.f->ctx.journal;
	const struct journal_entry *e = journal_at(j, journal_count(j) - 1);
	unsigned int n = e->number;
	size_t words = 0;

	assert_true(n <= EDITS && e->state == ENTRY_APPLIED);
	if (w.node[n])
		return;
	for (size_t i = 0; i < e->count; i++)
		words += e->write[i].size / 8;
	w.node[n] = calloc(words, sizeof(**w.node));
	assert_non_null(w.node[n]);
	for (size_t i = 0; i < e->count; i++) {
		for (unsigned int k = 0; k < e->write[i].size / 8; k++) {
			uint64_t word = (e->write[i].address - FAKE_RAM) / 8 + k;

			w.node[n][w.nodes[n]++] = (struct node){ word, w.top[word] };
			w.top[word] = n;
		}
	}
}

static void command(struct buf *line, int status)
{
	int got = fake_command(w.f, line->data);

	if (got != status)
		fail_msg("%s: `%s` ended with %d, not %d: %s", w.c->name, line->data, got, status,
			 w.f->out.data);
	if (!status && journal_count(w.f->ctx.journal))
		remember();
	w.refused += status != 0;
	buf_free(line);
}

static unsigned int any_perm(struct buf *line)
{
	static const struct {
		const char *text;
		unsigned int perm;
	} perms[] = {
		{ " r", PT_R }, { " rw", PT_R | PT_W }, { " r-x", PT_R | PT_X }, { " rwx", 7 }
	};
	size_t i = any(4);

	buf_puts(line, perms[i].text);
	return perms[i].perm;
}

static void edit_map(void)
{
	bool el1 = w.c->el == 1, share = any(3) == 0;
	struct span s = any_span();
	struct page p = { .mapped = true };
	struct buf line = { 0 };
	uint64_t pa = OUT + any(512) * w.c->block;

	/* Mostly so that blocks fit, else by any page. */
	pa += any(4) ? s.va % w.c->block : any(w.c->block / w.c->unit) * w.c->unit;
	buf_printf(&line, "pt-map %#" PRIx64 " %#" PRIx64 " %#" PRIx64, s.va, pa, s.size);
	p.perm = any_perm(&line);
	p.user = el1 && any(2);
	p.ng = el1 && any(2);
	p.type = (enum type)any(3);
	p.share = p.type == NORMAL ? PT_SHARE_INNER : PT_SHARE_OUTER;
	if (share)
		p.share = any(2) ? PT_SHARE_OUTER : PT_SHARE_NONE;
	buf_printf(&line, ",%s%s%s%s%s", type_names[p.type], p.user ? ",user" : "",
		   p.ng ? ",ng" : "", share ? "," : "", share ? share_names[p.share] : "");
	add_pool(&line);
	command(&line, 0);
	for (size_t i = 0; i < s.count; i++) {
		w.page[s.first + i] = p;
		w.page[s.first + i].oa = pa + i * w.c->unit;
	}
}

static void edit_unmap(void)
{
	struct span s = any_span();
	struct buf line = { 0 };

	buf_printf(&line, "pt-unmap %#" PRIx64 " %#" PRIx64, s.va, s.size);
	add_pool(&line);
	command(&line, 0);
	memset(&w.page[s.first], 0, s.count * sizeof(*w.page));
}

static void edit_protect(void)
{
	bool perm = any(3), type = !perm || any(4) == 0, whole = true;
	struct span s = any_span();
	struct page p = { 0 };
	struct buf line = { 0 };

	buf_printf(&line, "pt-protect %#" PRIx64 " %#" PRIx64, s.va, s.size);
	if (perm) {
		p.perm = any_perm(&line);
		p.user = w.c->el == 1 && any(2);
		buf_puts(&line, p.user ? " user" : "");
	}
	p.type = (enum type)any(3);
	if (type)
		buf_printf(&line, " %s", type_names[p.type]);
	for (size_t i = 0; i < s.count; i++)
		whole &= w.page[s.first + i].mapped;
	add_pool(&line);
	command(&line, whole ? 0 : 2);
	for (size_t i = s.first; i < s.first + s.count && whole; i++) {
		if (perm) {
			w.page[i].perm = p.perm;
			w.page[i].user = p.user;
		}
		if (type) {
			w.page[i].type = p.type;
			w.page[i].share = p.type == NORMAL ? PT_SHARE_INNER : PT_SHARE_OUTER;
		}
	}
}

/* One leaf, whatever its size: invalid, or read-only. */
static void edit_set(void)
{
	bool s2 = !strcmp(w.c->spec, "s2"), gone = any(2);
	uint64_t page = any(w.pages), va = w.c->base + page * w.c->unit;
	unsigned int leaf;
	struct buf line = { 0 };
	struct pt_walk walk;
	struct tables t;
	uint64_t size;

	if (!w.page[page].mapped)
		return;
	assert_int_equal(tables_init(&t, &w.f->m, NULL, 0, w.c->spec, NULL), 0);
	assert_int_equal(tables_walk(&t, va, NULL, &walk, NULL), 0);
	/* behind stage 1's leaf stage 2 looks its output up */
	for (leaf = walk.steps - 1; w.c->ipa && walk.step[leaf].stage == 2; leaf--)
		;
	size = UINT64_C(1) << pt_level_shift(&walk.cfg, walk.step[leaf].level);
	buf_printf(&line, "pt-set %#" PRIx64 " L%d %s -r %s", va, walk.step[leaf].level,
		   gone		       ? "type=invalid"
		   : s2		       ? "S2AP=ro"
		   : w.page[page].user ? "AP=ro+el0"
				       : "AP=ro",
		   w.c->spec);
	command(&line, 0);
	page = ((va & ~(size - 1)) - w.c->base) / w.c->unit;
	for (uint64_t i = page; i < page + size / w.c->unit; i++) {
		if (gone)
			w.page[i] = (struct page){ 0 };
		w.page[i].perm &= ~(unsigned int)PT_W;
	}
}

static void edit(void)
{
	static void (*const kinds[])(void) = { edit_map,   edit_map,	 edit_map,     edit_unmap,
					       edit_unmap, edit_protect, edit_protect, edit_set };

	kinds[any(8)]();
	compare();
}

/* The way back */

static bool is_on_top(unsigned int n)
{
	for (size_t i = 0; i < w.nodes[n]; i++)
		if (w.top[w.node[n][i].word] != n)
			return false;
	return true;
}

static void undo(unsigned int n)
{
	struct buf line = { 0 };
	int status;

	buf_printf(&line, "undo %u", n);
	status = fake_command(w.f, line.data);
	if (status)
		fail_msg("%s: `%s` ended with %d: %s", w.c->name, line.data, status, w.f->out.data);
	buf_free(&line);
	/* a word may be written twice by one entry: back to the first */
	for (size_t i = w.nodes[n]; i; i--)
		w.top[w.node[n][i - 1].word] = w.node[n][i - 1].before;
	w.nodes[n] = 0;
}

/* A later one lies upon it: nothing is written. */
static void undo_in_vain(unsigned int n)
{
	unsigned int writes = w.writes;
	struct buf line = { 0 };

	buf_printf(&line, "undo %u", n);
	assert_int_equal(fake_command(w.f, line.data), 1);
	assert_non_null(strstr(w.f->out.data, " first"));
	assert_int_equal(w.writes, writes);
	w.refused++;
	buf_free(&line);
}

static unsigned int undo_all(void)
{
	unsigned int count = (unsigned int)journal_count(w.f->ctx.journal), left = count, odd = 0;
	unsigned int tries = 0;

	while (left) {
		unsigned int n = 1 + (unsigned int)any(count);

		/* the last one can always be undone */
		for (tries++; tries > 64 && n; n = n == 1 ? count : n - 1)
			if (w.nodes[n] && is_on_top(n))
				break;
		if (w.nodes[n] && !is_on_top(n) && tries == 1)
			undo_in_vain(n);
		if (!w.nodes[n] || !is_on_top(n))
			continue;
		for (unsigned int k = n + 1; k <= count; k++) {
			if (!w.nodes[k])
				continue;
			odd++;
			break;
		}
		undo(n);
		tries = 0;
		left--;
	}
	return odd;
}

static void edits_agree_with_the_model(void **state)
{
	unsigned int all = 0;

	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		unsigned int odd, count, refused;

		seed = 0x9e3779b97f4a7c15u + i;
		open_world(&configs[i], state);
		new_journal();
		for (int k = 0; k < 40; k++)
			edit();
		/* what is there by now is the start */
		for (int k = 0; k <= EDITS; k++) {
			free(w.node[k]);
			w.node[k] = NULL;
			w.nodes[k] = 0;
		}
		new_journal();
		w.refused = 0;
		for (int k = 0; k < EDITS; k++)
			edit();
		count = (unsigned int)journal_count(w.f->ctx.journal);
		refused = w.refused;
		odd = undo_all();
		assert_memory_equal(w.memory, w.start, MEMORY);
		print_message("# %s: %u edits, %u refused; %u undone out of order, %u refused\n",
			      w.c->name, count, refused, odd, w.refused - refused);
		all += count;
		close_world(state);
	}
	assert_true(all > ENOUGH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_agree_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
