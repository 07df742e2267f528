/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers by executed mrs and msr: QEMU's stub shows some and writes none. */
#include "machine/inject.h"
#include "mmu/sysreg.h"

#define MRS_X0 0xd5200000u
#define MSR_X0 0xd5000000u

static int transfer(struct machine *m, unsigned int cpu, const char *name, uint32_t insn,
		    uint64_t *value)
{
	struct inject i = { .cpu = cpu, .code = &insn, .words = 1, .x = { *value } };
	bool read = insn == MRS_X0;
	unsigned int encoding;
	int err;

	if (!sysreg_encode(name, &encoding))
		return machine_fail(m, -BATON_ENOTFOUND,
				    "%s: no system register of that name is known; S3_0_C2_C0_1 is "
				    "another way to name one",
				    name);
	if (sysreg_is_pstate(encoding))
		return machine_fail(m, -BATON_EREFUSED, "%s is a part of cpsr: use that", name);
	/* op0 is 2 or 3: its upper bit is in the instruction's own. */
	insn |= encoding << 5;
	err = inject_run(m, &i);
	if (!err && i.fault)
		return machine_fail(
			m, -BATON_EFAULT,
			"%s cannot be %s at CPU %u's level: the instruction goes to EL%u "
			"with %s (ESR_EL%u %#" PRIx64 ")",
			name, read ? "read" : "written", cpu, i.level, esr_class_words(i.esr),
			i.level, i.esr);
	if (!err)
		*value = i.x[0];
	return err;
}

int inject_sysreg_read(struct machine *m, unsigned int cpu, const char *name, uint64_t *value)
{
	uint64_t x0 = 0;
	int err = transfer(m, cpu, name, MRS_X0, &x0);

	if (!err)
		*value = x0;
	return err;
}

int inject_sysreg_write(struct machine *m, unsigned int cpu, const char *name, uint64_t value)
{
	return transfer(m, cpu, name, MSR_X0, &value);
}
