/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets that are handled beside route.c, and what its rows share. */
#ifndef BATON_ROUTE_H
#define BATON_ROUTE_H

#include "proxy/session.h"

/* A row's handler: @packet, and what is behind the row's prefix. -BATON_ELINK ends the session. */

/** route_forward() - QEMU's answer to a packet that changes nothing. */
int route_forward(struct session *s, struct buf *packet, const char *rest);

/* registers.c */
int route_read_features(struct session *s, struct buf *packet, const char *rest);
int route_read_registers(struct session *s, struct buf *packet, const char *rest);
int route_read_register(struct session *s, struct buf *packet, const char *rest);
int route_write_register(struct session *s, struct buf *packet, const char *rest);

/**
 * route_address_length() - "ADDR,LEN" and, where *@rest is not at its end behind that, more.
 * -BATON_EINVAL.
 */
int route_address_length(const char **rest, uint64_t *addr, uint64_t *len);

#endif
