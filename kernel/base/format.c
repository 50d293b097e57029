/* SPDX-License-Identifier: MIT */
/*
 * The formatting engine behind print and format_string.
 *
 * It is Baton's own and not picolibc's, because the kernel has no floating point, no stdio
 * streams and no errno, and needs output in one piece.
 */
#include <string.h>

#include "kernel/base/print.h"

#define NUMBER_MAX_DIGITS 20 /* 2^64 in decimal */

struct conversion {
    struct format_sink *sink;
    bool left;
    bool zero;
    bool has_precision;
    unsigned width;
    unsigned precision;
    unsigned longs; /* 0 int, 1 long, 2 long long; size_t counts as long */
};

static void put(struct format_sink *sink, const char *bytes, size_t count)
{
    if (count > 0) {
        sink->write(sink, bytes, count);
    }
}

static void put_repeated(struct format_sink *sink, char byte, unsigned count)
{
    while (count-- > 0) {
        put(sink, &byte, 1);
    }
}

static void put_padded(const struct conversion *spec, const char *bytes, size_t count)
{
    unsigned padding = spec->width > count ? spec->width - (unsigned)count : 0;

    put_repeated(spec->sink, ' ', spec->left ? 0 : padding);
    put(spec->sink, bytes, count);
    put_repeated(spec->sink, ' ', spec->left ? padding : 0);
}

static void put_string(const struct conversion *spec, const char *string)
{
    const char *text = string != NULL ? string : "(null)";

    put_padded(spec, text, spec->has_precision ? strnlen(text, spec->precision) : strlen(text));
}

/* `prefix` is the sign or 0x; precision is the least number of digits, as in C. */
static void put_number(const struct conversion *spec, const char *prefix, uint64_t value,
                       unsigned base, const char *digit)
{
    char text[NUMBER_MAX_DIGITS];
    char *first = text + sizeof text;
    unsigned digits;
    unsigned total;
    unsigned zeros = 0;

    do {
        *--first = digit[value % base];
        value /= base;
    } while (value != 0);
    digits = (unsigned)(text + sizeof text - first);
    total = digits + (unsigned)strlen(prefix);
    if (spec->has_precision) {
        zeros = spec->precision > digits ? spec->precision - digits : 0;
    } else if (spec->zero && !spec->left) {
        zeros = spec->width > total ? spec->width - total : 0;
    }
    total += zeros;
    put_repeated(spec->sink, ' ', !spec->left && spec->width > total ? spec->width - total : 0);
    put(spec->sink, prefix, strlen(prefix));
    put_repeated(spec->sink, '0', zeros);
    put(spec->sink, first, digits);
    put_repeated(spec->sink, ' ', spec->left && spec->width > total ? spec->width - total : 0);
}

/* Reads a decimal number; more than four digits of width are nobody's intention. */
static const char *parse_number(const char *text, unsigned *number)
{
    *number = 0;
    while (*text >= '0' && *text <= '9') {
        if (*number < 1000) {
            *number = *number * 10 + (unsigned)(*text - '0');
        }
        text++;
    }
    return text;
}

/* The arguments in a structure, so that functions can take from them by pointer. */
struct arguments {
    va_list list;
};

static const char *parse_flags(struct conversion *spec, const char *text,
                               struct arguments *arguments)
{
    int star;

    for (; *text == '-' || *text == '0'; text++) {
        spec->left = spec->left || *text == '-';
        spec->zero = spec->zero || *text == '0';
    }
    if (*text == '*') {
        star = va_arg(arguments->list, int);
        spec->left = spec->left || star < 0;
        spec->width = star < 0 ? 0U - (unsigned)star : (unsigned)star;
        text++;
    } else {
        text = parse_number(text, &spec->width);
    }
    if (*text == '.') {
        spec->has_precision = true;
        if (text[1] == '*') {
            star = va_arg(arguments->list, int);
            spec->has_precision = star >= 0;
            spec->precision = star < 0 ? 0 : (unsigned)star;
            text += 2;
        } else {
            text = parse_number(text + 1, &spec->precision);
        }
    }
    for (; *text == 'l' || *text == 'z'; text++) {
        spec->longs++;
    }
    return text;
}

static uint64_t take_unsigned(const struct conversion *spec, struct arguments *arguments)
{
    if (spec->longs == 0) {
        return va_arg(arguments->list, unsigned int);
    }
    return spec->longs == 1 ? va_arg(arguments->list, unsigned long)
                            : va_arg(arguments->list, unsigned long long);
}

static void put_signed(const struct conversion *spec, struct arguments *arguments)
{
    int64_t value;

    if (spec->longs == 0) {
        value = va_arg(arguments->list, int);
    } else {
        value =
            spec->longs == 1 ? va_arg(arguments->list, long) : va_arg(arguments->list, long long);
    }
    put_number(spec, value < 0 ? "-" : "", value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10,
               "0123456789");
}

/* False when the letter is not a conversion that the engine knows. */
static bool put_conversion(const struct conversion *spec, char letter, struct arguments *arguments)
{
    char byte;

    switch (letter) {
    case 'd':
    case 'i':
        put_signed(spec, arguments);
        return true;
    case 'u':
        put_number(spec, "", take_unsigned(spec, arguments), 10, "0123456789");
        return true;
    case 'x':
        put_number(spec, "", take_unsigned(spec, arguments), 16, "0123456789abcdef");
        return true;
    case 'X':
        put_number(spec, "", take_unsigned(spec, arguments), 16, "0123456789ABCDEF");
        return true;
    case 'p':
        put_number(spec, "0x", (uintptr_t)va_arg(arguments->list, void *), 16, "0123456789abcdef");
        return true;
    case 's':
        put_string(spec, va_arg(arguments->list, const char *));
        return true;
    case 'c':
        byte = (char)va_arg(arguments->list, int);
        put_padded(spec, &byte, 1);
        return true;
    case '%':
        put(spec->sink, "%", 1);
        return true;
    default:
        return false;
    }
}

void format(struct format_sink *sink, const char *text, va_list list)
{
    struct arguments arguments;

    va_copy(arguments.list, list);
    while (*text != '\0') {
        struct conversion spec = {.sink = sink};
        size_t plain = strcspn(text, "%");
        const char *start = text + plain;

        put(sink, text, plain);
        text = start;
        if (*text == '\0') {
            break;
        }
        text = parse_flags(&spec, text + 1, &arguments);
        if (*text != '\0' && put_conversion(&spec, *text, &arguments)) {
            text++;
        } else {
            put(sink, start, (size_t)(text - start)); /* unknown: as it stands */
        }
    }
    va_end(arguments.list);
}
