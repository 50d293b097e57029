/* SPDX-License-Identifier: MIT */
/*
 * The model checker's side: Relacy's atomics and race detector behind kernel/base/atomic_model.h.
 *
 * An atomic of the code under test is a plain variable; what Relacy knows of it lies in a shadow
 * found by its address. The C files are compiled with -fsanitize=thread but linked without its
 * library: the calls that the compiler puts before each plain access come here, so a plain access
 * that no order covers is found, whatever values it saw.
 *
 * Usage: relacy-tests --list
 *        relacy-tests <test> random|full [--long] [--weaken=<file>:<first>:<last>:<order>]
 * Exit code: 0 it holds, 1 an error was found, 2 wrong usage. Without --weaken it prints each site
 * with an order that ran: `site <file>:<line> <order>`.
 */
#include "tests/relacy/shadow.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
extern const struct model_test __start_model_tests[];
extern const struct model_test __stop_model_tests[];
}

#define LONG_FACTOR 50U
#define STEPS_MAX 20000U /* steps of one execution: more is a livelock */

template <int threads> struct suite : rl::test_suite<suite<threads>, threads> {
    void before()
    {
        running = false;
        atomic_count = 0;
        forget_plain(false);
        test->before();
        make_atomics();
        running = true;
    }

    void thread(unsigned self)
    {
        resumed();
        test->thread(self);
    }

    void after()
    {
        running = false;
        if (test->after != NULL) {
            test->after();
        }
        forget_plain(true);
        forget_atomics();
    }
};

static bool simulate(rl::test_params &params)
{
    switch (test->threads) {
    case 2:
        return rl::simulate<suite<2>>(params);
    case 3:
        return rl::simulate<suite<3>>(params);
    default:
        return rl::simulate<suite<4>>(params);
    }
}

static bool parse_weaken(char *text)
{
    char *field[4];

    for (unsigned i = 0; i < 4; i++) {
        field[i] = strtok(i == 0 ? text : NULL, ":");
        if (field[i] == NULL) {
            return false;
        }
    }
    weak_file = field[0];
    weak_first = atoi(field[1]);
    weak_last = atoi(field[2]);
    for (int order = 0; order < 5; order++) {
        if (strcmp(field[3], order_name[order]) == 0) {
            weak_order = order;
        }
    }
    return weak_order >= 0;
}

static int list_tests()
{
    for (const struct model_test *at = __start_model_tests; at < __stop_model_tests; at++) {
        printf("%s random\n", at->name);
        if (at->exhaustive) {
            printf("%s full\n", at->name);
        }
    }
    return 0;
}

static int simulate_and_print(const char *scheduler, unsigned factor, bool show)
{
    std::ostream nothing(NULL);
    rl::test_params params;

    params.iteration_count = test->rounds * factor;
    params.search_type = strcmp(scheduler, "full") == 0 ? rl::sched_full : rl::sched_random;
    params.execution_depth_limit = STEPS_MAX;
    params.output_stream = show ? &std::cout : &nothing;
    params.progress_stream = &nothing;
    params.collect_history = show; /* else Relacy runs the failing execution again, to show it */
    bool holds = simulate(params);
    if (!show && !known->has_grown) {
        printf("iterations %llu\n", (unsigned long long)params.stop_iteration);
        for (unsigned i = 0; i < site_count && weak_order < 0; i++) {
            printf("site %s:%d %s\n", sites[i].file, sites[i].line, order_name[sites[i].order]);
        }
    }
    return holds ? 0 : 1;
}

/* In a process of its own, so that the variables of the code under test begin as they are in the
 * program's file, whatever an execution that failed left in them. */
static int run_apart(const char *scheduler, unsigned factor, bool show)
{
    int status = 0;

    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        exit(simulate_and_print(scheduler, factor, show));
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return 2;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

int main(int argc, char **argv)
{
    unsigned factor = 1;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        return list_tests();
    }
    for (const struct model_test *at = __start_model_tests; at < __stop_model_tests; at++) {
        if (argc >= 3 && strcmp(argv[1], at->name) == 0) {
            test = at;
        }
    }
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--long") == 0) {
            factor = LONG_FACTOR;
        } else if (strncmp(argv[i], "--weaken=", 9) != 0 || !parse_weaken(argv[i] + 9)) {
            test = NULL;
        }
    }
    if (test == NULL) {
        fprintf(stderr, "usage: see the head of tests/relacy/model.cpp\n");
        return 2;
    }
    known = (struct known_atomics *)mmap(NULL, sizeof(*known), PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int code;
    do {
        known->has_grown = false;
        code = run_apart(argv[2], factor, false);
    } while (known->has_grown);
    if (code == 1 && weak_order < 0) {
        (void)run_apart(argv[2], factor, true);
    }
    return code;
}
