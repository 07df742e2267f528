/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/run.h"

#include <stdlib.h>

#define SECONDS_MAX 1000000.0

static int parse_seconds(struct cmd *c, int *timeout_ms)
{
	const char *word = cmd_word(c, 0);
	double seconds;
	char *end;

	*timeout_ms = -1;
	if (!word)
		return 0;
	seconds = strtod(word, &end);
	if (end == word || *end || !(seconds > 0 && seconds <= SECONDS_MAX))
		return cmd_fail(c, -BATON_EINVAL,
				"\"%s\": SECONDS is a number above 0, such as 5 or 0.5", word);
	*timeout_ms = (int)(seconds * 1000 < 1 ? 1 : seconds * 1000);
	return 0;
}

static int run(struct cmd *c)
{
	struct machine_stop stop = { 0 };
	int timeout_ms;
	int err = run_allowed(c, "continue");

	if (!err)
		err = cmd_no_more(c, 1);
	if (!err)
		err = parse_seconds(c, &timeout_ms);
	if (err)
		return err;
	err = machine_resume(c->machine, timeout_ms, &stop);
	if (err)
		cmd_fail(c, err, NULL);
	else
		err = run_say_stop(c, &stop);
	buf_free(&stop.packet);
	return err;
}

COMMAND(cont, "cont", run, .args = "[SECONDS]", .needs = CMD_STOPPED,
	.help = "run the machine until it stops, or for SECONDS (where there is no GDB)");
