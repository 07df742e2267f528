// SPDX-License-Identifier: BSD-2-Clause
/* [NUMBER [NAME]]: a sample of each of our machines; or that many, and Debian's Linux. TAP. */
#include "soak.h"

#include "machine/inject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE 75

static const char *const *image(const char *file, const char *machine, const char *cpus)
{
	static char arg[4][4200];
	static const char *args[] = { "-M",   arg[0], "-cpu",	 "cortex-a53", "-m", "2G",
				      "-smp", arg[1], "-device", arg[2],       NULL };
	const char *o = getenv("O");

	snprintf(arg[0], sizeof(arg[0]), "%s", machine);
	snprintf(arg[1], sizeof(arg[1]), "%s", cpus);
	snprintf(arg[2], sizeof(arg[2]), "loader,file=%s/%s,addr=0x70000000,cpu-num=0",
		 o ? o : "build", file);
	return args;
}

static const char *const *linux_args(void)
{
	static char arg[2][4200];
	static const char *args[] = {
		"-M", "virt",	 "-cpu", "cortex-a57", "-m",   "1G",	  "-smp",
		"4",  "-kernel", arg[0], "-initrd",    arg[1], "-append", "console=ttyAMA0 quiet",
		NULL
	};
	const char *o = getenv("O");

	snprintf(arg[0], sizeof(arg[0]), "%s/guests/vmlinuz", o ? o : "build");
	snprintf(arg[1], sizeof(arg[1]), "%s/guests/initrd", o ? o : "build");
	return args;
}

/* e_entry of an ELF64 file. */
static uint64_t entry_of(const char *name)
{
	const char *o = getenv("O");
	char path[4200];
	uint64_t entry;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", o ? o : "build", name);
	f = fopen(path, "r");
	if (!f || fseek(f, 24, SEEK_SET) || fread(&entry, sizeof(entry), 1, f) != 1)
		die("%s: no ELF file", path);
	fclose(f);
	return entry;
}

/* A CPU at EL0 may do nothing of what is asked for. */
static void out_of_reach(void)
{
	uint64_t entry = entry_of("examples/kernel/task.elf"), value, pc = 0;
	struct machine *m;
	struct bench b;
	int err;

	bench_start(&b, image("examples/seed/good-el1.img", "virt", "1"));
	m = &b.live.m;
	if (machine_break_add(m, BREAK_COMMAND, BREAK_HARD, entry, 4))
		die("breakpoint: %s", m->error);
	bench_resume(&b, 30000);
	tap(machine_el(m, 0) == 0, "at EL0");
	err = inject_sysreg_read(m, 0, "MPIDR_EL1", &value);
	tap(err == -BATON_EREFUSED && strstr(m->error, "CPU 0 is at EL0, out of reach"),
	    "at EL0: refused with words");
	tap(!machine_reg_read(m, 0, "pc", &pc) && pc == entry, "at EL0: nothing was done");
	bench_end(&b);
}

/* tests/guests/list.sh's: two stages, and a hypervisor that traps. */
static const char *const *xen_args(void)
{
	static char arg[4][4200];
	static const char *args[] = { "-M",	 "virt,virtualization=on,gic-version=2",
				      "-cpu",	 "cortex-a57",
				      "-m",	 "2G",
				      "-kernel", arg[0],
				      "-dtb",	 arg[1],
				      "-device", arg[2],
				      "-device", arg[3],
				      NULL };
	const char *o = getenv("O");

	o = o ? o : "build";
	snprintf(arg[0], sizeof(arg[0]), "%s/guests/xen", o);
	snprintf(arg[1], sizeof(arg[1]), "%s/guests/xen.dtb", o);
	snprintf(arg[2], sizeof(arg[2]),
		 "loader,file=%s/guests/vmlinuz,addr=0x50000000,force-raw=on", o);
	snprintf(arg[3], sizeof(arg[3]),
		 "loader,file=%s/guests/initrd,addr=0x58000000,force-raw=on", o);
	return args;
}

/* With a name only that one. */
static void soak_if(const char *name, struct guest g, unsigned int count)
{
	if (!name || strstr(g.name, name))
		soak(&g, count);
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? (unsigned int)atoi(argv[1]) : 0;
	unsigned int each = count ? count / 2 : SAMPLE;
	const char *up = "kernel: task exited with status 0", *only = argc > 2 ? argv[2] : NULL;

	if (!count) {
		stale();
		out_of_reach();
	}
	soak_if(only,
		(struct guest){ "loader and kernel at EL1",
				image("examples/seed/good-el1.img", "virt", "1"), up, 0, false },
		each);
	soak_if(only,
		(struct guest){ "loader and kernel at EL2, 4 CPUs",
				image("examples/seed/good-el2.img", "virt,virtualization=on", "4"),
				up, 0, false },
		each);
	if (count)
		soak_if(only,
			(struct guest){ "Linux, 4 CPUs", linux_args(), "guest: ready", 0, true },
			count);
	if (count)
		soak_if(only,
			(struct guest){ "Xen with Linux", xen_args(), "guest: ready", 6000, true },
			each / 5);
	return tap_end();
}
