/* The probes on the machine that runs the tests, and what is said about others. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include <cmocka.h>

#include "as_user.h"
#include "launcher/sandbox/caps.h"
#include "launcher/sandbox/filter.h"

static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;
	while (d && readdir(d)) {
		n++;
	}
	closedir(d);
	return n;
}

static int leaves_nothing(void *argument)
{
	struct caps c, again;
	int before = descriptors(), status;
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	caps_probe(&c);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK(descriptors() == before);
	CHECK(waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD);
	CHECK(c.listener && !c.listener_busy && !c.nested && c.landlock_abi >= 1);
	CHECK(caps_missing(&c) == NULL);
	CHECK(c.namespaces == !*c.namespaces_why);
	CHECK(!c.user_namespace || c.namespaces);
	CHECK(!c.namespaces || c.user_namespace == (geteuid() != 0));
	CHECK((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 1000); /* nothing waited for its time limit */
	caps_probe(&again);
	CHECK(again.listener == c.listener && again.namespaces == c.namespaces && again.pidfd_getfd == c.pidfd_getfd &&
	      again.process_vm == c.process_vm && again.sync_wakeup == c.sync_wakeup && again.wait_killable == c.wait_killable);
	return 0;
}

static void probing_leaves_nothing(void **state)
{
	assert_int_equal(in_children(leaves_nothing, NULL), 0);
}

static int below_a_listener(void *argument)
{
	struct filter_options opt = {.audit = false};
	int program = filter_build(FILTER_INSTALLER, &opt);
	struct caps c;
	int listener;

	/* Of a listener that nobody serves a notified call would wait for ever: a filter that notifies nothing of what probing calls. */
	CHECK(program >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, 0x7fff0000u)};
	int tiny = memfd_create("tiny", MFD_CLOEXEC);
	CHECK(write(tiny, allow, sizeof allow) == sizeof allow);
	listener = filter_load(tiny, false);
	CHECK(listener >= 0);
	caps_probe(&c);
	CHECK(c.listener_busy && !c.listener && !c.nested);
	CHECK(caps_missing(&c) && strstr(caps_missing(&c), "listener"));
	return 0;
}

static void a_busy_listener_is_told(void **state)
{
	assert_int_equal(in_children(below_a_listener, NULL), 0);
}

static char *text_of(const struct caps *c, bool json, bool *good)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	*good = caps_print(c, f, json);
	fclose(f);
	return text;
}

static void what_is_said(void **state)
{
	struct caps c = {.landlock_abi = 10, .listener = true, .wait_killable = true, .sync_wakeup = true, .pidfd_getfd = true, .pidfd_thread = true,
	                 .process_vm = true, .namespaces = true, .namespaces_why = ""};
	bool good;
	char *text = text_of(&c, false, &good);

	assert_true(good);
	assert_null(strstr(text, "without it"));
	free(text);

	c.namespaces = false;
	c.namespaces_why = "user namespaces are refused";
	c.landlock_abi = 1;
	text = text_of(&c, false, &good);
	assert_true(good);
	assert_non_null(strstr(text, "because: user namespaces are refused"));
	assert_non_null(strstr(text, "fork storm"));
	free(text);

	c.landlock_abi = 0;
	strcpy(c.hidden, "landlock=0");
	text = text_of(&c, true, &good);
	assert_false(good);
	cJSON *o = cJSON_Parse(text);
	assert_non_null(o);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "listener")));
	assert_int_equal(cJSON_GetObjectItemCaseSensitive(o, "landlock_abi")->valueint, 0);
	assert_non_null(strstr(cJSON_GetObjectItemCaseSensitive(o, "missing")->valuestring, "lsm="));
	assert_string_equal(cJSON_GetObjectItemCaseSensitive(o, "hidden")->valuestring, "landlock=0");
	cJSON_Delete(o);
	free(text);

	c.listener = false;
	c.no_pidfd = true;
	assert_non_null(strstr(caps_missing(&c), "pidfd_open"));
	c.listener_busy = c.nested = true;
	assert_non_null(strstr(caps_missing(&c), "pipwarden"));
	assert_null(strchr(caps_missing(&c), '\n'));
}

static int hidden(void *argument)
{
	struct caps c;

	setenv("PIPWARDEN_TEST_HIDE", "namespaces,pidfd_getfd,sync_wakeup,wait_killable,landlock=2,process_vm", 1);
	caps_probe(&c);
#ifdef PW_TEST_SWITCHES
	CHECK(!c.namespaces && *c.namespaces_why && !c.pidfd_getfd && !c.sync_wakeup && !c.wait_killable && c.landlock_abi == 2 && !c.process_vm);
	CHECK(strstr(c.hidden, "landlock=2"));
	setenv("PIPWARDEN_TEST_HIDE", "scopes,landlock=999,landlock=-5x", 1);
	caps_probe(&c);
	CHECK(c.landlock_abi == 0);
	setenv("PIPWARDEN_TEST_HIDE", "scopes,landlock=999", 1);
	caps_probe(&c);
	CHECK(c.landlock_abi >= 1 && c.landlock_abi <= 5);
#else
	CHECK(!*c.hidden && c.landlock_abi != 2 && c.listener);
	CHECK(*(const int *)argument == 0 || c.wait_killable);
#endif
	return 0;
}

static void the_switch_only_takes_away(void **state)
{
	struct caps c;
	caps_probe(&c);
	int killable = c.wait_killable;
	assert_int_equal(in_child(geteuid(), hidden, &killable), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probing_leaves_nothing),
		cmocka_unit_test(a_busy_listener_is_told),
		cmocka_unit_test(what_is_said),
		cmocka_unit_test(the_switch_only_takes_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
