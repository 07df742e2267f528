# SPDX-License-Identifier: BSD-2-Clause
# Resolves a board's values: its own beat its parent's, and those the defaults.
# awk -v dir=loader/board -v board=NAME -v format=show|header -f resolve.awk

function fail(text)
{
	print "board: " text > "/dev/stderr"
	failed = 1
	exit 2
}

# The first to set a key keeps it, so the most special file has to come first.
# Returns the parent that the file names, or "".
function load_file(file, from, is_defaults,	line, eq, key, val, parent, status, seen, nr)
{
	while ((status = (getline line < file)) > 0) {
		nr++
		sub(/#.*/, "", line)
		gsub(/^[ \t]+|[ \t]+$/, "", line)
		if (line == "")
			continue
		eq = index(line, "=")
		key = substr(line, 1, eq - 1)
		val = substr(line, eq + 1)
		gsub(/[ \t]+$/, "", key)
		gsub(/^[ \t]+/, "", val)
		if (eq < 2 || key !~ /^[a-z_]+$/)
			fail(file ":" nr ": expected `key = value`, found: " line)
		if (key in seen)
			fail(file ":" nr ": `" key "` is set twice in this file")
		seen[key] = 1
		if (is_defaults)
			order[++keys] = key
		else if (key == "parent") {
			parent = val
			continue
		} else
			used[key] = file ":" nr
		if (val == "")
			continue
		if (val !~ /^(0x[0-9a-fA-F]+|[0-9]+|auto|hvc|smc|none|v2|v3)$/)
			fail(file ":" nr ": `" key "` is neither a number nor a known word: " val)
		if (!(key in value)) {
			value[key] = val
			origin[key] = from
		}
	}
	if (status < 0)
		fail("no " file (heir == "" ? "" : ", which is the parent of " heir))
	close(file)
	return parent
}

BEGIN {
	b = board
	while (b != "") {
		if (b in met)
			fail(b " is its own ancestor, by way of " heir)
		met[b] = 1
		up = load_file(dir "/" b "/board", b, 0)
		heir = b
		b = up
	}
	heir = ""
	load_file(dir "/defaults", "defaults", 1)
	for (i = 1; i <= keys; i++) {
		known[order[i]] = 1
		if (!(order[i] in value))
			fail(board " and its parents leave `" order[i] "` unset, and it has no default")
	}
	for (k in used)
		if (!(k in known))
			fail(used[k] ": `" k "` is not a key; " dir "/defaults lists them")
	if (format == "header")
		printf "#define BOARD_NAME \"%s\"\n", board
	for (i = 1; i <= keys; i++) {
		k = order[i]
		if (format == "show")
			printf "%-14s %-12s from %s\n", k, value[k], origin[k]
		else if (value[k] ~ /^[0-9]/)
			printf "#define BOARD_%s %s\n", toupper(k), value[k]
		else
			printf "#define BOARD_%s %s_%s\n", toupper(k), toupper(k), toupper(value[k])
	}
}
