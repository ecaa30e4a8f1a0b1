#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "begun.h"
#include "bootstrap.h"
#include "installed.h"
#include "rights.h"
#include "launcher/base/clock.h"
#include "launcher/base/fd.h"
#include "launcher/base/ownline.h"
#include "launcher/base/thread.h"
#include "launcher/base/tree.h"
#include "launcher/names/stand_in.h"
#include "launcher/sandbox/birth.h"
#include "listener.h"
#include "programs.h"
#include "relays.h"
#include "prompt.h"
#include "seen.h"
#include "session.h"
#include "start_up.h"
#include "trusted.h"
#include "watch.h"

#define END_MILLISECONDS 5000
#define DESCRIPTORS 1024

/* --- start --------------------------------------------------------------------------------------- */

static int __attribute__((format(printf, 2, 3))) cannot(int error, const char *format, ...)
{
	va_list ap;

	fputs("pipwarden: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	if (error != 0) {
		fprintf(stderr, ": %s", strerror(error < 0 ? -error : error));
	}
	fputc('\n', stderr);
	return 125;
}

static char *helper(const struct supervisor *s, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", s->run->libexec, name) < 0 ? NULL : path;
}

/* The names whose reading is an event: what was replaced, in a build pip's own credentials too. */
static int make_names(struct supervisor *s)
{
	const struct run *run = s->run;
	enum role role = run->installer != NULL ? ROLE_BUILD : ROLE_GUEST;
	size_t len = 0;
	char *text = NULL;

	s->names_fd = -1;
	if (env_for_role(run->policy, role, run->envp, run->decoy_key, &s->sandbox_env) < 0) {
		return -ENOMEM;
	}
	for (char **name = s->sandbox_env.replaced; name != NULL && *name != NULL; name++) {
		size_t size = strlen(*name) + 1;
		char *grown = realloc(text, len + size);
		if (grown == NULL) {
			free(text);
			return -ENOMEM;
		}
		text = grown;
		memcpy(text + len, *name, size);
		len += size;
	}
	s->names_fd = len > 0 ? fd_sealed("pipwarden-names", text, len) : -1;
	free(text);
	return 0;
}

/* pip itself: the supervisor is the parent of its birth. */
static int start_installer(struct supervisor *s, struct listener *l, struct sandbox *sb)
{
	const struct run *run = s->run;
	const char *what = "start", *step = "start";
	struct ruleset ruleset;
	struct bootstrap boot;
	struct start start;
	struct birth b;
	int error;

	if ((error = rights_installer(s, &ruleset, &what)) < 0) {
		return cannot(error, "the rules for pip: %s", what);
	}
	if ((error = bootstrap_pip(s, &boot, &start)) < 0) {
		return cannot(error, "pip's start");
	}
	start.flags = (run->caps->wait_killable ? START_WAIT_KILLABLE : 0) | (geteuid() != 0 ? START_DROP_ALL : 0) | (run->audit ? START_AUDIT : 0);
	start.landlock_abi = (uint32_t)run->caps->landlock_abi;
	start.umask = run->umask;
	start.blocked = run->blocked;
	start.ignored = run->ignored;
	int program = programs_get(PROGRAM_INSTALLER);
	if (program < 0) {
		return cannot(program, "the seccomp program for pip");
	}
	if ((error = birth_fork(&b, &start, ruleset.fd, program)) < 0) {
		return cannot(error, "fork");
	}
	s->command = b.pid;
	*sb = (struct sandbox){.sup = s, .role = ROLE_INSTALLER, .audit = run->audit, .init = b.pid, .writable = ruleset.writable};
	sb->listener = birth_listener(&b, &step);
	if (sb->listener < 0) {
		return cannot(sb->listener, "pip could not be guarded (%s)", step);
	}
	supervisor_give_ticket(s, b.pid, start.path);
	sb->way = way_out_new(sb, -1);
	if ((error = listener_start(l, sb)) < 0) {
		return cannot(error, "a thread for the listener");
	}
	s->installer = sb;
	if ((error = birth_go(&b)) < 0 || (error = birth_unshared(&b, &step)) < 0 || (error = birth_result(&b, &step)) < 0) {
		cannot(error, "%s", start.path);
		return error == -ENOENT ? 127 : 126;
	}
	/* The ruleset's list of writable places stays: handlers read it. */
	close_fd(&ruleset.fd);
	bootstrap_finish(&boot);
	return 0;
}

/* --- end ----------------------------------------------------------------------------------------- */

/* Everything that still lives, dies: the zygote (and by it every sandbox), what pip left behind. */
static void end_tree(struct supervisor *s)
{
	int64_t end = clock_milliseconds() + END_MILLISECONDS;

	zygote_kill(&s->zygote);
	if (s->zygote.pid > 0) {
		waitpid(s->zygote.pid, NULL, 0);
		s->zygote.pid = 0; /* what ends the run from now on must not signal somebody else's process */
	}
	tree_kill(getpid(), NULL, END_MILLISECONDS);
	while (atomic_load(&s->live) > 0 && clock_milliseconds() < end) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

void supervisor_end_orphans(struct supervisor *s)
{
	const pid_t keep[] = {s->zygote.pid, s->command > 0 ? s->command : s->zygote.pid, 0};

	tree_kill(getpid(), keep, END_MILLISECONDS);
}

static struct journal_cost cost_of(struct supervisor *s)
{
	struct rusage u = {.ru_maxrss = 0};

	getrusage(RUSAGE_SELF, &u);
	return (struct journal_cost){
		.installer = s->installer != NULL ? atomic_load(&s->installer->notifications) : 0,
		.sandboxes = atomic_load(&s->notifications),
		.supervisor_cpu = (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6,
		.supervisor_peak_rss = (uint64_t)u.ru_maxrss * 1024,
	};
}

static int exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static int judge(struct supervisor *s, int status)
{
	struct journal_counts counts;
	int aborted = atomic_load(&s->abort_status);

	journal_counts(s->run->journal, &counts);
	if (aborted != 0) {
		return aborted;
	}
	for (int level = (int)s->run->fail_on; level <= SEV_CRITICAL; level++) {
		if (counts.by_severity[level] > 0) {
			return 100;
		}
	}
	/* Also where only --fail-on critical was asked for: steps that are less each can be more together. */
	if (s->run->fail_on <= SEV_CRITICAL && journal_verdict(s->run->journal) == SCORE_MALICIOUS) {
		return 100;
	}
	return status;
}

/* While the command runs: what dead runs left is in nobody's way. */
static void *sweep_others(void *argument)
{
	rundir_sweep_beside(argument);
	return NULL;
}

static void *remove_folders(void *argument)
{
	rundir_remove(argument);
	return NULL;
}

/* The last of the run.  Nothing of it lives any more, so its folders go while the disk takes the journal. */
static int finish(struct supervisor *s, int status, const pthread_t *sweeper)
{
	const struct run *run = s->run;
	const char *why = atomic_load(&s->abort_why);
	char *summary;
	pthread_t remover;
	bool removing = thread_start(&remover, 0, 0, remove_folders, run->dir) == 0; /* else the guardian does it */
	int error;

	status = judge(s, status);
	struct journal_cost cost = cost_of(s);
	error = journal_end(run->journal, status, &cost);
	if (error < 0) {
		cannot(error, "the journal %s could not be completed", run->journal_path != NULL ? run->journal_path : "on --log-fd");
		status = 125;
	}
	summary = run->quiet ? NULL : journal_summary(run->journal, run->journal_path, run->colour, run->verbosity);
	if (why != NULL || summary != NULL) { /* all that could write there has ended */
		own_line(STDERR_FILENO);
	}
	if (why != NULL) {
		fprintf(stderr, "pipwarden: %s\n", why);
	}
	if (atomic_load(&s->not_in_place) && !run->quiet) {
		fprintf(stderr, "pipwarden: set PIP_USE_PEP517=1: wheels were built where this pip would have run `setup.py install` or `setup.py develop` in the environment\n");
	}
	if (run->installer != NULL && run->installer->keyring_over && !run->audit && !run->quiet) {
		fprintf(stderr, "pipwarden: set --keyring-provider subprocess: keyring runs as a program of its own, nothing of the environment is imported into pip\n");
	}
	if (summary != NULL) {
		fputs(summary, stderr);
		free(summary);
	}
	if (removing) {
		pthread_join(remover, NULL);
	}
	if (sweeper != NULL) {
		pthread_join(*sweeper, NULL);
	}
	return status;
}

/* --- main ---------------------------------------------------------------------------------------- */

/* Room for descriptors, while there is one thread: with more of them the kernel waits 10 ms for all its processors before a table grows. */
static void grow_descriptors(int fd)
{
	cleanup_fd int highest = fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTORS - 1);

	(void)highest; /* none where the limit is lower: it grows when it must */
}

static int take_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int n = 1; n < NSIG; n++) {
		if (n != SIGKILL && n != SIGSTOP) {
			signal(n, SIG_DFL);
		}
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a user's limit on file sizes is a full disk, not our death */
	return signalfd(-1, &all, SFD_CLOEXEC);
}

/* What sessions and listeners use, all of it before there is one. */
static int make_own(struct supervisor *s)
{
	s->names = names_new();
	s->stand_ins = stand_ins_new(policy_stand_in(s->run->policy, false), policy_stand_in(s->run->policy, true));
	s->enter_path = helper(s, "enter");
	s->become_path = helper(s, "become");
	s->shim_path = helper(s, "libpipwarden.so");
	s->boot_path = helper(s, "pip_start.py");
	s->seen = seen_new();
	return s->names == NULL || s->stand_ins == NULL || s->enter_path == NULL || s->become_path == NULL || s->shim_path == NULL || s->boot_path == NULL ||
	               s->seen == NULL ? -ENOMEM : make_names(s);
}

static int prepare(struct supervisor *s, int *signals)
{
	int error;

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* an orphan stays below the process that reads its memory (Yama), and can be found and ended */
	*signals = take_signals();
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&s->lock, NULL);
	if (*signals < 0 || s->wake < 0) {
		return cannot(errno, "start");
	}
	s->namespaces = s->run->caps->namespaces && !s->run->audit;
	if (s->namespaces) {
		nameservers_read(&s->servers);
	}
	umask(0); /* files that are made for a build get its umask (served.h); those of our own name their mode */
	/* First of all: making an init's namespaces takes longer than all the rest here. */
	error = zygote_start(&s->zygote, s->namespaces && s->run->caps->user_namespace, &s->servers, s->run->process_argv, s->run->process_envp);
	if (error < 0) {
		return cannot(error, "the zygote could not be forked");
	}
	grow_descriptors(s->wake);
	if (s->run->installer == NULL && (error = session_guest_make(s)) < 0) {
		return cannot(error, "the command cannot be started");
	}
	if ((error = make_own(s)) < 0) {
		return cannot(error, "start");
	}
	trusted_setup(); /* its descriptors are none of the zygote's */
	if ((error = listener_setup()) < 0 || (error = programs_make(s->run)) < 0) {
		return cannot(error, "the seccomp programs");
	}
	error = zygote_ready(&s->zygote);
	return error < 0 ? cannot(error, "the zygote could not be made (a user namespace, /dev/null)") : 0;
}

int supervisor_main(const struct run *run)
{
	static struct supervisor s; /* zeroed; lives as long as the process */
	static struct sandbox installer;
	static struct listener listener;
	struct watch w = {.sup = &s};
	pthread_t sweeper;
	bool sweeping;
	int error, status = 125;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "pipwarden-super");
	s.run = run;
	error = prepare(&s, &w.signals);
	if (error == 0) {
		if (run->installer != NULL) {
			begun_note(run->env != NULL ? &run->env->site_dirs : NULL);
			installed_before(&s);
			start_up_list(&s);
			error = start_installer(&s, &listener, &installer);
		} else {
			error = session_guest_start() < 0 ? cannot(0, "the command cannot be started") : 0;
		}
	}
	/* Not before: a child of a process that is not dumpable cannot be read at its first exec. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	sweeping = thread_start(&sweeper, 0, 0, sweep_others, run->dir) == 0;
	if (error == 0) {
		w.deadline = run->timeout > 0 ? clock_milliseconds() + (long)run->timeout * 1000 : 0;
		watch_run(&w);
		status = exit_status(w.status);
	} else {
		status = error;
	}
	end_tree(&s);
	prompt_end();
	if (s.installer != NULL) {
		listener_wait_empty(&listener, 100);
		listener_join(&listener);
		if (installer.way != NULL) {
			way_out_end(installer.way); /* what was refused is written down */
		}
		installed_after(&s);
		start_up_remember(&s);
	}
	int verdict = finish(&s, status, sweeping ? &sweeper : NULL);
	if (error == 0 && verdict == status && WIFSIGNALED(w.status) && WTERMSIG(w.status) == SIGINT) {
		atomic_store(&run->told->interrupted, true);
	}
	return verdict;
}
