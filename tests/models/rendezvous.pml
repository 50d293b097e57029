/* SPDX-License-Identifier: MIT */
/*
 * Calls of a mailbox: ipc/mailbox.c, ipc/mailbox_call.c, ipc/mailbox_user.c and ipc/riscv/mailbox.inc.
 *
 * NC callers make K calls each; NS servers reply and receive. FAST: everybody may also take the short way, when
 * the other one is blocked; on one core or on several makes no difference to the words. LEAVE: a caller may be told to
 * leave its calls at any moment (deadline, kill). KILL: a server may be told to end while it waits. CLOSE: somebody
 * closes the mailbox. DIE: the servers' domain ends when no server runs any more. TWICE: each reply is given twice.
 * wake: as in models/wakeup.pml, 1 a token, 2 waits. A thread that was given to its core has `ready`; one that was
 * resumed straight has `fast`.
 *
 * CHECK all -DNC=2 -DNS=1 -DFAST=1 -DLEAVE=1
 * CHECK twice quick -DNC=1 -DK=2 -DNS=1 -DFAST=1 -DLEAVE=1 -DTWICE=1
 * CHECK close -DNC=2 -DNS=1 -DFAST=1 -DCLOSE=1
 * CHECK close_leave quick -DNC=1 -DNS=1 -DFAST=1 -DCLOSE=1 -DLEAVE=1
 * CHECK servers -DNC=2 -DNS=2 -DFAST=1
 * CHECK kill -DNC=1 -DNS=2 -DFAST=1 -DKILL=1
 * CHECK die -DNC=2 -DNS=1 -DFAST=1 -DKILL=1 -DDIE=1 -DLEAVE=1
 * MUTANT 1 -DNC=2 -DNS=1 -DFAST=1: the short call takes who is in front before its wake word, and does not tell it
 * MUTANT 2 -DNC=1 -DNS=2 -DFAST=1 -DKILL=1: WAITS is stored over a token
 * MUTANT 3 -DNC=1 -DNS=1: mailbox_push stores BUSY and wakes nobody in front
 * MUTANT 4 -DNC=2 -DNS=1: the front is entered by look and store
 * MUTANT 5 -DNC=1 -DK=2 -DNS=1 -DLEAVE=1: rendezvous_reply takes the token by look and store
 * MUTANT 6 -DNC=1 -DK=2 -DNS=1 -DLEAVE=1: a caller leaves without its token
 * MUTANT 7 -DNC=1 -DK=2 -DNS=1 -DLEAVE=1: a caller that finds neither record nor token believes that it has left
 * MUTANT 8 -DNC=1 -DNS=1 -DLEAVE=1: answered before the reply
 * MUTANT 9 -DNC=1 -DNS=1: woken before answered
 * MUTANT 10 -DNC=1 -DNS=2 -DKILL=1: a killed receiver keeps the wake-up
 * MUTANT 11 -DNC=2 -DNS=1: the front is NONE though somebody is in the line
 * MUTANT 12 -DNC=2 -DNS=1 -DFAST=1: who was taken for nothing is not given back
 * MUTANT 13 -DNC=1 -DNS=1 -DCLOSE=1: close leaves the one in front
 * MUTANT 14 -DNC=1 -DNS=1 -DFAST=1 -DCLOSE=1: the short reply parks in front without a look at it
 * MUTANT 15 -DNC=1 -DNS=1 -DKILL=1 -DDIE=1: nobody answers for the dead domain
 * MUTANT 16 -DNC=1 -DNS=1 -DFAST=1 -DCLOSE=1: who finds no place in front is not woken to look again
 */
#ifndef NC
#define NC 2
#endif
#ifndef K
#define K 1
#endif
#ifndef NS
#define NS 1
#endif
#ifndef FAST
#define FAST 0
#endif
#ifndef LEAVE
#define LEAVE 0
#endif
#ifndef KILL
#define KILL 0
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef DIE
#define DIE 0
#endif
#ifndef TWICE
#define TWICE 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define THREADS (NC + NS)
#define NONE 0
#define BUSY 1
#define IN_FRONT(t) (2 + (t))
#define NIL 255

/* How a call ended. */
#define OK 1
#define LEFT 2
#define STALE 3
#define DIED 4

bit lock;
byte front;
bit closed;
byte line[NC], waiting;    /* callers, the oldest first */
bit receives[NS];          /* in port.receivers */
byte wake[THREADS];
bit ready[THREADS], fast[THREADS];
bit stop[THREADS];
byte token[NC];            /* number of the call, or 0 */
byte mail[NC];             /* number that the record in the line has */
bit linked[NC];
byte given[NC];            /* the reply: number of the call that was answered */
byte status[NC];
bit answered[NC];
byte got_caller[NS], got_number[NS]; /* what a short call handed over */

/* Only for the proof: replies that were accepted, by call. */
byte accepted[NC * (K + 1)];
byte over, ended;

hidden byte i;

#define LOCK atomic { lock == 0 -> lock = 1 }
#define UNLOCK d_step { assert(lock); lock = 0 }

/* sched_deliver */
inline DELIVER(t) { assert(!ready[t] && !fast[t]); ready[t] = 1 }

/* sched_wake_thread */
inline SIGNAL(t) {
	d_step {
		if
		:: wake[t] == 2 -> wake[t] = 3; DELIVER(t)
		:: else -> wake[t] = wake[t] | 1
		fi
	}
}

/* sched_block; and being resumed, by the scheduler or straight (then `straight`) */
inline BLOCK(t, straight) {
	d_step {
		straight = 0;
		if
		:: wake[t] == 0 -> wake[t] = 2
		:: else -> wake[t] = 0; assert(!ready[t]); ready[t] = 1
		fi
	}
}

inline RESUMED(t, straight) {
	atomic {
		(ready[t] || fast[t]) ->
		assert(!(ready[t] && fast[t]));
		straight = fast[t];
		if :: ready[t] && (wake[t] & 2) -> wake[t] = 0 :: else fi;
		ready[t] = 0; fast[t] = 0
	}
}

/* The end of a switch: WAITS, or given to its core. */
inline PUBLISH(t, also) {
	d_step {
#if MUT == 2
		wake[t] = 2;
#else
		if
		:: wake[t] & 1 -> wake[t] = 3; DELIVER(t)
		:: !(wake[t] & 1) && also -> wake[t] = 3; DELIVER(t)
		:: else -> wake[t] = 2
		fi
#endif
	}
}

/* queue_pop; inside a d_step */
inline POP(c) {
	c = line[0]; linked[c] = 0; waiting--;
	i = 0;
	do :: i < waiting -> line[i] = line[i + 1]; i++ :: else -> break od;
	line[waiting] = 0; i = 0
}

inline SETTLE() {
	if
#if MUT == 11
	:: !closed -> front = NONE
#else
	:: waiting == 0 && !closed -> front = NONE
#endif
	:: else
	fi
}

/* Wakes one of the receivers, if there is one. */
inline WAKE_RECEIVER(r) {
	d_step {
		r = NIL; i = 0;
		do :: i < NS && r == NIL && receives[i] -> r = i; receives[i] = 0 :: i < NS -> i++ :: else -> break od;
		i = 0
	};
	if :: r != NIL -> SIGNAL(NC + r) :: else fi
}

proctype caller(byte c) {
	byte k, f, r;
	bit straight;

	k = 1;
	do
	:: k <= K ->
#if FAST
		/* mailbox.inc: .Lcall_mailbox */
		if
		:: skip ->
			f = front;
			if :: f < IN_FRONT(0) -> goto L_slow :: else f = f - 2 fi;
#if MUT == 1
			atomic { if :: front == IN_FRONT(f) -> front = NONE :: else -> goto L_slow fi };
			atomic { if :: wake[f] == 2 -> wake[f] = 0 :: else -> goto L_slow fi };
#else
			atomic { if :: wake[f] == 2 -> wake[f] = 0 :: else -> goto L_slow fi };
			atomic {
				if
				:: front == IN_FRONT(f) -> front = NONE
				:: else ->
#if MUT != 12
					DELIVER(f);
#endif
					goto L_slow
				fi
			};
#endif
			token[c] = k;
			PUBLISH(c, 0);
			d_step { got_caller[f - NC] = c; got_number[f - NC] = k; assert(!ready[f]); fast[f] = 1 };
			RESUMED(c, straight);
			f = NIL; /* no record */
			goto L_woken
		:: skip
		fi;
L_slow:
#endif
		/* mailbox_push */
		LOCK;
		if
		:: closed -> UNLOCK; status[c] = STALE; goto L_over
		:: else ->
			d_step { line[waiting] = c; waiting++; linked[c] = 1; mail[c] = k };
			d_step {
				f = front; front = BUSY;
#if MUT == 3
				f = NONE
#endif
			};
			UNLOCK
		fi;
		if
		:: f > BUSY -> SIGNAL(f - 2)
		:: else -> WAKE_RECEIVER(r)
		fi;
		f = 0; /* a record */
L_block: /* rendezvous_wait */
		BLOCK(c, straight);
		RESUMED(c, straight);
L_woken:
		if
		:: straight -> /* the reply came in registers */
			status[c] = OK; straight = 0; goto L_over
		:: answered[c] -> goto L_answered
		:: else
		fi;
		if :: !stop[c] -> goto L_block :: else fi;
L_leave: /* call_leave */
		skip;
		if
		:: answered[c] -> goto L_answered
		:: else
		fi;
		if
		:: f == 0 && linked[c] ->
			LOCK;
			d_step {
				r = 0;
				if
				:: linked[c] ->
					i = 0;
					do :: line[i] != c -> i++ :: else -> break od;
					waiting--;
					do :: i < waiting -> line[i] = line[i + 1]; i++ :: else -> break od;
					line[waiting] = 0; i = 0; linked[c] = 0; r = 1;
					SETTLE()
				:: else
				fi
			};
			UNLOCK;
			if :: r -> r = 0; status[c] = LEFT; goto L_over :: else fi
		:: else
		fi;
#if MUT == 6
		if :: token[c] != 0 -> status[c] = LEFT; goto L_over :: else fi;
#else
		atomic { if :: token[c] != 0 -> token[c] = 0; status[c] = LEFT; goto L_over :: else fi };
#endif
#if MUT == 7
		if :: !answered[c] -> status[c] = LEFT; goto L_over :: else goto L_answered fi;
#endif
		(answered[c] || token[c] != 0); /* sched_let_lower_run */
		goto L_leave;
L_answered:
		skip;
		d_step { answered[c] = 0 };
L_over:
		skip;
		d_step {
			if
			:: status[c] == OK -> assert(given[c] == k); assert(accepted[c * (K + 1) + k] == 1)
			:: else -> assert(accepted[c * (K + 1) + k] == 0)
			fi;
			assert(!linked[c] && !answered[c]);
#if MUT != 6
			assert(token[c] == 0);
#endif
			status[c] = 0; given[c] = 0; k++; f = 0; r = 0
		}
	:: else -> break
	od;
	skip;
	d_step { over++; k = 0 }
}

/* rendezvous_reply to call k of c; `mine` when it was taken */
inline TAKE_TOKEN(c, k, mine) {
#if MUT == 5
	mine = (token[c] == k);
	if :: mine -> token[c] = 0 :: else fi
#else
	atomic { mine = 0; if :: token[c] == k -> token[c] = 0; mine = 1 :: else fi }
#endif
}

inline FINISH(c, k, what) {
#if MUT == 8
	answered[c] = 1;
	d_step { given[c] = k; status[c] = what };
#elif MUT == 9
	SIGNAL(c);
	d_step { given[c] = k; status[c] = what };
	answered[c] = 1;
#else
	d_step { given[c] = k; status[c] = what };
	answered[c] = 1;
#endif
#if MUT != 9
	SIGNAL(c)
#else
	skip
#endif
}

proctype server(byte s) {
	byte c, k, r, left;
	bit mine, straight, waited;

	c = NIL;
L_next:
	left = 1 + TWICE;
	if
	:: c == NIL -> goto L_receive
	:: else
	fi;
#if FAST
	if
	:: skip -> /* mailbox.inc: .Lreply_receive */
		if :: token[c] != k -> goto L_reply :: else fi;
		atomic { if :: wake[c] == 2 -> wake[c] = 0 :: else -> goto L_reply fi };
		TAKE_TOKEN(c, k, mine);
		if
		:: !mine ->
#if MUT != 12
			DELIVER(c);
#endif
			goto L_reply
		:: else
		fi;
		mine = 0;
		d_step { accepted[c * (K + 1) + k]++; given[c] = k };
#if MUT == 14
		front = IN_FRONT(NC + s);
#else
		atomic {
			if
			:: front == NONE -> front = IN_FRONT(NC + s)
			:: else -> mine = 1 /* not in front */
			fi
		};
#endif
#if MUT == 16
		mine = 0;
#endif
		PUBLISH(NC + s, mine);
		d_step { assert(!ready[c]); fast[c] = 1; mine = 0; c = NIL; k = 0 };
end_parked:
		RESUMED(NC + s, straight);
		goto L_woken
	:: skip
	fi;
L_reply:
#endif
	do
	:: left > 0 ->
		left--;
		TAKE_TOKEN(c, k, mine);
		if
		:: mine -> d_step { accepted[c * (K + 1) + k]++ }; FINISH(c, k, OK)
		:: else
		fi;
		mine = 0
	:: else -> break
	od;
	c = NIL; k = 0;
L_receive: /* mailbox_receive_in_front */
#if MUT == 4
	if
	:: front == NONE -> front = IN_FRONT(NC + s)
#else
	if
	:: atomic { front == NONE -> front = IN_FRONT(NC + s) }
#endif
	:: else -> goto L_pop
	fi;
	BLOCK(NC + s, straight);
end_front:
	RESUMED(NC + s, straight);
L_woken:
	if
	:: straight ->
		d_step { straight = 0; c = got_caller[s]; k = got_number[s]; got_caller[s] = 0; got_number[s] = 0 };
		goto L_next
	:: else
	fi;
	/* front_leave */
	d_step { mine = 0; if :: front == IN_FRONT(NC + s) -> front = NONE; mine = 1 :: else fi };
	if
	:: KILL && stop[NC + s] ->
#if MUT != 10
		if :: !mine -> WAKE_RECEIVER(r) :: else fi;
#endif
		goto L_end
	:: else -> mine = 0; goto L_receive
	fi;
L_pop: /* mailbox_receive_for: under the lock of port.receivers the line is looked at, then it is linked */
	LOCK;
	d_step {
		c = NIL;
		if
		:: waiting > 0 -> POP(c); k = mail[c]; token[c] = k; SETTLE(); receives[s] = 0
		:: waiting == 0 && !closed -> receives[s] = 1
		:: else -> receives[s] = 0
		fi
	};
	UNLOCK;
	if
	:: c != NIL -> goto L_next
	:: c == NIL && !receives[s] && closed -> goto L_end
	:: else
	fi;
	BLOCK(NC + s, straight);
end_receives:
	RESUMED(NC + s, straight);
	if
	:: KILL && stop[NC + s] ->
		d_step { mine = receives[s]; receives[s] = 0 };
#if MUT != 10
		if :: !mine -> WAKE_RECEIVER(r) :: else fi;
#endif
		goto L_end
	:: else -> goto L_pop
	fi;
L_end:
	skip;
	/* What it may still have received, by the short way, when it was told to end, stays the domain's. */
	d_step { ended++; c = 0; k = 0; r = 0; mine = 0; left = 0; straight = 0 }
}

#if LEAVE
proctype leaver(byte c) {
	stop[c] = 1;
	SIGNAL(c)
}
#endif

#if KILL
proctype killer() {
	stop[NC] = 1;
	SIGNAL(NC)
}
#endif

#if CLOSE
/* port_close */
proctype closer() {
	byte f, c, r;

	LOCK;
	closed = 1;
	d_step {
		f = front; front = BUSY;
#if MUT == 13
		f = NONE
#endif
	};
	do
	:: waiting > 0 ->
		d_step { POP(c) };
		FINISH(c, 0, STALE)
	:: else -> break
	od;
	if :: f > BUSY -> SIGNAL(f - 2) :: else fi;
	UNLOCK;
	WAKE_RECEIVER(r);
	WAKE_RECEIVER(r)
}
#endif

#if DIE && MUT != 15
/* The reaper: no thread of the domain is left; its ports were closed, and then mailbox_release_callers. */
proctype reaper() {
	byte c;
	bit mine;

end_reaper:
	ended == NS;
	LOCK;
	closed = 1;
	front = BUSY;
	do
	:: waiting > 0 -> d_step { POP(c) }; FINISH(c, 0, DIED)
	:: else -> break
	od;
	skip;
	UNLOCK;
	c = 0;
	do
	:: c < NC ->
		atomic { mine = 0; if :: token[c] != 0 -> token[c] = 0; mine = 1 :: else fi };
		if :: mine -> FINISH(c, 0, DIED) :: else fi;
		c++
	:: else -> break
	od;
	c = 0
}
#endif

init {
	atomic {
		byte t = 0;
		do :: t < NC -> run caller(t); t++ :: else -> break od;
		t = 0;
		do :: t < NS -> run server(t); t++ :: else -> break od;
#if LEAVE
		run leaver(0);
#endif
#if KILL
		run killer();
#endif
#if CLOSE
		run closer();
#endif
#if DIE && MUT != 15
		run reaper();
#endif
		t = 0
	}
}

/* All calls are over; but what a server received that was told to end at that moment stays its domain's. Servers wait
 * at an open, empty mailbox; who was told to end has. */
active proctype settled() {
	byte c, held;

	timeout ->
	assert(!lock);
	do
	:: c < NC -> held = held + (KILL && !DIE && token[c] != 0); c++
	:: else -> break
	od;
	assert(over + held == NC);
	if
	:: closed -> assert(ended == NS)
	:: else -> assert(waiting == 0); assert(ended == KILL)
	fi
}
