/* SPDX-License-Identifier: BSD-2-Clause */
/* `handoff log --json`: every kind of event, by one schema. */
#include "fake_machine.h"

#include "handoff/internal.h"
#include "monitor/json.h"

static const char *const keys[] = { "kind",   "cpu",   "el",   "pc",   "symbol",
				    "before", "after", "name", "text", "fields" };

static void assert_hex(const json_t *j)
{
	const char *text = json_string_value(j);

	assert_non_null(text);
	assert_memory_equal(text, "0x", 2);
	assert_true(text[2] && !text[2 + strspn(text + 2, "0123456789abcdef")]);
}

static void assert_text(const json_t *j)
{
	assert_true(json_is_null(j) || json_string_value(j)[0]);
}

static void assert_schema(const json_t *j)
{
	assert_int_equal(json_object_size(j), sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(json_object_get(j, keys[i]));
	assert_true(json_is_integer(json_object_get(j, "cpu")));
	assert_true(json_is_integer(json_object_get(j, "el")));
	assert_hex(json_object_get(j, "pc"));
	if (!json_is_null(json_object_get(j, "before")))
		assert_hex(json_object_get(j, "before"));
	if (!json_is_null(json_object_get(j, "after")))
		assert_hex(json_object_get(j, "after"));
	assert_text(json_object_get(j, "symbol"));
	assert_text(json_object_get(j, "name"));
	assert_text(json_object_get(j, "fields"));
	assert_true(json_is_string(json_object_get(j, "text")));
	assert_string_not_equal(json_string_value(json_object_get(j, "kind")), "unknown");
}

static const char *member(json_t *list, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(list, i), key));
}

static void every_kind_has_a_name_and_what_it_means(void **state)
{
	struct fake *f = *state;
	struct context ctx = { .machine = &f->m, .handoff = handoff_new() };
	struct handoff *h = ctx.handoff;
	json_t *list, *event;
	size_t i;

	h->ctx = &ctx;
	for (int kind = EVENT_NOTE; kind <= EVENT_WARNING; kind++) {
		struct event e = { .kind = (enum event_kind)kind,
				   .cpu = 3,
				   .el = 2,
				   .pc = UINT64_C(0xffffff8040000000),
				   .before = 1,
				   .after = 0 };

		event_add(h, &e, "event %d, caf\xe9", kind);
	}
	list = handoff_log_json(&ctx);
	assert_int_equal(json_array_size(list), EVENT_WARNING + 1);
	json_array_foreach(list, i, event) assert_schema(event);
	assert_string_equal(member(list, EVENT_SYSREG, "kind"), "sysreg");
	assert_string_equal(member(list, EVENT_SYSREG, "before"), "0x1");
	assert_string_equal(member(list, EVENT_SYSREG, "after"), "0x0");
	assert_string_equal(member(list, EVENT_SYSREG, "pc"), "0xffffff8040000000");
	assert_string_equal(member(list, EVENT_SYSREG, "text"), "event 2, caf?");
	assert_null(member(list, EVENT_WARNING, "before"));
	assert_null(member(list, EVENT_LEFT, "before"));
	json_decref(list);
	handoff_free(h);
}

static void what_was_not_read_is_null(void **state)
{
	struct fake *f = *state;
	struct context ctx = { .machine = &f->m, .handoff = handoff_new() };
	struct event e = { .kind = EVENT_SYSREG, .no_before = true, .after = 5, .name = "TCR_EL1" };
	json_t *list;

	ctx.handoff->ctx = &ctx;
	event_add(ctx.handoff, &e, "TCR_EL1 := 0x5");
	e.no_before = false;
	e.no_after = true;
	event_add(ctx.handoff, &e, "x");
	list = handoff_log_json(&ctx);
	assert_null(member(list, 0, "before"));
	assert_string_equal(member(list, 0, "after"), "0x5");
	assert_string_equal(member(list, 0, "name"), "TCR_EL1");
	assert_null(member(list, 1, "after"));
	json_decref(list);
	handoff_free(ctx.handoff);
}

static void without_a_timeline_it_is_empty(void **state)
{
	struct fake *f = *state;
	struct context ctx = { .machine = &f->m, .handoff = handoff_new() };
	json_t *list = handoff_log_json(&ctx);

	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	handoff_free(ctx.handoff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_kind_has_a_name_and_what_it_means, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(what_was_not_read_is_null, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(without_a_timeline_it_is_empty, fake_setup,
						fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
