/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/fastram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PROOF 64u

/*
 * Which process it is, for ever: no two of one boot have both number and time of start in
 * common (proc(5), field 22, behind the name, which may have anything in it).
 */
static void name_process(struct machine *m, pid_t pid)
{
	char boot[9] = "", text[1024] = "", path[48];
	unsigned long long start;
	const char *behind;
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (f && !fgets(boot, sizeof(boot), f))
		boot[0] = '\0';
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	behind = strrchr(text, ')');
	if (boot[0] && behind &&
	    sscanf(behind,
		   ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
		   "%*d %*d %llu",
		   &start) == 1)
		snprintf(m->process, sizeof(m->process), "%s:%d:%llu", boot, (int)pid, start);
}

/* "Host virtual address for 0x40000000 (mach-virt.ram) is 0x7f52a3e00000" */
static int host_of(struct machine *m, uint64_t pa, uint64_t *host)
{
	struct buf text = { 0 };
	char command[40];
	const char *is;
	int err;

	*host = 0;
	snprintf(command, sizeof(command), "gpa2hva %#" PRIx64, pa);
	err = machine_query(m, command, &text);
	is = !err && text.len ? strstr(text.data, " is 0x") : NULL;
	if (is)
		*host = strtoull(is + strlen(" is "), NULL, 16);
	buf_free(&text);
	return err;
}

/* By the file each page is copied twice; by the call it takes more to begin with. */
#define MUCH 16384u

static bool peek(const struct fastram *f, uint64_t host, void *data, size_t len)
{
	struct iovec here = { data, len }, there = { (void *)(uintptr_t)host, len };

	if (len >= MUCH)
		return process_vm_readv(f->pid, &here, 1, &there, 1, 0) == (ssize_t)len;
	return pread(f->fd, data, len, (off_t)host) == (ssize_t)len;
}

/* The same bytes by both ways, at the end of a range where the two might disagree. */
static int prove(struct fastram *f, struct machine *m, const struct fastram_range *r, uint64_t pa,
		 bool *same)
{
	uint8_t slow[PROOF], fast[PROOF];
	int err = machine_phys_read(m, pa, slow, sizeof(slow));

	*same = !err && peek(f, r->host + (pa - r->first), fast, sizeof(fast)) &&
		memcmp(slow, fast, sizeof(slow)) == 0;
	return err == -BATON_ELINK ? err : 0;
}

static int add_range(struct fastram *f, struct machine *m, const struct ram_range *ram)
{
	struct fastram_range r = { .first = ram->first, .last = ram->last };
	uint64_t end = 0;
	bool low = false, high = false;
	int err = host_of(m, r.first, &r.host);

	if (!err)
		err = host_of(m, r.last - (PROOF - 1), &end);
	/* One block of QEMU's memory, end to end? */
	if (err || !r.host || end != r.host + (r.last - (PROOF - 1) - r.first))
		return err;
	err = prove(f, m, &r, r.first, &low);
	if (!err)
		err = prove(f, m, &r, r.last - (PROOF - 1), &high);
	if (err || !low || !high)
		return err;
	f->range = realloc(f->range, (f->count + 1) * sizeof(*f->range));
	if (!f->range)
		abort();
	f->range[f->count++] = r;
	return 0;
}

int fastram_open(struct fastram *f, struct machine *m, pid_t pid)
{
	char path[48];
	int err = 0;

	*f = (struct fastram){ .fd = -1 };
	if (pid <= 0) {
		snprintf(f->why, sizeof(f->why), "QEMU's process is not known");
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	f->pid = pid;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0) {
		snprintf(f->why, sizeof(f->why), "%s: %s", path, strerror(errno));
		return 0;
	}
	for (size_t i = 0; !err && i < m->ram_count; i++) {
		if (m->ram[i].kind == RAM_RAM && m->ram[i].last - m->ram[i].first >= 2 * PROOF)
			err = add_range(f, m, &m->ram[i]);
	}
	if (f->count)
		name_process(m, pid);
	if (!f->count) {
		fastram_close(f);
		snprintf(f->why, sizeof(f->why), "%s does not show what the stub shows", path);
	}
	return err;
}

void fastram_close(struct fastram *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->range);
	*f = (struct fastram){ .fd = -1 };
}

/* Where [pa, pa + len) is in QEMU; 0: not in what is known. */
static uint64_t host_address(const struct fastram *f, uint64_t pa, size_t len)
{
	for (size_t i = 0; f->fd >= 0 && i < f->count; i++) {
		const struct fastram_range *r = &f->range[i];

		if (pa >= r->first && pa <= r->last)
			return len <= r->last - pa + 1 ? r->host + (pa - r->first) : 0;
	}
	return 0;
}

bool fastram_read(const struct fastram *f, uint64_t pa, void *data, size_t len)
{
	uint64_t host = host_address(f, pa, len);

	return host && peek(f, host, data, len);
}

#define VECTORS 256u

void fastram_gather(const struct fastram *f, const uint64_t *pa, unsigned int n, size_t size,
		    uint8_t *data, const bool *ok, bool *done)
{
	memset(done, 0, n * sizeof(*done));
	for (unsigned int i = 0; f->fd >= 0 && i < n;) {
		struct iovec there[VECTORS], here = { .iov_base = data + i * size };
		unsigned int count = 0, first = i;

		/* A run of pieces that can be read, which so lie behind each other here. */
		for (; i < n && count < VECTORS && ok[i]; i++, count++) {
			uint64_t host = host_address(f, pa[i], size);

			if (!host)
				break;
			there[count].iov_base = (void *)(uintptr_t)host;
			there[count].iov_len = size;
		}
		here.iov_len = count * size;
		if (count &&
		    process_vm_readv(f->pid, &here, 1, there, count, 0) == (ssize_t)here.iov_len)
			memset(done + first, 1, count * sizeof(*done));
		i += count == 0;
	}
}
