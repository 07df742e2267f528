/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's values (loader/board), for the loader and for baton-mkimage. */
#include "board.h"
#include "loader.h"

const struct baton_image_board board = {
	.name = BOARD_NAME,
	.load_address = BOARD_LOAD_ADDRESS,
	.memory_start = BOARD_MEMORY_START,
	.memory_size = BOARD_MEMORY_SIZE,
	.uart = BOARD_UART,
	.dtb = BOARD_DTB,
	.kernel_el = BOARD_KERNEL_EL,
	.cpus = BOARD_CPUS,
	.psci = BOARD_PSCI,
	.cpu_timeout = BOARD_CPU_TIMEOUT,
	.gicd = BOARD_GICD,
	.gicc = BOARD_GICC,
	.gicr = BOARD_GICR,
	.spin_table = BOARD_SPIN_TABLE,
	.gic = BOARD_GIC,
	.timer = BOARD_TIMER,
};

_Static_assert(BOARD_KERNEL_EL == 1 || BOARD_KERNEL_EL == 2, "kernel_el is 1 or 2");
_Static_assert(BOARD_CPUS >= 1 && BOARD_CPUS <= BATON_IMAGE_MAX_CPUS, "cpus is out of range");
_Static_assert(BOARD_LOAD_ADDRESS % 0x200000 == 0, "load_address is not 2 MiB aligned");

__attribute__((section(".stacks"), aligned(16))) char stacks[BATON_IMAGE_MAX_CPUS * STACK_SIZE];
