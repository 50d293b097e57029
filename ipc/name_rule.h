/* SPDX-License-Identifier: MIT */
/*
 * Which names a program may register: a list of patterns.
 *
 * Rules: a list is a text of patterns with one blank between them; a pattern is a name, or the beginning of names
 * with a `*` behind it. "" allows nothing, "*" everything. Pure. A domain's list is `may_register`; it is
 * given when the domain is made, is never wider than its starter's, and never changes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Is it a list? Printable patterns of at most MAX_NAME_BYTES each, `*` at their ends only, MAX_REGISTER_BYTES with
 * the zero in all. */
bool name_rule_is_valid(const char *list);

/* May a name be registered? */
bool name_rule_allows(const char *list, const char *name, size_t bytes);

/* Is whatever `wanted` allows allowed by `list`, too? Pattern by pattern: each has to lie within one of `list`. */
bool name_rule_covers(const char *list, const char *wanted);
