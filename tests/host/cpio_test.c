/* SPDX-License-Identifier: MIT */
/* Tests the reader of boot archives with archives built here, whole and damaged. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/cpio.h"
#include "tests/test.h"

#define REGULAR 0100644U
#define DIRECTORY 040755U
#define FIELD_AT(index) (6 + 8 * (index)) /* of the index-th number in a header */

static uint8_t image[4096];
static size_t image_bytes;

static void append(const void *bytes, size_t count)
{
    memcpy(image + image_bytes, bytes, count);
    image_bytes += count;
    while (image_bytes % 4 != 0) {
        image[image_bytes++] = 0;
    }
}

static void append_file(const char *name, unsigned mode, const char *data)
{
    char header[512];
    int length = snprintf(header, sizeof header,
                          "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", 1U, mode,
                          0U, 0U, 1U, 0U, (unsigned)strlen(data), 0U, 0U, 0U, 0U,
                          (unsigned)strlen(name) + 1, 0U, name);

    append(header, (size_t)length + 1);
    append(data, strlen(data));
}

static void build(void)
{
    image_bytes = 0;
    append_file(".", DIRECTORY, "");
    append_file("./init", REGULAR, "hello");
    append_file("empty", REGULAR, "");
    append_file("docs", DIRECTORY, "");
    append_file("docs/readme", REGULAR, "text of four");
    append_file("TRAILER!!!", 0, "");
}

/* Checks an exact copy of the image, so that a read beyond its end is seen. */
static status_t check_image(const char **why)
{
    uint8_t *copy = malloc(image_bytes == 0 ? 1 : image_bytes);
    struct cpio archive;
    status_t status;

    memcpy(copy, image, image_bytes);
    status = cpio_check(copy, image_bytes, &archive, why);
    if (status == OK) {
        struct cpio_entry entry = {0};

        while (cpio_next(&archive, &entry)) {
            test_check(entry.bytes <= image_bytes, __FILE__, __LINE__, "an entry is inside");
        }
    }
    free(copy);
    return status;
}

TEST(cpio, finds_files_by_plain_name)
{
    struct cpio archive;
    const char *why = "";
    const uint8_t *data = NULL;
    size_t bytes = 0;

    build();
    ASSERT_TRUE(cpio_check(image, image_bytes, &archive, &why) == OK);
    ASSERT_TRUE(cpio_find(&archive, "init", &data, &bytes) == OK);
    EXPECT_EQ(bytes, 5);
    EXPECT_TRUE(memcmp(data, "hello", 5) == 0);
    EXPECT_OK(cpio_find(&archive, "/docs/readme", &data, &bytes));
    EXPECT_EQ(bytes, 12);
    EXPECT_OK(cpio_find(&archive, "empty", &data, &bytes));
    EXPECT_EQ(bytes, 0);
}

TEST(cpio, directories_and_unknown_names_are_not_found)
{
    struct cpio archive;
    const char *why = "";
    const uint8_t *data = NULL;
    size_t bytes = 77;

    build();
    ASSERT_TRUE(cpio_check(image, image_bytes, &archive, &why) == OK);
    EXPECT_EQ(cpio_find(&archive, "docs", &data, &bytes), ERR_NOT_FOUND);
    EXPECT_EQ(cpio_find(&archive, "TRAILER!!!", &data, &bytes), ERR_NOT_FOUND);
    EXPECT_EQ(cpio_find(&archive, "ini", &data, &bytes), ERR_NOT_FOUND);
    EXPECT_TRUE(data == NULL && bytes == 77);
}

TEST(cpio, iterates_in_archive_order)
{
    struct cpio archive;
    struct cpio_entry entry = {0};
    const char *why = "";
    char names[128] = "";

    build();
    ASSERT_TRUE(cpio_check(image, image_bytes, &archive, &why) == OK);
    while (cpio_next(&archive, &entry)) {
        strcat(names, entry.name);
        strcat(names, cpio_is_regular(&entry) ? ";" : "/;");
    }
    EXPECT_TEXT(names, "./;init;empty;docs/;docs/readme;");
}

/* Builds, overwrites eight digits of the first header, and expects the complaint. */
static void expect_field(unsigned index, const char *digits, const char *complaint)
{
    const char *why = "";

    build();
    memcpy(image + FIELD_AT(index), digits, 8);
    EXPECT_EQ(check_image(&why), ERR_BAD_FORMAT);
    EXPECT_TRUE(strstr(why, complaint) != NULL);
}

TEST(cpio, each_damaged_field_is_named)
{
    static const char *const names[] = {"c_ino",      "c_mode",      "c_uid",       "c_gid",
                                        "c_nlink",    "c_mtime",     "c_filesize",  "c_devmajor",
                                        "c_devminor", "c_rdevmajor", "c_rdevminor", "c_namesize",
                                        "c_check"};
    const char *why = "";

    for (unsigned i = 0; i < 13; i++) {
        expect_field(i, "0000000g", names[i]);
    }
    expect_field(6, "ffffffff", "c_filesize");
    expect_field(11, "ffffffff", "c_namesize");
    expect_field(11, "00000000", "c_namesize");
    expect_field(11, "00000001", "c_namesize");
    expect_field(11, "00000003", "c_namesize");
    expect_field(12, "00000001", "c_check");
    build();
    image[0] = '1';
    EXPECT_EQ(check_image(&why), ERR_BAD_FORMAT);
    EXPECT_TRUE(strstr(why, "c_magic") != NULL);
}

TEST(cpio, every_truncation_is_refused)
{
    const char *why = "";
    size_t whole;

    build();
    whole = image_bytes - 1; /* the last bytes are the padding of the trailer's name */
    while (image_bytes > 0 && image[image_bytes - 1] == 0) {
        image_bytes--;
    }
    for (; image_bytes > 0; image_bytes--) {
        EXPECT_EQ(check_image(&why), ERR_BAD_FORMAT);
    }
    EXPECT_TRUE(whole > 0);
    EXPECT_EQ(check_image(&why), ERR_BAD_FORMAT);
}

TEST(cpio, archive_without_trailer_is_refused)
{
    const char *why = "";

    image_bytes = 0;
    append_file("init", REGULAR, "hello");
    EXPECT_EQ(check_image(&why), ERR_BAD_FORMAT);
    EXPECT_TRUE(strstr(why, "TRAILER") != NULL);
}

TEST(cpio, random_damage_never_reads_outside)
{
    const char *why = "";

    srand(1);
    for (unsigned round = 0; round < 5000; round++) {
        build();
        for (int i = rand() % 4; i >= 0; i--) {
            image[(unsigned)rand() % image_bytes] = (uint8_t) "0123456789abcdefZ"[rand() % 17];
        }
        (void)check_image(&why);
    }
}
