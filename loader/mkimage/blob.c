// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkimage.h"

#define MAX_FILE (UINT64_C(1) << 30)

int blob_read(struct blob *b, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t cap = 1 << 16, got;

	*b = (struct blob){ .path = path };
	if (!f)
		return complain("%s: %s", path, strerror(errno));
	do {
		unsigned char *more =
			b->size < cap && b->data ? b->data : realloc(b->data, cap *= 2);

		if (!more) {
			fclose(f);
			return complain("%s: out of memory", path);
		}
		b->data = more;
		got = fread(b->data + b->size, 1, cap - b->size, f);
		b->size += got;
	} while (got && b->size <= MAX_FILE);
	if (ferror(f)) {
		fclose(f);
		return complain("%s: %s", path, strerror(errno));
	}
	fclose(f);
	if (b->size > MAX_FILE)
		return complain("%s: larger than 1 GiB, which no boot image is", path);
	return 0;
}
