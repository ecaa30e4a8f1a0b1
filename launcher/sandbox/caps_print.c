#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caps.h"
#include "launcher/base/fd.h"

const char *caps_missing(const struct caps *c)
{
	if (c->listener_busy) {
		return c->nested ? "a pipwarden is at work above this one and holds the seccomp listener"
		                 : "another program above holds a seccomp listener, and there can be only one: start pipwarden outside of it "
		                   "(a container runtime's seccomp agent, another sandbox)";
	}
	if (c->no_pidfd) {
		return "no process descriptors: they take Linux 5.3 or later, and a container profile that lets pidfd_open pass";
	}
	if (!c->listener) {
		return "no seccomp user notification: it takes Linux 5.14 or later, and a container profile that lets seccomp(2) pass";
	}
	if (c->landlock_abi < 1) {
		return "no Landlock: it takes Linux 5.13 or later built with it, `landlock` in the boot parameter lsm=, and a container "
		       "profile that lets landlock_* pass";
	}
	return NULL;
}

struct rung {
	bool have, required;
	const char *name, *since, *without, *cure;
};
#define RUNGS 13

/* From the ground up. */
static void ladder(const struct caps *c, struct rung r[RUNGS])
{
	int abi = c->landlock_abi;
	const struct rung rungs[RUNGS] = {
		{c->listener, true, "system calls are asked about (seccomp notification)", "5.14", "pipwarden does not start", caps_missing(c)},
		{abi >= 1, true, "files (Landlock ABI 1)", "5.13", "pipwarden does not start", "boot with landlock in lsm=, or a newer kernel"},
		{abi >= 2, false, "renames across folders (Landlock ABI 2)", "5.19", "the supervisor does them: a little slower", "a newer kernel"},
		{abi >= 3, false, "truncation (Landlock ABI 3)", "6.2", "truncate is done by the supervisor; O_TRUNC without write access is refused", "a newer kernel"},
		{abi >= 4, false, "TCP ports (Landlock ABI 4)", "6.7", "one wall less behind the decision on each address", "a newer kernel"},
		{abi >= 5, false, "device ioctls (Landlock ABI 5)", "6.10", "devices that are granted take any ioctl", "a newer kernel"},
		{abi >= 6, false, "signals, abstract sockets (Landlock ABI 6)", "6.12", "without PID namespaces each signal is asked about", "a newer kernel"},
		{abi >= 9, false, "UNIX sockets by path (Landlock ABI 9)", "7.1", "one wall less behind connect", "a newer kernel"},
		{c->namespaces, false, "own network, processes, /proc and /dev/shm (namespaces)", "", "builds and commands have TCP between themselves on the loopback, no datagrams, no abstract UNIX names, only the global files of /proc", c->namespaces_why},
		{c->pidfd_getfd, false, "the caller's own socket (pidfd_getfd)", "5.6", "builds and commands have no UNIX sockets, and with namespaces no allowed hosts", "in a container: a profile that lets pidfd_getfd pass (CAP_SYS_PTRACE with Docker's)"},
		{c->wait_killable, false, "calls that a signal does not repeat (killable wait)", "5.19", "a call may be asked about twice", "a newer kernel"},
		{c->sync_wakeup, false, "fast answers (synchronous wake-up)", "6.6", "each question costs several times as much", "a newer kernel"},
		{c->process_vm, false, "reading arguments (process_vm_readv)", "", "/proc/PID/mem is read instead: slower", "kernel.yama.ptrace_scope at most 1; a profile that lets process_vm_readv pass"},
	};
	memcpy(r, rungs, sizeof rungs);
}

/* Which switch of this machine is thrown?  Only those that are there are named. */
static void print_switches(FILE *out)
{
	static const struct {
		const char *path, *name, *bad;
	} switches[] = {
		{"/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", "0"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "kernel.apparmor_restrict_unprivileged_userns", "1"},
		{"/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", "0"},
		{"/proc/sys/user/max_net_namespaces", "user.max_net_namespaces", "0"},
		{"/proc/sys/user/max_pid_namespaces", "user.max_pid_namespaces", "0"},
	};
	char value[32];

	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		cleanup_fd int fd = open(switches[i].path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof value - 1);
		if (n <= 0) {
			continue;
		}
		value[n] = '\0';
		value[strcspn(value, "\n")] = '\0';
		if (!strcmp(value, switches[i].bad)) {
			fprintf(out, "           %s is %s: that is why\n", switches[i].name, value);
		}
	}
}

static void print_text(const struct caps *c, FILE *out)
{
	struct rung r[RUNGS];

	ladder(c, r);
	for (size_t i = 0; i < RUNGS; i++) {
		fprintf(out, "%-9s  %s", r[i].have ? "yes" : r[i].required ? "MISSING" : "no", r[i].name);
		if (*r[i].since) {
			fprintf(out, ", Linux %s", r[i].since);
		}
		fputc('\n', out);
		if (r[i].have) {
			continue;
		}
		fprintf(out, "           without it: %s\n", r[i].without);
		if (r[i].cure && *r[i].cure) {
			fprintf(out, "           %s: %s\n", r[i].cure == c->namespaces_why ? "because" : "what helps", r[i].cure);
		}
		if (r[i].cure == c->namespaces_why) {
			print_switches(out);
		}
	}
	if (c->user_namespace) {
		fputs("           in a user namespace, as an ordinary user: files of others are shown as owned by nobody (65534) in sandboxes\n", out);
	}
	if (!c->namespaces) {
		fputs("           without PID namespaces the processes of a sandbox are ended one by one: a fork storm can take seconds\n", out);
	}
	if (c->nested) {
		fputs(c->nested_audit ? "a pipwarden is at work above with --audit: nothing is enforced\n" : "a pipwarden is at work above: commands run under its policy\n", out);
	}
	if (*c->hidden) {
		fprintf(out, "hidden by the test switch: %s\n", c->hidden);
	}
}

char *caps_json(const struct caps *c)
{
	const char *missing = caps_missing(c);
	cJSON *o = cJSON_CreateObject();
	char *text;

	cJSON_AddNumberToObject(o, "landlock_abi", c->landlock_abi);
	cJSON_AddBoolToObject(o, "listener", c->listener);
	cJSON_AddBoolToObject(o, "listener_busy", c->listener_busy);
	cJSON_AddBoolToObject(o, "nested", c->nested);
	cJSON_AddBoolToObject(o, "wait_killable", c->wait_killable);
	cJSON_AddBoolToObject(o, "sync_wakeup", c->sync_wakeup);
	cJSON_AddBoolToObject(o, "pidfd_getfd", c->pidfd_getfd);
	cJSON_AddBoolToObject(o, "pidfd_thread", c->pidfd_thread);
	cJSON_AddBoolToObject(o, "process_vm", c->process_vm);
	cJSON_AddBoolToObject(o, "namespaces", c->namespaces);
	cJSON_AddBoolToObject(o, "user_namespace", c->user_namespace);
	if (*c->namespaces_why) {
		cJSON_AddStringToObject(o, "namespaces_why", c->namespaces_why);
	}
	if (*c->hidden) {
		cJSON_AddStringToObject(o, "hidden", c->hidden);
	}
	if (missing) {
		cJSON_AddStringToObject(o, "missing", missing);
	}
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	return text;
}

bool caps_print(const struct caps *c, FILE *out, bool json)
{
	if (json) {
		char *text = caps_json(c);
		fprintf(out, "%s\n", text ? text : "{}");
		free(text);
	} else {
		print_text(c, out);
	}
	return caps_missing(c) == NULL;
}
