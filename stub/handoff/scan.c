/* SPDX-License-Identifier: BSD-2-Clause */
#include "handoff/scan.h"

#include "hex.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Pages in hand: the code of a function and of those that it calls. */
#define SCAN_CACHE 16

/* Code that is overwritten is forgotten by so many bytes: single words may be the same. */
#define SCAN_LINE 64

struct scan_todo {
	uint64_t pc;
	uint8_t link;
};

struct scan_run {
	struct scan *scan;
	const struct scan_source *source;
	const struct scan_span *bounds;
	size_t bound_count;
	struct scan_todo *todo;
	size_t todo_count, todo_size;
	struct {
		uint64_t address;
		bool used, good;
		uint8_t data[SCAN_PAGE];
	} cache[SCAN_CACHE];
};

static void *grow(void *array, size_t size, size_t each)
{
	void *p = realloc(array, size * each);

	if (!p)
		abort();
	return p;
}

void scan_free(struct scan *s)
{
	free(s->words);
	free(s->sites);
	memset(s, 0, sizeof(*s));
}

static size_t slot_of(const struct scan *s, uint64_t pc)
{
	size_t i = (pc >> 2) * 0x9e3779b97f4a7c15ull >> 32 & (s->size - 1);

	while (s->words[i].pc != pc && s->words[i].pc != SCAN_NO_PC)
		i = (i + 1) & (s->size - 1);
	return i;
}

static void rehash(struct scan *s)
{
	struct scan old = *s;

	s->size = old.size ? old.size * 2 : 4096;
	s->words = grow(NULL, s->size, sizeof(*s->words));
	for (size_t i = 0; i < s->size; i++)
		s->words[i] = (struct scan_word){ .pc = SCAN_NO_PC };
	for (size_t i = 0; i < old.size; i++)
		if (old.words[i].pc != SCAN_NO_PC)
			s->words[slot_of(s, old.words[i].pc)] = old.words[i];
	free(old.words);
}

const struct scan_word *scan_word(const struct scan *s, uint64_t pc)
{
	size_t i;

	if (!s->size || pc == SCAN_NO_PC)
		return NULL;
	i = slot_of(s, pc);
	return s->words[i].pc == pc ? &s->words[i] : NULL;
}

void scan_entry(struct scan *s, uint64_t pc)
{
	if (scan_word(s, pc))
		s->words[slot_of(s, pc)].entry = true;
}

struct scan_site *scan_site(const struct scan *s, uint64_t pc)
{
	for (size_t i = 0; i < s->site_count; i++)
		if (s->sites[i].pc == pc)
			return &s->sites[i];
	return NULL;
}

static void push(struct scan_run *r, uint64_t pc, uint8_t link)
{
	if (r->todo_count == r->todo_size) {
		r->todo_size = r->todo_size ? r->todo_size * 2 : 256;
		r->todo = grow(r->todo, r->todo_size, sizeof(*r->todo));
	}
	r->todo[r->todo_count++] = (struct scan_todo){ pc, link };
}

static bool in_bounds(const struct scan_run *r, uint64_t pc)
{
	for (size_t i = 0; i < r->bound_count; i++)
		if (pc >= r->bounds[i].first && pc <= r->bounds[i].last)
			return true;
	return false;
}

static bool fetch(struct scan_run *r, uint64_t pc, uint32_t *word)
{
	uint64_t page = pc & ~(uint64_t)(SCAN_PAGE - 1);
	size_t i = pc / SCAN_PAGE % SCAN_CACHE;

	if (!r->cache[i].used || r->cache[i].address != page) {
		r->cache[i].used = true;
		r->cache[i].address = page;
		r->cache[i].good = !r->source->page(r->source->ctx, page, r->cache[i].data);
	}
	if (r->cache[i].good)
		*word = (uint32_t)le_read(r->cache[i].data + pc % SCAN_PAGE, 4);
	return r->cache[i].good;
}

/*
 * Where a handoff shows. Of the returns only those that may go anywhere: a return
 * to a caller goes where the caller is known, and every stop in a hot function costs.
 */
static bool is_site(const struct insn *i, uint8_t link)
{
	if (i->kind == INSN_MSR)
		return watch_find(i->sysreg) != NULL;
	if (i->kind == INSN_RET)
		return i->reg != 30 || (link & (SCAN_UNKNOWN | SCAN_TOP));
	return i->kind == INSN_BR || i->kind == INSN_BLR || i->kind == INSN_ERET ||
	       i->kind == INSN_SMC || i->kind == INSN_HVC || i->kind == INSN_TLBI ||
	       (i->kind == INSN_CACHE && insn_is_maintenance(i));
}

struct scan_site *scan_add(struct scan *s, uint64_t pc, uint32_t word, const struct insn *insn)
{
	struct scan_site *known = scan_site(s, pc);

	if (known && known->word != word)
		*known = (struct scan_site){ .pc = pc, .insn = *insn, .word = word };
	if (known)
		return known;
	s->sites = grow(s->sites, s->site_count + 1, sizeof(*s->sites));
	s->sites[s->site_count] = (struct scan_site){ .pc = pc, .insn = *insn, .word = word };
	return &s->sites[s->site_count++];
}

static uint8_t link_after(const struct insn *i, uint8_t link)
{
	uint8_t keep = link & (SCAN_TOP | SCAN_SAVED);

	switch (i->x30) {
	case X30_LINK:
		return SCAN_LINKED | keep;
	case X30_STACK:
		return SCAN_LINKED | keep | (link & SCAN_SAVED ? SCAN_UNKNOWN : 0);
	case X30_OTHER:
		return SCAN_UNKNOWN | keep;
	case X30_KEPT:
		break;
	}
	/* at the top each return is watched anyway */
	return i->saves_x30 && (link & (SCAN_UNKNOWN | SCAN_TOP)) == SCAN_UNKNOWN
		       ? link | SCAN_SAVED
		       : link;
}

/* One instruction: true if it was new or is now reached with another x30. */
static bool visit(struct scan_run *r, uint64_t pc, uint8_t *link, uint32_t *word, size_t *found)
{
	struct scan *s = r->scan;
	size_t i;

	if (!in_bounds(r, pc) || !fetch(r, pc, word))
		return false;
	if (s->count * 2 >= s->size)
		rehash(s);
	i = slot_of(s, pc);
	/* memory that changed since: what is there now counts */
	if (s->words[i].pc == pc && s->words[i].word == *word) {
		if (!(*link & ~s->words[i].link))
			return false;
	} else if (s->words[i].pc == pc) {
		s->words[i].link = 0;
	} else {
		if (s->count >= SCAN_MAX_WORDS) {
			s->full = true;
			return false;
		}
		s->count++;
		(*found)++;
	}
	s->words[i].pc = pc;
	s->words[i].word = *word;
	s->words[i].link |= *link;
	*link = s->words[i].link;
	return true;
}

static void follow(struct scan_run *r, uint64_t pc, uint8_t link, size_t *found)
{
	uint64_t entry = pc;
	uint32_t word;

	for (; visit(r, pc, &link, &word, found); pc += 4) {
		struct insn insn = insn_decode(word);

		/* a branch to where nothing is: it may be put there before that is taken */
		if (is_site(&insn, link) || (insn.kind == INSN_UDF && pc == entry))
			(void)scan_add(r->scan, pc, word, &insn);
		if (insn.kind == INSN_BL)
			push(r, pc + (uint64_t)insn.offset, SCAN_LINKED);
		else if (insn.kind == INSN_B || insn.kind == INSN_COND)
			push(r, pc + (uint64_t)insn.offset, link);
		if (insn_ends_path(&insn))
			return;
		link = link_after(&insn, link);
	}
}

static struct scan_run *begin(struct scan *s, const struct scan_source *source,
			      const struct scan_span *bounds, size_t n)
{
	struct scan_run *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	*r = (struct scan_run){ .scan = s, .source = source, .bounds = bounds, .bound_count = n };
	return r;
}

static size_t finish(struct scan_run *r)
{
	size_t found = 0;

	while (r->todo_count) {
		struct scan_todo t = r->todo[--r->todo_count];

		follow(r, t.pc, t.link, &found);
	}
	free(r->todo);
	free(r);
	return found;
}

size_t scan_from(struct scan *s, const struct scan_source *source, const struct scan_span *bounds,
		 size_t n, uint64_t entry, enum scan_link link)
{
	struct scan_run *r = begin(s, source, bounds, n);
	size_t found;

	if (!(entry & 3))
		push(r, entry, link == SCAN_UNKNOWN ? SCAN_UNKNOWN | SCAN_TOP : (uint8_t)link);
	found = finish(r);
	scan_entry(s, entry);
	return found;
}

static bool same_at(const struct scan *s, uint64_t pc, const uint32_t *words, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct scan_word *w = scan_word(s, pc + 4 * i);

		if (!w || w->word != words[i])
			return false;
	}
	return true;
}

static bool is_stale(struct scan_run *r, uint64_t line)
{
	uint32_t now;

	for (uint64_t pc = line; pc < line + SCAN_LINE; pc += 4) {
		const struct scan_word *w = scan_word(r->scan, pc);

		/* what cannot be read is not known to be something else */
		if (w && fetch(r, pc, &now) && w->word != now)
			return true;
	}
	return false;
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Lines of known code that hold something else by now, in order; for free(). */
static uint64_t *stale_lines(struct scan_run *r, size_t *count)
{
	const struct scan *s = r->scan;
	uint64_t *lines = grow(NULL, s->count + 1, sizeof(*lines)), last = SCAN_NO_PC;
	size_t n = 0;

	for (size_t i = 0; i < s->size; i++)
		if (s->words[i].pc != SCAN_NO_PC)
			lines[n++] = s->words[i].pc & ~(uint64_t)(SCAN_LINE - 1);
	qsort(lines, n, sizeof(*lines), by_address);
	*count = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t line = lines[i];

		if (line != last && is_stale(r, line))
			lines[(*count)++] = line;
		last = line;
	}
	return lines;
}

static bool in_lines(const uint64_t *lines, size_t count, uint64_t pc)
{
	uint64_t line = pc & ~(uint64_t)(SCAN_LINE - 1);

	return bsearch(&line, lines, count, sizeof(*lines), by_address) != NULL;
}

void scan_drop_stale(struct scan *s, const struct scan_source *source,
		     const struct scan_span *bounds, size_t bound_count,
		     void (*gone)(void *ctx, struct scan_site *site), void *ctx)
{
	struct scan_run *r = begin(s, source, bounds, bound_count);
	size_t count, n = 0;
	uint64_t *lines = stale_lines(r, &count);
	struct scan old = *s;
	uint32_t now;

	for (size_t i = 0; i < s->site_count; i++)
		if (in_lines(lines, count, s->sites[i].pc))
			gone(ctx, &s->sites[i]);
		else
			s->sites[n++] = s->sites[i];
	s->site_count = n;
	s->words = NULL;
	s->count = s->size = 0;
	for (size_t i = 0; i < old.size; i++) {
		const struct scan_word *w = &old.words[i];

		if (w->pc == SCAN_NO_PC)
			continue;
		/* what is the same is followed again: it may be by chance */
		if (in_lines(lines, count, w->pc)) {
			if (fetch(r, w->pc, &now) && now == w->word)
				push(r, w->pc, w->link);
			continue;
		}
		if (s->count * 2 >= s->size)
			rehash(s);
		s->words[slot_of(s, w->pc)] = *w;
		s->count++;
	}
	finish(r);
	for (size_t i = 0; i < old.size; i++)
		if (old.words[i].pc != SCAN_NO_PC && old.words[i].entry)
			scan_entry(s, old.words[i].pc);
	free(old.words);
	free(lines);
}

bool scan_same_code(const struct scan *s, const uint32_t *words, unsigned int n, uint64_t *pc)
{
	bool differ = false;

	assert(n);
	for (unsigned int i = 1; i < n; i++)
		differ |= words[i] != words[0];
	if (!differ)
		return false;
	for (size_t i = 0; i < s->size; i++) {
		const struct scan_word *w = &s->words[i];

		if (w->pc != SCAN_NO_PC && w->word == words[0] && same_at(s, w->pc, words, n)) {
			*pc = w->pc;
			return true;
		}
	}
	return false;
}
