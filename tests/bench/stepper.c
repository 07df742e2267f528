/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `handoff trace` is measured against: the least that a client has to do to follow one
 * CPU, a step, its stop, and the registers.
 *
 *   stepper unix:PATH N	prints the seconds that N of them took; the last pc on stderr
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CORE_BYTES 268 /* x0 to x30, sp, pc, cpsr */
#define PC	   32

struct client {
	int fd;
	char in[1 << 16];
	size_t at, end;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "stepper: %s\n", what);
	exit(2);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int get(struct client *c)
{
	if (c->at == c->end) {
		ssize_t n = read(c->fd, c->in, sizeof(c->in));

		if (n <= 0)
			die("QEMU is gone");
		c->at = 0;
		c->end = (size_t)n;
	}
	return (unsigned char)c->in[c->at++];
}

/* No `+` of ours: the next `$` counts as one. Every bare client trusts a unix socket. */
static size_t ask(struct client *c, const char *payload, char *answer, size_t size)
{
	char out[128];
	unsigned char sum = 0;
	size_t n = 0;
	int ch;

	for (const char *p = payload; *p; p++)
		sum = (unsigned char)(sum + *p);
	ch = snprintf(out, sizeof(out), "$%s#%02x", payload, sum);
	if (write(c->fd, out, (size_t)ch) != ch)
		die("QEMU is gone");
	while (get(c) != '$')
		;
	while ((ch = get(c)) != '#') {
		if (n + 1 == size)
			die("an answer is too long");
		answer[n++] = (char)ch;
	}
	get(c);
	get(c);
	answer[n] = 0;
	return n;
}

/* The registers as numbers, and how many are not what they were. */
static unsigned int decode(const char *text, unsigned long long *regs)
{
	unsigned int changed = 0;

	for (unsigned int i = 0; i < CORE_BYTES / 8; i++) {
		unsigned long long value = 0;

		for (unsigned int byte = 8; byte-- > 0;) {
			const char hex[3] = { text[16 * i + 2 * byte], text[16 * i + 2 * byte + 1],
					      0 };

			value = value << 8 | strtoul(hex, NULL, 16);
		}
		changed += value != regs[i];
		regs[i] = value;
	}
	return changed;
}

int main(int argc, char **argv)
{
	static struct client c;
	static char text[1 << 16];
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	unsigned long long regs[CORE_BYTES / 8] = { 0 }, changed = 0;
	unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	double start;

	if (!n || strncmp(argv[1], "unix:", 5) != 0 || strlen(argv[1] + 5) >= sizeof(un.sun_path))
		die("usage: stepper unix:PATH N");
	strcpy(un.sun_path, argv[1] + 5);
	c.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c.fd < 0 || connect(c.fd, (struct sockaddr *)&un, sizeof(un)))
		die("nobody there");
	ask(&c, "qSupported:multiprocess+", text, sizeof(text));
	ask(&c, "Hgp1.1", text, sizeof(text));
	start = now();
	for (unsigned long i = 0; i < n; i++) {
		if (ask(&c, "vCont;s:p1.1", text, sizeof(text)) < 3 || text[0] != 'T')
			die("a step did not stop");
		if (ask(&c, "g", text, sizeof(text)) < 2 * (size_t)CORE_BYTES)
			die("not the registers");
		changed += decode(text, regs);
	}
	printf("%.6f\n", now() - start);
	fprintf(stderr, "%#llx, %llu changes\n", regs[PC], changed);
	return 0;
}
