/* Messages of the wire as text, so that a row of a table shows what is wrong with it. */
#ifndef TESTS_RELAY_ASSEMBLE_H
#define TESTS_RELAY_ASSEMBLE_H

#include <stddef.h>
#include <stdint.h>

/* Hex digits, in any groups, are bytes; XX*N is N of them; 'text' is itself.  (W … ) is what stands inside with its length in W bytes before it,
 * (W+N … ) and (W-N … ) with that length made wrong.  Returns the number of bytes; what does not fit or is no such text ends the program. */
size_t assemble(const char *text, uint8_t *out, size_t size);

#endif
