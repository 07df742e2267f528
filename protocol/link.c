/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_SIZE	65536
#define BACKLOG		4
#define CONNECT_SECONDS 10

/* An address taken apart; unix if path is set, else host ("" for localhost) and port. */
struct where {
	char host[256], port[8];
	const char *path;
};

static int complain(char err[LINK_ERR_SIZE], int code, const char *addr, const char *why)
{
	/* A long address is cut, the reason is not. */
	snprintf(err, LINK_ERR_SIZE, "%.*s: %s", (int)(LINK_ERR_SIZE - 8 - strlen(why)), addr, why);
	return code;
}

static int split_address(const char *addr, struct where *w, char err[LINK_ERR_SIZE])
{
	const char *host = addr, *port, *end;
	size_t len;

	memset(w, 0, sizeof(*w));
	if (!strncmp(addr, "unix:", 5)) {
		w->path = addr + 5;
		if (!*w->path)
			return complain(err, -BATON_EINVAL, addr, "no path after unix:");
		if (strlen(w->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
			return complain(err, -BATON_EINVAL, addr,
					"the path is too long for a unix socket");
		return 0;
	}
	if (!strncmp(addr, "tcp:", 4))
		host += 4;
	end = strrchr(host, ':');
	port = end ? end + 1 : host;
	len = end ? (size_t)(end - host) : 0;
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (!*port || strlen(port) > 5 || strspn(port, "0123456789") != strlen(port) ||
	    atol(port) > 65535)
		return complain(err, -BATON_EINVAL, addr,
				"not an address (HOST:PORT, PORT or unix:PATH, port 0 to 65535)");
	if (len >= sizeof(w->host))
		return complain(err, -BATON_EINVAL, addr, "the host name is too long");
	memcpy(w->host, host, len);
	strcpy(w->port, port);
	return 0;
}

static int resolve(const char *addr, const struct where *w, bool listen_to, struct addrinfo **list,
		   char err[LINK_ERR_SIZE])
{
	bool local = !*w->host || !strcmp(w->host, "localhost");
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	int rc;

	/* Who is told 127.0.0.1 must find us, and GDB tries IPv4 for localhost too. */
	if (listen_to && local)
		hints.ai_family = AF_INET;
	/* No host is loopback, even where /etc/hosts is missing and nobody knows localhost. */
	rc = getaddrinfo(local ? NULL : w->host, w->port, &hints, list);
	if (rc == EAI_SYSTEM)
		return complain(err, -BATON_ESYS, addr, strerror(errno));
	return rc ? complain(err, -BATON_EINVAL, addr, gai_strerror(rc)) : 0;
}

static void no_delay(int fd)
{
	int on = 1;

	/* Fails on unix sockets, which have no delay. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void no_block(int fd)
{
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void unix_address(const char *path, struct sockaddr_un *sa)
{
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	strcpy(sa->sun_path, path);
}

/* Returns the socket, or -1 and errno. */
static int connect_to(int family, const struct sockaddr *sa, socklen_t len)
{
	struct timeval limit = { .tv_sec = CONNECT_SECONDS }, none = { 0 };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, sa, len)) {
		/* socket(7): a connect() that SO_SNDTIMEO ends gives EINPROGRESS. */
		int why = errno == EINPROGRESS ? ETIMEDOUT : errno;

		close(fd);
		errno = why;
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	return fd;
}

static int connect_unix(const char *path)
{
	struct sockaddr_un sa;

	unix_address(path, &sa);
	return connect_to(AF_UNIX, (struct sockaddr *)&sa, sizeof(sa));
}

int link_connect(struct link *l, const char *addr, char err[LINK_ERR_SIZE])
{
	struct addrinfo *list, *a;
	struct where w;
	int fd = -1, rc;

	*l = (struct link)LINK_CLOSED;
	rc = split_address(addr, &w, err);
	if (rc)
		return rc;
	if (w.path) {
		fd = connect_unix(w.path);
	} else {
		if (!atol(w.port))
			return complain(err, -BATON_EINVAL, addr, "port 0 cannot be connected to");
		rc = resolve(addr, &w, false, &list, err);
		if (rc)
			return rc;
		for (a = list; a && fd < 0; a = a->ai_next)
			fd = connect_to(a->ai_family, a->ai_addr, a->ai_addrlen);
		rc = errno;
		freeaddrinfo(list);
		errno = rc;
	}
	if (fd < 0)
		return complain(err, -BATON_ELINK, addr, strerror(errno));
	link_from_fds(l, fd, fd);
	return 0;
}

void link_from_fds(struct link *l, int read_fd, int write_fd)
{
	*l = (struct link){ .read_fd = read_fd, .write_fd = write_fd };
	no_block(read_fd);
	no_delay(read_fd);
	if (write_fd != read_fd)
		no_block(write_fd);
}

int link_read(struct link *l)
{
	ssize_t n;

	if (l->read_fd < 0)
		return -BATON_ELINK;
	buf_reserve(&l->in, READ_SIZE);
	do
		n = read(l->read_fd, l->in.data + l->in.len, READ_SIZE);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		l->in.len += (size_t)n;
		l->in.data[l->in.len] = 0;
		return (int)n;
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	l->last_errno = n < 0 ? errno : 0;
	return -BATON_ELINK;
}

void link_write(struct link *l, const void *data, size_t len)
{
	buf_add(&l->out, data, len);
}

static ssize_t send_some(int fd, const char *data, size_t len)
{
	ssize_t n;

	do {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == ENOTSOCK)
			n = write(fd, data, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

int link_flush(struct link *l)
{
	size_t sent = 0;
	int err = 0;

	if (l->write_fd < 0)
		return -BATON_ELINK;
	while (sent < l->out.len) {
		ssize_t n = send_some(l->write_fd, l->out.data + sent, l->out.len - sent);

		if (n < 0) {
			if (errno == EAGAIN || errno == EWOULDBLOCK)
				break;
			l->last_errno = errno;
			err = -BATON_ELINK;
			sent = l->out.len;
			break;
		}
		sent += (size_t)n;
	}
	buf_consume(&l->out, sent);
	return err;
}

bool link_wants_write(const struct link *l)
{
	return l->write_fd >= 0 && l->out.len;
}

void link_close(struct link *l)
{
	if (l->write_fd >= 0 && l->write_fd != l->read_fd)
		close(l->write_fd);
	if (l->read_fd >= 0)
		close(l->read_fd);
	buf_free(&l->in);
	buf_free(&l->out);
	*l = (struct link)LINK_CLOSED;
}

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	}
	return false;
}

/* Remove a socket file that nobody listens on any more. True if it is worth another try. */
static bool remove_stale(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = connect_unix(path);
	if (fd >= 0) {
		close(fd);
		return false;
	}
	return errno == ECONNREFUSED && !unlink(path);
}

static int bind_unix(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), why;
	struct sockaddr_un sa;

	if (fd < 0)
		return -1;
	unix_address(path, &sa);
	(void)fchmod(fd, 0600); /* becomes the mode of the file (Linux) */
	if (!bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	why = errno;
	if (why == EADDRINUSE && remove_stale(path) &&
	    !bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	close(fd);
	errno = why;
	return -1;
}

static int bind_tcp(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, why;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, a->ai_addr, a->ai_addrlen))
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

/* The address for GDB: with the port that was given to us, and a name that it can resolve. */
static char *told_address(int fd)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	char host[NI_MAXHOST] = "localhost", port[NI_MAXSERV] = "?", *text;

	(void)getsockname(fd, (struct sockaddr *)&sa, &len);
	(void)getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port, sizeof(port),
			  NI_NUMERICHOST | NI_NUMERICSERV);
	if (!strcmp(host, "127.0.0.1"))
		strcpy(host, "localhost");
	if ((!strcmp(host, "0.0.0.0") || !strcmp(host, "::")) &&
	    gethostname(host, sizeof(host) - 1))
		strcpy(host, "localhost");
	if (asprintf(&text, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port) < 0)
		abort();
	return text;
}

static int listen_tcp(const char *addr, const struct where *w, bool allow_remote,
		      char err[LINK_ERR_SIZE])
{
	struct addrinfo *list, *a;
	int fd = -1, why, rc = resolve(addr, w, true, &list, err);

	if (rc)
		return rc;
	for (a = list; a; a = a->ai_next) {
		if (allow_remote || is_loopback(a->ai_addr))
			continue;
		freeaddrinfo(list);
		return complain(err, -BATON_EREFUSED, addr,
				"not a loopback address: who reaches it owns the machine "
				"(--allow-remote permits it)");
	}
	for (a = list; a && fd < 0; a = a->ai_next)
		fd = bind_tcp(a);
	why = errno;
	freeaddrinfo(list);
	return fd < 0 ? complain(err, -BATON_ESYS, addr, strerror(why)) : fd;
}

int listener_open(struct listener *s, const char *addr, bool allow_remote, char err[LINK_ERR_SIZE])
{
	struct where w;
	int fd, rc;

	*s = (struct listener)LISTENER_CLOSED;
	rc = split_address(addr, &w, err);
	if (rc)
		return rc;
	fd = w.path ? bind_unix(w.path) : listen_tcp(addr, &w, allow_remote, err);
	if (w.path && fd < 0)
		return complain(err, -BATON_ESYS, addr, strerror(errno));
	if (fd < 0)
		return fd;
	s->fd = fd;
	s->path = w.path ? strdup(w.path) : NULL;
	s->address = w.path ? strdup(addr) : told_address(fd);
	if (!listen(fd, BACKLOG))
		return 0;
	rc = complain(err, -BATON_ESYS, addr, strerror(errno));
	listener_close(s);
	return rc;
}

void listener_address(const struct listener *s, struct buf *out)
{
	buf_puts(out, s->address ? s->address : "");
}

int listener_accept(struct listener *s, struct link *l)
{
	int fd;

	do
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && errno == EINTR);
	if (fd < 0) {
		*l = (struct link)LINK_CLOSED;
		/* ECONNABORTED: it came and went. */
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED
			       ? -BATON_EBUSY
			       : -BATON_ESYS;
	}
	link_from_fds(l, fd, fd);
	return 0;
}

void listener_close(struct listener *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->path)
		unlink(s->path);
	free(s->path);
	free(s->address);
	*s = (struct listener)LISTENER_CLOSED;
}
