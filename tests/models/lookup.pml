/* SPDX-License-Identifier: MIT */
/*
 * Looking a name up without a lock (ipc/name_table.c, ipc/name.c) against registering, closing the port and
 * registering a successor, and against the table being resized.
 *
 * One name that is looked for, NAME; another one, STAY, in the same chain. Entries 0 (of STAY), 1 and 2 (of NAME, for
 * ports 1 and 2). The array of two is replaced by the other one: entry->next[side] is the link of a side.
 * The reader is in an epoch section: what is freed must not be touched while it is in one that began before. The
 * owner's steps are under the lock of names; each access to a bucket or `next` is a step.
 *
 * CHECK all quick
 * MUTANT 1: an entry is published before it is complete
 * MUTANT 2: who removes clears the entry's own link
 * MUTANT 3: a removed entry is freed at once
 * MUTANT 4: an entry is moved, not linked a second time
 * MUTANT 5: what is added to a moved bucket is not added to the array to come
 * MUTANT 6: what is removed from a moved bucket stays in the array to come
 * MUTANT 7: the array is entered before it is filled
 * MUTANT 8: the port's reference is given back before the grace period
 * MUTANT 9: who registers does not look whether the port is closed
 * MUTANT 10: name_forget comes before the port is closed
 * MUTANT 11: the array before the last is not waited for
 */
#ifndef MUT
#define MUT 0
#endif
#ifndef NREAD
#define NREAD 1
#endif

#define NIL 7
#define STAY 0

/* entries */
byte next[8];       /* next of entry e for side s at [2 * e + s]; entries 0 to 2, 3 unused */
bit complete[3];
bit freed[3];
bit linked[3];      /* for the lock's holder: in the table */

byte bucket[2];     /* of both arrays: all is in one chain */
bit array;          /* names.array */
bit resizing;       /* names.other */
bit filled;         /* the bucket was moved */
bit settles;

bit lock;           /* of the names */
bit closed[3];      /* ports 1 and 2 */
byte references[3]; /* of ports: what keeps their memory; the table's one */
bit reading[NREAD]; /* in a section */
bit gone[3];        /* for the proof: unregistering has returned */
byte done;

#define NEXT(e, s) next[2 * (e) + (s)]
#define LOCK atomic { lock == 0 -> lock = 1 }
#define UNLOCK lock = 0

/* All sections that were running are over. A section that begins later is of no concern: bits are taken once. */
inline GRACE() {
	skip;
	d_step {
		waiting = 0;
		g = 0;
		do
		:: g < NREAD -> waiting = waiting | (reading[g] << g); g++
		:: else -> break
		od;
		g = 0
	};
	do
	:: g < NREAD ->
		if
		:: (waiting & (1 << g)) -> !reading[g]
		:: else
		fi;
		g++
	:: else -> break
	od;
	skip;
	d_step { g = 0; waiting = 0 }
}

inline LINK(e, s) {
	NEXT(e, s) = bucket[s];
	bucket[s] = e
}

inline UNLINK(e, s) {
	if
	:: bucket[s] == e -> bucket[s] = NEXT(e, s)
	:: else ->
		at = bucket[s];
		do
		:: NEXT(at, s) == e -> break
		:: else -> at = NEXT(at, s)
		od;
		NEXT(at, s) = NEXT(e, s)
	fi;
#if MUT == 2
	NEXT(e, s) = NIL;
#endif
	at = 0
}

/* name_table_find by one who holds no lock, for NAME or for STAY. */
proctype reader(byte self) {
	bit side, was_gone;
	byte e, wanted;

	if :: wanted = STAY :: wanted = 1 fi;
	reading[self] = 1;
	was_gone = gone[1] && gone[2];
	side = array;
	e = bucket[side];
	do
	:: e == NIL -> break
	:: else ->
		assert(!freed[e]);
		assert(complete[e]);
		if
		:: (wanted == STAY && e == STAY) || (wanted != STAY && e != STAY) -> break
		:: else
		fi;
		assert(!freed[e]);
		e = NEXT(e, side)
	od;
	assert(wanted != STAY || e == STAY);
	if
	:: e != NIL && e != STAY ->
		assert(!was_gone);
		if
		:: !closed[e] ->
			assert(!freed[e]);
			assert(references[e] > 0) /* object_retain */
		:: else
		fi
	:: else
	fi;
	skip;
	d_step { side = 0; e = 0; wanted = 0; was_gone = 0; reading[self] = 0; done++ }
}

/* name_register, port_close with name_forget, for port p; the other owner may be between. */
proctype owner(byte p) {
	byte at, waiting, g, old;
	bit removed, ok;

	LOCK;
	/* The name is there? */
	old = 3 - p;
	ok = 1;
#if MUT != 9
	if :: closed[p] -> ok = 0 :: else fi;
#endif
	if
	:: linked[old] && !closed[old] -> ok = 0 /* ERR_EXISTS */
	:: linked[old] && closed[old] && ok -> /* it is replaced */
		UNLINK(old, array);
#if MUT != 6
		if :: filled -> UNLINK(old, 1 - array) :: else fi;
#endif
		linked[old] = 0;
		removed = 1
	:: else
	fi;
	if
	:: ok ->
		references[p]++;
#if MUT != 1
		complete[p] = 1;
#endif
#if MUT != 5
		if :: filled -> LINK(p, 1 - array) :: else fi;
#endif
		LINK(p, array);
#if MUT == 1
		complete[p] = 1;
#endif
		linked[p] = 1
	:: else
	fi;
	UNLOCK;
	if
	:: removed ->
		GRACE();
		freed[old] = 1;
		references[old]--
	:: else
	fi;
	removed = 0;
	skip;
	d_step { old = 0; ok = 0; at = 0; done++ }
}

/* port_close: closed, then name_forget. */
proctype closer(byte p) {
	byte at, waiting, g;
	bit removed;

#if MUT != 10
	closed[p] = 1;
#endif
	LOCK;
	if
	:: linked[p] ->
		UNLINK(p, array);
#if MUT != 6
		if :: filled -> UNLINK(p, 1 - array) :: else fi;
#endif
		linked[p] = 0;
		removed = 1
	:: else
	fi;
	UNLOCK;
#if MUT == 10
	closed[p] = 1;
#endif
	if :: !linked[p] -> gone[p] = 1 :: else fi;
	if
	:: removed ->
#if MUT == 8
		references[p]--;
#endif
#if MUT != 3
		GRACE();
#endif
		freed[p] = 1;
#if MUT != 8
		references[p]--;
#endif
	:: else
	fi;
	removed = 0;
	skip;
	d_step { at = 0; done++ }
}

/* name_table_fit, twice: begin, step, the old array's grace period. */
proctype resizer() {
	byte at, waiting, g, n, follow;
	bit other;

	do
	:: n < 2 ->
		LOCK;
		d_step { other = 1 - array; resizing = 1; filled = 0; bucket[other] = NIL };
		UNLOCK;
		LOCK;
#if MUT == 7
		array = other;
		other = 1 - other;
		at = bucket[other];
		do
		:: at == NIL -> break
		:: else -> LINK(at, 1 - other); at = NEXT(at, other)
		od;
		skip;
#else
		at = bucket[array];
		do
		:: at == NIL -> break
		:: else ->
			follow = NEXT(at, array);
			LINK(at, other);
#if MUT == 4
			NEXT(at, array) = NEXT(at, other);
#endif
			at = follow
		od;
		filled = 1;
		UNLOCK;
		LOCK; /* there are more buckets to move */
		array = other;
#endif
		d_step { resizing = 0; filled = 0; at = 0; follow = 0 };
		UNLOCK;
#if MUT != 11
		GRACE();
#endif
		n++
	:: else -> break
	od;
	skip;
	d_step { n = 0; other = 0; done++ }
}

init {
	atomic {
		byte c = 0;
		bucket[0] = STAY;
		bucket[1] = NIL;
		complete[STAY] = 1;
		do
		:: c < 8 -> next[c] = NIL; c++
		:: else -> break
		od;
		c = 0;
		do
		:: c < NREAD -> run reader(c); c++
		:: else -> break
		od;
		c = 0;
		run owner(1);
		if :: run owner(2) :: done++ fi;
		run closer(1);
		run resizer()
	}
}

active proctype settled() {
	timeout ->
	assert(done == 4 + NREAD);
	assert(!linked[1]);           /* its port is closed */
	assert(!closed[2]);
	assert(linked[2] -> (!freed[2] && references[2] == 1) : references[2] == 0);
	assert(references[1] == 0)
}
