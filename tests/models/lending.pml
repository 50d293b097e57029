/* SPDX-License-Identifier: MIT */
/*
 * Lending along the baton: ipc/lending.c, and of ipc/baton.c what lets go.
 *
 * A holder H of two ports, inner and outer (0 and 1), lets go of 0 and then of 1. Two waiters with a real-time
 * rank, one a port, arrive, lend before they sleep, and with LEAVE may give up; with FAR another lends through
 * somebody else. Each step is one access or one section under the port's
 * lock; loans are made under H's run queue lock, one step.
 *
 * CHECK two quick -DNL=2
 * CHECK leave -DNL=2 -DLEAVE=1
 * CHECK far -DNL=1 -DFAR=1 -DLEAVE=1
 * MUTANT 1 -DNL=1 -DLEAVE=1: the fast way to let go does not look at the bit
 * MUTANT 2 -DNL=2: settle does not look whether there was a loan meanwhile
 * MUTANT 3 -DNL=1 -DFAR=1: the lender looks for the holder before it sets the bit
 * MUTANT 4 -DNL=1 -DFAR=1: the bit is set although nobody runs
 * MUTANT 5 -DNL=2: settle forgets the port that is still held
 * MUTANT 6 -DNL=1 -DLEAVE=1: the give leaves the bit
 * MUTANT 7 -DNL=1: the lender does not take the lock
 * MUTANT 8 -DNL=1 -DFAR=1 -DLEAVE=1: a bit that was seen before the last look is forgotten
 */
#ifndef NL
#define NL 1
#endif
#ifndef LEAVE
#define LEAVE 0
#endif
#ifndef FAR
#define FAR 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define NOBODY 0
#define H 1
#define LENDER 2 /* and up: the waiter itself has the baton */

bit lock[2];
bit busy[2], lent[2];  /* of the word; both begin as held by H */
byte holder[2];
bit inline_[2];       /* the waiter's record is in the line */
bit turn[2];
byte rank;            /* what H is lent: 0 or 1 */
byte loans;
byte done;
bit gave[2];

#define LOCK(p) atomic { lock[p] == 0 -> lock[p] = 1 }
#define UNLOCK(p) d_step { assert(lock[p]); lock[p] = 0 }

proctype keeper() {
	byte p, seen, what;
	bit was, fast;

	p = 0;
L_give:
	skip;
	holder[p] = NOBODY;
	/* baton_try_give: CAS run -> 0 */
#if MUT == 1
	d_step { fast = !inline_[p]; if :: fast -> busy[p] = 0 :: else fi };
#else
	d_step { fast = (!inline_[p] && !lent[p]); if :: fast -> busy[p] = 0 :: else fi };
#endif
	if :: fast -> gave[p] = 1; goto L_next :: else fi;
	/* baton_next */
	LOCK(p);
#if MUT == 8
	was = lent[p];
#else
	was = (was || lent[p]);
#endif
	if
	:: inline_[p] -> /* hand over: its turn, and nobody remains who lends */
		d_step { inline_[p] = 0;
#if MUT != 6
			lent[p] = 0;
#endif
			holder[p] = LENDER + p; turn[p] = 1; gave[p] = 1 }
	:: else ->
#if MUT != 6
		lent[p] = 0;
#endif
		/* baton_try_give again; who arrives in between is looked at again */
		d_step { fast = (!inline_[p]); if :: fast -> busy[p] = 0; gave[p] = 1 :: else fi };
		if :: !fast -> UNLOCK(p); goto L_again :: else fi
	fi;
	UNLOCK(p);
	/* lending_settle */
L_settle:
	skip;
	if
	:: was ->
		seen = loans;
		what = 0;
#if MUT != 5
		if
		:: p == 0 -> LOCK(1); what = (lent[1] && inline_[1]); UNLOCK(1)
		:: else
		fi;
#endif
#if MUT == 2
		rank = what
#else
		d_step { fast = (loans == seen); if :: fast -> rank = what :: else fi };
		if :: !fast -> goto L_settle :: else fi
#endif
	:: else
	fi;
L_next:
	skip;
	if
	:: p == 0 -> d_step { p = 1; was = 0 };
		/* Whoever waits for the other port and has lent is still lent for. */
		goto L_give
	:: else
	fi;
	d_step { done++; p = 0; seen = 0; what = 0; was = 0; fast = 0 };
	goto L_end;
L_again:
	skip;
	goto L_give;
L_end:
	skip
}

proctype waiter(byte p) {
	byte h;
	bit marked, took;

	/* line_take_or_join */
	d_step {
		if
		:: busy[p] -> inline_[p] = 1
		:: else -> assert(!lent[p]); busy[p] = 1; took = 1
		fi
	};
	if :: took -> holder[p] = LENDER + p; goto L_run :: else fi;
	/* lending_lend */
#if MUT != 7
	LOCK(p);
#endif
#if MUT == 3
	h = holder[p];
#endif
#if MUT == 4
	lent[p] = 1; marked = 1;
#else
	d_step { marked = busy[p]; if :: marked -> lent[p] = 1 :: else fi };
#endif
#if MUT != 3
	if :: marked -> h = holder[p] :: else fi;
#endif
	if
	:: marked && h == H -> d_step { loans++; rank = 1 }
	:: else
	fi;
#if MUT != 7
	UNLOCK(p);
#endif
	if
	:: LEAVE -> /* request_leave; what it lent stays until H lets go */
		LOCK(p);
		took = inline_[p];
		if :: took -> inline_[p] = 0 :: else fi;
		UNLOCK(p);
		if :: took -> goto L_left :: else fi
	:: true
	fi;
	/* While it waits for H, who is noted, H has its rank. */
	atomic { (lock[p] == 0 || turn[p]) };
	if
	:: atomic { holder[p] == H && inline_[p] && !turn[p] -> assert(rank == 1 && lent[p]) }
	:: else
	fi;
	(turn[p]); /* sleeps */
L_run:
	skip;
	/* It gives: what it was lent is its own affair. */
	d_step { holder[p] = NOBODY; lent[p] = 0; busy[p] = 0 };
L_left:
	skip;
	d_step { done++; h = 0; marked = 0; took = 0 }
}

#if FAR
/* It waits for somebody who waits at port 0, or did a moment ago: lend_one without a record there. */
proctype far_lender() {
	byte h;
	bit marked;

	LOCK(0);
#if MUT == 3
	h = holder[0];
#endif
#if MUT == 4
	lent[0] = 1; marked = 1;
#else
	d_step { marked = busy[0]; if :: marked -> lent[0] = 1 :: else fi };
#endif
#if MUT != 3
	if :: marked -> h = holder[0] :: else fi;
#endif
	if :: marked && h == H -> d_step { loans++; rank = 1 } :: else fi;
	UNLOCK(0);
	d_step { done++; h = 0; marked = 0 }
}
#endif

init {
	atomic {
		d_step { busy[0] = 1; busy[1] = 1; holder[0] = H; holder[1] = H };
		run keeper();
		run waiter(0);
#if FAR
		run far_lender();
#endif
		if :: NL == 2 -> run waiter(1) :: else fi
	}
}

active proctype settled() {
	timeout ->
	assert(done == NL + 1 + FAR);
	assert(rank == 0); /* all that was lent went back */
	assert(!lent[0] && !lent[1]) /* else the idle word is not idle */
}
