/* D-Bus, as far as it has to be understood to let a client of a key store ask for passwords and nothing else: whoever may speak freely to a session's bus can
 * have any program started.  Pure. */
#ifndef SUPERVISE_BUS_MESSAGE_H
#define SUPERVISE_BUS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define BUS_HEAD 16        /* from these bytes a message's length is known */
#define BUS_MAX (1u << 20) /* longer ones are not passed on */
#define BUS_WHAT 200

#define BUS_ERROR_MAX 256

enum bus_verdict { BUS_PASS, BUS_DROP, BUS_REFUSE, BUS_BROKEN };

/* The length of the message that begins so; 0: it is none, or longer than BUS_MAX. */
size_t bus_message_length(const uint8_t head[BUS_HEAD]);

/* A whole message of a client.  Calls to the Secret Service that read, and those to the bus itself that such calls need, pass; what is no call goes nowhere.
 * BUS_REFUSE: *what says what was asked of whom.  BUS_BROKEN: nothing that follows can be trusted either. */
enum bus_verdict bus_message_judge(const uint8_t *m, size_t len, char what[BUS_WHAT]);

/* The answer to a call that was refused, as the bus gives it where it refuses one.  Its length; 0: none is expected. */
size_t bus_message_error(const uint8_t *m, uint8_t out[BUS_ERROR_MAX]);

#endif
