/* SPDX-License-Identifier: MIT */
/*
 * The two users of the formatting engine: bounded strings and the kernel's log.
 */
#include "kernel/base/print.h"

#include <string.h>

#include "kernel/base/atomic.h"

/* A sink that fills a buffer and counts what there would have been. */
struct buffer_sink {
    struct format_sink sink;
    char *buffer;
    size_t size;
    size_t total;
};

static void buffer_write(struct format_sink *sink, const char *bytes, size_t count)
{
    struct buffer_sink *into = container_of(sink, struct buffer_sink, sink);
    size_t room = into->total < into->size ? into->size - into->total : 0;

    if (room > 0) { /* memcpy must not see a NULL buffer */
        memcpy(into->buffer + into->total, bytes, count < room ? count : room);
    }
    into->total += count;
}

int format_string_list(char *buffer, size_t size, const char *text, va_list arguments)
{
    struct buffer_sink into = {.sink.write = buffer_write, .buffer = buffer, .size = size};

    format(&into.sink, text, arguments);
    if (size > 0) {
        buffer[into.total < size ? into.total : size - 1] = '\0';
    }
    return (int)into.total;
}

int format_string(char *buffer, size_t size, const char *text, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, text);
    length = format_string_list(buffer, size, text, arguments);
    va_end(arguments);
    return length;
}

static void (*log_sink)(const char *bytes, size_t count);

void print_set_sink(void (*sink)(const char *bytes, size_t count))
{
    /* release: what the sink uses is set up first; pairs with print_list */
    atomic_store_release(&log_sink, sink);
}

void print_list(const char *text, va_list arguments)
{
    static const char cut[] = "...\n";
    char buffer[PRINT_MAX_BYTES + 1];
    size_t length = (size_t)format_string_list(buffer, sizeof buffer, text, arguments);
    /* acquire: pairs with print_set_sink */
    void (*sink)(const char *bytes, size_t count) = atomic_load_acquire(&log_sink);

    if (length > PRINT_MAX_BYTES) {
        length = PRINT_MAX_BYTES;
        memcpy(buffer + length - (sizeof cut - 1), cut, sizeof cut - 1);
    }
    if (sink != NULL && length > 0) {
        sink(buffer, length);
    }
}

void print(const char *text, ...)
{
    va_list arguments;

    va_start(arguments, text);
    print_list(text, arguments);
    va_end(arguments);
}
