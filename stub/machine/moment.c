/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine/moment.h"

#include "hex.h"
#include "machine/inject_internal.h"

#include <stdio.h>
#include <string.h>

#define MARK 64u

void moment_begin(struct machine *m)
{
	m->moments++;
}

void moment_end(struct machine *m, bool back)
{
	m->moments--;
	/* That it could not be kept says the next one who needs it. */
	if (!m->moments && back && m->moment)
		(void)m->moment(m->moment_ctx, NULL);
}

int moment_note(struct machine *m, const struct buf *line)
{
	return m->moment ? m->moment(m->moment_ctx, line->data) : 0;
}

int moment_mark(struct machine *m, uint64_t pa, const void *old, const void *new, size_t len)
{
	struct buf line = { 0 };
	int err;

	buf_printf(&line, "mark %" PRIx64 " ", pa);
	hex_encode(&line, old, len);
	buf_putc(&line, ' ');
	hex_encode(&line, new, len);
	err = moment_note(m, &line);
	buf_free(&line);
	return err;
}

static int take_mark_back(struct machine *m, const char *line, struct buf *say)
{
	char old[2 * MARK + 1], new[2 * MARK + 1];
	uint8_t was[MARK], is[MARK], now[MARK];
	size_t len;
	uint64_t pa;
	int err;

	if (sscanf(line, "mark %" SCNx64 " %128s %128s", &pa, old, new) != 3)
		return 0;
	len = strlen(old) / 2;
	if (strlen(new) != 2 * len || hex_decode(old, 2 * len, was) || hex_decode(new, 2 * len, is))
		return 0;
	err = machine_phys_read(m, pa, now, len);
	if (err || memcmp(now, is, len))
		return err;
	err = machine_phys_write(m, pa, was, len);
	if (err)
		buf_printf(say, "the mark at %#" PRIx64 " could not be taken away: %s; it was %s\n",
			   pa, machine_error(m, err), old);
	else
		buf_printf(say, "a mark that tlb-check had put at %#" PRIx64 " is taken away\n",
			   pa);
	return err;
}

int moment_recover(struct machine *m, char *const *line, size_t n, struct buf *say)
{
	int err = 0;

	/* Latest first: an injection may have been one that was to put back another. */
	for (size_t i = n, end = n; i && err != -BATON_ELINK; i--) {
		if (strncmp(line[i - 1], "cpu ", 4) != 0) {
			err = take_mark_back(m, line[i - 1], say);
			continue;
		}
		err = inject_recover(m, line + i - 1, end - (i - 1), say);
		end = i - 1;
	}
	return err == -BATON_ELINK ? err : 0;
}
