// SPDX-License-Identifier: BSD-2-Clause
/*
 * [NUMBER [NAME [kvm]]]: a sample of each of our machines; or that many, and Debian's Linux; all
 * through the shim of tests/kvm. TAP.
 */
#include "soak.h"

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
static void soak_if(char **only, struct guest g, unsigned int count)
{
	if (only[0] && !strstr(g.name, only[0]))
		return;
	g.kvm |= only[0] && only[1] && !strcmp(only[1], "kvm");
	soak(&g, count);
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? (unsigned int)atoi(argv[1]) : 0;
	unsigned int each = count ? count / 2 : SAMPLE;
	const char *up = "kernel: task exited with status 0";
	char *none = NULL, **only = argc > 2 ? argv + 2 : &none;

	if (!count)
		stale();
	soak_if(only,
		(struct guest){ "loader and kernel at EL1",
				image("examples/seed/good-el1.img", "virt", "1"), up, 0, false,
				false },
		each);
	soak_if(only,
		(struct guest){ "loader and kernel at EL2, 4 CPUs",
				image("examples/seed/good-el2.img", "virt,virtualization=on", "4"),
				up, 0, false, false },
		each);
	if (!count)
		soak_if(only,
			(struct guest){ "loader and kernel at EL1, 4 CPUs, through the KVM shim",
					image("examples/seed/good-el1-smp4.img", "virt", "4"), up,
					0, false, true },
			each);
	if (count)
		soak_if(only,
			(struct guest){ "Linux, 4 CPUs", linux_args(), "guest: ready", 0, true,
					false },
			count);
	if (count)
		soak_if(only,
			(struct guest){ "Xen with Linux", xen_args(), "guest: ready", 6000, true,
					false },
			each / 5);
	return tap_end();
}
