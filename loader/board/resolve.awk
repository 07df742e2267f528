# SPDX-License-Identifier: BSD-2-Clause
# Resolves a board's values, the special before the general: command line, board,
# its parents, configuration, architecture, defaults.
# awk -v dir=loader/board -v board=NAME [-v arch=A] [-v config=C] [-v set='KEY=VALUE ...']
#     -v format=show|list|header|cmake -f resolve.awk

function fail(text)
{
	print "board: " text > "/dev/stderr"
	exit 2
}

function trim(s)
{
	gsub(/^[ \t]+|[ \t]+$/, "", s)
	return s
}

# mawk reads no hexadecimal.
function number(s,	n, i)
{
	if (s !~ /^0x/)
		return s + 0
	for (i = 3; i <= length(s); i++)
		n = n * 16 + index("0123456789abcdef", tolower(substr(s, i, 1))) - 1
	return n
}

# Is it known? `declares`: a file that says what there is. seL4's own options are
# capitalized, and their number is seL4's affair.
function check_key(key, declares, from,	i, all)
{
	if (declares || key in known || key ~ /^[A-Z]/)
		return
	for (i = 1; i <= keys; i++)
		if (order[i] !~ /^[A-Z]/)
			all = all " " order[i]
	fail(from ": `" key "` is not a key; keys are" all ", and seL4's own options (KernelPlatform, ...)")
}

# One `key[: type] = value`; whoever comes later wins.
function take(text, declares, from,	eq, colon, key, want)
{
	eq = index(text, "=")
	key = trim(substr(text, 1, eq - 1))
	colon = index(key, ":")
	if (colon) {
		want = trim(substr(key, colon + 1))
		key = trim(substr(key, 1, colon - 1))
	}
	text = trim(substr(text, eq + 1))
	check_key(key, declares, from)
	if (!(key in known)) {
		known[key] = 1
		order[++keys] = key
		type[key] = key ~ /^[A-Z]/ ? "word" : "number"
	}
	if (want != "")
		type[key] = want
	if (text == "" && !declares && key !~ /^[A-Z]/)
		fail(from ": `" key "` has no value")
	if (text == "") {
		delete value[key]	# one of seL4's: left to seL4
		return
	}
	value[key] = text
	origin[key] = from
}

# The parents first, so that the heir wins.
function load_file(file, declares, heir,	line, status, n, i, key, seen, at)
{
	while ((status = (getline line[n + 1] < file)) > 0)
		n++
	if (status < 0)
		fail("no " file (heir == "" ? "" : ", the parent that " heir " names"))
	close(file)
	for (i = 1; i <= n; i++) {
		sub(/#.*/, "", line[i])
		line[i] = trim(line[i])
		if (line[i] == "")
			continue
		at[i] = file ":" i
		if (line[i] !~ /^[A-Za-z_][A-Za-z0-9_]*[ \t]*(:[^=]*)?=/)
			fail(at[i] ": expected `key = value`, found: " line[i])
		match(line[i], /^[A-Za-z0-9_]+/)
		key = substr(line[i], 1, RLENGTH)
		if (key in seen)
			fail(at[i] ": `" key "` is set twice in this file")
		seen[key] = 1
		if (key == "parent") {
			load_board(trim(substr(line[i], index(line[i], "=") + 1)), at[i])
			line[i] = ""
		}
	}
	for (i = 1; i <= n; i++)
		if (line[i] != "")
			take(line[i], declares, at[i])
}

function load_board(name, heir)
{
	if (name in met)
		fail(name " is its own ancestor, by way of " heir)
	met[name] = 1
	load_file(dir "/" name "/board", 0, heir)
}

function load_command_line(	n, i, item, key, seen)
{
	n = split(trim(set), item, /[ \t]+/)
	for (i = 1; i <= n; i++) {
		if (item[i] !~ /^[A-Za-z_][A-Za-z0-9_]*=/)
			fail("command line: expected SET=\"key=value ...\", found: " item[i])
		key = substr(item[i], 1, index(item[i], "=") - 1)
		if (key in seen)
			fail("command line: `" key "` is set twice")
		seen[key] = 1
		take(item[i], 0, "command line")
	}
}

# $(key), $(key / number), and $(key == number), which is ON or OFF
function derive(key,	text, part, n)
{
	text = value[key]
	if (text !~ /^\$\([a-z_]+( (\/|==) (0x)?[0-9a-fA-F]+)?\)$/)
		fail(origin[key] ": expected $(key), $(key / number) or $(key == number), found: " text)
	split(substr(text, 3, length(text) - 3), part, " ")
	if (!(part[1] in value))
		fail(origin[key] ": no `" part[1] "` to take `" key "` from")
	origin[key] = origin[key] ", " text
	n = value[part[1]]
	if (part[2] == "==")
		n = number(n) == number(part[3]) ? "ON" : "OFF"
	else if (part[2] == "/") {
		if (number(n) % number(part[3]))
			fail(origin[part[1]] ": `" part[1] " = " n "`: `" key "` needs a multiple of " part[3])
		n = sprintf("%d", number(n) / number(part[3]))
	}
	value[key] = n
}

# What a type asks for, in words; "" if the value fits. 15 characters: awk counts to 2^53,
# no address has more. 010 is not what one thinks, in C.
function wanted(v, want,	is_number, range, choice, n, i)
{
	is_number = v ~ /^(0x[0-9a-fA-F]+|0|[1-9][0-9]*)$/ && length(v) <= 15
	if (want == "text")
		return ""
	if (want == "word")
		return v ~ /^[A-Za-z0-9_.,+\/-]+$/ ? "" : "a word of letters, digits and _.,+/-"
	if (want == "number")
		return is_number ? "" : "a number, decimal or 0x hexadecimal, of 15 characters at most"
	if (want ~ /^\*/)
		return is_number && number(v) % number(substr(want, 2)) == 0 ? "" : \
			"a multiple of " substr(want, 2)
	if (want ~ /^[0-9]+-[0-9]+$/) {
		split(want, range, "-")
		return is_number && number(v) >= range[1] && number(v) <= range[2] ? "" : "a number, " want
	}
	n = split(want, choice, "|")
	for (i = 1; i <= n; i++)
		if (v == choice[i])
			return ""
	gsub(/\|/, ", ", want)
	return "one of " want
}

function check_value(key,	what)
{
	if (!(key in value)) {
		if (key !~ /^[A-Z]/)
			fail(board " and its parents leave `" key "` unset, and it has no default")
		return
	}
	if (value[key] ~ /^\$/)
		derive(key)
	what = wanted(value[key], type[key])
	if (what != "")
		fail(origin[key] ": `" key " = " value[key] "`: wanted is " what)
}

function check_place(	start, end, at)
{
	at = number(value["load_address"])
	start = number(value["memory_start"])
	end = start + number(value["memory_size"])
	if (at < start || at >= end)
		fail(sprintf("`load_address = %s` (%s) is not in RAM, %d MiB from %s on (%s): set it as well",
			     value["load_address"], origin["load_address"], (end - start) / 1048576,
			     value["memory_start"], origin["memory_size"]))
}

# Who has SET the RAM of the largest model has set it over the devices.
function check_devices(	start, end, n, i, key, at)
{
	start = number(value["memory_start"])
	end = start + number(value["memory_size"])
	n = split("uart gicd gicc gicr", key)
	for (i = 1; i <= n; i++) {
		at = number(value[key[i]])
		if (at && at >= start && at < end)
			fail(sprintf("`%s = %s` (%s) is in RAM, %d MiB from %s on (%s): set what is wrong of them",
				     key[i], value[key[i]], origin[key[i]], (end - start) / 1048576,
				     value["memory_start"], origin["memory_size"]))
	}
}

# seL4's number of CPUs and its level are the loader's.
function check_agree(key, wants, from)
{
	if (key in value && value[key] != wants)
		fail(origin[key] ": `" key " = " value[key] "`, but `" from " = " value[from] "` (" origin[from] \
		     ") needs " wants ": set `" from "` alone, the other follows")
}

function print_key(k)
{
	if (format == "show" && k in value)
		printf("%-28s " (length(value[k]) > 14 ? "%s\n%43s" : "%-14s%s") " from %s\n", \
			k, value[k], "", origin[k])
	else if (format == "list" && k == "about")
		printf "%-24s %s\n", board, value[k]
	else if (format == "cmake" && k ~ /^[A-Z]/ && k in value)
		print "-D" k "=" value[k]
	else if (format == "header" && k !~ /^[A-Z]/ && type[k] != "text")
		print "#define BOARD_" toupper(k), \
			value[k] ~ /^[0-9]/ ? value[k] : toupper(k "_" value[k])
}

BEGIN {
	load_file(dir "/defaults", 1, "")
	if (arch != "")
		load_file(dir "/" arch, 1, "")
	if (config != "")
		load_file(dir "/config/" config, 0, "")
	load_board(board, "")
	load_command_line()
	for (i = 1; i <= keys; i++)
		check_value(order[i])
	if ("load_address" in value) {
		check_place()
		check_devices()
		check_agree("KernelMaxNumNodes", number(value["cpus"]), "cpus")
		check_agree("KernelArmHypervisorSupport", value["kernel_el"] == 2 ? "ON" : "OFF", "kernel_el")
	}
	if (format == "cmake" && !("KernelPlatform" in value))
		fail(board " has no `KernelPlatform`: which of seL4's platforms is it? (SET=\"KernelPlatform=...\")")
	if (format == "header")
		printf "#define BOARD_NAME \"%s\"\n", board
	for (i = 1; i <= keys; i++)
		print_key(order[i])
}
