/* SPDX-License-Identifier: MIT */
/*
 * Callers that would wait for each other: ipc/deadlock.c, and the words that it reads, which
 * ipc/baton.c and ipc/call.c write.
 *
 * Threads that call exclusive services from inside services, and the walk that finds a ring by
 * reading the words of others one at a time while they change. A step is one such access. The line of a
 * port is one step for each of arriving, taking off and leaving (baton.pml has the details). SERVE: a
 * holder inside nothing else may run the request of one that waits, and calls others for it. DL: who
 * waits may leave at any moment.
 *
 * Sound: who is refused did wait for itself at the moment between its two walks, and still does
 * unless a deadline has passed. Complete: nobody waits for ever.
 * NT threads, NPORT services, NCALL calls a thread, DEPTH inside one another; OWN: the outermost
 * call of thread t is to service t. Spin's memory is
 * sequentially consistent, so that the fence of deadlock_leave is needed is not shown here.
 *
 * CHECK all -DNT=2 -DNPORT=2 -DNCALL=4 -DDL=1 -DSERVE=1
 * CHECK short quick -DNT=2 -DNPORT=2 -DNCALL=3 -DDL=1 -DSERVE=1
 * CHECK three -DNT=3 -DNPORT=3 -DNCALL=2 -DOWN=1
 * CHECK three_serve -DNT=3 -DNPORT=2 -DNCALL=2 -DSERVE=1
 * MUTANT 1 -DNT=2 -DNPORT=2 -DNCALL=4: one walk is believed
 * MUTANT 2 -DNT=2 -DNPORT=2 -DNCALL=4 -DDL=1: the walks are compared without `waits`
 * MUTANT 3 -DNT=3 -DNPORT=2 -DNCALL=2: the holder is not cleared before a request is taken off
 * MUTANT 4 -DNT=2 -DNPORT=2 -DNCALL=4: waiting_for is not cleared by who hands over
 * MUTANT 5 -DNT=2 -DNPORT=2 -DNCALL=4: two victims at a time
 * MUTANT 6 -DNT=2 -DNPORT=2 -DNCALL=4: the walk comes before the arrival
 * MUTANT 7 -DNT=2 -DNPORT=2 -DNCALL=4: waiting_for is stored after the arrival
 * MUTANT 8 -DNT=2 -DNPORT=2 -DNCALL=4 -DDL=1: waiting_for is stored before `waits`
 * MUTANT 9 -DNT=2 -DNPORT=2 -DNCALL=2 -DSERVE=1: waiting_for is cleared when a request begins to be served
 * MUTANT 10 -DNT=2 -DNPORT=2 -DNCALL=4: waiting_for is cleared after the turn is published
 * MUTANT 11 -DNT=2 -DNPORT=2 -DNCALL=4 -DSERVE=1: who found a ring does not look whether it is still in the line
 * MUTANT 12 -DNT=2 -DNPORT=2 -DNCALL=4: a victim does not clear waiting_for
 * MUTANT 13 -DNT=2 -DNPORT=2 -DNCALL=4 -DDL=1: the second walk looks at `waits` before waiting_for
 */
#ifndef NT
#define NT 2
#endif
#ifndef NPORT
#define NPORT 2
#endif
#ifndef NCALL
#define NCALL 2
#endif
#ifndef DEPTH
#define DEPTH 2
#endif
#ifndef OWN
#define OWN 0
#endif
#ifndef SERVE
#define SERVE 0
#endif
#ifndef DL
#define DL 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define NIL 15

#define WAITS 0
#define TURN 1
#define ANSWERED 2

typedef fifo { chan line = [NT] of { byte } };

/* port.word: run, and who waits */
bit running[NPORT];
fifo port[NPORT];
byte holder[NPORT] = NIL;
/* thread.waiting_for, thread.waits, baton_request.state */
byte waiting_for[NT] = NIL;
byte waits[NT];
byte state[NT];
bit rings; /* the lock */

/* What is only for the proof: who truly holds and waits, changed with the step that makes it so. */
byte holds[NPORT] = NIL;
byte awaits[NT] = NIL;
byte done;

hidden byte gp, gt, gn;

/* Does the calling thread wait for itself? Inside a d_step. */
inline IS_RING(t, real) {
	gp = awaits[t]; gt = NIL; gn = 0;
	do
	:: gp != NIL && gn <= NT ->
		gt = holds[gp];
		if :: gt == NIL || gt == t -> break :: else -> gp = awaits[gt]; gn++ fi
	:: else -> gt = NIL; break
	od;
	real = (gt == t);
	gp = 0; gt = 0; gn = 0
}

/* walk: from the holder of p to t; n is the number of steps, 0 when it does not come back. `again`: it
 * must find what lies in the arrays. */
inline WALK(t, p, again) {
	n = 0; w = p;
	do
	:: true ->
		cur = holder[w];
		if
		:: cur == t || cur == NIL || n == NT -> n = (cur == t -> n : 0); break
		:: else
		fi;
		k = waits[cur];
		d_step {
			if
#if MUT == 13
			:: again && (who[n] != cur || number[n] != k) -> differs = 1
#else
			:: again && who[n] != cur -> differs = 1
#endif
			:: else -> who[n] = cur; if :: !again -> number[n] = k :: else fi
			fi
		};
		w = waiting_for[cur];
		if :: w == NIL -> n = 0; break :: else fi;
		d_step {
			if :: again && what[n] != w -> differs = 1 :: else -> what[n] = w fi;
			n++
		}
	od;
	skip;
	d_step { w = 0; k = 0; cur = 0 }
}

/* What is left of same_walk: `waits` is looked at again after all waiting_for. */
inline SAME(t) {
	k = 0;
	do
	:: k < first -> if :: waits[who[k]] != number[k] -> differs = 1 :: else fi; k++
	:: else -> break
	od;
	k = 0
}

inline FORGET() {
	n = 0;
	do :: n < NT -> who[n] = 0; number[n] = 0; what[n] = 0; n++ :: else -> break od;
	n = 0; first = 0; differs = 0
}

/* request_settle for one whose turn has come */
inline HAND_OVER(p, r) {
#if MUT == 10
	holder[p] = r;
	state[r] = TURN;
	waiting_for[r] = NIL
#else
	holder[p] = r;
#if MUT != 4
	waiting_for[r] = NIL;
#endif
	state[r] = TURN
#endif
}

proctype thread(byte t) {
	byte calls, d, p, r, cur, w, n, k, first;
	byte serving = NIL;
	byte held[DEPTH];
	byte who[NT], number[NT], what[NT];
	bit budget, differs, left, ours, real;

	do
	:: calls == NCALL && d == 0 -> break

	:: d > 0 -> /* the innermost run ends: baton_try_give, baton_next */
		d--;
		p = held[d];
		held[d] = 0;
		if
		:: d == 0 && serving != NIL -> /* baton_answer */
			waiting_for[serving] = NIL;
			d_step { assert(awaits[serving] == p); awaits[serving] = NIL; state[serving] = ANSWERED; serving = NIL }
		:: else -> budget = SERVE
		fi;
#if MUT != 3
		holder[p] = NIL;
#endif
		atomic {
			if
			:: empty(port[p].line) -> running[p] = 0; holds[p] = NIL; r = NIL
			:: nempty(port[p].line) -> port[p].line?r; awaits[r] = NIL; holds[p] = r
			:: nempty(port[p].line) && d == 0 && budget -> port[p].line?r; serving = r
			fi
		};
		if
		:: serving != NIL && serving == r ->
			holder[p] = t;
#if MUT == 9
			waiting_for[r] = NIL;
#endif
			d_step { held[0] = p; d = 1; budget = 0 }
		:: serving != r && r != NIL -> HAND_OVER(p, r)
		:: r == NIL
		fi;
		d_step { r = 0; p = 0 }

	:: d < DEPTH && calls < NCALL -> /* call_port */
		calls++;
#if OWN
		if :: d == 0 -> p = t :: else -> if :: p = 0 :: p = 1 :: p = NPORT - 1 fi fi;
#else
		if :: p = 0 :: p = 1 :: NPORT > 2 -> p = NPORT - 1 fi;
#endif
		if
		:: (d > 0 && held[0] == p) || (d > 1 && held[1] == p) -> p = 0; goto L_next /* call_check_chain */
		:: else
		fi;
		/* baton_take; baton_try_take before it is the same without the stores */
#if MUT == 8
		d_step { waiting_for[t] = p; awaits[t] = p };
		waits[t]++;
#elif MUT == 7
		waits[t]++;
#else
		waits[t]++;
		d_step { waiting_for[t] = p; awaits[t] = p }; /* nothing but a free port keeps it from waiting now */
#endif
		state[t] = WAITS;
#if MUT == 6
		if
		:: d > 0 -> WALK(t, p, 0); first = n; WALK(t, p, 1); if :: differs || n != first -> n = 0 :: else fi
		:: else
		fi;
		d_step { k = n; FORGET() };
#endif
		d_step {
			if
			:: !running[p] -> running[p] = 1; holds[p] = t; awaits[t] = NIL; ours = 1
			:: else -> port[p].line!t; awaits[t] = p
			fi
		};
		if
		:: ours -> waiting_for[t] = NIL; goto L_run
		:: else
		fi;
#if MUT == 7
		waiting_for[t] = p;
#endif
		/* deadlock_leave */
#if MUT == 6
		if
		:: k > 0 ->
			atomic { rings == 0 -> rings = 1 };
			goto L_leave
		:: else -> goto L_wait
		fi;
#endif
		if
		:: d > 0 -> WALK(t, p, 0)
		:: else -> goto L_wait
		fi;
		if :: n == 0 -> d_step { FORGET() }; goto L_wait :: else fi;
#if MUT != 5
		atomic { rings == 0 -> rings = 1 };
#endif
#if MUT != 1
		d_step { FORGET() };
		WALK(t, p, 0);
		if :: n == 0 -> goto L_stay :: else fi;
		d_step { first = n; IS_RING(t, real) };
		WALK(t, p, 1);
#if MUT != 2 && MUT != 13
		SAME(t);
#endif
		if :: n != first || differs -> goto L_stay :: else fi;
#endif
L_leave:
		skip;
		d_step {
			if
			:: port[p].line??[eval(t)] ->
#if !DL
				IS_RING(t, real); /* a ring opens by a victim only, or by a deadline */
#endif
				assert(real);
				port[p].line??eval(t); awaits[t] = NIL; left = 1
#if MUT == 11
			:: else -> awaits[t] = NIL; left = 1
#else
			:: else
#endif
			fi;
			FORGET()
		};
#if MUT != 12
		if :: left -> waiting_for[t] = NIL :: else fi;
#endif
L_stay:
		skip;
		d_step { rings = 0; FORGET(); k = 0; real = 0 };
		if :: left -> left = 0; p = 0; goto L_next :: else fi;
L_wait:
		skip;
		if
		:: atomic { state[t] != WAITS -> ours = (state[t] == TURN) }
#if DL
		:: atomic { /* request_leave */
			port[p].line??[eval(t)] -> port[p].line??eval(t); left = 1
		   };
		   d_step { waiting_for[t] = NIL; awaits[t] = NIL } /* it waits until it says that it does not */
#endif
		fi;
		if :: left || !ours -> left = 0; p = 0; goto L_next :: else fi;
L_run:
		skip;
		holder[p] = t;
		d_step { held[d] = p; d++; ours = 0; p = 0; state[t] = WAITS };
L_next:
		skip
	od;
	skip;
	d_step { done++; calls = 0; budget = 0 }
}

init {
	atomic {
		byte t = 0;
		do :: t < NT -> run thread(t); t++ :: else -> break od;
		t = 0
	}
}

/* When nothing can move, nobody waits. */
active proctype settled() {
	timeout -> assert(done == NT && !rings)
}
