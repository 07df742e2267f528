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
	"Puts a loader, a kernel and its initial task into one image that boots.\n"
	"  -b, --board BOARD   the board (make list-boards)\n"
	"  -k, --kernel ELF    the kernel: virtual addresses high, physical ones in RAM\n"
	"  -t, --task ELF      the task that the kernel starts\n"
	"  -o, --output IMAGE  what to write\n"
	"  -n, --cpus N        how many CPUs enter the kernel (the board's value)\n"
	"  -l, --loader ELF    the loader (BOARD's, from the folder of this program)\n"
	"  -v, --verbose       say what went where\n"
	"  -h, --help          this text\n"
	"      --version       the version\n"
	"Exit status: 0 the image is written, 2 it is not, and standard error has the reason.\n";

struct options {
	const char *board, *kernel, *task, *output, *loader;
	unsigned long cpus;
	bool verbose;
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

/* Returns 0, 1 where all is said and done, or -1. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "board", required_argument, NULL, 'b' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "task", required_argument, NULL, 't' },
		{ "output", required_argument, NULL, 'o' },
		{ "cpus", required_argument, NULL, 'n' },
		{ "loader", required_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "b:k:t:o:n:l:vh", longs, NULL)) != -1) {
		switch (c) {
		case 'b':
			o->board = optarg;
			break;
		case 'k':
			o->kernel = optarg;
			break;
		case 't':
			o->task = optarg;
			break;
		case 'o':
			o->output = optarg;
			break;
		case 'n':
			if (parse_cpus(o, optarg))
				return -1;
			break;
		case 'l':
			o->loader = optarg;
			break;
		case 'v':
			o->verbose = true;
			break;
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
	if (optind < argc)
		return complain("what is `%s`? --help lists the options", argv[optind]);
	if (!o->board || !o->kernel || !o->task || !o->output)
		return complain("%s is missing; --help lists the options", !o->board	? "--board"
									   : !o->kernel ? "--kernel"
									   : !o->task	? "--task"
										      : "--output");
	return 0;
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

static void print_layout(const struct layout *l)
{
	for (unsigned int i = 0; i < l->extent_count; i++)
		printf("%#" PRIx64 "-%#" PRIx64 "  %s\n", l->extents[i].start, l->extents[i].end,
		       l->extents[i].name);
	printf("board %s: kernel entry %#" PRIx64 " at EL%" PRIu32 " on %" PRIu32
	       " CPUs, task at virtual %#" PRIx64 ", entry %#" PRIx64 "\n",
	       l->board.name, l->header.kernel_entry, l->board.kernel_el, l->board.cpus,
	       l->task_virt, l->header.v_entry);
}

static int build(struct layout *l, const struct options *o)
{
	unsigned char *image;
	int err;

	if (layout_board(l))
		return -1;
	if (strcmp(l->board.name, o->board) != 0)
		return complain("%s is built for board %s, not for %s", l->loader->path,
				l->board.name, o->board);
	if (o->cpus)
		l->board.cpus = (uint32_t)o->cpus;
	if (layout_plan(l))
		return -1;
	image = layout_image(l);
	if (!image)
		return -1;
	err = write_image(o->output, image, l->image_size);
	free(image);
	if (!err && o->verbose)
		print_layout(l);
	return err;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct elf loader = { 0 }, kernel = { 0 }, task = { 0 };
	struct layout l = { .loader = &loader, .kernel = &kernel, .task = &task };
	char loader_path[4096];
	int err = parse_options(&o, argc, argv);

	if (err)
		return err < 0 ? EXIT_USAGE : 0;
	if (!o.loader && find_loader(&o, loader_path, sizeof(loader_path)))
		return EXIT_USAGE;
	err = elf_load(&loader, o.loader ? o.loader : loader_path) || elf_load(&kernel, o.kernel) ||
	      elf_load(&task, o.task) || build(&l, &o);
	elf_free(&loader);
	elf_free(&kernel);
	elf_free(&task);
	return err ? EXIT_USAGE : 0;
}
