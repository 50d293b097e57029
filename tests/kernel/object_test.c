/* SPDX-License-Identifier: MIT */
/* Reference counts. */
#include "kernel/object/object.h"

#include "kernel/base/atomic.h"
#include "tests/kernel/crew.h"

#define WORKERS 4U
#define ROUNDS 2000U

static uint32_t destroyed;

static void note_destroyed(struct object *object)
{
    (void)object;
    atomic_add_relaxed(&destroyed, 1); /* relaxed: a count */
}

TEST(object, the_last_release_destroys_it_once)
{
    struct object object;

    destroyed = 0;
    object_init(&object, OBJECT_PORT, note_destroyed);
    object_retain(&object);
    object_release(&object);
    EXPECT_EQ(destroyed, 0);
    object_release(&object);
    EXPECT_EQ(destroyed, 1);
}

TEST(object, after_the_last_release_nobody_gets_a_reference)
{
    struct object object;

    destroyed = 0;
    object_init(&object, OBJECT_PORT, note_destroyed);
    EXPECT_TRUE(object_retain_try(&object));
    object_release(&object);
    object_release(&object);
    EXPECT_FALSE(object_retain_try(&object));
    EXPECT_EQ(destroyed, 1);
}

static void retain_and_release(void *member)
{
    struct object *object = ((struct crew_member *)member)->shared;

    for (unsigned i = 0; i < ROUNDS; i++) {
        object_retain(object);
        EXPECT_TRUE(object_retain_try(object));
        object_release(object);
        object_release(object);
    }
}

TEST(object, references_of_all_cores_balance)
{
    struct object object;

    destroyed = 0;
    object_init(&object, OBJECT_PORT, note_destroyed);
    crew_run(WORKERS, retain_and_release, &object);
    EXPECT_EQ(object.references, 1);
    EXPECT_EQ(destroyed, 0);
    object_release(&object);
    EXPECT_EQ(destroyed, 1);
}
