/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * killat kill|cut|PID N COMMAND...: runs COMMAND, and at the N-th time that it enters or
 * leaves a system call
 *	kill	kills it
 *	cut	shuts its stream sockets down
 *	PID	kills that process instead
 * Ends as COMMAND does, with 137 where it was killed. With N 0 nothing happens, and the last
 * line on standard error is "COUNT FIRST": how many times there were, and the first of an
 * fdatasync (0: none).
 */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h> /* behind sys/ptrace.h, which it clashes with */

#define KILLED 137

static bool is_fdatasync(pid_t pid)
{
	struct ptrace_syscall_info info = { 0 };

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_fdatasync;
}

static void cut(pid_t pid)
{
	int of = (int)syscall(SYS_pidfd_open, pid, 0);

	for (int fd = 3; of >= 0 && fd < 64; fd++) {
		int mine = (int)syscall(SYS_pidfd_getfd, of, fd, 0), type = 0;
		socklen_t len = sizeof(type);

		if (mine < 0)
			continue;
		if (!getsockopt(mine, SOL_SOCKET, SO_TYPE, &type, &len) && type == SOCK_STREAM)
			shutdown(mine, SHUT_RDWR);
		close(mine);
	}
	close(of);
}

static void strike(const char *mode, pid_t pid)
{
	if (strcmp(mode, "cut") == 0)
		cut(pid);
	else
		kill(strcmp(mode, "kill") == 0 ? pid : (pid_t)atoi(mode), SIGKILL);
}

static int follow(pid_t pid, const char *mode, long n)
{
	long count = 0, first = 0;
	int status, sig = 0;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return 2;
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig);
		if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			break;
		sig = WSTOPSIG(status);
		if (sig == SIGTRAP)
			sig = 0;
		if (sig != (SIGTRAP | 0x80))
			continue;
		sig = 0;
		count++;
		if (!first && is_fdatasync(pid))
			first = count;
		if (count == n)
			strike(mode, pid);
	}
	if (!n)
		fprintf(stderr, "%ld %ld\n", count, first);
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: killat kill|cut|PID N COMMAND...\n");
		return 2;
	}
	pid = fork();
	if (pid < 0)
		return 2;
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	return follow(pid, argv[1], atol(argv[2]));
}
