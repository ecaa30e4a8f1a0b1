/* A line of one's own on a terminal on which somebody else has written, anything at all. */
#ifndef BASE_OWNLINE_H
#define BASE_OWNLINE_H

/* What is written to fd next stands at the beginning of a line, on the screen that scrolls, in the terminal's usual letters: an open string, an
 * alternate screen, hidden text, margins and half a line are left behind.  Nothing where fd is no terminal.  Of a command that behaved
 * nothing is to be seen of it. */
void own_line(int fd);

#endif
