/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plain forwarder: what one more process costs that does nothing.
 * usage: forward LISTEN CONNECT	addresses as baton takes them; ends with either side
 *	  forward port			prints a TCP port that is free now
 */
#include "link.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int print_port(void)
{
	struct listener l;
	char err[LINK_ERR_SIZE];

	if (listener_open(&l, "localhost:0", false, err)) {
		fprintf(stderr, "forward: %s\n", err);
		return 2;
	}
	puts(strrchr(l.address, ':') + 1);
	listener_close(&l);
	return 0;
}

static int forward(int a, int b)
{
	static char data[65536];
	struct pollfd p[2] = { { a, POLLIN, 0 }, { b, POLLIN, 0 } };

	for (;;) {
		if (poll(p, 2, -1) < 0)
			return 2;
		for (int i = 0; i < 2; i++) {
			ssize_t n, at = 0;

			if (!p[i].revents)
				continue;
			n = read(p[i].fd, data, sizeof(data));
			if (n <= 0)
				return 0;
			while (at < n) {
				ssize_t sent = write(p[!i].fd, data + at, (size_t)(n - at));

				if (sent > 0)
					at += sent;
				else if (poll(&(struct pollfd){ p[!i].fd, POLLOUT, 0 }, 1, -1) < 0)
					return 2;
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct link gdb = LINK_CLOSED, qemu = LINK_CLOSED;
	struct listener l = LISTENER_CLOSED;
	char err[LINK_ERR_SIZE];
	int status = 2;

	if (argc == 2 && strcmp(argv[1], "port") == 0)
		return print_port();
	if (argc != 3) {
		fprintf(stderr, "usage: forward LISTEN CONNECT | forward port\n");
		return 2;
	}
	if (link_connect(&qemu, argv[2], err) || listener_open(&l, argv[1], false, err)) {
		fprintf(stderr, "forward: %s\n", err);
	} else {
		poll(&(struct pollfd){ l.fd, POLLIN, 0 }, 1, -1);
		if (!listener_accept(&l, &gdb))
			status = forward(gdb.read_fd, qemu.read_fd);
	}
	link_close(&gdb);
	link_close(&qemu);
	listener_close(&l);
	return status;
}
