/* SPDX-License-Identifier: BSD-2-Clause */
/* Branches by register: within the loader, to a copy of it, or out of it. */
#include "handoff/preflight.h"

#include "hex.h"

#include <stdio.h>
#include <string.h>

#define FDT_MAGIC 0xedfe0dd0u /* as an instruction would be read */
/* "ARM\x64" in the header of a Linux image (Documentation/arm64/booting.rst). */
#define LINUX_MAGIC    0x644d5241u
#define LINUX_MAGIC_AT 14

/* A branch that stays where the code is known; seen often enough it costs nothing more. */
static int harmless(struct handoff *h, struct visit *v)
{
	struct scan_site *s = scan_site(&h->scan, v->pc);
	int err = 0;

	if (s && s->hits > HANDOFF_LIFT && !h->replay) {
		struct event e = { .kind = EVENT_NOTE, .cpu = v->cpu, .el = v->el, .pc = v->pc };

		event_add(h, &e, "stayed in the loader %u times: no longer watched", s->hits);
		err = code_lift(h, s);
	}
	return err ? err : step_over(h, v);
}

static int look(struct handoff *h, const struct visit *v, struct target *t)
{
	uint64_t from;
	int err = 0;

	/* Once more where stops of ours were copied. */
	for (unsigned int tries = 0; !err && tries < 2; tries++) {
		err = machine_phys_read(machine_of(h), t->pa, t->bytes, sizeof(t->bytes));
		for (unsigned int i = 0; !err && i < LOOK_WORDS; i++)
			t->words[i] = (uint32_t)le_read(t->bytes + 4 * i, 4);
		if (err || !copied_from(h, t->pa, t->words, LOOK_WORDS, &from))
			break;
		err = copied_clean(h, v->cpu, from, t->pa);
	}
	return err;
}

static bool all_zero(const struct target *t)
{
	for (unsigned int i = 0; i < LOOK_BYTES; i++)
		if (t->bytes[i])
			return false;
	return true;
}

/*
 * The image's own memory at another virtual address: a loader that goes to the high half,
 * if the code that is running now is to be seen there as well. A kernel that is run in
 * place would look the same, but it begins on a page of its own.
 */
static bool is_alias(struct handoff *h, const struct visit *v, struct tables *tables,
		     const struct target *t)
{
	struct pt_walk here, there;

	if (!image_holds(&h->image, t->pa) || !(t->va & 0xfff) || t->el != v->el ||
	    tables_walk(tables, v->pc, NULL, &here, NULL) || here.fault)
		return false;
	return !tables_walk(tables, t->va - t->pa + here.oa, NULL, &there, NULL) && !there.fault &&
	       there.oa == here.oa;
}

static bool is_move(struct handoff *h, const struct visit *v, struct tables *tables,
		    const struct target *t, bool inside, struct move *move)
{
	if (inside || !is_alias(h, v, tables, t))
		return move_find(h, v, t, move);
	*move = (struct move){ .from = t->pa, .origin = t->pa };
	return true;
}

/* Another region that is copied to the same place, or -1. */
static int copied_over(const struct image *img, size_t i, uint64_t pa)
{
	for (size_t n = 0; n < img->header.num_regions; n++)
		if (n != i && pa >= img->region[n].load_addr &&
		    pa - img->region[n].load_addr < img->region[n].size)
			return (int)n;
	return -1;
}

static void bad_region(struct handoff *h, const struct visit *v, size_t i, int err,
		       uint64_t differs)
{
	const struct baton_image_region *r = &h->image.region[i];
	int over = err == 1 ? copied_over(&h->image, i, differs) : -1;
	char too[48] = "";

	if (over >= 0)
		snprintf(too, sizeof(too), ", where region %d is copied, too", over);
	if (err == 1)
		trouble_other(h, v->cpu, v->el, v->pc,
			      "region %zu (%#" PRIx64 ", size %#" PRIx64
			      ") is not what the image holds: it differs first at %#" PRIx64 "%s",
			      i, r->load_addr, r->size, differs, too);
	else
		trouble_other(h, v->cpu, v->el, v->pc,
			      "region %zu (%#" PRIx64 ", size %#" PRIx64
			      ") cannot be compared with the image: %s",
			      i, r->load_addr, r->size,
			      err == -BATON_ENOTFOUND ? "its bytes lie outside the image"
						      : machine_error(machine_of(h), err));
}

int leave_regions(struct handoff *h, struct leave_regions *out)
{
	struct image *img = &h->image;
	int err = image_load(img, machine_of(h));

	*out = (struct leave_regions){ 0 };
	for (size_t i = 0; !err && img->has_header && i < img->header.num_regions; i++) {
		const struct baton_image_region *r = &img->region[i];

		if (r->type != BATON_REGION_DATA || !r->size)
			continue;
		err = image_verify(img, machine_of(h), r, &out->differs, &out->changed);
		if (!out->count++)
			out->first = r->load_addr;
		out->bytes += r->size;
		out->bad = i;
	}
	return err;
}

bool leave_is_not_first(const struct handoff *h, unsigned int cpu)
{
	for (size_t i = 0; i < h->event_count; i++)
		if (h->events[i].kind == EVENT_LEFT && h->events[i].cpu != cpu)
			return true;
	return false;
}

static int verify_regions(struct handoff *h, const struct visit *v)
{
	struct event e = { .kind = EVENT_COPIED, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct leave_regions r;
	int err = leave_regions(h, &r);

	if (err == -BATON_ELINK || err == -BATON_ECANCELED || (err && !r.count))
		return err;
	e.before = r.first;
	e.after = r.bytes;
	if (err == 1 && leave_is_not_first(h, v->cpu)) {
		e.kind = EVENT_NOTE;
		event_add(
			h, &e,
			"region %zu is not verified: another CPU runs the kernel by now, and from "
			"%#" PRIx64 " on it holds something else than the image",
			r.bad, r.differs);
		return GO;
	}
	if (err)
		bad_region(h, v, r.bad, err, r.differs);
	else if (r.count)
		event_add(h, &e,
			  "%zu region%s copied and verified: %" PRIu64
			  " bytes, the first at %#" PRIx64 "%s",
			  r.count, r.count == 1 ? "" : "s", e.after, e.before,
			  r.changed ? ", as in the image now: it was changed since it was loaded"
				    : "");
	return err ? FOUND : GO;
}

/* Nobody loaded what is there; whether that is the kernel cannot be known. */
static bool not_loaded(const struct handoff *h, const struct target *t)
{
	uint64_t at = 0;

	return h->image.listed && image_is_kept(&h->image) && !t->unchecked &&
	       !code_is_entry(h, t->va) && !image_rom(&h->image, t->pa) &&
	       !image_region(&h->image, t->pa) &&
	       !image_search(&h->image, t->bytes, LOOK_BYTES, &at);
}

/* The jump itself, and where it landed. Other CPUs go on: the first one ends the run. */
static int take(struct handoff *h, struct visit *v, const struct target *t)
{
	struct machine *m = machine_of(h);
	struct event e = { .kind = EVENT_LEFT, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	struct buf text = { 0 }, name = { 0 };
	uint64_t pc;
	int err = t->unchecked ? 0 : preflight_leave(h, v, t);

	if (err)
		return err;
	insn_text(v->site.word, v->pc, &text);
	say_symbol(h->ctx, t->va, " <", ">", &name);
	e.after = t->va;
	if (!t->unchecked)
		barrier_jump(h, v, t->va, t->pa);
	if (code_is_entry(h, t->va))
		buf_puts(&name, " (kernel entry)");
	if (!t->unchecked)
		buf_printf(&name, ", at physical %#" PRIx64, t->pa);
	if (not_loaded(h, t))
		buf_puts(&name, ": code that was not loaded, but unpacked, copied or made");
	event_add(h, &e, "%s -> %#" PRIx64 "%s", text.data, t->va, name.len ? name.data : "");
	buf_free(&text);
	buf_free(&name);
	err = step_over(h, v);
	if (err || v->cpu != h->boot_cpu)
		return err;
	err = machine_reg_read(m, v->cpu, "pc", &pc);
	if (err)
		return err;
	if (pc != t->va) {
		trouble_other(h, v->cpu, v->el, pc, "the jump to %#" PRIx64 " ended at %#" PRIx64,
			      t->va, pc);
		return FOUND;
	}
	h->left = true;
	h->unchecked = t->unchecked;
	return DONE;
}

bool leave_is_linux(const struct target *t)
{
	return t->words[LINUX_MAGIC_AT] == LINUX_MAGIC;
}

/*
 * With -kernel it is a stub of QEMU's own that runs first. What it jumps to is the loader,
 * unless it is Linux, whose image says so.
 */
static bool is_qemus_stub(const struct handoff *h, const struct target *t)
{
	return h->image.listed && strcmp(h->image.name, "bootloader") == 0 &&
	       image_rom(&h->image, t->pa) && !leave_is_linux(t);
}

static int goes_on_in_rom(struct handoff *h, struct visit *v, struct tables *tables,
			  const struct target *t)
{
	struct event e = { .kind = EVENT_NOTE, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	int err = image_open(&h->image, machine_of(h), t->pa);

	if (!err)
		err = image_load(&h->image, machine_of(h));
	if (err)
		return err;
	event_add(h, &e, "QEMU's own first instructions end; %s begins at %#" PRIx64, h->image.name,
		  t->va);
	err = code_follow(h, v->cpu, tables, t->va, SCAN_UNKNOWN);
	return err ? err : step_over(h, v);
}

/* `until jump` stands before it; the next run takes it. */
static bool hold(struct handoff *h, const struct visit *v, const struct target *t)
{
	if (h->goal.kind != UNTIL_JUMP ||
	    (h->hold.used && h->hold.pc == v->pc && h->hold.cpu == v->cpu)) {
		h->hold.used = false;
		return false;
	}
	h->hold = (struct hold){ true, v->cpu, v->pc, v->site.word, t->va };
	return true;
}

/* D8.3.1: what is below the size of a block or table is RES0, and mostly a sign of another level.
 */
static void warn_strays(struct handoff *h, const struct visit *v, const struct pt_walk *walk)
{
	struct event e = { .kind = EVENT_WARNING, .cpu = v->cpu, .el = v->el, .pc = v->pc };

	for (unsigned int i = 0; i < walk->steps; i++) {
		const struct pt_step *s = &walk->step[i];
		uint64_t bits = pt_desc_stray(s->stage == 2 ? &walk->s2 : &walk->cfg, s->level,
					      s->kind, s->desc);

		if (bits)
			event_add(h, &e,
				  "warning: L%d [%u], descriptor %#" PRIx64
				  ", has address bits below the size of a %s, %#" PRIx64
				  ": they are RES0, so what it is meant for is another level",
				  s->level, s->index, s->address,
				  s->kind == PT_TABLE ? "table" : "block", bits);
	}
}

/*
 * Is the target in the image, and as far from its physical address as the code that is
 * running now? Then the loader stays within itself: at the same address, or as a whole
 * at another one. (Another level is entered with its MMU off, or mapped onto itself.)
 * What is there now may be something else: see leave_judge().
 */
static bool within(struct handoff *h, const struct visit *v, struct tables *tables,
		   const struct target *t, const struct pt_walk *walk)
{
	uint64_t offset = 0;
	struct pt_walk here;

	if (walk->fault || (t->va & 3) || !image_holds(&h->image, walk->oa) ||
	    code_is_entry(h, t->va))
		return false;
	if (t->el == v->el && !tables_walk(tables, v->pc, NULL, &here, NULL) && !here.fault)
		offset = here.oa - v->pc;
	return walk->oa - t->va == offset;
}

/*
 * What is there is neither a copy of the loader nor what was loaded there. A header says where
 * the kernel begins, so all else is the loader's; so is, without one, what lies in its own image:
 * an overlay, or unpacked. A kernel that was put there would begin on a page of its own.
 */
static bool is_stage(struct handoff *h, const struct target *t, bool inside)
{
	return h->image.has_header ? !image_region(&h->image, t->pa) : inside && (t->va & 0xfff);
}

/* Code, of something else than the loader? */
static const char *no_code(const struct target *t)
{
	if (all_zero(t))
		return "there is nothing but zeros: no code was put there";
	if (t->words[0] == FDT_MAGIC)
		return "a device tree is there, no code: nothing was copied over it";
	if (!(t->words[0] >> 16))
		return "the first instruction there is udf: permanently undefined";
	return NULL;
}

int leave_judge(struct handoff *h, const struct visit *v, struct tables *tables,
		const struct pt_walk *walk, struct target *t, enum leave_way *way,
		const char **what, struct move *move)
{
	bool inside = within(h, v, tables, t, walk);
	uint64_t origin;
	int err;

	*way = inside ? LEAVE_STAY : LEAVE_OUT;
	*what = NULL;
	t->pa = walk->oa;
	if (t->va & 3)
		*what = "the address is not a multiple of 4: a PC alignment fault";
	else if (!walk->fault && !machine_is_ram(machine_of(h), t->pa, LOOK_BYTES, true))
		*what = machine_ram_find(machine_of(h), t->pa) ? "that is a device, not memory"
							       : "there is no memory";
	if (*what || walk->fault)
		return 0;
	err = look(h, v, t);
	if (err)
		return err;
	if (inside && (no_code(t) || image_intact(&h->image, t->pa, t->bytes, LOOK_BYTES, &origin)))
		return 0;
	*what = no_code(t);
	if (*what)
		return 0;
	*way = LEAVE_OUT;
	if (is_move(h, v, tables, t, inside, move))
		*way = LEAVE_COPY;
	else if (is_qemus_stub(h, t))
		*way = LEAVE_ROM;
	else if (!code_is_entry(h, t->va) && is_stage(h, t, inside))
		*way = LEAVE_STAGE;
	else
		*what = trouble_memory(walk);
	return 0;
}

static int stays(struct handoff *h, struct visit *v, struct tables *tables, uint64_t target)
{
	int err = code_follow(h, v->cpu, tables, target,
			      v->site.insn.kind == INSN_BLR ? SCAN_LINKED : SCAN_UNKNOWN);

	return err ? err : harmless(h, v);
}

static int leaves(struct handoff *h, struct visit *v, struct tables *tables, struct target *t,
		  const struct pt_access *acc, const struct pt_walk *walk)
{
	const char *what;
	enum leave_way way;
	struct move move;
	int err = leave_judge(h, v, tables, walk, t, &way, &what, &move);

	if (err)
		return err;
	if (way == LEAVE_STAY)
		return stays(h, v, tables, t->va);
	if (way == LEAVE_COPY)
		return move_follow(h, v, tables, t, &move);
	if (way == LEAVE_STAGE)
		return move_follow_stage(h, v, tables, t);
	if (way == LEAVE_ROM)
		return goes_on_in_rom(h, v, tables, t);
	if (!what && !walk->fault && hold(h, v, t))
		return REACHED;
	if (v->cpu == h->boot_cpu) {
		err = verify_regions(h, v);
		if (err)
			return err;
	}
	if (!what && !walk->fault) {
		warn_strays(h, v, walk);
		return take(h, v, t);
	}
	err = trouble_jump(h, TROUBLE_JUMP, v, tables, t->va, acc, walk, what);
	return err ? err : FOUND;
}

/* A regime that is not decoded here: the jump is told, not judged. */
static int unchecked(struct handoff *h, struct visit *v, uint64_t target, const char *why)
{
	struct event e = { .kind = EVENT_NOTE, .cpu = v->cpu, .el = v->el, .pc = v->pc };
	bool inside = image_holds(&h->image, target) && !code_is_entry(h, target);
	struct target t = { .va = target, .unchecked = true };
	int err;

	event_add(h, &e, "the target %#" PRIx64 " is not checked: %s", target, why);
	if (!inside)
		return take(h, v, &t);
	err = code_follow_flat(h, target, SCAN_UNKNOWN);
	return err ? err : step_over(h, v);
}

int leave_visit(struct handoff *h, struct visit *v, uint64_t target, unsigned int el)
{
	struct pt_access acc = { .kind = PT_FETCH, .el = el };
	struct target t = { .va = target, .el = el };
	char spec[8] = { 'e', 'l', (char)('0' + (el ? el : 1)), 0 };
	struct buf why = { 0 };
	struct tables tables;
	struct pt_walk walk;
	int err;

	if (el == v->el && code_is_known(h, v->cpu, target) && !code_is_entry(h, target))
		return harmless(h, v);
	err = tables_init(&tables, machine_of(h), h->ctx->symbols, v->cpu,
			  el == v->el ? NULL : spec, &why);
	if (!err)
		err = tables_walk(&tables, target, &acc, &walk, &why);
	if (err == -BATON_EUNSUPPORTED || err == -BATON_ENOTFOUND)
		err = unchecked(h, v, target, why.data ? why.data : "");
	else if (!err)
		err = leaves(h, v, &tables, &t, &acc, &walk);
	buf_free(&why);
	return err;
}
