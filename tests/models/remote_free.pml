/* SPDX-License-Identifier: MIT */
/*
 * Objects freed on another core, their way home, and who may work on a core's memory: mm/remote.h,
 * mm/spmalloc_remote.c, mm/nexus_remote.c, mm/drain.c.
 *
 * Three cores. Object o belongs to the slab, one page, of core HOME(o). A core frees what it has, at
 * home or into its outgoing batch (BATCH objects fill it); allocates and hands on to any core; sleeps
 * and wakes; takes IPI_DRAIN between two of these. BUDGET is how many of them each core does (core 2:
 * BUDGET2). DRAINERS cores call drain_all once, at any time. MARK: a sender that finds so many waiting
 * calls drain_backlog. PART: objects that one step of a drain takes in. A step of the model is one
 * access to memory that others may touch; what belongs to the holder of a core's memory alone is done
 * between TOUCH and LEAVE. Pages travel like objects, so their lists are sets here. Two rounds of
 * drain_all are enough here; the code's third is for objects whose end frees others.
 *
 * CHECK all quick -DBUDGET=1
 * CHECK backlog -DBUDGET=1 -DBATCH=1
 * CHECK two_homes -DBUDGET=2 -DHOME1=1
 * CHECK batches -DNO=3 -DBUDGET=1 -DBUDGET2=2
 * CHECK reuse -DBUDGET=2 -DBATCH=1 -DMARK=9
 * CHECK two_drain -DBUDGET=1 -DDRAINERS=2 -DMARK=9
 * MUTANT 1 -DBATCH=1: remote_push_chain loads and stores the head
 * MUTANT 2 -DBUDGET=2 -DBATCH=1: remote_take_all loads and stores the head
 * MUTANT 3 -DBATCH=1: remote_push_chain links the last node after the head is set
 * MUTANT 4 -DBATCH=1: drain_wake does not wait for a helper
 * MUTANT 5 -DDRAINERS=2 -DBATCH=1: try_hold looks at the holder word, then writes it
 * MUTANT 6 -DBATCH=1: drain_sleep lets go before it takes in its inbox
 * MUTANT 7: drain_all has one round
 * MUTANT 8: drain_all does not wait for the answer
 * MUTANT 9: drain_all leaves sleeping cores out
 * MUTANT 10 -DDRAINERS=2: drain_core waits with interrupts off
 * MUTANT 11: step flushes full batches only
 * MUTANT 12 -DDRAINERS=2: drain_handle_ipi answers what is asked when it is done, not when it begins
 * MUTANT 13 -DBATCH=1: try_hold takes the word of a running core
 * MUTANT 14 -DBATCH=1: what is left of a chain that was taken is forgotten
 * MUTANT 15: drain_core is content with one part of the work
 * MUTANT 16: a helper does not send on the pages of slabs that it found empty
 */
#ifndef NO
#define NO 2
#endif
#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef BUDGET2
#define BUDGET2 BUDGET
#endif
#ifndef HOME1
#define HOME1 0
#endif
#ifndef DRAINERS
#define DRAINERS 1
#endif
#ifndef BATCH
#define BATCH 2
#endif
#ifndef MARK
#define MARK 1
#endif
#ifndef PART
#define PART 1
#endif
#ifndef MUT
#define MUT 0
#endif

#define CORES 3
#define NIL 255
#define NOBODY 9
#define HOME(o) (o == 1 -> HOME1 : 0)
#if MUT == 7
#define ROUNDS 1
#else
#define ROUNDS 2
#endif

/* struct remote_list of each core; next lies in the objects */
byte head[CORES] = NIL;
byte waiting[CORES];
byte next[NO];
/* struct spmalloc_core: rest, outgoing[from * CORES + to] */
byte rest[CORES] = NIL;
byte first[CORES * CORES], last[CORES * CORES], count[CORES * CORES];
/* struct drain */
byte holder[CORES];
/* wanted and done: a bit for each core whose request has no answer yet */
byte wanted[CORES];
bit more_left[CORES];
bit helping[CORES];

bit reason[CORES]; /* IPI_DRAIN is pending */
byte budget[CORES];

/* Where an object is. Only HELD_BY decides anything, the others are for the proof. */
#define FREE 0
#define TRAVELLING 1
#define HELD_BY(c) (2 + c)
byte place[NO];
byte trips[NO]; /* times it came home, modulo 4 */

/* Where the page of a core's slab is */
#define SLAB 0
#define IN_NEXUS 1
#define IN_INBOX 2
#define OUT_OF(c) (3 + c)
byte page[CORES];
byte allocs[CORES]; /* modulo 4 */

bit inside[CORES]; /* somebody is between TOUCH and LEAVE */

hidden byte i, j;

#define TOUCH(c) d_step { assert(holder[c] == me && !inside[c]); inside[c] = 1 }
#define LEAVE(c) inside[c] = 0

/* spmalloc_collect_some: remote_take_all, then at most PART objects of what was taken, in one step:
 * they are nobody else's. The look at the head before the swap is left out. */
inline COLLECT(owner, left) {
#if MUT == 2
	if
	:: rest[owner] == NIL -> c = head[owner]; head[owner] = NIL; rest[owner] = c
	:: else
	fi;
#endif
	d_step {
#if MUT != 2
		if
		:: rest[owner] == NIL || MUT == 14 -> rest[owner] = head[owner]; head[owner] = NIL
		:: else
		fi;
#endif
		i = 0;
		do
		:: rest[owner] != NIL && i < PART ->
			j = rest[owner];
			rest[owner] = next[j];
			next[j] = 0;
			/* else it is freed twice or is in two places */
			assert(place[j] == TRAVELLING && HOME(j) == owner);
			place[j] = FREE;
			trips[j] = (trips[j] + 1) % 4;
			waiting[owner]--;
			i++
		:: else -> break
		od;
		i = 0; j = 0;
		if :: page[owner] == IN_INBOX -> page[owner] = IN_NEXUS :: else fi; /* nexus_collect_some */
		left = (rest[owner] != NIL || waiting[owner] > 0)
	}
}

/* try_hold; the look before the compare-and-swap is left out */
inline TRY_HOLD(sleeper) {
#if MUT == 5
	held = (holder[sleeper] == NOBODY);
	if :: held -> holder[sleeper] = me :: else fi
#else
	d_step {
		held = (holder[sleeper] == NOBODY || (MUT == 13 && holder[sleeper] == sleeper));
		if :: held -> holder[sleeper] = me :: else fi
	}
#endif
}

/* let_go */
#define LET_GO(c) d_step { assert(holder[c] == me); holder[c] = NOBODY }

/* ipi_request */
#define ASK(c) reason[c] = 1

/* drain_backlog */
inline BACKLOG(who) {
	held = 0;
	if :: !helping[me] -> TRY_HOLD(who) :: else fi;
	if
	:: held ->
		TOUCH(who);
		COLLECT(who, left);
		LEAVE(who);
		LET_GO(who)
	:: else -> ASK(who)
	fi;
	held = 0
}

/* outgoing_send with remote_push_chain: the batch of one core for another */
inline SEND(from, to) {
	d_step { before = waiting[to]; waiting[to] = waiting[to] + count[from * CORES + to] };
	old = head[to];
#if MUT == 1
	next[last[from * CORES + to]] = old;
	head[to] = first[from * CORES + to];
#else
	do
	:: true ->
#if MUT != 3
		next[last[from * CORES + to]] = old;
#endif
		if
		:: atomic { head[to] == old -> head[to] = first[from * CORES + to]; break }
		:: atomic { head[to] != old -> old = head[to] }
		fi
	od;
#if MUT == 3
	next[last[from * CORES + to]] = old;
#endif
#endif
	skip;
	d_step { first[from * CORES + to] = NIL; last[from * CORES + to] = NIL; count[from * CORES + to] = 0; old = 0 };
	if :: before >= MARK -> before = 0; BACKLOG(to) :: else -> before = 0 fi
}

/* spmalloc_flush_core */
#if MUT == 11
#define FLUSHED BATCH
#else
#define FLUSHED 1
#endif
inline FLUSH(of_core) {
	do
	:: d_step {
			d = 0;
			do :: d < CORES && count[of_core * CORES + d] < FLUSHED -> d++ :: else -> break od
		};
		if
		:: d < CORES -> SEND(of_core, d)
		:: else -> break
		fi
	od;
	d = 0
}

/* spmalloc_trim_core: the slab, when nothing of it is in use, goes to the nexus of the core that
 * works, which is a remote free when that is a helper. Then nexus_flush_core for both cores, and
 * nexus_collect_some. The lists of pages are sets, so this is one step. */
inline PAGES(of_core) {
	d_step {
		i = 0;
		do :: i < NO && (HOME(i) != of_core || place[i] == FREE) -> i++ :: else -> break od;
		if
		:: i == NO && page[of_core] == SLAB && !more -> page[of_core] = (of_core == me -> IN_NEXUS : OUT_OF(me))
		:: else
		fi;
		i = 0;
		do
		:: i < CORES ->
			if
			:: page[i] == OUT_OF(of_core) || (page[i] == OUT_OF(me) && MUT != 16) -> page[i] = IN_INBOX
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0;
		if :: page[of_core] == IN_INBOX -> page[of_core] = IN_NEXUS :: else fi;
		inside[of_core] = 0
	}
}

/* step: one part of the work for a core, by who holds its memory */
inline STEP(at) {
	TOUCH(at);
	FLUSH(at);
	COLLECT(at, more);
	PAGES(at)
}

/* drain_handle_ipi on this core, interrupts off; trap_handle_ipi takes the reason */
inline HANDLE_IPI() {
	reason[me] = 0;
#if MUT != 12
	ticket = wanted[me];
#endif
	if
	:: ticket == 0 && MUT != 12 ->
		TOUCH(me);
		COLLECT(me, left);
		LEAVE(me)
	:: else ->
		STEP(me);
#if MUT == 12
		ticket = wanted[me];
#endif
		more_left[me] = more;
		wanted[me] = wanted[me] & ~ticket
	fi;
	d_step { ticket = 0; left = 0; more = 0 }
}

/* drain_core: interrupts are on while it waits */
inline DRAIN_CORE(whom) {
	do
	:: true ->
		held = 0;
		if
		:: whom == me -> STEP(me); held = 1
		:: else ->
#if MUT != 9
			TRY_HOLD(whom); /* step_for */
			if
			:: held ->
				helping[me] = 1;
				STEP(whom);
				d_step { helping[me] = 0; held = 1 };
				LET_GO(whom)
			:: else
			fi
#else
			held = (holder[whom] == NOBODY)
#endif
		fi;
		if
		:: !held ->
			wanted[whom] = wanted[whom] | (1 << me);
			ASK(whom);
#if MUT != 8
			do
			:: !(wanted[whom] & (1 << me)) -> break
#if MUT != 10
			:: reason[me] -> HANDLE_IPI()
#endif
			od;
#endif
			more = more_left[whom]
		:: else
		fi;
		if
		:: more && MUT != 15 -> more = 0
		:: else -> break
		fi
	od;
	skip;
	d_step { more = 0; held = 0; left = 0 }
}

proctype core(byte me) {
	byte c, d, old, before, ticket, o, round;
	bit held, left, more, drain;
	byte seen[NO], made[CORES];

	drain = (me >= CORES - DRAINERS);
end_running:
	do
	:: reason[me] -> HANDLE_IPI()

	/* spmalloc_free */
	:: d_step { budget[me] > 0 && (place[0] == HELD_BY(me) || place[1] == HELD_BY(me) || place[NO - 1] == HELD_BY(me)) ->
			budget[me]--;
			o = 0;
			do :: place[o] != HELD_BY(me) -> o++ :: else -> break od
		};
		TOUCH(me);
		if
		:: HOME(o) == me ->
			d_step { place[o] = FREE; trips[o] = (trips[o] + 1) % 4; o = 0 }
		:: else ->
			/* remote_free: into the batch, which goes when it is full */
			d_step {
				c = HOME(o);
				place[o] = TRAVELLING;
				if
				:: count[me * CORES + c] == 0 -> last[me * CORES + c] = o
				:: else -> next[o] = first[me * CORES + c]
				fi;
				first[me * CORES + c] = o;
				count[me * CORES + c]++;
				o = 0
			};
			if
			:: count[me * CORES + c] == BATCH -> SEND(me, c)
			:: else
			fi;
			c = 0
		fi;
		LEAVE(me);
		left = 0

	/* spmalloc: from the slab, else from the inbox, else from a page of the nexus; somebody else gets
	 * the object */
	:: d_step { budget[me] > 0 && (me == 0 || (me == 1 && HOME1 == 1)) -> budget[me]-- };
		TOUCH(me);
		COLLECT(me, left);
		if :: c = 0 :: c = 1 :: c = 2 fi;
		d_step {
			o = 0;
			do
			:: o < NO && (HOME(o) != me || place[o] != FREE || (page[me] != SLAB && page[me] != IN_NEXUS)) -> o++
			:: else -> break
			od;
			if
			:: o < NO -> place[o] = HELD_BY(c); page[me] = SLAB; allocs[me] = (allocs[me] + 1) % 4
			:: else
			fi;
			c = 0; o = 0; left = 0;
			inside[me] = 0
		}

	/* idle_loop: drain_sleep, wfi, drain_wake */
	:: d_step { budget[me] > 0 -> budget[me]-- };
		TOUCH(me);
		FLUSH(me);
#if MUT == 6
		LEAVE(me);
		LET_GO(me);
		d_step { assert(holder[me] == me && !inside[me]); inside[me] = 1 };
		COLLECT(me, left);
		LEAVE(me);
#else
		COLLECT(me, left);
		LEAVE(me);
		LET_GO(me);
#endif
		left = 0;
end_wfi:
		(reason[me] || budget[me] > 0 || drain);
#if MUT == 4
		holder[me] = me
#else
		atomic { holder[me] == NOBODY -> holder[me] = me }
#endif

	/* drain_all */
	:: drain ->
		d_step {
			do
			:: o < NO -> seen[o] = (place[o] == TRAVELLING -> trips[o] : NIL); o++
			:: else -> break
			od;
			/* cores whose slab is about to be empty */
			o = 0;
			do :: o < CORES -> made[o] = allocs[o]; o++ :: else -> break od;
			o = 0;
			do
			:: o < NO -> if :: place[o] >= HELD_BY(0) -> made[HOME(o)] = NIL :: else fi; o++
			:: else -> break
			od;
			o = 0;
			drain = 0
		};
		do
		:: round < ROUNDS ->
			do :: o < CORES -> DRAIN_CORE(o); o++ :: else -> break od;
			o = 0;
			round++
		:: else -> break
		od;
		skip;
		/* All that was on its way when it began has come home: objects, then pages. */
		d_step {
			do
			:: o < NO ->
				assert(seen[o] == NIL || place[o] != TRAVELLING || trips[o] != seen[o]);
				seen[o] = 0;
				o++
			:: else -> break
			od;
			o = 0;
			do
			:: o < CORES -> assert(made[o] != allocs[o] || page[o] == IN_NEXUS); made[o] = 0; o++
			:: else -> break
			od;
			o = 0; round = 0
		}
	od
}

init {
	atomic {
		byte c = 0;
		do
		:: c < CORES ->
			holder[c] = c;
			budget[c] = (c == 2 -> BUDGET2 : BUDGET);
			page[c] = IN_NEXUS;
			c++
		:: else -> break
		od;
		c = 0;
		do :: c < CORES * CORES -> first[c] = NIL; last[c] = NIL; c++ :: else -> break od;
		page[0] = SLAB;
		page[HOME1] = SLAB;
		/* the senders have the objects */
		place[0] = HELD_BY(1);
		place[1] = HELD_BY(2);
#if NO == 3
		place[2] = HELD_BY(2);
#endif
		c = 0;
		do :: c < CORES -> run core(c); c++ :: else -> break od;
		c = 0
	}
}

/* Nothing is lost: what travels is in a batch, in an inbox or in the rest of a chain. */
active proctype settled() {
	byte n, o, k, w;

	timeout ->
	d_step {
		do
		:: k < CORES ->
			assert(!inside[k] && !helping[k] && (holder[k] == k || holder[k] == NOBODY));
			assert(wanted[k] == 0);
			o = head[k];
			do :: o != NIL -> n++; assert(n <= NO); o = next[o] :: else -> break od;
			o = rest[k];
			do :: o != NIL -> n++; assert(n <= NO); o = next[o] :: else -> break od;
			w = w + waiting[k];
			k++
		:: else -> break
		od;
		assert(w == n);
		k = 0;
		do :: k < CORES * CORES -> n = n + count[k]; k++ :: else -> break od;
		k = 0;
		do :: k < NO -> n = n - (place[k] == TRAVELLING); k++ :: else -> break od;
		assert(n == 0)
	}
}
