/*
 * attr.h: the few compiler attributes the house uses, under readable names.
 */
#ifndef WEIR_BASE_ATTR_H
#define WEIR_BASE_ATTR_H

#include <stddef.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define unused_arg __attribute__((unused))
/* Of a large array on the stack that is filled before it is read: the compiler does not zero it first. */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define unset __attribute__((uninitialized))
#else
#define unset
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

/* The structure that holds `member`, given a pointer to that member. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
