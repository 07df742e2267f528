/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/symbols.h"

#include "bisect.h"
#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A hostile file can name one table in each of its sections. */
#define SYMBOLS_MAX (1u << 22)

/* One symbol covers [addr, end); @size is its own, 0 if the file does not say. */
struct symbol {
	uint64_t addr, end, size;
	char *name;
	bool global;
	unsigned int rank; /* order of loading: what was loaded first wins */
};

/* What is linked from @first to @last, and loaded @shift below. */
struct segment {
	uint64_t first, last, shift;
};

#define SEGMENTS 64

struct symbols {
	struct symbol *by_addr;
	struct symbol *by_name;
	size_t count, cap;
	struct segment segment[SEGMENTS];
	size_t segments;
};

struct symbols *symbols_new(void)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->by_addr[i].name);
	free(s->by_addr);
	free(s->by_name);
	free(s);
}

static int fail(struct buf *err, int code, const char *path, const char *what)
{
	if (err)
		buf_printf(err, "%s: %s", path, what);
	return code;
}

static void add(struct symbols *s, const struct symbol *sym)
{
	if (s->count == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 256;
		s->by_addr = realloc(s->by_addr, s->cap * sizeof(*s->by_addr));
		if (!s->by_addr)
			abort();
	}
	s->by_addr[s->count++] = *sym;
}

/* Is it a name for a place in the program that a person would use? */
static bool is_wanted(const GElf_Sym *sym, const char *name)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);

	if (!name || !*name || sym->st_shndx == SHN_UNDEF)
		return false;
	/* $x and $d mark code and data in Arm ELF files (AAELF64, 5.5.5), .L are the compiler's. */
	if (name[0] == '$' || !strncmp(name, ".L", 2))
		return false;
	return type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE;
}

/* The end of the section that holds @sym: a symbol without a size goes no further. */
static uint64_t section_end(Elf *elf, const GElf_Sym *sym)
{
	GElf_Shdr header;
	Elf_Scn *section;

	/* Absolute symbols are numbers: to be found by name, but not the name of a place. */
	if (sym->st_shndx >= SHN_LORESERVE)
		return sym->st_value;
	section = elf_getscn(elf, sym->st_shndx);
	if (!section || !gelf_getshdr(section, &header))
		return sym->st_value + 1;
	if (sym->st_value < header.sh_addr || sym->st_value - header.sh_addr >= header.sh_size)
		return sym->st_value + 1;
	return header.sh_addr + header.sh_size;
}

static int add_table(struct symbols *s, Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
		     uint64_t offset)
{
	Elf_Data *data = elf_getdata(section, NULL);
	int added = 0;
	GElf_Sym sym;

	if (!data)
		return -1;
	for (int i = 1; s->count < SYMBOLS_MAX && gelf_getsym(data, i, &sym); i++) {
		const char *name = elf_strptr(elf, header->sh_link, sym.st_name);
		struct symbol out = {
			.addr = sym.st_value + offset,
			.size = sym.st_size,
			.global = GELF_ST_BIND(sym.st_info) != STB_LOCAL,
		};

		if (!is_wanted(&sym, name))
			continue;
		out.end = out.size ? out.addr + out.size : section_end(elf, &sym) + offset;
		if (out.end < out.addr)
			out.end = UINT64_MAX;
		out.name = strdup(name);
		if (!out.name)
			abort();
		out.rank = (unsigned int)s->count;
		add(s, &out);
		added++;
	}
	return added;
}

/* Segments that run elsewhere than they are loaded. */
static void add_segments(struct symbols *s, Elf *elf, uint64_t offset)
{
	size_t n = 0;
	GElf_Phdr p;

	if (elf_getphdrnum(elf, &n))
		return;
	for (size_t i = 0; i < n && s->segments < SEGMENTS && gelf_getphdr(elf, (int)i, &p); i++)
		if (p.p_type == PT_LOAD && p.p_memsz && p.p_vaddr + offset != p.p_paddr)
			s->segment[s->segments++] =
				(struct segment){ p.p_vaddr + offset,
						  p.p_vaddr + offset + p.p_memsz - 1,
						  p.p_vaddr + offset - p.p_paddr };
}

static int add_elf(struct symbols *s, Elf *elf, uint64_t offset)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	int added = 0;
	size_t sections = 0;
	GElf_Ehdr file;

	if (!gelf_getehdr(elf, &file) || elf_getshdrnum(elf, &sections))
		return -1;
	if (file.e_shoff && !sections) /* cut off before the section headers */
		return -1;
	while ((section = elf_nextscn(elf, section))) {
		int n = 0;

		if (!gelf_getshdr(section, &header))
			return -1;
		if (header.sh_type == SHT_SYMTAB)
			n = add_table(s, elf, section, &header, offset);
		if (n < 0)
			return n;
		added += n;
	}
	return added;
}

/*
 * At one address the last of this order is the best name: sized before bare labels,
 * global before local, first loaded before later.
 */
static int order_addr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (!x->size != !y->size)
		return x->size ? 1 : -1;
	if (x->global != y->global)
		return x->global ? 1 : -1;
	return x->rank < y->rank ? 1 : x->rank > y->rank ? -1 : 0;
}

/* Of one name the global symbol comes first, and the first loaded. */
static int order_name(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	int names = strcmp(x->name, y->name);

	if (names)
		return names;
	if (x->global != y->global)
		return x->global ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank ? 1 : 0;
}

/* A symbol without a size reaches to the next one. */
static void sort(struct symbols *s)
{
	if (!s->count)
		return;
	qsort(s->by_addr, s->count, sizeof(*s->by_addr), order_addr);
	for (size_t i = s->count; i-- > 1;) {
		struct symbol *sym = &s->by_addr[i - 1], *next = &s->by_addr[i];

		if (sym->size || sym->end == sym->addr)
			continue;
		if (sym->addr == next->addr)
			sym->end = next->end;
		else if (sym->end > next->addr)
			sym->end = next->addr;
	}
	free(s->by_name);
	s->by_name = malloc(s->count * sizeof(*s->by_name));
	if (!s->by_name)
		abort();
	memcpy(s->by_name, s->by_addr, s->count * sizeof(*s->by_name));
	qsort(s->by_name, s->count, sizeof(*s->by_name), order_name);
}

static int load(struct symbols *s, int fd, const char *path, uint64_t offset, struct buf *err)
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	size_t before = s->count;
	int added;

	if (!elf || elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		return fail(err, -BATON_EINVAL, path, "not an ELF file");
	}
	added = add_elf(s, elf, offset);
	if (added >= 0)
		add_segments(s, elf, offset);
	if (added < 0) {
		while (s->count > before)
			free(s->by_addr[--s->count].name);
		if (err)
			buf_printf(err, "%s: a broken or truncated ELF file", path);
		added = -BATON_EINVAL;
	}
	elf_end(elf);
	sort(s);
	return added;
}

int symbols_load(struct symbols *s, const char *path, uint64_t offset, struct buf *err)
{
	int fd, added;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return fail(err, -BATON_ESYS, path, "libelf is too old");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -BATON_ENOTFOUND, path, strerror(errno));
	added = load(s, fd, path, offset, err);
	close(fd);
	return added;
}

int symbols_find(const struct symbols *s, const char *name, uint64_t *value)
{
	size_t at;

	BISECT(at, i, s->count, strcmp(s->by_name[i].name, name) < 0);
	if (at == s->count || strcmp(s->by_name[at].name, name))
		return -BATON_ENOTFOUND;
	*value = s->by_name[at].addr;
	return 0;
}

const char *symbols_name(const struct symbols *s, uint64_t addr, uint64_t *offset)
{
	size_t at;
	const struct symbol *sym;

	BISECT(at, i, s->count, s->by_addr[i].addr <= addr);
	/* The nearest below may end too early and an outer one hold it: look back a little. */
	for (size_t i = 0; i < 8 && i < at; i++) {
		sym = &s->by_addr[at - 1 - i];
		if (addr < sym->end) {
			*offset = addr - sym->addr;
			return sym->name;
		}
	}
	return NULL;
}

void symbols_say(const struct symbols *s, uint64_t addr, struct buf *out)
{
	uint64_t offset;
	const char *name = symbols_name(s, addr, &offset);

	if (!name)
		return;
	buf_printf(out, " <%s", name);
	if (offset)
		buf_printf(out, "+%#llx", (unsigned long long)offset);
	buf_putc(out, '>');
}

bool symbols_load_address(const struct symbols *s, uint64_t va, uint64_t *pa)
{
	for (size_t i = 0; i < s->segments; i++) {
		*pa = va - s->segment[i].shift;
		if (va >= s->segment[i].first && va <= s->segment[i].last)
			return true;
	}
	return false;
}

bool symbols_shift(const struct symbols *s, size_t i, uint64_t *shift)
{
	for (size_t k = 0; k < s->segments; k++) {
		bool new = true;

		for (size_t n = 0; n < k; n++)
			new &= s->segment[n].shift != s->segment[k].shift;
		*shift = s->segment[k].shift;
		if (new && !i--)
			return true;
	}
	return false;
}
