// SPDX-License-Identifier: BSD-2-Clause
/*
 * A Linux program that grows 30,000 page tables: one page in each of as many regions of
 * 2 MiB, and beside them some of every kind: dense, huge, read-only, executable, PROT_NONE.
 * Of half of them the access flag is clear. It prints what its own pagemap says, the line
 * "guest: ready", and goes on for ever, now in user space, now in the kernel. No libc, so
 * that the package of the compiler is enough.
 *
 * Its lines, all numbers hexadecimal, pages of 4 KiB:
 *   v START END PERM          one of its areas, as /proc/self/maps has it
 *   DVA DPFN [N]              N (1) pages that follow each other; number of the first and
 *                             its frame as the difference to the first of the line before
 *   guest: pagemap N          the number of pages told
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE   UINT64_C(4096)
#define MIB2   UINT64_C(0x200000)
#define SPARSE 30000
#define DENSE  4096 /* pages */
#define HUGE   25

/* Of include/uapi: asm-generic/unistd.h, asm-generic/mman-common.h. */
enum { SYS_close = 57, SYS_read = 63, SYS_write = 64, SYS_pread64 = 67, SYS_openat = 56 };
enum { SYS_exit = 93, SYS_sched_setaffinity = 122, SYS_mmap = 222 };
enum { SYS_mprotect = 226, SYS_madvise = 233 };
enum { PROT_NONE, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000 };
enum { MADV_HUGEPAGE = 14, MADV_NOHUGEPAGE = 15 };
#define AT_FDCWD -100

/* Both of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst). */
#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_FRAME   ((UINT64_C(1) << 55) - 1)

static char maps[16384], text[32768], junk[1 << 16];
static uint64_t entry[65536];
static size_t text_len;

/* One run of pages under way, and the run that was told last. */
static struct run {
	uint64_t page, frame, count;
} run, told;
static uint64_t pages;

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

static void flush(void)
{
	size_t at = 0;

	while (at < text_len) {
		long n = call(SYS_write, 1, (long)(text + at), (long)(text_len - at), 0, 0, 0);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	text_len = 0;
}

static void put(const char *s)
{
	while (*s) {
		if (text_len == sizeof(text))
			flush();
		text[text_len++] = *s++;
	}
}

static void put_hex(uint64_t n)
{
	char digits[17];
	size_t i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = "0123456789abcdef"[n & 15];
		n >>= 4;
	} while (n);
	put(digits + i);
}

static void put_difference(uint64_t now, uint64_t before)
{
	if (now < before)
		put("-");
	put_hex(now < before ? before - now : now - before);
}

static void die(const char *what)
{
	put("guest: failed: ");
	put(what);
	put("\n");
	flush();
	call(SYS_exit, 1, 0, 0, 0, 0, 0);
}

static uint8_t *map(uint64_t size, int prot, int flags)
{
	long p = call(SYS_mmap, 0, (long)size, prot, flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p < 0 && p > -4096)
		die("mmap");
	return (uint8_t *)p;
}

static void touch(uint8_t *p, uint64_t pages_n, uint64_t stride)
{
	for (uint64_t i = 0; i < pages_n; i++)
		*(volatile uint8_t *)(p + i * stride) = (uint8_t)i;
}

static void protect(uint8_t *p, uint64_t size, int prot)
{
	if (call(SYS_mprotect, (long)p, (long)size, prot, 0, 0, 0))
		die("mprotect");
}

/* Access flags: clear them all, and use every other page again. */
static void age(uint8_t *sparse)
{
	long fd = call(SYS_openat, AT_FDCWD, (long)"/proc/self/clear_refs", 1, 0, 0, 0);

	if (fd < 0 || call(SYS_write, fd, (long)"1", 1, 0, 0, 0) != 1)
		die("/proc/self/clear_refs");
	call(SYS_close, fd, 0, 0, 0, 0, 0);
	for (uint64_t i = 0; i < SPARSE; i += 2)
		sparse[i * MIB2 + i % 512 * PAGE] = (uint8_t)i;
}

static void grow(void)
{
	uint8_t *sparse = map(SPARSE * MIB2 + MIB2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	uint8_t *dense = map(DENSE * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	uint8_t *huge = map((HUGE + 1) * MIB2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	uint8_t *shared = map(64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	sparse = (uint8_t *)(((uintptr_t)sparse + MIB2 - 1) & ~(uintptr_t)(MIB2 - 1));
	huge = (uint8_t *)(((uintptr_t)huge + MIB2 - 1) & ~(uintptr_t)(MIB2 - 1));
	call(SYS_madvise, (long)sparse, SPARSE * MIB2, MADV_NOHUGEPAGE, 0, 0, 0);
	call(SYS_madvise, (long)dense, DENSE * PAGE, MADV_NOHUGEPAGE, 0, 0, 0);
	call(SYS_madvise, (long)huge, HUGE * MIB2, MADV_HUGEPAGE, 0, 0, 0);
	/* Not always the first page: tables that are filled at other places too. */
	for (uint64_t i = 0; i < SPARSE; i++)
		sparse[i * MIB2 + i % 512 * PAGE] = (uint8_t)i;
	touch(dense, DENSE, PAGE);
	touch(huge, HUGE, MIB2);
	touch(shared, 64, PAGE);
	protect(dense + 512 * PAGE, 512 * PAGE, PROT_READ);
	protect(dense + 1100 * PAGE, 400 * PAGE, PROT_READ | PROT_EXEC);
	protect(dense + 1600 * PAGE, 96 * PAGE, PROT_NONE);
	protect(dense + 1800 * PAGE, 7 * PAGE, PROT_EXEC);
	age(sparse);
	/* The zero page, mapped by reading. */
	(void)*(volatile uint8_t *)map(PAGE, PROT_READ, MAP_PRIVATE);
}

static void tell_run(void)
{
	if (!run.count)
		return;
	put_difference(run.page, told.page);
	put(" ");
	put_difference(run.frame, told.frame);
	if (run.count > 1) {
		put(" ");
		put_hex(run.count);
	}
	put("\n");
	pages += run.count;
	told = run;
	run.count = 0;
}

static void tell_page(uint64_t page, uint64_t value)
{
	uint64_t frame = value & PM_FRAME;

	if (!(value & PM_PRESENT))
		return;
	if (run.count && run.page + run.count == page && run.frame + run.count == frame) {
		run.count++;
		return;
	}
	tell_run();
	run = (struct run){ page, frame, 1 };
}

static void tell_area(int pagemap, uint64_t page, uint64_t end)
{
	while (page < end) {
		uint64_t n = end - page < 65536 ? end - page : 65536;
		long got = call(SYS_pread64, pagemap, (long)entry, (long)(n * 8), (long)(page * 8),
				0, 0);

		if (got <= 0)
			die("/proc/self/pagemap");
		for (uint64_t i = 0; i < (uint64_t)got / 8; i++)
			tell_page(page + i, entry[i]);
		page += (uint64_t)got / 8;
	}
	tell_run();
}

static int open_file(const char *path)
{
	long fd = call(SYS_openat, AT_FDCWD, (long)path, 0, 0, 0, 0);

	if (fd < 0)
		die(path);
	return (int)fd;
}

static uint64_t parse_hex(const char **s)
{
	uint64_t n = 0;

	for (;; (*s)++) {
		if (**s >= '0' && **s <= '9')
			n = n << 4 | (uint64_t)(**s - '0');
		else if (**s >= 'a' && **s <= 'f')
			n = n << 4 | (uint64_t)(**s - 'a' + 10);
		else
			return n;
	}
}

/* "START-END PERM ..." */
static const char *tell_line(int pagemap, const char *s)
{
	uint64_t start = parse_hex(&s), end;
	char perm[5] = "";

	s++;
	end = parse_hex(&s);
	s++;
	for (int i = 0; i < 4; i++)
		perm[i] = *s++;
	put("v ");
	put_hex(start);
	put(" ");
	put_hex(end);
	put(" ");
	put(perm);
	put("\n");
	tell_area(pagemap, start / PAGE, end / PAGE);
	while (*s && *s != '\n')
		s++;
	return *s ? s + 1 : s;
}

static void tell(void)
{
	int fd = open_file("/proc/self/maps"), pagemap = open_file("/proc/self/pagemap");
	size_t len = 0;
	long n;

	while ((n = call(SYS_read, fd, (long)(maps + len), (long)(sizeof(maps) - 1 - len), 0, 0,
			 0)) > 0)
		len += (size_t)n;
	if (len == sizeof(maps) - 1)
		die("/proc/self/maps is too long");
	for (const char *s = maps; *s;)
		s = tell_line(pagemap, s);
	put("guest: pagemap ");
	put_hex(pages);
	put("\n");
}

void grow_main(void) __attribute__((noreturn));

void grow_main(void)
{
	uint64_t cpu0 = 1;
	int zero;

	call(SYS_sched_setaffinity, 0, sizeof(cpu0), (long)&cpu0, 0, 0, 0);
	/* All that is ever written is there before it is told. */
	touch((uint8_t *)maps, sizeof(maps) / PAGE, PAGE);
	touch((uint8_t *)text, sizeof(text) / PAGE, PAGE);
	touch((uint8_t *)junk, sizeof(junk) / PAGE, PAGE);
	touch((uint8_t *)entry, sizeof(entry) / PAGE, PAGE);
	zero = open_file("/dev/zero");
	grow();
	tell();
	put("guest: ready\n");
	flush();
	for (;;) {
		for (volatile unsigned int i = 0; i < 3000000; i++)
			;
		for (unsigned int i = 0; i < 600; i++)
			call(SYS_read, zero, (long)junk, sizeof(junk), 0, 0, 0);
	}
}

__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tb grow_main\n");
