// SPDX-License-Identifier: BSD-2-Clause
/*
 * Boots the example images and compares at the moments that matter; with arguments, one of
 * tests/guests/list.sh instead. TAP.
 */
#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

char *built(const char *name)
{
	static char path[4][4096];
	static unsigned int next;
	const char *o = getenv("O");
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", o ? o : "build", name);
	return p;
}

void oracle_start(struct oracle *o, char *const *args, const char *console)
{
	static char qemu[] = "qemu-system-aarch64", display[] = "-display", monitor[] = "-monitor",
		    none[] = "none", nic[] = "-nic", serial[] = "-serial";
	char *argv[32] = { qemu, display, none, monitor, none, nic, none, serial };
	const char *own = getenv("QEMU");
	struct buf why = { 0 };
	char file[64];
	unsigned int n = 8;
	int err = -BATON_ELINK;

	if (own && *own && !(argv[0] = strdup(own)))
		abort();
	snprintf(file, sizeof(file), "file:%s", console ? console : "/dev/null");
	argv[n++] = file;
	while (*args && n < 31)
		argv[n++] = *args++;
	*o = (struct oracle){ .random = 1 };
	if (child_start(&o->child, argv, false, &why))
		die("%s", why.data);
	/* The socket is there a moment before QEMU listens on it. */
	for (int tries = 0; tries < 200 && err == -BATON_ELINK; tries++) {
		buf_clear(&why);
		err = live_open(&o->live, &o->loop, o->child.address, &why);
		if (err) {
			live_close(&o->live);
			nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		}
	}
	if (err)
		die("%s", why.data);
	buf_free(&why);
	if (argv[0] != qemu)
		free(argv[0]);
}

void oracle_end(struct oracle *o)
{
	live_close(&o->live);
	child_stop(&o->child);
	free(o->cache);
}

/* e_entry of an ELF64 file. */
static uint64_t entry_of(const char *name)
{
	const char *path = built(name);
	uint64_t entry;
	FILE *f = fopen(path, "r");

	if (!f || fseek(f, 24, SEEK_SET) || fread(&entry, sizeof(entry), 1, f) != 1)
		die("%s: no ELF file", path);
	fclose(f);
	return entry;
}

bool file_has(const char *path, const char *text)
{
	char line[512];
	bool found = false;
	FILE *f = fopen(path, "r");

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, text);
	if (f)
		fclose(f);
	return found;
}

static void run_to(struct oracle *o, uint64_t va, const char *what)
{
	struct machine_stop stop = { 0 };
	struct machine *m = &o->live.m;
	uint64_t pc = 0;

	if (machine_break_add(m, BREAK_COMMAND, BREAK_HARD, va, 4) ||
	    machine_resume(m, 60000, &stop) ||
	    machine_break_remove(m, BREAK_COMMAND, BREAK_HARD, va, 4) ||
	    machine_reg_read(m, m->cpu, "pc", &pc))
		die("%s: %s", what, m->error);
	tap(stop.kind == STOP_SIGNAL && pc == va, "%s: it gets there", what);
	buf_free(&stop.packet);
}

static void run_to_end(struct oracle *o, const char *console, const char *what)
{
	static const char last[] = "kernel: task exited with status 0";
	struct machine *m = &o->live.m;

	for (int i = 0; i < 100 && !file_has(console, last); i++) {
		struct machine_stop stop = { 0 };

		if (machine_resume(m, 300, &stop))
			die("%s: %s", what, m->error);
		buf_free(&stop.packet);
	}
	tap(file_has(console, last), "%s: it gets there", what);
}

struct image {
	const char *file, *kernel, *addr;
	char *machine;
};

static void compare_image(const struct image *image)
{
	static char m[] = "-M", cpu[] = "-cpu", a53[] = "cortex-a53", mem[] = "-m", size[] = "2G",
		    device[] = "-device";
	char console[] = "/tmp/baton-oracle-XXXXXX", what[128];
	char loader[4200];
	char *args[] = { m, image->machine, cpu, a53, mem, size, device, loader, NULL };
	struct oracle o;
	int fd = mkstemp(console);

	if (fd < 0)
		die("%s: no such folder", console);
	close(fd);
	snprintf(loader, sizeof(loader), "loader,file=%s,addr=%s,cpu-num=0", built(image->file),
		 image->addr);
	oracle_start(&o, args, console);

	snprintf(what, sizeof(what), "%s at reset", image->file);
	oracle_compare(&o, what);
	snprintf(what, sizeof(what), "%s at the kernel's entry", image->file);
	run_to(&o, entry_of(image->kernel), what);
	oracle_compare(&o, what);
	/* EL0 under an EL2 kernel (HCR_EL2.TGE) is a regime that is refused so far. */
	if (machine_el(&o.live.m, 0) == 1) {
		snprintf(what, sizeof(what), "%s at the task's entry", image->file);
		run_to(&o, entry_of("examples/kernel/task.elf"), what);
		oracle_compare(&o, what);
	}
	snprintf(what, sizeof(what), "%s with the task gone", image->file);
	run_to_end(&o, console, what);
	oracle_compare(&o, what);

	oracle_end(&o);
	unlink(console);
}

int main(int argc, char **argv)
{
	static char virt[] = "virt", el2[] = "virt,virtualization=on";
	static const struct image images[] = {
		{ "examples/seed/good-el1.img", "examples/kernel/kernel-el1.elf", "0x70000000",
		  virt },
		{ "examples/seed/good-el1-c0.img", "examples/kernel/kernel-el1-c0.elf",
		  "0x70000000", virt },
		{ "examples/seed/good-el2.img", "examples/kernel/kernel-el2.elf", "0x70000000",
		  el2 },
		{ "tests/loader2/good.img", "examples/kernel/kernel-el1.elf", "0x48000000", virt },
	};

	if (argc > 4) {
		guest_run(argv + 1);
		return tap_end();
	}
	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++)
		compare_image(&images[i]);
	handmade_run();
	return tap_end();
}
