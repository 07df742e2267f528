/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code that goes on in a copy of itself. What was loaded is remembered, so that a copy is known
 * though it lies over what it was made of, at one remove or more.
 */
#include "handoff/leave.h"

#include "hex.h"

/* How much of the code around the pc has to be at the copy too. */
#define MOVE_WORDS 8
/* Where addresses among instructions differ: parts that are searched for, and how often. */
#define PART_BYTES 16
#define PART_HITS  64

/* What a loader makes of code of its own lies so near together. */
#define STAGE_BYTES (1u << 20)

/* The code that is running now: where it is, and where it was loaded if it is the image's. */
struct running {
	uint64_t pa, origin;
	bool loaded;
};

static uint64_t where(struct handoff *h, unsigned int cpu, uint64_t va)
{
	struct tables t;
	struct pt_walk walk;

	return tables_init(&t, machine_of(h), NULL, cpu, NULL, NULL) ||
			       tables_walk(&t, va, NULL, &walk, NULL) || walk.fault
		       ? va
		       : walk.oa;
}

static struct running running(struct handoff *h, const struct visit *v)
{
	struct running r = { .pa = where(h, v->cpu, v->pc) };
	uint8_t now[4 * MOVE_WORDS];

	r.origin = r.pa;
	r.loaded = !machine_phys_read(machine_of(h), r.pa - (sizeof(now) - 4), now, sizeof(now)) &&
		   image_intact(&h->image, r.pa - (sizeof(now) - 4), now, sizeof(now), &r.origin);
	if (r.loaded)
		r.origin += sizeof(now) - 4;
	return r;
}

/* Is it also there where all would be if what was loaded at @from went to @to? */
static bool came_along(struct handoff *h, const struct visit *v, const struct running *r,
		       uint64_t from, uint64_t to)
{
	unsigned int seen = 0;
	uint32_t word, want;

	for (unsigned int i = 0; i < MOVE_WORDS; i++) {
		const struct scan_word *w = scan_word(&h->scan, v->pc - 4ull * i);
		uint64_t origin = r->origin - 4ull * i;
		const uint8_t *was = r->loaded ? image_bytes(&h->image, origin, 4) : NULL;

		if (!was && !w)
			continue;
		want = was ? (uint32_t)le_read(was, 4) : w->word;
		if (!copied_word(h, r->pa - 4ull * i, origin - from + to, &word) || want != word)
			return false;
		seen++;
	}
	return seen > 0;
}

/* Of several copies the one that is running now, if it has that code. */
static uint64_t nearest(struct handoff *h, const struct running *r, uint64_t origin,
			const struct target *t)
{
	uint64_t here = origin - r->origin + r->pa, at;
	uint8_t now[LOOK_BYTES];

	return r->loaded && here != t->pa &&
			       !machine_phys_read(machine_of(h), here, now, sizeof(now)) &&
			       image_intact(&h->image, here, now, sizeof(now), &at) && at == origin
		       ? here
		       : origin;
}

/* The same, but for addresses among the instructions, which a loader that relocates itself changes.
 */
static bool find_relocated(struct handoff *h, const struct visit *v, const struct running *r,
			   const struct target *t, uint64_t *from)
{
	const struct image *img = &h->image;

	for (unsigned int part = 0; part < LOOK_BYTES; part += PART_BYTES) {
		uint64_t at = 0, origin;

		for (unsigned int n = 0; n < PART_HITS; n++, at++) {
			const uint8_t *was;

			if (!image_search(img, t->bytes + part, PART_BYTES, &at))
				break;
			origin = at - part;
			was = image_bytes(img, origin, LOOK_BYTES);
			if (!was || origin == t->pa || !image_alike(was, t->bytes, LOOK_BYTES) ||
			    !came_along(h, v, r, origin, t->pa))
				continue;
			*from = origin;
			return true;
		}
	}
	return false;
}

/*
 * A loader that moves itself goes on in a copy: code there was loaded elsewhere, and is known
 * or the code that is running now came along with it. What equals the rest of the image is
 * what the loader carries: the kernel.
 */
bool move_find(struct handoff *h, const struct visit *v, const struct target *t, struct move *move)
{
	struct running r = running(h, v);
	bool known, found = false;
	uint64_t at = 0, pc = 0;

	*move = (struct move){ 0 };
	known = scan_same_code(&h->scan, t->words, MOVE_WORDS, &pc);
	if (image_load(&h->image, machine_of(h)))
		return false;
	for (; !move->all && image_search(&h->image, t->bytes, 4ul * MOVE_WORDS, &at); at++) {
		bool came = at != t->pa &&
			    (came_along(h, v, &r, at, t->pa) || code_all_moved(h, at, t->pa));

		if (!came && (!known || found || at == t->pa))
			continue;
		found = true;
		move->origin = at;
		move->all = came;
	}
	if (!found)
		found = move->all = find_relocated(h, v, &r, t, &move->origin);
	if (found)
		move->from = nearest(h, &r, move->origin, t);
	else if (known)
		move->from = move->origin = where(h, v->cpu, pc);
	return found || known;
}

int move_follow(struct handoff *h, struct visit *v, struct tables *tables, const struct target *t,
		const struct move *move)
{
	struct event e = { .kind = EVENT_MOVED,
			   .cpu = v->cpu,
			   .el = v->el,
			   .pc = v->pc,
			   .before = move->from,
			   .after = t->va };
	int err;

	if (move->from == t->pa)
		event_add(h, &e, "goes on at %#" PRIx64 ", where the same memory is mapped", t->va);
	else
		event_add(h, &e, "goes on in a copy of itself: %#" PRIx64 " -> %#" PRIx64,
			  move->from, t->va);
	err = copied_clean(h, v->cpu, move->from, t->pa);
	if (!err && move->from != move->origin)
		err = copied_clean(h, v->cpu, move->origin, t->pa);
	if (err)
		return err;
	image_copied(&h->image, machine_of(h), move->origin, t->pa, move->all);
	err = code_follow_anew(h, v->cpu, tables, t->va);
	return err ? err : step_over(h, v);
}

/* Once told, for all that is near to it. */
int move_follow_stage(struct handoff *h, struct visit *v, struct tables *tables,
		      const struct target *t)
{
	struct event e = { .kind = EVENT_NOTE, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct running r = running(h, v);
	int err;

	if (r.loaded || (t->pa - r.pa > STAGE_BYTES && r.pa - t->pa > STAGE_BYTES))
		event_add(h, &e,
			  "goes on at %#" PRIx64 ", in code that was not loaded there: "
			  "unpacked, copied or made",
			  t->va);
	err = code_follow_anew(h, v->cpu, tables, t->va);
	return err ? err : step_over(h, v);
}
