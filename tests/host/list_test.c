/* SPDX-License-Identifier: MIT */
/* Tests the intrusive list. */

#include "kernel/base/list.h"
#include "tests/test.h"

struct item {
    int number;
    struct list link;
};

static struct item items[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};

static struct list *link_of(int number)
{
    return &items[number].link;
}

/* The numbers on the list as the digits of a decimal number. */
static int digits(struct list *head)
{
    int result = 0;

    list_for_each_entry(struct item, item, head, link)
    {
        result = result * 10 + item->number;
    }
    return result;
}

TEST(list, push_back_keeps_and_push_front_reverses_the_order)
{
    struct list head = LIST_INIT(head);

    list_push_back(&head, link_of(1));
    list_push_back(&head, link_of(2));
    list_push_front(&head, link_of(3));
    EXPECT_EQ(digits(&head), 312);
    EXPECT_TRUE(list_first(&head) == link_of(3));
    EXPECT_TRUE(list_last(&head) == link_of(2));
    EXPECT_TRUE(list_next(&head, link_of(1)) == link_of(2));
    EXPECT_TRUE(list_next(&head, link_of(2)) == NULL);
}

TEST(list, empty_list_has_no_first_entry)
{
    struct list head;

    list_init(&head);
    EXPECT_TRUE(list_is_empty(&head));
    EXPECT_TRUE(list_first(&head) == NULL);
    EXPECT_TRUE(list_last(&head) == NULL);
    EXPECT_TRUE(list_pop_front(&head) == NULL);
}

TEST(list, removed_link_is_unlinked_and_may_be_removed_again)
{
    struct list head = LIST_INIT(head);

    list_push_back(&head, link_of(1));
    list_push_back(&head, link_of(2));
    EXPECT_TRUE(list_is_linked(link_of(1)));
    list_remove(link_of(1));
    EXPECT_FALSE(list_is_linked(link_of(1)));
    list_remove(link_of(1));
    EXPECT_EQ(digits(&head), 2);
    EXPECT_TRUE(list_pop_front(&head) == link_of(2));
    EXPECT_TRUE(list_is_empty(&head));
}

TEST(list, safe_walk_may_remove_every_entry)
{
    struct list head = LIST_INIT(head);
    int seen = 0;

    for (int i = 1; i < 4; i++) {
        list_push_back(&head, link_of(i));
    }
    list_for_each_safe(link, &head)
    {
        seen = seen * 10 + list_entry(link, struct item, link)->number;
        list_remove(link);
    }
    EXPECT_EQ(seen, 123);
    EXPECT_TRUE(list_is_empty(&head));
}

TEST(list, splice_moves_all_entries_to_the_end)
{
    struct list first = LIST_INIT(first);
    struct list second = LIST_INIT(second);

    list_push_back(&first, link_of(1));
    list_push_back(&second, link_of(2));
    list_push_back(&second, link_of(3));
    list_splice_back(&first, &second);
    EXPECT_EQ(digits(&first), 123);
    EXPECT_TRUE(list_is_empty(&second));
    list_splice_back(&first, &second);
    EXPECT_EQ(digits(&first), 123);
}
