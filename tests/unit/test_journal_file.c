/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal's file, cut short at every byte, damaged at every byte, and of other machines. */
#include "fake_machine.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t a = FAKE_RAM + 0x100, b = FAKE_RAM + 0x200;

static const char *const here[] = { "gpa2hva 0x40000000",
				    "Host virtual address for 0x40000000 (ram) is 0x7f0000000000\n",
				    NULL };
static const char *const elsewhere[] = {
	"gpa2hva 0x40000000", "Host virtual address for 0x40000000 (ram) is 0x7e0000000000\n", NULL
};

static char path[64];

/* Baton dies and comes again: all that is left is the file and the memory. */
static int again(struct fake *f)
{
	journal_free(f->ctx.journal);
	f->ctx.journal = journal_new();
	buf_clear(&f->out);
	return journal_open(f->ctx.journal, &f->m, path, &f->out);
}

static void put_file(const char *data, size_t len)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static size_t get_file(char *data, size_t size)
{
	FILE *in = fopen(path, "r");
	size_t len;

	assert_non_null(in);
	len = fread(data, 1, size, in);
	assert_true(len < size);
	fclose(in);
	return len;
}

static int setup(void **state)
{
	int fd;

	fake_setup(state);
	((struct fake *)*state)->hmp = here;
	snprintf(path, sizeof(path), "/tmp/baton-journal.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(again(*state), 0);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	return fake_teardown(state);
}

static void note(struct fake *f, unsigned int number, uint64_t address, uint64_t new)
{
	struct patch p = {
		.kind = PATCH_TABLE, .regime = "el1", .address = address, .size = 8, .va = address
	};

	le_write(p.old, 8, fake_u64(f, address));
	le_write(p.new, 8, new);
	snprintf(p.where, sizeof(p.where), "L3 [1] <name with spaces>");
	assert_int_equal(journal_note(f->ctx.journal, number, &p), 0);
}

#define MOMENTS 32

/* What was on disk and in memory at one time. */
static struct moment {
	size_t size;
	uint64_t a, b;
} moment[MOMENTS];
static unsigned int moments;

static void remember(struct fake *f)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_true(moments < MOMENTS);
	moment[moments++] = (struct moment){ (size_t)st.st_size, fake_u64(f, a), fake_u64(f, b) };
}

static void make(struct fake *f, unsigned int number, uint64_t address, uint64_t new)
{
	note(f, number, address, new);
	remember(f);
	fake_set_u64(f, address, new);
	remember(f);
}

/* One patch of one write, one of two, of which the first goes over that; the second goes. */
static void make_history(struct fake *f)
{
	struct journal *j = f->ctx.journal;

	moments = 0;
	remember(f);
	assert_int_equal(journal_begin(j, "first"), 1);
	make(f, 1, a, 0x11);
	journal_end(j, 1);
	remember(f);
	assert_int_equal(journal_begin(j, "second"), 2);
	make(f, 2, a, 0x22);
	make(f, 2, b, 0x33);
	journal_end(j, 2);
	remember(f);
	assert_int_equal(journal_undo(j, &f->m, 2, &f->out), 0);
	remember(f);
}

/* What `patches` would say, against what was written at that moment. */
static void assert_truth(struct fake *f, const struct moment *m)
{
	const struct journal *j = f->ctx.journal;
	const struct journal_entry *e = journal_find(j, 1);
	size_t there = (m->a == 0x22) + (m->b == 0x33);
	struct judgement jd;

	/* 0x22 lies upon 0x11: the first is applied below. */
	assert_int_equal(e && entry_is_live(e), m->a != 0);
	if (m->a) {
		assert_int_equal(journal_judge(j, &f->m, e, &jd), 0);
		assert_int_equal(jd.verdict, e->whole ? VERDICT_APPLIED : VERDICT_PARTLY);
	}
	e = journal_find(j, 2);
	if (!there) {
		assert_true(!e || e->state == ENTRY_UNDONE || e->state == ENTRY_ABORTED);
		return;
	}
	assert_true(e && entry_is_live(e));
	assert_int_equal(journal_judge(j, &f->m, e, &jd), 0);
	assert_int_equal(jd.there, there);
	assert_int_equal(jd.verdict, there == 2 && e->whole ? VERDICT_APPLIED : VERDICT_PARTLY);
}

static void cut_short_at_any_byte_it_tells_the_truth(void **state)
{
	static char data[8192];
	struct fake *f = *state;
	unsigned int cuts = 0;
	size_t len;

	make_history(f);
	len = get_file(data, sizeof(data));
	for (unsigned int i = 0; i < moments; i++) {
		size_t end = i + 1 < moments ? moment[i + 1].size : len + 1;
		size_t from = moment[i].size, n;

		for (n = from; n < end || n == from; n++, cuts++) {
			put_file(data, n);
			fake_set_u64(f, a, moment[i].a);
			fake_set_u64(f, b, moment[i].b);
			if (again(f))
				fail_msg("cut at %zu: %s", n, f->out.data);
			assert_truth(f, &moment[i]);
			/* and once more, from what was then written */
			assert_int_equal(again(f), 0);
			assert_truth(f, &moment[i]);
			fake_command(f, "undo all");
			assert_true(fake_u64(f, a) == 0 && fake_u64(f, b) == 0);
		}
	}
	assert_true(cuts > len / 2);
}

static void a_changed_byte_is_found_and_left(void **state)
{
	static char data[8192], now[8192];
	struct fake *f = *state;
	size_t len;

	make_history(f);
	len = get_file(data, sizeof(data));
	/* Without its end the last line is one that was cut short. */
	for (size_t i = 0; i + 1 < len; i++) {
		data[i] ^= 1;
		put_file(data, len);
		if (again(f) != -BATON_EINVAL)
			fail_msg("byte %zu was changed, and nobody saw it", i);
		assert_int_equal(get_file(now, sizeof(now)), len);
		assert_memory_equal(now, data, len);
		data[i] ^= 1;
	}
}

static void a_lost_line_is_found(void **state)
{
	static char data[8192];
	struct fake *f = *state;
	size_t len, line = 0, next;

	make_history(f);
	len = get_file(data, sizeof(data));
	next = (size_t)((char *)memchr(data, '\n', len) + 1 - data);
	for (int i = 0; i < 3; i++) {
		line = next;
		next = (size_t)((char *)memchr(data + line, '\n', len - line) + 1 - data);
	}
	memmove(data + line, data + next, len - next);
	put_file(data, len - (next - line));
	assert_int_equal(again(f), -BATON_EINVAL);
	assert_said(f, "is damaged: line 4");
}

static void another_file_is_left_alone(void **state)
{
	static const char *const others[] = { "hello", "hello\n", "\177ELF\2\1\1\n\n",
					      "96476016"
					      "x" };
	char now[64];
	struct fake *f = *state;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		put_file(others[i], strlen(others[i]));
		assert_int_equal(again(f), -BATON_EINVAL);
		assert_said(f, "is no journal of baton's");
		assert_int_equal(get_file(now, sizeof(now)), strlen(others[i]));
	}
}

static void of_another_machine_nothing_is_undone(void **state)
{
	struct fake *f = *state;

	make_history(f);
	f->hmp = elsewhere;
	assert_int_equal(again(f), 0);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 0);
	assert_int_equal(journal_undo(f->ctx.journal, &f->m, 1, &f->out), -BATON_ENOTFOUND);
	assert_said(f, "was made on another machine");
	assert_true(fake_u64(f, a) == 0x11);
	assert_int_equal(fake_command(f, "patches"), 0);
	assert_said(f, "  1  elsewhere  ");
	/* Its own machine still knows it. */
	f->hmp = here;
	assert_int_equal(again(f), 0);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 1);
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_true(fake_u64(f, a) == 0);
}

/* Without random addresses two have their memory at the same place: the process tells. */
static void another_process_is_another_machine(void **state)
{
	struct fake *f = *state;

	snprintf(f->m.process, sizeof(f->m.process), "0123abcd:100:5000");
	make_history(f); /* begun without it being known */
	assert_int_equal(again(f), 0);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 1);
	unlink(path);
	assert_int_equal(again(f), 0);
	make_history(f);
	assert_int_equal(again(f), 0);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 1);
	snprintf(f->m.process, sizeof(f->m.process), "0123abcd:100:5001");
	assert_int_equal(again(f), 0);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 0);
	f->m.process[0] = '\0';
	assert_int_equal(again(f), 0);
	snprintf(f->m.process, sizeof(f->m.process), "0123abcd:100:5000");
	unlink(path);
	assert_int_equal(again(f), 0);
	fake_set_u64(f, a, 0);
	make_history(f);
	f->m.process[0] = '\0';
	assert_int_equal(again(f), 0);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 1);
}

static void a_reset_is_remembered(void **state)
{
	struct fake *f = *state;

	make_history(f);
	journal_reset(f->ctx.journal, &f->out);
	assert_int_equal(again(f), 0);
	assert_int_equal(journal_find(f->ctx.journal, 1)->state, ENTRY_CLOSED);
	assert_int_equal(journal_last(f->ctx.journal, &f->m), 0);
}

/* What was under way may have left a stale translation: it is dropped. */
static void what_was_under_way_is_refreshed(void **state)
{
	struct fake *f = *state;

	journal_begin(f->ctx.journal, "x");
	note(f, 1, a, 5);
	fake_set_u64(f, a, 5);
	buf_clear(&f->log);
	assert_int_equal(again(f), 0);
	assert_said(f, "patch 1 was under way when baton ended: 1 of its 1 writes are there, and "
		       "more may have been to come");
	assert_non_null(strstr(f->log.data, "Z2 0xff8 16\nz2 0xff8 16\n"));
}

static void two_batons_do_not_share_it(void **state)
{
	struct journal *other = journal_new();
	struct fake *f = *state;

	buf_clear(&f->out);
	assert_int_equal(journal_open(other, &f->m, path, &f->out), -BATON_EBUSY);
	assert_said(f, "in use by another baton");
	journal_free(other);
}

/* The disk is full: what cannot be noted is not written, and the file stays whole. */
static void without_the_file_nothing_is_changed(void **state)
{
	struct patch p = { .kind = PATCH_MEMORY, .address = a, .size = 8 };
	struct rlimit was, full;
	struct fake *f = *state;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	full = was;
	full.rlim_cur = (rlim_t)st.st_size + 40;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	journal_begin(f->ctx.journal, "x");
	assert_int_equal(journal_note(f->ctx.journal, 1, &p), -BATON_ESYS);
	assert_non_null(strstr(f->m.error, "nothing is changed without it"));
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(again(f), 0);
}

/* ... and what was written when its end cannot be noted goes back. */
static void without_its_end_nothing_stays(void **state)
{
	struct rlimit was, full;
	struct fake *f = *state;
	struct stat st;

	fake_tables(f);
	assert_int_equal(fake_command(f, "patch 0x40000100 = 5 -p"), 0);
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_int_equal(stat(path, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	full = was;
	/* begin and note fit, end does not: 16 digits, a space, the text, an end of line. */
	full.rlim_cur = (rlim_t)st.st_size + strlen("begin 2 patch 0x40000100 = 6 -p") +
			strlen("note 2 0 0 - - 40000100 0 0 0 4 00000000 06000000 ") + 2 * 18 + 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	assert_int_equal(fake_command(f, "patch 0x40000100 = 6 -p"), 2);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_said(f, "nothing is changed without it");
	assert_true(fake_u64(f, a) == 0);
	assert_int_equal(journal_find(f->ctx.journal, 2)->state, ENTRY_ABORTED);
	assert_int_equal(again(f), 0);
	assert_said(f, "patch 2 was under way when baton ended: nothing of it was written");
}

/* The write went out and the link was cut before it read back: baton cannot know, the next can. */
static void a_link_cut_before_the_read_back_is_settled(void **state)
{
	struct fake *f = *state;

	fake_tables(f);
	f->lose_after_write = true;
	assert_int_equal(fake_command(f, "patch 0x40000100 = 5 -p"), -BATON_ELINK);
	f->lost = f->lose_after_write = false;
	assert_int_equal(again(f), 0);
	assert_said(f, "patch 1 was under way when baton ended: 1 of its 1 writes are there, and "
		       "more may have been to come");
	assert_int_equal(fake_command(f, "undo"), 0);
	assert_true(fake_u64(f, a) == 0);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(cut_short_at_any_byte_it_tells_the_truth),
		T(a_changed_byte_is_found_and_left),
		T(a_lost_line_is_found),
		T(another_file_is_left_alone),
		T(of_another_machine_nothing_is_undone),
		T(another_process_is_another_machine),
		T(a_reset_is_remembered),
		T(what_was_under_way_is_refreshed),
		T(two_batons_do_not_share_it),
		T(without_the_file_nothing_is_changed),
		T(without_its_end_nothing_stays),
		T(a_link_cut_before_the_read_back_is_settled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
