/* SPDX-License-Identifier: MIT */
/*
 * Grace periods: kernel/sync/epoch.c, against readers with interrupts off (ipc/riscv/fastpath.S).
 *
 * NCORE cores look an object up and use it, each NREAD times, with interrupts off; the last of them
 * may come online late (sched/idle.c). One thread on another core unlinks the object, puts a new one
 * in its place and defers the free, NROUND times; the reaper, there too, drains. The interrupt is
 * that of models/ipi.pml: it comes, some time.
 *
 * CHECK all quick -DNCORE=2 -DNREAD=1 -DNROUND=2
 * CHECK reads -DNCORE=2 -DNREAD=2 -DNROUND=2
 * CHECK late -DNCORE=2 -DNREAD=1 -DNROUND=1 -DLATE=1
 * CHECK late_two -DNCORE=2 -DNREAD=2 -DNROUND=2 -DLATE=1
 * MUTANT 1: the object is freed without a grace period
 * MUTANT 2: epoch_wanted rises before the unlink
 * MUTANT 3: the readers have interrupts on
 * MUTANT 4 -DLATE=1: epoch_synchronize waits for a core that it did not ask
 * MUTANT 5 -DNROUND=2: epoch_drain takes the list after the grace period
 * MUTANT 6 -DNROUND=2: epoch_acknowledge copies what was wanted before the interrupt
 * MUTANT 7 -DNCORE=2: epoch_synchronize waits for one of the cores
 * MUTANT 8 -DNROUND=2: epoch_acknowledge answers one more than it saw
 */
#ifndef NCORE
#define NCORE 1
#endif
#ifndef NREAD
#define NREAD 1
#endif
#ifndef NROUND
#define NROUND 1
#endif
#ifndef LATE
#define LATE 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define NIL 255

byte wanted;          /* epoch_wanted */
byte seen[NCORE];     /* core.epoch_seen */
bit online[NCORE];
bit ipi[NCORE];       /* IPI_EPOCH was asked for and is not handled */

byte current;         /* the object that a reader finds; they are numbered */
bit freed[NROUND + 1];
bit deferred[NROUND + 1]; /* epoch_list */
bit unlinked;         /* epoch_notify's token */

byte done;

/* epoch_acknowledge */
inline ACKNOWLEDGE(c, value) {
	ipi[c] = 0;
#if MUT != 6
	value = wanted;
#endif
#if MUT == 8
	seen[c] = value + 1;
#else
	seen[c] = value;
#endif
#if MUT == 6
	value = wanted
#else
	value = 0
#endif
}

proctype reader(byte c) {
	byte n, object, value;

	if
	:: !online[c] -> online[c] = 1 /* sched_run_core */
	:: else
	fi;
end:
	do
	:: ipi[c] -> ACKNOWLEDGE(c, value) /* interrupts are on */
	:: n < NREAD ->
		/* A section: look up, use, use again. */
		object = current;
		assert(!freed[object]);
#if MUT == 3
		if :: ipi[c] -> ACKNOWLEDGE(c, value) :: true fi;
#endif
		assert(!freed[object]);
		d_step { object = 0; n++ }
	od
}

/* epoch_defer by some thread on the writer's core, preempted at any moment */
proctype writer() {
	byte n;

	do
	:: n < NROUND ->
#if MUT == 2
		deferred[n] = 1;
		unlinked = 1;
		current = n + 1;
#else
		current = n + 1; /* the unlink */
		deferred[n] = 1;
		unlinked = 1;
#endif
		n++
	:: else -> break
	od;
	skip;
	d_step { n = 0; done++ }
}

/* reaper_loop with epoch_drain and epoch_synchronize */
proctype reaper() {
	byte c, epoch, asked, taken, i;

end:
	do
	:: atomic { unlinked -> unlinked = 0 };
#if MUT != 5
		d_step {
			i = 0;
			do
			:: i <= NROUND ->
				taken = taken | (deferred[i] << i);
				deferred[i] = 0;
				i++
			:: else -> break
			od;
			i = 0
		};
#endif
#if MUT != 1
		d_step { wanted++; epoch = wanted };
		c = 0;
		do
		:: c < NCORE ->
			/* One look decides whether the core is asked and waited for. */
			if
			:: online[c] -> ipi[c] = 1; asked = asked | (1 << c)
			:: else
			fi;
			c++
		:: else -> break
		od;
		c = 0;
		do
		:: c < NCORE ->
#if MUT == 4
			if :: online[c] -> (seen[c] >= epoch) :: else fi;
#elif MUT == 7
			if :: c == 0 && asked & 1 -> (seen[c] >= epoch) :: else fi;
#else
			if :: asked & (1 << c) -> (seen[c] >= epoch) :: else fi;
#endif
			c++
		:: else -> break
		od;
#endif
		skip;
		d_step {
			i = 0;
			do
			:: i <= NROUND ->
#if MUT == 5
				if
				:: deferred[i] -> freed[i] = 1; deferred[i] = 0
				:: else
				fi;
#else
				if :: taken & (1 << i) -> freed[i] = 1 :: else fi;
#endif
				i++
			:: else -> break
			od;
			i = 0; taken = 0; asked = 0; c = 0; epoch = 0
		}
	od
}

init {
	atomic {
		byte c = 0;
		do
		:: c < NCORE -> online[c] = !(LATE && c == NCORE - 1); run reader(c); c++
		:: else -> break
		od;
		run writer();
		run reaper();
		c = 0
	}
}

active proctype settled() {
	byte i;

	timeout ->
	assert(done == 1);
	do
	:: i < NROUND -> assert(freed[i]); i++ /* else the reaper waits for ever */
	:: else -> break
	od;
	assert(!freed[NROUND])
}
