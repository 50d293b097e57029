/* SPDX-License-Identifier: MIT */
/*
 * Blocking and waking across cores and migrations: sched/wake.h, sched/inbox.h, sched/wake.c,
 * sched/runqueue.c, sched/wait.c.
 *
 * One thread, the sleeper, waits until NW others have each set their condition, and moves to the other
 * core NMOVE times, whenever it likes. The wakers set their condition and wake it, or raise a flag, which
 * ends its wait. With OTHER, core 0 has a second thread, which is always ready: the sleeper comes when
 * its slice ends. Each step is one access to memory that others may touch. Interrupts are off in all that
 * is modelled, so a core takes one only when it sleeps or another thread runs.
 *
 * CHECK wake quick -DNW=2 -DNMOVE=1
 * CHECK twice -DNW=2 -DNMOVE=2
 * CHECK raise -DNW=1 -DRAISE=1 -DNMOVE=2
 * CHECK slice -DNW=2 -DOTHER=1
 * CHECK slice_move -DNW=1 -DNMOVE=2 -DOTHER=1
 * MUTANT 1 -DNW=2 -DNMOVE=1: finish_leaving delivers before the home is changed
 * MUTANT 2 -DNW=1: wake_signal leaves no token
 * MUTANT 3 -DNW=1: wake_prepare looks, then stores
 * MUTANT 4 -DNW=2: wake_signal looks, then stores
 * MUTANT 5 -DNW=1: the condition is set after the wake-up
 * MUTANT 6 -DNW=1 -DRAISE=1: thread_raise sets the flag after the wake-up
 * MUTANT 7 -DNW=2: who finds the sleeper woken already delivers it, too
 * MUTANT 8 -DNW=1: the core forgets wake_take
 * MUTANT 9 -DNW=1 -DOTHER=1: inbox_push looks, then stores
 * MUTANT 10 -DNW=1: inbox_settle looks, then stores
 * MUTANT 11 -DNW=1 -DOTHER=1: inbox_settle does not look for nodes
 * MUTANT 12 -DNW=1: inbox_push never interrupts
 * MUTANT 13 -DNW=2 -DNMOVE=1: wake_take takes the token of a thread that moved
 * MUTANT 14 -DNW=1 -DOTHER=1: a core whose only thread runs has a level of two
 */
#ifndef NW
#define NW 1
#endif
#ifndef RAISE
#define RAISE 0
#endif
#ifndef NMOVE
#define NMOVE 0
#endif
#ifndef OTHER
#define OTHER 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define NT (NW + RAISE) /* who wakes */

#define TOKEN 1
#define WAITS 2

/* The sleeper's struct thread */
byte wake;
bit cpu;
bit flags;
bit condition[NW];
/* struct inbox: the word is level and node; only the sleeper is ever in one */
byte level[2];
bit node[2];
bit pending[2];  /* the interrupt; its own protocol is ipi.pml */
bit slice[2];    /* somebody waits: the timer will end what runs */
bit woken[2];    /* runqueue.woken, or the ready queue */

bit core;      /* where it runs, or has run */
bit on[2];     /* it runs there; only for the proof */
bit midway;    /* it moved after it had looked */
bit ended;
byte done;

/* inbox_push and ipi_request; interrupts are off */
inline PUSH(c, tell, seen) {
#if MUT == 9
	seen = level[c];
	d_step { assert(!node[c]); tell = (seen < 2); node[c] = 1; level[c] = (seen < 2 -> 2 : seen) };
#else
	d_step {
		assert(!node[c]); /* on one queue only */
		tell = (level[c] < 2); node[c] = 1; level[c] = (level[c] < 2 -> 2 : level[c])
	};
#endif
#if MUT != 12
	if :: tell -> pending[c] = 1 :: else fi;
#endif
	d_step { tell = 0; seen = 0 }
}

/* sched_deliver; on its own core the sleeper goes to the woken ones */
inline DELIVER(here, home, tell, seen) {
	home = cpu;
	if
	:: home == here -> d_step { assert(!woken[home] && !node[home]); woken[home] = 1 }
	:: else -> PUSH(home, tell, seen)
	fi
}

/* inbox_settle with the level of what runs: 0 idle, 1 one thread, 2 somebody waits */
inline SETTLE(c, l, ok) {
#if MUT == 10
	if
	:: node[c] -> ok = 0
	:: else -> ok = 1; d_step { level[c] = l; node[c] = 0 }
	fi
#elif MUT == 11
	d_step { level[c] = l; ok = 1 }
#else
	d_step {
		if
		:: node[c] -> ok = 0
		:: else -> ok = 1; level[c] = l
		fi
	}
#endif
}

/* A core: it runs the sleeper when it has it, else OTHER's thread, or sleeps. */
proctype runs(bit c; bit begins) {
	byte moves, i, old;
	bit ok, home, tell;
	byte seen;

	if :: begins -> goto L_look :: else -> goto L_choose fi;

L_look: /* the sleeper on this core: wait_queue_wait, request_wait; then sched_block_until */
	skip;
	assert(!(wake & WAITS)); /* no blocked thread ever runs */
	d_step { assert(!on[1 - c]); on[c] = 1; core = c };
	if :: midway -> midway = 0; goto L_block :: else fi;
	if :: flags -> goto L_stop :: else fi; /* thread_must_stop */
	i = 0;
	do
	:: i < NW && condition[i] -> i++
	:: else -> break
	od;
	if :: i == NW && !RAISE -> goto L_stop :: else fi;

	if
	:: moves < NMOVE -> /* sched_migrate, finish_leaving; core 0 is where it began */
		moves++;
		on[c] = 0;
		if :: midway = 1 :: true fi; /* after its look, before its block */
#if MUT == 1
		d_step { ok = 1 - c };
		PUSH(ok, tell, seen);
		cpu = 1 - c;
#else
		cpu = 1 - c;
		DELIVER(c, home, tell, seen);
#endif
		goto L_choose
	:: true
	fi;

L_block: /* sched_block: wake_prepare */
	skip;
#if MUT == 3
	old = wake;
	if :: old == 0 -> wake = WAITS :: else -> wake = 0 fi;
#else
	d_step { old = wake; if :: old == 0 -> wake = WAITS :: else fi };
	if :: old != 0 -> wake = 0 :: else fi;
#endif
	if :: old != 0 -> goto L_look :: else fi;
	on[c] = 0;

L_choose: /* runqueue_next, then the switch */
	skip;
	d_step { old = 0; i = 0 };
	if
	:: node[c] -> /* runqueue_collect: inbox_take, which says that nobody need interrupt */
		d_step { node[c] = 0; level[c] = 9; assert(!woken[c]); woken[c] = 1 }
	:: else
	fi;
	if
	:: OTHER && c == 0 && !slice[c] -> goto L_other /* the sleeper has just left */
	:: woken[c] && (!OTHER || c == 1 || slice[c]) ->
		d_step { woken[c] = 0; slice[c] = 0 };
		/* wake_take */
#if MUT == 13
		wake = 0;
#elif MUT == 8
		skip;
#else
		if :: wake & WAITS -> wake = 0 :: else fi;
#endif
		SETTLE(c, 1 + (OTHER && c == 0), ok);
		if
		:: ok -> goto L_look
		:: !ok -> assert(false) /* the only node is the thread that runs here */
		fi
	:: else
	fi;
	SETTLE(c, 0, ok); /* the idle thread */
	if :: !ok -> goto L_choose :: else fi;
end_wfi:
	(pending[c]);
	pending[c] = 0;
	goto L_choose;

L_other: /* the other thread runs: does the sleeper wait behind it? */
	skip;
	if
	:: woken[c] -> slice[c] = 1
	:: else
	fi;
#if MUT == 14
	SETTLE(c, 2, ok);
#else
	SETTLE(c, 1 + slice[c], ok);
#endif
	if
	:: !ok -> d_step { node[c] = 0; level[c] = 9; woken[c] = 1 }; goto L_other /* runqueue_consider */
	:: else
	fi;
end_other:
	if
	:: pending[c] -> pending[c] = 0; /* sched_look_again */
		if
		:: node[c] -> d_step { node[c] = 0; level[c] = 9; woken[c] = 1 }
		:: else
		fi;
		goto L_other
	:: slice[c] -> goto L_choose /* the timer */
	fi;

L_stop: /* thread_exit */
	skip;
	d_step { ended = 1; on[c] = 0; done++; i = 0; moves = 0; old = 0 };
	goto L_choose
}

/* Number NW and up raise a flag instead of setting a condition. They run on cores of their own. */
proctype waker(byte w) {
	byte old, seen;
	bit home, tell;

#if MUT != 5
	if :: w < NW -> condition[w] = 1 :: else fi;
#endif
#if MUT != 6
	if :: w >= NW -> flags = 1 :: else fi; /* thread_raise */
#endif
	/* wake_signal */
#if MUT == 2
	d_step { old = wake; if :: old == WAITS -> wake = old | TOKEN :: else fi };
#elif MUT == 4
	old = wake;
	wake = old | TOKEN;
#else
	d_step { old = wake; wake = old | TOKEN };
#endif
	if
	:: old == WAITS -> home = cpu; PUSH(home, tell, seen)
#if MUT == 7
	:: old == (WAITS | TOKEN) -> home = cpu; PUSH(home, tell, seen)
#endif
	:: else
	fi;
#if MUT == 5
	if :: w < NW -> condition[w] = 1 :: else fi;
#endif
#if MUT == 6
	if :: w >= NW -> flags = 1 :: else fi;
#endif
	d_step { done++; home = 0; old = 0 }
}

init {
	atomic {
		byte w = 0;
		level[0] = 1 + OTHER;
		run runs(0, 1);
		run runs(1, 0);
		do :: w < NT -> run waker(w); w++ :: else -> break od;
		w = 0
	}
}

active proctype settled() {
	timeout ->
	assert(done == NT + 1); /* else a wake-up was lost */
	assert(ended && !node[0] && !node[1] && !woken[0] && !woken[1]);
	assert(!(wake & WAITS))
}
