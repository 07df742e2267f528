/* SPDX-License-Identifier: BSD-2-Clause */
#include "spawn.h"

#include "error.h"
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define START_TIMEOUT_MS 30000
#define STOP_TIMEOUT_MS	 3000
#define PIPE_SIZE	 (1024 * 1024)

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

/* The child's side of fork(): only ends by exec, or by telling errno through the pipe. */
static void exec_qemu(char **argv, pid_t parent, enum child_console console, int out, int report)
{
	sigset_t none;
	int error;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* QEMU must not outlive us, not even where we are killed. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	if (console == CHILD_KEPT)
		dup2(out, STDOUT_FILENO);
	if (console == CHILD_STDERR) {
		int null = open("/dev/null", O_RDONLY);

		if (null >= 0)
			dup2(null, STDIN_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO);
	}
	execvp(argv[0], argv);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

static char **with_stub(char **argv, char *stub)
{
	static char stopped[] = "-S", gdb[] = "-gdb";
	size_t n = 0;
	char **full;

	while (argv[n])
		n++;
	full = calloc(n + 4, sizeof(*full));
	if (!full)
		abort();
	memcpy(full, argv, n * sizeof(*full));
	full[n] = stopped;
	full[n + 1] = gdb;
	full[n + 2] = stub;
	return full;
}

static void keep_terminal(struct child *c)
{
	if (!isatty(STDIN_FILENO))
		return;
	c->terminal = malloc(sizeof(*c->terminal));
	if (c->terminal && tcgetattr(STDIN_FILENO, c->terminal)) {
		free(c->terminal);
		c->terminal = NULL;
	}
}

static int make_folder(struct child *c, struct buf *err)
{
	const char *tmp = getenv("TMPDIR");

	/* A socket's path has at most 107 characters. */
	if (!tmp || strlen(tmp) > 32)
		tmp = "/tmp";
	snprintf(c->dir, sizeof(c->dir), "%s/baton-XXXXXX", tmp);
	if (!mkdtemp(c->dir)) {
		buf_printf(err, "%s: %s", c->dir, strerror(errno));
		c->dir[0] = 0;
		return -BATON_ESYS;
	}
	snprintf(c->address, sizeof(c->address), "unix:%s/gdb", c->dir);
	return 0;
}

/* A pipe as large as it may be: QEMU does not wait for us then, while we wait for it. */
static int keep_console(struct child *c, int *out, struct buf *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC)) {
		buf_printf(err, "pipe: %s", strerror(errno));
		return -BATON_ESYS;
	}
	(void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	c->console = ends[0];
	*out = ends[1];
	return 0;
}

static int launch(struct child *c, char **argv, enum child_console console, struct buf *err)
{
	char stub[160];
	char **full;
	pid_t self = getpid();
	int report[2], error = 0, out = -1;
	ssize_t n;

	if (console == CHILD_KEPT && keep_console(c, &out, err))
		return -BATON_ESYS;
	if (pipe2(report, O_CLOEXEC)) {
		buf_printf(err, "pipe: %s", strerror(errno));
		return -BATON_ESYS;
	}
	snprintf(stub, sizeof(stub), "%s,server=on,wait=off", c->address);
	full = with_stub(argv, stub);
	c->pid = fork();
	if (c->pid == 0)
		exec_qemu(full, self, console, out, report[1]);
	error = c->pid < 0 ? errno : 0;
	close(report[1]);
	if (out >= 0)
		close(out);
	do
		n = c->pid < 0 ? 0 : read(report[0], &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	close(report[0]);
	free(full);
	if (error) {
		buf_printf(err, "%s: %s", argv[0], strerror(error));
		return -BATON_ESYS;
	}
	return 0;
}

int child_start(struct child *c, char **argv, enum child_console console, struct buf *err)
{
	int64_t end = loop_now() + START_TIMEOUT_MS;
	struct stat st;
	int status;

	*c = (struct child){ .console = -1 };
	status = make_folder(c, err);
	if (status)
		return status;
	keep_terminal(c);
	status = launch(c, argv, console, err);
	while (!status && stat(c->address + strlen("unix:"), &st)) {
		nap();
		if (child_reap(c)) {
			buf_printf(err, "%s ", argv[0]);
			child_say(c, err);
			buf_puts(err, " before its gdbstub was there");
			status = -BATON_ELINK;
		} else if (loop_now() > end) {
			buf_printf(err, "%s made no gdbstub within %d s", argv[0],
				   START_TIMEOUT_MS / 1000);
			status = -BATON_ELINK;
		}
	}
	return status;
}

size_t child_read(struct child *c, char *data, size_t len)
{
	ssize_t n = c->console < 0 ? -1 : read(c->console, data, len);

	if (n > 0)
		return (size_t)n;
	if (c->console >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		close(c->console);
		c->console = -1;
	}
	return 0;
}

bool child_reap(struct child *c)
{
	if (c->pid > 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->pid = 0;
	return c->pid == 0;
}

void child_say(const struct child *c, struct buf *out)
{
	if (WIFSIGNALED(c->status))
		buf_printf(out, "was ended by signal %d (%s)", WTERMSIG(c->status),
			   strsignal(WTERMSIG(c->status)));
	else
		buf_printf(out, "exited with status %d", WEXITSTATUS(c->status));
}

void child_hide(struct child *c)
{
	if (!c->dir[0])
		return;
	unlink(c->address + strlen("unix:"));
	rmdir(c->dir);
	c->dir[0] = 0;
}

void child_wait(struct child *c)
{
	int64_t end = loop_now() + STOP_TIMEOUT_MS;

	while (!child_reap(c) && loop_now() < end)
		nap();
}

void child_stop(struct child *c)
{
	if (!child_reap(c)) {
		kill(c->pid, SIGTERM);
		child_wait(c);
		if (c->pid > 0) {
			kill(c->pid, SIGKILL);
			waitpid(c->pid, &c->status, 0);
			c->pid = 0;
		}
	}
	child_hide(c);
	if (c->terminal) {
		tcsetattr(STDIN_FILENO, TCSANOW, c->terminal);
		free(c->terminal);
		c->terminal = NULL;
	}
}
