/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader once more, from reset, with every return checked: where a return address was lost
 * the crash comes later, elsewhere, and says nothing of it.
 *
 * A return is right if it goes behind the call that was seen last on its CPU, or behind one of
 * a function that this `ret` is part of. Who jumps by `ret` (x30 was written by hand) or is on
 * another stack than at the call is not judged, unless the jump leads nowhere.
 */
#ifndef BATON_HANDOFF_REPLAY_H
#define BATON_HANDOFF_REPLAY_H

#include "handoff/internal.h"

/** replay_plant() - calls and returns in what is known of the loader by now become sites. */
void replay_plant(struct handoff *h);
/** replay_visit() - a CPU is at a site: GO; FOUND: this return is wrong; or an error. */
int replay_visit(struct handoff *h, const struct visit *v);
/** replay_end() - what it has found; nothing is checked any more. */
void replay_end(struct handoff *h, struct buf *out);
/** replay_repair() - the trouble is a `ret` of which a replay has seen the call. */
void replay_repair(struct handoff *h);
void replay_free(struct handoff *h);

#endif
