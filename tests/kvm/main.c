/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm-shim LISTEN-ADDR QEMU-STUB-ADDR [--slots B,W]
 *
 * Stands between a client and the gdbstub of a QEMU that runs TCG, and behaves as the stub
 * of one that runs KVM on arm64 (kernel-irqchip and an EL1 guest: start QEMU without
 * virtualization=on). Each trait names its place in QEMU's source, version 7.2; 10.0 has
 * target/arm/kvm64.c in kvm.c and the rest where it was. What cannot be had of TCG:
 *  - the stop of a fetch that the page's XN forbids (points_stop());
 *  - QEMU's injecting into the guest a watchpoint hit behind its first byte;
 *  - caches: memory here is what the CPU fetches.
 */
#include "shim.h"

#include "error.h"
#include "hex.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int answer(struct shim *s, const char *text)
{
	return peer_packet(&s->w.client, text, strlen(text));
}

/* As it is; `qRcmd` alone has more than one answer. */
static int pass(struct shim *s, const struct buf *packet, struct buf *reply)
{
	int err = run_select(s, s->g_cpu);
	bool more = strncmp(packet->data, "qRcmd,", 6) == 0;

	if (!err)
		err = peer_packet(&s->w.qemu, packet->data, packet->len);
	while (!err) {
		while (!err && !peer_take(&s->w.qemu, reply))
			err = wire_wait(&s->w, false, -1);
		if (!err)
			err = peer_packet(&s->w.client, reply->data, reply->len);
		if (!more || !reply->len || reply->data[0] != 'O' || !strcmp(reply->data, "OK"))
			break;
	}
	return err;
}

/* handle_insert_bp(), handle_remove_bp(), gdbstub/gdbstub.c: any failure is EINVAL, 22. */
static int stop_point(struct shim *s, const struct buf *packet)
{
	const char *p = packet->data + 2;
	uint64_t addr, len;
	unsigned int type = (unsigned int)(packet->data[1] - '0');
	bool ok = false;
	int err = 0;

	if (type > 4 || *p++ != ',' || hex_u64(&p, &addr) || *p++ != ',' || hex_u64(&p, &len))
		return answer(s, "E22");
	err = packet->data[0] == 'Z' ? point_insert(s, type, addr, len, &ok)
				     : point_remove(s, type, addr, len, &ok);
	return err ? err : answer(s, ok ? "OK" : "E22");
}

static struct stale *find_stale(struct shim *s, unsigned int regnum, bool make)
{
	for (unsigned int i = 0; i < s->stales; i++)
		if (s->stale[i].cpu == s->g_cpu && s->stale[i].regnum == regnum)
			return &s->stale[i];
	if (!make || s->stales == STALE_MAX)
		return NULL;
	s->stale[s->stales] = (struct stale){ s->g_cpu, regnum, "" };
	return &s->stale[s->stales++];
}

static void remember(struct stale *t, const char *value)
{
	if (t && strlen(value) < sizeof(t->value))
		strcpy(t->value, value);
}

/*
 * handle_get_reg(), gdbstub/gdbstub.c, reads env without cpu_synchronize_state(), which
 * handle_read_all_regs() (`g`) and cpu_memory_rw_debug() (`m`) do. What env had is known for
 * those registers that were asked for then; of the others it was never fetched: zeros.
 */
static int get_reg(struct shim *s, const struct buf *packet)
{
	unsigned int regnum = (unsigned int)strtoul(packet->data + 1, NULL, 16);
	struct buf reply = { 0 };
	struct stale *t = find_stale(s, regnum, s->synced[s->g_cpu]);
	int err = run_select(s, s->g_cpu);

	if (!err)
		err = wire_ask(&s->w, &reply, "%s", packet->data);
	if (!err && reply.len && reply.data[0] != 'E') {
		if (s->synced[s->g_cpu])
			remember(t, reply.data);
		else if (t)
			strcpy(reply.data, t->value);
		else
			memset(reply.data, '0', reply.len);
	}
	if (!err)
		err = peer_packet(&s->w.client, reply.data, reply.len);
	buf_free(&reply);
	return err;
}

/* handle_set_reg(): into env, which the next cpu_synchronize_state() overwrites. */
static int set_reg(struct shim *s, const struct buf *packet, struct buf *reply)
{
	unsigned int regnum = (unsigned int)strtoul(packet->data + 1, NULL, 16);
	const char *value = strchr(packet->data, '=');

	if (s->synced[s->g_cpu] || !value)
		return pass(s, packet, reply);
	remember(find_stale(s, regnum, true), value + 1);
	return answer(s, "OK");
}

/* handle_set_thread(): `p1.-1`, `0` and their like select nobody. */
static int set_thread(struct shim *s, const struct buf *packet, struct buf *reply)
{
	unsigned int cpu = run_thread(packet->data + 2);
	int err;

	if (packet->data[1] == 'g' && cpu) {
		s->at_cpu = 0;
		err = wire_ask(&s->w, reply, "%s", packet->data);
		if (!err && strcmp(reply->data, "OK") == 0)
			s->at_cpu = s->g_cpu = cpu;
		return err ? err : peer_packet(&s->w.client, reply->data, reply->len);
	}
	err = pass(s, packet, reply);
	if (packet->data[1] == 'c' && cpu && strcmp(reply->data, "OK") == 0)
		s->c_cpu = cpu;
	return err;
}

/*
 * kvm_sstep_flags is SSTEP_ENABLE, and NOIRQ only where the host has KVM_GUESTDBG_BLOCKIRQ,
 * which is x86's (kvm_init(), accel/kvm/kvm-all.c); handle_set_qemu_sstep() refuses what is
 * not supported. TCG is told so too (greet()): a step takes interrupts that are pending.
 */
static int sstep(struct shim *s, const struct buf *packet, struct buf *reply)
{
	const char *value = strchr(packet->data, '=');

	if (strcmp(packet->data, "qqemu.sstepbits") == 0)
		return answer(s, "ENABLE=1");
	if (value && strtoul(value + 1, NULL, 16) & ~1ul)
		return answer(s, "E22");
	return pass(s, packet, reply);
}

/* hmp_info_kvm(), in the one word that differs. */
static int monitor(struct shim *s, const struct buf *packet, struct buf *reply)
{
	static const char text[] = "kvm support: enabled\r\n";
	struct buf line = { 0 };
	int err;

	hex_encode(&line, "info kvm", strlen("info kvm"));
	if (strcasecmp(packet->data + strlen("qRcmd,"), line.data) != 0) {
		buf_free(&line);
		return pass(s, packet, reply);
	}
	buf_clear(&line);
	buf_putc(&line, 'O');
	hex_encode(&line, text, sizeof(text) - 1);
	err = peer_packet(&s->w.client, line.data, line.len);
	buf_free(&line);
	return err ? err : answer(s, "OK");
}

/* handle_target_halt() removes all breakpoints. */
static int halt(struct shim *s, const struct buf *packet, struct buf *reply)
{
	int err = point_remove_all(s);

	return err ? err : pass(s, packet, reply);
}

static bool starts(const struct buf *packet, const char *with)
{
	return strncmp(packet->data, with, strlen(with)) == 0;
}

static int handle(struct shim *s, const struct buf *packet, struct buf *reply)
{
	switch (packet->len ? packet->data[0] : 0) {
	case 'Z':
	case 'z':
		return stop_point(s, packet);
	case 'p':
		return get_reg(s, packet);
	case 'P':
		return set_reg(s, packet, reply);
	case 'm':
	case 'M':
		s->synced[s->g_cpu] |= !s->phys;
		break;
	case 'g':
	case 'G':
		s->synced[s->g_cpu] = true;
		break;
	case 'H':
		return set_thread(s, packet, reply);
	case '?':
		return halt(s, packet, reply);
	case 'c':
	case 'C':
	case 's':
	case 'S':
		return run_resume(s, packet);
	case 'v':
		if (starts(packet, "vCont;"))
			return run_resume(s, packet);
		break;
	case 'q':
	case 'Q':
		if (starts(packet, "qSupported"))
			s->multiprocess = strstr(packet->data, "multiprocess+") != NULL;
		if (starts(packet, "Qqemu.PhyMemMode:"))
			s->phys = packet->data[strlen("Qqemu.PhyMemMode:")] == '1';
		if (starts(packet, "qRcmd,"))
			return monitor(s, packet, reply);
		if (strncmp(packet->data + 1, "qemu.sstep", 10) == 0)
			return sstep(s, packet, reply);
		break;
	default:
		break;
	}
	return pass(s, packet, reply);
}

/* A machine that runs is stopped by the connection, and QEMU says so unasked. */
static int greet(struct shim *s, struct buf *reply)
{
	int err = wire_ask(&s->w, reply, "Qqemu.sstep=1");

	s->g_cpu = s->c_cpu = 1;
	s->at_cpu = 0;
	for (unsigned int i = 0; i <= CPUS; i++)
		s->synced[i] = true;
	if (!err && reply->len && reply->data[0] == 'T') {
		memset(s->synced, 0, sizeof(s->synced));
		err = peer_packet(&s->w.client, reply->data, reply->len);
		while (!err && !peer_take(&s->w.qemu, reply))
			err = wire_wait(&s->w, false, -1);
	}
	/* before that `p` has no answer, and where the machine stands is asked by `p` */
	return err ? err : wire_ask(&s->w, reply, "qXfer:features:read:target.xml:0,ff");
}

static void serve(struct shim *s, const char *qemu)
{
	struct buf packet = { 0 }, reply = { 0 };
	char text[LINK_ERR_SIZE];
	int err = 0;

	s->w.qemu.link = (struct link)LINK_CLOSED;
	peer_open(&s->w.client);
	peer_open(&s->w.qemu);
	/* The socket is there a moment before QEMU listens: who has come to us is not to suffer. */
	for (int tries = 0; tries < 200; tries++) {
		err = link_connect(&s->w.qemu.link, qemu, text);
		if (!err)
			break;
		poll(NULL, 0, 20);
	}
	if (err)
		fprintf(stderr, "kvm-shim: %s\n", text);
	else
		err = greet(s, &reply);
	while (!err) {
		while (!err && peer_take(&s->w.qemu, &reply))
			err = peer_packet(&s->w.client, reply.data, reply.len);
		if (!err && peer_take(&s->w.client, &packet)) {
			err = peer_send(&s->w.client, "+", 1);
			if (!err)
				err = handle(s, &packet, &reply);
		} else if (!err) {
			err = wire_wait(&s->w, true, -1);
		}
	}
	peer_close(&s->w.client);
	peer_close(&s->w.qemu);
	buf_free(&packet);
	buf_free(&reply);
}

static int usage(void)
{
	fprintf(stderr, "usage: kvm-shim LISTEN-ADDR QEMU-STUB-ADDR [--slots B,W]\n");
	return 2;
}

int main(int argc, char **argv)
{
	/* often 6 and 4: ID_AA64DFR0_EL1, kvm_arch_init() asks KVM_CAP_GUEST_DEBUG_HW_BPS */
	static struct shim s = { .max_bps = 6, .max_wps = 4 };
	struct listener l = LISTENER_CLOSED;
	char text[LINK_ERR_SIZE];

	if (argc != 3 && (argc != 5 || strcmp(argv[3], "--slots") != 0 ||
			  sscanf(argv[4], "%u,%u", &s.max_bps, &s.max_wps) != 2))
		return usage();
	if (s.max_bps > SLOTS_MAX || s.max_wps > SLOTS_MAX)
		return usage();
	if (listener_open(&l, argv[1], false, text)) {
		fprintf(stderr, "kvm-shim: %s\n", text);
		return 2;
	}
	printf("kvm-shim: %s\n", l.address);
	fflush(stdout);
	for (;;) {
		struct pollfd fd = { .fd = l.fd, .events = POLLIN };

		poll(&fd, 1, -1);
		if (listener_accept(&l, &s.w.client.link) == 0)
			serve(&s, argv[2]);
	}
}
