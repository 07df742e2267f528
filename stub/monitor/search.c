/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/search.h"

#include "hex.h"

#include <stdlib.h>
#include <string.h>

#define PAGE  UINT64_C(4096)
#define CHUNK UINT64_C(65536)

/* What is known of a page. A hit that begins or ends in it makes it worth a second look. */
enum {
	SEEN = 1,   /* it was searched */
	HIT = 2,    /* something was found */
	JOINED = 4, /* the way over its end to the next page in memory was searched too */
};

int search_bytes(struct search *s, struct cmd *c, const char *word)
{
	size_t n = strlen(word);

	s->c = c;
	s->needle = malloc(n + 1);
	if (!s->needle)
		abort();
	if (strncmp(word, "s:", 2) == 0) {
		s->len = n - 2;
		memcpy(s->needle, word + 2, s->len);
	} else if (n % 2 == 0 && hex_decode(word, n, s->needle) == 0) {
		s->len = n / 2;
	}
	if (!s->len || s->len > SEARCH_MAX)
		return cmd_fail(c, -BATON_EINVAL,
				"--grep %s: pairs of hex digits, or s:TEXT; at most %d bytes", word,
				SEARCH_MAX);
	return 0;
}

void search_free(struct search *s)
{
	free(s->needle);
	free(s->page);
	free(s->base);
}

static bool is_memory(const struct ram_range *r)
{
	return r && r->kind != RAM_IO;
}

static void make_pages(struct search *s)
{
	const struct machine *m = s->c->machine;
	size_t pages = 0;

	s->base = calloc(m->ram_count + 1, sizeof(*s->base));
	for (size_t i = 0; s->base && i < m->ram_count; i++) {
		s->base[i] = pages;
		if (is_memory(&m->ram[i]))
			pages += (m->ram[i].last / PAGE) - (m->ram[i].first / PAGE) + 1;
	}
	/* Touched only where something is searched: the machine may have more than we. */
	s->page = calloc(pages + 1, 1);
	if (!s->base || !s->page)
		abort();
}

/* @pa is in memory. */
static uint8_t *page_of(const struct search *s, uint64_t pa)
{
	const struct ram_range *r = machine_ram_find(s->c->machine, pa);

	return &s->page[s->base[r - s->c->machine->ram] + (pa / PAGE - r->first / PAGE)];
}

static bool is_known(const struct search *s, uint64_t pa)
{
	return (*page_of(s, pa) & (SEEN | HIT)) == SEEN;
}

/* How far memory, or what is none, goes on from @pa, up to @max. */
static uint64_t extent(const struct search *s, uint64_t pa, uint64_t max, bool *memory)
{
	const struct machine *m = s->c->machine;
	const struct ram_range *r = machine_ram_find(m, pa);
	uint64_t last = pa + (max - 1);

	*memory = is_memory(r);
	for (size_t i = 0; !*memory && i < m->ram_count; i++) {
		if (is_memory(&m->ram[i]) && m->ram[i].first > pa && m->ram[i].first <= last)
			last = m->ram[i].first - 1;
	}
	if (*memory && r->last < last)
		last = r->last;
	return last - pa + 1;
}

/* Pages from @pa that need not be read again, neither for what is on their borders. */
static uint64_t known(const struct search *s, uint64_t pa, uint64_t size)
{
	uint64_t n = 0;

	while (n < size && is_known(s, pa + n)) {
		n += PAGE;
		if (!(*page_of(s, pa + n - PAGE) & JOINED))
			break;
	}
	return n < size ? n : size;
}

/*
 * How much to read, from @pa on; 0: nothing, since *@pass bytes are known. Small pieces that
 * are known are not worth to be left out.
 */
static uint64_t unknown(const struct search *s, uint64_t pa, uint64_t size, bool whole,
			uint64_t *pass)
{
	uint64_t n = 0;

	while (n < size) {
		*pass = known(s, pa + n, size - n);
		if (*pass >= CHUNK || (whole && *pass == size))
			return n;
		n += *pass ? *pass : PAGE;
	}
	return size;
}

static int report(struct search *s, uint64_t ia, uint64_t pa, uint64_t last)
{
	s->hits++;
	*page_of(s, pa) |= HIT;
	*page_of(s, last) |= HIT;
	return s->hit(s->ctx, ia, pa);
}

/* What is in s->data: the tail, and @n bytes of @pa. */
static int find(struct search *s, uint64_t ia, uint64_t pa, size_t n)
{
	uint8_t *p = s->data, *end = s->data + s->tail_len + n;
	int err = 0;

	while (!err && (p = memmem(p, (size_t)(end - p), s->needle, s->len))) {
		size_t at = (size_t)(p - s->data), last = at + s->len - 1;

		err = report(s, ia - s->tail_len + at,
			     at < s->tail_len ? s->tail_pa + at : pa + (at - s->tail_len),
			     last < s->tail_len ? s->tail_pa + last : pa + (last - s->tail_len));
		p++;
	}
	return err;
}

static int load_tail(struct search *s)
{
	int err = s->tail_read || !s->tail_len
			  ? 0
			  : machine_phys_read(s->c->machine, s->tail_pa, s->data, s->tail_len);

	s->tail_read = true;
	return err;
}

/* The bytes before @pa are those before it in memory too. */
static bool is_next(const struct search *s, uint64_t pa)
{
	return s->tail_len && s->tail_pa + s->tail_len == pa;
}

/* Over the border to @pa, if nobody has looked there yet; then whatever was known behind it. */
static int pass(struct search *s, uint64_t ia, uint64_t pa, uint64_t size)
{
	uint8_t *before = is_next(s, pa) ? page_of(s, pa - 1) : NULL;
	int err = 0;

	if (s->tail_len && !(before && *before & JOINED)) {
		err = load_tail(s);
		if (!err)
			err = machine_phys_read(s->c->machine, pa, s->data + s->tail_len,
						s->len - 1);
		if (!err)
			err = find(s, ia, pa, s->len - 1);
		if (before)
			*before |= JOINED;
	}
	s->tail_len = s->len - 1;
	s->tail_pa = pa + size - s->tail_len;
	s->tail_read = false;
	return err;
}

static int read_all(struct search *s, uint64_t ia, uint64_t pa, uint64_t size)
{
	int err = load_tail(s);

	for (uint64_t at = 0, n; !err && at < size; at += n) {
		n = size - at < CHUNK ? size - at : CHUNK;
		if (machine_canceled(s->c->machine))
			return -BATON_ECANCELED;
		err = machine_phys_read(s->c->machine, pa + at, s->data + s->tail_len, n);
		if (!err)
			err = find(s, ia + at, pa + at, n);
		if (is_next(s, pa + at))
			*page_of(s, pa + at - 1) |= JOINED;
		for (uint64_t p = at; p < at + n; p += PAGE)
			*page_of(s, pa + p) |= p + PAGE < at + n ? SEEN | JOINED : SEEN;
		memmove(s->data, s->data + s->tail_len + n - (s->len - 1), s->len - 1);
		s->tail_len = s->len - 1;
		s->tail_pa = pa + at + n - s->tail_len;
		s->tail_read = true;
	}
	return err;
}

int search_range(struct search *s, uint64_t ia, uint64_t pa, uint64_t size)
{
	int err = machine_canceled(s->c->machine) ? -BATON_ECANCELED : 0;

	if (!s->page)
		make_pages(s);
	if (s->next != ia)
		s->tail_len = 0;
	s->next = ia + size;
	for (uint64_t at = 0, n; !err && at < size; at += n) {
		uint64_t again = 0;
		bool memory;

		n = extent(s, pa + at, size - at, &memory);
		if (!memory) {
			s->passed += n;
			s->tail_len = 0;
			continue;
		}
		uint64_t fresh = unknown(s, pa + at, n, n == size, &again);

		n = fresh ? fresh : again;
		err = (fresh ? read_all : pass)(s, ia + at, pa + at, n);
	}
	return err;
}
