/* SPDX-License-Identifier: MIT */
/*
 * A thread cuts its own chain of calls: split_settle and split in ipc/split.c, heir_succeed in
 * sched/heir.c, exit_work_thread, thread_kill, deadline_fire, port_interrupt_holders.
 *
 * One thread has called a middle service, which has called a last one: levels 0, 1 and 2. Each service may
 * return at any moment, or run for ever. KILL: somebody kills the thread. DIE: the middle service's domain
 * dies. D1, D2: the outer and the inner call have a deadline, which passes at any moment. A context is a
 * thread block: it has the levels hi to lo of the chain; the first one has all, an heir is made by each cut.
 * User mode is left only by an interrupt.
 *
 * So when all is quiet, the killed thread has ended; nobody is inside a dead domain; nobody waits in a
 * call whose deadline has passed. Each call has one outcome for its caller; an orphan ends when its first
 * activation has returned, or with that one's domain, and never before; a deadline does not fire on a
 * thread that has ended.
 *
 * CHECK kill quick -DKILL=1
 * CHECK deadlines quick -DD1=1 -DD2=1
 * CHECK die quick -DDIE=1 -DD2=1
 * CHECK both -DKILL=1 -DDIE=1
 * CHECK kill_deadlines -DKILL=1 -DD1=1 -DD2=1
 * CHECK die_deadlines -DDIE=1 -DD1=1 -DD2=1
 * CHECK kill_die_deadline -DKILL=1 -DDIE=1 -DD2=1
 * MUTANT 1 -DD2=1: the chain is looked at before the flag is taken off
 * MUTANT 2 -DDIE=1 -DD2=1: the upper port's holder stays
 * MUTANT 3 -DDIE=1 -DD2=1: the heir goes to user mode without a look
 * MUTANT 4 -DKILL=1 -DD2=1: the order to end stays with the orphan
 * MUTANT 5 -DKILL=1 -DD2=1: the order is moved and the body changed without the lock
 * MUTANT 6 -DKILL=1 -DDIE=1 -DD1=1: leaving a dead service does not cancel its call's deadline
 * MUTANT 7 -DD1=1 -DD2=1: the outer deadline stays with the orphan
 * MUTANT 8 -DD2=1: the flag is raised before the deadline is marked
 * MUTANT 9 -DD2=1 -DKILL=1: a return does not cancel its deadline
 * MUTANT 10 -DKILL=1 -DDIE=1: the outermost cut comes first, and once
 * MUTANT 11 -DKILL=1: an order that comes with the cut is looked for in the orphan only
 */
#ifndef KILL
#define KILL 0
#endif
#ifndef DIE
#define DIE 0
#endif
#ifndef D1
#define D1 0
#endif
#ifndef D2
#define D2 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define FLAG_KILL 1
#define FLAG_UNWIND 2
#define CONTEXTS 3
#define NOBODY 7

/* struct thread */
byte flags[CONTEXTS];
bit pending[CONTEXTS]; /* an interrupt is on its way */
bit dead[CONTEXTS];
byte hi[CONTEXTS];
byte lo[CONTEXTS];
byte made = 1;
/* the identity */
bit body_lock;
byte body;             /* of the thread that others know */
bit ended;
/* the middle service */
bit port_lock;
byte holder;
bit held = 1;
bit dying;
/* the calls: index 1 and 2 */
bit armed[3];
bit passed[3];
byte owner[3];
bit wheel_lock;
byte outcome[3];

byte done;

inline LOCK(l) { atomic { !l -> l = 1 } }
inline UNLOCK(l) { l = 0 }

inline RAISE(who, bits) {
	flags[who] = flags[who] | bits;
	pending[who] = 1
}

/* timeout_cancel */
inline CANCEL(call) {
	LOCK(wheel_lock);
	armed[call] = 0;
	UNLOCK(wheel_lock)
}

/* One outcome each */
inline TELL(call, what) {
	d_step { assert(outcome[call] == 0); outcome[call] = what }
}

/* call_give at the middle port */
inline GIVE() {
	LOCK(port_lock);
	d_step { holder = NOBODY; held = 0 };
	UNLOCK(port_lock)
}

/* Why the chain of `me` is to be cut above a level */
#define WHY2 (lo[me] == 2 && hi[me] < 2 && (dying || passed[2]))
#define WHY1 (lo[me] >= 1 && hi[me] == 0 && ((flags[me] & FLAG_KILL) || passed[1]))

proctype context(byte me) {
	byte cut, heir;
	bit returns;

#if MUT == 3
	if :: me != 0 -> goto L_user :: else fi;
#endif
L_exit: /* exit_work_thread, interrupts off */
	skip;
#if MUT == 1
	d_step { cut = (WHY2 -> 2 : (WHY1 -> 1 : 0)) };
	d_step { flags[me] = flags[me] & ~FLAG_UNWIND };
#else
	d_step { flags[me] = flags[me] & ~FLAG_UNWIND };
	if /* the innermost one's own end comes before */
	:: lo[me] == 1 && dying -> goto L_leave
	:: lo[me] == 0 && (flags[me] & FLAG_KILL) -> goto L_end
	:: else
	fi;
#if MUT == 10
	d_step { cut = (WHY1 -> 1 : (WHY2 -> 2 : 0)) };
#else
	d_step { cut = (WHY2 -> 2 : (WHY1 -> 1 : 0)) };
#endif
#endif
	if
	:: cut == 0 -> goto L_user
	:: else
	fi;

	/* split: interrupts are on */
	d_step { heir = made; made++; hi[heir] = hi[me]; lo[heir] = cut - 1 };
	if
	:: cut == 2 && hi[me] == 0 && D1 -> /* move_deadline */
#if MUT != 7
		LOCK(wheel_lock);
		d_step { owner[1] = heir };
		UNLOCK(wheel_lock)
#endif
	:: else
	fi;
	CANCEL(cut); /* drop_deadline */
	if
	:: cut == 2 && hi[me] < 2 -> /* port_change_holder */
#if MUT != 2
		LOCK(port_lock);
		holder = heir;
		UNLOCK(port_lock)
#endif
	:: else
	fi;
	if
	:: hi[me] == 0 -> /* take_over_identity */
#if MUT == 5
		d_step { flags[heir] = flags[heir] | (flags[me] & FLAG_KILL); flags[me] = flags[me] & ~FLAG_KILL };
		body = heir
#elif MUT == 11
		LOCK(body_lock);
		body = heir;
		UNLOCK(body_lock)
#else
		LOCK(body_lock);
		body = heir;
#if MUT != 4
		d_step { flags[heir] = flags[heir] | (flags[me] & FLAG_KILL); flags[me] = flags[me] & ~FLAG_KILL };
#endif
		UNLOCK(body_lock)
#endif
	:: else
	fi;
	d_step {
		hi[me] = cut;
		if
		:: passed[cut] -> assert(outcome[cut] == 0); outcome[cut] = 2
		:: else
		fi
	};
	run context2(heir);
#if MUT == 10
	goto L_user;
#else
	goto L_exit;
#endif

L_user: /* at level lo, which returns some time or never */
	if
	:: returns = 0
	:: lo[me] > 0 -> returns = 1
	fi;
end_user:
	if
	:: pending[me] ->
		pending[me] = 0;
		if /* upcall_ipi */
		:: flags[me] != 0 -> goto L_exit
		:: else -> goto end_user
		fi
	:: returns && lo[me] == 2 -> /* call_return of the last service */
#if MUT != 9
		CANCEL(2);
#endif
		if
		:: hi[me] == 2 -> goto L_end
		:: else -> TELL(2, 1); lo[me] = 1; goto L_exit
		fi
	:: returns && lo[me] == 1 && !dying -> /* of the middle one */
#if MUT != 9
		CANCEL(1);
#endif
		GIVE();
		if
		:: hi[me] == 1 -> goto L_end
		:: else -> TELL(1, 1); lo[me] = 0; goto L_exit
		fi
	fi;

L_leave: /* call_unwind: off the middle service */
#if MUT != 6
	CANCEL(1);
#endif
	GIVE();
	if
	:: hi[me] == 1 -> goto L_end
	:: else -> TELL(1, 3); lo[me] = 0; goto L_exit
	fi;

L_end: /* thread_exit */
	if
	:: hi[me] == 0 ->
		assert(lo[me] == 0);
		LOCK(body_lock);
		assert(body == me);
		d_step { body = NOBODY; ended = 1 };
		UNLOCK(body_lock)
	:: else
	fi;
	d_step { dead[me] = 1; flags[me] = 0; pending[me] = 0 }
}

/* heir_resume */
proctype context2(byte me) {
	run context(me)
}

#if KILL
/* thread_kill */
proctype killer() {
	LOCK(body_lock);
	if
	:: body != NOBODY -> flags[body] = flags[body] | FLAG_KILL; pending[body] = 1
	:: else
	fi;
	UNLOCK(body_lock);
	done++
}
#endif

#if D1 || D2
/* deadline_fire, under the wheel's lock */
proctype timer(byte call) {
	LOCK(wheel_lock);
	if
	:: armed[call] ->
		assert(!dead[owner[call]]);
		armed[call] = 0;
#if MUT == 8
		RAISE(owner[call], FLAG_UNWIND);
		passed[call] = 1
#else
		passed[call] = 1;
		RAISE(owner[call], FLAG_UNWIND)
#endif
	:: else
	fi;
	UNLOCK(wheel_lock);
	done++
}
#endif

#if DIE
/* domain_kill, port_close, port_interrupt_holders */
proctype closer() {
	dying = 1;
	LOCK(port_lock);
	if
	:: holder != NOBODY -> RAISE(holder, FLAG_UNWIND)
	:: else
	fi;
	UNLOCK(port_lock);
	done++
}
#endif

init {
	atomic {
		lo[0] = 2;
		armed[1] = D1;
		armed[2] = D2;
		run context(0);
#if KILL
		run killer();
#endif
#if D1
		run timer(1);
#endif
#if D2
		run timer(2);
#endif
#if DIE
		run closer();
#endif
	}
}

byte i;

active proctype settled() {
	timeout ->
	assert(done == KILL + DIE + D1 + D2);
	assert(ended || !KILL);
	for (i : 0 .. CONTEXTS - 1) {
		if
		:: i < made && !dead[i] ->
			assert(!(dying && hi[i] <= 1 && lo[i] >= 1));
			assert(!(passed[2] && hi[i] < 2 && lo[i] == 2));
			assert(!(passed[1] && hi[i] < 1 && lo[i] >= 1));
			assert(!pending[i])
		:: else
		fi
	}
}
