// SPDX-License-Identifier: BSD-2-Clause
/*
 * zoo - put a defect into a built loader image.
 *
 * usage: zoo NAME --elf LOADER.elf IMAGE -o OUT | zoo --list | zoo --rows | zoo --not-kvm
 *        zoo --says NAME --elf LOADER.elf IMAGE
 *
 * Exit status: 0 done, 1 the image is not one that the defect fits, 2 usage or files.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baton/image.h"
#include "zoo.h"

#define BYTES_MAX  64
#define FIND_BYTES 0x400 /* no function that is changed is longer */

struct zoo {
	const struct defect *defect;
	const char *elf_path, *image_path, *out_path;
	Elf *elf;
	uint64_t load_address;
	unsigned char *image;
	size_t image_size;
};

struct bytes {
	unsigned char b[BYTES_MAX];
	size_t n;
};

__attribute__((noreturn, format(printf, 2, 3))) static void fail(int status, const char *fmt, ...)
{
	va_list ap;

	fputs("zoo: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

static void elf_open(struct zoo *z)
{
	int fd = open(z->elf_path, O_RDONLY);
	size_t n, i;

	if (fd < 0)
		fail(2, "%s: %s", z->elf_path, strerror(errno));
	elf_version(EV_CURRENT);
	z->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!z->elf || elf_kind(z->elf) != ELF_K_ELF || elf_getphdrnum(z->elf, &n))
		fail(2, "%s: not an ELF file", z->elf_path);

	/* The image is flat: its first byte is the lowest one that the ELF file loads. */
	z->load_address = UINT64_MAX;
	for (i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(z->elf, (int)i, &ph) && ph.p_type == PT_LOAD &&
		    ph.p_paddr < z->load_address)
			z->load_address = ph.p_paddr;
	}
}

static uint64_t symbol(const struct zoo *z, const char *name, size_t len)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(z->elf, scn))) {
		GElf_Shdr sh;
		GElf_Sym sym;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(scn, NULL);
		for (int i = 0; data && gelf_getsym(data, i, &sym); i++) {
			const char *s = elf_strptr(z->elf, sh.sh_link, sym.st_name);

			if (s && sym.st_shndx != SHN_UNDEF && strlen(s) == len &&
			    !memcmp(s, name, len))
				return sym.st_value;
		}
	}
	fail(1, "%s: %s has no symbol %.*s", z->defect->name, z->elf_path, (int)len, name);
}

/* One word of @len characters, for the address @pc; its size in bytes, 0 if it is none. */
static size_t parse_word(const struct zoo *z, const char *s, size_t len, uint64_t pc, uint64_t *v)
{
	size_t plus = strcspn(s, " +");
	char *end;

	if (!strncmp(s, "bl:", 3) || !strncmp(s, "b:", 2)) { /* DDI 0487, C6.2.25, C6.2.35 */
		size_t skip = s[1] == 'l' ? 3 : 2;

		*v = (skip == 3 ? 0x94000000 : 0x14000000) |
		     ((symbol(z, s + skip, len - skip) - pc) >> 2 & 0x3ffffff);
		return 4;
	}
	*v = s[plus] == '+' ? symbol(z, s, plus) : 0;
	*v += strtoull(s[plus] == '+' ? s + plus + 1 : s, &end, 16);
	if (end != s + len)
		return 0;
	return len == 8 && s[plus] != '+' ? 4 : 8;
}

/* See struct defect for what words look like. @pc: where they lie, or will. */
static void parse_bytes(const struct zoo *z, const char *s, uint64_t pc, struct bytes *out)
{
	out->n = 0;
	for (s += strspn(s, " "); *s; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");
		uint64_t v;
		size_t width = parse_word(z, s, len, pc + out->n, &v);

		if (!width || out->n + width > BYTES_MAX)
			fail(2, "%s: bad word in its row: %s", z->defect->name, s);
		for (size_t i = 0; i < width; i++)
			out->b[out->n++] = (unsigned char)(v >> (8 * i));
		s += len;
	}
}

/* Addresses become offsets into the image; whatever they say, they stay inside. */
static size_t inside(const struct zoo *z, uint64_t offset, size_t size, const char *what)
{
	if (offset > z->image_size || size > z->image_size - offset)
		fail(1, "%s: %s is outside of %s (offset %#" PRIx64 " of %#zx)", z->defect->name,
		     what, z->image_path, offset, z->image_size);
	return (size_t)offset;
}

static uint64_t region_offset(const struct zoo *z, unsigned long n)
{
	struct baton_image_header h;
	struct baton_image_region r;
	uint64_t at = symbol(z, "image_header", strlen("image_header")) - z->load_address;

	memcpy(&h, z->image + inside(z, at, sizeof(h), "image_header"), sizeof(h));
	if (h.magic != BATON_IMAGE_MAGIC || n >= h.num_regions ||
	    h.num_regions > BATON_IMAGE_MAX_REGIONS)
		fail(1, "%s: %s has no region %lu behind its header at offset %#" PRIx64,
		     z->defect->name, z->image_path, n, at);
	at += sizeof(h);
	memcpy(&r, z->image + inside(z, at + n * sizeof(r), sizeof(r), "the region table"),
	       sizeof(r));
	return at + h.num_regions * sizeof(r) + r.offset;
}

static void print_bytes(const char *label, const unsigned char *b, size_t n)
{
	fprintf(stderr, "zoo:   %s", label);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, " %02x", b[i]);
	fputc('\n', stderr);
}

/* Where @d->old is, from @at on: no compiler need put it where another one does. */
static uint64_t find(const struct zoo *z, const struct change *c, uint64_t at)
{
	struct bytes old;

	for (uint64_t i = 0; i < FIND_BYTES; i += 4) {
		parse_bytes(z, c->old, z->load_address + at + i, &old);
		if (!memcmp(z->image + inside(z, at + i, old.n, c->where), old.b, old.n))
			return i;
	}
	fail(1, "%s: %s has no %s behind %s", z->defect->name, z->image_path, c->old, c->where);
}

static void apply(struct zoo *z, const struct change *c)
{
	struct bytes old, new;
	uint64_t at;
	size_t offset;

	if (!strncmp(c->where, "region ", 7))
		at = region_offset(z, strtoul(c->where + 7, NULL, 10));
	else
		at = symbol(z, c->where, strlen(c->where)) - z->load_address;
	at += c->offset == FIND ? find(z, c, at) : c->offset;
	parse_bytes(z, c->old, z->load_address + at, &old);
	parse_bytes(z, c->new, z->load_address + at, &new);
	if (old.n != new.n)
		fail(2, "%s: old and new in its row differ in length", z->defect->name);
	offset = inside(z, at, old.n, c->where);

	if (memcmp(z->image + offset, old.b, old.n)) {
		print_bytes("expected", old.b, old.n);
		print_bytes("found   ", z->image + offset, old.n);
		fail(1, "%s: %s is not as the row says at %s+%#" PRIx64 ", offset %#zx",
		     z->defect->name, z->image_path, c->where, c->offset, offset);
	}
	memcpy(z->image + offset, new.b, new.n);
}

/* {entry}, {symbol+HEX} */
static uint64_t address(const struct zoo *z, const char *s, size_t len)
{
	struct baton_image_header h;
	size_t plus = strcspn(s, "+}");
	uint64_t at;

	if (len == strlen("entry") && !strncmp(s, "entry", len)) {
		at = symbol(z, "image_header", strlen("image_header")) - z->load_address;
		memcpy(&h, z->image + inside(z, at, sizeof(h), "image_header"), sizeof(h));
		return h.kernel_entry;
	}
	return symbol(z, s, plus) + (s[plus] == '+' ? strtoull(s + plus + 1, NULL, 16) : 0);
}

static void print_says(const struct zoo *z)
{
	for (unsigned int i = 0; i < ZOO_SAYS && z->defect->says[i]; i++) {
		for (const char *s = z->defect->says[i]; *s;) {
			size_t len = strcspn(s, "}");

			if (*s != '{' || !s[len]) {
				putchar(*s++);
				continue;
			}
			printf("%#" PRIx64, address(z, s + 1, len - 1));
			s += len + 1;
		}
		putchar('\n');
	}
}

static void image_read(struct zoo *z)
{
	FILE *f = fopen(z->image_path, "rb");
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		fail(2, "%s: %s", z->image_path, strerror(errno));
	z->image_size = (size_t)size;
	z->image = malloc(z->image_size ? z->image_size : 1);
	if (!z->image || fread(z->image, 1, z->image_size, f) != z->image_size)
		fail(2, "%s: cannot read it", z->image_path);
	fclose(f);
}

static void image_write(const struct zoo *z)
{
	FILE *f = fopen(z->out_path, "wb");

	if (!f || fwrite(z->image, 1, z->image_size, f) != z->image_size || fclose(f))
		fail(2, "%s: %s", z->out_path, strerror(errno));
}

/* The @n-th of all, or NULL. */
static const struct defect *row(size_t n)
{
	static const struct defect *const files[] = { zoo_tables, zoo_loader, zoo_after, zoo_other,
						      zoo_good };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		for (const struct defect *d = files[i]; d->name; d++)
			if (!n--)
				return d;
	return NULL;
}

static void parse_args(struct zoo *z, char **argv, bool says)
{
	const char *name = *argv ? *argv++ : "";

	for (; *argv; argv++) {
		if (!strcmp(*argv, "--elf") && argv[1])
			z->elf_path = *++argv;
		else if (!strcmp(*argv, "-o") && argv[1])
			z->out_path = *++argv;
		else if (**argv != '-' && !z->image_path)
			z->image_path = *argv;
		else
			fail(2, "what is %s?", *argv);
	}
	for (size_t i = 0; (z->defect = row(i)); i++)
		if (!strcmp(z->defect->name, name))
			break;
	if (!z->elf_path || !z->image_path || !z->out_path != says)
		fail(2, "usage: zoo NAME --elf LOADER.elf IMAGE -o OUT | zoo --list | zoo --rows | "
			"zoo --says NAME --elf LOADER.elf IMAGE");
	if (!z->defect)
		fail(2, "no defect %s: see zoo --list", name);
}

/* KVM's guests have no EL2 (without nested virtualization) and no EL3. NULL: as under TCG. */
static const char *not_kvm(const struct defect *d)
{
	const char *image = d->image ? d->image : "", *machine = d->machine ? d->machine : "";

	if (strstr(machine, "secure=on"))
		return "needs EL3";
	if (strstr(image, "el2") || strstr(machine, "virtualization=on"))
		return "needs EL2";
	return d->kvm;
}

static int list_not_kvm(void)
{
	const struct defect *d;

	for (size_t i = 0; (d = row(i)); i++)
		if (not_kvm(d))
			printf("%s %s\n", d->name, not_kvm(d));
	return 0;
}

static int list(bool rows)
{
	static const char *const ends[] = { "untried", "unknown", "boots", "after", "itself",
					    "told",    "good",	  "later", "hangs" };
	const struct defect *d;

	for (size_t i = 0; (d = row(i)); i++)
		if (rows)
			printf("%s %s %s %u %#" PRIx64 " %s\n", d->name, ends[d->end],
			       d->image ? d->image : "good-el1", d->cpus ? d->cpus : 1, d->load,
			       d->machine ? d->machine : "-");
		else
			printf("%-24s %s\n", d->name, d->what);
	return 0;
}

int main(int argc, char **argv)
{
	struct zoo z = { 0 };
	bool says = argc > 1 && !strcmp(argv[1], "--says");

	if (argc == 2 && !strcmp(argv[1], "--not-kvm"))
		return list_not_kvm();
	if (argc == 2 && (!strcmp(argv[1], "--list") || !strcmp(argv[1], "--rows")))
		return list(!strcmp(argv[1], "--rows"));
	parse_args(&z, argv + 1 + says, says);
	elf_open(&z);
	image_read(&z);
	if (says)
		print_says(&z);
	for (unsigned int i = 0; !says && i < ZOO_CHANGES && z.defect->change[i].where; i++)
		apply(&z, &z.defect->change[i]);
	if (!says)
		image_write(&z);
	elf_end(z.elf);
	free(z.image);
	return 0;
}
