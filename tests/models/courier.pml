/* SPDX-License-Identifier: MIT */
/*
 * Letters and couriers: ipc/courier.c, letter_send_for in ipc/letter.c, baton_next and leave_to_courier in
 * ipc/handover.c.
 *
 * Two ports, 0 and 1. Core 0 has two couriers and a sender of a letter to each port; core 1 has one courier, a
 * sender to port 0 and a caller of port 0. DEP: the first run of port 0 lasts until port 1 has been served. BUDGET: letters of a visit.
 * The word and the line are one step each here: baton.pml has them in small steps. irq is "interrupts are
 * off": who has it is alone on its core.
 *
 * CHECK all quick -DDEP=0
 * CHECK waits -DDEP=1
 * CHECK budget -DDEP=0 -DBUDGET=1
 * CHECK two_callers -DDEP=1 -DCALLS=2
 * MUTANT 1 -DDEP=0: a courier looks at the word, then clears the bit, with interrupts on between
 * MUTANT 2 -DDEP=0: a holder that finds letters next lets go and posts nothing
 * MUTANT 3 -DDEP=0: a sender looks whether somebody knows, then pushes
 * MUTANT 4 -DDEP=0: a holder posts, then lets go, with interrupts on
 * MUTANT 5 -DDEP=1: a courier that runs a service counts as one that looks
 * MUTANT 6 -DDEP=1: a courier that begins a run wakes nobody for what else is posted
 * MUTANT 7 -DDEP=0: a courier finds nothing, and is idle a moment later
 * MUTANT 8 -DDEP=0: a courier takes the baton although somebody runs
 * MUTANT 9 -DDEP=0: a courier that starts sleeps before it looks
 * MUTANT 10 -DDEP=0 -DBUDGET=1: a visit that has used its budget posts nothing
 */
#ifndef DEP
#define DEP 0
#endif
#ifndef BUDGET
#define BUDGET 4
#endif
#ifndef CALLS
#define CALLS 1
#endif
#ifndef MUT
#define MUT 0
#endif

#define NIL 255
#define LETTER 1
#define CALLER 2
#define ROOM 4

/* port.word and the line behind it */
bit busy[2];
byte line[2 * ROOM], waiting[2]; /* kinds, oldest first */
/* courier_core */
bit irq[2];
bit bits[4]; /* pending: 2 * core + port */
byte looking[2], idle[2];
bit woken[3]; /* by courier; couriers 0 and 1 are core 0's */
bit is_idle[3];
bit turn;     /* of the caller */
bit posting;  /* MUTANT 4 */

/* Only for the proof */
byte served[2], inside[2];
bit called;

hidden byte i;

#define IRQ_OFF(c) atomic { irq[c] == 0 -> irq[c] = 1 }
#define IRQ_ON(c) d_step { assert(irq[c]); irq[c] = 0 }
#define HAS_WORK(c) (bits[2 * (c)] || bits[2 * (c) + 1])

inline PUSH(p, kind) {
	line[ROOM * (p) + waiting[p]] = kind; waiting[p]++
}

/* Inside a d_step. */
inline POP(p, kind) {
	kind = line[ROOM * (p)]; waiting[p]--;
	i = 0;
	do :: i < waiting[p] -> line[ROOM * (p) + i] = line[ROOM * (p) + i + 1]; i++ :: else -> break od;
	line[ROOM * (p) + waiting[p]] = 0; i = 0
}

inline PUT_BACK(p, kind) {
	i = waiting[p];
	do :: i > 0 -> line[ROOM * (p) + i] = line[ROOM * (p) + i - 1]; i-- :: else -> break od;
	line[ROOM * (p)] = kind; waiting[p]++; i = 0
}

/* wake_one: inside a d_step, interrupts of the core are off. */
inline WAKE(c) {
	if
	:: idle[c] > 0 ->
		idle[c]--; looking[c]++;
		if
		:: c == 1 -> woken[2] = 1; is_idle[2] = 0
		:: c == 0 && is_idle[0] -> woken[0] = 1; is_idle[0] = 0
		:: else -> assert(is_idle[1]); woken[1] = 1; is_idle[1] = 0
		fi
	:: else
	fi
}

/* post: interrupts of the core are off. */
inline POST(c, p) {
	d_step {
		bits[2 * (c) + (p)] = 1;
		if :: looking[c] == 0 -> WAKE(c) :: else fi
	}
}

inline ENTER(p) { d_step { assert(inside[p] == 0); inside[p] = 1 } }
inline LEAVE(p) { d_step { assert(inside[p] == 1 && busy[p]); inside[p] = 0 } }

/* A holder on core c: nobody is left, or what comes next is in `next`, taken off. */
inline NEXT(p, next) {
	d_step {
		next = NIL;
		if
		:: waiting[p] == 0 -> busy[p] = 0
		:: else -> POP(p, next)
		fi
	}
}

/* leave_to_courier */
inline LEAVE_LETTERS(c, p) {
	if
	:: MUT == 4 ->
		IRQ_OFF(c); POST(c, p); IRQ_ON(c);
		d_step { PUT_BACK(p, LETTER); busy[p] = 0 }
	:: else ->
		IRQ_OFF(c);
		d_step { PUT_BACK(p, LETTER); busy[p] = 0 };
		if :: MUT == 2 :: else -> POST(c, p) fi;
		IRQ_ON(c)
	fi
}

proctype sender(byte c; byte first; byte last) {
	byte p = first;
	bit needed;

	do
	:: p <= last ->
		IRQ_OFF(c);
		if
		:: MUT == 3 -> needed = (!busy[p] && waiting[p] == 0); d_step { PUSH(p, LETTER) }
		:: else -> d_step { needed = (!busy[p] && waiting[p] == 0); PUSH(p, LETTER) }
		fi;
		if :: needed -> POST(c, p) :: else fi;
		d_step { needed = 0 };
		IRQ_ON(c);
		p++
	:: else -> break
	od
}

proctype caller(byte c) {
	byte next, n;
	bit behind;

	do
	:: n < CALLS ->
		atomic {
			if
			:: !busy[0] && waiting[0] == 0 -> busy[0] = 1; turn = 1
			:: else -> behind = !busy[0]; PUSH(0, CALLER)
			fi
		};
		if
		:: behind -> behind = 0; IRQ_OFF(c); POST(c, 0); IRQ_ON(c)
		:: else
		fi;
		atomic { turn -> turn = 0 };
		ENTER(0);
		LEAVE(0);
		NEXT(0, next);
		if
		:: next == LETTER -> LEAVE_LETTERS(c, 0)
		:: else -> assert(next == NIL)
		fi;
		n++
	:: else -> break
	od;
	called = 1
}

proctype courier(byte self; byte c) {
	byte p, next, budget;
	bit took;

	/* courier_make_all counts all of them as looking. */
	if
	:: MUT == 9 -> IRQ_OFF(c); goto nothing
	:: else
	fi;
again:
	IRQ_OFF(c);
look:	if
	:: bits[2 * c] -> p = 0
	:: bits[2 * c + 1] -> p = 1
	:: else -> goto nothing
	fi;
	if
	:: MUT == 1 -> atomic { took = (!busy[p] && waiting[p] != 0); if :: took -> busy[p] = 1 :: else fi }; IRQ_ON(c); IRQ_OFF(c); bits[2 * c + p] = 0
	:: MUT == 8 -> bits[2 * c + p] = 0; atomic { took = (waiting[p] != 0); if :: took -> busy[p] = 1 :: else fi }
	:: else -> bits[2 * c + p] = 0; atomic { took = (!busy[p] && waiting[p] != 0); if :: took -> busy[p] = 1 :: else fi }
	fi;
	IRQ_ON(c);
	if :: !took -> p = 0; goto again :: else -> took = 0 fi;
	budget = BUDGET;
visit:	NEXT(p, next);
	if
	:: next == NIL -> next = 0; p = 0; budget = 0; goto again
	:: next == CALLER -> turn = 1; next = 0; p = 0; budget = 0; goto again
	:: next == LETTER && budget == 0 ->
		if
		:: MUT == 10 -> d_step { PUT_BACK(p, LETTER); busy[p] = 0 }
		:: else -> LEAVE_LETTERS(c, p)
		fi;
		next = 0; p = 0; goto again
	:: else -> next = 0; budget--
	fi;
	/* run */
	IRQ_OFF(c);
	d_step {
		if :: MUT == 5 :: else -> looking[c]-- fi;
		if :: looking[c] == 0 && HAS_WORK(c) && MUT != 6 -> WAKE(c) :: else fi
	};
	IRQ_ON(c);
	ENTER(p);
	if :: DEP && p == 0 -> served[1] > 0 :: else fi;
	LEAVE(p);
	served[p]++;
	IRQ_OFF(c);
	if :: MUT == 5 :: else -> looking[c]++ fi;
	IRQ_ON(c);
	goto visit;
nothing:
	if :: MUT == 7 -> IRQ_ON(c); IRQ_OFF(c) :: else fi;
	d_step { looking[c]--; idle[c]++; is_idle[self] = 1 };
	IRQ_ON(c);
end:	atomic { woken[self] -> woken[self] = 0 };
	goto again
}

/* All letters are served, and the caller is. */
proctype wanted() {
	served[0] == 2 && served[1] == 1 && called;
	!busy[0] && !busy[1] && waiting[0] == 0 && waiting[1] == 0
}

init {
	atomic {
		looking[0] = 2; looking[1] = 1;
		run courier(0, 0); run courier(1, 0); run courier(2, 1);
		run sender(0, 0, 1); run sender(1, 0, 0); run caller(1);
		run wanted()
	}
}
