/* SPDX-License-Identifier: MIT */
/*
 * A rank that is raised while its thread is being woken: deliver_elsewhere of sched/wake.c, set_rank_locked and
 * tell_home of sched/priority.c, the level of sched/inbox.h.
 *
 * The core runs a thread of level 2. The sleeper, who has 1, is woken; meanwhile its rank becomes 3. In the end the
 * core runs it, although what runs there never ends. Each step is one access to memory that others may touch.
 *
 * CHECK rerank quick
 * MUTANT 1: the waker does not look at the rank again
 * MUTANT 2: the waker looks again before its push
 * MUTANT 3: who raises the rank does not tell the core
 * MUTANT 4: who raises the rank looks for the wake-up first
 * MUTANT 5: the core does not look into its inbox
 */
#ifndef MUT
#define MUT 0
#endif

bit woken;      /* the wake word: the sleeper was woken */
byte rank = 1;
byte level = 2; /* the inbox: level and node */
bit node;
bit pending;    /* the interrupt */
bit runs;

active proctype waker() {
	byte seen, again;
	bit tell;

	woken = 1; /* wake_signal */
	seen = rank;
#if MUT == 2
	again = rank;
#endif
	d_step { tell = (level < seen); node = 1; level = (level < seen -> seen : level) };
#if MUT != 1 && MUT != 2
	again = rank;
#endif
	if
	:: tell || again > seen -> pending = 1
	:: else
	fi
}

active proctype raiser() {
	bit seen;

#if MUT == 4
	seen = woken;
	rank = 3;
#else
	rank = 3;
	seen = woken;
#endif
	if
	:: seen -> /* else the waker finds the new rank */
#if MUT != 3
		pending = 1
#else
		skip
#endif
	:: else
	fi
}

active proctype home() {
end_spins:
	do
	:: pending ->
		pending = 0;
#if MUT != 5
		if
		:: node && rank > 2 -> runs = 1; break
		:: else
		fi
#endif
	od
}

/* Nobody can do anything any more. */
active proctype check() {
	timeout;
	assert(runs)
}
