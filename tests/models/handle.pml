/* SPDX-License-Identifier: MIT */
/*
 * The look-up of a handle without a lock: ipc/riscv/fastpath.S (ipc_fastpath_call), against
 * kernel/object/handle.c (handle_close, handle_open) in the same slot of the same table.
 *
 * Before, the slot's value 1 named object 1, a port whose badge is 1. Another thread of the domain
 * closes it and opens another object under the slot's next value, twice. The caller uses value 1 or
 * guesses 2. What it enters must be what that value named. A step is one load or store, in the order
 * that the fences of both sides give; order itself is not modelled.
 *
 * CHECK all quick
 * MUTANT 1: the value is looked at only once, first
 * MUTANT 2: the value is looked at only once, last
 * MUTANT 3: handle_close clears the object before it changes the value
 * MUTANT 4: handle_open sets the rights before object and badge
 * MUTANT 5: the badge is loaded after the last look at the value
 * MUTANT 6: handle_close changes the value before it takes the rights away
 */
#ifndef MUT
#define MUT 0
#endif

#define NONE 0

/* struct handle_entry: the right to call is all that matters of the rights */
byte value = 1;
byte object = 1;
byte badge = 1;
bit rights = 1;

/* Only for the proof: object and badge n belong to value n; all are ports but 2. */
#define IS_PORT(n) ((n) != 2)

proctype fastpath(byte handle) {
	byte entered, as;

#if MUT != 2
	if :: value == handle :: else -> goto L_slow fi;
#endif
	if :: rights :: else -> goto L_slow fi;
	entered = object;
#if MUT == 5
	if :: value == handle :: else -> goto L_slow fi;
	as = badge;
#else
	as = badge;
#if MUT != 1
	if :: value == handle :: else -> goto L_slow fi;
#endif
#endif
	assert(entered != NONE);
	assert(entered == handle && as == handle && IS_PORT(entered));
L_slow:
end:
	skip
}

proctype closer() {
	byte next = 2;

	do
	:: next <= 3 ->
		/* handle_entry_clear */
#if MUT == 3
		rights = 0;
		object = NONE;
		value = next;
#elif MUT == 6
		value = next;
		rights = 0;
		object = NONE;
#else
		rights = 0;
		value = next;
		object = NONE;
#endif
		/* handle_open */
#if MUT == 4
		rights = IS_PORT(next);
#endif
		object = next;
		badge = next;
#if MUT != 4
		rights = IS_PORT(next);
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
