/* SPDX-License-Identifier: MIT */
/*
 * The baton: ipc/line.c, ipc/baton.c, ipc/call.c, ipc/port.c, ipc/riscv/macros.inc.
 *
 * A step is one atomic access to shared memory; a read-modify-write of the word is one of all its
 * fields. What is done with the lock held, and looked at only with it held, is folded into the step
 * beside it, and so are the taking and dropping of the lock. A compare-and-swap loop is its last round;
 * looks at the own record before the compare-and-swap WAITS -> SLEEPS are that one failing. A
 * deadline, or a kill of the caller, comes at any moment. The port's memory may go when the last
 * reference is gone and every stretch with interrupts off that was running then has ended; TOUCH
 * says that this is not so yet.
 *
 * NC callers with NCALL calls each. FAST: a call may try the assembly first. DL: a call may time
 * out. SERVE: how many requests of others a holder may serve. ENDS: a thread may be told to end, then it
 * begins no run. CLOSE: somebody closes the port. KILL: because its domain dies; the service then
 * waits inside until it is told to leave.
 *
 * Not here: that the budget of a holder is finite (no caller starves), what waits for what
 * (deadlock.pml), and memory orders (tests/relacy).
 *
 * CHECK all -DNC=3 -DDL=1 -DFAST=1 -DSERVE=2 -DENDS=1
 * CHECK calls -DNC=2 -DNCALL=2 -DDL=1 -DFAST=1 -DSERVE=1 -DENDS=1
 * CHECK close quick -DNC=2 -DDL=1 -DSERVE=1 -DCLOSE=1
 * CHECK close_fast -DNC=2 -DFAST=1 -DDL=1 -DSERVE=1 -DENDS=1 -DCLOSE=1
 * CHECK close_three -DNC=3 -DDL=1 -DSERVE=1 -DCLOSE=1
 * CHECK kill quick -DNC=2 -DFAST=1 -DSERVE=1 -DCLOSE=1 -DKILL=1
 * CHECK kill_deadline -DNC=2 -DDL=1 -DSERVE=1 -DENDS=1 -DCLOSE=1 -DKILL=1
 * CHECK kill_three -DNC=3 -DFAST=1 -DSERVE=2 -DCLOSE=1 -DKILL=1
 * MUTANT 1 -DNC=2: request_settle wakes before it publishes
 * MUTANT 2 -DNC=2: baton_try_give is a plain store of 0
 * MUTANT 3 -DNC=2 -DDL=1: request_leave believes a look without the lock
 * MUTANT 4 -DNC=2 -DDL=1: a turn that is not wanted is not passed on
 * MUTANT 5 -DNC=3: the hand-over clears run
 * MUTANT 6 -DNC=1 -DCLOSE=1: the closer retires the port although somebody runs in it
 * MUTANT 7 -DNC=1 -DCLOSE=1: the last holder does not look whether the port was closed
 * MUTANT 8 -DNC=2: an arrival counts itself before it is linked
 * MUTANT 9 -DNC=2 -DCLOSE=1: a caller that found the port open arrives after the close
 * MUTANT 10 -DNC=1 -DCLOSE=1 -DKILL=1: port_interrupt_holder looks once
 * MUTANT 11 -DNC=1 -DCLOSE=1 -DKILL=1: port_interrupt_holder raises without the port's lock
 * MUTANT 12 -DNC=1 -DFAST=1 -DCLOSE=1: the fast path takes the baton with interrupts on
 * MUTANT 13 -DNC=2 -DCLOSE=1: baton_refuse_all_locked publishes before the status is written
 * MUTANT 14 -DNC=2 -DSERVE=1: baton_answer publishes before the status is written
 * MUTANT 15 -DNC=2: request_settle looks and stores in place of the swap
 * MUTANT 16 -DNC=2: a waiter stores SLEEPS in place of the compare-and-swap
 * MUTANT 17 -DNC=2 -DNCALL=2 -DDL=1: a waiter that was woken does not look at the state
 * MUTANT 18 -DNC=2 -DDL=1: who leaves does not absorb the arrivals first
 * MUTANT 19 -DNC=3: who absorbs looks and stores in place of the compare-and-swap
 * MUTANT 20 -DNC=3: append_locked does not turn the arrivals round
 * MUTANT 21 -DNC=3: who absorbs and leaves some behind does not set the backlog
 * MUTANT 22 -DNC=3 -DDL=1: who absorbs takes the arrivals off, then sets the backlog
 * MUTANT 23 -DNC=2 -DCLOSE=1: the closer does not absorb the arrivals
 * MUTANT 24 -DNC=2 -DCLOSE=1: baton_next looks at closed before it has the lock
 * MUTANT 25 -DNC=2 -DSERVE=1 -DCLOSE=1 -DKILL=1: a request not begun is handed over whatever the port's state
 * MUTANT 26 -DNC=3 -DSERVE=1 -DCLOSE=1 -DKILL=1: baton_next does not clear the holder
 * MUTANT 27 -DNC=2 -DSERVE=1 -DCLOSE=1 -DKILL=1: who serves does not note itself as the holder
 * MUTANT 28 -DNC=2 -DCLOSE=1 -DKILL=1: the hand-over publishes the turn before the holder
 * MUTANT 29 -DNC=2 -DDL=1: a caller that was taken off the line leaves at once
 * MUTANT 30 -DNC=3: an arrival looks and stores in place of the compare-and-swap
 * MUTANT 31 -DNC=2: the idle baton is taken by a look and a store
 * MUTANT 32 -DNC=3 -DSERVE=1: baton_next gives by a plain store when it found nobody
 * MUTANT 33 -DNC=1 -DCLOSE=1: the last holder of a closed port leaves run set
 * MUTANT 34 -DNC=2 -DCLOSE=1: closed is set before the lock is taken
 * MUTANT 35 -DNC=2 -DCLOSE=1: the reason of the close is read without the lock
 * MUTANT 36 -DNC=2 -DDL=1: baton_next takes the oldest off without the lock
 * MUTANT 37 -DNC=2 -DSERVE=1: the caller's run goes on although it was served
 * MUTANT 38 -DNC=2 -DSERVE=1 -DDL=1: a request is served while it is still in the line
 * MUTANT 39 -DNC=2 -DCLOSE=1 -DKILL=1: baton_try_give does not clear the holder
 * MUTANT 40 -DNC=2: a waiter sleeps without saying so
 * MUTANT 41 -DNC=3: line_pop_locked leaves the backlog when the line has run empty
 * MUTANT 42 -DNC=3 -DDL=1: who leaves takes the backlog back although others wait
 * MUTANT 43 -DNC=3 -DDL=1: line_ran_empty_locked looks and stores in place of the and
 * MUTANT 44 -DNC=2 -DDL=1: line_remove_locked leaves the backlog when the line has run empty
 * MUTANT 45 -DNC=2: who absorbs leaves the count of the arrivals
 * MUTANT 46 -DNC=2 -DSERVE=1 -DDL=1: who abandons its request looks and stores in place of the compare-and-swap
 * MUTANT 47 -DNC=2 -DSERVE=1 -DDL=1: who answers looks whether the request was abandoned, and clears served later
 * MUTANT 48 -DNC=2 -DSERVE=1 -DDL=1: who answers does not look whether the request was abandoned
 * MUTANT 49 -DNC=2 -DNCALL=2 -DSERVE=1 -DDL=1: who serves reads the record again after the copy
 * MUTANT 50 -DNC=2 -DSERVE=1 -DDL=1 -DCLOSE=1 -DENDS=1: baton_hand_over does not look whether the request was abandoned
 */
#ifndef NC
#define NC 2
#endif
#ifndef NCALL
#define NCALL 1
#endif
#ifndef FAST
#define FAST 0
#endif
#ifndef DL
#define DL 0
#endif
#ifndef SERVE
#define SERVE 0
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
#define CLOSER NC /* the closer's index in off[] and late[] */

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
#define NO_HANDLE 4
#define CANCELLED 5
#define DIED 6
/* what a step led to */
#define QUEUED 7
#define CLOSED 8
#define NOT_BEGUN 9

/* port.word: run, closed, backlog, count of arrivals, head */
bit running, closed, backlog;
byte count;
byte head = NIL;
/* port.lock and what it guards */
bit lock;
byte queue[NC], length;
bit linked[NC];
byte reason = UNSET;
/* port.holder, port.served */
byte holder = NIL, served = NIL;
/* struct baton_request: record.next, state, status; the sticky wake-up of its thread */
byte after[NC] = NIL;
byte state[NC], status[NC];
bit token[NC];
bit flags[NC]; /* THREAD_UNWIND */

/* object.references: the open port's own and one handle; the handle can be closed */
byte references = 2;
bit handle = 1;
bit off[NC + 1];  /* interrupts are off */
bit late[NC + 1]; /* and were off when the last reference went */

/* What is only for the proof */
byte inside;     /* runs of the service */
bit holds[NC];   /* from the take to the end of the give */
bit live[NC];    /* the request is in use */
bit gone[NC];    /* its caller went on without it */
byte ran[NC];    /* its runs */
byte ahead[NC];  /* who arrived before and waits still, a bit each */
byte waiting;    /* who waits */
byte retired;
byte done;

#define TOUCH(p) assert(references > 0 || late[p])
#define OFF(p) off[p] = 1
#define ON(p) off[p] = 0; late[p] = 0
#define IDLE (!running && !closed && !backlog && count == 0 && head == NIL)
#define ALONE (running && !closed && !backlog && count == 0 && head == NIL)
/* While nobody has the lock, the word tells whether anybody waits. */
#if MUT == 0
#define TELLS assert((waiting != 0) == (backlog || head != NIL))
#else
#define TELLS skip
#endif

hidden byte i, x, y, z;

inline RELEASE() {
	assert(references > 0);
	references--;
	if
	:: references == 0 ->
		i = 0;
		do :: i <= NC -> late[i] = off[i]; i++ :: else -> break od;
		i = 0
	:: else
	fi
}

/* spin_lock_save, spin_unlock_restore, with the step after or before */
#define LOCKED(p, body) d_step { lock == 0 -> TOUCH(p); lock = 1; OFF(p); body }
#define UNLOCKED(p, body) d_step { TOUCH(p); assert(lock); body; TELLS; lock = 0; ON(p) }
#define WITH_LOCK(p, body) d_step { lock == 0 -> TOUCH(p); body }

/* One that waited does so no more. */
inline GONE(r) {
	assert(live[r] && (waiting >> r) & 1);
	waiting = waiting & ~(1 << r);
	x = 0;
	do :: x < NC -> ahead[x] = ahead[x] & ~(1 << r); x++ :: else -> break od;
	x = 0
}

/* The arrival's compare-and-swap; inside a d_step. */
inline ARRIVE(t) {
	assert(!linked[t]);
	after[t] = head; head = t; count++;
	ahead[t] = waiting; waiting = waiting | (1 << t)
}

/* append_locked; inside a d_step */
inline APPEND(from) {
	x = from; y = length;
	do :: x != NIL -> length++; assert(length <= NC); x = after[x] :: else -> break od;
	x = from; i = length;
	do
	:: x != NIL ->
		assert(!linked[x]); linked[x] = 1;
#if MUT == 20
		queue[y] = x; y++;
#else
		i--; queue[i] = x;
#endif
		y = x; x = after[x]; after[y] = NIL;
#if MUT == 20
		y = length - 1
#endif
	:: else -> break
	od;
	x = 0; y = 0; i = 0
}

/* line_take_arrivals_locked and append_locked; `popped` are taken off the queue at once. Inside a d_step. */
inline TAKE_ARRIVALS(popped) {
	if
	:: head != NIL ->
#if MUT != 21
		backlog = (count > popped);
#endif
		z = head; head = NIL;
#if MUT != 45
		count = 0;
#endif
		APPEND(z);
		z = 0
	:: else
	fi
}

/* absorb_locked */
#if MUT == 19
#define ABSORB(t, h) h = head; d_step { TOUCH(t); if :: h != NIL -> APPEND(h); head = NIL; count = 0; backlog = 1 :: else fi; h = 0 }
#elif MUT == 22
#define ABSORB(t, h) d_step { TOUCH(t); h = head; TAKE_ARRIVALS(NC) }; d_step { if :: h != NIL -> backlog = 1 :: else fi; h = 0 }
#else
#define ABSORB(t, h) d_step { TOUCH(t); TAKE_ARRIVALS(0) }
#endif

/* line_ran_empty_locked, after the look at what was done in the step before */
inline RAN_EMPTY(t, h) {
#if MUT == 43
	h = (length == 0 && backlog && head == NIL);
	if :: h -> d_step { TOUCH(t); backlog = 0; head = NIL; count = 0; h = 0 } :: else fi
#else
	if :: h -> d_step { TOUCH(t); backlog = 0; h = 0 } :: else fi
#endif
}

/* queue_pop and queue_remove; inside a d_step */
inline UNLINK(r) {
	i = 0;
	do :: queue[i] != r -> i++; assert(i < length) :: else -> break od;
	length--; linked[r] = 0;
	do :: i < length -> queue[i] = queue[i + 1]; i++ :: else -> break od;
	queue[length] = 0; i = 0
}

/* The oldest, or NIL; inside a d_step. */
inline POP(r) {
	r = NIL;
	if
	:: length > 0 -> r = queue[0]; UNLINK(r); assert(ahead[r] == 0); GONE(r)
	:: else
	fi
}

/* line_pop_locked */
inline LINE_POP(t, r, h) {
#if MUT == 19
	r = NIL;
	if :: length == 0 -> ABSORB(t, h) :: else fi;
	d_step { TOUCH(t); POP(r); h = (r != NIL && length == 0 && head == NIL) };
#else
	d_step {
		TOUCH(t);
		if
		:: length > 0 -> POP(r); h = (length == 0 && head == NIL)
		:: else -> TAKE_ARRIVALS(1); POP(r); h = 0
		fi
	};
#endif
#if MUT == 41
	h = 0
#else
	RAN_EMPTY(t, h)
#endif
}

/* request_settle: publish, then wake. Nothing of the record is touched after the swap. */
inline SETTLE(r, value, s) {
#if MUT == 1
	if :: state[r] == SLEEPS -> token[r] = 1 :: else fi;
	state[r] = value
#elif MUT == 15
	s = (state[r] == SLEEPS);
	d_step { assert(live[r]); state[r] = value };
	if :: s -> token[r] = 1; s = 0 :: else fi
#else
	d_step { assert(live[r] && state[r] < TURN); s = (state[r] == SLEEPS); state[r] = value };
	if :: s -> d_step { token[r] = 1; s = 0 } :: else fi
#endif
}

/* port_retire */
inline RETIRE(p) {
	d_step { TOUCH(p); retired++; assert(retired == 1); assert(!running && closed && inside == 0) };
	d_step { RELEASE() }
}

/* baton_try_give; r is OK when the baton is gone */
inline TRY_GIVE(t, r) {
#if MUT == 2
	d_step { running = 0; count = 0; backlog = 0; closed = 0; head = NIL; holds[t] = 0; r = OK };
#elif MUT == 7
	d_step {
		TOUCH(t);
		if :: count == 0 && !backlog -> running = 0; holds[t] = 0; r = OK :: else -> r = QUEUED fi
	};
#else
	d_step {
		TOUCH(t);
		if :: ALONE -> running = 0; holds[t] = 0; r = OK :: else -> r = QUEUED fi
	};
#endif
}

/* baton_next: r is the request to serve, or NIL when the baton is gone */
inline NEXT(t, may, r, c, s, h) {
#if MUT == 24
	c = closed;
	LOCKED(t, holder = NIL);
#elif MUT == 26
	LOCKED(t, c = closed);
#elif MUT == 7
	LOCKED(t, holder = NIL);
#else
	LOCKED(t, holder = NIL; c = closed);
#endif
	if
	:: c ->
		d_step { assert(length == 0 && head == NIL && !backlog); r = NIL };
#if MUT == 33
		UNLOCKED(t, holds[t] = 0);
#else
		UNLOCKED(t, running = 0; holds[t] = 0);
#endif
		RETIRE(t)
	:: else ->
#if MUT == 36
		UNLOCKED(t, skip);
		OFF(t);
#endif
		do
		:: true ->
#if MUT == 36
			ABSORB(t, h);
			r = (length > 0 -> queue[0] : NIL);
			if :: r != NIL -> d_step { TOUCH(t); UNLINK(r); GONE(r); backlog = (length > 0) } :: else fi;
#elif MUT == 38
			ABSORB(t, h);
			d_step { r = (length > 0 -> queue[0] : NIL) };
			if :: r != NIL && !may -> d_step { TOUCH(t); POP(r); backlog = (length > 0) } :: else fi;
#else
			LINE_POP(t, r, h);
#endif
			if
			:: r != NIL ->
				d_step { if :: !may -> holds[t] = 0; holds[r] = 1 :: else fi };
				break
			:: else
			fi;
#if MUT == 32
			d_step { running = 0; holds[t] = 0; r = OK };
#else
			TRY_GIVE(t, r);
#endif
			if
			:: r == OK -> r = NIL; break
			:: else -> assert(head != NIL && !closed)
			fi
		od;
		if
		:: r != NIL && may ->
#if MUT == 27
			UNLOCKED(t, served = r)
#elif MUT == 36
			d_step { holder = t; served = r; ON(t) }
#else
			UNLOCKED(t, holder = t; served = r)
#endif
		:: else ->
#if MUT == 36
			ON(t);
#else
			UNLOCKED(t, skip);
#endif
			if
			:: r != NIL -> HAND_OVER(t, r, s); r = NIL
			:: else
			fi
		fi
	fi;
	c = 0
}

/* end_serving; r becomes NIL when its caller has gone on */
inline END_SERVING(r) {
#if MUT == 47
	r = served
#elif MUT == 48
	served = NIL
#elif MUT == 50
	if :: how == NOT_BEGUN -> served = NIL :: else -> d_step { r = served; served = NIL } fi
#else
	d_step { assert(served == NIL || served == r); r = served; served = NIL }
#endif
}

/* The end of baton_next for one that is not served. */
inline HAND_OVER(t, r, s) {
#if MUT == 5
	d_step { TOUCH(t); holder = r; running = 0 };
	SETTLE(r, TURN, s)
#elif MUT == 28
	SETTLE(r, TURN, s);
	d_step { TOUCH(t); holder = r }
#else
	d_step { TOUCH(t); holder = r };
	SETTLE(r, TURN, s)
#endif
}

/*
 * call_run by `me` of the request of `asked`: OK, DIED or NOT_BEGUN. From the look at the flags to the
 * service interrupts are off, so what is raised then is seen inside. `sure`: the assembly, which does
 * not look.
 */
inline RUN(me, asked, sure, how) {
	d_step {
		assert(running && !retired && holds[me] && (me == asked || served == asked || served == NIL));
#if MUT == 49
		assert(live[asked] && !gone[asked]);
#endif
		if
		:: !sure && flags[me] -> flags[me] = 0; how = (closed -> NOT_BEGUN : OK)
		:: else -> how = OK
		fi
	};
#if ENDS
	if
	:: how == OK && !sure -> if :: how = NOT_BEGUN :: how = OK fi
	:: else
	fi;
#endif
	if
	:: how == OK ->
		d_step {
			assert(inside == 0); inside++;
			if :: me == asked || served == asked -> assert(ran[asked] == 0); ran[asked]++ :: else fi
		};
#if KILL
		if
		:: !closed -> how = OK /* a living service answers */
		:: flags[me] -> how = DIED /* a dying one does not; call_unwind leaves it */
		fi;
#endif
		d_step { inside--; flags[me] = 0 }
	:: else
	fi
}

proctype caller(byte t) {
	byte n, r, result, how, budget, h;
	bit counted, fast, deadline, left, may, c, s;

L_next:
	skip;
	if :: n == NCALL -> goto L_end :: else -> n++ fi;
	d_step { live[t] = 1; state[t] = WAITS };
#if DL
	if :: deadline = 0 :: deadline = 1 fi;
#endif

#if FAST
	if :: true -> goto L_general :: true fi;
	/* ipc_fastpath_call: interrupts are off from the trap */
#if MUT != 12
	OFF(t);
#endif
	if :: handle :: else -> d_step { ON(t); result = NO_HANDLE }; goto L_done fi;
	d_step { /* baton_take in macros.inc: lr/sc 0 -> run */
		TOUCH(t);
		if :: IDLE -> running = 1; holds[t] = 1; fast = 1 :: else fi
	};
	if :: fast :: else -> ON(t); goto L_general fi;
	d_step { TOUCH(t); holder = t; ON(t) }; /* port_note_run, sret */
	goto L_run;
#endif

L_general: /* call_from_user: handle_get takes a reference */
	skip;
	d_step {
		if :: handle -> references++; counted = 1 :: else -> result = NO_HANDLE fi
	};
	if :: counted :: else -> goto L_done fi;
	/* line_take_or_join; baton_try_take before it is the first branch */
#if MUT == 31
	r = (IDLE -> OK : QUEUED);
	if :: r == OK -> running = 1; holds[t] = 1; goto L_note :: else fi;
#endif
#if MUT == 9
	if :: closed -> r = CLOSED; goto L_closed :: else fi;
#endif
#if MUT == 30
	h = head;
#endif
	d_step {
		TOUCH(t);
		if
#if MUT != 9
		:: closed -> r = CLOSED
#endif
		:: IDLE -> running = 1; holds[t] = 1; r = OK
		:: else ->
#if MUT == 8
			count++; running = 1;
#elif MUT == 30
			ARRIVE(t); after[t] = h; running = 1;
#else
			ARRIVE(t); running = 1;
#endif
			r = QUEUED
		fi;
		h = 0
	};
#if MUT == 8
	if :: r == QUEUED -> d_step { ARRIVE(t); count-- } :: else fi;
#endif
	if
	:: r == OK -> goto L_note
	:: r == QUEUED -> goto L_wait
	:: r == CLOSED -> goto L_closed
	fi;

L_closed: /* port_close_reason */
	skip;
#if MUT == 35
	result = reason;
#else
	WITH_LOCK(t, result = reason);
#endif
	goto L_release;

L_wait: /* request_watch, and the compare-and-swap of request_wait */
	skip;
#if MUT == 16
	if :: state[t] < TURN -> state[t] = SLEEPS; r = SLEEPS :: else -> r = state[t] fi;
#elif MUT == 40
	r = state[t];
#else
	d_step { r = state[t]; if :: r == WAITS -> state[t] = SLEEPS :: else fi };
#endif
	if
	:: r == TURN -> goto L_note
	:: r == ANSWERED -> result = status[t]; goto L_answered
	:: else
	fi;

L_block: /* sched_block_until */
	skip;
	if
	:: atomic { token[t] -> token[t] = 0 }
	:: atomic { deadline -> deadline = 0; left = 1 }
	:: atomic { flags[t] -> left = 1 }
	fi;
#if MUT == 17
	r = (left -> state[t] : TURN);
#else
	r = state[t];
#endif
	if
	:: r == TURN -> goto L_note
	:: r == ANSWERED -> result = status[t]; goto L_answered
	:: else -> if :: left :: else -> goto L_block fi
	fi;

	/* request_give_up: request_leave */
#if MUT == 3
	if
	:: (waiting >> t) & 1 ->
		LOCKED(t, skip);
		ABSORB(t, h);
		d_step { if :: linked[t] -> UNLINK(t); GONE(t); h = (length == 0 && head == NIL) :: else -> h = 0 fi };
		RAN_EMPTY(t, h);
		UNLOCKED(t, skip);
		result = TIMED_OUT;
		goto L_release
	:: else
	fi;
#else
	LOCKED(t, skip);
#if MUT != 18
	ABSORB(t, h);
#endif
	d_step {
		h = 0;
		if
		:: linked[t] -> UNLINK(t); GONE(t); h = (length == 0 && head == NIL); result = TIMED_OUT
		:: else
		fi
	};
#if MUT == 42
	if :: result == TIMED_OUT -> h = (head == NIL) :: else fi;
#elif MUT == 44
	h = 0;
#endif
	RAN_EMPTY(t, h);
	UNLOCKED(t, skip);
#endif
	if :: result == TIMED_OUT -> goto L_release :: else fi;
	assert(!((waiting >> t) & 1)); /* else it would wait for more than one run */
	/* request_abandon */
#if MUT == 46
	if
	:: served == t -> d_step { served = NIL; gone[t] = 1; result = TIMED_OUT }
	:: else
	fi;
#else
	d_step { if :: served == t -> served = NIL; gone[t] = 1; result = TIMED_OUT :: else fi };
#endif
	if :: result == TIMED_OUT -> goto L_release :: else fi;

L_await: /* request_await */
	skip;
	r = state[t];
#if MUT == 29
	if :: r < TURN -> result = TIMED_OUT; goto L_release :: else fi;
#endif
	if
	:: r < TURN -> atomic { token[t] -> token[t] = 0 }; goto L_await
	:: r == ANSWERED -> result = status[t]; goto L_answered
	:: r == TURN
	fi;
	WITH_LOCK(t, result = (closed -> reason : TIMED_OUT));
#if MUT == 4
	d_step { holds[t] = 0 };
	goto L_release;
#endif
	d_step { left = 0; budget = 0 };
	goto L_give; /* baton_pass_on */

L_answered:
	skip;
#if MUT == 37
	goto L_note;
#endif
	goto L_release;

L_note: /* call_port */
	skip;
	d_step { TOUCH(t); holder = t };

L_run:
	skip;
	RUN(t, t, fast, how);
	if
	:: how == NOT_BEGUN -> WITH_LOCK(t, result = (closed -> reason : CANCELLED))
	:: else -> result = how
	fi;
	d_step { how = 0; budget = SERVE };

L_give: /* call_give, and the macro baton_give */
	skip;
#if MUT != 39
	d_step { TOUCH(t); holder = NIL };
#endif
	TRY_GIVE(t, r);
	if :: r == OK -> goto L_release :: else fi;

L_serve: /* call_serve */
	skip;
	d_step { may = (budget != 0 && !flags[t]) };
	NEXT(t, may, r, c, s, h);
	if :: r == NIL -> goto L_release :: else fi;
	RUN(t, r, 0, how);
	if
	:: how == NOT_BEGUN ->
		/* baton_hand_over */
#if MUT == 25
		d_step { holds[t] = 0; holds[r] = 1; holder = r };
		SETTLE(r, TURN, s);
		goto L_release
#else
		END_SERVING(r);
		if :: r == NIL -> goto L_next_one :: else fi;
		LOCKED(t, c = closed);
		if
		:: c ->
			status[r] = reason;
			SETTLE(r, ANSWERED, s);
			UNLOCKED(t, skip)
		:: else ->
			d_step { holder = r; holds[t] = 0; holds[r] = 1 };
			SETTLE(r, TURN, s);
			UNLOCKED(t, skip);
			goto L_release
		fi
#endif
	:: else ->
		/* baton_answer */
		END_SERVING(r);
		if
		:: r == NIL
		:: else ->
#if MUT == 14
			SETTLE(r, ANSWERED, s);
			status[r] = how;
#elif MUT == 47
			status[r] = how;
			SETTLE(r, ANSWERED, s);
			served = NIL;
#else
			status[r] = how;
			SETTLE(r, ANSWERED, s);
#endif
		fi;
		budget--
	fi;
L_next_one:
	skip;
	d_step { r = 0; how = 0; c = 0 };
	goto L_serve;

L_release: /* call_from_user: object_release */
L_done:
	skip;
	d_step {
		assert(result == OK || result == TIMED_OUT || result == STALE || result == NO_HANDLE ||
			result == CANCELLED || result == DIED);
		assert(gone[t] || ran[t] == (result == OK || result == DIED));
		assert(!linked[t] && !holds[t] && !off[t] && !((waiting >> t) & 1));
		flags[t] = 0 /* call_settle_unwind_if_raised, exit_work_thread */
	};
	d_step {
		if :: counted -> RELEASE() :: else fi;
		counted = 0; fast = 0; result = 0; r = 0; deadline = 0; left = 0; may = 0; budget = 0;
		how = 0; c = 0; status[t] = UNSET; live[t] = 0; gone[t] = 0; ran[t] = 0; state[t] = WAITS
	};
	goto L_next;
L_end:
	skip;
	d_step { done++; n = 0 }
}

#if CLOSE
/* port_close, by a thread with a handle or by domain_close_one */
proctype closer_p() {
	byte r, h;
	bit was_run, s;

	d_step { references++ };
#if MUT == 34
	d_step { was_run = running; closed = 1 };
	LOCKED(CLOSER, skip);
#else
	LOCKED(CLOSER, was_run = running; closed = 1);
#endif
	reason = STALE;
	do /* baton_refuse_all_locked */
	:: true ->
#if MUT == 23
		d_step { POP(r); h = (r != NIL && length == 0 && head == NIL) };
		RAN_EMPTY(CLOSER, h);
#else
		LINE_POP(CLOSER, r, h);
#endif
		if
		:: r == NIL -> break
		:: else ->
#if MUT == 13
			SETTLE(r, ANSWERED, s);
			status[r] = STALE
#else
			status[r] = STALE;
			SETTLE(r, ANSWERED, s)
#endif
		fi
	od;
	skip;
	UNLOCKED(CLOSER, references++);
#if MUT == 6
	RETIRE(CLOSER);
#else
	if
	:: !was_run -> RETIRE(CLOSER)
	:: else ->
#if KILL
		/* port_interrupt_holder */
		do
		:: true ->
#if MUT == 11
			d_step { TOUCH(CLOSER); h = holder };
			if
			:: h != NIL -> d_step { assert(holds[h]); flags[h] = 1; token[h] = 1 }
			:: else
			fi;
#else
			d_step {
				lock == 0 -> TOUCH(CLOSER); h = holder;
				if :: h != NIL -> assert(holds[h]); flags[h] = 1; token[h] = 1 :: else fi
			};
#endif
#if MUT == 10
			break
#else
			d_step { TOUCH(CLOSER); r = (h != NIL || !running -> OK : QUEUED) };
			if
			:: r == OK -> break
			:: else -> (holder != NIL || !running) /* looking again before is no use */
			fi
#endif
		od
#else
		skip
#endif
	fi;
#endif
	skip;
	d_step { RELEASE() };
	d_step { RELEASE() };
	d_step { handle = 0; RELEASE() }; /* handle_close */
	d_step { done++; r = 0; h = 0; was_run = 0 }
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
	assert(done == NC + CLOSE);       /* else somebody waits for ever */
	assert(!running && !backlog && count == 0 && length == 0 && head == NIL && !lock && waiting == 0);
	assert(holder == NIL && inside == 0);
	assert(retired == CLOSE);
	assert(references == (CLOSE -> 0 : 2))
}
