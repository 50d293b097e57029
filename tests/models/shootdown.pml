/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown and numbers of address spaces a core: mm/shootdown.c, mm/asid.c, against cores that
 * enter, leave, sleep, wake and run out of numbers (ipc/riscv/fastpath.S, sched/idle.c).
 *
 * Space S maps one frame a page; space T maps nothing there. NCORE cores do NSTEP things each: run in
 * S or in T, or sleep. The first NREQ of them take a page out of S once, at any moment of that, and
 * free its frame; to narrow an entry is the same. With END, space S ends when its last thread has
 * gone: its frames are freed without any flush. KMAX numbers are there for the two spaces of a core.
 * The interrupt is that of models/ipi.pml: it comes, some time. What a core may find in its TLB is
 * tlb[core].n[number], a bit for each page; only S can be the origin.
 *
 * CHECK all quick -DNCORE=2 -DNREQ=1 -DNSTEP=2 -DKMAX=1
 * CHECK numbers -DNCORE=2 -DNREQ=1 -DNSTEP=3 -DKMAX=2
 * CHECK two -DNCORE=2 -DNREQ=2 -DNSTEP=2 -DKMAX=1
 * CHECK three -DNCORE=3 -DNREQ=2 -DNSTEP=1 -DKMAX=2
 * CHECK helpers -DNCORE=3 -DNREQ=2 -DNSTEP=3 -DKMAX=1 -DONLY=2
 * CHECK end -DNCORE=2 -DNREQ=1 -DNSTEP=2 -DKMAX=1 -DEND=1
 * CHECK end_numbers -DNCORE=2 -DNREQ=0 -DNSTEP=3 -DKMAX=2 -DEND=1
 * MUTANT 1: the frame is freed before the answers
 * MUTANT 2: no interrupt is sent
 * MUTANT 3: the requester's own core is not flushed
 * MUTANT 4 -DKMAX=1: a number is given again without its flush
 * MUTANT 5 -DNCORE=1 -DNSTEP=4 -DKMAX=1: a roll-over leaves the entries
 * MUTANT 6: the entry is stored when the space is already loaded (asid_assign without its fence)
 * MUTANT 7: the entries are read before the page's entry is cleared
 * MUTANT 8: interrupts are on between the load of the entry and satp
 * MUTANT 9: a core in a space empties its entry for the requester, not its TLB
 * MUTANT 10 -DNSTEP=3: a sleeper's entry is emptied without holding the sleeper
 * MUTANT 11: sleep is published before the kernel's tables are loaded
 * MUTANT 12 -DNCORE=2 -DNREQ=2: the requester does not serve others while it waits
 * MUTANT 13: the answer is given before the request is carried out
 * MUTANT 14 -DEND=1 -DKMAX=1: the space is freed while it is on the list
 * MUTANT 15 -DKMAX=1: a number is flushed while the space that it was taken from is loaded
 */
#ifndef NCORE
#define NCORE 2
#endif
#ifndef NREQ
#define NREQ 1
#endif
#ifndef NSTEP
#define NSTEP 2
#endif
#ifndef KMAX
#define KMAX 2
#endif
#ifndef END
#define END 0
#endif
#ifndef ONLY
#define ONLY 9 /* else the only core that runs in spaces */
#endif
#ifndef MUT
#define MUT 0
#endif

#define ASLEEP 1
#define HELPER 2

typedef Numbers { byte n[KMAX + 1] };

bit mapped[2];        /* the page's entry */
bit freed[2];         /* the page's frame belongs to somebody else */
Numbers tlb[NCORE];
byte entry[NCORE];    /* space S: satp[core], the number in it or 0 */
byte other[NCORE];    /* space T's */
byte last[NCORE];     /* the number given last */
byte loaded[NCORE];   /* satp: a number, or 0 for the kernel */
byte sleep[NCORE];    /* shootdown_core.sleep */
byte asked[NCORE];    /* shootdown_core.asked, a bit for each requester */
bit ipi[NCORE];       /* IPI_SHOOTDOWN was requested and is not handled */
byte waiting[2];      /* shootdown_core.waiting: answers that are missing */
byte inside;          /* threads of S on a core */
bit gone;             /* S: no thread will run there any more */
bit listed = 1, list_lock, space_freed;
byte done;

#define LIST_LOCK atomic { !list_lock -> list_lock = 1 }
#define LIST_UNLOCK list_lock = 0

/* shootdown_handle on core c; bits and r are scratch */
inline SERVE(c, bits, r) {
	d_step { bits = asked[c]; asked[c] = 0; r = 0 };
	do
	:: bits & (1 << r) ->
		assert(!space_freed);
#if MUT == 13
		waiting[r]--;
#endif
		assert(waiting[r] != 0); /* else the requester's block is another request's */
		if
		:: entry[c] == 0
#if MUT == 9
		:: entry[c] != 0 -> entry[c] = 0
#else
		:: entry[c] != 0 && entry[c] == loaded[c] ->
			tlb[c].n[loaded[c]] = tlb[c].n[loaded[c]] & ~(1 << r) /* sfence.vma */
		:: entry[c] != 0 && entry[c] != loaded[c] -> entry[c] = 0
#endif
		fi;
#if MUT != 13
		waiting[r]--;
#endif
		bits = bits & ~(1 << r)
	:: bits != 0 && !(bits & (1 << r)) -> r++
	:: bits == 0 -> break
	od;
	r = 0
}

inline INTERRUPT(c, bits, r) {
	ipi[c] = 0;
	SERVE(c, bits, r)
}

/* A walk that the hardware makes in advance, in what is loaded while the kernel runs */
#define WALK_AHEAD(c) if \
	:: of_s && loaded[c] != 0 && mapped[0] -> tlb[c].n[loaded[c]] = tlb[c].n[loaded[c]] | 1 \
	:: true \
	fi

/* asid_roll_over on core c */
inline ROLL_OVER(c) {
#if MUT != 15
	loaded[c] = 0;
#endif
	LIST_LOCK;
	if
	:: listed -> assert(!space_freed);
#if MUT != 5
		entry[c] = 0
#endif
	:: else
	fi;
#if MUT != 5
	other[c] = 0;
#endif
	LIST_UNLOCK;
	last[c] = 0
}

/* An access of user code: what the TLB has, else a walk */
inline USE(c, page) {
	atomic {
		if
		:: tlb[c].n[loaded[c]] & (1 << page) ->
			assert(in_s); /* else another space's translation */
			assert(!freed[page])
		:: else ->
			if
			:: in_s && mapped[page] ->
				tlb[c].n[loaded[c]] = tlb[c].n[loaded[c]] | (1 << page);
				assert(!freed[page])
			:: else
			fi
		fi
	}
}

/* The fast path's load of the entry, or asid_enter with asid_assign; number is the result */
inline ENTER(c, slot, number) {
	number = slot;
	if
	:: number == 0 ->
		if
		:: last[c] == KMAX -> ROLL_OVER(c)
		:: else
		fi;
		last[c]++;
		number = last[c];
#if MUT != 6
		slot = number;
#endif
#if MUT != 4
		tlb[c].n[number] = 0; /* sfence.vma; before it no walk of this space is made */
#endif
#if MUT == 6
		loaded[c] = number;
		if :: in_s -> USE(c, 0) :: else fi;
		slot = number;
#endif
		WALK_AHEAD(c)
	:: else
	fi;
#if MUT == 8
	if :: ipi[c] -> INTERRUPT(c, bits, r) :: true fi;
#endif
	d_step { loaded[c] = number; of_s = in_s }
}

/* mm/shootdown.c on core r, interrupts off */
inline SHOOTDOWN(me) {
#if MUT == 7
	d_step {
		i = 0;
		do
		:: i < NCORE -> seen = seen | ((entry[i] != 0) << i); i++
		:: else -> break
		od;
		i = 0
	};
#endif
	mapped[me] = 0; /* under the space's lock; a full fence follows */
	t = 0;
	do
	:: t < NCORE ->
		if
#if MUT == 7
		:: !(seen & (1 << t))
		:: seen & (1 << t) && t == me ->
#else
		:: entry[t] == 0
		:: entry[t] != 0 && t == me ->
#endif
#if MUT != 3
			tlb[me].n[entry[me]] = tlb[me].n[entry[me]] & ~(1 << me);
#endif
			skip
#if MUT == 7
		:: seen & (1 << t) && t != me ->
#else
		:: entry[t] != 0 && t != me ->
#endif
			/* help_sleeper: compare-and-swap */
			atomic {
				if
#if MUT == 10
				:: sleep[t] & ASLEEP -> slept = 1
#else
				:: sleep[t] & ASLEEP -> sleep[t] = sleep[t] + HELPER; slept = 1
#endif
				:: else -> slept = 0
				fi
			};
			if
			:: slept ->
				entry[t] = 0;
#if MUT != 10
				sleep[t] = sleep[t] - HELPER;
#endif
				slept = 0
			:: else ->
#if MUT != 2
				waiting[me]++;
				d_step { asked[t] = asked[t] | (1 << me) };
				ipi[t] = 1
#endif
			fi
		fi;
		t++
	:: else -> break
	od;
#if MUT == 1
	freed[me] = 1;
#endif
	do
	:: waiting[me] == 0 -> break
#if MUT != 12
	:: waiting[me] != 0 && asked[me] != 0 -> SERVE(me, bits, r)
#endif
	od;
	freed[me] = 1;
	d_step { t = 0; seen = 0; requested = 1 }
}

proctype core(byte c) {
	byte bits, r, i, n, t, seen, number;
	bit in_s, of_s, slept, requested; /* of_s: what is loaded is S's */

	requested = c >= NREQ;
	do
	:: n < NSTEP && (ONLY == 9 || ONLY == c) ->
		n++;
		if
		:: true -> /* run in S, or in T */
			if
			:: atomic { !gone -> in_s = 1; inside++ };
				ENTER(c, entry[c], number)
			:: ENTER(c, other[c], number)
			fi;
			number = 0;
			/* user mode: interrupts are on */
			do
			:: USE(c, 0); break
			:: NREQ > 1 -> USE(c, 1); break
			:: ipi[c] -> INTERRUPT(c, bits, r)
			:: !requested -> SHOOTDOWN(c) /* a system call of what runs here */
			:: break
			od;
			if :: ipi[c] -> INTERRUPT(c, bits, r) :: true fi;
			USE(c, 0);
			/* the thread is switched away: a kernel thread comes, or idle, or the next */
			if
			:: loaded[c] = 0
			:: n < NSTEP && !(in_s && END)
			fi;
			if :: in_s -> atomic { inside--; in_s = 0 } :: else fi
		:: true -> /* idle_loop, interrupts off */
#if MUT == 11
			atomic { !gone -> in_s = 1; inside++ };
			ENTER(c, entry[c], number);
			number = 0;
			sleep[c] = ASLEEP;
			USE(c, 0);
			loaded[c] = 0;
			atomic { inside--; in_s = 0 };
#else
			loaded[c] = 0;
			sleep[c] = ASLEEP; /* shootdown_sleep */
#endif
			skip; /* wfi: an interrupt of any kind, at any time */
			atomic { sleep[c] == ASLEEP -> sleep[c] = 0 }; /* shootdown_wake */
			if :: ipi[c] -> INTERRUPT(c, bits, r) :: true fi
		fi
	:: !requested && n == NSTEP -> SHOOTDOWN(c) /* from a kernel thread */
	:: (n == NSTEP || !(ONLY == 9 || ONLY == c)) && requested -> break
	:: !requested && !(ONLY == 9 || ONLY == c) -> SHOOTDOWN(c)
	od;
	loaded[c] = 0;
	d_step { done++; n = 0; in_s = 0; of_s = 0; number = 0 };
end:
	do
	:: ipi[c] -> INTERRUPT(c, bits, r) /* idle at the end */
	od
}

#if END
/* The reaper: vspace_destroy when no thread of S is left and nobody's request names it */
proctype reaper() {
	atomic { inside == 0 -> gone = 1 };
#if NREQ > 0
	(freed[0]); /* who takes a page out has a reference to the domain */
#endif
#if MUT != 14
	LIST_LOCK;
	listed = 0;
	LIST_UNLOCK;
#endif
	space_freed = 1;
	d_step { freed[0] = 1; freed[1] = 1; mapped[0] = 0; mapped[1] = 0 }
}
#endif

init {
	atomic {
		byte c = 0;
		mapped[0] = 1;
		mapped[1] = 1;
		do
		:: c < NCORE -> run core(c); c++
		:: else -> break
		od;
#if END
		run reaper();
#endif
		c = 0
	}
}

active proctype settled() {
	timeout ->
	assert(done == NCORE); /* else a requester or a sleeper waits for ever */
	assert(!waiting[0] && !waiting[1])
}
