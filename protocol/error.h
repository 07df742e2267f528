/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can go wrong, once for everything: functions return 0 or a negative
 * BATON_E number. The table behind baton_strerror() and baton_wire() gives each
 * its words and its number in an `Enn` reply (GDB manual, E.2 "Packets").
 */
#ifndef BATON_ERROR_H
#define BATON_ERROR_H

enum baton_error {
	BATON_EINVAL = 1,   /* an argument that makes no sense */
	BATON_ERANGE,	    /* an address where nothing may be read or written */
	BATON_EFAULT,	    /* an address that does not translate */
	BATON_ENOTFOUND,    /* a name or thing that does not exist */
	BATON_EUNSUPPORTED, /* the machine, or baton, cannot do it */
	BATON_EREFUSED,	    /* it could be done and would do harm */
	BATON_EVERIFY,	    /* what was written did not read back */
	BATON_EBUSY,	    /* the machine is running */
	BATON_ETIMEDOUT,    /* no answer in time */
	BATON_ECANCELED,    /* the user has moved on */
	BATON_EPROTO,	    /* a peer broke the protocol */
	BATON_ETOOBIG,	    /* over a limit */
	BATON_EREMOTE,	    /* the peer answered with an error of its own */
	BATON_ELINK,	    /* the connection is gone: the session ends */
	BATON_ESYS,	    /* the operating system refused; errno has more */
	BATON_ERROR_COUNT
};

/** baton_strerror() - words for a negative (or positive) BATON_E number. */
const char *baton_strerror(int err);

/** baton_wire() - the number that stands for @err in an `Enn` reply, 1 to 255. */
unsigned int baton_wire(int err);

#endif
