/* SPDX-License-Identifier: MIT */
/*
 * Messages and receivers: ipc/mailbox.c, wait_queue_* in sched/wait.c, port_close in ipc/port.c.
 *
 * NM messages of one sender, NR receivers that want one message each. DL: a receiver may time out.
 * CLOSE: somebody closes the port. CAP: what the queue holds. A token is the sticky wake-up of
 * models/wakeup.pml. Locks, in order: the receivers' queue, then the port.
 *
 * CHECK all -DNR=2 -DNM=2 -DDL=1
 * CHECK close quick -DNR=2 -DNM=1 -DDL=1 -DCLOSE=1
 * CHECK close_two -DNR=2 -DNM=2 -DDL=1 -DCLOSE=1
 * CHECK full -DNR=3 -DNM=2 -DDL=1 -DCAP=1
 * MUTANT 1 -DNR=1 -DNM=1: mailbox_send wakes before it queues the message
 * MUTANT 2 -DNR=1 -DNM=1: wait_queue_wait looks, then takes the lock and links
 * MUTANT 3 -DNR=2 -DNM=1 -DDL=1: a time-out is believed without a last look at the condition
 * MUTANT 4 -DNR=1 -DNM=1 -DDL=1: a receiver that timed out stays linked
 * MUTANT 5 -DNR=2 -DNM=0 -DCLOSE=1: port_close wakes one receiver
 * MUTANT 6 -DNR=1 -DNM=0 -DCLOSE=1: port_close wakes before closed is set
 * MUTANT 7 -DNR=1 -DNM=1 -DCLOSE=1: mailbox_push looks whether the port is closed before it locks
 * MUTANT 8 -DNR=1 -DNM=2 -DCLOSE=1: port_close drops the messages before closed is set
 * MUTANT 9 -DNR=2 -DNM=2: a woken receiver that finds nothing does not link itself again
 */
#ifndef NR
#define NR 2
#endif
#ifndef NM
#define NM 1
#endif
#ifndef DL
#define DL 0
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef CAP
#define CAP 7
#endif
#ifndef MUT
#define MUT 0
#endif

#define NIL 255
#define OK 1
#define TIMED_OUT 2
#define CLOSED 3

/* port.lock, word, queue: messages go in and out in order, so two counters are the queue */
bit port_lock;
bit closed;
byte first, last;
/* port.receivers */
bit wait_lock;
byte waiters[NR], waiting;
bit linked[NR];
bit token[NR];

/* Only for the proof: 0 not sent, 1 queued, 2 received, 3 dropped, 4 refused */
byte fate[NM + 1];
bit gone[NR];
byte done;

hidden byte i;

#define LOCK(l) atomic { l == 0 -> l = 1 }
#define UNLOCK(l) d_step { assert(l); l = 0 }

/* wait_queue_wake_one; found says whether somebody waited */
inline WAKE_ONE(r, found) {
	LOCK(wait_lock);
	d_step {
		r = NIL;
		if
		:: waiting > 0 ->
			r = waiters[0]; linked[r] = 0; waiting--;
			i = 0;
			do :: i < waiting -> waiters[i] = waiters[i + 1]; i++ :: else -> break od;
			waiters[waiting] = 0; i = 0
		:: else
		fi
	};
	if :: r != NIL -> assert(!gone[r]); token[r] = 1 :: else fi;
	UNLOCK(wait_lock);
	d_step { found = r != NIL; r = 0 }
}

/* list_push_back, list_remove; inside a d_step */
inline LINK(t) {
	if
	:: !linked[t] -> waiters[waiting] = t; waiting++; linked[t] = 1
	:: else
	fi
}

inline UNLINK(t) {
	if
	:: linked[t] ->
		i = 0;
		do :: waiters[i] != t -> i++; assert(i < waiting) :: else -> break od;
		waiting--; linked[t] = 0;
		do :: i < waiting -> waiters[i] = waiters[i + 1]; i++ :: else -> break od;
		waiters[waiting] = 0; i = 0
	:: else
	fi
}

proctype sender() {
	byte m, r, result;
	bit found;

	do
	:: m < NM ->
#if MUT == 1
		WAKE_ONE(r, found);
#endif
		/* mailbox_push */
#if MUT == 7
		result = (closed -> CLOSED : OK);
		LOCK(port_lock);
		d_step {
			if
			:: result == OK -> last++; fate[m] = 1
			:: else -> fate[m] = 4
			fi
		};
#else
		LOCK(port_lock);
		d_step {
			if
			:: closed -> result = CLOSED; fate[m] = 4; first++; last++
			:: !closed && last - first >= CAP -> result = NIL /* tries again */
			:: else -> result = OK; last++; fate[m] = 1
			fi
		};
#endif
		UNLOCK(port_lock);
		if
		:: result == NIL ->
end_full:
			(closed || last - first < CAP)
		:: else ->
#if MUT != 1
			if :: result == OK -> WAKE_ONE(r, found) :: else fi;
#endif
			m++
		fi
	:: else -> break
	od;
	skip;
	d_step { done++; m = 0; result = 0; found = 0 }
}

proctype receiver(byte t) {
	byte mail, r, result;
	bit met, over, taken, found, deadline;

	if :: deadline = 0 :: deadline = DL fi;
	d_step { result = OK; mail = NIL };
L_loop: /* wait_queue_wait */
	skip;
#if MUT != 2
	LOCK(wait_lock);
#endif
#if MUT == 3
	if :: result != OK -> goto L_over :: else fi;
#endif
	/* receive_is_over */
	LOCK(port_lock);
	d_step {
		if
		:: last > first -> mail = first; first++; met = 1
		:: last == first && closed -> met = 1
		:: else
		fi
	};
	UNLOCK(port_lock);
#if MUT == 2
	LOCK(wait_lock);
#endif
	if :: met || result != OK -> goto L_over :: else fi;
#if MUT == 9
	d_step { if :: !over -> LINK(t); over = 1 :: else fi };
#else
	d_step { LINK(t) };
#endif
	UNLOCK(wait_lock);
end_blocked:
	if /* sched_block_until */
	:: atomic { token[t] -> token[t] = 0 }
	:: deadline -> result = TIMED_OUT
	fi;
	goto L_loop;

L_over:
	skip;
#if MUT == 4
	d_step { taken = !linked[t] && !met };
	d_step { if :: met -> UNLINK(t) :: else fi };
#else
	d_step { taken = !linked[t] && !met; UNLINK(t) };
#endif
	UNLOCK(wait_lock);
#if MUT != 3
	/* Not needed for a mailbox, where leaving without mail means that there was none. */
	if :: taken -> WAKE_ONE(r, found) :: else fi;
#endif
	/* mailbox_receive returns; its record lay on its stack */
	d_step {
		gone[t] = 1;
		if
		:: mail != NIL -> assert(fate[mail] == 1); fate[mail] = 2
		:: else -> assert(closed || (DL && result == TIMED_OUT))
		fi
	};
	d_step { done++; mail = 0; result = 0; met = 0; over = 0; taken = 0; found = 0; deadline = 0 }
}

/* mailbox_drop_all; inside a d_step */
inline DROP() {
	i = first;
	do :: i < last -> fate[i] = 3; i++ :: else -> break od;
	first = last; i = 0
}

#if CLOSE
/* port_close */
proctype closer() {
	byte r;
	bit found;

#if MUT == 6
	do :: true -> WAKE_ONE(r, found); if :: !found -> break :: else fi od;
#endif
	LOCK(port_lock);
#if MUT == 8
	d_step { DROP() };
	UNLOCK(port_lock);
	closed = 1;
#else
	d_step { closed = 1; DROP() };
	UNLOCK(port_lock);
#endif
	/* wait_queue_wake_all */
#if MUT == 5
	WAKE_ONE(r, found);
#elif MUT != 6
	do :: true -> WAKE_ONE(r, found); if :: !found -> break :: else fi od;
#endif
	skip;
	d_step { done++; found = 0 }
}
#endif

init {
	atomic {
		byte t = 0;
		do :: t < NR -> run receiver(t); t++ :: else -> break od;
		run sender();
#if CLOSE
		run closer();
#endif
		t = 0
	}
}

/* Receivers may wait for ever only at an open, empty mailbox; the sender only at a full one. */
active proctype settled() {
	byte m, left;

	timeout ->
	assert(!port_lock && !wait_lock);
	do :: m < NR -> left = left + !gone[m]; m++ :: else -> break od;
	if :: left > 0 -> assert(first == last && !closed) :: else fi;
	if
	:: done + left < NR + 1 + CLOSE -> assert(left == 0 && !closed && last - first == CAP)
	:: else
	fi;
	m = 0;
	do
	:: m < NM -> assert(fate[m] != 1 || (left == 0 && !closed)); m++
	:: else -> break
	od
}
