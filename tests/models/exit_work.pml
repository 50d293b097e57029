/* SPDX-License-Identifier: MIT */
/*
 * A thread learns that it must end or leave: thread_raise and sched_switch_away in
 * sched/runqueue.c, upcall_ipi, kernel/core/exit_work.c, ipc/call.c, thread_first_code.
 *
 * One thread starts, computes in user mode for ever, and may call a service NCALL times, from user
 * mode or again from the kernel; the service answers or computes for ever. The thread is preempted
 * at most NPRE times, wherever interrupts are on or it yields. KILL: somebody kills the thread. DIE:
 * the service's domain dies. STRAY: THREAD_UNWIND that was meant for an earlier call comes late.
 * User mode is left only by an interrupt: nothing else of the machine helps. So when all is quiet, a
 * killed thread has ended and nobody is inside a dead domain.
 *
 * Each entry to user mode looks at core.work with interrupts off; what is raised after the look
 * sends an interrupt that user mode takes.
 *
 * CHECK kill quick -DKILL=1 -DNCALL=1
 * CHECK die -DDIE=1 -DNCALL=2
 * CHECK both quick -DKILL=1 -DDIE=1 -DNCALL=1 -DSTRAY=1
 * CHECK twice -DKILL=1 -DDIE=1 -DNCALL=2 -DNPRE=2 -DSTRAY=1
 * MUTANT 1 -DKILL=1: upcall_exit_work looks at the flags, then yields
 * MUTANT 2 -DKILL=1 -DSTRAY=1: exit_work_thread looks at the flags, then turns interrupts on and off
 * MUTANT 3 -DDIE=1 -DNCALL=1 -DSTRAY=1: THREAD_UNWIND is cleared after the look at the domain
 * MUTANT 4 -DKILL=1: thread_first_code enters user mode without a look
 * MUTANT 5 -DDIE=1 -DNCALL=1: call_run_user enters the service without a look
 * MUTANT 6 -DKILL=1: sched_switch_away does not look at the flags of the thread that comes
 * MUTANT 7 -DKILL=1: thread_raise sets the flag after its interrupt
 * MUTANT 8 -DDIE=1 -DNCALL=1: domain_kill raises before the domain is marked
 * MUTANT 9 -DKILL=1: upcall_ipi does not look at the flags
 * MUTANT 10 -DDIE=1 -DNCALL=1: upcall_domain_closing looks once for the holder
 * MUTANT 11 -DNCALL=1 -DSTRAY=1: the work bit stays when the flag has gone
 */
#ifndef KILL
#define KILL 0
#endif
#ifndef DIE
#define DIE 0
#endif
#ifndef NCALL
#define NCALL 0
#endif
#ifndef NPRE
#define NPRE 1
#endif
#ifndef STRAY
#define STRAY 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define FLAG_KILL 1
#define FLAG_UNWIND 2

/* struct thread */
byte flags;
bit running;  /* state; its queue's lock is held over the switch, so a switch is one step */
bit ended;
/* struct core */
bit work;     /* WORK_THREAD */
bit again;    /* WORK_RESCHEDULE */
bit pending;  /* IPI_RESCHEDULE */
/* the service's port and domain */
bit held;     /* WORD_RUN in port.word */
bit noted;    /* port.holder */
bit dying;    /* domain.state; its ports are closed with it */
bit inside;   /* the activation */

byte preempted;
byte done;

/* sched_switch_away, twice: off the core and on it again */
inline SWITCH() {
	running = 0;
	d_step {
		running = 1;
#if MUT == 6
		work = 0;
#else
		work = (flags != 0);
#endif
		again = 0
	}
}

/* upcall_ipi; the timer's interrupt asks for another thread */
inline INTERRUPT() {
	if
	:: pending ->
		pending = 0;
#if MUT != 9
		if :: flags != 0 -> work = 1 :: else fi
#else
		skip
#endif
	:: preempted < NPRE -> preempted++; again = 1
	fi
}

/* A stretch of kernel code with interrupts on: any number of them may come */
inline WINDOW() {
	do
	:: INTERRUPT();
		if :: again -> SWITCH() :: else fi /* upcall_preempt_kernel */
	:: true -> break
	od
}

/* call_give */
inline GIVE() {
	noted = 0;
	held = 0
}

/* call_settle_unwind, interrupts off: the flag goes first, then the domain is looked at */
inline SETTLE() {
	d_step { flags = flags & ~FLAG_UNWIND };
#if MUT != 3
	if
	:: inside && dying -> d_step { flags = flags | FLAG_UNWIND }
	:: else
	fi;
#endif
#if MUT == 11
	skip
#else
	if :: flags == 0 -> work = 0 :: else fi
#endif
}

proctype thread() {
	byte calls, seen;

	SWITCH(); /* it was ready */
#if MUT == 4
	goto L_user; /* thread_first_code */
#endif

L_exit: /* upcall_exit_work, interrupts off */
	skip;
#if MUT == 1
	if :: work -> goto L_work :: else fi;
L_yield:
	if :: again -> SWITCH(); goto L_yield :: else -> goto L_user fi;
#else
	if :: again -> SWITCH(); goto L_exit :: else fi;
	if :: work -> goto L_work :: else -> goto L_user fi;
#endif

L_work: /* exit_work_thread */
	skip;
#if MUT == 2
	seen = flags;
	WINDOW();
	if :: inside && dying -> goto L_unwind :: else fi;
	if :: seen & FLAG_KILL && !inside -> goto L_end :: else fi;
	SETTLE();
	goto L_exit_or_user;
#else
#if MUT == 3
	if :: inside && dying -> goto L_unwind :: else fi;
#endif
	SETTLE();
	seen = flags;
	if
#if MUT != 3
	:: inside && dying -> goto L_unwind
#endif
	:: seen & FLAG_KILL && !inside -> goto L_end /* thread_exit */
	:: else /* nothing, or inside a living service: later */
	fi;
#endif
#if MUT == 1
	goto L_yield;
#endif
#if MUT == 2
L_exit_or_user:
	skip;
	if :: again -> SWITCH(); goto L_exit :: else fi;
#endif

L_user: /* interrupts on, in user mode */
	skip;
	if
	:: inside -> goto L_return
	:: !inside && calls < NCALL -> goto L_call
	:: true /* computes for ever */
	fi;
end_user:
	if
	:: pending -> INTERRUPT(); goto L_exit
	:: preempted < NPRE -> INTERRUPT(); goto L_exit
	fi;

L_call: /* call_from_user, call_port */
	WINDOW();
	calls++;
	if /* baton_take */
	:: atomic { !dying -> held = 1 }
	:: atomic { dying -> goto L_exit }
	fi;
	WINDOW();
	noted = 1;
	WINDOW();
L_enter: /* call_run_user: interrupts off to the end */
	skip;
#if MUT != 5
	if
	:: work ->
		assert(flags != 0); /* else a call is refused without a reason */
		WINDOW();
		GIVE();
		goto L_called
	:: !work && again -> SWITCH(); goto L_enter
	:: else
	fi;
#endif
	inside = 1; /* activation_enter_user */
	goto L_user;

L_return: /* call_return */
	WINDOW();
L_unwind: /* call_unwind: off the activation */
	inside = 0;
	if
	:: true -> GIVE(); WINDOW(); goto L_exit /* activation_pop_to_user */
	:: true -> SETTLE(); WINDOW(); GIVE() /* activation_pop_to_kernel, call_run_user, call_port */
	fi;
L_called:
	WINDOW();
	if
	:: calls < NCALL -> goto L_call /* the kernel calls again */
	:: true -> goto L_exit
	fi;

L_end:
	skip;
	d_step {
		ended = 1; running = 0; work = 0; pending = 0; again = 0;
		done++; seen = 0; calls = 0
	}
}

/* thread_raise; the thread's queue is locked, so it does not switch meanwhile */
inline RAISE(bits) {
#if MUT != 7
	d_step { flags = flags | bits };
#endif
	d_step { if :: running -> pending = 1 :: else fi } /* else it finds the flag itself */
#if MUT == 7
	;
	d_step { flags = flags | bits }
#endif
}

#if KILL
proctype killer() {
	RAISE(FLAG_KILL);
	done++
}
#endif

#if STRAY
proctype late() {
	RAISE(FLAG_UNWIND);
	done++
}
#endif

#if DIE
/* domain_kill, upcall_domain_closing, port_interrupt_holder */
proctype reaper() {
#if MUT == 8
	if :: noted -> RAISE(FLAG_UNWIND) :: else fi;
	dying = 1;
#else
	dying = 1;
	do
	:: noted -> RAISE(FLAG_UNWIND); break
	:: !noted && !held -> break
#if MUT == 10
	:: !noted && held -> break
#endif
	od;
#endif
	done++
}
#endif

init {
	atomic {
		if :: preempted = 0 :: preempted = NPRE fi; /* perhaps the timer never comes */
		run thread();
#if KILL
		run killer();
#endif
#if STRAY
		run late();
#endif
#if DIE
		run reaper();
#endif
	}
}

active proctype settled() {
	timeout ->
	assert(done == ended + KILL + DIE + STRAY);
	assert(ended || !KILL || (inside && !dying)); /* it ends when the living service answers */
	assert(!(inside && dying)); /* else it computes in a dead domain for ever */
	assert(!pending)
}
