/* SPDX-License-Identifier: MIT */
/*
 * Notifications: ipc/signal_word.h, ipc/notification.c; wake-ups are sticky, as in wakeup.pml.
 *
 * NS signallers each set a bit, or number 0 both bits with BOTH; NW waiters each wait once, with masks that meet in
 * bit 0; with LATE a waiter may give up at any moment. With CLOSE somebody drops the last reference: the waiters are
 * refused and the memory is freed after a grace period. Each step is one access to memory that others may touch.
 *
 * CHECK notification quick -DNS=2 -DNW=2
 * CHECK late -DNS=2 -DNW=2 -DLATE=1
 * CHECK both -DNS=1 -DNW=2 -DBOTH=1 -DLATE=1
 * CHECK close -DNS=1 -DNW=2 -DCLOSE=1 -DLATE=1
 * MUTANT 1 -DNS=1 -DNW=1: the signaller looks for waiters before it raises
 * MUTANT 2 -DNS=2 -DNW=2: the signaller looks at the bits, then stores
 * MUTANT 3 -DNS=1 -DNW=1: the waiter takes before it says that it waits
 * MUTANT 4 -DNS=2 -DNW=1: the waiter looks at the bits, then stores
 * MUTANT 5 -DNS=1 -DNW=1 -DLATE=1: what it got is written after the outcome
 * MUTANT 6 -DNS=1 -DNW=1: the waiter is woken before its outcome is there
 * MUTANT 7 -DNS=1 -DNW=1 -DLATE=1: who gives up does not look at the outcome again
 * MUTANT 8 -DNS=2 -DNW=2: who leaves the list says that nobody waits
 * MUTANT 9 -DNS=1 -DNW=2 -DLATE=1: the signaller delivers without the lock
 * MUTANT 10 -DNS=1 -DNW=2 -DBOTH=1: the signaller looks for one waiter only
 * MUTANT 11 -DNS=1 -DNW=2 -DCLOSE=1 -DLATE=1: interrupts are on between the look at the outcome and the lock
 * MUTANT 12 -DNS=0 -DNW=2 -DCLOSE=1: close refuses one waiter only
 * MUTANT 13 -DNS=1 -DNW=2 -DCLOSE=1 -DLATE=1: the memory is freed without a grace period
 * MUTANT 14 -DNS=2 -DNW=2: a signaller wakes who got nothing
 */
#ifndef NS
#define NS 1
#endif
#ifndef NW
#define NW 1
#endif
#ifndef LATE
#define LATE 0
#endif
#ifndef BOTH
#define BOTH 0
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define WAITING 9
#define GOT 1
#define STALE 2
#define TIMED_OUT 3

#define MASK(w) (w == 0 -> 1 : 3) /* of waiter w */
#define SIGNAL(s) (BOTH && s == 0 -> 3 : 1 << s)

byte bits;
bit waiting;
bit lock;
bit closed;
bit freed;
byte queue[2] = 9; /* waiters, the longest waiting first; 9: none */
byte got[NW];
byte outcome[NW];
bit token[NW];   /* the wake word */
bit section[NW]; /* interrupts are off there */
bit passed[NW];  /* a section that the grace period waits for is over */

byte result[NW];
byte taken;      /* bits that waits returned; only for the proof */
byte signalled;

#define TOUCH assert(!freed)

inline LOCK() { atomic { TOUCH; !lock -> lock = 1 } }
inline UNLOCK() { TOUCH; lock = 0 }

inline PUSH(w) { d_step { TOUCH; if :: queue[0] == 9 -> queue[0] = w :: else -> queue[1] = w fi } }

/* list_remove */
inline REMOVE(w) {
	d_step {
		TOUCH;
		if
		:: queue[0] == w -> queue[0] = queue[1]; queue[1] = 9
		:: queue[0] != w && queue[1] == w -> queue[1] = 9
		:: else
		fi
	}
}

/* signal_word_announce after a removal */
inline ANNOUNCE() {
#if MUT == 8
	waiting = 0
#else
	waiting = (queue[0] != 9)
#endif
}

/* signal_word_take */
inline TAKE(mask, into) {
#if MUT == 4
	TOUCH; into = bits;
	bits = into & (3 - (mask));
	into = into & (mask)
#else
	d_step { TOUCH; into = bits & (mask); bits = bits & (3 - (mask)) }
#endif
}

/* settle_locked */
inline SETTLE(w, what, how) {
	REMOVE(w);
	ANNOUNCE();
#if MUT == 5
	outcome[w] = how;
	got[w] = what;
#elif MUT == 6
	token[w] = 1;
	got[w] = what;
	outcome[w] = how;
#else
	got[w] = what;
	outcome[w] = how;
#endif
}

/* notification_signal; interrupts are off, but what it reaches it has a reference to, or it came before the close */
proctype signaller(byte s) {
	byte left, i, w, had, mine;

	mine = SIGNAL(s);
#if MUT == 1
	had = waiting;
#endif
#if MUT == 2
	w = bits;
	bits = w | mine;
#else
	bits = bits | mine; /* signal_word_raise */
#endif
#if MUT != 1
	had = waiting;
#endif
	if :: had -> left = mine :: else -> goto L_done fi;

L_more: /* deliver_one */
#if MUT != 9
	LOCK();
#endif
	i = 0; w = 9;
	do
	:: i < 2 && queue[i] != 9 ->
		w = queue[i];
		TAKE(MASK(w), had);
		if
		:: had != 0 -> break
#if MUT == 14
		:: had == 0 -> break
#endif
		:: else -> w = 9; i++
		fi
	:: else -> break
	od;
	if
	:: w != 9 ->
#if MUT == 14
		if :: had != 0 -> SETTLE(w, had, GOT) :: else fi;
#else
		SETTLE(w, had, GOT);
#endif
	:: else
	fi;
#if MUT != 9
	UNLOCK();
#endif
	if
	:: w != 9 ->
#if MUT == 14
		assert(had != 0); /* nobody is woken for nothing */
#endif
#if MUT != 6
		token[w] = 1; /* sched_wake_thread */
#endif
		left = left & (3 - had);
#if MUT != 10
		if :: left != 0 -> goto L_more :: else fi
#endif
	:: else
	fi;
L_done:
	skip;
	d_step { signalled++; left = 0; i = 0; w = 0; had = 0; mine = 0 }
}

/* notification_wait_found */
proctype waiter(byte w) {
	byte had;

	/* handle_peek finds it, or the handle is gone */
	atomic { if :: closed -> result[w] = STALE; goto L_end :: else -> section[w] = 1 fi };
	LOCK();
	if
	:: closed -> UNLOCK(); section[w] = 0; result[w] = STALE; goto L_end
	:: else
	fi;
	PUSH(w);
#if MUT == 3
	TAKE(MASK(w), had);
	waiting = 1;
#else
	waiting = 1;
	TAKE(MASK(w), had);
#endif
	if
	:: had != 0 ->
		REMOVE(w); ANNOUNCE(); UNLOCK(); section[w] = 0;
		d_step { result[w] = GOT; got[w] = had };
		goto L_end
	:: else -> UNLOCK()
	fi;
	section[w] = 0;

end_block: /* sched_block: another look needs a wake-up, or the deadline */
	if
	:: atomic { token[w] -> token[w] = 0; had = 0 }
	:: LATE -> had = 1
	fi;
#if MUT != 11
	section[w] = 1; passed[w] = 1;
#endif
	if
	:: outcome[w] != WAITING -> section[w] = 0; goto L_over
	:: outcome[w] == WAITING && !had -> section[w] = 0; goto end_block
	:: else
	fi;
	/* wait_give_up */
#if MUT == 11
	section[w] = 1; passed[w] = 1;
#endif
	LOCK();
#if MUT != 7
	if
	:: outcome[w] != WAITING -> UNLOCK(); section[w] = 0; goto L_over
	:: else
	fi;
#endif
	REMOVE(w);
	ANNOUNCE();
	UNLOCK();
	section[w] = 0;
	result[w] = TIMED_OUT;
	goto L_end;

L_over:
	result[w] = outcome[w];
	assert(result[w] != GOT || got[w] != 0); /* not for nothing, and published first */
L_end:
	skip;
	d_step {
		if
		:: result[w] == GOT -> assert((taken & got[w]) == 0 && got[w] != 0); taken = taken | got[w]
		:: else
		fi;
		had = 0
	}
}

/* notification_destroy: nobody finds it any more, so nobody signals */
proctype closer() {
	byte w, i;

	signalled == NS; /* signallers have references */
	LOCK();
	closed = 1;
	UNLOCK();
	do
	:: LOCK();
		w = queue[0];
		if :: w != 9 -> SETTLE(w, 0, STALE) :: else fi;
		UNLOCK();
#if MUT == 12
		if :: w != 9 -> token[w] = 1 :: else fi;
		break
#else
		if :: w != 9 -> token[w] = 1 :: else -> break fi
#endif
	od;
#if MUT != 13
	/* epoch_defer: each section that runs now ends first */
	i = 0;
	do
	:: i < NW -> passed[i] = !section[i]; (passed[i] || !section[i]); i++
	:: else -> break
	od;
#endif
	freed = 1;
	d_step { w = 0; i = 0 }
}

init {
	atomic {
		byte i = 0;
		do :: i < NW -> outcome[i] = WAITING; run waiter(i); i++ :: else -> break od;
		i = 0;
		do :: i < NS -> run signaller(i); i++ :: else -> break od;
		if :: CLOSE -> run closer() :: else fi;
		i = 0
	}
}

active proctype settled() {
	byte w;

	timeout;
	if
	:: !CLOSE -> /* all that was signalled is taken or there, and nobody sleeps beside it */
		assert((taken | bits) == (NS == 2 || BOTH -> 3 : 1) && (taken & bits) == 0);
		for (w : 0 .. NW - 1) {
			assert(result[w] != 0 || (bits & MASK(w)) == 0)
		}
	:: else ->
		for (w : 0 .. NW - 1) { assert(result[w] != 0) }
	fi
}
