/*
 * capture_file.c: DIRECTORY/capture-2026-01-31.jsonl. A day's file may become max_size; old days go.
 */
#include "metering/capture_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { NAME_SIZE = 40, DAY_LENGTH = 10 };
#define PREFIX "capture-"
#define SUFFIX ".jsonl"

static struct {
	char *directory;
	int64_t keep_us;
	uint64_t max_size, size;
	int folder, file;		/* descriptors; -1: none */
	char day[DAY_LENGTH + 1];	/* of the file */
} capture = { .folder = -1, .file = -1 };

bool capture_file_open(const struct capture_settings *s, struct buf *why)
{
	capture.directory = mem_copy(s->directory);
	capture.keep_us = s->keep_us;
	capture.max_size = s->max_size;
	if (mkdir(capture.directory, 0700) == 0 || errno == EEXIST)
		capture.folder = open(capture.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (capture.folder >= 0 && faccessat(capture.folder, ".", W_OK, 0) == 0)
		return true;
	buf_addf(why, "cannot capture into %s: %s. Make it a folder that can be written, name another (capture.directory), or leave "
		 "`capture.share` away", capture.directory, strerror(errno));
	capture_file_close();
	return false;
}

void capture_file_close(void)
{
	if (capture.file >= 0)
		close(capture.file);
	if (capture.folder >= 0)
		close(capture.folder);
	free(capture.directory);
	capture.directory = NULL;
	capture.file = capture.folder = -1;
	capture.day[0] = 0;
}

static void day_of(char to[DAY_LENGTH + 1], int64_t wall_us)
{
	char time[LOG_TIME_SIZE];
	log_time(time, wall_us);
	memcpy(to, time, DAY_LENGTH);
	to[DAY_LENGTH] = 0;
}

/* Files of days before; the names sort as the days do. */
static void remove_old(int64_t wall_us)
{
	char oldest[DAY_LENGTH + 1], name[NAME_SIZE];
	day_of(oldest, wall_us - capture.keep_us);
	snprintf(name, sizeof(name), PREFIX "%s" SUFFIX, oldest);
	DIR *d = fdopendir(dup(capture.folder));
	if (!d)
		return;
	rewinddir(d);
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		if (str_starts(str_c(e->d_name), STR(PREFIX)) && str_ends(str_c(e->d_name), STR(SUFFIX)) && strcmp(e->d_name, name) < 0)
			unlinkat(capture.folder, e->d_name, 0);
	closedir(d);
}

static bool turn_to(const char *day, int64_t wall_us)
{
	char name[NAME_SIZE];
	struct stat s;
	if (capture.file >= 0)
		close(capture.file);
	snprintf(name, sizeof(name), PREFIX "%s" SUFFIX, day);
	capture.file = openat(capture.folder, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (capture.file < 0)
		return false;
	memcpy(capture.day, day, DAY_LENGTH + 1);
	capture.size = fstat(capture.file, &s) == 0 ? (uint64_t)s.st_size : 0;
	remove_old(wall_us);
	return true;
}

/* A line that was written in part is taken back. */
static bool append(struct str line)
{
	size_t done = 0;
	while (done < line.n) {
		ssize_t n = write(capture.file, line.p + done, line.n - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (done < line.n && ftruncate(capture.file, (off_t)capture.size) != 0)
		capture.day[0] = 0;
	capture.size += done == line.n ? line.n : 0;
	return done == line.n;
}

/* Removed under way: what is written to it nobody will read. */
static bool is_gone(void)
{
	struct stat s;
	return capture.file >= 0 && fstat(capture.file, &s) == 0 && s.st_nlink == 0;
}

bool capture_file_write(struct str line, int64_t wall_us)
{
	char day[DAY_LENGTH + 1];
	day_of(day, wall_us);
	if ((strcmp(day, capture.day) != 0 || is_gone()) && !turn_to(day, wall_us))
		return false;
	return capture.size + line.n <= capture.max_size && append(line);
}
