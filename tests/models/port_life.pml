/* SPDX-License-Identifier: MIT */
/*
 * A port that is made while its domain dies: ipc/port.c (port_create, port_adopt, port_close,
 * port_retire, domain_close_one), sched/domain.c (domain_kill), sched/reaper.c, and the references
 * of kernel/object/object.c.
 *
 * One thread of the domain makes NPORT ports, another kills the domain, the reaper finishes it. With
 * THIRD somebody else finds each port by its id, when that is known, and closes it, too. Nobody calls: that is
 * baton.pml.
 *
 * CHECK all quick -DNPORT=2
 * CHECK third -DNPORT=1 -DTHIRD=1
 * MUTANT 1: port_create takes the open port's reference after the port can be found
 * MUTANT 2: port_adopt does not look whether the domain lives
 * MUTANT 3 -DTHIRD=1: domain_close_one takes no reference
 * MUTANT 4 -DTHIRD=1: port_find retains without a look at the count
 * MUTANT 5: domain_kill closes the ports before it marks the domain
 * MUTANT 6 -DTHIRD=1: port_retire tells the reaper before the port is off the list
 * MUTANT 7 -DTHIRD=1: port_close retires although another has closed the port
 */
#ifndef NPORT
#define NPORT 1
#endif
#ifndef THIRD
#define THIRD 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define NIL 255

/* the domain: its lock, state and list of ports */
bit domain_lock;
bit dying;
bit listed[NPORT];
/* the table of ports, under its own lock */
bit in_table[NPORT];
/* each port */
bit closed[NPORT];
byte references[NPORT];
bit made[NPORT], named[NPORT], freed[NPORT], retired[NPORT];
/* the reaper */
bit to_finish; /* dying_domains */
bit token;
bit finished;

byte done;

#define LOCK atomic { domain_lock == 0 -> domain_lock = 1 }
#define UNLOCK d_step { assert(domain_lock); domain_lock = 0 }
#define RETAIN(p) d_step { assert(references[p] > 0); references[p]++ }
#define RELEASE(p) \
	d_step { \
		assert(references[p] > 0); \
		references[p]--; \
		if :: references[p] == 0 -> assert(!freed[p]); freed[p] = 1 :: else fi \
	}
#define NOTIFY token = 1 /* reaper_notify */

/* port_close of a port in which nobody runs, with port_retire; first is scratch */
inline CLOSE(p, first) {
	d_step { /* under the port's lock */
		assert(!freed[p]);
		first = !closed[p];
		closed[p] = 1;
		if :: first -> references[p]++ :: else fi
	};
#if MUT == 7
	if :: !first -> RETAIN(p); first = 1 :: else fi;
#endif
	if
	:: first ->
		d_step { assert(!retired[p]); retired[p] = 1; in_table[p] = 0 };
#if MUT == 6
		if :: dying -> NOTIFY :: else fi;
#endif
		LOCK;
		listed[p] = 0;
		UNLOCK;
#if MUT != 6
		if :: dying -> NOTIFY :: else fi;
#endif
		RELEASE(p); /* the open port's own */
		RELEASE(p)
	:: else
	fi;
	first = 0
}

proctype creator() {
	byte p;
	bit alive;

	do
	:: p < NPORT ->
		/* port_create */
#if MUT == 1
		references[p] = 1;
#else
		references[p] = 2; /* the caller's and the open port's own */
#endif
		d_step { made[p] = 1; in_table[p] = 1 }; /* port_table_add */
		LOCK; /* port_adopt */
#if MUT == 2
		alive = 1;
#else
		alive = !dying;
#endif
		if :: alive -> listed[p] = 1 :: else fi;
		UNLOCK;
		if
		:: alive ->
#if MUT == 1
			RETAIN(p);
#endif
			named[p] = 1; /* port_create returns; its id is told to others */
			RELEASE(p) /* the caller's handle is closed with its table */
		:: else ->
			in_table[p] = 0;
#if MUT != 1
			RELEASE(p);
#endif
			RELEASE(p)
		fi;
		d_step { p++; alive = 0 }
	:: else -> break
	od;
	skip;
	d_step { done++; p = 0 }
}

/* domain_kill, upcall_domain_closing */
proctype killer() {
	byte p;
	bit first;

#if MUT != 5
	LOCK;
	dying = 1;
	UNLOCK;
#endif
	do /* domain_close_one */
	:: true ->
		LOCK;
		d_step {
			p = 0;
			do
			:: p < NPORT && !(listed[p] && !closed[p]) -> p++
			:: else -> break
			od
		};
		if
		:: p < NPORT ->
#if MUT != 3
			RETAIN(p);
#endif
			UNLOCK;
			CLOSE(p, first);
#if MUT != 3
			RELEASE(p)
#endif
		:: else -> UNLOCK; break
		fi
	od;
#if MUT == 5
	LOCK;
	dying = 1;
	UNLOCK;
#endif
	to_finish = 1; /* reaper_add_domain */
	NOTIFY;
	d_step { done++; p = 0 }
}

/* reaper_loop, reaper_take_domains */
proctype reaper() {
	byte p;

end:
	do
	:: atomic { token -> token = 0 };
		if
		:: to_finish ->
			LOCK; /* upcall_domain_is_quiet; threads are not modelled */
			d_step {
				p = 0;
				do :: p < NPORT && !listed[p] -> p++ :: else -> break od;
				finished = (p == NPORT);
				p = 0
			};
			UNLOCK;
			to_finish = !finished
		:: else
		fi
	od
}

#if THIRD
/* port_find, port_close with ERR_STALE */
proctype third() {
	byte p;
	bit first, found;

	do
	:: p < NPORT ->
		if :: named[p] :: true -> break fi; /* an id is known only then */
#if MUT == 4
		if
		:: in_table[p] -> RETAIN(p); found = 1
		:: else
		fi;
#else
		d_step { /* under the table's lock: object_retain_try */
			if
			:: in_table[p] && references[p] > 0 -> references[p]++; found = 1
			:: else
			fi
		};
#endif
		if
		:: found -> CLOSE(p, first); RELEASE(p)
		:: else
		fi;
		d_step { p++; found = 0 }
	:: else -> break
	od;
	skip;
	d_step { done++; p = 0 }
}
#endif

init {
	atomic {
		run creator();
		run killer();
		run reaper();
#if THIRD
		run third();
#endif
	}
}

active proctype settled() {
	byte p;

	timeout ->
	assert(done == 2 + THIRD && !domain_lock);
	assert(finished); /* else the domain is never taken back */
	do
	:: p < NPORT ->
		assert(made[p] && !listed[p] && !in_table[p]);
		assert(freed[p] && references[p] == 0);
		p++
	:: else -> break
	od
}
