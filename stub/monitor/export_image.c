/* SPDX-License-Identifier: BSD-2-Clause */
/* `export image`: what is applied, in a copy of the file that the machine was loaded from. */
#include "monitor/export.h"

#include "check.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct image_file {
	struct cmd *cmd;
	const char *path;
	struct check_file *file;
	uint8_t *data; /* all of it, changed */
	size_t size;
	mode_t mode;
	unsigned int count;
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What QEMU calls a file is how it was given: from another folder it is the name that counts. */
static int find_rom(struct cmd *c, const char *path, struct rom *out, bool *found)
{
	struct rom *roms;
	size_t n;
	int err = machine_roms(c->machine, &roms, &n);

	*found = false;
	if (err)
		return cmd_fail(c, err, NULL);
	for (size_t i = 0; i < n; i++) {
		bool same = !strncmp(roms[i].name, path, sizeof(roms[i].name) - 1);

		if (!same && (*found || strcmp(base_of(roms[i].name), base_of(path)) != 0))
			continue;
		*out = roms[i];
		*found = true;
		if (same)
			break;
	}
	free(roms);
	return 0;
}

static int read_file(struct image_file *f)
{
	FILE *from = fopen(f->path, "re");
	struct stat st;
	size_t n;

	if (!from || fstat(fileno(from), &st)) {
		int bad = errno;

		if (from)
			fclose(from);
		return cmd_fail(f->cmd, -BATON_ESYS, "%s: %s", f->path, strerror(bad));
	}
	f->size = (size_t)st.st_size;
	f->mode = st.st_mode & 0777;
	f->data = malloc(f->size + 1);
	if (!f->data)
		abort();
	n = fread(f->data, 1, f->size, from);
	fclose(from);
	return n == f->size
		       ? 0
		       : cmd_fail(f->cmd, -BATON_ESYS, "%s cannot be read to its end", f->path);
}

/* One that is wrong before anything was changed must not be made to look right. */
static int check_sums(struct image_file *f)
{
	uint8_t *copy = malloc(f->size + 1);
	bool same;

	assert(f->data);
	if (!copy)
		abort();
	memcpy(copy, f->data, f->size);
	check_file_sums(f->file, copy);
	same = !memcmp(copy, f->data, f->size);
	free(copy);
	return same ? 0
		    : cmd_fail(f->cmd, -BATON_EINVAL,
			       "%s: the checksum of its data is wrong already: a damaged file",
			       f->path);
}

/* A patch that is not all in the file stays out of it: half of one nobody has tried. */
static bool is_in_file(struct image_file *f, const struct journal_entry *e)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct patch *p = &e->write[i];
		uint64_t offset;

		if (p->kind != PATCH_REGISTER &&
		    check_file_where(f->file, p->address, p->size, &offset))
			continue;
		if (p->kind == PATCH_REGISTER)
			cmd_say(f->cmd,
				"patch %u is left out: CPU %u %s is a register, no file holds it",
				e->number, p->cpu, p->reg);
		else
			cmd_say(f->cmd,
				"patch %u is left out: %s at %#" PRIx64
				" is not in %s (.bss, or made at run time)",
				e->number, p->where, p->address, base_of(f->path));
		cmd_say(f->cmd, "  next: export c FILE, for what has to make it");
		f->cmd->found = true;
		return false;
	}
	return true;
}

static int put_write(struct image_file *f, const struct journal_entry *e, const struct patch *p)
{
	struct buf line = { 0 };
	uint64_t offset = 0;
	uint8_t *at;

	check_file_where(f->file, p->address, p->size, &offset);
	if (offset > f->size || p->size > f->size - offset)
		return cmd_fail(f->cmd, -BATON_EINVAL, "%s: it has become shorter", f->path);
	at = f->data + offset;
	if (memcmp(at, p->old, p->size) != 0) {
		buf_printf(&line, "%s holds ", base_of(f->path));
		patch_say_value(at, p->size, &line);
		buf_printf(&line, " at offset %#" PRIx64 ", patch %u (%s) was made on ", offset,
			   e->number, p->where);
		patch_say_value(p->old, p->size, &line);
		cmd_fail(f->cmd, -BATON_EVERIFY,
			 "%s: not what was loaded, or changed by the guest before; no file was "
			 "written (`undo %u` leaves it out)",
			 line.data, e->number);
		buf_free(&line);
		return -BATON_EVERIFY;
	}
	memcpy(at, p->new, p->size);
	buf_printf(&line, "patch %u: offset %#" PRIx64 " = %s: ", e->number, offset, p->where);
	patch_say_value(p->old, p->size, &line);
	buf_puts(&line, " -> ");
	patch_say_value(p->new, p->size, &line);
	cmd_say(f->cmd, "%s", line.data);
	buf_free(&line);
	return 0;
}

static int put_entry(void *ctx, const struct journal_entry *e)
{
	struct image_file *f = ctx;
	struct patch *change;
	size_t changes;
	int err = 0;

	if (!is_in_file(f, e))
		return 0;
	changes = journal_changes(e, &change);
	for (size_t i = 0; !err && i < changes; i++)
		err = put_write(f, e, &change[i]);
	free(change);
	f->count += !err;
	return err;
}

static int write_file(struct image_file *f, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, f->mode);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
	int bad;

	if (!to && errno == EEXIST)
		return cmd_fail(f->cmd, -BATON_ESYS,
				"%s is there already and is not overwritten: export image %s "
				"ANOTHER",
				path, f->path);
	if (!to)
		return cmd_fail(f->cmd, -BATON_ESYS, "%s: %s", path, strerror(errno));
	bad = fwrite(f->data, 1, f->size, to) != f->size ? errno : 0;
	if (fclose(to) && !bad)
		bad = errno;
	if (bad)
		unlink(path);
	return bad ? cmd_fail(f->cmd, -BATON_ESYS, "%s: %s", path, strerror(bad)) : 0;
}

/* Is it any good? That it can not be told is no fault of the export. */
static void judge(struct image_file *f, const char *path, const struct rom *rom)
{
	struct options o = { .image = path };

	if (rom && !check_file_tells_load(f->file))
		o.given[GIVEN_LOAD] = (struct given_value){ true, rom->addr };
	cmd_say(f->cmd, "\nbaton check %s:", path);
	if (check_say(&o, f->cmd->sink) == 1)
		f->cmd->found = true;
}

static int export(struct image_file *f, const char *out)
{
	struct buf why = { 0 };
	struct rom rom;
	bool found;
	int err = find_rom(f->cmd, f->path, &rom, &found);

	if (err)
		return err;
	f->file = check_file_open(f->path, found ? &rom : NULL, &why);
	if (!f->file)
		err = cmd_fail(f->cmd, -BATON_EINVAL, "%s", why.data);
	buf_free(&why);
	if (!err)
		err = read_file(f);
	if (!err)
		err = check_sums(f);
	if (!err)
		err = export_each(f->cmd, put_entry, f);
	if (err)
		return err;
	if (!f->count) {
		f->cmd->found = true;
		cmd_say(f->cmd, "there is nothing to put into %s: no file was written", f->path);
		return 0;
	}
	check_file_sums(f->file, f->data);
	err = write_file(f, out);
	if (err)
		return err;
	cmd_say(f->cmd, "%s written: %s with %u patch%s", out, f->path, f->count,
		f->count == 1 ? "" : "es");
	judge(f, out, found ? &rom : NULL);
	return 0;
}

int export_image(struct cmd *c)
{
	struct image_file f = { .cmd = c, .path = cmd_word(c, 1) };
	const char *out = cmd_word(c, 2);
	struct buf beside = { 0 };
	int err;

	buf_printf(&beside, "%s.patched", f.path);
	err = export(&f, out ? out : beside.data);
	buf_free(&beside);
	check_file_close(f.file);
	free(f.data);
	return err;
}
