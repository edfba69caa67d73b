/*
 * price_data.c: conf/prices/prices.csv, carried in the binary.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "metering/price_file.h"

__asm__(".pushsection .rodata\n"
	"price_data_begin:\n"
	".incbin \"conf/prices/prices.csv\"\n"
	"price_data_end:\n"
	".byte 0\n"
	".popsection\n");

extern const char begin[] __asm__("price_data_begin"), end[] __asm__("price_data_end");

static struct price_book book;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct str builtin_text(void)
{
	return str_of(begin, (size_t)(end - begin));
}

static void read_once(void)
{
	static struct arena arena;	/* for good: rows are pointed to by every snapshot */
	struct price_fault fault;
	if (!price_file_parse(builtin_text(), &arena, &book, &fault)) {
		log_error("conf/prices/prices.csv:%u:%u: %s", fault.line, fault.column, fault.message);
		abort();	/* the binary itself is wrong */
	}
	book.source = STR("the built-in table");
}

const struct price_book *price_file_builtin(void)
{
	pthread_once(&once, read_once);
	return &book;
}
