// SPDX-License-Identifier: BSD-2-Clause
/* What the task asks for, and what it does wrong; the kernel's own mistakes end it. */
#include "kernel.h"

/* Numbers in x8, the argument in x0. */
#define SYS_PUTCHAR 1
#define SYS_EXIT    2

#define ESR_EC(esr)  ((unsigned int)((esr) >> 26 & 0x3f))
#define ESR_IL(esr)  ((unsigned int)((esr) >> 25 & 1))
#define ESR_ISS(esr) ((unsigned int)((esr)&0x1ffffff))
#define EC_SVC	     0x15
#define EC_IABT_LOW  0x20
#define EC_DABT_LOW  0x24

/* DDI 0487, D17.2.37, ISS of an abort: the two low bits are the level. */
static const char *fault_status(unsigned int fsc)
{
	switch (fsc >> 2) {
	case 0:
		return "address size fault";
	case 1:
		return "translation fault";
	case 2:
		return "access flag fault";
	case 3:
		return "permission fault";
	default:
		return "other fault";
	}
}

static void report_fault(const struct frame *f, uint64_t esr, uint64_t far)
{
	unsigned int ec = ESR_EC(esr), fsc = ESR_ISS(esr) & 0x3f;
	bool data = ec == EC_DABT_LOW;

	say("MON|ERROR: faulting PD: task");
	if (!data && ec != EC_IABT_LOW) {
		say("MON|ERROR: UserException: ip=0x%016lx  esr=0x%016lx  ec: 0x%08x", f->elr, esr,
		    ec);
		return;
	}
	say("MON|ERROR: VMFault: ip=0x%016lx  fault_addr=0x%016lx  fsr=0x%016lx  (%s fault)",
	    f->elr, far, esr, data ? "data" : "instruction");
	say("MON|ERROR:   ec: 0x%08x  %s Abort from a lower Exception level   il: %u   iss: 0x%08x",
	    ec, data ? "Data" : "Instruction", ESR_IL(esr), ESR_ISS(esr));
	say("MON|ERROR:   %s = %s, level %u (0x%08x)", data ? "dfsc" : "ifsc", fault_status(fsc),
	    fsc & 3, fsc);
}

void task_trap(struct frame *f)
{
	uint64_t esr = sysreg_read("esr_el" EL), far = sysreg_read("far_el" EL);

	if (ESR_EC(esr) == EC_SVC && f->x[8] == SYS_PUTCHAR) {
		console_task_char((char)f->x[0]);
		return;
	}
	if (ESR_EC(esr) == EC_SVC && f->x[8] == SYS_EXIT)
		die("kernel: task exited with status %lu", f->x[0]);
	if (ESR_EC(esr) == EC_SVC)
		die("kernel: task asked for the unknown system call %lu", f->x[8]);
	report_fault(f, esr, far);
	die("kernel: task stopped");
}

void kernel_trap(uint64_t vector)
{
	die("kernel: exception %lu at EL" EL ": esr 0x%016lx elr 0x%016lx far 0x%016lx", vector,
	    sysreg_read("esr_el" EL), sysreg_read("elr_el" EL), sysreg_read("far_el" EL));
}
