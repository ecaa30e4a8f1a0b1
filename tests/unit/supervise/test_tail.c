/* What of the system's files is everybody's.  The objects are made below /opt, so that part needs root. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/supervise/supervisor.h"
#include "launcher/supervise/tail.h"

static const char *homes[2];
const char *const *supervisor_homes(const struct supervisor *s) { return homes; }

static void roots(void **state)
{
	static const char *const inside[] = {"/etc", "/etc/x", "/opt/a/b", "/usr/lib/x", "/var/lib", "/var/lib/x"};
	static const char *const outside[] = {"/", "/etcetera/x", "/optional", "/var", "/var/www/x", "/srv/x", "/run/secrets/x", "/home/u/x", "/proc/1/x", "/tmp/x"};
	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		assert_true(tail_root(inside[i]));
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
		assert_false(tail_root(outside[i]));
}

static bool is_public(mode_t mode, uid_t owner, uid_t user)
{
	struct stat st = {.st_mode = mode, .st_uid = owner};
	return tail_public(&st, user);
}

static void modes_and_owners(void **state)
{
	assert_true(is_public(S_IFREG | 0644, 0, 1000));
	assert_true(is_public(S_IFREG | 0004, 0, 1000));
	assert_true(is_public(S_IFREG | 0644, 33, 1000));
	assert_true(is_public(S_IFREG | 0644, 0, 0)); /* all of the system is root's: the mode decides */
	assert_true(is_public(S_IFDIR | 0755, 0, 1000));
	assert_false(is_public(S_IFREG | 0640, 0, 0));
	assert_false(is_public(S_IFREG | 0660, 0, 1000));
	assert_false(is_public(S_IFREG | 0644, 1000, 1000)); /* the user's own */
	assert_false(is_public(S_IFREG | 0644, 101, 101));
	assert_false(is_public(S_IFREG | 0644, 1001, 1000)); /* another person's */
	assert_false(is_public(S_IFREG | 0644, 65534, 1000));
	assert_false(is_public(S_IFDIR | 0754, 0, 1000));
	assert_false(is_public(S_IFDIR | 0751, 0, 1000));
	assert_false(is_public(S_IFIFO | 0644, 0, 1000));
	assert_false(is_public(S_IFSOCK | 0644, 0, 1000));
	assert_false(is_public(S_IFCHR | 0644, 0, 1000));
	assert_false(is_public(S_IFBLK | 0644, 0, 1000));
}

/* --- objects ------------------------------------------------------------------------------------ */

static char top[64];
static struct sandbox sb;

static int begin(void **state)
{
	homes[0] = "/nowhere";
	snprintf(top, sizeof top, "/opt/pw-unit-XXXXXX");
	if (mkdtemp(top) == NULL)
		top[0] = '\0';
	else if (chmod(top, 0755) < 0)
		return -1;
	return 0;
}

static int end(void **state)
{
	char command[100];
	snprintf(command, sizeof command, "rm -rf %s", top);
	return top[0] != '\0' ? system(command) : 0;
}

static void make(char *path, size_t size, const char *name, mode_t mode)
{
	if (top[0] == '\0')
		skip();
	snprintf(path, size, "%s/%s", top, name);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "tail", 4), 4);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Opened as the text says, so that what it is and what it is called can differ. */
static bool served(const char *path, const char *called, uint64_t flags)
{
	struct resolved r = {.fd = open(path, O_PATH | O_CLOEXEC)};
	struct reply reply;
	assert_true(r.fd >= 0);
	snprintf(r.real, sizeof r.real, "%s", called);
	bool yes = tail_open(&sb, &r, flags, &reply);
	close(r.fd);
	if (yes) {
		assert_int_equal(reply.kind, REPLY_FD);
		close((int)reply.value);
	}
	return yes;
}

static void only_to_be_read(void **state)
{
	char path[128];
	make(path, sizeof path, "file", 0644);
	assert_true(served(path, path, O_RDONLY));
	assert_true(served(path, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
	assert_true(served(top, top, O_RDONLY | O_DIRECTORY));
	assert_false(served(path, path, O_WRONLY));
	assert_false(served(path, path, O_RDWR));
	assert_false(served(path, path, O_ACCMODE));
	assert_false(served(path, path, O_RDONLY | O_TRUNC));
	assert_false(served(path, path, O_RDONLY | O_CREAT));
	assert_false(served(top, top, O_RDONLY | O_TMPFILE));
}

static void the_object_is_the_path(void **state)
{
	char path[128], other[128];
	make(path, sizeof path, "file", 0644);
	make(other, sizeof other, "other", 0644);
	assert_false(served(path, other, O_RDONLY));
	char link[128];
	snprintf(link, sizeof link, "%s/link", top);
	assert_int_equal(symlink(path, link), 0);
	assert_false(served(path, link, O_RDONLY)); /* no kernel calls it so */
}

static void every_folder_is_open(void **state)
{
	char folder[128], path[128];
	if (top[0] == '\0')
		skip();
	snprintf(folder, sizeof folder, "%s/folder", top);
	assert_int_equal(mkdir(folder, 0755), 0);
	make(path, sizeof path, "folder/file", 0644);
	assert_true(served(path, path, O_RDONLY));
	assert_int_equal(chmod(folder, 0750), 0);
	assert_false(served(path, path, O_RDONLY));
	assert_int_equal(chmod(folder, 0711), 0);
	assert_true(served(path, path, O_RDONLY));
	homes[0] = folder;
	assert_false(served(path, path, O_RDONLY));
	homes[0] = "/nowhere";
	assert_true(served(path, path, O_RDONLY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots),
		cmocka_unit_test(modes_and_owners),
		cmocka_unit_test(only_to_be_read),
		cmocka_unit_test(the_object_is_the_path),
		cmocka_unit_test(every_folder_is_open),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
