/* SPDX-License-Identifier: MIT */
/*
 * The monitor's tables: one function a table, which fills one row.
 *
 * Rules: a row is zeroed by the caller. ERR_NOT_FOUND past the last row leaves it alone. Rows are
 * snapshots for people: fields of running things are read without their locks where a torn view
 * does no harm. A visited object is kept by a reference and looked at after the visit, so that no
 * lock is taken inside the lock of the visit.
 */
#pragma once

#include "kernel/abi/status.h"
#include "services/monitor/protocol.h"

status_t monitor_fill_domain(uint64_t index, struct monitor_domain *row);
status_t monitor_fill_thread(uint64_t index, struct monitor_thread *row);
status_t monitor_fill_port(uint64_t index, struct monitor_port *row);
status_t monitor_fill_node(uint64_t index, struct monitor_node *row);
status_t monitor_fill_nexus(uint64_t index, struct monitor_nexus *row);
status_t monitor_fill_class(uint64_t index, struct monitor_class *row);
status_t monitor_fill_account(uint64_t index, struct monitor_account *row);
status_t monitor_fill_core(uint64_t index, struct monitor_core *row);
