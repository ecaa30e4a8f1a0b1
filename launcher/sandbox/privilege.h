/* What a sandbox's process gives up before its first exec.  Async-signal-safe; 0 or -errno. */
#ifndef SANDBOX_PRIVILEGE_H
#define SANDBOX_PRIVILEGE_H

#include <stdbool.h>

/* Drops capabilities, bounding set included.  all: every one; else CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER and CAP_FSETID stay, which Landlock and
 * the served metadata calls bound: `tar xf`, `cp -a` and a venv below somebody's 0750 home fail without them as root. */
int privilege_drop(bool all);

/* Has the caller, effectively, this one of the lower 32 capabilities? */
bool privilege_has(int capability);

/* Are all that may stay among these (the lower 32 capabilities, as bits)? */
bool privilege_kept(unsigned capabilities);

/* The namespaces of a sandbox, for a process that was cloned with CLONE_NEWPID: network with its loopback up, IPC, and mount with its own /proc and
 * /dev/shm.  network: false leaves that one out, for who only wants to know.  The working directory must be set before. */
int privilege_namespaces(bool network);

/* Could such a process have a network namespace, as far as can be told without making one: the kernel has them, no filter refuses
 * it or a socket, and the capabilities are there.  What is left is a limit that is reached: then the sandbox says so and is not started. */
int privilege_network_likely(void);

/* Pseudo-terminals of its own, for a process that has a mount namespace and its descriptors in place: /dev/pts holds none of the outside but the
 * terminal on 0 to 2.  False: it cannot be, and nothing has changed. */
bool privilege_terminals(void);

/* A user namespace in which the caller's uid and gid stay what they are: for an ordinary user, so that the zygote may make the other namespaces. */
int privilege_user_namespace(void);

#endif
