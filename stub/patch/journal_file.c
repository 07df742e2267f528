/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal's file: lines of text, each behind a checksum of all up to its own end, so that
 * a line that was changed, lost or put elsewhere shows. Each is on disk before the journal
 * goes on. Of a line that is cut short nothing was done yet: the next to open it cuts it off.
 */
#include "patch/journal_internal.h"

#include "hex.h"
#include "machine/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TITLE	 "baton journal 1"
#define SUM_LEN	 16u
#define FILE_MAX (1ll << 30)

/* FNV-1a, 64 bits: against accidents, not against enemies. */
static uint64_t sum_add(uint64_t sum, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3ull;
	return sum;
}

#define SUM_START 0xcbf29ce484222325ull

static int broken(struct journal *j)
{
	return machine_fail(j->machine, -BATON_ESYS,
			    "the journal %s cannot be written (%s), and nothing is changed without "
			    "it; what is journalled stays as it is",
			    j->path, strerror(j->broken));
}

static int append(struct journal *j, const struct buf *line)
{
	for (size_t at = 0; at < line->len;) {
		ssize_t n = write(j->fd, line->data + at, line->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		at += (size_t)n;
	}
	return fdatasync(j->fd) ? errno : 0;
}

/* A line more: its sum is over all before it, and its own text. */
static void add_line(struct buf *lines, uint64_t *sum, const struct buf *text)
{
	*sum = sum_add(*sum, text->data, text->len);
	buf_printf(lines, "%016" PRIx64 " %s\n", *sum, text->data);
}

/* @sum: with these lines. */
static int put_lines(struct journal *j, const struct buf *lines, uint64_t sum)
{
	if (!j->broken)
		j->broken = append(j, lines);
	else
		return broken(j);
	if (!j->broken) {
		j->sum = sum;
		j->good += lines->len;
	} else if (ftruncate(j->fd, (off_t)j->good)) {
		/* It stays cut short, as if baton had died there. */
	}
	return j->broken ? broken(j) : 0;
}

int journal_log(struct journal *j, const char *fmt, ...)
{
	struct buf text = { 0 }, line = { 0 };
	uint64_t sum = j->sum;
	va_list ap;
	int err;

	if (j->fd < 0)
		return 0;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	add_line(&line, &sum, &text);
	err = put_lines(j, &line, sum);
	buf_free(&text);
	buf_free(&line);
	return err;
}

/* kind cpu regime register address va level leaf size old new where */
static void say_write(unsigned int number, const struct patch *p, struct buf *out)
{
	buf_printf(out, "note %u %d %u %s %s %" PRIx64 " %" PRIx64 " %d %d %u ", number,
		   (int)p->kind, p->cpu, p->regime[0] ? p->regime : "-", p->reg[0] ? p->reg : "-",
		   p->address, p->va, p->level, p->leaf, p->size);
	hex_encode(out, p->old, p->size);
	buf_putc(out, ' ');
	hex_encode(out, p->new, p->size);
	buf_printf(out, " %s", p->where);
}

int journal_log_writes(struct journal *j, unsigned int number, const struct patch *p, size_t n)
{
	struct buf text = { 0 }, lines = { 0 };
	uint64_t sum = j->sum;
	int err;

	if (j->fd < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		buf_clear(&text);
		say_write(number, &p[i], &text);
		add_line(&lines, &sum, &text);
	}
	err = put_lines(j, &lines, sum);
	buf_free(&text);
	buf_free(&lines);
	return err;
}

/* Reading it */

static int take_bytes(const char *hex, unsigned int size, uint8_t *out)
{
	return strlen(hex) == 2 * (size_t)size ? hex_decode(hex, strlen(hex), out) : -BATON_EINVAL;
}

static int take_note(struct journal *j, struct journal_entry *e, const char *text)
{
	char old[2 * PATCH_BYTES + 1], new[2 * PATCH_BYTES + 1];
	struct patch p = { 0 };
	int kind, leaf, end = 0;

	if (sscanf(text, "%d %u %23s %15s %" SCNx64 " %" SCNx64 " %d %d %u %128s %128s%n", &kind,
		   &p.cpu, p.regime, p.reg, &p.address, &p.va, &p.level, &leaf, &p.size, old, new,
		   &end) != 11 ||
	    kind < PATCH_MEMORY || kind > PATCH_TABLE || !p.size || p.size > PATCH_BYTES ||
	    text[end] != ' ' || take_bytes(old, p.size, p.old) || take_bytes(new, p.size, p.new))
		return -BATON_EINVAL;
	if (!strcmp(p.regime, "-"))
		p.regime[0] = '\0';
	if (!strcmp(p.reg, "-"))
		p.reg[0] = '\0';
	p.kind = (enum patch_kind)kind;
	p.leaf = leaf;
	snprintf(p.where, sizeof(p.where), "%s", text + end + 1);
	return journal_note(j, e->number, &p);
}

/* While it is read; @elsewhere: lines of another machine. */
struct reading {
	struct journal *j;
	const char *identity;
	bool elsewhere;
	int fd;
	char **moment; /* lines of the one that has not ended */
	size_t moments;
};

static void drop_moment(struct reading *r)
{
	while (r->moments)
		free(r->moment[--r->moments]);
	free(r->moment);
	r->moment = NULL;
}

static void take_moment(struct reading *r, const char *line)
{
	r->moment = realloc(r->moment, (r->moments + 1) * sizeof(*r->moment));
	if (!r->moment)
		abort();
	r->moment[r->moments] = strdup(line);
	if (!r->moment[r->moments++])
		abort();
}

static int take_begin(struct journal *j, unsigned int number, const char *text, bool elsewhere)
{
	if (number != j->count + 1)
		return -BATON_EINVAL;
	journal_begin(j, text);
	j->entry[j->count - 1].elsewhere = elsewhere;
	return 0;
}

static int take_state(struct journal_entry *e, const char *word)
{
	static const struct {
		const char *word;
		enum entry_state state;
	} rows[] = {
		{ "end", ENTRY_APPLIED },
		{ "undoing", ENTRY_UNDOING },
		{ "undone", ENTRY_UNDONE },
		{ "aborted", ENTRY_ABORTED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(word, rows[i].word) != 0)
			continue;
		e->state = rows[i].state;
		e->whole |= e->state == ENTRY_APPLIED;
		return 0;
	}
	return -BATON_EINVAL;
}

static void take_reset(struct reading *r)
{
	for (size_t i = 0; i < r->j->count; i++) {
		struct journal_entry *e = &r->j->entry[i];

		if (e->elsewhere == r->elsewhere && e->state != ENTRY_UNDONE &&
		    e->state != ENTRY_ABORTED)
			e->state = ENTRY_CLOSED;
	}
}

#define PROCESS " process="

/* A process is not known to everybody (over TCP, say): what both know has to agree. */
static bool same_machine(const char *a, const char *b)
{
	const char *process_a = strstr(a, PROCESS), *process_b = strstr(b, PROCESS);
	size_t len_a = process_a ? (size_t)(process_a - a) : strlen(a);
	size_t len_b = process_b ? (size_t)(process_b - b) : strlen(b);

	return len_a == len_b && !memcmp(a, b, len_a) &&
	       (!process_a || !process_b || !strcmp(process_a, process_b));
}

/* The text of one line whose sum is right; what it means was ours to write. */
static int take_text(struct reading *r, const char *text)
{
	struct journal_entry *e;
	char word[16];
	unsigned int number;
	int end = 0;

	if (!strcmp(text, TITLE))
		return r->j->good ? -BATON_EINVAL : 0;
	if (!strncmp(text, "machine ", 8)) {
		r->elsewhere = !same_machine(text + 8, r->identity);
		return 0;
	}
	if (!strncmp(text, "moment ", 7) || !strcmp(text, "over")) {
		if (r->elsewhere)
			return 0;
		if (*text == 'm')
			take_moment(r, text + 7);
		else
			drop_moment(r);
		return 0;
	}
	if (!strcmp(text, "reset")) {
		take_reset(r);
		return 0;
	}
	if (sscanf(text, "%15s %u%n", word, &number, &end) != 2)
		return -BATON_EINVAL;
	end += text[end] == ' ';
	if (!strcmp(word, "begin"))
		return take_begin(r->j, number, text + end, r->elsewhere);
	if (!number || number > r->j->count)
		return -BATON_EINVAL;
	e = &r->j->entry[number - 1];
	if (!strcmp(word, "note"))
		return e->state == ENTRY_UNDER_WAY ? take_note(r->j, e, text + end) : -BATON_EINVAL;
	return take_state(e, word);
}

/* @line ends with \n, which becomes its end. */
static int take_line(struct reading *r, char *line, size_t len)
{
	const char *cursor = line;
	uint64_t sum;
	int err;

	line[len - 1] = '\0';
	if (len < SUM_LEN + 2 || strlen(line) != len - 1 || hex_u64(&cursor, &sum) ||
	    cursor != line + SUM_LEN || *cursor != ' ' ||
	    sum != sum_add(r->j->sum, cursor + 1, len - SUM_LEN - 2))
		return -BATON_EINVAL;
	if (!r->j->good && strcmp(cursor + 1, TITLE) != 0)
		return -BATON_EINVAL;
	err = take_text(r, cursor + 1);
	r->j->sum = sum;
	r->j->good += len;
	return err;
}

/* What is cut short is ours only if it begins as our lines do. */
static bool is_ours_cut_short(const struct journal *j, const struct buf *text)
{
	struct buf first = { 0 };
	bool ours;

	buf_printf(&first, "%016" PRIx64 " " TITLE "\n", sum_add(SUM_START, TITLE, strlen(TITLE)));
	ours = j->good || (text->len < first.len && !memcmp(text->data, first.data, text->len));
	buf_free(&first);
	return ours;
}

static int take_all(struct reading *r, struct buf *text, struct buf *say)
{
	struct journal *j = r->j;
	unsigned int number = 1;

	for (char *end; (end = memchr(text->data + j->good, '\n', text->len - j->good)); number++) {
		char *line = text->data + j->good;

		if (!take_line(r, line, (size_t)(end - line) + 1))
			continue;
		buf_printf(say,
			   number == 1 ? "%s is no journal of baton's"
				       : "%s is damaged: line %u is not as it was written; "
					 "nothing of it is used (move it away, and what it "
					 "says was done is to be looked at by hand)",
			   j->path, number);
		return -BATON_EINVAL;
	}
	if (j->good == text->len)
		return 0;
	if (!is_ours_cut_short(j, text)) {
		buf_printf(say, "%s is no journal of baton's", j->path);
		return -BATON_EINVAL;
	}
	if (j->good)
		buf_printf(say, "the last line is cut short: what it announces was not done\n");
	if (!ftruncate(r->fd, (off_t)j->good))
		return 0;
	buf_printf(say, "%s: %s", j->path, strerror(errno));
	return -BATON_ESYS;
}

static int read_all(int fd, struct buf *text)
{
	char part[65536];
	ssize_t n;

	buf_reserve(text, 1);
	while ((n = read(fd, part, sizeof(part))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(text, part, (size_t)n);
	return n ? -BATON_ESYS : 0;
}

/*
 * Which machine this is: its CPUs and its map, and where QEMU keeps its memory, which no two
 * processes have alike unless addresses are not random (setarch -R); then its process tells,
 * where that is known.
 */
static int identify(struct machine *m, struct buf *out, struct buf *say)
{
	uint64_t sum = SUM_START;
	struct buf text = { 0 };
	int err = -BATON_EUNSUPPORTED;

	for (size_t i = 0; i < m->ram_count; i++) {
		buf_clear(&text);
		buf_printf(&text, "%" PRIx64 " %" PRIx64 " %d", m->ram[i].first, m->ram[i].last,
			   m->ram[i].kind);
		sum = sum_add(sum, text.data, text.len);
	}
	for (size_t i = 0; err == -BATON_EUNSUPPORTED && i < m->ram_count; i++) {
		char command[40];
		const char *at;

		if (m->ram[i].kind != RAM_RAM)
			continue;
		buf_clear(&text);
		snprintf(command, sizeof(command), "gpa2hva %#" PRIx64, m->ram[i].first);
		err = machine_query(m, command, &text);
		at = !err && text.len ? strstr(text.data, " is 0x") : NULL;
		if (at)
			buf_printf(out, "cpus=%u map=%016" PRIx64 " ram=%#llx", m->cpus, sum,
				   strtoull(at + strlen(" is "), NULL, 16));
		else if (!err)
			err = -BATON_EUNSUPPORTED;
	}
	if (!err && m->process[0])
		buf_printf(out, PROCESS "%s", m->process);
	buf_free(&text);
	if (err)
		buf_printf(say,
			   "QEMU does not say where its memory lies (`gpa2hva`), by which a "
			   "journal knows its machine: %s",
			   machine_error(m, err));
	return err;
}

static int open_file(struct journal *j, const char *path, struct buf *say)
{
	struct stat st;

	j->path = strdup(path);
	j->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (!j->path)
		abort();
	if (j->fd < 0 || fstat(j->fd, &st)) {
		buf_printf(say, "%s: %s", path, strerror(errno));
		return -BATON_ESYS;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		buf_printf(say, "%s is no journal of baton's", path);
		return -BATON_EINVAL;
	}
	if (flock(j->fd, LOCK_EX | LOCK_NB)) {
		buf_printf(say, "%s is in use by another baton", path);
		return -BATON_EBUSY;
	}
	return 0;
}

/* A file that is new must not be lost either. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

/* What was under way is what memory says it is. */
static int settle(struct journal *j, struct machine *m, struct journal_entry *e, struct buf *say)
{
	bool undoing = e->state == ENTRY_UNDOING;
	struct judgement jd;
	int err;

	if (e->state == ENTRY_APPLIED || !entry_is_live(e))
		return 0;
	err = journal_judge(j, m, e, &jd);
	if (err)
		return err;
	buf_printf(say, "patch %u was %s when baton ended: ", e->number,
		   undoing ? "being undone" : "under way");
	switch (jd.verdict) {
	case VERDICT_APPLIED:
		e->state = ENTRY_APPLIED;
		buf_puts(say, "it is applied\n");
		err = journal_log(j, "end %u", e->number);
		break;
	case VERDICT_ABSENT:
		e->state = undoing ? ENTRY_UNDONE : ENTRY_ABORTED;
		buf_puts(say, undoing ? "it is undone\n" : "nothing of it was written\n");
		err = journal_log(j, "%s %u", undoing ? "undone" : "aborted", e->number);
		break;
	case VERDICT_PARTLY:
		buf_printf(say, "%zu of its %zu writes are there%s (`undo %u` takes them back)\n",
			   jd.there, e->count, e->whole ? "" : ", and more may have been to come",
			   e->number);
		break;
	case VERDICT_PASSED:
		buf_puts(say, "the CPU has run on since\n");
		break;
	case VERDICT_CHANGED:
		buf_printf(say, "%#" PRIx64 " holds neither the old nor the new value\n",
			   jd.other->address);
		break;
	}
	if (!err && e->count)
		err = journal_entry_refresh(m, e, say);
	return err == -BATON_EUNSUPPORTED ? 0 : err;
}

static int settle_all(struct journal *j, struct machine *m, struct buf *say)
{
	size_t live = 0, elsewhere = 0;
	int err = 0;

	for (size_t i = j->count; !err && i; i--) {
		err = settle(j, m, &j->entry[i - 1], say);
		live += entry_is_live(&j->entry[i - 1]);
		elsewhere += j->entry[i - 1].elsewhere;
	}
	if (err)
		buf_printf(say, "%s", machine_error(m, err));
	else if (j->count)
		buf_printf(say,
			   "%s: %zu patch%s of before, %zu live, %zu of another machine (`patches` "
			   "compares them with memory)\n",
			   j->path, j->count, j->count == 1 ? "" : "es", live, elsewhere);
	return err;
}

static int on_moment(void *ctx, const char *line)
{
	struct journal *j = ctx;
	int err = line ? journal_log(j, "moment %s", line) : journal_log(j, "over");

	return j->rolling ? 0 : err;
}

/* Before anything else is looked at: what a CPU has in its registers may be ours. */
static int recover(struct reading *r, struct machine *m, struct buf *say)
{
	int err;

	m->moment = on_moment;
	m->moment_ctx = r->j;
	if (r->elsewhere || !r->moments)
		return 0;
	err = moment_recover(m, r->moment, r->moments, say);
	return err ? err : journal_log(r->j, "over");
}

int journal_open(struct journal *j, struct machine *m, const char *path, struct buf *say)
{
	struct buf identity = { 0 }, text = { 0 };
	struct reading r = { .j = j, .elsewhere = true };
	int fd, err = identify(m, &identity, say);

	j->machine = m;
	j->sum = SUM_START;
	r.identity = identity.data;
	if (!err)
		err = open_file(j, path, say);
	fd = j->fd;
	if (!err && read_all(fd, &text)) {
		buf_printf(say, "%s: %s", path, strerror(errno));
		err = -BATON_ESYS;
	}
	if (!err) {
		/* What is read is not to be written again. */
		j->fd = -1;
		r.fd = fd;
		err = take_all(&r, &text, say);
		j->fd = fd;
	}
	if (!err && !j->good) {
		sync_folder(path);
		err = journal_log(j, "%s", TITLE);
	}
	if (!err)
		err = recover(&r, m, say);
	if (!err && r.elsewhere)
		err = journal_log(j, "machine %s", identity.data);
	if (err == -BATON_ESYS && j->broken)
		buf_puts(say, machine_error(m, err));
	if (!err)
		err = settle_all(j, m, say);
	drop_moment(&r);
	buf_free(&identity);
	buf_free(&text);
	return err;
}
