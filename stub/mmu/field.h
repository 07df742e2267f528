/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Named bit fields as rows of data: descriptors and system registers are printed,
 * searched and edited by them.
 */
#ifndef BATON_MMU_FIELD_H
#define BATON_MMU_FIELD_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* A value with a name; an array ends with a NULL name. */
struct pt_value {
	uint64_t value;
	const char *name;
};

/*
 * One field. An array ends with a NULL name. What it means is the first of: the
 * name among @values, what @say adds, @set or @unset, nothing.
 */
struct pt_field {
	const char *name;
	uint8_t lsb, width;
	const struct pt_value *values;
	/* @word: the whole register or descriptor; @mair: memory attributes, for AttrIndx */
	void (*say)(struct buf *out, uint64_t value, uint64_t word, uint64_t mair);
	const char *set, *unset;
	bool hex; /* the number itself is usually written in hex */
};

const struct pt_field *pt_field_find(const struct pt_field *rows, const char *name);
uint64_t pt_field_mask(const struct pt_field *f);
uint64_t pt_field_get(const struct pt_field *f, uint64_t word);
uint64_t pt_field_set(const struct pt_field *f, uint64_t word, uint64_t value);

/** pt_field_say() - add the meaning of the field in @word, or nothing if it has no words. */
void pt_field_say(const struct pt_field *f, uint64_t word, uint64_t mair, struct buf *out);

/** pt_fields_describe() - one aligned line for each row: name, bits, value, meaning. */
void pt_fields_describe(const struct pt_field *rows, uint64_t word, uint64_t mair, struct buf *out);

/**
 * pt_field_parse() - a number that fits, or one of the field's value names.
 * Return: 0, or -BATON_EINVAL with words in @why that name what it could be.
 */
int pt_field_parse(const struct pt_field *f, const char *text, uint64_t *value, struct buf *why);

#endif
