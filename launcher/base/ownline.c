#include "ownline.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fd.h"

enum { WIDEST = 1000 };

/* In this order: a sequence or string that was begun ends (CAN, ST); the screen is drawn at once (2026); the usual screen (47: unlike 1049 it moves no
 * cursor where that was the screen already); colours, hidden letters and other alphabets; margins, lines that wrap, a cursor that is seen. */
static const char usual[] = "\030\033\\\033[?2026l\033[?47l\033[0m\033(B\017\033[?6l\0337\033[r\0338\033[?7h\033[?25h";

void own_line(int fd)
{
	const char *term = getenv("TERM");
	char spaces[WIDEST + 2];
	struct winsize size;

	if (!isatty(fd)) {
		return;
	}
	if (term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0) {
		fd_write_all(fd, usual, sizeof usual - 1);
	}
	/* As many columns as there are but one: from the first column on they end in the same line, from any other one in the next. */
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && size.ws_col <= WIDEST) {
		memset(spaces, ' ', sizeof spaces);
		spaces[size.ws_col - 1] = '\r';
		fd_write_all(fd, spaces, size.ws_col);
	} else {
		fd_write_all(fd, "\r\n", 2);
	}
}
