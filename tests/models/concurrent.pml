/* SPDX-License-Identifier: MIT */
/*
 * Concurrent services: ipc/concurrent.[ch], and what of ipc/baton.c, ipc/call.c and ipc/port.c they use.
 *
 * A step is one atomic access to shared memory, as in baton.pml, which proves the arrivals and the
 * order of the line: here a record that arrives is at its end in the same step, and `fresh` says how
 * many the word still counts. A compare-and-swap loop is its last round. A deadline, or a kill of the
 * caller, comes at any moment.
 *
 * NC callers with NCALL calls each; N slots. DL: a call may time out. ENDS: a thread may be told to end,
 * then it begins no run. CLOSE: somebody closes the port. KILL: because its domain dies; the service
 * then waits inside until it is told to leave.
 *
 * Not here: memory orders (tests/relacy), and the memory of the port: each caller has a reference.
 *
 * CHECK one quick -DNC=3 -DN=1 -DDL=1 -DENDS=1
 * CHECK two quick -DNC=3 -DN=2 -DDL=1 -DENDS=1
 * CHECK calls -DNC=3 -DN=2 -DNCALL=2
 * CHECK close_one -DNC=3 -DN=1 -DDL=1 -DENDS=1 -DCLOSE=1
 * CHECK close_two -DNC=3 -DN=2 -DDL=1 -DCLOSE=1
 * CHECK kill_one -DNC=3 -DN=1 -DDL=1 -DCLOSE=1 -DKILL=1
 * CHECK kill_two -DNC=3 -DN=2 -DCLOSE=1 -DKILL=1
 * MUTANT 1 -DNC=3 -DN=2: a caller enters by a look and a store
 * MUTANT 2 -DNC=3 -DN=2: an arrival looks, then joins, whoever left meanwhile
 * MUTANT 3 -DNC=2 -DN=2: a slot is claimed by a look and a store
 * MUTANT 4 -DNC=3 -DN=2: the count goes down before the slot is free
 * MUTANT 5 -DNC=3 -DN=2: a slot is claimed before its run is counted
 * MUTANT 6 -DNC=2 -DN=1: a leaver subtracts whoever waits
 * MUTANT 7 -DNC=3 -DN=2 -DNCALL=2: a leaver that freed its slot in vain hands over that one
 * MUTANT 8 -DNC=3 -DN=1: the hand-over takes the run off the count
 * MUTANT 9 -DNC=2 -DN=1: the hand-over frees the slot
 * MUTANT 10 -DNC=2 -DN=1: the turn is published before the slot is written
 * MUTANT 11 -DNC=2 -DN=1 -DCLOSE=1 -DKILL=1: the turn is published, then the holder is noted
 * MUTANT 12 -DNC=3 -DN=2 -DDL=1: the oldest is taken off without the lock
 * MUTANT 13 -DNC=2 -DN=1 -DCLOSE=1: closed is set before the lock is taken
 * MUTANT 14 -DNC=2 -DN=2 -DCLOSE=1: each that leaves a closed port retires it
 * MUTANT 15 -DNC=1 -DN=2 -DCLOSE=1: nobody that leaves a closed port retires it
 * MUTANT 16 -DNC=2 -DN=2 -DCLOSE=1: who is the last is looked at after the subtraction
 * MUTANT 17 -DNC=1 -DN=1 -DCLOSE=1: a leaver does not look whether the port was closed
 * MUTANT 18 -DNC=1 -DN=1 -DCLOSE=1: who leaves a closed port keeps the slot
 * MUTANT 19 -DNC=1 -DN=2 -DCLOSE=1: the closer retires the port although somebody runs in it
 * MUTANT 20 -DNC=2 -DN=1 -DCLOSE=1: a caller that found the port open enters after the close
 * MUTANT 21 -DNC=1 -DN=1 -DCLOSE=1 -DKILL=1: the closer looks for holders once
 * MUTANT 22 -DNC=2 -DN=2 -DCLOSE=1 -DKILL=1: the closer is content with one holder
 * MUTANT 23 -DNC=2 -DN=1 -DCLOSE=1 -DKILL=1: the closer looks for holders without the lock
 * MUTANT 24 -DNC=3 -DN=2 -DDL=1: a turn that is not wanted is not passed on
 * MUTANT 25 -DNC=2 -DN=1 -DNCALL=2 -DDL=1: a waiter that was woken does not look at the state
 * MUTANT 26 -DNC=2 -DN=1: a waiter stores SLEEPS in place of the compare-and-swap
 * MUTANT 27 -DNC=2 -DN=1: the leaver wakes before it publishes
 * MUTANT 28 -DNC=2 -DN=1 -DCLOSE=1: the closer publishes before the status is written
 * MUTANT 29 -DNC=3 -DN=1: a newcomer joins at the front
 * MUTANT 31 -DNC=3 -DN=2 -DCLOSE=1 -DKILL=1: a leaver that freed its slot in vain claims one without the lock
 * MUTANT 30 -DNC=2 -DN=1 -DCLOSE=1: the closer does not refuse who waits
 * MUTANT 32 -DNC=3 -DN=1: who absorbs and leaves some behind does not set the backlog
 * MUTANT 33 -DNC=3 -DN=1: line_pop_locked leaves the backlog when the line has run empty
 */
#ifndef NC
#define NC 2
#endif
#ifndef N
#define N 1
#endif
#ifndef NCALL
#define NCALL 1
#endif
#ifndef DL
#define DL 0
#endif
#ifndef ENDS
#define ENDS 0
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef KILL
#define KILL 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define NIL 15

/* enum request_state */
#define WAITS 0
#define SLEEPS 1
#define TURN 2
#define ANSWERED 3

/* results */
#define UNSET 0
#define OK 1
#define TIMED_OUT 2
#define STALE 3
#define CANCELLED 4
#define DIED 5
/* what a step led to */
#define QUEUED 6
#define CLOSED 7
#define NOT_BEGUN 8

/* port.word: runs, closed, backlog, arrivals; `length` more wait in the queue, which is the lock's */
byte runs, fresh, length;
bit closed, backlog;
byte line[NC];
bit lock;
byte reason = UNSET;
/* slots[].holder */
byte holder[N] = NIL;
/* struct baton_request: state, status, slot; the sticky wake-up of its thread */
byte state[NC], status[NC], given[NC] = NIL;
bit token[NC];
bit flags[NC]; /* THREAD_UNWIND */

/* What is only for the proof */
byte inside;
bit busy[N];  /* somebody runs on its stack */
bit in[NC];   /* counted as a run, from the entering to the end of the leaving */
byte ran[NC]; /* runs of this call */
byte arrivals[NC], arrived; /* in which order they came */
byte retired, done;

hidden byte i, x;

#define count (fresh + length)
#define HAS_WAITERS (fresh > 0 || backlog) /* word_has_waiters */
#define FREE(s) (holder[s] == NIL)
#if N == 1
#define ANY_FREE FREE(0)
#define NOTED ((holder[0] != NIL -> 1 : 0))
#else
#define ANY_FREE (FREE(0) || FREE(1))
#define NOTED ((holder[0] != NIL -> 1 : 0) + (holder[1] != NIL -> 1 : 0))
#endif

#define LOCKED(body) d_step { lock == 0 -> lock = 1; body }
#define UNLOCKED(body) d_step { assert(lock); body; lock = 0 }
#define WITH_LOCK(body) d_step { lock == 0 -> body }

/* The compare-and-swap of enter_or_join; inside a d_step. */
inline JOIN(t) {
	assert(count < NC && state[t] == WAITS);
	line[count] = t;
#if MUT == 29
	line[count] = line[0]; line[0] = t;
#endif
	fresh++;
	arrivals[t] = arrived; arrived++
}

/* line_take_arrivals_locked; `popped` are taken off the queue at once; inside a d_step */
inline TAKE_ARRIVALS(popped) {
	if
	:: fresh > 0 ->
#if MUT != 32
		backlog = (fresh > popped);
#endif
		length = length + fresh; fresh = 0
	:: else
	fi
}

/* line_ran_empty_locked, after the look in the step before */
inline RAN_EMPTY(dry) {
	if :: dry -> d_step { backlog = 0; dry = 0 } :: else fi
}

/* queue_remove; inside a d_step */
inline REMOVE(r) {
	i = 0;
	do :: line[i] != r -> i++; assert(i < length) :: else -> break od;
	length--;
	do :: i < count -> line[i] = line[i + 1]; i++ :: else -> break od;
	line[count] = 0; i = 0
}

#define IN_LINE(t) ((count > 0 && line[0] == t) || (count > 1 && line[1] == t) || (NC > 2 && count > 2 && line[NC - 1] == t))

/* line_pop_locked: the oldest, or NIL */
inline POP(r, dry) {
	d_step {
		r = NIL;
		dry = (length > 0);
		if :: length == 0 -> TAKE_ARRIVALS(1) :: else fi;
		if
		:: length > 0 ->
			r = line[0];
			x = 1;
			do :: x < count -> assert(arrivals[line[x]] > arrivals[r]); x++ :: else -> break od;
			x = 0;
			REMOVE(r)
		:: else
		fi;
		dry = (dry && length == 0 && fresh == 0)
	};
#if MUT == 33
	dry = 0
#else
	RAN_EMPTY(dry)
#endif
}

/* request_settle */
inline SETTLE(r, value, s) {
#if MUT == 27
	if :: state[r] == SLEEPS -> token[r] = 1 :: else fi;
	state[r] = value
#else
	d_step { assert(state[r] < TURN); s = (state[r] == SLEEPS); state[r] = value };
	if :: s -> d_step { token[r] = 1; s = 0 } :: else fi
#endif
}

/* port_retire */
#define RETIRE d_step { retired++; assert(retired == 1); assert(closed && runs == 0 && inside == 0 && count == 0) }

/* slot_claim; the core's own slot is any */
inline CLAIM(sl, who) {
	if :: sl = 0 :: N > 1 -> sl = N - 1 fi;
	do
	:: true ->
#if MUT == 3
		if :: FREE(sl) -> holder[sl] = who; break :: else -> sl = (sl + 1) % N fi
#else
		d_step {
			assert(ANY_FREE); /* there is one for everybody who was counted */
			if :: FREE(sl) -> holder[sl] = who; last = 1 :: else -> sl = (sl + 1) % N fi
		};
		if :: last -> last = 0; break :: else fi
#endif
	od;
	skip
}

proctype caller(byte t) {
	byte n, r, result, how, slot;
	bit deadline, left, s, last, freed;

L_next:
	skip;
	if :: n == NCALL -> goto L_end :: else -> n++ fi;
#if DL
	if :: deadline = 0 :: deadline = 1 fi;
#endif

	/* concurrent_try_enter, concurrent_enter */
#if MUT == 1
	how = runs;
	if
	:: how < N && !closed && !HAS_WAITERS -> d_step { runs = how + 1; in[t] = 1; how = 0 }; goto L_claim
	:: else -> how = 0
	fi;
#elif MUT == 2
	if :: runs == N && !closed -> d_step { JOIN(t) }; goto L_wait :: else fi;
#elif MUT == 5
	if :: !closed && runs < N -> in[t] = 1; CLAIM(slot, t); in[t] = 0 :: else fi;
#elif MUT == 20
	if :: closed -> goto L_closed :: else fi;
#endif
	d_step {
		if
#if MUT != 20
		:: closed -> r = CLOSED
		:: !closed && runs < N -> assert(count == 0 && !backlog); runs++; in[t] = 1; r = OK
#else
		:: runs < N -> runs++; in[t] = 1; r = OK
#endif
		:: else -> JOIN(t); r = QUEUED
		fi
	};
	if
	:: r == OK -> goto L_claim
	:: r == QUEUED -> goto L_wait
	:: r == CLOSED
	fi;
L_closed: /* port_close_reason */
	skip;
	WITH_LOCK(result = reason);
	goto L_done;

L_claim:
	skip;
#if MUT != 5
	CLAIM(slot, t);
#endif
	goto L_run;

L_wait: /* request_watch, and the compare-and-swap of request_wait */
	skip;
#if MUT == 26
	if :: state[t] < TURN -> state[t] = SLEEPS; r = SLEEPS :: else -> r = state[t] fi;
#else
	d_step { r = state[t]; if :: r == WAITS -> state[t] = SLEEPS :: else fi };
#endif
	if
	:: r == TURN -> goto L_turn
	:: r == ANSWERED -> result = status[t]; goto L_done
	:: else
	fi;

L_block: /* sched_block_until */
	skip;
	if
	:: atomic { token[t] -> token[t] = 0 }
	:: atomic { deadline -> deadline = 0; left = 1 }
	:: atomic { flags[t] -> left = 1 }
	fi;
#if MUT == 25
	r = (left -> state[t] : TURN);
#else
	r = state[t];
#endif
	if
	:: r == TURN -> goto L_turn
	:: r == ANSWERED -> result = status[t]; goto L_done
	:: else -> if :: left :: else -> goto L_block fi
	fi;
	/* request_give_up: request_leave, request_await */
	LOCKED(TAKE_ARRIVALS(0));
	d_step {
		if
		:: IN_LINE(t) -> REMOVE(t); last = (count == 0); result = TIMED_OUT
		:: else
		fi
	};
	RAN_EMPTY(last);
	UNLOCKED(skip);
	if :: result == TIMED_OUT -> goto L_done :: else fi;
L_await:
	skip;
	r = state[t];
	if
	:: r < TURN -> atomic { token[t] -> token[t] = 0 }; goto L_await
	:: r == ANSWERED -> result = status[t]; goto L_done
	:: r == TURN
	fi;
	WITH_LOCK(result = (closed -> reason : TIMED_OUT));
#if MUT == 24
	d_step { in[t] = 0 };
	goto L_done;
#endif
	d_step { left = 0; slot = given[t]; given[t] = NIL };
	goto L_leave; /* concurrent_leave */

L_turn:
	skip;
	d_step { slot = given[t]; assert(slot != NIL); given[t] = NIL };

L_run: /* call_run_in_slot: from the look at the flags on interrupts are off */
	skip;
	d_step {
		assert(in[t] && !retired && runs > 0);
		if
		:: flags[t] -> flags[t] = 0; how = (closed -> NOT_BEGUN : OK)
		:: else -> how = OK
		fi
	};
#if ENDS
	if :: how == OK -> if :: how = NOT_BEGUN :: how = OK fi :: else fi;
#endif
	if
	:: how == OK ->
		d_step {
			assert(holder[slot] == t && !busy[slot] && inside < N && ran[t] == 0);
			busy[slot] = 1; inside++; ran[t]++
		};
#if KILL
		if
		:: !closed -> how = OK
		:: flags[t] -> how = DIED
		fi;
#endif
		d_step { busy[slot] = 0; inside--; flags[t] = 0; result = how }
	:: else -> WITH_LOCK(result = (closed -> reason : CANCELLED))
	fi;
	how = 0;

L_leave: /* concurrent_leave: concurrent_try_leave */
	skip;
	freed = 0;
L_try:
	skip;
#if MUT == 4
	d_step {
		if :: closed || HAS_WAITERS -> r = QUEUED :: else -> runs--; r = OK fi
	};
	if :: r == OK -> d_step { holder[slot] = NIL; in[t] = 0 }; goto L_done :: else fi;
#elif MUT == 6
	holder[slot] = NIL;
	d_step { runs--; in[t] = 0 };
	goto L_done;
#else
	d_step { r = (closed || HAS_WAITERS -> QUEUED : OK) };
#if MUT == 17
	r = (HAS_WAITERS -> QUEUED : OK);
#endif
	if
	:: r == OK ->
		if :: !freed -> d_step { holder[slot] = NIL; freed = 1 } :: else fi; /* concurrent_free */
		d_step {
			if
#if MUT == 17
			:: HAS_WAITERS -> r = QUEUED
#else
			:: closed || HAS_WAITERS -> r = QUEUED
#endif
			:: else -> runs--; in[t] = 0; r = OK
			fi
		};
		if :: r == OK -> goto L_done :: else fi;
#if MUT == 31
		CLAIM(slot, t);
		freed = 0
#endif
	:: else
	fi;
#endif
	LOCKED(last = closed);
	if
	:: last -> /* leave_closed */
#if MUT != 18
		if :: !freed -> holder[slot] = NIL :: else fi;
#endif
#if MUT == 16
		UNLOCKED(runs--; in[t] = 0);
		last = (runs == 0);
#else
		UNLOCKED(runs--; in[t] = 0; last = (runs == 0));
#endif
#if MUT == 14
		RETIRE
#elif MUT == 15
		skip
#else
		if :: last -> RETIRE :: else fi
#endif
		;
		goto L_done
	:: else
	fi;
#if MUT == 12
	UNLOCKED(skip);
	r = (count > 0 -> line[0] : NIL);
	if :: r != NIL -> d_step { TAKE_ARRIVALS(1); REMOVE(r); if :: count == 0 -> backlog = 0 :: else fi } :: else fi;
	LOCKED(skip);
#else
	POP(r, last);
#endif
	if :: r == NIL -> UNLOCKED(assert(!backlog)); goto L_try :: else fi;
#if MUT != 7
	if :: freed -> CLAIM(slot, r) :: else fi;
#endif
	d_step { in[t] = 0; in[r] = 1 };
#if MUT == 8
	d_step { given[r] = slot; runs-- };
	holder[slot] = r;
	SETTLE(r, TURN, s);
#elif MUT == 9
	given[r] = slot;
	holder[slot] = NIL;
	SETTLE(r, TURN, s);
#elif MUT == 10
	SETTLE(r, TURN, s);
	given[r] = slot;
	holder[slot] = r;
#elif MUT == 11
	given[r] = slot;
	SETTLE(r, TURN, s);
	holder[slot] = r;
#else
	given[r] = slot;
	holder[slot] = r;
	SETTLE(r, TURN, s);
#endif
	UNLOCKED(skip);

L_done:
	skip;
	d_step {
		assert(result == OK || result == TIMED_OUT || result == STALE || result == CANCELLED ||
			result == DIED);
		assert(ran[t] == (result == OK || result == DIED));
		assert(!in[t] && given[t] == NIL && !IN_LINE(t));
		flags[t] = 0; /* call_settle_unwind_if_raised */
		result = 0; r = 0; slot = 0; deadline = 0; left = 0; last = 0; freed = 0;
		status[t] = UNSET; ran[t] = 0; state[t] = WAITS
	};
	goto L_next;
L_end:
	skip;
	d_step { done++; n = 0 }
}

#if CLOSE
/* port_close */
proctype closer_p() {
	byte r, was, noted, h, at;
	bit s;

#if MUT == 13
	d_step { was = runs; closed = 1 };
	LOCKED(skip);
#else
	LOCKED(was = runs; closed = 1);
#endif
	reason = STALE;
#if MUT != 30
	do /* baton_refuse_all_locked */
	:: true ->
		POP(r, s);
		if
		:: r == NIL -> break
		:: else ->
#if MUT == 28
			SETTLE(r, ANSWERED, s);
			status[r] = STALE
#else
			status[r] = STALE;
			SETTLE(r, ANSWERED, s)
#endif
		fi
	od;
	skip;
#endif
	UNLOCKED(skip);
#if MUT == 19
	RETIRE;
#else
	if
	:: was == 0 -> RETIRE
	:: else ->
#if KILL
		do /* port_interrupt_holders, slots_raise_locked */
		:: true ->
#if MUT != 23
			LOCKED(was = runs; noted = 0; at = 0);
#else
			d_step { was = runs; noted = 0; at = 0 };
#endif
			do
			:: at < N ->
				h = holder[at];
				if
				:: h != NIL ->
					d_step { assert(in[h]); flags[h] = 1; token[h] = 1; noted++ }
				:: else
				fi;
				at++
			:: else -> break
			od;
			skip;
#if MUT != 23
			UNLOCKED(skip);
#endif
#if MUT == 21
			break
#elif MUT == 22
			if :: noted > 0 || was == 0 -> break :: else -> (NOTED > 0 || runs == 0) fi
#else
			if
			:: noted == was -> break
			:: else -> (NOTED == runs) /* looking again before is no use */
			fi
#endif
		od
#else
		skip
#endif
	fi;
#endif
	skip;
	d_step { done++; r = 0; was = 0; noted = 0; h = 0; at = 0 }
}
#endif

init {
	atomic {
		byte t = 0;
		do :: t < NC -> run caller(t); t++ :: else -> break od;
#if CLOSE
		run closer_p();
#endif
		t = 0
	}
}

/* When nothing can move, everything is settled. */
active proctype settled() {
	timeout ->
	assert(done == NC + CLOSE); /* else somebody waits for ever */
	assert(runs == 0 && count == 0 && !backlog && !lock && inside == 0);
	assert(NOTED == 0);
	assert(retired == CLOSE)
}
