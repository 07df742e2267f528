/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include "error.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_LISTEN "localhost:1234"

static const char usage[] =
	"usage: baton run    [OPTIONS] -- QEMU-COMMAND...       start QEMU behind baton\n"
	"       baton attach [OPTIONS] HOST:PORT|unix:PATH      in front of a QEMU that is there\n"
	"       baton check  [OPTIONS] IMAGE                    an image, an ELF file or a core,\n"
	"                                                       without a machine\n"
	"\n"
	"  -l, --listen ADDR   where GDB connects: " DEFAULT_LISTEN " by default (none with -e\n"
	"                      or -x); unix:PATH; stdio; none\n"
	"  -e, --exec CMD      run a monitor command without GDB; repeatable, in order\n"
	"  -x, --execfile FILE the same for each line of a file\n"
	"  -s, --symbols ELF   names for addresses; repeatable\n"
	"  -v, --verbose       say what is done; twice: every packet\n"
	"      --timeout SEC   end after that many seconds\n"
	"      --journal FILE  keep patches in FILE too: what was done survives baton\n"
	"      --allow-remote  listen on addresses that are not loopback\n"
	"      --allow-mmio    read devices too: may crash QEMU\n"
	"      --packets       read memory by packets alone, not from QEMU's process\n"
	"      --no-spin       sleep at once when GDB's next packet is awaited\n"
	"  -h, --help          this text;   --version\n"
	"\n"
	"for -e and -x, and for check:\n"
	"      --junit FILE    what was run, and what it and the guest said, as JUnit XML\n"
	"      --tap           the same as TAP on standard output; the rest is on standard error\n"
	"      --json          JSON on standard output instead of text, an object a command\n"
	"                      (of check without -e: one), and the guest's console on standard\n"
	"                      error\n"
	"\n"
	"for check:\n"
	"      --load ADDR     where a flat image is loaded\n"
	"      --entry ADDR    an address that has to be mapped, instead of the header's\n"
	"      --el N          the exception level whose tables they are\n"
	"      --ttbr0 N --ttbr1 N --tcr N --mair N --sctlr N   registers of that level\n"
	"      --vttbr N --vtcr N   a second stage behind those of EL1\n"
	"  -c, --cpu N         of a core: the CPU that is looked at\n"
	"\n"
	"exit status: that of the last command. 0: all well; 1: it found something wrong;\n"
	"2: usage, connection or machine failure, which ends the run at once\n";

enum {
	OPT_TIMEOUT = 256,
	OPT_REMOTE,
	OPT_MMIO,
	OPT_PACKETS,
	OPT_NO_SPIN,
	OPT_JSON,
	OPT_JUNIT,
	OPT_TAP,
	OPT_JOURNAL,
	OPT_VERSION,
	OPT_GIVEN
};

/* In the order of enum given. */
#define GIVEN_OPTION(name, which)                                  \
	{                                                          \
		name, required_argument, NULL, OPT_GIVEN + (which) \
	}

static const struct option long_options[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "exec", required_argument, NULL, 'e' },
	{ "execfile", required_argument, NULL, 'x' },
	{ "symbols", required_argument, NULL, 's' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "journal", required_argument, NULL, OPT_JOURNAL },
	{ "allow-remote", no_argument, NULL, OPT_REMOTE },
	{ "allow-mmio", no_argument, NULL, OPT_MMIO },
	{ "packets", no_argument, NULL, OPT_PACKETS },
	{ "no-spin", no_argument, NULL, OPT_NO_SPIN },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "junit", required_argument, NULL, OPT_JUNIT },
	{ "tap", no_argument, NULL, OPT_TAP },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	GIVEN_OPTION("load", GIVEN_LOAD),
	GIVEN_OPTION("entry", GIVEN_ENTRY),
	GIVEN_OPTION("el", GIVEN_EL),
	GIVEN_OPTION("ttbr0", GIVEN_TTBR0),
	GIVEN_OPTION("ttbr1", GIVEN_TTBR1),
	GIVEN_OPTION("tcr", GIVEN_TCR),
	GIVEN_OPTION("mair", GIVEN_MAIR),
	GIVEN_OPTION("sctlr", GIVEN_SCTLR),
	GIVEN_OPTION("vttbr", GIVEN_VTTBR),
	GIVEN_OPTION("vtcr", GIVEN_VTCR),
	{ "cpu", required_argument, NULL, 'c' },
	{ 0 },
};

static void add(struct strings *s, const char *text)
{
	s->item = realloc(s->item, (s->count + 1) * sizeof(*s->item));
	if (!s->item)
		abort();
	s->item[s->count] = strdup(text);
	if (!s->item[s->count++])
		abort();
}

static void strings_free(struct strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->item[i]);
	free(s->item);
}

/* Each line of a file is a command; empty ones and those that begin with # are not. */
static int add_file(struct strings *s, const char *path, struct buf *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	int error;

	if (!f) {
		buf_printf(err, "-x %s: %s", path, strerror(errno));
		return -BATON_ENOTFOUND;
	}
	while (getline(&line, &cap, f) >= 0) {
		char *text = line + strspn(line, " \t");

		text[strcspn(text, "\r\n")] = 0;
		if (*text && *text != '#')
			add(s, text);
	}
	error = ferror(f) ? errno : 0;
	free(line);
	if (f != stdin)
		fclose(f);
	if (!error)
		return 0;
	buf_printf(err, "-x %s: %s", path, strerror(error));
	return -BATON_ESYS;
}

/* QEMU's options that would take the gdbstub, the stop or the process away from us. */
static int check_qemu(char **argv, struct buf *err)
{
	static const struct {
		const char *name, *why;
	} refused[] = {
		{ "s", "baton makes the gdbstub itself" },
		{ "gdb", "baton makes the gdbstub itself: use baton's -l" },
		{ "S", "baton starts the machine stopped anyway" },
		{ "daemonize", "baton must see QEMU end" },
	};

	for (char **a = argv + 1; *a; a++) {
		const char *name = *a;

		if (*name != '-')
			continue;
		name += name[1] == '-' ? 2 : 1;
		for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
			if (strcmp(name, refused[i].name) != 0)
				continue;
			buf_printf(err, "QEMU's %s: %s; leave it out", *a, refused[i].why);
			return -BATON_EINVAL;
		}
	}
	return 0;
}

static const char *name_of(int c)
{
	const struct option *row = long_options;

	while (row->name && row->val != c)
		row++;
	return row->name;
}

static int parse_given(struct options *o, int c, int which, struct buf *err)
{
	struct given_value *g = &o->given[which];
	char *end;

	errno = 0;
	g->value = strtoull(optarg, &end, 0);
	g->set = true;
	if (end == optarg || *end || errno || *optarg == '-') {
		buf_printf(err, "--%s: \"%s\" is no number of 64 bits", name_of(c), optarg);
		return -BATON_EINVAL;
	}
	if (which == GIVEN_EL && (g->value < 1 || g->value > 3)) {
		buf_printf(err, "--el %s: 1, 2 or 3", optarg);
		return -BATON_EINVAL;
	}
	return 0;
}

static int parse_one(struct options *o, int c, bool *listen_given, struct buf *err)
{
	char *end;

	switch (c) {
	case 'l':
		o->listen = strcmp(optarg, "none") == 0 ? NULL : optarg;
		*listen_given = true;
		return 0;
	case 'e':
		add(&o->commands, optarg);
		return 0;
	case 'x':
		return add_file(&o->commands, optarg, err);
	case 's':
		add(&o->symbols, optarg);
		return 0;
	case 'v':
		o->verbose++;
		return 0;
	case OPT_TIMEOUT:
		o->timeout = (int)strtol(optarg, &end, 10);
		if (*end || o->timeout <= 0 || o->timeout > 1000000) {
			buf_printf(err, "--timeout %s: a number of seconds, 1 or more", optarg);
			return -BATON_EINVAL;
		}
		return 0;
	case OPT_REMOTE:
		o->allow_remote = true;
		return 0;
	case OPT_MMIO:
		o->allow_mmio = true;
		return 0;
	case OPT_PACKETS:
		o->packets = true;
		return 0;
	case OPT_NO_SPIN:
		o->no_spin = true;
		return 0;
	case OPT_JOURNAL:
		o->journal = optarg;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_JUNIT:
		o->junit = optarg;
		return 0;
	case OPT_TAP:
		o->tap = true;
		return 0;
	case 'h':
		fputs(usage, stdout);
		o->mode = MODE_DONE;
		return 0;
	case OPT_VERSION:
		puts("baton " BATON_VERSION);
		o->mode = MODE_DONE;
		return 0;
	case 'c':
		return parse_given(o, c, GIVEN_CPU, err);
	default:
		if (c >= OPT_GIVEN && c < OPT_GIVEN + GIVEN_COUNT)
			return parse_given(o, c, c - OPT_GIVEN, err);
		buf_puts(err, "`baton --help` lists the options");
		return -BATON_EINVAL;
	}
}

static int parse_mode(struct options *o, const char *word, struct buf *err)
{
	if (word && strcmp(word, "run") == 0)
		o->mode = MODE_RUN;
	else if (word && strcmp(word, "attach") == 0)
		o->mode = MODE_ATTACH;
	else if (word && strcmp(word, "check") == 0)
		o->mode = MODE_CHECK;
	else {
		if (word)
			buf_printf(err, "%s: neither run nor attach nor check\n", word);
		buf_puts(err, usage);
		return -BATON_EINVAL;
	}
	return 0;
}

/* What means something to a machine alone. */
static const char *not_for_check(const struct options *o, bool listen_given)
{
	return listen_given	 ? "there is no machine for GDB to debug: leave -l out"
	       : o->timeout	 ? "nothing runs, and nothing is waited for: leave --timeout out"
	       : o->journal	 ? "a file is not changed: leave --journal out"
	       : o->allow_remote ? "nobody can connect: leave --allow-remote out"
	       : o->allow_mmio	 ? "a file has no devices to read: leave --allow-mmio out"
	       : o->packets	 ? "there is no QEMU to send packets to: leave --packets out"
	       : o->no_spin	 ? "no packets are awaited: leave --no-spin out"
	       : o->verbose	 ? "it says all that it knows anyway: leave -v out"
				 : NULL;
}

static int parse_check(struct options *o, int argc, char **argv, bool listen_given, struct buf *err)
{
	const char *wrong = not_for_check(o, listen_given);

	if (wrong)
		buf_printf(err, "check: %s", wrong);
	else if (optind + 1 != argc)
		buf_puts(err, "check: one file: `baton check [OPTIONS] IMAGE`");
	else if (o->given[GIVEN_VTTBR].set != o->given[GIVEN_VTCR].set)
		buf_puts(err, "check: a second stage needs both, --vttbr and --vtcr");
	else
		o->image = argv[optind];
	return o->image ? 0 : -BATON_EINVAL;
}

/* Reports are of a run that ends by itself. */
static int check_reports(const struct options *o, struct buf *err)
{
	const char *name = o->junit ? "--junit" : o->tap ? "--tap" : o->json ? "--json" : NULL;

	if (o->json && o->tap)
		buf_puts(err, "--json and --tap are both standard output's: choose one");
	else if (o->mode == MODE_CHECK || !name || (o->commands.count && !o->serve))
		return 0;
	else
		buf_printf(err, "%s is for commands of -e and -x: %s", name,
			   o->commands.count ? "GDB's session ends when it likes, leave -l out"
					     : "there are none");
	return -BATON_EINVAL;
}

static int parse_rest(struct options *o, int argc, char **argv, struct buf *err)
{
	if (o->mode == MODE_RUN && optind >= argc) {
		buf_puts(err, "run: which QEMU? `baton run [OPTIONS] -- qemu-system-aarch64 ...`");
		return -BATON_EINVAL;
	}
	if (o->mode == MODE_ATTACH && optind + 1 != argc) {
		buf_puts(err, "attach: one address: `baton attach [OPTIONS] HOST:PORT|unix:PATH`");
		return -BATON_EINVAL;
	}
	if (o->mode == MODE_ATTACH) {
		o->address = argv[optind];
		return 0;
	}
	o->qemu = argv + optind;
	return check_qemu(o->qemu, err);
}

int options_parse(struct options *o, int argc, char **argv, struct buf *err)
{
	const char *word = argc > 1 ? argv[1] : NULL, *words;
	bool listen_given = false;
	int c, status = 0;

	*o = (struct options){ .listen = DEFAULT_LISTEN };
	/* `baton --help` and `baton --version` stand alone; otherwise the mode comes first. */
	if (!word || word[0] != '-') {
		status = parse_mode(o, word, err);
		if (status)
			return status;
		argv[1] = argv[0]; /* getopt's messages begin with it */
		argv++;
		argc--;
	}
	/* Behind `run` come QEMU's own options; a file to check may stand anywhere. */
	words = o->mode == MODE_CHECK ? "l:e:x:s:c:vh" : "+l:e:x:s:vh";
	optind = 0;
	while (!status && o->mode != MODE_DONE &&
	       (c = getopt_long(argc, argv, words, long_options, NULL)) != -1)
		status = parse_one(o, c, &listen_given, err);
	if (status || o->mode == MODE_DONE)
		return status;
	if (word[0] == '-')
		return parse_mode(o, NULL, err);
	if (o->mode == MODE_CHECK)
		return check_reports(o, err) ? -BATON_EINVAL
					     : parse_check(o, argc, argv, listen_given, err);
	for (int i = 0; i < GIVEN_COUNT; i++) {
		if (o->given[i].set) {
			buf_puts(
				err,
				"--load, --entry, --el, --cpu and registers are for `baton check`");
			return -BATON_EINVAL;
		}
	}
	if (o->commands.count && !listen_given)
		o->listen = NULL;
	o->serve = o->listen != NULL;
	if (check_reports(o, err))
		return -BATON_EINVAL;
	if (!o->serve && !o->commands.count) {
		buf_puts(err, "-l none without -e or -x: nothing to do");
		return -BATON_EINVAL;
	}
	return parse_rest(o, argc, argv, err);
}

void options_free(struct options *o)
{
	strings_free(&o->commands);
	strings_free(&o->symbols);
}
