/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/live.h"

#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What one stub may be asked to list: far more CPUs than QEMU's virt has. */
#define MAX_CPUS 512

static void live_changed(struct machine *m)
{
	struct live *l = live_of(m);

	/* Memory lines and pages carry the generation in which they were read. */
	l->reg_count = 0;
	for (unsigned int i = 0; l->g && i < m->cpus; i++)
		buf_clear(&l->g[i]);
}

int live_hmp_as(struct live *l, const char *command, struct buf *out)
{
	struct buf packet = { 0 };
	size_t most = l->chunk - 4, len = strlen(command);
	int err;

	/* A packet that is too long QEMU drops without a word. */
	if (len > most)
		return machine_fail(
			&l->m, -BATON_ETOOBIG,
			"QEMU takes monitor commands of up to %zu characters, this has %zu", most,
			len);
	buf_puts(&packet, "qRcmd,");
	hex_encode(&packet, command, strlen(command));
	err = rsp_send(&l->rsp, packet.data, packet.len);
	while (!err) {
		/* No limit: `savevm` and its like may take minutes. */
		err = rsp_receive(&l->rsp, -1, &packet);
		if (err || packet.len == 0 || packet.data[0] != 'O' || !strcmp(packet.data, "OK"))
			break;
		if (hex_decode(packet.data + 1, packet.len - 1, packet.data) == 0)
			buf_add(out, packet.data, (packet.len - 1) / 2);
	}
	if (!err && strcmp(packet.data ? packet.data : "", "OK") != 0)
		err = machine_fail(&l->m, -BATON_EREMOTE, "QEMU's monitor refuses `%s`", command);
	buf_free(&packet);
	return err;
}

int live_hmp_cpu(struct live *l, unsigned int cpu)
{
	struct buf text = { 0 };
	char command[24];
	int err = 0;

	if (l->hmp_cpu != cpu) {
		snprintf(command, sizeof(command), "cpu %u", cpu);
		err = live_hmp_as(l, command, &text);
		l->hmp_cpu = cpu;
	}
	buf_free(&text);
	return err;
}

int live_hmp(struct machine *m, const char *command, struct buf *out)
{
	struct live *l = live_of(m);
	int err = live_hmp_cpu(l, l->hmp_user_cpu);
	unsigned int cpu;

	if (!err)
		err = live_hmp_as(l, command, out);
	if (!err && sscanf(command, "cpu %u", &cpu) == 1 && cpu < m->cpus)
		l->hmp_cpu = l->hmp_user_cpu = cpu;
	return err;
}

static void live_memory_way(struct machine *m, struct buf *out)
{
	const struct live *l = live_of(m);

	if (l->fast.fd >= 0)
		buf_puts(out, "RAM is read from QEMU's process");
	else
		buf_printf(out, "RAM is read by packets (%s)",
			   l->fast.why[0] ? l->fast.why : "QEMU's process is not known");
}

int live_use_process(struct live *l, pid_t pid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	/* Behind a unix socket the kernel knows who listens. */
	if (pid <= 0 && getsockopt(l->rsp.link.read_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		pid = peer.pid;
	fastram_close(&l->fast);
	return fastram_open(&l->fast, &l->m, pid);
}

static int live_where_of(struct machine *m, unsigned int cpu, uint64_t va, uint64_t *pa)
{
	return live_where(live_of(m), cpu, va, pa);
}

static const struct machine_ops live_ops = {
	.regs_read = live_regs_read,
	.reg_write = live_reg_write,
	.phys_read = live_phys_read,
	.phys_write = live_phys_write,
	.phys_gather = live_phys_gather,
	.phys_gathered = live_phys_gathered,
	.memory_way = live_memory_way,
	.virt_read = live_virt_read,
	.virt_write = live_virt_write,
	.where = live_where_of,
	.step = live_step,
	.resume = live_resume,
	.look_step = live_look_step,
	.stop_point = live_stop_point,
	.trap = live_trap,
	.trap_copied = live_trap_copied,
	.hmp = live_hmp,
	.changed = live_changed,
};

/* tdesc's source: one annex of qXfer:features:read, in as many pieces as it takes. */
static int fetch_annex(void *ctx, const char *annex, struct buf *out)
{
	struct live *l = ctx;
	struct buf reply = { 0 };
	size_t start = out->len;
	int err;

	do {
		err = rsp_call(&l->rsp, &reply, "qXfer:features:read:%s:%zx,%zx", annex,
			       out->len - start, l->chunk - 16);
		if (!err && (reply.len == 0 || (reply.data[0] != 'm' && reply.data[0] != 'l')))
			err = -BATON_EPROTO;
		if (!err)
			buf_add(out, reply.data + 1, reply.len - 1);
	} while (!err && reply.data[0] == 'm' && reply.len > 1 &&
		 out->len - start <= TDESC_MAX_SIZE);
	if (!err && !strcmp(annex, "target.xml"))
		buf_add(&l->target, out->data + start, out->len - start);
	buf_free(&reply);
	return err;
}

static int list_threads(struct live *l)
{
	struct buf reply = { 0 };
	unsigned int n = 0;
	int err = rsp_call(&l->rsp, &reply, "qfThreadInfo");

	l->thread = calloc(MAX_CPUS, sizeof(*l->thread));
	if (!l->thread)
		abort();
	while (!err && reply.len && reply.data[0] == 'm') {
		char *save = NULL;

		for (char *t = strtok_r(reply.data + 1, ",", &save); t && n < MAX_CPUS;
		     t = strtok_r(NULL, ",", &save))
			snprintf(l->thread[n++], sizeof(l->thread[0]), "%s", t);
		err = rsp_call(&l->rsp, &reply, "qsThreadInfo");
	}
	buf_free(&reply);
	if (!err && n == 0)
		return -BATON_EPROTO;
	l->m.cpus = n;
	return err;
}

static int negotiate(struct live *l)
{
	struct buf reply = { 0 };
	const char *size;
	uint64_t bytes;
	int err;

	/* A client before us may have died in physical mode: it would outlive it. */
	err = rsp_call(&l->rsp, &reply, "Qqemu.PhyMemMode:0");
	/* Connecting stops a machine that runs, and QEMU says so before it answers anything. */
	if (!err && reply.len && reply.data[0] == 'T')
		err = rsp_receive(&l->rsp, RSP_TIMEOUT_MS, &reply);
	if (!err)
		err = rsp_call(&l->rsp, &l->features,
			       "qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+;"
			       "qXfer:features:read+");
	size = err ? NULL : strstr(l->features.data, "PacketSize=");
	l->chunk = 0x400;
	if (size) {
		size += strlen("PacketSize=");
		/* Two hex digits a byte; QEMU's own limit is that of its buffer. */
		if (hex_u64(&size, &bytes) == 0 && bytes >= 0x100)
			l->chunk = bytes > 0x100000 ? 0x80000 : (size_t)bytes / 2;
	}
	if (!err)
		err = rsp_call(&l->rsp, &reply, "?");
	if (!err)
		err = list_threads(l);
	if (!err)
		live_stop_parse(l, &reply, &l->m.last_stop);
	buf_free(&reply);
	return err;
}

int live_open(struct live *l, struct loop *loop, const char *addr, struct buf *err_text)
{
	struct tdesc_source source = { fetch_annex, l };
	int err;

	*l = (struct live){
		.hg = -1,
		.foreseen = UINT64_MAX,
		.rsp.log = l->rsp.log,
		.fast.fd = -1,
		.m = { .ops = &live_ops, .priv = l, .cpus = 1 },
	};
	err = rsp_open(&l->rsp, loop, addr);
	if (err) {
		buf_puts(err_text, l->rsp.error); /* names the address itself */
		return err;
	}
	err = negotiate(l);
	if (err) {
		buf_printf(err_text, "%s: %s", addr,
			   l->rsp.error[0] ? l->rsp.error
					   : "what answers there is no gdbstub of QEMU's");
		return err;
	}
	err = tdesc_parse(&l->tdesc, &source, err_text);
	if (err)
		return err;
	if (!tdesc_find(&l->tdesc, "cpsr") || !tdesc_find(&l->tdesc, "x0")) {
		buf_printf(err_text,
			   "%s: not an AArch64 machine (no cpsr and x0 in its target.xml)", addr);
		return -BATON_EUNSUPPORTED;
	}
	l->g = calloc(l->m.cpus, sizeof(*l->g));
	l->lines = calloc(LIVE_LINES, sizeof(*l->lines));
	if (!l->g || !l->lines)
		abort();
	l->m.generation = 1; /* 0 is what empty lines carry */
	err = machine_probe(&l->m);
	if (err)
		buf_printf(err_text, "%s: %s", addr,
			   err == -BATON_ELINK ? l->rsp.error : machine_error(&l->m, err));
	return err;
}

void live_close(struct live *l)
{
	for (unsigned int i = 0; l->g && i < l->m.cpus; i++)
		buf_free(&l->g[i]);
	free(l->g);
	free(l->stops);
	free(l->lines);
	free(l->regs);
	free(l->thread);
	buf_free(&l->features);
	buf_free(&l->target);
	tdesc_free(&l->tdesc);
	if (l->m.ops)
		fastram_close(&l->fast);
	machine_free(&l->m);
	rsp_close(&l->rsp);
}

int live_select(struct live *l, unsigned int cpu)
{
	struct buf reply = { 0 };
	int err;

	if (l->hg == (int)cpu)
		return 0;
	if (cpu >= l->m.cpus)
		return machine_fail(&l->m, -BATON_ENOTFOUND, "there is no CPU %u (0 to %u)", cpu,
				    l->m.cpus - 1);
	err = rsp_call(&l->rsp, &reply, "Hg%s", l->thread[cpu]);
	if (!err && strcmp(reply.data ? reply.data : "", "OK") != 0)
		err = machine_fail(&l->m, -BATON_EREMOTE, "QEMU refuses to select CPU %u", cpu);
	if (!err)
		l->hg = (int)cpu;
	buf_free(&reply);
	return err;
}

int live_forward(struct live *l, unsigned int cpu, const void *packet, size_t len,
		 struct buf *reply)
{
	const char *first = packet;
	const struct buf *g;
	int err = live_select(l, cpu);

	/* Under KVM `p` reads, and `P` writes, what the CPU had before it ran, until a `g`. */
	if (!err && l->m.accel == ACCEL_KVM && len && (*first == 'p' || *first == 'P'))
		err = live_g(l, cpu, &g);
	return err ? err : rsp_call_data(&l->rsp, packet, len, reply);
}
