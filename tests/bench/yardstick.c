// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the dump of a guest's tables is measured against: the least that any client has to do.
 * Reads every table below both roots once, counts tables and leaves, prints nothing else.
 *
 *   yardstick unix:PATH WINDOW     by packets, WINDOW of them under way
 *   yardstick unix:PATH mem PID    where they lie in QEMU's memory; the walk is not timed
 *
 * 4 KiB granule, 48 bits, as Debian's Linux has it. Prints "SECONDS TABLES LEAVES". The guest
 * stays stopped. baton's own code reads the roots and says where RAM is, untimed.
 */
#include "machine/live.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES 512
#define CHUNK	0x800 /* what one `m` may ask for */
#define ADDRESS UINT64_C(0x0000fffffffff000)
#define WINDOW	64

struct table {
	uint64_t pa;
	int level;
};

struct work {
	struct table *table;
	size_t count, cap;
	uint64_t leaves;
	int fd;
	char in[1 << 16]; /* received, not taken yet */
	size_t in_at, in_end;
	char out[4096];
	size_t out_len;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "yardstick: %s\n", what);
	exit(2);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add(struct work *w, uint64_t pa, int level)
{
	if (w->count == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 4096;
		w->table = realloc(w->table, w->cap * sizeof(*w->table));
		if (!w->table)
			die("no memory");
	}
	w->table[w->count++] = (struct table){ pa, level };
}

static void look(struct work *w, int level, const uint64_t *entry, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!(entry[i] & 1))
			continue;
		if (level < 3 && (entry[i] & 2))
			add(w, entry[i] & ADDRESS, level + 1);
		else if (level > 0 && (level == 3) == !!(entry[i] & 2))
			w->leaves++;
	}
}

static void flush(struct work *w)
{
	size_t at = 0;

	while (at < w->out_len) {
		ssize_t n = write(w->fd, w->out + at, w->out_len - at);

		if (n <= 0)
			die("QEMU is gone");
		at += (size_t)n;
	}
	w->out_len = 0;
}

static void request(struct work *w, const char *payload)
{
	unsigned char sum = 0;

	for (const char *p = payload; *p; p++)
		sum = (unsigned char)(sum + *p);
	w->out_len += (size_t)snprintf(w->out + w->out_len, sizeof(w->out) - w->out_len, "$%s#%02x",
				       payload, sum);
}

static int get(struct work *w)
{
	if (w->in_at == w->in_end) {
		ssize_t n;

		flush(w); /* nothing more will come before that has gone */
		n = read(w->fd, w->in, sizeof(w->in));
		if (n <= 0)
			die("QEMU is gone");
		w->in_at = 0;
		w->in_end = (size_t)n;
	}
	return (unsigned char)w->in[w->in_at++];
}

/* The next packet; every bare client trusts a unix socket and skips the checksum. */
static size_t answer(struct work *w, char *text, size_t size)
{
	size_t n = 0;
	int c;

	while (get(w) != '$')
		;
	while ((c = get(w)) != '#') {
		if (n == size)
			die("an answer is too long");
		text[n++] = (char)c;
	}
	get(w);
	get(w);
	return n;
}

static unsigned char nibble[256];

static void decode(const char *text, size_t n, uint64_t *word)
{
	unsigned char *to = (unsigned char *)word;

	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)(nibble[(unsigned char)text[2 * i]] << 4 |
					nibble[(unsigned char)text[2 * i + 1]]);
}

static void by_packets(struct work *w, size_t window)
{
	size_t sent = 0, got = 0; /* halves of tables */
	static char text[2 * CHUNK];
	uint64_t word[CHUNK / 8];

	request(w, "Qqemu.PhyMemMode:1");
	if (answer(w, text, sizeof(text)) != 2)
		die("no physical mode");
	while (got < 2 * w->count) {
		while (sent < 2 * w->count && sent - got < window) {
			char payload[40];

			snprintf(payload, sizeof(payload), "m%llx,%x",
				 (unsigned long long)(w->table[sent / 2].pa + sent % 2 * CHUNK),
				 CHUNK);
			request(w, payload);
			sent++;
		}
		if (answer(w, text, sizeof(text)) != sizeof(text))
			die("a table cannot be read");
		decode(text, CHUNK, word);
		look(w, w->table[got / 2].level, word, CHUNK / 8);
		got++;
	}
	request(w, "Qqemu.PhyMemMode:0");
	answer(w, text, sizeof(text));
}

static void connect_to(struct work *w, const char *address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (strncmp(address, "unix:", 5) != 0 || strlen(address + 5) >= sizeof(un.sun_path))
		die("unix:PATH, please");
	strcpy(un.sun_path, address + 5);
	w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&un, sizeof(un)))
		die("nobody there");
}

/* The roots, and where in QEMU's memory the RAM's first byte is. */
static void ask(struct work *w, const char *address, uint64_t *ram, uint64_t *host)
{
	static const char *const names[] = { "TTBR0_EL1", "TTBR1_EL1" };
	struct buf text = { 0 };
	struct loop loop = { 0 };
	struct live live = { 0 };
	uint64_t root;

	if (live_open(&live, &loop, address, &text))
		die(text.data);
	for (int i = 0; i < 2; i++) {
		if (machine_reg_read(&live.m, 0, names[i], &root))
			die(names[i]);
		add(w, root & ADDRESS & ~UINT64_C(1), 0);
	}
	if (machine_query(&live.m, "gpa2hva 0x40000000", &text) || !strstr(text.data, " is 0x"))
		die("gpa2hva");
	*ram = 0x40000000;
	*host = strtoull(strstr(text.data, " is 0x") + 4, NULL, 16);
	buf_free(&text);
	live_close(&live);
}

static double by_memory(const struct work *w, const char *pid, uint64_t ram, uint64_t host)
{
	static uint64_t page[ENTRIES];
	char path[64];
	double start;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	start = now();
	for (size_t i = 0; i < w->count; i++) {
		if (pread(fd, page, sizeof(page), (off_t)(host + (w->table[i].pa - ram))) !=
		    sizeof(page))
			die("a table is not there");
	}
	start = now() - start;
	close(fd);
	return start;
}

int main(int argc, char **argv)
{
	bool memory = argc == 4 && strcmp(argv[2], "mem") == 0;
	static struct work w;
	uint64_t ram, host;
	double seconds;
	size_t window = argc == 3 ? strtoul(argv[2], NULL, 10) : memory ? WINDOW : 0;

	if (!window || window > WINDOW)
		die("usage: yardstick unix:PATH WINDOW | unix:PATH mem PID");
	for (int i = 0; i < 10; i++)
		nibble['0' + i] = (unsigned char)i;
	for (int i = 0; i < 6; i++)
		nibble['a' + i] = (unsigned char)(10 + i);
	ask(&w, argv[1], &ram, &host);
	connect_to(&w, argv[1]);
	seconds = now();
	by_packets(&w, window);
	seconds = now() - seconds;
	if (memory)
		seconds = by_memory(&w, argv[3], ram, host);
	printf("%.6f %zu %llu\n", seconds, w.count, (unsigned long long)w.leaves);
	close(w.fd);
	free(w.table);
	return 0;
}
