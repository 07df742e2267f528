/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t bench_random(struct bench *b)
{
	b->random ^= b->random >> 12;
	b->random ^= b->random << 25;
	b->random ^= b->random >> 27;
	return b->random * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

/* Listening at DIR/kvm, where QEMU has DIR/gdb. It ends with us. */
static void start_shim(struct bench *b, char *address, size_t size)
{
	const char *o = getenv("O");
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/tests/kvm/kvm-shim", o ? o : "build");
	snprintf(address, size, "unix:%s/kvm", b->child.dir);
	b->shim = fork();
	if (b->shim)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open("/dev/null", O_WRONLY);
	dup2(fd, STDOUT_FILENO); /* ours is TAP */
	execl(path, path, address, b->child.address, (char *)NULL);
	_exit(127);
}

static void start(struct bench *b, const char *const *args, bool kvm)
{
	static char qemu[] = "qemu-system-aarch64", display[] = "-display", monitor[] = "-monitor",
		    none[] = "none", nic[] = "-nic", serial[] = "-serial";
	char *argv[40] = { qemu, display, none, monitor, none, nic, none, serial };
	char *own = getenv("QEMU"), file[80], address[120];
	struct buf why = { 0 };
	unsigned int n = 8;
	int err = -BATON_ELINK, fd;

	*b = (struct bench){ .random = 1 };
	strcpy(b->console, "/tmp/baton-inject-XXXXXX");
	fd = mkstemp(b->console);
	if (fd < 0)
		die("%s: no such folder", b->console);
	close(fd);
	argv[0] = own && *own ? own : qemu;
	snprintf(file, sizeof(file), "file:%s", b->console);
	argv[n++] = file;
	while (*args && n < 39)
		argv[n++] = (char *)(uintptr_t)*args++; /* QEMU gets a copy */
	if (child_start(&b->child, argv, false, &why))
		die("%s", why.data);
	snprintf(address, sizeof(address), "%s", b->child.address);
	if (kvm)
		start_shim(b, address, sizeof(address));
	/* The socket is there a moment before who listens on it. */
	for (int tries = 0; tries < 200 && err == -BATON_ELINK; tries++) {
		buf_clear(&why);
		err = live_open(&b->live, &b->loop, address, &why);
		if (err) {
			live_close(&b->live);
			nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		}
	}
	if (err)
		die("%s", why.data);
	live_use_process(&b->live, b->child.pid);
	buf_free(&why);
}

void bench_start(struct bench *b, const char *const *args)
{
	start(b, args, false);
}

void bench_start_kvm(struct bench *b, const char *const *args)
{
	start(b, args, true);
}

void bench_end(struct bench *b)
{
	char path[120];

	live_close(&b->live);
	if (b->shim > 0) {
		kill(b->shim, SIGKILL);
		waitpid(b->shim, NULL, 0);
		snprintf(path, sizeof(path), "%s/kvm", b->child.dir);
		unlink(path);
	}
	child_stop(&b->child);
	unlink(b->console);
}

void bench_resume(struct bench *b, int ms)
{
	struct machine_stop stop = { 0 };

	if (machine_resume(&b->live.m, ms, &stop))
		die("resume: %s", b->live.m.error);
	buf_free(&stop.packet);
}

unsigned int bench_count(const struct bench *b, const char *text)
{
	char line[512];
	unsigned int n = 0;
	FILE *f = fopen(b->console, "r");

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	if (f)
		fclose(f);
	return n;
}
