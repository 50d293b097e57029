/* SPDX-License-Identifier: MIT */
/*
 * Time-outs on one core's wheel, cancelled there and from another core: sched/wheel.h, sched/wheel.c,
 * sched/timeout.c, sched_program_timer and sched_advance_timer in sched/runqueue.c.
 *
 * The wheel is the real one with digits of one bit: three levels of two slots. NR records are
 * armed BUDGET times in all, for any moment up to FAR, by the core that has the wheel; what happens
 * to each is chosen then: that core cancels it, the other core does (its thread has moved), or nobody.
 * A record is on a stack: it is gone when timeout_cancel returns, and another one may take its place.
 * BATCH is TIMEOUT_BATCH. IDLES is how often the core goes to sleep, which sets the timer again. Time
 * goes on by itself, to LAST. Under the lock a step of the model is a step of the C function, since
 * nobody else may look, but for `first`.
 *
 * CHECK all quick -DLAST=5 -DIDLES=0
 * CHECK again -DBUDGET=3 -DFAR=3 -DLAST=3 -DIDLES=0
 * CHECK batch -DBUDGET=3 -DNR=3 -DFAR=2 -DLAST=2 -DBATCH=1 -DIDLES=0
 * CHECK idle -DLAST=5 -DIDLES=1
 * MUTANT 1: timeout_cancel takes no lock
 * MUTANT 2: timeout_cancel looks whether it is linked before it locks
 * MUTANT 3: timeout_run fires after it has released the lock
 * MUTANT 4 -DIDLES=0: arm_first does not set the timer
 * MUTANT 5 -DIDLES=0: wheel_update looks only at the slots while entries move
 * MUTANT 6 -DNR=3 -DBUDGET=3 -DLAST=4: wheel_insert_slow puts entries to their slots while others move
 * MUTANT 7 -DIDLES=0: wheel_put leaves first alone when the slot has entries
 * MUTANT 8: wheel_put takes the lower first even if the slot is empty
 * MUTANT 9 -DBUDGET=3 -DIDLES=0 -DLAST=5: wheel_step moves the clock into a slot that has entries
 * MUTANT 10: wheel_insert_slow puts one that has passed where its moment says
 * MUTANT 11 -DIDLES=0: timeout_cancel stores first when it has released the lock
 * MUTANT 12: timeout_arm leaves interrupts on
 * MUTANT 13: timeout_cancel does not bring first up to date
 * MUTANT 14: wheel_remove leaves the bit of an empty slot
 * MUTANT 15: wheel_step sets the clock to now when the slot's first has passed
 * MUTANT 16 -DIDLES=0: timeout_run sets the timer from the first of before
 */
#ifndef NR
#define NR 2
#endif
#ifndef BUDGET
#define BUDGET 2
#endif
#ifndef LAST
#define LAST 6
#endif
#ifndef FAR
#define FAR 5
#endif
#ifndef BATCH
#define BATCH 2
#endif
#ifndef IDLES
#define IDLES 1
#endif
#ifndef MUT
#define MUT 0
#endif

#define NEVER 255
#define NIL 255
#define LEVELS 3
#define MOVING 6 /* the list after the slots, 2 * level + digit */
#define LISTS 7
#define NONE 7

/* struct wheel */
bit lock;
byte first = NEVER;
byte clock;
bit is_moving;
byte list[LISTS * NR], length[LISTS];
byte slot_first[LISTS];
bit occupied[LISTS];
/* runqueue.timer_at, and the machine's time */
byte timer_at = NEVER;
byte now;

/* struct timeout; `in` is its list */
byte when[NR], in[NR] = NONE;

/* Only for the proof */
#define CANCEL_HERE 0
#define CANCEL_THERE 1
#define CANCEL_NEVER 2
bit used[NR], fired[NR], taken[NR]; /* the memory is a time-out's; it has fired; somebody cancels it */
byte fate[NR], moment[NR], number[NR];
byte armings, cancels; /* cancels less looks for nothing */

hidden byte i, j, k;

#define LOCK(l) atomic { l == 0 -> l = 1 }
#define UNLOCK(l) d_step { assert(l); l = 0 }

/* All of these are inside a d_step. */
inline APPEND(l, r) { list[l * NR + length[l]] = r; length[l]++; in[r] = l }

inline UNLINK(r) { /* wheel_remove */
	j = in[r];
	i = 0;
	do :: list[j * NR + i] != r -> i++; assert(i < length[j]) :: else -> break od;
	length[j]--;
	do :: i < length[j] -> list[j * NR + i] = list[j * NR + i + 1]; i++ :: else -> break od;
	list[j * NR + i] = 0;
	in[r] = NONE;
	if :: length[j] == 0 && MUT != 14 -> occupied[j] = 0 :: else fi;
	i = 0
}

#define DIGIT(t, level) ((t >> level) & 1)
#define LEVEL_OF(difference) (difference >= 4 -> 2 : (difference >= 2 -> 1 : 0))

inline PUT(l, r, t) { /* wheel_put */
	if
	:: length[l] == 0 && MUT != 8 -> slot_first[l] = t
	:: t < slot_first[l] && (MUT != 7 || length[l] == 0) -> slot_first[l] = t
	:: else
	fi;
	occupied[l] = 1;
	APPEND(l, r)
}

inline INSERT(r, t) { /* wheel_insert */
	i = LEVEL_OF((t ^ clock));
	k = 2 * i + DIGIT(t, i);
	PUT(k, r, t);
	i = 0; k = 0
}

inline FIRST_SLOT(s) { /* wheel_lowest_level, wheel_first_slot */
	s = 0;
	do :: s < 2 * LEVELS && !occupied[s] -> s++ :: else -> break od
}

inline UPDATE(result) { /* wheel_update */
	FIRST_SLOT(k);
	if
	:: is_moving && MUT != 5 -> result = clock
	:: (!is_moving || MUT == 5) && k == 2 * LEVELS -> result = NEVER
	:: (!is_moving || MUT == 5) && k < 2 * LEVELS -> result = slot_first[k]
	fi;
	k = 0
}

/* It is time, and nothing that is armed comes before it */
inline CHECK_DUE(r) {
	assert(now >= when[r] && used[r] && !fired[r]);
	i = 0;
	do
	:: i < NR ->
		assert(in[i] == NONE || moment[i] > moment[r] || (moment[i] == moment[r] && number[i] > number[r]));
		i++
	:: else -> break
	od;
	i = 0
}

inline STEP(due, more) { /* wheel_step */
	due = NIL;
	more = 1;
	if
	:: is_moving ->
		if
		:: length[MOVING] > 0 -> due = list[MOVING * NR]; UNLINK(due)
		:: else
		fi;
		if :: length[MOVING] == 0 -> is_moving = 0 :: else fi;
		if
		:: due != NIL && when[due] > clock -> INSERT(due, when[due]); due = NIL
		:: else
		fi
	:: else ->
		FIRST_SLOT(k);
		if
		:: k == 2 * LEVELS || (MUT != 9 && (slot_first[k] >> (k / 2)) > (seen >> (k / 2))) ||
		   (MUT == 9 && slot_first[k] > seen) ->
			clock = (seen > clock -> seen : clock);
			more = 0
		:: else ->
			assert(slot_first[k] >= clock);
			clock = (slot_first[k] < seen && MUT != 15 -> slot_first[k] : (seen > clock -> seen : clock));
			if
			:: k < 2 ->
				due = NIL;
				if :: length[k] > 0 -> due = list[k * NR]; UNLINK(due) :: else -> occupied[k] = 0 fi
			:: else ->
				do
				:: length[k] > 0 -> j = list[k * NR]; due = j; UNLINK(due); APPEND(MOVING, due)
				:: else -> break
				od;
				occupied[k] = 0;
				due = NIL;
				is_moving = 1
			fi
		fi;
		k = 0
	fi;
	j = 0;
	if :: due != NIL -> CHECK_DUE(due) :: else fi
}

/* sched_program_timer */
inline PROGRAM(t) {
	t = first;
	timer_at = t;
	t = 0
}

#define FIRE(r) d_step { assert(used[r] && !fired[r]); fired[r] = 1 }

/* timeout_run and the rest of sched_handle_timer; interrupts are off */
inline RUN() {
	seen = now;
	LOCK(lock);
	something = is_moving; /* goes on with what the last batch has left */
#if MUT == 16
	t = first;
#endif
	do
	:: steps < BATCH ->
		d_step { STEP(r, more); steps++; if :: r != NIL -> something = 1 :: else fi };
		if
		:: r != NIL ->
#if MUT == 3
			UNLOCK(lock);
#endif
			FIRE(r);
#if MUT == 3
			LOCK(lock);
#endif
			/* sched_wake_thread may set the timer */
			PROGRAM(s)
		:: else
		fi;
		if :: !more -> break :: else fi
	:: else -> break
	od;
	skip;
	d_step {
		UPDATE(first);
		/* woken for nothing, neither to fire nor to move */
		assert(something || is_moving || cancels > 0);
		cancels = cancels - (!something && !is_moving);
		steps = 0; r = 0; more = 0; seen = 0; something = 0
	};
	UNLOCK(lock);
#if MUT == 16
	d_step { timer_at = t; t = 0 }
#else
	PROGRAM(t)
#endif
}

/* timeout_arm and arm_first, which does what the short way does, too */
inline ARM(r) {
#if MUT == 12
	do
	:: lock == 0 -> break
	:: timer_at <= now -> RUN()
	od;
#endif
	LOCK(lock);
#if MUT == 12
	if :: timer_at <= now -> (lock == 0) :: else fi; /* the interrupt waits for its own core */
#endif
	d_step {
		moment[r] = (when[r] > clock -> when[r] : clock);
		if
		:: is_moving && MUT != 6 -> APPEND(MOVING, r)
		:: (!is_moving || MUT == 6) && when[r] <= clock ->
#if MUT == 10
			k = DIGIT(when[r], 0);
			PUT(k, r, when[r]);
			k = 0
#else
			k = DIGIT(clock, 0);
			PUT(k, r, clock);
			k = 0
#endif
		:: (!is_moving || MUT == 6) && when[r] > clock -> INSERT(r, when[r])
		fi;
		if :: (!is_moving || MUT == 6) && moment[r] < first -> first = moment[r] :: else fi;
		t = first
	};
	UNLOCK(lock);
	/* sched_advance_timer */
	if
	:: t < timer_at && MUT != 4 -> PROGRAM(t)
	:: else -> t = 0
	fi
}

/* timeout_cancel and cancel_first */
inline TAKE_OUT(r) {
#if MUT != 1
	LOCK(lock);
#endif
	d_step {
		if
		:: in[r] != NONE ->
			k = in[r];
			UNLINK(r);
			cancels++;
			slow = (length[k] == 0 && (k == MOVING || slot_first[k] <= first));
			k = 0; j = 0
		:: else
		fi;
		if
		:: slow && MUT == 11 -> UPDATE(t)
		:: slow && MUT != 11 && MUT != 13 -> UPDATE(first)
		:: else
		fi
	};
#if MUT != 1
	UNLOCK(lock);
#endif
#if MUT == 11
	if :: slow -> first = t :: else fi;
#endif
	slow = 0
}

inline CANCEL(r) {
#if MUT == 2
	if
	:: in[r] != NONE -> TAKE_OUT(r)
	:: else
	fi;
#else
	TAKE_OUT(r);
#endif
	/* timeout_cancel returns */
	d_step {
		assert(in[r] == NONE);
		used[r] = 0; fired[r] = 0; taken[r] = 0; when[r] = 0; moment[r] = 0; number[r] = 0; fate[r] = 0;
		t = 0
	}
}

/* The core of the wheel. Interrupts come between the cases. */
proctype core() {
	byte r, s, t, steps, seen, o;
	bit more, slow, something;
	byte idles;

end_running:
	do
	:: timer_at <= now -> RUN()
	:: d_step { armings < BUDGET && (!used[0] || !used[1] || !used[NR - 1]) ->
			o = 0;
			do :: used[o] -> o++ :: else -> break od;
			used[o] = 1;
			armings++;
			number[o] = armings
		};
		if
		:: when[o] = 0 :: when[o] = 1 :: when[o] = 2
		:: FAR > 2 -> when[o] = 3
		:: FAR > 3 -> when[o] = 4
		:: FAR > 4 -> when[o] = 5
		fi;
		ARM(o);
		if
		:: fate[o] = CANCEL_HERE :: fate[o] = CANCEL_NEVER
		:: atomic { fate[o] = CANCEL_THERE; taken[o] = 1 }
		fi;
		o = 0
	:: d_step { used[0] && fate[0] == CANCEL_HERE -> o = 0 } -> CANCEL(o)
	:: d_step { used[1] && fate[1] == CANCEL_HERE -> o = 1 } -> CANCEL(o); o = 0
	:: idles < IDLES -> idles++;
		d_step {
			do :: o < NR && !used[o] -> o++ :: else -> break od;
			assert(o < NR || first == NEVER || is_moving); /* not to be woken for nothing */
			o = 0
		};
		PROGRAM(t)
	od
}

/* Another core, to which threads have moved */
proctype other() {
	byte o, t;
	bit slow;

end_running:
	do
	:: d_step {
			taken[0] || taken[1] || taken[NR - 1] ->
			o = 0;
			do :: !taken[o] -> o++ :: else -> break od
		};
		CANCEL(o);
		o = 0
	od
}

proctype time() {
	do :: now < LAST -> now++ :: else -> break od
}

init {
	atomic { run core(); run other(); run time() }
}

/* What nobody cancels has fired when its moment is over; and the core wakes for nothing else. */
active proctype settled() {
	byte r, n;

	timeout ->
	d_step {
		assert(!lock && now == LAST && !is_moving);
		do
		:: r < NR ->
			assert(!used[r] || fired[r] || when[r] > now);
			assert((in[r] != NONE) == (used[r] && !fired[r]));
			assert(in[r] == NONE || (first <= when[r] && timer_at <= when[r]));
			n = n + (in[r] != NONE);
			r++
		:: else -> break
		od;
		assert(n > 0 || first == NEVER)
	}
}
