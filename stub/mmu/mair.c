// SPDX-License-Identifier: BSD-2-Clause
/* Memory attributes in words (DDI 0487, D24.2.109 MAIR_EL1). */
#include "buf.h"
#include "mmu/a64.h"

static bool is_unpredictable(uint8_t attr)
{
	if (attr >> 4 == 0)
		return attr & 2; /* 0b0000dd1x */
	/* 0bxxxx0000 is given out to FEAT_XS and FEAT_MTE2 in three places alone. */
	return !(attr & 15) && attr != 0x40 && attr != 0xa0 && attr != 0xf0;
}

int mair_is_device(uint8_t attr)
{
	return attr >> 4 == 0 && !is_unpredictable(attr);
}

int mair_is_noncacheable(uint8_t attr)
{
	return attr == 0x44 || attr == 0x40;
}

/* One half byte of a Normal attribute: policy, transience, allocation hints. */
static void say_half(unsigned int half, struct buf *out)
{
	static const char *const hints[4] = { " no-allocate", " write-allocate", " read-allocate",
					      "" };

	if (half == 4) {
		buf_puts(out, "NC");
		return;
	}
	buf_puts(out, half & 4 ? "WB" : "WT");
	buf_puts(out, half & 8 ? "" : " transient");
	buf_puts(out, hints[half & 3]);
}

void mair_say(uint8_t attr, struct buf *out)
{
	static const char *const device[4] = { "nGnRnE", "nGnRE", "nGRE", "GRE" };

	if (is_unpredictable(attr)) {
		buf_printf(out, "UNPREDICTABLE (attribute %#x)", attr);
	} else if (attr >> 4 == 0) {
		buf_printf(out, "Device-%s%s", device[attr >> 2], attr & 1 ? " XS=0" : "");
	} else if (attr == 0x40) {
		buf_puts(out, "Normal NC XS=0");
	} else if (attr == 0xa0) {
		buf_puts(out, "Normal WT read-allocate XS=0");
	} else if (attr == 0xf0) {
		buf_puts(out, "Normal WB tagged");
	} else if (attr >> 4 == (attr & 15)) {
		buf_puts(out, "Normal ");
		say_half(attr & 15, out);
	} else {
		buf_puts(out, "Normal inner ");
		say_half(attr & 15, out);
		buf_puts(out, ", outer ");
		say_half(attr >> 4, out);
	}
}
