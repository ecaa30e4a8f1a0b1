/* Addresses that stand for allowed hosts in the sandboxes of builds and guests: one for each real address, the same for the whole run.  So whoever connects tells
 * the name with no guessing, whatever other names the real address has, and no real address is known inside.
 *
 * Thread-safe. */
#ifndef NAMES_STAND_IN_H
#define NAMES_STAND_IN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "policy/policy.h"
#include "preload/pw_event.h"

/* Who knows more addresses than this is told of no others: it asks for them for another reason than to connect. */
#define STAND_INS_MAX ((1 << POLICY_STAND_IN_BITS) - 2) /* of a run: what the smallest network has */
#define STAND_INS_EACH 1024 /* that one sandbox was the first to ask for */

struct stand_ins;

/* four, six: the networks that they are of.  NULL: no memory. */
struct stand_ins *stand_ins_new(struct policy_network four, struct policy_network six);
void stand_ins_free(struct stand_ins *s);

/* What stands for a host that has no address here: a proxy finds it. */
void stand_ins_nowhere(int family, struct pw_answer *out);
bool stand_in_is_nowhere(const struct pw_address *real);

/* The stand-ins of what host was answered with, in its order; of an error the error.  whose: the sandbox's id.  False: a bound is reached, and some are left out. */
bool stand_ins_give(struct stand_ins *s, unsigned whose, const char *host, const struct pw_answer *real, struct pw_answer *out);
/* Whom an address stands for.  False: for nobody. */
bool stand_ins_find(struct stand_ins *s, const struct sockaddr_storage *sa, char host[PW_HOST_MAX], struct pw_address *real);
/* The real addresses that are known of host, at most room: how many. */
size_t stand_ins_addresses(struct stand_ins *s, const char *host, struct pw_address *out, size_t room);
/* Is it of the networks that stand-ins are of? */
bool stand_ins_hold(const struct stand_ins *s, const struct sockaddr_storage *sa);

#endif
