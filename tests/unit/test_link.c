/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "error.h"
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], unix_addr[96];

static void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	assert_int_equal(poll(&p, 1, 10000), 1);
}

static void open_pair(const char *addr, struct listener *s, struct link *client,
		      struct link *server)
{
	char err[LINK_ERR_SIZE] = "";
	struct buf told = { 0 };

	if (listener_open(s, addr, false, err))
		fail_msg("%s", err);
	listener_address(s, &told);
	assert_int_equal(listener_accept(s, server), -BATON_EBUSY);
	if (link_connect(client, told.data, err))
		fail_msg("%s", err);
	wait_for(s->fd, POLLIN);
	assert_int_equal(listener_accept(s, server), 0);
	buf_free(&told);
}

static void say(struct link *from, struct link *to, const char *text)
{
	link_write(from, text, strlen(text));
	assert_true(link_wants_write(from));
	assert_int_equal(link_flush(from), 0);
	assert_false(link_wants_write(from));
	wait_for(to->read_fd, POLLIN);
	assert_int_equal(link_read(to), strlen(text));
	assert_string_equal(to->in.data, text);
	buf_clear(&to->in);
}

static void talk(const char *addr)
{
	struct listener s;
	struct link client, server;

	open_pair(addr, &s, &client, &server);
	assert_int_equal(link_read(&server), 0);
	say(&client, &server, "$g#67");
	say(&server, &client, "+");
	link_close(&client);
	wait_for(server.read_fd, POLLIN);
	assert_int_equal(link_read(&server), -BATON_ELINK);
	assert_int_equal(server.last_errno, 0);
	link_close(&server);
	assert_false(link_is_open(&server));
	link_close(&server);
	listener_close(&s);
	listener_close(&s);
}

static void tcp_on_a_free_port(void **state)
{
	(void)state;
	talk("0");
	talk(":0");
	talk("localhost:0");
	talk("tcp:127.0.0.1:0");
}

static void unix_socket_comes_private_and_goes(void **state)
{
	struct listener s;
	struct stat st;
	char err[LINK_ERR_SIZE];

	(void)state;
	talk(unix_addr);
	assert_int_equal(stat(unix_addr + 5, &st), -1);
	assert_int_equal(listener_open(&s, unix_addr, false, err), 0);
	assert_string_equal(s.address, unix_addr);
	assert_int_equal(stat(unix_addr + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	listener_close(&s);
}

static void the_port_given_is_the_port_told(void **state)
{
	struct listener s;
	char err[LINK_ERR_SIZE];
	unsigned int port;

	(void)state;
	assert_int_equal(listener_open(&s, "127.0.0.1:0", false, err), 0);
	assert_int_equal(sscanf(s.address, "localhost:%u", &port), 1);
	assert_in_range(port, 1, 65535);
	listener_close(&s);
}

static void a_remote_address_needs_permission(void **state)
{
	struct listener s;
	char err[LINK_ERR_SIZE];

	(void)state;
	assert_int_equal(listener_open(&s, "0.0.0.0:0", false, err), -BATON_EREFUSED);
	assert_non_null(strstr(err, "0.0.0.0:0"));
	assert_non_null(strstr(err, "--allow-remote"));
	assert_int_equal(s.fd, -1);
	assert_int_equal(listener_open(&s, "[::]:0", false, err), -BATON_EREFUSED);
	assert_int_equal(listener_open(&s, "192.0.2.1:0", false, err), -BATON_EREFUSED);
}

static void nonsense_is_no_address(void **state)
{
	static const char *const bad[] = { "",	    "x",      "host:",	   "localhost:65536",
					   "1:2x",  "-1",     ":+5",	   "localhost: 5",
					   "unix:", "123456", "localhost", "unix" };
	struct listener s;
	struct link l;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char err[LINK_ERR_SIZE] = "";

		assert_int_equal(link_connect(&l, bad[i], err), -BATON_EINVAL);
		assert_memory_equal(err, bad[i], strlen(bad[i]));
		assert_int_equal(listener_open(&s, bad[i], true, err), -BATON_EINVAL);
	}
	assert_false(link_is_open(&l));
}

static void a_long_path_is_refused_by_name(void **state)
{
	char addr[400] = "unix:/", err[LINK_ERR_SIZE];
	struct link l;

	(void)state;
	memset(addr + 6, 'a', 300);
	assert_int_equal(link_connect(&l, addr, err), -BATON_EINVAL);
	assert_non_null(strstr(err, "too long"));
}

static void nobody_there_is_said(void **state)
{
	struct listener s;
	struct link l;
	char err[LINK_ERR_SIZE], *addr;

	(void)state;
	assert_int_equal(listener_open(&s, "0", false, err), 0);
	addr = strdup(s.address);
	listener_close(&s);
	assert_int_equal(link_connect(&l, addr, err), -BATON_ELINK);
	assert_memory_equal(err, addr, strlen(addr));
	assert_non_null(strstr(err, strerror(ECONNREFUSED)));
	free(addr);
	assert_int_equal(link_connect(&l, unix_addr, err), -BATON_ELINK);
	assert_non_null(strstr(err, strerror(ENOENT)));
	assert_int_equal(link_connect(&l, "0", err), -BATON_EINVAL);
}

static void a_taken_address_is_said(void **state)
{
	struct listener s, t;
	char err[LINK_ERR_SIZE];

	(void)state;
	assert_int_equal(listener_open(&s, unix_addr, false, err), 0);
	assert_int_equal(listener_open(&t, unix_addr, false, err), -BATON_ESYS);
	assert_non_null(strstr(err, strerror(EADDRINUSE)));
	assert_int_equal(access(unix_addr + 5, F_OK), 0);
	listener_close(&s);
	assert_int_equal(listener_open(&s, "0", false, err), 0);
	assert_int_equal(listener_open(&t, s.address, false, err), -BATON_ESYS);
	assert_non_null(strstr(err, strerror(EADDRINUSE)));
	listener_close(&s);
}

static void a_stale_socket_file_is_replaced_but_no_other(void **state)
{
	struct listener s;
	char err[LINK_ERR_SIZE];
	int fd;

	(void)state;
	assert_int_equal(listener_open(&s, unix_addr, false, err), 0);
	close(s.fd); /* as if killed */
	s.fd = -1;
	free(s.path);
	s.path = NULL;
	listener_close(&s);
	assert_int_equal(access(unix_addr + 5, F_OK), 0);
	assert_int_equal(listener_open(&s, unix_addr, false, err), 0);
	listener_close(&s);
	fd = open(unix_addr + 5, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(listener_open(&s, unix_addr, false, err), -BATON_ESYS);
	assert_int_equal(access(unix_addr + 5, F_OK), 0);
	unlink(unix_addr + 5);
}

/* More than any socket buffer holds: nothing blocks, nothing is lost. */
static void a_slow_reader_blocks_nobody(void **state)
{
	static char block[1 << 20];
	struct listener s;
	struct link client, server;
	size_t total = 16 * sizeof(block), got = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 7 + i / 251);
	open_pair(unix_addr, &s, &client, &server);
	for (int i = 0; i < 16; i++)
		link_write(&client, block, sizeof(block));
	assert_int_equal(link_flush(&client), 0);
	assert_true(link_wants_write(&client));
	while (got < total) {
		int n = link_read(&server);

		assert_true(n >= 0);
		for (int i = 0; i < n; i++)
			if (server.in.data[i] != block[(got + (size_t)i) % sizeof(block)])
				fail_msg("byte %zu is wrong", got + (size_t)i);
		got += (size_t)n;
		buf_clear(&server.in);
		assert_int_equal(link_flush(&client), 0);
	}
	assert_false(link_wants_write(&client));
	link_close(&client);
	link_close(&server);
	listener_close(&s);
}

static void a_gone_reader_is_an_error_not_a_signal(void **state)
{
	int fds[2];
	struct link l;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	link_from_fds(&l, fds[0], fds[0]);
	close(fds[1]);
	link_write(&l, "x", 1);
	assert_int_equal(link_flush(&l), -BATON_ELINK);
	assert_int_equal(l.last_errno, EPIPE);
	assert_false(link_wants_write(&l));
	link_close(&l);
	assert_int_equal(link_flush(&l), -BATON_ELINK);
	assert_int_equal(link_read(&l), -BATON_ELINK);
}

static void two_pipes_make_a_link(void **state)
{
	int to[2], from[2];
	struct link l;
	char text[8] = "";

	(void)state;
	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	link_from_fds(&l, to[0], from[1]);
	assert_int_equal(link_read(&l), 0);
	assert_int_equal(write(to[1], "$?#3f", 5), 5);
	assert_int_equal(link_read(&l), 5);
	assert_string_equal(l.in.data, "$?#3f");
	link_write(&l, "+", 1);
	assert_int_equal(link_flush(&l), 0);
	assert_int_equal(read(from[0], text, sizeof(text)), 1);
	assert_string_equal(text, "+");
	close(from[0]);
	signal(SIGPIPE, SIG_IGN);
	link_write(&l, "+", 1);
	assert_int_equal(link_flush(&l), -BATON_ELINK);
	signal(SIGPIPE, SIG_DFL);
	close(to[1]);
	link_close(&l);
}

/* Without it each packet of a conversation waits for the ack of the one before. */
static void tcp_does_not_wait_to_send(void **state)
{
	struct listener s;
	struct link client, server;

	(void)state;
	open_pair("0", &s, &client, &server);
	for (int i = 0; i < 2; i++) {
		int fd = i ? client.read_fd : server.read_fd, on = 0;
		socklen_t len = sizeof(on);

		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
		assert_true(on);
	}
	link_close(&client);
	link_close(&server);
	listener_close(&s);
}

static void descriptors_do_not_leak_into_children(void **state)
{
	struct listener s;
	struct link client, server;

	(void)state;
	open_pair("0", &s, &client, &server);
	assert_true(fcntl(s.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(client.read_fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(server.read_fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(client.read_fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(server.read_fd, F_GETFL) & O_NONBLOCK);
	link_close(&client);
	link_close(&server);
	listener_close(&s);
}

static int make_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	/* A unix socket's path holds some hundred bytes: a long TMPDIR is of no use. */
	snprintf(folder, sizeof(folder), "%s/baton-link.XXXXXX",
		 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(unix_addr, sizeof(unix_addr), "unix:%s/s", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_on_a_free_port),
		cmocka_unit_test(unix_socket_comes_private_and_goes),
		cmocka_unit_test(the_port_given_is_the_port_told),
		cmocka_unit_test(a_remote_address_needs_permission),
		cmocka_unit_test(nonsense_is_no_address),
		cmocka_unit_test(a_long_path_is_refused_by_name),
		cmocka_unit_test(nobody_there_is_said),
		cmocka_unit_test(a_taken_address_is_said),
		cmocka_unit_test(a_stale_socket_file_is_replaced_but_no_other),
		cmocka_unit_test(a_slow_reader_blocks_nobody),
		cmocka_unit_test(a_gone_reader_is_an_error_not_a_signal),
		cmocka_unit_test(two_pipes_make_a_link),
		cmocka_unit_test(tcp_does_not_wait_to_send),
		cmocka_unit_test(descriptors_do_not_leak_into_children),
	};

	return cmocka_run_group_tests_name("link", tests, make_folder, remove_folder);
}
