// SPDX-License-Identifier: BSD-2-Clause
/*
 * Translation tables, 4 KiB granule. At EL1 the kernel is TTBR1's and the task
 * TTBR0's. At EL2, without VHE, TTBR0_EL2 is the kernel's; the task runs at EL0
 * with HCR_EL2.TGE, its stage 1 off, so that its addresses are intermediate
 * physical ones and stage 2 is all the translation that it has.
 */
#include "kernel.h"

#define PAGE_SIZE 4096ul
#define BLOCK_2M  (1ul << 21)

/* DDI 0487, D8.3: what all stages share. */
#define DESC_BLOCK 1ul
#define DESC_PAGE  3ul
#define DESC_TABLE 3ul
#define DESC_INNER (3ul << 8)
#define DESC_AF	   (1ul << 10)
#define DESC_XN	   (1ul << 54) /* UXN where there is an EL0 in the regime */
/* Stage 1. AP[1] lets EL0 in at EL1, and is RES1 at EL2. */
#define S1_ATTR(n) ((uint64_t)(n) << 2)
#define S1_USER	   (1ul << 6)
#define S1_RO	   (1ul << 7)
#define S1_NG	   (1ul << 11)
#define S1_PXN	   (1ul << 53)
/* Stage 2: read and write, normal write-back. */
#define S2_RW	  (3ul << 6)
#define S2_NORMAL (0xful << 2)

#if KERNEL_EL == 1
#define S1_NOEXEC    (DESC_XN | S1_PXN)
#define S1_TEXT	     (DESC_XN | S1_RO)
#define TASK_LEVEL   0
#define TASK_IA_BITS 48
#define TASK_NAME    "TTBR0_EL1"
#else
#define S1_NOEXEC    (DESC_XN | S1_USER)
#define S1_TEXT	     (S1_USER | S1_RO)
#define TASK_LEVEL   1 /* 40 bits in: two tables at level 1, side by side */
#define TASK_IA_BITS 40
#define TASK_NAME    "VTTBR_EL2"
#endif

#define MAIR_NORMAL_WB 0xff

/* The loader's boot tables end with the level-2 table of the kernel: so do ours. */
#define WINDOW	  (kernel_linked_at & ~((1ul << 30) - 1))
#define UART_VIRT (WINDOW + 511 * BLOCK_2M)
#define PEEK_VIRT (WINDOW + 510 * BLOCK_2M)

static uint64_t pool[24][512] __attribute__((aligned(4096)));
static unsigned int pool_used;
static uint64_t task_root[2][512] __attribute__((aligned(8192)));
static uint64_t *kernel_root;
static uint64_t kernel_pv;	/* physical minus virtual */
static uint64_t normal, device; /* AttrIndx in place */

uint64_t kernel_pa(const void *va)
{
	return (uint64_t)(uintptr_t)va + kernel_pv;
}

static uint64_t *table_new(void)
{
	if (pool_used == sizeof(pool) / sizeof(pool[0]))
		die("kernel: out of translation tables");
	return pool[pool_used++];
}

static void map(uint64_t *table, unsigned int level, unsigned int last, uint64_t ia, uint64_t desc)
{
	/* The root of the second stage may be two tables long: do not cut its index to 9 bits. */
	uint64_t *d = &table[ia >> (39 - 9 * level)];

	for (; level < last; level++) {
		if (!*d)
			*d = kernel_pa(table_new()) | DESC_TABLE;
		table = (uint64_t *)((*d & PA_MASK) - kernel_pv);
		d = &table[ia >> (39 - 9 * (level + 1)) & 511];
	}
	*d = desc;
}

static void map_kernel(const char *from, const char *to, uint64_t attrs)
{
	for (; from < to; from += PAGE_SIZE)
		map(kernel_root, 0, 3, (uint64_t)from & ((1ul << 48) - 1),
		    kernel_pa(from) | attrs | normal | DESC_INNER | DESC_AF | DESC_PAGE);
}

/*
 * Memory attributes are the loader's (MAIR is in use while we run, and changing
 * it changes the memory under us), but nothing says at which index it put them.
 */
static uint64_t find_attr(unsigned char want, unsigned char or_else)
{
	uint64_t mair = sysreg_read("mair_el" EL);

	for (unsigned int i = 0; i < 8; i++) {
		unsigned char attr = mair >> (8 * i) & 0xff;

		if (attr == want || attr == or_else)
			return S1_ATTR(i);
	}
	die("kernel: MAIR_EL" EL " = 0x%016lx has no attribute 0x%02x", mair, (unsigned int)want);
}

/* D17.2.139: the size field that TCR takes is the one of ID_AA64MMFR0_EL1, without LPA2. */
static uint64_t pa_range(unsigned int most)
{
	uint64_t range = sysreg_read("id_aa64mmfr0_el1") & 0xf;

	return range < most ? range : most;
}

static void check_regime(void)
{
	uint64_t tcr = sysreg_read("tcr_el" EL);
#if KERNEL_EL == 1
	uint64_t size = tcr >> 16 & 0x3f, granule_ok = (tcr >> 30 & 3) == 2;
#else
	uint64_t size = tcr & 0x3f, granule_ok = (tcr >> 14 & 3) == 0;
#endif
	if (size != 16 || !granule_ok)
		die("kernel: TCR_EL" EL " = 0x%016lx is not 48 bits of 4 KiB pages", tcr);
}

void tables_build(void)
{
	check_regime();
	normal = find_attr(MAIR_NORMAL_WB, MAIR_NORMAL_WB);
	device = find_attr(0x00, 0x04); /* device-nGnRnE, or -nGnRE */

	/* Where are we? The loader's x2 is the task's offset; ours the MMU knows. */
	kernel_pv = (translate((uintptr_t)kernel_start, false) & PA_MASK) - (uintptr_t)kernel_start;

	kernel_root = table_new();
	map_kernel(kernel_start, kernel_rodata, S1_TEXT);
	map_kernel(kernel_rodata, kernel_data, S1_NOEXEC | S1_RO);
	map_kernel(kernel_data, kernel_end, S1_NOEXEC);
	map(kernel_root, 0, 2, UART_VIRT & ((1ul << 48) - 1),
	    UART_PHYS | device | S1_NOEXEC | DESC_AF | DESC_BLOCK);
}

static void flush(void)
{
	__asm__ volatile("dsb ish\n\t"
#if KERNEL_EL == 1
			 "tlbi vmalle1\n\t"
#else
			 "tlbi alle2\n\ttlbi alle1\n\t"
#endif
			 "dsb ish\n\tisb" ::
				 : "memory");
}

void tables_install(void)
{
	__asm__ volatile("dsb ish" ::: "memory");
#if KERNEL_EL == 1
	/* T0SZ = T1SZ = 16, 4 KiB, walks write-back and inner shareable, IPS as the CPU has it. */
	sysreg_write("ttbr1_el1", kernel_pa(kernel_root));
	sysreg_write("ttbr0_el1", kernel_pa(task_root));
	sysreg_write("tcr_el1", pa_range(5) << 32 | 0xb5103510);
#else
	/* The same with PS; VTCR_EL2: 40 bits in (T0SZ 24), walks from level 1 (SL0). */
	sysreg_write("ttbr0_el2", kernel_pa(kernel_root));
	sysreg_write("tcr_el2", pa_range(5) << 16 | 0x80803510);
	sysreg_write("vttbr_el2", kernel_pa(task_root));
	sysreg_write("vtcr_el2", pa_range(2) << 16 | 0x80003558);
	/* RW, TGE, DC (with stage 1 off the task's memory is write-back), AMO, IMO, FMO, SWIO, VM.
	 */
	sysreg_write("hcr_el2", 1ul << 31 | 1ul << 27 | 1ul << 12 | 0x38 | 1ul << 1 | 1);
#endif
	flush();
	console_use(UART_VIRT, true);
}

const volatile void *tables_peek(uint64_t pa)
{
	uint64_t ia = PEEK_VIRT & ((1ul << 48) - 1);

	map(kernel_root, 0, 3, ia, 0);
	flush();
	map(kernel_root, 0, 3, ia,
	    (pa & PA_MASK) | normal | S1_NOEXEC | S1_RO | DESC_INNER | DESC_AF | DESC_PAGE);
	flush();
	return (const volatile void *)(PEEK_VIRT + pa % PAGE_SIZE);
}

/* The loader names one range for all of the task: all of it may be read, written and executed. */
void tables_map_task(const struct boot_args *args)
{
#if KERNEL_EL == 1
	uint64_t attrs = normal | S1_USER | S1_NG | S1_PXN;
#else
	uint64_t attrs = S2_NORMAL | S2_RW;
#endif
	uint64_t va = args->task_start - args->pv_offset;
	uint64_t end = va + (args->task_end - args->task_start);

	say("kernel: mapping the task, 0x%lx-0x%lx at 0x%lx, by " TASK_NAME, args->task_start,
	    args->task_end, va);
	for (; va < end; va += PAGE_SIZE)
		map(task_root[0], TASK_LEVEL, 3, va,
		    (va + args->pv_offset) | attrs | DESC_INNER | DESC_AF | DESC_PAGE);
	flush();
}
