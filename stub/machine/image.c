/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/image.h"

#include "hex.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Notes of a core: a few hundred bytes a CPU. */
#define NOTES_MAX (1u << 20)

static struct machine_image *image_of(struct machine *m)
{
	return m->priv;
}

int machine_image_bytes(struct machine_image *mi, uint64_t offset, void *data, size_t len)
{
	uint8_t *to = data;

	if (offset > mi->size || len > mi->size - offset)
		return -BATON_ERANGE;
	while (len) {
		ssize_t n = pread(mi->fd, to, len, (off_t)(mi->begin + offset));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* 0: it has become shorter since */
			return machine_fail(&mi->m, -BATON_ESYS, "the file: %s",
					    n ? strerror(errno) : "it ends early");
		to += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Memory */

static uint64_t last_of(const struct machine_image_segment *s)
{
	return s->pa + (s->size - 1);
}

/* The segment that counts at @pa, and how far. */
static const struct machine_image_segment *segment_at(const struct machine_image *mi, uint64_t pa,
						      uint64_t *last)
{
	*last = UINT64_MAX;
	for (size_t i = mi->segments; i-- > 0;) {
		const struct machine_image_segment *s = &mi->segment[i];

		if (pa >= s->pa && pa <= last_of(s)) {
			*last = *last < last_of(s) ? *last : last_of(s);
			return s;
		}
		if (s->pa > pa && s->pa - 1 < *last)
			*last = s->pa - 1;
	}
	return NULL;
}

bool machine_image_where(const struct machine_image *mi, uint64_t pa, size_t len, uint64_t *offset)
{
	uint64_t last, at;
	const struct machine_image_segment *s = segment_at(mi, pa, &last);

	if (!s || s->absent || !len || len - 1 > last - pa)
		return false;
	at = pa - s->pa;
	*offset = s->offset + at;
	return at < s->bytes && len <= s->bytes - at;
}

static int phys_read(struct machine *m, uint64_t pa, void *data, size_t len)
{
	struct machine_image *mi = image_of(m);
	uint8_t *to = data;

	while (len) {
		uint64_t last, at;
		const struct machine_image_segment *s = segment_at(mi, pa, &last);
		size_t n = len, from_file;
		int err;

		if (!s || s->absent)
			return machine_fail(m, -BATON_ERANGE,
					    "physical %#" PRIx64
					    " is not in the file (`ram` lists what is)",
					    pa);
		at = pa - s->pa;
		if (n - 1 > last - pa)
			n = (size_t)(last - pa + 1);
		from_file = at >= s->bytes ? 0 : n < s->bytes - at ? n : (size_t)(s->bytes - at);
		err = from_file ? machine_image_bytes(mi, s->offset + at, to, from_file) : 0;
		if (err)
			return err;
		memset(to + from_file, 0, n - from_file);
		to += n;
		pa += n;
		len -= n;
	}
	return 0;
}

static int order(const void *a, const void *b)
{
	const struct ram_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* The memory map: all segments; what overlaps or adjoins and is of one kind as one. */
static void make_map(struct machine_image *mi)
{
	struct machine *m = &mi->m;
	size_t n = 0;

	m->ram = realloc(m->ram, mi->segments * sizeof(*m->ram));
	if (!m->ram)
		abort();
	for (size_t i = 0; i < mi->segments; i++) {
		const struct machine_image_segment *g = &mi->segment[i];

		m->ram[i] = (struct ram_range){ g->pa, last_of(g), g->kind, "" };
		snprintf(m->ram[i].name, sizeof(m->ram[i].name), "%s", g->name ? g->name : "image");
	}
	qsort(m->ram, mi->segments, sizeof(*m->ram), order);
	for (size_t i = 0; i < mi->segments; i++) {
		struct ram_range *before = n ? &m->ram[n - 1] : NULL, next = m->ram[i];

		if (before && next.first <= before->last && next.kind != before->kind) {
			/* a device within memory: what was there first stays whole */
			if (next.last <= before->last)
				continue;
			next.first = before->last + 1;
		}
		if (before && next.kind == before->kind &&
		    (before->last == UINT64_MAX || next.first <= before->last + 1)) {
			if (next.last > before->last)
				before->last = next.last;
		} else {
			m->ram[n++] = next;
		}
	}
	m->ram_count = n;
}

int machine_image_add(struct machine_image *mi, const struct machine_image_segment *s)
{
	if (!s->size)
		return 0;
	if (s->bytes > s->size || s->pa + (s->size - 1) < s->pa || s->offset > mi->size ||
	    s->bytes > mi->size - s->offset)
		return -BATON_EINVAL;
	if (mi->segments == MACHINE_IMAGE_SEGMENTS)
		return -BATON_ETOOBIG;
	mi->segment = realloc(mi->segment, (mi->segments + 1) * sizeof(*mi->segment));
	if (!mi->segment)
		abort();
	mi->segment[mi->segments++] = *s;
	make_map(mi);
	machine_changed(&mi->m);
	return 0;
}

void machine_image_forget(struct machine_image *mi)
{
	mi->segments = 0;
	mi->m.ram_count = 0;
	machine_changed(&mi->m);
}

/* Registers */

void machine_image_set_reg(struct machine_image *mi, unsigned int cpu, const char *name,
			   uint64_t value)
{
	struct machine_image_reg *r;
	size_t i = 0;

	while (i < mi->regs && (mi->reg[i].cpu != cpu || strcasecmp(mi->reg[i].name, name) != 0))
		i++;
	if (i == mi->regs) {
		mi->reg = realloc(mi->reg, (mi->regs + 1) * sizeof(*mi->reg));
		if (!mi->reg)
			abort();
		mi->regs++;
	}
	r = &mi->reg[i];
	*r = (struct machine_image_reg){ .cpu = cpu, .value = value };
	snprintf(r->name, sizeof(r->name), "%s", name);
}

static int regs_read(struct machine *m, unsigned int cpu, struct machine_reg *regs, size_t n)
{
	const struct machine_image *mi = image_of(m);

	for (size_t i = 0; i < n; i++) {
		const char *name = strcasecmp(regs[i].name, "lr") ? regs[i].name : "x30";

		regs[i].err = -BATON_ENOTFOUND;
		regs[i].value = 0;
		for (size_t k = 0; k < mi->regs; k++) {
			const struct machine_image_reg *r = &mi->reg[k];

			if ((r->cpu == cpu || r->cpu == MACHINE_IMAGE_ALL) &&
			    !strcasecmp(r->name, name)) {
				regs[i].err = 0;
				regs[i].value = r->value;
			}
		}
	}
	return 0;
}

/* What a file cannot do, and what does it. */

#define RUN_IT "`baton run -- qemu-system-aarch64 ...` makes a machine of it"

static int phys_write(struct machine *m, uint64_t pa, const void *data, size_t len)
{
	(void)pa, (void)data, (void)len;
	return machine_fail(m, -BATON_EUNSUPPORTED,
			    "the file is not changed (-n shows what would be): " RUN_IT);
}

static int reg_write(struct machine *m, unsigned int cpu, const char *name, uint64_t value)
{
	(void)cpu, (void)name, (void)value;
	return machine_fail(m, -BATON_EUNSUPPORTED,
			    "a file's registers are those of --ttbr0, --tcr, ...: " RUN_IT);
}

static int stands_still(struct machine *m)
{
	return machine_fail(m, -BATON_EUNSUPPORTED, "a file does not run: " RUN_IT);
}

static int step(struct machine *m, unsigned int cpu, int timeout_ms, struct machine_stop *stop)
{
	(void)cpu, (void)timeout_ms, (void)stop;
	return stands_still(m);
}

static int resume(struct machine *m, int timeout_ms, struct machine_stop *stop)
{
	(void)timeout_ms, (void)stop;
	return stands_still(m);
}

static void memory_way(struct machine *m, struct buf *out)
{
	(void)m;
	buf_puts(out, "a file");
}

/* ELF files and cores */

static int bad(struct buf *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int bad(struct buf *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(why, fmt, ap);
	va_end(ap);
	return -BATON_EINVAL;
}

/* NT_PRSTATUS: x0 to x30, sp, pc, pstate behind 112 bytes (Linux, struct elf_prstatus). */
static void take_prstatus(struct machine_image *mi, unsigned int cpu, const uint8_t *regs)
{
	static const char *const last[] = { "sp", "pc", "cpsr" };
	char name[8];

	for (unsigned int i = 0; i < 34; i++) {
		snprintf(name, sizeof(name), "x%u", i);
		machine_image_set_reg(mi, cpu, i < 31 ? name : last[i - 31],
				      le_read(regs + 8 * (size_t)i, 8));
	}
}

static void take_notes(struct machine_image *mi, const uint8_t *data, size_t len)
{
	enum { HEADER = 12, PRSTATUS = 1, REGS = 112, REGS_END = REGS + 34 * 8 };
	size_t at = 0;
	unsigned int cpu = 0;

	while (len - at >= HEADER) {
		uint64_t name = le_read(data + at, 4), desc = le_read(data + at + 4, 4);
		uint64_t type = le_read(data + at + 8, 4);
		uint64_t from = HEADER + ((name + 3) & ~3ull), end = from + ((desc + 3) & ~3ull);

		if (from + desc > len - at)
			return;
		if (type == PRSTATUS && name == 5 && !memcmp(data + at + HEADER, "CORE", 5) &&
		    desc >= REGS_END && cpu < 512)
			take_prstatus(mi, cpu++, data + at + from + REGS);
		if (end > len - at)
			break;
		at += end;
	}
	mi->m.cpus = cpu ? cpu : 1;
}

static int read_notes(struct machine_image *mi, const GElf_Phdr *p, struct buf *why)
{
	uint8_t *data;
	int err;

	if (p->p_filesz > NOTES_MAX)
		return bad(why, "notes of %" PRIu64 " bytes: no core of QEMU's has such",
			   p->p_filesz);
	data = malloc(p->p_filesz + 1);
	if (!data)
		abort();
	err = machine_image_bytes(mi, p->p_offset, data, p->p_filesz);
	if (err)
		bad(why, "truncated: its notes are beyond its end");
	else
		take_notes(mi, data, p->p_filesz);
	free(data);
	return err ? -BATON_EINVAL : 0;
}

static int check_apart(const struct machine_image *mi, const struct machine_image_segment *s,
		       size_t number, struct buf *why)
{
	for (size_t i = 0; i < mi->segments; i++) {
		const struct machine_image_segment *o = &mi->segment[i];

		if (s->pa <= last_of(o) && o->pa <= s->pa + (s->size - 1))
			return bad(why,
				   "its segments overlap: segment %zu (%#" PRIx64 "-%#" PRIx64
				   ") and another (%#" PRIx64 "-%#" PRIx64 ")",
				   number, s->pa, s->pa + (s->size - 1), o->pa, last_of(o));
	}
	return 0;
}

static int add_load(struct machine_image *mi, const GElf_Phdr *p, size_t number, struct buf *why)
{
	const struct machine_image_segment s = {
		.pa = p->p_paddr,
		.size = p->p_memsz,
		.offset = p->p_offset,
		.bytes = p->p_filesz,
		.va = p->p_vaddr,
	};
	int err;

	if (!s.size)
		return 0;
	if (s.offset > mi->size || s.bytes > mi->size - s.offset)
		return bad(why,
			   "truncated: segment %zu wants %#" PRIx64 " bytes at offset %#" PRIx64
			   ", the file has %#" PRIx64,
			   number, s.bytes, s.offset, mi->size);
	if (s.bytes > s.size || s.pa + (s.size - 1) < s.pa)
		return bad(why,
			   "segment %zu cannot be: %#" PRIx64 " bytes of %#" PRIx64 " at %#" PRIx64,
			   number, s.bytes, s.size, s.pa);
	err = check_apart(mi, &s, number, why);
	if (!err)
		err = machine_image_add(mi, &s);
	if (err == -BATON_ETOOBIG)
		buf_printf(why, "more than %u segments", MACHINE_IMAGE_SEGMENTS);
	return err;
}

static int read_elf(struct machine_image *mi, Elf *elf, struct buf *why)
{
	GElf_Ehdr h;
	GElf_Phdr p;
	size_t n;
	int err = 0;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &h))
		return bad(why, "a broken or truncated ELF file");
	if (h.e_machine != EM_AARCH64 || gelf_getclass(elf) != ELFCLASS64)
		return bad(why, "an ELF file, but not of AArch64 (machine %u)", h.e_machine);
	if (elf_getphdrnum(elf, &n) || (h.e_phnum != PN_XNUM && n != h.e_phnum))
		return bad(why, "truncated: its program headers are beyond its end");
	mi->kind = h.e_type == ET_CORE ? MACHINE_IMAGE_CORE : MACHINE_IMAGE_ELF;
	mi->entry = h.e_entry;
	for (size_t i = 0; !err && i < n; i++) {
		if (!gelf_getphdr(elf, (int)i, &p))
			return bad(why, "truncated: its program headers are beyond its end");
		if (p.p_type == PT_LOAD)
			err = add_load(mi, &p, i, why);
		else if (p.p_type == PT_NOTE && mi->kind == MACHINE_IMAGE_CORE)
			err = read_notes(mi, &p, why);
	}
	if (!err && !mi->segments)
		return bad(why, "an ELF file that loads nothing (an object file?)");
	return err;
}

/* uImage: U-Boot's include/image.h, "legacy format", all big-endian. */

enum { IH_MAGIC, IH_HEADER_CRC, IH_TIME, IH_SIZE, IH_LOAD, IH_ENTRY, IH_DATA_CRC, IH_WORDS };
enum { IH_TYPE = 30, IH_COMPRESSION = 31, IH_TYPE_MULTI = 4 };
#define UIMAGE_MAGIC 0x27051956u

static uint32_t be32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return ntohl(value);
}

static void put_crc(uint8_t *to, const uint8_t *data, size_t len)
{
	uint32_t crc = htonl((uint32_t)crc32_z(0, data, len));

	memcpy(to, &crc, sizeof(crc));
}

void machine_image_sums(uint8_t *file, size_t size)
{
	put_crc(file + 4 * IH_DATA_CRC, file + MACHINE_IMAGE_UIMAGE, size - MACHINE_IMAGE_UIMAGE);
	memset(file + 4 * IH_HEADER_CRC, 0, 4);
	put_crc(file + 4 * IH_HEADER_CRC, file, MACHINE_IMAGE_UIMAGE);
}

/* Its header has its own checksum: what is no uImage by that is any file. */
static int read_uimage(struct machine_image *mi, struct buf *why)
{
	uint8_t h[MACHINE_IMAGE_UIMAGE], crc[4] = { 0 }, sum[4];
	uint64_t size;

	if (machine_image_bytes(mi, 0, h, sizeof(h)) || be32(h) != UIMAGE_MAGIC)
		return 0;
	memcpy(sum, h + 4 * IH_HEADER_CRC, 4);
	memset(h + 4 * IH_HEADER_CRC, 0, 4);
	put_crc(crc, h, sizeof(h));
	if (memcmp(crc, sum, 4) != 0)
		return 0;
	if (h[IH_COMPRESSION] || h[IH_TYPE] == IH_TYPE_MULTI)
		return bad(why, "a uImage that is compressed, or of several files: unpack it");
	size = be32(h + 4 * IH_SIZE);
	if (!size || size > mi->size - sizeof(h))
		return bad(why, "truncated: a uImage of %" PRIu64 " bytes, the file has %" PRIu64,
			   size, mi->size - sizeof(h));
	mi->begin = sizeof(h);
	mi->size = size;
	mi->load = be32(h + 4 * IH_LOAD);
	return 0;
}

static int open_file(struct machine_image *mi, const char *path, struct buf *why)
{
	struct stat st;

	mi->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (mi->fd < 0 || fstat(mi->fd, &st)) {
		buf_puts(why, strerror(errno));
		return -BATON_ENOTFOUND;
	}
	if (!S_ISREG(st.st_mode))
		return bad(why, "not a file");
	if (!st.st_size)
		return bad(why, "an empty file");
	mi->size = (uint64_t)st.st_size;
	return 0;
}

/* What comes from the file was laid there; a core is a memory, not something laid into one. */
static int roms(struct machine *m, struct rom **list, size_t *n)
{
	struct machine_image *mi = image_of(m);

	*n = 0;
	*list = calloc(mi->segments + 1, sizeof(**list));
	if (!*list)
		abort();
	for (size_t i = 0; i < mi->segments && mi->kind != MACHINE_IMAGE_CORE; i++) {
		const struct machine_image_segment *s = &mi->segment[i];
		struct rom *r = &(*list)[*n];

		if (!s->bytes || s->absent || s->name)
			continue;
		*n += 1;
		r->addr = s->pa;
		r->size = s->bytes; /* not the zeros behind, which may be any number */
		/* as QEMU names the parts of one file */
		if (mi->kind == MACHINE_IMAGE_ELF)
			snprintf(r->name, sizeof(r->name), "image ELF program header #%zu", i);
		else
			snprintf(r->name, sizeof(r->name), "image");
	}
	return 0;
}

int machine_image_open(struct machine_image *mi, const char *path, struct buf *why)
{
	static const struct machine_ops ops = {
		.regs_read = regs_read,
		.reg_write = reg_write,
		.phys_read = phys_read,
		.phys_write = phys_write,
		.step = step,
		.resume = resume,
		.memory_way = memory_way,
		.roms = roms,
	};
	uint8_t magic[SELFMAG] = { 0 };
	Elf *elf;
	int err;

	*mi = (struct machine_image){ .fd = -1 };
	mi->m = (struct machine){ .ops = &ops, .priv = mi, .cpus = 1, .file = true };
	err = open_file(mi, path, why);
	if (err || mi->size < SELFMAG || machine_image_bytes(mi, 0, magic, SELFMAG))
		return err;
	if (memcmp(magic, ELFMAG, SELFMAG) != 0)
		return read_uimage(mi, why);
	if (elf_version(EV_CURRENT) == EV_NONE)
		return bad(why, "libelf is too old");
	elf = elf_begin(mi->fd, ELF_C_READ, NULL);
	err = elf ? read_elf(mi, elf, why) : bad(why, "a broken or truncated ELF file");
	elf_end(elf);
	return err;
}

void machine_image_close(struct machine_image *mi)
{
	if (mi->fd >= 0)
		close(mi->fd);
	free(mi->segment);
	free(mi->reg);
	machine_free(&mi->m);
	*mi = (struct machine_image){ .fd = -1 };
}
