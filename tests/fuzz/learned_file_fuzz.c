/*
 * learned_file_fuzz.c: any bytes as what was learned before a restart. What is taken foretells nothing that is no number.
 */
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/live.h"
#include "metering/learned_file.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct live_target *t;
	char path[40];
	uint32_t n;
	int fd = memfd_create("learned", MFD_CLOEXEC);
	if (!t)
		t = live_target(STR("a/b"));
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (learned_file_read(path) > 0) {
		double output = learned_output(&t->learned, 1000, &n);
		must(!isnan(output) && !isnan(learned_time(&t->learned, 100)));
		learned_note_length(&t->learned, 1000, 100);
	}
	close(fd);
	return 0;
}
