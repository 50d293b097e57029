/* SPDX-License-Identifier: MIT */
/*
 * The baton with its queue under the port's lock: ipc/baton.c, ipc/port.c, ipc/riscv/macros.inc.
 *
 * A step is one atomic access to shared memory. What is done with the lock held, and looked at only
 * with it held, is folded into the step beside it. A compare-and-swap loop is its last round. A
 * deadline, or a kill of the caller, comes at any moment. The port's memory may go when the last
 * reference is gone and every stretch with interrupts off that was running then has ended; TOUCH
 * says that this is not so yet.
 *
 * NC callers with NCALL calls each. FAST: a call may try the assembly first. DL: a call may time
 * out. CLOSE: somebody closes the port. KILL: because its domain dies; the service then waits
 * inside until it is told to leave.
 *
 * CHECK all -DNC=3 -DDL=1
 * CHECK calls -DNC=2 -DNCALL=2 -DDL=1 -DFAST=1
 * CHECK close quick -DNC=2 -DDL=1 -DFAST=1 -DCLOSE=1
 * CHECK kill -DNC=2 -DFAST=1 -DCLOSE=1 -DKILL=1
 * CHECK kill_deadline -DNC=2 -DDL=1 -DCLOSE=1 -DKILL=1
 * MUTANT 1 -DNC=2: waiter_settle wakes before it publishes
 * MUTANT 2 -DNC=2: baton_give is a plain store of 0
 * MUTANT 3 -DNC=2 -DDL=1: waiter_cancel believes a look without the lock
 * MUTANT 4 -DNC=2 -DDL=1: a turn that is not wanted is not given on
 * MUTANT 5 -DNC=3: the hand-over clears run
 * MUTANT 6 -DNC=1 -DCLOSE=1: the closer retires the port although somebody runs in it
 * MUTANT 7 -DNC=1 -DCLOSE=1: the last holder does not look whether the port was closed
 * MUTANT 8 -DNC=2: counted in before the lock, linked under it
 * MUTANT 9 -DNC=2 -DCLOSE=1: a caller that found the port open queues after the close
 * MUTANT 10 -DNC=1 -DCLOSE=1 -DKILL=1: port_interrupt_holder looks once
 * MUTANT 11 -DNC=1 -DCLOSE=1 -DKILL=1: port_interrupt_holder raises without the port's lock
 * MUTANT 12 -DNC=1 -DFAST=1 -DCLOSE=1: the fast path takes the baton with interrupts on
 * MUTANT 13 -DNC=2 -DCLOSE=1: baton_refuse_all_locked publishes before the status is written
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
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef KILL
#define KILL 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define NIL 255
#define CLOSER NC /* the closer's index in off[] and late[] */

#define WAITING 0
#define TURN 1
#define REFUSED 2

#define OK 1
#define TIMED_OUT 2
#define STALE 3
#define NO_HANDLE 4
#define QUEUED 5
#define UNSET 6

/* port.word */
bit running, closed;
byte count;
/* port.lock and what it guards */
bit lock;
byte queue[NC], length;
bit linked[NC];
byte reason = UNSET;
/* port.holder */
byte holder = NIL;
/* struct waiter: state and status; the sticky wake-up of a thread */
byte state[NC], status[NC];
bit token[NC];
bit flags[NC]; /* THREAD_UNWIND */

/* object.references: the open port's own and one handle; the handle can be closed */
byte references = 2;
bit handle = 1;
bit off[NC + 1];  /* interrupts are off */
bit late[NC + 1]; /* and were off when the last reference went */

/* What is only for the proof */
byte inside;       /* runs of the service */
bit holds[NC];     /* from the take to the end of the give */
byte retired;
byte done;

#define TOUCH(p) assert(references > 0 || late[p])
#define OFF(p) off[p] = 1
#define ON(p) off[p] = 0; late[p] = 0

hidden byte i;

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

/* spin_lock_save, spin_unlock_restore */
#define LOCK(p) d_step { lock == 0 -> TOUCH(p); lock = 1; OFF(p) }
#define UNLOCK(p) d_step { TOUCH(p); assert(lock); lock = 0; ON(p) }

/* queue_push, queue_pop, queue_remove; inside a d_step */
inline PUSH(t) {
	assert(!linked[t]);
	queue[length] = t; length++; linked[t] = 1
}

inline POP(r) {
	r = NIL;
	if
	:: length > 0 ->
		r = queue[0]; linked[r] = 0; length--;
		i = 0;
		do :: i < length -> queue[i] = queue[i + 1]; i++ :: else -> break od;
		queue[length] = 0; i = 0
	:: else
	fi
}

inline REMOVE(t) {
	i = 0;
	do :: queue[i] != t -> i++; assert(i < length) :: else -> break od;
	length--; linked[t] = 0;
	do :: i < length -> queue[i] = queue[i + 1]; i++ :: else -> break od;
	queue[length] = 0; i = 0
}

/* waiter_settle: publish, then wake */
inline SETTLE(r, value) {
#if MUT == 1
	token[r] = 1;
	state[r] = value
#else
	state[r] = value;
	token[r] = 1
#endif
}

/* port_retire */
inline RETIRE(p) {
	d_step { TOUCH(p); retired++; assert(retired == 1); assert(!running && closed && inside == 0) };
	d_step { RELEASE() }
}

/* baton_give, and the macro of the same name; t holds the baton, r is scratch */
inline GIVE(t, r) {
	d_step { TOUCH(t); holder = NIL };
#if MUT == 2
	d_step { running = 0; count = 0; closed = 0; holds[t] = 0; r = OK };
#elif MUT == 7
	d_step {
		TOUCH(t);
		if :: count == 0 -> running = 0; holds[t] = 0; r = OK :: else -> r = QUEUED fi
	};
#else
	d_step { /* compare-and-swap of the whole word */
		TOUCH(t);
		if
		:: running && !closed && count == 0 -> running = 0; holds[t] = 0; r = OK
		:: else -> r = QUEUED
		fi
	};
#endif
	if
	:: r == OK
	:: else ->
		/* baton_give_slow */
		LOCK(t);
		d_step { POP(r) };
		if
		:: r != NIL ->
#if MUT == 5
			d_step { TOUCH(t); count--; running = 0 };
#else
			d_step { TOUCH(t); count-- };
#endif
			d_step { TOUCH(t); holder = r; holds[t] = 0; holds[r] = 1 };
			SETTLE(r, TURN);
			UNLOCK(t)
		:: else ->
			d_step { TOUCH(t); running = 0; holds[t] = 0; r = (closed -> CLOSER : NIL) };
			UNLOCK(t);
			if :: r == CLOSER -> RETIRE(t) :: else fi
		fi
	fi;
	r = 0
}

proctype caller(byte t) {
	byte n, r, result;
	bit counted, fast, deadline;

L_next:
	skip;
	if :: n == NCALL -> goto L_end :: else -> n++ fi;
#if DL
	if :: deadline = 0 :: deadline = 1 fi;
#endif

#if FAST
	if :: true -> goto L_general :: true fi;
	/* ipc_fastpath_call: interrupts are off from the trap */
#if MUT != 12
	OFF(t);
#endif
	if :: handle :: else -> ON(t); result = NO_HANDLE; goto L_done fi;
	d_step { /* baton_take in macros.inc: lr/sc 0 -> run */
		TOUCH(t);
		if :: !running && !closed && count == 0 -> running = 1; holds[t] = 1; fast = 1 :: else fi
	};
	if :: fast :: else -> ON(t); goto L_general fi;
	d_step { TOUCH(t); holder = t; ON(t); result = OK }; /* port_note_run, sret */
	goto L_run;
#endif

L_general: /* call_from_user: handle_get takes a reference */
	skip;
	d_step {
		if :: handle -> references++; counted = 1 :: else -> result = NO_HANDLE fi
	};
	if :: counted :: else -> goto L_done fi;
	d_step { /* baton_take: compare-and-swap 0 -> run */
		TOUCH(t);
		if
		:: !running && !closed && count == 0 -> running = 1; holds[t] = 1; result = OK
		:: else -> result = QUEUED
		fi
	};
	if :: result == OK -> goto L_note :: else fi;

	/* baton_take_or_queue */
	state[t] = WAITING;
#if MUT == 8
	d_step {
		if
		:: closed -> result = reason
		:: !closed && !running && count == 0 -> running = 1; holds[t] = 1; result = OK
		:: else -> count++; result = QUEUED
		fi
	};
	if
	:: result == QUEUED -> LOCK(t); d_step { PUSH(t) }; UNLOCK(t)
	:: else
	fi;
#elif MUT == 9
	if :: closed -> result = STALE; goto L_release :: else fi;
	LOCK(t);
	d_step {
		if
		:: !running && count == 0 -> running = 1; holds[t] = 1; result = OK
		:: else -> count++; PUSH(t); result = QUEUED
		fi
	};
	UNLOCK(t);
#else
	LOCK(t);
	d_step {
		TOUCH(t);
		if
		:: closed -> result = reason
		:: !closed && !running && count == 0 -> running = 1; holds[t] = 1; result = OK
		:: else -> count++; PUSH(t); result = QUEUED
		fi
	};
	UNLOCK(t);
#endif
	if
	:: result == OK -> goto L_note
	:: result == QUEUED -> goto L_wait
	:: else -> goto L_release
	fi;

L_wait: /* waiter_wait */
	r = state[t];
	if
	:: r == TURN -> result = OK; goto L_note
	:: r == REFUSED -> result = status[t]; goto L_release
	:: else
	fi;
	if /* sched_block_until */
	:: atomic { token[t] -> token[t] = 0 }; goto L_wait
	:: atomic { deadline -> deadline = 0 }
	:: atomic { flags[t] -> skip }
	fi;
	/* waiter_cancel */
#if MUT == 3
	if
	:: linked[t] ->
		LOCK(t);
		d_step { if :: linked[t] -> REMOVE(t); count-- :: else fi };
		UNLOCK(t);
		result = TIMED_OUT;
		goto L_release
	:: else
	fi;
#else
	LOCK(t);
	d_step {
		if
		:: linked[t] -> TOUCH(t); REMOVE(t); count--; result = TIMED_OUT
		:: else
		fi
	};
	UNLOCK(t);
	if :: result == TIMED_OUT -> goto L_release :: else fi;
#endif
	d_step { r = state[t]; assert(r != WAITING) };
	if
	:: r == TURN ->
#if MUT != 4
		GIVE(t, r);
#endif
		result = TIMED_OUT
	:: else -> result = status[t]
	fi;
	goto L_release;

L_note: /* baton_take: the hint */
	skip;
	d_step { TOUCH(t); holder = t };

L_run: /* the service */
	skip;
	d_step {
		assert(inside == 0 && running && !retired && holds[t]);
		inside++
	};
#if KILL
	if
	:: !closed /* a living service answers */
	:: flags[t] /* a dying one does not; call_unwind leaves it */
	fi;
#endif
	d_step { inside-- };
	r = 0;
	/* ipc_fastpath_return, call_return, call_port */
	GIVE(t, r);

L_release: /* call_from_user: object_release */
L_done:
	skip;
	d_step {
		assert(result == OK || result == TIMED_OUT || result == STALE || result == NO_HANDLE);
		assert(!linked[t] && !holds[t] && !off[t]);
		flags[t] = 0 /* exit_work_thread */
	};
	d_step {
		if :: counted -> RELEASE() :: else fi;
		counted = 0; fast = 0; result = 0; r = 0; deadline = 0; status[t] = UNSET
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
	bit was_run;

	d_step { references++ };
	LOCK(CLOSER);
	d_step { was_run = running; closed = 1 };
	reason = STALE;
	do /* baton_refuse_all_locked */
	:: true ->
		d_step { POP(r) };
		if
		:: r == NIL -> break
		:: else ->
			d_step { count-- };
#if MUT == 13
			SETTLE(r, REFUSED);
			status[r] = STALE
#else
			status[r] = STALE;
			SETTLE(r, REFUSED)
#endif
		fi
	od;
	skip;
	d_step { TOUCH(CLOSER); references++ };
	UNLOCK(CLOSER);
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
#if MUT != 11
			LOCK(CLOSER);
#endif
			d_step { TOUCH(CLOSER); h = holder };
			if
			:: h != NIL -> d_step { assert(holds[h]); flags[h] = 1; token[h] = 1 }
			:: else
			fi;
#if MUT != 11
			UNLOCK(CLOSER);
#endif
#if MUT == 10
			break
#else
			d_step { TOUCH(CLOSER); r = (h != NIL || !running -> OK : QUEUED) };
			if :: r == OK -> break :: else fi
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
		do :: t < NC -> status[t] = UNSET; run caller(t); t++ :: else -> break od;
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
	assert(!running && count == 0 && length == 0 && !lock);
	assert(holder == NIL && inside == 0);
	assert(retired == CLOSE);
	assert(references == (CLOSE -> 0 : 2))
}
