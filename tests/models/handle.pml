/* SPDX-License-Identifier: MIT */
/*
 * The look-up of a handle without a lock: ipc/riscv/fastpath.S (ipc_fastpath_call), against
 * kernel/object/handle.c (handle_entry_clear, handle_open) in the same slot of the same table.
 *
 * At first the slot's value 1 names object 1, a port whose badge is 1. Another thread of the domain
 * closes it and opens another object under the slot's next value, twice. The caller uses value 1 or
 * guesses 2 or 3. What it enters must be what that value names. A step is one load or store, in the
 * order that the fences of both sides give; order itself is not modelled. The loads between the
 * fences come in either order.
 *
 * CHECK all quick
 * MUTANT 1: the value is looked at only once, first
 * MUTANT 2: the value is looked at only once, last
 * MUTANT 3: handle_entry_clear takes the value away after the rest
 * MUTANT 4: handle_open stores the value before the rest
 * MUTANT 5: the badge is loaded after the last look at the value
 * MUTANT 6: a free entry keeps the value of its next life, and the last look is the only one
 * MUTANT 7: a free entry keeps the value of its next life, stored before the rest is cleared
 */
#ifndef MUT
#define MUT 0
#endif

#define NONE 0
#define OTHER 100 /* the badge field of a free entry holds its next value */

/* struct handle_entry: the right to call is all that matters of the rights */
byte value = 1;
byte object = 1;
byte badge = 1;
bit rights = 1;

/* Only for the proof: object and badge n belong to value n; all are ports but 2. */
#define IS_PORT(n) ((n) != 2)

proctype fastpath(byte handle) {
	byte entered, as;
	bit allowed;

#if MUT != 2 && MUT != 6
	if :: value == handle :: else -> goto L_slow fi;
#endif
	if
	:: entered = object; allowed = rights; as = badge
	:: as = badge; allowed = rights; entered = object
	fi;
#if MUT != 1
	if :: value == handle :: else -> goto L_slow fi;
#endif
#if MUT == 5
	as = badge;
#endif
	if :: allowed :: else -> goto L_slow fi;
	assert(entered != NONE);
	assert(entered == handle && as == handle && IS_PORT(entered));
L_slow:
	skip
}

proctype closer() {
	byte next = 2;

	do
	:: next <= 3 ->
		/* handle_entry_clear */
#if MUT == 7
		value = next;
#elif MUT != 3 && MUT != 6
		value = NONE;
#endif
		rights = 0;
		object = NONE;
		badge = OTHER + next;
#if MUT == 3
		value = NONE;
#elif MUT == 6
		value = next;
#endif
		/* handle_open */
#if MUT == 4
		value = next;
#endif
		object = next;
		badge = next;
		rights = IS_PORT(next);
#if MUT != 4 && MUT != 6 && MUT != 7
		value = next;
#endif
		next++
	:: else -> break
	od
}

init {
	atomic {
		if
		:: run fastpath(1)
		:: run fastpath(2)
		:: run fastpath(3)
		fi;
		run closer()
	}
}
