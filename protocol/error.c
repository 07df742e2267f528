/* SPDX-License-Identifier: BSD-2-Clause */
#include "error.h"

#include <stddef.h>

/*
 * The wire numbers read, as two hex digits, like the decimal errno that QEMU's
 * stub sends: E14 for a bad address, E22 for an argument. GDB shows any of them
 * as a plain failure; a log shows which.
 */
static const struct {
	const char *text;
	unsigned char wire;
} errors[BATON_ERROR_COUNT] = {
	[0] = { "no error", 0x99 },
	[BATON_EINVAL] = { "invalid argument", 0x22 },
	[BATON_ERANGE] = { "address out of range", 0x34 },
	[BATON_EFAULT] = { "address does not translate", 0x14 },
	[BATON_ENOTFOUND] = { "not found", 0x02 },
	[BATON_EUNSUPPORTED] = { "not supported", 0x95 },
	[BATON_EREFUSED] = { "refused", 0x01 },
	[BATON_EVERIFY] = { "did not read back as written", 0x05 },
	[BATON_EBUSY] = { "the machine is running", 0x16 },
	[BATON_ETIMEDOUT] = { "timed out", 0x62 },
	[BATON_ECANCELED] = { "canceled", 0x04 },
	[BATON_EPROTO] = { "protocol error", 0x71 },
	[BATON_ETOOBIG] = { "too big", 0x07 },
	[BATON_EREMOTE] = { "the remote side reported an error", 0x70 },
	[BATON_ELINK] = { "the connection is lost", 0x32 },
	[BATON_ESYS] = { "system error", 0x40 },
};

static size_t error_index(int err)
{
	/* Not `-err` on an int: INT_MIN has no positive. */
	unsigned int e = err < 0 ? 0u - (unsigned int)err : (unsigned int)err;

	return e;
}

const char *baton_strerror(int err)
{
	size_t i = error_index(err);

	return i < BATON_ERROR_COUNT ? errors[i].text : "unknown error";
}

unsigned int baton_wire(int err)
{
	size_t i = error_index(err);

	return i < BATON_ERROR_COUNT ? errors[i].wire : errors[0].wire;
}
