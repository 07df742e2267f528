// SPDX-License-Identifier: BSD-2-Clause
/*
 * zoo - put a defect into a built loader image.
 *
 * usage: zoo NAME --elf LOADER.elf IMAGE -o OUT | zoo --list
 *
 * Exit status: 0 done, 1 the image is not one that the defect fits, 2 usage or files.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baton/image.h"
#include "zoo.h"

#define BYTES_MAX 64

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

	if (!strncmp(s, "bl:", 3)) { /* DDI 0487, C6.2.35 */
		*v = 0x94000000 | ((symbol(z, s + 3, len - 3) - pc) >> 2 & 0x3ffffff);
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

static void apply(struct zoo *z)
{
	const struct defect *d = z->defect;
	struct bytes old, new;
	uint64_t at;
	size_t offset;

	if (!strncmp(d->where, "region ", 7))
		at = region_offset(z, strtoul(d->where + 7, NULL, 10));
	else
		at = symbol(z, d->where, strlen(d->where)) - z->load_address;
	parse_bytes(z, d->old, z->load_address + at + d->offset, &old);
	parse_bytes(z, d->new, z->load_address + at + d->offset, &new);
	if (old.n != new.n)
		fail(2, "%s: old and new in its row differ in length", d->name);
	offset = inside(z, at + d->offset, old.n, d->where);

	if (memcmp(z->image + offset, old.b, old.n)) {
		print_bytes("expected", old.b, old.n);
		print_bytes("found   ", z->image + offset, old.n);
		fail(1, "%s: %s is not as the row says at %s+%#" PRIx64 ", offset %#zx", d->name,
		     z->image_path, d->where, d->offset, offset);
	}
	memcpy(z->image + offset, new.b, new.n);
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

static void parse_args(struct zoo *z, char **argv)
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
	for (z->defect = defects; z->defect->name; z->defect++)
		if (!strcmp(z->defect->name, name))
			break;
	if (!z->elf_path || !z->image_path || !z->out_path)
		fail(2, "usage: zoo NAME --elf LOADER.elf IMAGE -o OUT | zoo --list");
	if (!z->defect->name)
		fail(2, "no defect %s: see zoo --list", name);
}

int main(int argc, char **argv)
{
	struct zoo z = { 0 };

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (const struct defect *d = defects; d->name; d++)
			printf("%-24s %s\n", d->name, d->what);
		return 0;
	}
	parse_args(&z, argv + 1);
	elf_open(&z);
	image_read(&z);
	apply(&z);
	image_write(&z);
	elf_end(z.elf);
	free(z.image);
	return 0;
}
