/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plain forwarder between two unix sockets: what one more process costs that does
 * nothing. usage: forward LISTEN CONNECT
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int open_socket(const char *path, struct sockaddr_un *sa)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(sa->sun_path, sizeof(sa->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int main(int argc, char **argv)
{
	struct sockaddr_un sa;
	int listener, fd[2];
	char data[65536];

	if (argc != 3)
		return 2;
	listener = open_socket(argv[1], &sa);
	if (bind(listener, (struct sockaddr *)&sa, sizeof(sa)) || listen(listener, 1))
		return 2;
	fd[0] = accept(listener, NULL, NULL);
	fd[1] = open_socket(argv[2], &sa);
	if (fd[0] < 0 || connect(fd[1], (struct sockaddr *)&sa, sizeof(sa)))
		return 2;
	for (;;) {
		struct pollfd p[2] = { { fd[0], POLLIN, 0 }, { fd[1], POLLIN, 0 } };

		poll(p, 2, -1);
		for (int i = 0; i < 2; i++) {
			ssize_t n = p[i].revents ? read(fd[i], data, sizeof(data)) : 1;

			if (n <= 0)
				return 0;
			if (p[i].revents && write(fd[!i], data, (size_t)n) != n)
				return 2;
		}
	}
}
