/* Sessions: the life of one sandbox, from the request to its end, each on a thread of its own.  And what the handlers need of the run beyond
 * supervise.h: births, names, check-in. */
#ifndef SUPERVISE_SESSION_H
#define SUPERVISE_SESSION_H

#include "launcher/names/names.h"
#include "launcher/supervise/supervise.h"

/* PW_OP_ENTER: one end of a fresh socket pair goes to the caller.  Only called for the sandboxes of the installer and of version control tools. */
struct reply session_enter(struct sandbox *sb, const struct seccomp_notif *req);

/* The guest (run->guest_path, guest_argv): has its sandbox begun as soon as there is a zygote, while the supervisor is still getting ready. 0 or -errno. */
int session_guest_make(struct supervisor *s);
/* Starts it, after session_guest_make; its wait status goes to supervisor->guest_status.  0 or -errno. */
int session_guest_start(void);
/* Passes a signal on to the guest. */
void session_guest_signal(struct supervisor *s, int signal);

/* PW_OP_NAMES: a sealed close-on-exec memfd of the names whose reading is worth an event, which the caller owns; -ENOENT for none, or another -errno. */
int supervisor_names(struct sandbox *sb);
/* The same names, NULL-terminated; of builds and guests. */
const char *const *supervisor_decoys(const struct sandbox *sb);
struct stand_ins; /* names/stand_in.h */
struct stand_ins *supervisor_stand_ins(struct supervisor *s);

/* The resolver and what it remembers; lives as long as the run. */
struct names *supervisor_resolver(struct supervisor *s);

#endif
