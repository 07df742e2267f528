// SPDX-License-Identifier: BSD-2-Clause
/* QEMU with the guest, its memory a file that we map too. */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "at.h"

static void die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1); /* QEMU ends with us: PR_SET_PDEATHSIG */
}

/* xorshift64*: the same campaign in every run. */
uint64_t at_random(struct at_machine *m)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return m->random * UINT64_C(0x2545f4914f6cdd1d);
}

unsigned int at_below(struct at_machine *m, unsigned int n)
{
	return (unsigned int)((at_random(m) >> 32) * n >> 32);
}

uint64_t *at_word(struct at_machine *m, uint64_t pa)
{
	if (pa < AT_RAM || pa > AT_RAM + AT_SIZE - 8 || (pa & 7))
		return NULL;
	return (uint64_t *)(void *)(m->copy + (pa - AT_RAM));
}

static void run_qemu(const char *cpu, const char *file)
{
	const char *qemu = getenv("QEMU"), *o = getenv("O");
	char backend[4200], loader[4200];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(backend, sizeof(backend),
		 "memory-backend-file,id=ram,size=256M,share=on,mem-path=%s", file);
	snprintf(loader, sizeof(loader),
		 "loader,file=%s/tests/oracle/at/guest.bin,addr=0x40200000,cpu-num=0,force-raw=on",
		 o ? o : "build");
	execlp(qemu && *qemu ? qemu : "qemu-system-aarch64", "qemu-system-aarch64", "-M",
	       "virt,secure=on,virtualization=on,memory-backend=ram", "-object", backend, "-cpu",
	       cpu, "-m", "256M", "-display", "none", "-serial", "none", "-monitor", "none", "-nic",
	       "none", "-device", loader, NULL);
	_exit(127);
}

static void *map_shared(int fd)
{
	void *p = mmap(NULL, AT_SIZE, PROT_READ | PROT_WRITE,
		       fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die("no memory");
	return p;
}

/* The guest answers by setting go to 2. */
static void wait_done(struct at_machine *m)
{
	for (int ms = 0; ms < 60000; ms++) {
		for (int i = 0; i < 2000; i++)
			if (__atomic_load_n(&m->job->go, __ATOMIC_ACQUIRE) == 2)
				return;
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
		if (waitpid((pid_t)m->pid, NULL, WNOHANG))
			die("QEMU ended");
	}
	die("the guest does not answer");
}

void at_start(struct at_machine *m, const char *cpu)
{
	char file[] = "/tmp/baton-at-XXXXXX";
	int fd = mkstemp(file);

	if (fd < 0 || ftruncate(fd, (off_t)AT_SIZE))
		die("no file for the guest's memory");
	*m = (struct at_machine){ .cpu = cpu, .max = !strcmp(cpu, "max"), .random = 1 };
	m->ram = map_shared(fd);
	m->copy = map_shared(-1);
	m->job = (struct at_job *)(void *)(m->ram + (AT_JOB - AT_RAM));
	for (uint64_t at = AT_EXEC; at < AT_EXEC_END; at += 4)
		*(uint32_t *)(void *)(m->ram + (at - AT_RAM)) = 0xd4000003;
	memcpy(m->copy + (AT_EXEC - AT_RAM), m->ram + (AT_EXEC - AT_RAM), AT_EXEC_END - AT_EXEC);
	fflush(stdout);
	m->pid = fork();
	if (!m->pid)
		run_qemu(cpu, file);
	close(fd);
	wait_done(m);
	unlink(file);
	memcpy(m->was.mmfr, m->job->mmfr, sizeof(m->was.mmfr));
}

/* With SCTLR_EL3.EE the guest, which is at EL3, reads and writes them so. */
static void swap_accesses(struct at_machine *m)
{
	struct at_job *j = m->job;

	if (!(m->was.sctlr_el3 & BIT(25)))
		return;
	j->count = __builtin_bswap64(j->count);
	for (uint64_t i = 0; i < m->was.count; i++) {
		j->access[i].va = __builtin_bswap64(j->access[i].va);
		j->access[i].op = __builtin_bswap64(j->access[i].op);
		j->access[i].par = __builtin_bswap64(j->access[i].par);
	}
}

void at_run(struct at_machine *m)
{
	size_t at = AT_TABLES - AT_RAM;

	memcpy(m->ram + at, m->copy + at, AT_TABLES_END - AT_TABLES);
	m->job->vbar = m->was.vbar;
	memcpy(&m->job->scr_el3, &m->was.scr_el3,
	       offsetof(struct at_job, access) - offsetof(struct at_job, scr_el3));
	memcpy(m->job->access, m->was.access, m->was.count * sizeof(m->was.access[0]));
	swap_accesses(m);
	__atomic_store_n(&m->job->go, 1, __ATOMIC_RELEASE);
	wait_done(m);
	swap_accesses(m);
	memcpy(m->was.access, m->job->access, m->was.count * sizeof(m->was.access[0]));
}

void at_stop(struct at_machine *m)
{
	kill((pid_t)m->pid, SIGKILL);
	waitpid((pid_t)m->pid, NULL, 0);
	munmap(m->ram, AT_SIZE);
	munmap(m->copy, AT_SIZE);
}
