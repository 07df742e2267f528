/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"
#include "error.h"
#include "handoff/run.h"
#include "monitor/command.h"
#include "monitor/json.h"
#include "monitor/snap.h"
#include "options.h"
#include "patch/journal.h"
#include "proxy/session.h"
#include "report.h"
#include "spawn.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 5000
#define EXIT_TROUBLE	   2
#define DRAIN_READS	   256

struct baton {
	struct options options;
	struct loop loop;
	int signals; /* signalfd */
	struct child child;
	struct live live;
	struct context ctx;
	struct session session;
	struct report *report; /* --junit, --tap */
	struct buf said;       /* --json: what a command says */
	struct buf subject;    /* QEMU's command line */
	bool opened;
};

/* The guest's console, where it comes by us: for a report, or beside JSON. */

static bool only_data(const struct baton *b)
{
	return b->options.json || b->options.tap;
}

static size_t pass_console(struct baton *b)
{
	FILE *to = only_data(b) ? stderr : stdout;
	char bytes[16384];
	size_t n = child_read(&b->child, bytes, sizeof(bytes));

	report_console(b->report, bytes, n);
	fwrite(bytes, 1, n, to);
	fflush(to);
	return n;
}

/* What it printed before anything else is said. It may print faster than we read. */
static void drain(struct baton *b)
{
	for (int i = 0; i < DRAIN_READS && pass_console(b); i++)
		continue;
}

static void __attribute__((format(printf, 2, 3))) complain(struct baton *b, const char *fmt, ...)
{
	struct buf words = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&words, fmt, ap);
	va_end(ap);
	drain(b);
	fflush(stdout);
	fprintf(stderr, "baton: %s\n", words.data);
	report_trouble(b->report, words.data);
	buf_free(&words);
}

static int console_want(void *ctx, short *events)
{
	(void)events;
	return ((struct baton *)ctx)->child.console;
}

static void console_ready(void *ctx, short events)
{
	(void)events;
	pass_console(ctx);
}

/* Signals arrive like everything else: through the loop. */

static int signals_want(void *ctx, short *events)
{
	(void)events;
	return ((struct baton *)ctx)->signals;
}

static void signals_ready(void *ctx, short events)
{
	struct baton *b = ctx;
	struct signalfd_siginfo info;

	(void)events;
	if (read(b->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD) {
		child_reap(&b->child);
		return;
	}
	b->loop.quit = true;
	b->loop.quit_signal = (int)info.ssi_signo;
}

static void catch_signals(struct baton *b)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	b->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	loop_add(&b->loop, (struct loop_source){ signals_want, signals_ready, b });
	if (b->options.timeout)
		alarm((unsigned int)b->options.timeout);
}

/* Why the machine is lost, where that is so: QEMU's end tells more than a broken link. */
static void say_loss(struct baton *b)
{
	struct buf how = { 0 };

	if (b->loop.quit_signal == SIGALRM) {
		complain(b, "--timeout: %d s are over", b->options.timeout);
		return;
	}
	if (b->loop.quit) {
		complain(b, "ended by signal %d (%s)", b->loop.quit_signal,
			 strsignal(b->loop.quit_signal));
		return;
	}
	if (!b->live.rsp.lost)
		return;
	/* Its last breath may come a moment after its socket closed. */
	for (int i = 0; b->child.pid > 0 && i < 100 && !child_reap(&b->child); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	if (b->options.mode == MODE_RUN && b->child.pid == 0) {
		child_say(&b->child, &how);
		complain(b, "QEMU %s", how.data);
	} else {
		complain(b, "%s", b->live.rsp.error);
	}
	buf_free(&how);
}

/* The socket is there a moment before QEMU listens on it. */
static int open_machine(struct baton *b, const char *address)
{
	int64_t end = loop_now() + (b->options.mode == MODE_RUN ? CONNECT_TIMEOUT_MS : 0);
	struct buf why = { 0 };
	int err;

	b->live.rsp.log = b->options.verbose > 1;
	for (;;) {
		buf_clear(&why);
		err = live_open(&b->live, &b->loop, address, &why);
		if (!err || err != -BATON_ELINK || b->live.rsp.loop || loop_now() >= end ||
		    (b->options.mode == MODE_RUN && child_reap(&b->child)))
			break;
		live_close(&b->live);
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	if (err && b->loop.quit)
		say_loss(b);
	else if (err)
		complain(b, "%s", why.data);
	buf_free(&why);
	b->opened = !err;
	b->live.m.allow_mmio = b->options.allow_mmio;
	return err;
}

static bool load_symbols(struct baton *b, const char *path, bool must)
{
	struct buf why = { 0 };
	int n = symbols_load(b->ctx.symbols, path, 0, &why);

	if (n < 0 && must)
		complain(b, "-s %s", why.data);
	else if (n >= 0 && b->options.verbose)
		complain(b, "%d symbols from %s", n, path);
	buf_free(&why);
	return n >= 0 || !must;
}

/* ELF files on QEMU's command line name their own addresses: -kernel F, ...,file=F,... */
static void load_qemu_symbols(struct baton *b)
{
	for (char **a = b->options.qemu; a && a[0] && a[1]; a++) {
		const char *file = NULL;
		char path[4096];

		if (strcmp(*a, "-kernel") == 0 || strcmp(*a, "-bios") == 0)
			file = a[1];
		else if (strcmp(*a, "-device") == 0 && strncmp(a[1], "loader,", 7) == 0)
			file = strstr(a[1], ",file=");
		if (!file)
			continue;
		if (*file == ',')
			file += strlen(",file=");
		snprintf(path, sizeof(path), "%.*s", (int)strcspn(file, ","), file);
		load_symbols(b, path, false);
	}
}

/* What it says of before is worth knowing with each line by itself. */
static int open_journal(struct baton *b)
{
	struct buf said = { 0 };
	char *save = NULL;
	int err = journal_open(b->ctx.journal, &b->live.m, b->options.journal, &said);

	for (char *line = said.len ? strtok_r(said.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		complain(b, "--journal: %s", line);
	buf_free(&said);
	return err;
}

static bool wants_reset(void *ctx)
{
	const struct journal *j = ((struct baton *)ctx)->ctx.journal;

	for (size_t i = 0; i < journal_count(j); i++)
		if (entry_is_live(journal_at(j, i)))
			return true;
	return false;
}

/* GDB is told when it next listens. */
static void was_reset(void *ctx)
{
	struct baton *b = ctx;
	struct buf said = { 0 };

	journal_reset(b->ctx.journal, &said);
	if (said.len)
		complain(b, "%.*s", (int)said.len - 1, said.data);
	if (said.len && b->ctx.gdb)
		buf_add(&b->session.aside, said.data, said.len);
	buf_free(&said);
}

static void print(void *ctx, const char *text, size_t len)
{
	struct baton *b = ctx;
	FILE *to = b->options.tap ? stderr : stdout;

	drain(b);
	report_said(b->report, text, len);
	if (b->options.json) {
		buf_add(&b->said, text, len);
		return;
	}
	fwrite(text, 1, len, to);
	fflush(to);
}

static int run_command(struct baton *b, const char *line)
{
	struct sink sink = { print, b };
	int status;

	if (b->options.json)
		b->ctx.facts = json_need(json_object());
	status = command_run(&b->ctx, &sink, line);
	if (status < 0 || b->loop.quit)
		status = EXIT_TROUBLE;
	if (b->options.json && json_command(line, status, &b->said, b->ctx.facts))
		status = EXIT_TROUBLE;
	json_decref(b->ctx.facts);
	b->ctx.facts = NULL;
	buf_clear(&b->said);
	return status;
}

/* -e and -x: the status is that of the last; trouble ends the run. */
static int run_commands(struct baton *b)
{
	int status = 0;

	for (size_t i = 0; i < b->options.commands.count && status != EXIT_TROUBLE; i++) {
		report_begin(b->report, i);
		status = run_command(b, b->options.commands.item[i]);
		drain(b);
		report_end(b->report, status);
	}
	return status;
}

static int serve(struct baton *b)
{
	struct session *s = &b->session;
	char err[LINK_ERR_SIZE];
	int status;

	if (session_listen(s, &b->loop, b->options.listen, b->options.allow_remote, err)) {
		complain(b, "-l %s", err);
		return EXIT_TROUBLE;
	}
	s->live = &b->live;
	s->ctx = &b->ctx;
	s->verbose = b->options.verbose > 0;
	s->client.log = b->options.verbose > 1;
	s->client.no_spin = b->options.no_spin;
	status = session_serve(s);
	session_close(s);
	if (status || b->loop.quit_signal == SIGALRM) {
		say_loss(b);
		return EXIT_TROUBLE;
	}
	return 0;
}

static int run(struct baton *b)
{
	bool stdio = b->options.listen && strcmp(b->options.listen, "stdio") == 0;
	const char *address = b->options.address;
	int status = 0;

	if (b->options.mode == MODE_RUN) {
		struct buf why = { 0 };

		status = child_start(&b->child, b->options.qemu,
				     stdio			    ? CHILD_STDERR
				     : b->report || b->options.json ? CHILD_KEPT
								    : CHILD_OURS,
				     &why);
		if (status)
			complain(b, "%s", why.data);
		buf_free(&why);
		if (status)
			return EXIT_TROUBLE;
		address = b->child.address;
		loop_add(&b->loop, (struct loop_source){ console_want, console_ready, b });
	}
	if (open_machine(b, address))
		return EXIT_TROUBLE;
	if (live_reset_learn(&b->live))
		return EXIT_TROUBLE;
	b->live.m.wants_reset = wants_reset;
	b->live.m.was_reset = was_reset;
	b->live.m.reset_ctx = b;
	child_hide(&b->child);
	if (!b->options.packets && live_use_process(&b->live, b->child.pid))
		return EXIT_TROUBLE;
	for (size_t i = 0; i < b->options.symbols.count; i++) {
		if (!load_symbols(b, b->options.symbols.item[i], true))
			return EXIT_TROUBLE;
	}
	load_qemu_symbols(b);
	if (b->options.journal && open_journal(b))
		return EXIT_TROUBLE;
	status = run_commands(b);
	if (status == EXIT_TROUBLE) {
		say_loss(b);
		return status;
	}
	return b->options.serve ? serve(b) : status;
}

/* An attached machine is left without anything of ours in it; our own QEMU ends. */
static void leave(struct baton *b)
{
	struct rsp *r = &b->live.rsp;
	bool ran = b->session.was_running || r->running;

	b->loop.quit = false;
	if (b->opened && !r->lost && r->running)
		live_halt(&b->live, NULL);
	if (b->opened && !r->lost && b->options.mode == MODE_ATTACH) {
		for (int owner = 0; owner < BREAK_OWNERS; owner++)
			machine_break_clear(&b->live.m, (enum break_owner)owner);
		if (ran)
			live_start(&b->live);
	}
	/* `quit` is the one way to end QEMU that it does not comment upon. */
	if (b->opened && !r->running && b->options.mode == MODE_RUN &&
	    !rsp_send(r, "qRcmd,71756974", strlen("qRcmd,71756974")))
		child_wait(&b->child);
	live_close(&b->live);
	child_stop(&b->child);
}

static int begin_report(struct baton *b)
{
	const struct options *o = &b->options;
	bool run = o->mode == MODE_RUN;
	struct buf why = { 0 };
	int err;

	for (char **a = o->qemu; a && *a; a++)
		buf_printf(&b->subject, "%s%s", b->subject.len ? " " : "", *a);
	b->report = report_new(o, run ? "baton run" : "baton attach",
			       run ? b->subject.data : o->address,
			       run ? NULL : "of a QEMU that was there before: not seen by baton");
	err = report_prepare(b->report, &why);
	if (err) {
		complain(b, "%s", why.data);
		report_free(b->report);
		b->report = NULL;
	}
	buf_free(&why);
	return err;
}

/* QEMU is gone: it says nothing more. */
static int end_report(struct baton *b, int status)
{
	struct buf why = { 0 };

	drain(b);
	if (report_write(b->report, status, &why)) {
		complain(b, "%s", why.data);
		status = EXIT_TROUBLE;
	}
	buf_free(&why);
	buf_free(&b->said);
	buf_free(&b->subject);
	report_free(b->report);
	return status;
}

int main(int argc, char **argv)
{
	struct baton b = { .signals = -1, .child.console = -1 };
	struct buf why = { 0 };
	int status = options_parse(&b.options, argc, argv, &why);

	if (status || b.options.mode == MODE_DONE) {
		if (status)
			complain(&b, "%s", why.data);
		buf_free(&why);
		options_free(&b.options);
		return status ? EXIT_TROUBLE : 0;
	}
	if (b.options.mode == MODE_CHECK) {
		status = check_run(&b.options);
		options_free(&b.options);
		return status;
	}
	catch_signals(&b);
	b.ctx.machine = &b.live.m;
	b.ctx.symbols = symbols_new();
	b.ctx.journal = journal_new();
	b.ctx.handoff = handoff_new();
	status = begin_report(&b) ? EXIT_TROUBLE : run(&b);
	leave(&b);
	status = end_report(&b, status);
	handoff_free(b.ctx.handoff);
	snaps_free(b.ctx.snaps);
	journal_free(b.ctx.journal);
	symbols_free(b.ctx.symbols);
	options_free(&b.options);
	close(b.signals);
	return status;
}
