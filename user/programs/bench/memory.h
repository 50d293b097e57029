/* SPDX-License-Identifier: MIT */
/*
 * The rows about memory.
 *
 * Rules: each prints one row, or why there is none, and leaves nothing mapped.
 */
#pragma once

void bench_first_touch(const char *id);
void bench_map_unmap_page(const char *id);
void bench_map_unmap_moved(const char *id);
void bench_map_touch_unmap(const char *id);
