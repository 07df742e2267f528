// SPDX-License-Identifier: BSD-2-Clause
/*
 * baton-mkimage - put loader, kernel and initial task into one bootable image.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mkimage.h"

#define EXIT_USAGE 2

static const char usage[] =
	"usage: baton-mkimage --board BOARD --kernel ELF --task ELF -o IMAGE [OPTIONS]\n"
	"       baton-mkimage --board BOARD --kernel-type linux --kernel IMAGE -o IMAGE [OPTIONS]\n"
	"Puts a loader, a kernel and what it starts into one image that boots.\n"
	"  -b, --board BOARD   the board (make list-boards)\n"
	"  -k, --kernel FILE   the kernel, an ELF file: virtual addresses high, physical ones in "
	"RAM\n"
	"  -t, --task ELF      the task that the kernel starts\n"
	"  -o, --output IMAGE  what to write\n"
	"  -T, --kernel-type T sel4 (the default), or linux: the kernel is an arm64 Image\n"
	"  -d, --dtb FILE      the device tree for the kernel (QEMU: -machine virt,dumpdtb=FILE),\n"
	"                      instead of the one that the machine puts into memory\n"
	"  -i, --initrd FILE   Linux: its initial file system\n"
	"  -a, --bootargs TEXT Linux: its command line, instead of the device tree's\n"
	"  -f, --format F      raw (the default), elf or uimage\n"
	"  -n, --cpus N        how many CPUs enter the kernel (the board's value)\n"
	"  -l, --loader ELF    the loader (BOARD's, from the folder of this program)\n"
	"  -m, --map[=svg]     print the layout, or draw it\n"
	"  -h, --help          this text\n"
	"      --version       the version\n"
	"Exit status: 0 the image is written, 2 it is not, and standard error has the reason.\n";

enum map { MAP_NONE, MAP_TEXT, MAP_SVG };

struct options {
	const char *board, *kernel, *task, *output, *loader, *dtb, *initrd, *bootargs;
	unsigned long cpus;
	enum baton_kernel_type type;
	enum format format;
	enum map map;
};

void complain_text(const char *fmt, ...)
{
	va_list ap;

	fputs("baton-mkimage: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int parse_cpus(struct options *o, const char *arg)
{
	char *end;

	errno = 0;
	o->cpus = strtoul(arg, &end, 10);
	if (errno || *end || end == arg || *arg == '-' || !o->cpus ||
	    o->cpus > BATON_IMAGE_MAX_CPUS)
		return complain("--cpus %s: a number from 1 to %d is wanted", arg,
				BATON_IMAGE_MAX_CPUS);
	return 0;
}

/* Which of @names is @arg? Its index, or -1. */
static int parse_word(const char *option, const char *arg, const char *const *names)
{
	char all[64] = "";
	int at = 0;

	for (int i = 0; names[i]; i++)
		if (!strcmp(arg, names[i]))
			return i;
	for (int i = 0; names[i]; i++)
		at += snprintf(all + at, sizeof(all) - (size_t)at, "%s%s", i ? ", " : "", names[i]);
	return complain("%s %s: wanted is one of %s", option, arg, all);
}

static int parse_kernel_type(struct options *o, const char *arg)
{
	static const char *const names[] = { "sel4", "linux", NULL };
	int i = parse_word("--kernel-type", arg, names);

	o->type = i == 1 ? KERNEL_LINUX : KERNEL_SEL4;
	return i < 0 ? -1 : 0;
}

static int parse_format(struct options *o, const char *arg)
{
	static const char *const names[] = { "raw", "elf", "uimage", NULL };
	int i = parse_word("--format", arg, names);

	o->format = i == 1 ? FORMAT_ELF : i == 2 ? FORMAT_UIMAGE : FORMAT_RAW;
	return i < 0 ? -1 : 0;
}

static int parse_map(struct options *o, const char *arg)
{
	static const char *const names[] = { "text", "svg", NULL };
	int i = arg ? parse_word("--map", arg, names) : 0;

	o->map = i == 1 ? MAP_SVG : MAP_TEXT;
	return i < 0 ? -1 : 0;
}

static int parse_option(struct options *o, int c)
{
	const char **text = c == 'b'   ? &o->board
			    : c == 'k' ? &o->kernel
			    : c == 't' ? &o->task
			    : c == 'o' ? &o->output
			    : c == 'd' ? &o->dtb
			    : c == 'i' ? &o->initrd
			    : c == 'a' ? &o->bootargs
			    : c == 'l' ? &o->loader
				       : NULL;

	if (text) {
		*text = optarg;
		return 0;
	}
	switch (c) {
	case 'T':
		return parse_kernel_type(o, optarg);
	case 'f':
		return parse_format(o, optarg);
	case 'm':
		return parse_map(o, optarg);
	case 'n':
		return parse_cpus(o, optarg);
	case 'h':
		fputs(usage, stdout);
		return 1;
	case 'V':
		puts("baton-mkimage " BATON_VERSION);
		return 1;
	default:
		return complain("--help lists the options");
	}
}

/* What goes together and what does not. */
static int check_options(const struct options *o)
{
	bool is_linux = o->type == KERNEL_LINUX;

	if (is_linux && o->task)
		return complain("--task %s: a Linux has none; its first program comes in --initrd",
				o->task);
	if (is_linux && o->cpus)
		return complain("--cpus %lu: a Linux starts its CPUs itself, by the device tree "
				"(QEMU: -smp %lu with dumpdtb as well)",
				o->cpus, o->cpus);
	if (!is_linux && (o->initrd || o->bootargs))
		return complain("%s: for --kernel-type linux alone",
				o->initrd ? "--initrd" : "--bootargs");
	if (!o->dtb && (o->initrd || o->bootargs))
		return complain("%s: goes into the device tree; give one by --dtb (QEMU: -machine "
				"virt,dumpdtb=FILE)",
				o->initrd ? "--initrd" : "--bootargs");
	return 0;
}

/* Returns 0, 1 where all is said and done, or -1. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "board", required_argument, NULL, 'b' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "task", required_argument, NULL, 't' },
		{ "output", required_argument, NULL, 'o' },
		{ "kernel-type", required_argument, NULL, 'T' },
		{ "dtb", required_argument, NULL, 'd' },
		{ "initrd", required_argument, NULL, 'i' },
		{ "bootargs", required_argument, NULL, 'a' },
		{ "format", required_argument, NULL, 'f' },
		{ "cpus", required_argument, NULL, 'n' },
		{ "loader", required_argument, NULL, 'l' },
		{ "map", optional_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c, status;

	while ((c = getopt_long(argc, argv, "b:k:t:o:T:d:i:a:f:n:l:m::h", longs, NULL)) != -1) {
		status = parse_option(o, c);
		if (status)
			return status;
	}
	if (optind < argc)
		return complain("what is `%s`? --help lists the options", argv[optind]);
	if (!o->board || !o->kernel || (!o->task && o->type != KERNEL_LINUX) || !o->output)
		return complain("%s is missing; --help lists the options",
				!o->board			      ? "--board"
				: !o->kernel			      ? "--kernel"
				: !o->task && o->type != KERNEL_LINUX ? "--task"
								      : "--output");
	return check_options(o);
}

/* Where make builds loaders and where it installs them, seen from this program. */
static int find_loader(const struct options *o, char *path, size_t size)
{
	static const char *const places[] = { "loader", "../share/baton/loader" };
	char self[2048], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (strchr(o->board, '/'))
		return complain("--board %s: a name is wanted, not a path (make list-boards)",
				o->board);
	if (n < 0)
		return complain("/proc/self/exe: %s; say --loader ELF", strerror(errno));
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, size, "%s/%s/%s/loader.elf", self, places[i], o->board);
		if (!access(path, R_OK))
			return 0;
	}
	return complain("no loader for board %s: neither %s/%s nor %s/%s has %s/loader.elf (make "
			"list-boards lists the boards, --loader ELF names another)",
			o->board, self, places[0], self, places[1], o->board);
}

/* Whoever types -o before the kernel's name wants the kernel still. */
static int check_output(const struct options *o)
{
	const char *const inputs[] = { o->loader, o->kernel, o->task, o->dtb, o->initrd };
	struct stat out, in;

	if (stat(o->output, &out) || !S_ISREG(out.st_mode))
		return 0;
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
		if (inputs[i] && !stat(inputs[i], &in) && in.st_dev == out.st_dev &&
		    in.st_ino == out.st_ino)
			return complain("--output %s: it is %s, which the image is made of; name "
					"another file",
					o->output, inputs[i]);
	return 0;
}

static int write_image(const char *path, const unsigned char *image, size_t size)
{
	FILE *f = fopen(path, "wb");
	struct stat st;
	bool good;

	if (!f)
		return complain("%s: %s", path, strerror(errno));
	good = fwrite(image, 1, size, f) == size;
	if (!fclose(f) && good)
		return 0;
	complain_text("%s: %s", path, strerror(errno));
	/* Half an image is worse than none, but a device is not ours to remove. */
	if (!lstat(path, &st) && S_ISREG(st.st_mode))
		remove(path);
	return -1;
}

static int write_format(const struct layout *l, const struct options *o, unsigned char *image)
{
	uint64_t size = l->image_size;
	unsigned char *wrapped = NULL;
	int err = -1;

	if (o->format != FORMAT_RAW)
		wrapped = format_wrap(l, o->format, image, &size);
	if (wrapped || o->format == FORMAT_RAW)
		err = write_image(o->output, wrapped ? wrapped : image, size);
	free(wrapped);
	return err;
}

static int build(struct layout *l, const struct options *o)
{
	unsigned char *image;
	int err;

	if (layout_board(l))
		return -1;
	if (strcmp(l->board.name, o->board) != 0)
		return complain("%s is built for board %s, not for %s", l->loader->file.path,
				l->board.name, o->board);
	if (o->cpus)
		l->board.cpus = (uint32_t)o->cpus;
	if (layout_plan(l))
		return -1;
	image = layout_image(l);
	if (!image)
		return -1;
	err = write_format(l, o, image);
	free(image);
	if (!err && o->map == MAP_TEXT)
		map_text(l);
	else if (!err && o->map == MAP_SVG)
		map_svg(l);
	return err;
}

static int read_elf(struct elf *elf, const char *path)
{
	return blob_read(&elf->file, path) || elf_parse(elf);
}

/* All files, those that are not asked for left out. */
static int read_files(struct layout *l, const struct options *o, struct elf elf[3],
		      struct blob blob[3])
{
	if (read_elf(&elf[0], o->loader))
		return -1;
	l->loader = &elf[0];
	if (o->type == KERNEL_LINUX) {
		if (blob_read(&blob[0], o->kernel))
			return -1;
		l->linux_image = &blob[0];
	} else {
		if (read_elf(&elf[1], o->kernel) || read_elf(&elf[2], o->task))
			return -1;
		l->kernel = &elf[1];
		l->task = &elf[2];
	}
	if (o->dtb && blob_read(&blob[1], o->dtb))
		return -1;
	if (o->initrd && blob_read(&blob[2], o->initrd))
		return -1;
	l->dtb = o->dtb ? &blob[1] : NULL;
	l->initrd = o->initrd ? &blob[2] : NULL;
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct elf elf[3] = { 0 };
	struct blob blob[3] = { 0 };
	struct layout l = { 0 };
	char loader_path[4096];
	int err = parse_options(&o, argc, argv);

	if (err)
		return err < 0 ? EXIT_USAGE : 0;
	if (!o.loader && find_loader(&o, loader_path, sizeof(loader_path)))
		return EXIT_USAGE;
	l.type = o.type;
	l.bootargs = o.bootargs;
	if (!o.loader)
		o.loader = loader_path;
	err = check_output(&o) || read_files(&l, &o, elf, blob) || build(&l, &o);
	layout_free(&l);
	for (int i = 0; i < 3; i++) {
		elf_free(&elf[i]);
		free(blob[i].data);
	}
	return err ? EXIT_USAGE : 0;
}
