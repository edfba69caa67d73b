/*
 * main.c: the program's entry; commands are in cli.c.
 */
#include <fcntl.h>
#include <unistd.h>

#include "cli.h"

/*
 * Started with a standard stream closed, a file or a caller's connection would get its number, and what is
 * logged would be written there. Opened for reading alone, so that what cannot be said is still a failure.
 */
static void fill_standard_streams(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	fill_standard_streams();
	return cli_main(argc, argv);
}
