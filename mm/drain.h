/* SPDX-License-Identifier: MIT */
/* Stub until mm/drain comes. Rules: none. */
#pragma once
void drain_all(void);
