/* SPDX-License-Identifier: BSD-2-Clause */
#include "patch/touch.h"

#include "hex.h"
#include "machine/tables.h"
#include "mmu/map.h"
#include "patch/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE	  4096u
#define FOUND	  (-BATON_EREFUSED) /* ends a map; never seen outside */
#define DESC_CONT (UINT64_C(1) << 52)

/* A descriptor that somebody could have meant: valid, and it leads to what there is. */
static bool plausible(const struct machine *m, uint64_t desc)
{
	uint64_t to = desc & 0x0000fffffffff000ull;

	return desc & 1 && to && machine_ram_find(m, to);
}

bool touch_plausible(const struct machine *m, const uint8_t *old, const uint8_t *new, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t was = le_read(old + i, 8), is = le_read(new + i, 8);

		if (was != is &&
		    (plausible(m, was) || plausible(m, is) ||
		     plausible(m, __builtin_bswap64(was)) || plausible(m, __builtin_bswap64(is))))
			return true;
	}
	return false;
}

/* Where a table is in a regime. */
struct place {
	struct tables tables;
	struct pt_config cfg, s2;
	struct touch_piece *piece; /* that are looked for, while they are TOUCH_UNUSED */
	size_t pieces, left;
	uint64_t table, ia; /* of the last one that was found */
	int level;
};

static int on_table(void *ctx, uint64_t table, int level, uint64_t ia, const uint8_t *data)
{
	struct place *p = ctx;
	uint64_t size = UINT64_C(8) << pt_index_bits(&p->cfg, level);
	uint64_t at = table;

	(void)data;
	if (p->cfg.regime.nested && pt_stage2_address(&p->s2, &p->tables.reader, table, &at))
		return 0;
	for (size_t i = 0; i < p->pieces; i++) {
		struct touch_piece *piece = &p->piece[i];

		if (piece->kind != TOUCH_UNUSED || piece->pa < at || piece->pa - at >= size)
			continue;
		piece->kind = TOUCH_TABLE;
		p->left--;
		p->table = at;
		p->level = level;
		p->ia = ia;
	}
	return p->left ? 0 : FOUND;
}

static int on_range(void *ctx, const struct pt_range *r)
{
	(void)ctx, (void)r;
	return 0;
}

static int bulk_read(void *ctx, const uint64_t *pa, unsigned int n, size_t size, uint8_t *data,
		     bool *ok)
{
	return machine_phys_gather(ctx, pa, n, size, data, ok);
}

static int bulk_wait(void *ctx, unsigned int i)
{
	return machine_phys_gathered(ctx, i);
}

/* Are all of them tables below one of @p's roots? 1, 0, or what the machine failed with. */
static int find_below(struct place *p)
{
	const struct pt_map_sink sink = { .range = on_range, .table = on_table, .ctx = p };
	struct pt_bulk bulk = { bulk_read, p->tables.machine, bulk_wait };
	unsigned int halves = p->tables.regime.two_halves ? 2 : 1;
	int err = 0;

	for (unsigned int half = 0; !err && half < halves; half++) {
		if (pt_config_from_regime(&p->cfg, &p->tables.regime, half ? UINT64_MAX : 0, NULL))
			continue;
		if (p->cfg.regime.nested && pt_config_stage2(&p->s2, &p->cfg, NULL))
			continue;
		err = p->cfg.regime.nested
			      ? pt_map_words(&p->cfg, &p->tables.reader, 0, UINT64_MAX, &sink, NULL)
			      : pt_map(&p->cfg, &bulk, 0, UINT64_MAX, &sink, NULL);
		if (err == -BATON_EINVAL)
			err = 0;
	}
	if (err == FOUND)
		return 1;
	return err == -BATON_ELINK || err == -BATON_ECANCELED ? err : 0;
}

/* The regimes of the CPU, as they are or will be. */
static int find_in_use(const struct touch *t, struct place *p)
{
	static const char *const specs[] = { "el1:pending", "el2:pending", "el3:pending",
					     "s2:pending" };
	int found = 0;

	for (size_t i = 0; !found && i < sizeof(specs) / sizeof(specs[0]); i++)
		if (!tables_init(&p->tables, t->machine, t->symbols, t->cpu, specs[i], NULL))
			found = find_below(p);
	return found;
}

static bool is_ram(void *ctx, uint64_t pa)
{
	const struct ram_range *r = machine_ram_find(ctx, pa);

	return r && r->kind == RAM_RAM;
}

/* A page that could be a table, of the granule that is set or of the usual one. */
static bool looks_like_table(const struct touch *t, const struct place *p, const uint8_t *page)
{
	for (int level = 0; level < 4; level++)
		if (pt_looks_like_table(&p->cfg, level, page, is_ram, t->machine))
			return true;
	return false;
}

static void name_place(const struct touch *t, struct patch *p, const char *what)
{
	struct buf name = { 0 };

	if (t->symbols)
		symbols_say(t->symbols, p->address, &name);
	snprintf(p->where, sizeof(p->where), "%s%.60s", what,
		 name.len ? name.data + (*what ? 0 : strspn(name.data, " ")) : "");
	buf_free(&name);
}

/* The first address below a table descriptor that any table on the way has an entry for. */
static uint64_t first_below(const struct place *place, int level, uint64_t desc, uint64_t ia)
{
	const struct pt_config *cfg = &place->cfg;

	while (!cfg->regime.nested && pt_desc_kind(cfg, level, desc) == PT_TABLE) {
		uint64_t table = pt_desc_address(cfg, level, PT_TABLE, desc);
		unsigned int i = 0, n = 1u << (cfg->granule - 3);

		desc = 0;
		while (i < n && !(desc & 1) &&
		       !pt_read_desc(cfg, &place->tables.reader, table + 8 * (uint64_t)i, &desc))
			i++;
		if (!(desc & 1))
			break;
		ia += (uint64_t)(i - 1) << pt_level_shift(cfg, ++level);
	}
	return ia;
}

/* One descriptor of the table that was found. */
static void describe(const struct touch *t, const struct place *place, struct patch *p)
{
	unsigned int shift = pt_level_shift(&place->cfg, place->level);
	unsigned int index = (unsigned int)((p->address - place->table) / 8);
	uint64_t old = le_read(p->old, 8), new = le_read(p->new, 8);
	char what[24];

	if (place->cfg.big_endian) {
		old = __builtin_bswap64(old);
		new = __builtin_bswap64(new);
	}

	p->kind = PATCH_TABLE;
	p->level = place->level;
	p->va = first_below(place, p->level, new & 1 ? new : old,
			    place->ia + ((uint64_t)index << shift));
	p->leaf = shift == 12 && !place->cfg.regime.stage2 && !((old | new) & DESC_CONT);
	snprintf(p->regime, sizeof(p->regime), "%s", place->tables.regime.name);
	snprintf(what, sizeof(what), "L%d [%u]", p->level, index);
	name_place(t, p, what);
}

/* A page that looks like one: whoever puts it to use must not see what is stale. */
static void describe_unused(const struct touch *t, const struct place *place, struct patch *p)
{
	char what[24];

	p->kind = PATCH_TABLE;
	p->level = PATCH_NO_LEVEL;
	snprintf(p->regime, sizeof(p->regime), "%s",
		 place->tables.regime.name ? place->tables.regime.name : "el1");
	snprintf(what, sizeof(what), "table? [%u]", (unsigned int)(p->address % PAGE / 8));
	name_place(t, p, what);
}

/* The page as it is and as it will be. -BATON_ERANGE: what is no memory cannot be a table. */
static int look(const struct touch *t, const struct touch_piece *piece, uint8_t *old, uint8_t *new)
{
	size_t at = piece->pa % PAGE;
	int err = machine_phys_read(t->machine, piece->pa - at, old, PAGE);

	if (err)
		return err == -BATON_ELINK ? err : -BATON_ERANGE;
	memcpy(new, old, PAGE);
	memcpy(new + at, piece->data, piece->len);
	return 0;
}

/* Could it be one of a table's? The whole words that it lies in decide. */
static int sort_plausible(struct touch *t, struct place *place)
{
	uint8_t old[PAGE], new[PAGE];

	for (size_t i = 0; i < place->pieces; i++) {
		struct touch_piece *piece = &place->piece[i];
		size_t from = piece->pa % PAGE & ~(size_t)7;
		size_t end = (piece->pa % PAGE + piece->len + 7) & ~(size_t)7;
		int err = look(t, piece, old, new);

		if (err == -BATON_ELINK)
			return err;
		piece->kind = TOUCH_DATA;
		if (err || !touch_plausible(t->machine, old + from, new + from, end - from))
			continue;
		piece->kind = TOUCH_UNUSED;
		place->left++;
	}
	return 0;
}

static int sort(struct touch *t, struct place *place)
{
	uint8_t old[PAGE], new[PAGE];
	int err = sort_plausible(t, place);

	if (!err && place->left)
		err = find_in_use(t, place);
	if (err < 0 || !place->left)
		return err < 0 ? err : 0;
	if (tables_init(&place->tables, t->machine, t->symbols, t->cpu, "pending", NULL) ||
	    pt_config_from_regime(&place->cfg, &place->tables.regime, 0, NULL) ||
	    place->cfg.granule != 12)
		place->cfg = (struct pt_config){ .granule = 12, .oa_bits = 48 };
	for (size_t i = 0; i < place->pieces; i++) {
		struct touch_piece *piece = &place->piece[i];

		if (piece->kind == TOUCH_UNUSED && !look(t, piece, old, new) &&
		    !looks_like_table(t, place, new) && !looks_like_table(t, place, old))
			piece->kind = TOUCH_DATA;
	}
	return 0;
}

int touch_sort(struct touch *t, struct touch_piece *piece, size_t n)
{
	struct place place = { .piece = piece, .pieces = n };

	return sort(t, &place);
}

static int note(struct touch *t, const struct patch *p, size_t n, const char *why)
{
	if (!n)
		return 0;
	if (!t->number)
		t->number = journal_begin(t->journal, why);
	return journal_note_all(t->journal, t->number, p, n);
}

/* All that is changed in the page, piece by piece; of a table word by word. */
static int note_changes(struct touch *t, const struct place *place, enum touch_kind kind,
			const uint8_t *old, const uint8_t *new, uint64_t pa, size_t len,
			const char *why)
{
	size_t unit = kind == TOUCH_DATA ? PATCH_BYTES : 8, count = 0;
	struct patch *all = malloc((len / unit + 2) * sizeof(*all));
	int err;

	if (!all)
		abort();
	for (size_t i = 0, n; i < len; i += n) {
		struct patch p = { .kind = PATCH_MEMORY, .cpu = t->cpu, .address = pa + i };

		n = kind == TOUCH_DATA || unit - p.address % unit > len - i
			    ? unit
			    : unit - p.address % unit;
		n = n < len - i ? n : len - i;
		if (!memcmp(old + i, new + i, n))
			continue;
		p.size = (unsigned int)n;
		memcpy(p.old, old + i, n);
		memcpy(p.new, new + i, n);
		if (kind == TOUCH_TABLE)
			describe(t, place, &p);
		else if (kind == TOUCH_UNUSED)
			describe_unused(t, place, &p);
		else
			name_place(t, &p, "");
		all[count++] = p;
	}
	err = note(t, all, count, why);
	free(all);
	return err;
}

/*
 * Where only an executed `tlbi` makes a CPU forget, what is to become something else is invalid
 * in between, as plan_apply() does it (break-before-make; DDI 0487, D8.17.1). @old becomes @new
 * then: whoever writes it need not write whole descriptors, nor reach them while they are gone.
 */
static int break_first(struct touch *t, const struct place *place, uint8_t *old, const uint8_t *new,
		       uint64_t pa, size_t len, const char *why)
{
	const struct pt_config *cfg = &place->cfg;
	struct buf say = { 0 };
	uint8_t gap[PAGE];
	bool any = false;
	int err;

	memcpy(gap, old, len);
	for (size_t i = 0; i < len; i += 8) {
		uint64_t was = le_read(old + i, 8), is = le_read(new + i, 8);

		if (cfg->big_endian) {
			was = __builtin_bswap64(was);
			is = __builtin_bswap64(is);
		}
		if (!plan_must_break(cfg, place->level, was, is))
			continue;
		memset(gap + i, 0, 8);
		any = true;
	}
	if (!any || t->machine->accel == ACCEL_TCG || !regime_mmu_on(&place->tables.regime))
		return 0;
	err = note_changes(t, place, TOUCH_TABLE, old, gap, pa, len, why);
	if (!err)
		err = machine_phys_write(t->machine, pa, gap, len);
	if (!err)
		err = journal_entry_refresh(t->machine, journal_find(t->journal, t->number), &say);
	if (!err)
		err = note_changes(t, place, TOUCH_TABLE, gap, new, pa, len, why);
	if (!err)
		err = machine_phys_write(t->machine, pa, new, len);
	memcpy(old, new, len);
	buf_free(&say);
	return err;
}

/* What is within one page. */
static int touch_page(struct touch *t, struct touch_piece *piece, bool always, const char *why)
{
	uint8_t old[PAGE], new[PAGE];
	size_t at = piece->pa % PAGE, from = at & ~(size_t)7;
	size_t end = (at + piece->len + 7) & ~(size_t)7;
	struct place place = { .piece = piece, .pieces = 1 };
	uint64_t pa = piece->pa - at;
	int err = look(t, piece, old, new);

	/* What is no memory: the write itself says what it is. */
	if (err)
		return err == -BATON_ELINK ? err : 0;
	err = sort(t, &place);
	if (err || (piece->kind == TOUCH_DATA && !always))
		return err;
	/* Whole descriptors, also where only a part of one is written. */
	if (piece->kind == TOUCH_DATA) {
		from = at;
		end = at + piece->len;
	}
	if (piece->kind == TOUCH_TABLE)
		err = break_first(t, &place, old + from, new + from, pa + from, end - from, why);
	if (err)
		return err;
	return note_changes(t, &place, piece->kind, old + from, new + from, pa + from, end - from,
			    why);
}

int touch_reg(struct touch *t, const char *name, uint64_t value, const char *why)
{
	struct patch p = { .kind = PATCH_REGISTER, .cpu = t->cpu, .size = 8 };
	uint64_t old;
	int err = machine_reg_read(t->machine, t->cpu, name, &old);

	if (err || old == value)
		return err;
	snprintf(p.reg, sizeof(p.reg), "%s", name);
	le_write(p.old, 8, old);
	le_write(p.new, 8, value);
	err = note(t, &p, 1, why);
	return err ? err : machine_reg_write(t->machine, t->cpu, name, value);
}

int touch_begin(struct touch *t, uint64_t pa, const void *data, size_t len, bool always,
		const char *why)
{
	const uint8_t *from = data;
	int err = 0;

	while (len && !err) {
		struct touch_piece piece = { .pa = pa, .data = from, .len = PAGE - pa % PAGE };

		piece.len = piece.len < len ? piece.len : len;
		err = touch_page(t, &piece, always, why);
		pa += piece.len;
		from += piece.len;
		len -= piece.len;
	}
	/* What was written before this, of the same patch, goes back. */
	if (err && t->number) {
		char words[sizeof(t->machine->error)];
		struct buf nothing = { 0 };

		memcpy(words, t->machine->error, sizeof(words));
		journal_abort(t->journal, t->machine, t->number, &nothing);
		memcpy(t->machine->error, words, sizeof(words));
		buf_free(&nothing);
		t->number = 0;
	}
	return err;
}

/* The last write of the place that write @i is of: break-before-make has two. */
static const struct patch *last_of(const struct journal_entry *e, size_t i)
{
	const struct patch *last = &e->write[i];

	for (size_t k = i + 1; k < e->count; k++)
		if (last->kind != PATCH_REGISTER && e->write[k].address == last->address)
			last = &e->write[k];
	return last;
}

static int verify(struct touch *t, const struct journal_entry *e)
{
	uint8_t now[PATCH_BYTES];

	for (size_t i = 0; i < e->count; i++) {
		const struct patch *p = &e->write[i];
		int err;

		/* A register was read back when it was written. */
		if (p->kind == PATCH_REGISTER)
			continue;
		err = machine_phys_read(t->machine, p->address, now, p->size);
		if (err)
			return err;
		if (last_of(e, i) == p && memcmp(now, p->new, p->size))
			return machine_fail(t->machine, -BATON_EVERIFY,
					    "%#" PRIx64 " did not take what was written",
					    p->address);
	}
	return 0;
}

static void say_line(const struct touch *t, const struct journal_entry *e, struct buf *say)
{
	const struct patch *p = &e->write[0], *last = last_of(e, 0);
	size_t places = 0;

	for (size_t i = 0; i < e->count; i++)
		places += last_of(e, i) == &e->write[i];
	buf_printf(say, "patch %u: ", t->number);
	if (p->kind == PATCH_REGISTER)
		buf_printf(say, "CPU %u %s: ", p->cpu, p->reg);
	else
		buf_printf(say, "%s at %#" PRIx64 ": ", p->where, p->address);
	patch_say_value(p->old, p->size, say);
	buf_puts(say, " -> ");
	patch_say_value(last->new, p->size, say);
	if (places > 1)
		buf_printf(say, " and %zu more", places - 1);
	if (p->kind == PATCH_TABLE && p->level == PATCH_NO_LEVEL)
		buf_printf(say, ", in what looks like a table; no regime of CPU %u uses it yet",
			   t->cpu);
	buf_printf(say, " (`patches %u` shows more, `undo %u` takes it back)\n", t->number,
		   t->number);
}

int touch_end(struct touch *t, int err, struct buf *say)
{
	const struct journal_entry *e = journal_find(t->journal, t->number);

	if (!e)
		return err;
	err = err ? err : verify(t, e);
	/* A failed refresh has said so, and what is in memory is there all the same. */
	if (!err && journal_entry_refresh(t->machine, e, say) == -BATON_ELINK)
		err = -BATON_ELINK;
	if (!err)
		err = journal_end(t->journal, t->number);
	if (!err)
		say_line(t, e, say);
	else if (err != -BATON_ELINK)
		journal_abort(t->journal, t->machine, t->number, say);
	return err;
}
