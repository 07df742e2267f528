/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "buf.h"
#include "error.h"
#include "tdesc.h"

#include <stdio.h>
#include <stdlib.h>

/* A stub's documents: name, text, name, text, ..., NULL. */
static int fetch_text(void *ctx, const char *annex, struct buf *out)
{
	for (const char *const *d = ctx; *d; d += 2) {
		if (strcmp(d[0], annex))
			continue;
		buf_puts(out, d[1]);
		return 0;
	}
	return -BATON_ENOTFOUND;
}

static int fetch_file(void *ctx, const char *annex, struct buf *out)
{
	char path[200], block[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", (const char *)ctx, annex);
	f = fopen(path, "rb");
	if (!f)
		return -BATON_ENOTFOUND;
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(out, block, n);
	fclose(f);
	return 0;
}

/* Each document includes another, under ever new names. */
static int fetch_deeper(void *ctx, const char *annex, struct buf *out)
{
	(void)ctx;
	buf_printf(out, "<target><xi:include href='%s0'/></target>", annex);
	return 0;
}

/* 300 documents side by side. */
static int fetch_wider(void *ctx, const char *annex, struct buf *out)
{
	(void)ctx;
	buf_puts(out, "<target>");
	for (int i = 0; i < 300 && !strcmp(annex, "target.xml"); i++)
		buf_printf(out, "<xi:include href='%d.xml'/>", i);
	buf_puts(out, "</target>");
	return 0;
}

static int fetch_endless(void *ctx, const char *annex, struct buf *out)
{
	(void)ctx;
	(void)annex;
	buf_puts(out, "<target>");
	for (unsigned int i = 0; i < TDESC_MAX_SIZE / 64; i++)
		buf_puts(out, "                                                                ");
	buf_puts(out, "</target>");
	return 0;
}

static int parse(struct tdesc *t, const char *const *documents, struct buf *err)
{
	union {
		const void *in;
		void *out;
	} ctx = { .in = documents };
	struct tdesc_source source = { .fetch = fetch_text, .ctx = ctx.out };

	return tdesc_parse(t, &source, err);
}

static void parses(struct tdesc *t, const char *target)
{
	const char *documents[] = { "target.xml", target, NULL };
	struct buf err = { 0 };

	if (parse(t, documents, &err))
		fail_msg("%s", err.data);
	assert_int_equal(err.len, 0);
}

static void fails(const char *target, int code, const char *words)
{
	const char *documents[] = {
		"target.xml", target,
		"a.xml",      "<feature name='a'><xi:include href='b.xml'/></feature>",
		"b.xml",      "<feature name='b'>\n<xi:include href='a.xml'/></feature>",
		"bad.xml",    "<feature name='f'>\n\n<reg bitsize='8'/></feature>",
		NULL
	};
	struct buf err = { 0 };
	struct tdesc t;

	assert_int_equal(parse(&t, documents, &err), code);
	assert_string_equal(err.data, words);
	assert_null(t.regs);
	assert_int_equal(t.count, 0);
	assert_null(tdesc_find(&t, "x0"));
	assert_null(tdesc_reg(&t, 0));
	assert_int_equal(parse(&t, documents, NULL), code);
	buf_free(&err);
}

static void is_reg(const struct tdesc *t, const char *name, unsigned int regnum,
		   unsigned int bitsize, long offset)
{
	const struct tdesc_reg *r = tdesc_find(t, name);

	if (!r)
		fail_msg("no %s", name);
	assert_int_equal(r->regnum, regnum);
	assert_int_equal(r->bitsize, bitsize);
	assert_int_equal(r->offset, offset);
	assert_ptr_equal(tdesc_reg(t, regnum), r);
}

/* What QEMU 7.2 sends for -M virt -cpu cortex-a53; its `g` has 268 bytes, to cpsr. */
static void qemu_cortex_a53(void **state)
{
	char folder[] = "tests/unit/data/qemu-7.2-cortex-a53";
	struct tdesc_source source = { .fetch = fetch_file, .ctx = folder };
	struct buf err = { 0 };
	struct tdesc t;

	(void)state;
	if (tdesc_parse(&t, &source, &err))
		fail_msg("%s", err.data);
	assert_string_equal(t.architecture, "aarch64");
	assert_int_equal(t.count, 34 + 34 + 160);
	is_reg(&t, "x0", 0, 64, 0);
	is_reg(&t, "x30", 30, 64, 240);
	is_reg(&t, "sp", 31, 64, 248);
	is_reg(&t, "pc", 32, 64, 256);
	is_reg(&t, "cpsr", 33, 32, 264);
	is_reg(&t, "v0", 34, 128, 268);
	is_reg(&t, "fpsr", 66, 32, 780);
	is_reg(&t, "fpcr", 67, 32, 784);
	is_reg(&t, "SCTLR", 74, 64, 788 + 8 * (74 - 68));
	assert_int_equal(tdesc_find(&t, "TTBR1_EL1")->regnum, 150);
	assert_string_equal(tdesc_find(&t, "TTBR1_EL1")->group, "cp_regs");
	assert_string_equal(tdesc_find(&t, "TTBR1_EL1")->feature, "org.qemu.gdb.arm.sys.regs");
	assert_string_equal(tdesc_find(&t, "TTBR1_EL1")->annex, "system-registers.xml");
	assert_string_equal(tdesc_find(&t, "pc")->type, "code_ptr");
	assert_string_equal(tdesc_find(&t, "pc")->feature, "org.gnu.gdb.aarch64.core");
	assert_string_equal(tdesc_find(&t, "x0")->type, "int");
	assert_null(tdesc_find(&t, "x0")->group);
	assert_null(tdesc_find(&t, "X0"));
	assert_null(tdesc_find(&t, "MPIDR_EL1"));
	assert_null(tdesc_find(&t, ""));
	assert_null(tdesc_reg(&t, 228));
	tdesc_free(&t);
}

static void a_register_without_number_follows_its_predecessor(void **state)
{
	struct tdesc t;

	(void)state;
	parses(&t, "<target><feature name='f'><reg name='a' bitsize='8'/>"
		   "<reg name='b' bitsize='16' regnum='7'/><reg name='c' bitsize='32'/></feature>"
		   "<feature name='g'><reg name='d' bitsize='64'/>"
		   "<reg name='e' bitsize='64' regnum='0x3'/></feature></target>");
	is_reg(&t, "a", 0, 8, 0);
	is_reg(&t, "e", 3, 64, 1);
	is_reg(&t, "b", 7, 16, 9);
	is_reg(&t, "c", 8, 32, 11);
	is_reg(&t, "d", 9, 64, 15);
	assert_string_equal(tdesc_find(&t, "d")->feature, "g");
	assert_null(t.architecture);
	tdesc_free(&t);
}

static void numbers_go_on_across_documents(void **state)
{
	static const char *const documents[] = {
		"target.xml",
		"<?xml version='1.0'?><!DOCTYPE target SYSTEM 'gdb-target.dtd'><target>"
		"<xi:include href='one.xml'/><xi:include href='two.xml'/><xi:include "
		"href='one.xml'/>"
		"</target>",
		"one.xml",
		"<feature name='one'><reg name='r' bitsize='32'/></feature>",
		"two.xml",
		"<!DOCTYPE feature SYSTEM \"gdb-target.dtd\"><feature name='two'>"
		"<reg name='s' bitsize='32'/><xi:include href='one.xml'/></feature>",
		NULL
	};
	struct tdesc t;

	(void)state;
	assert_int_equal(parse(&t, documents, NULL), 0);
	assert_int_equal(t.count, 4);
	is_reg(&t, "s", 1, 32, 4);
	is_reg(&t, "r", 0, 32, 0); /* the first of three of that name */
	assert_string_equal(tdesc_reg(&t, 2)->feature, "one");
	tdesc_free(&t);
}

static void behind_an_odd_size_no_place_is_known(void **state)
{
	struct tdesc t;

	(void)state;
	parses(&t,
	       "<target><feature name='f'><reg name='a' bitsize='8'/><reg name='b' bitsize='1'/>"
	       "<reg name='c' bitsize='8'/><reg name='d' bitsize='8'/></feature></target>");
	is_reg(&t, "b", 1, 1, 1);
	is_reg(&t, "c", 2, 8, -1);
	is_reg(&t, "d", 3, 8, -1);
	tdesc_free(&t);
}

static void any_number_of_registers(void **state)
{
	struct buf b = { 0 };
	struct tdesc t;

	(void)state;
	buf_puts(&b, "<target><feature name='f'>");
	for (int i = 0; i < 20000; i++)
		buf_printf(&b, "<reg name='r%d' bitsize='64'/>", i);
	buf_puts(&b, "</feature></target>");
	parses(&t, b.data);
	assert_int_equal(t.count, 20000);
	for (unsigned int i = 0; i < 20000; i += 7) {
		char name[16];

		snprintf(name, sizeof(name), "r%u", i);
		is_reg(&t, name, i, 64, 8 * (long)i);
	}
	tdesc_free(&t);
	buf_free(&b);
}

static void no_register_at_all(void **state)
{
	struct tdesc t;

	(void)state;
	parses(&t, "<target><architecture>aarch64</architecture></target>");
	assert_int_equal(t.count, 0);
	assert_null(tdesc_find(&t, "x0"));
	assert_null(tdesc_reg(&t, 0));
	tdesc_free(&t);
}

#define REG(atts) "<target>\n<feature name='f'>\n<reg " atts "/></feature></target>"

static void errors_name_document_and_line(void **state)
{
	(void)state;
	fails("", -BATON_EPROTO, "target.xml:1: no element found");
	fails("<target>\n<feature", -BATON_EPROTO, "target.xml:2: unclosed token");
	fails("<target>\n</feature>", -BATON_EPROTO, "target.xml:2: mismatched tag");
	fails("<target><feature/></target>", -BATON_EPROTO,
	      "target.xml:1: a feature without a name");
	fails(REG("bitsize='64'"), -BATON_EPROTO, "target.xml:3: a register without a name");
	fails(REG("name='x'"), -BATON_EPROTO,
	      "target.xml:3: register x: bitsize \"\" is not 1 to 65536");
	fails(REG("name='x' bitsize='0'"), -BATON_EPROTO,
	      "target.xml:3: register x: bitsize \"0\" is not 1 to 65536");
	fails(REG("name='x' bitsize='-8'"), -BATON_EPROTO,
	      "target.xml:3: register x: bitsize \"-8\" is not 1 to 65536");
	fails(REG("name='x' bitsize='99999999999999999999'"), -BATON_EPROTO,
	      "target.xml:3: register x: bitsize \"99999999999999999999\" is not 1 to 65536");
	fails(REG("name='x' bitsize='64' regnum='1x'"), -BATON_EPROTO,
	      "target.xml:3: register x: regnum \"1x\" is not 0 to 16777215");
	fails("<target><xi:include/></target>", -BATON_EPROTO,
	      "target.xml:1: xi:include without href");
	fails("<target><xi:include href='bad.xml'/></target>", -BATON_EPROTO,
	      "bad.xml:3: a register without a name");
	fails("<target><xi:include href='none.xml'/></target>", -BATON_ENOTFOUND,
	      "none.xml: not found");
}

static void two_registers_of_one_number_are_refused(void **state)
{
	(void)state;
	fails("<target><feature name='f'><reg name='a' bitsize='8' regnum='5'/>"
	      "<reg name='b' bitsize='8' regnum='5'/></feature></target>",
	      -BATON_EPROTO, "target.xml: register number 5 is both a and b");
}

static void cycles_are_refused(void **state)
{
	(void)state;
	fails("<target>\n<xi:include href='target.xml'/></target>", -BATON_EPROTO,
	      "target.xml:2: target.xml includes itself");
	fails("<target><xi:include href='a.xml'/></target>", -BATON_EPROTO,
	      "b.xml:2: a.xml includes itself");
}

static void depth_count_and_size_are_limited(void **state)
{
	static const struct {
		int (*fetch)(void *, const char *, struct buf *);
		const char *words;
	} limits[] = {
		{ fetch_deeper, "target.xml00000000:1: xi:include nested deeper than 8" },
		{ fetch_wider, ":1: more than 256 documents" },
		{ fetch_endless, "target.xml: too big" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct tdesc_source source = { .fetch = limits[i].fetch };
		struct buf err = { 0 };
		struct tdesc t;

		assert_int_equal(tdesc_parse(&t, &source, &err), -BATON_ETOOBIG);
		assert_non_null(strstr(err.data, limits[i].words));
		assert_null(strchr(err.data, '\n'));
		buf_free(&err);
	}
}

static void entities_are_refused(void **state)
{
	(void)state;
	fails("<!DOCTYPE target [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><target>&b;</target>",
	      -BATON_EPROTO, "target.xml:1: a DOCTYPE with declarations is refused");
	fails("<!DOCTYPE target SYSTEM 'gdb-target.dtd' [<!ENTITY x SYSTEM '/etc/passwd'>]>"
	      "<target>&x;</target>",
	      -BATON_EPROTO, "target.xml:1: a DOCTYPE with declarations is refused");
	fails("<!DOCTYPE target SYSTEM 'gdb-target.dtd'><target>&x;</target>", -BATON_EPROTO,
	      "target.xml:1: unknown entity &x;");
	fails("<target>&x;</target>", -BATON_EPROTO, "target.xml:1: undefined entity");
}

static void the_five_entities_of_xml_work(void **state)
{
	struct tdesc t;

	(void)state;
	parses(&t, "<target><architecture>a&amp;b</architecture><feature name='&lt;f&gt;'>"
		   "<reg name='a' bitsize='8'/></feature></target>");
	assert_string_equal(t.architecture, "a&b");
	assert_string_equal(tdesc_reg(&t, 0)->feature, "<f>");
	tdesc_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qemu_cortex_a53),
		cmocka_unit_test(a_register_without_number_follows_its_predecessor),
		cmocka_unit_test(numbers_go_on_across_documents),
		cmocka_unit_test(behind_an_odd_size_no_place_is_known),
		cmocka_unit_test(any_number_of_registers),
		cmocka_unit_test(no_register_at_all),
		cmocka_unit_test(errors_name_document_and_line),
		cmocka_unit_test(two_registers_of_one_number_are_refused),
		cmocka_unit_test(cycles_are_refused),
		cmocka_unit_test(depth_count_and_size_are_limited),
		cmocka_unit_test(entities_are_refused),
		cmocka_unit_test(the_five_entities_of_xml_work),
	};

	return cmocka_run_group_tests_name("tdesc", tests, NULL, NULL);
}
