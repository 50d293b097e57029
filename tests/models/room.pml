/* SPDX-License-Identifier: MIT */
/*
 * Room for letters: ipc/room.h, wait_for_room, wake_sender and fall_to_low in ipc/letter.c.
 *
 * NS senders that wait for room, one of which may give up (DL); a taker that takes each letter and gives its room back; CLOSE: the
 * port closes instead of the last taking. port.unserved is one word: a count and the bits wanted and high.
 *
 * CHECK all quick -DNS=2 -DCAP=1
 * CHECK deadline -DNS=3 -DCAP=1 -DDL=1
 * CHECK two -DNS=3 -DCAP=2 -DDL=1
 * CHECK close -DNS=2 -DCAP=1 -DCLOSE=1
 * MUTANT 1 -DNS=2 -DCAP=1: a sender looks for room, then counts (the capacity is passed)
 * MUTANT 2 -DNS=2 -DCAP=1: a sender finds no room, then says that it wants some, then waits (17: no second look)
 * MUTANT 3 -DNS=3 -DCAP=1 -DDL=1: who woke nobody clears the bit and does not look again
 * MUTANT 4 -DNS=2 -DCAP=1: who takes a letter looks for the bit, then gives the room back
 * MUTANT 5 -DNS=2 -DCAP=1 -DCLOSE=1: the port wakes those who wait, then is closed
 * MUTANT 6 -DNS=3 -DCAP=1 -DDL=1: one who gives up stays on the list
 * MUTANT 7 -DNS=3 -DCAP=2: the high bit is cleared by a step of its own (low is said of a port that is high)
 */
#ifndef NS
#define NS 2
#endif
#ifndef CAP
#define CAP 1
#endif
#ifndef DL
#define DL 0
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define NIL 255
#define LOW 0
#define LOCK(l) atomic { l == 0 -> l = 1 }
#define UNLOCK(l) d_step { assert(l); l = 0 }

byte count;
bit wanted, high, closed;
bit lock; /* of port.senders */
byte queue[NS], queued;
bit linked[NS], token[NS];

/* Only for the proof */
byte sent, taken, over;
bit said_high;

hidden byte i;

/* room_take, in one step; inside an atomic */
inline TAKE(got, wants) {
	if
	:: count < CAP -> count++; got = 1; if :: count == CAP -> if :: !high -> high = 1; said_high = 1 :: else fi :: else fi
	:: else -> got = 0; if :: wants -> wanted = 1 :: else fi
	fi
}

inline WAKE_ONE(who) {
	LOCK(lock);
	d_step {
		who = NIL;
		if
		:: queued > 0 ->
			who = queue[0]; linked[who] = 0; queued--;
			i = 0;
			do :: i < queued -> queue[i] = queue[i + 1]; i++ :: else -> break od;
			queue[queued] = 0; i = 0
		:: else
		fi;
		if :: who != NIL -> token[who] = 1 :: else fi
	};
	UNLOCK(lock)
}

/* wake_sender */
inline WAKE_SENDER(who) {
	WAKE_ONE(who);
	if
	:: who == NIL ->
		wanted = 0;
		if :: MUT == 3 :: else -> WAKE_ONE(who) fi
	:: else
	fi;
	who = 0
}

inline UNLINK(self) {
	d_step {
		if
		:: linked[self] ->
			i = 0;
			do :: queue[i] != self -> i++ :: else -> break od;
			queued--;
			do :: i < queued -> queue[i] = queue[i + 1]; i++ :: else -> break od;
			queue[queued] = 0; i = 0; linked[self] = 0
		:: else
		fi
	}
}

/* wait_queue_wait with room_or_closed */
proctype sender(byte self) {
	bit got, late, was, seen;
	byte who;

again:	if
	:: MUT == 2 -> atomic { TAKE(got, 0) }; if :: !got -> wanted = 1 :: else fi; LOCK(lock)
	:: MUT == 1 -> LOCK(lock); seen = count < CAP; if :: seen -> count++; got = 1; assert(count <= CAP) :: else -> got = 0; wanted = 1 fi; seen = 0
	:: else -> LOCK(lock); atomic { TAKE(got, 1) }
	fi;
	if
	:: got || closed || late ->
		was = !linked[self] && late && !got && !closed;
		if :: MUT == 6 && late && !got :: else -> UNLINK(self) fi;
		UNLOCK(lock);
		/* Our wake-up was meant for one who still waits. */
		if :: was -> WAKE_ONE(who); who = 0 :: else fi;
		was = 0
	:: else ->
		d_step { if :: !linked[self] -> queue[queued] = self; queued++; linked[self] = 1 :: else fi };
		UNLOCK(lock);
		if
		:: atomic { token[self] -> token[self] = 0 }
		:: DL && self == 0 -> late = 1
		fi;
		goto again
	fi;
	atomic { assert(count <= CAP); if :: got -> sent++ :: else fi; over++; got = 0; late = 0 }
}

proctype taker() {
	byte who;
	bit was;

end:	do
	:: atomic { taken < sent && !closed -> taken++ };
		/* room_give */
		if
		:: MUT == 4 -> was = wanted; count--
		:: else -> atomic { assert(count > 0); count--; was = wanted }
		fi;
		if
		:: MUT == 7 -> if :: high && count <= LOW -> assert(count <= LOW); high = 0; assert(count <= LOW) :: else fi
		:: else -> atomic { if :: high && count <= LOW -> high = 0; said_high = 0 :: else fi }
		fi;
		if :: was -> WAKE_SENDER(who) :: else fi;
		was = 0
	:: CLOSE && !closed ->
		if :: MUT == 5 :: else -> closed = 1 fi;
		do
		:: LOCK(lock); if :: queued == 0 -> UNLOCK(lock); break :: else -> UNLOCK(lock); WAKE_ONE(who) fi
		od;
		who = 0; closed = 1
	od
}

/* Nobody waits for ever; what was sent was taken. */
proctype all_over() {
	over == NS;
	closed || (taken == sent && count == 0)
}

init {
	atomic {
		byte n = 0;
		do :: n < NS -> run sender(n); n++ :: else -> break od;
		n = 0;
		run taker(); run all_over()
	}
}
