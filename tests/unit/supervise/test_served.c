/* What the supervisor does in a served folder.  There is no Landlock here: what is refused was refused by it, what was done, it did. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/supervise/served.h"
#include "notified.h"

static struct world w;
static struct served served;
static struct served_links links;
static char root[160], apart_text[160], *apart[2] = {apart_text, NULL};

static void make(const char *name)
{
	assert_int_equal(mkdir(world_path(&w, "%s", name), 0755), 0);
}

static int begin(void **state)
{
	world_init(&w);
	umask(0); /* as the supervisor's */
	make("tree");
	make("tree/sub");
	make("tree/sub/deep");
	make("tree/.git");
	make("tree/venv");
	make("tree/anchored");
	make("home/d");
	make("home/d/.git");
	world_file(&w, world_path(&w, "tree/file"), "file", 0644);
	world_file(&w, world_path(&w, "tree/.env"), "env", 0644);
	world_file(&w, world_path(&w, "tree/.git/config"), "[remote \"o\"]\n\turl = https://u:p@h/x\n", 0644);
	world_file(&w, world_path(&w, "tree/.git/HEAD"), "ref", 0644);
	world_file(&w, world_path(&w, "tree/ci.yml"), "ci", 0644);
	world_file(&w, world_path(&w, "tree/key.pem"), "-----BEGIN PRIVATE KEY-----\n", 0644);
	world_file(&w, world_path(&w, "tree/cert.pem"), "-----BEGIN CERTIFICATE-----\n", 0644);
	world_file(&w, world_path(&w, "home/mine"), "mine", 0644);
	assert_int_equal(symlink("../outside/secret", world_path(&w, "tree/out")), 0);
	assert_int_equal(symlink("file", world_path(&w, "tree/in")), 0);
	assert_int_equal(link(world_path(&w, "outside/secret"), world_path(&w, "tree/hard")), 0);
	assert_int_equal(link(world_path(&w, "tree/.env"), world_path(&w, "tree/env2")), 0);
	assert_int_equal(link(world_path(&w, "tree/cert.pem"), world_path(&w, "tree/cert2")), 0);
	snprintf(root, sizeof root, "%s", world_path(&w, "tree"));
	snprintf(apart_text, sizeof apart_text, "%s", world_path(&w, "tree/venv"));
	free(links.v);
	links = (struct served_links){0};
	served = (struct served){.root = root, .apart = apart, .links = &links};
	w.sb.served = &served;
	return 0;
}

static int end(void **state)
{
	umask(022);
	world_finish(&w);
	return 0;
}

static bool there(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static long get(const char *path, int flags, unsigned mode)
{
	return TRY(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* Opens, and holds what was opened to the text. */
static bool reads(const char *path, const char *text)
{
	char got[200];
	long fd = get(path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t n = fd < 0 ? -1 : read((int)fd, got, sizeof got);
	if (fd >= 0)
		close((int)fd);
	return n == (ssize_t)strlen(text) && memcmp(got, text, (size_t)n) == 0;
}

static void all_true(int n)
{
	for (int i = 0; i < n; i++)
		if (w.result[i] != 1)
			fail_msg("line %d: %ld", i, w.result[i]);
}

static void read_body(struct world *x)
{
	long *r = x->result;
	int n = 1;
	int dirfd = (int)get(world_path(x, "tree"), O_RDONLY | O_DIRECTORY, 0);
	r[n++] = reads(world_path(x, "tree/file"), "file");
	r[n++] = reads(world_path(x, "tree/in"), "file");
	r[n++] = reads(world_path(x, "tree/sub/../file"), "file");
	r[n++] = reads(world_path(x, "tree/.git/HEAD"), "ref");
	r[n++] = reads(world_path(x, "tree/.git/config"), "[remote \"o\"]\n\turl = https://h/x\n");
	r[n++] = reads(world_path(x, "tree/cert.pem"), "-----BEGIN CERTIFICATE-----\n");
	r[n++] = reads(world_path(x, "tree/cert2"), "-----BEGIN CERTIFICATE-----\n");
	r[n++] = dirfd >= 0 && TRY(SYS_openat, dirfd, "file", O_RDONLY) >= 0;
	r[n++] = TRY(SYS_openat, dirfd, ".env", O_RDONLY) == -EACCES;
	r[n++] = get(world_path(x, "tree/key.pem"), O_RDONLY, 0) == -EACCES;
	r[n++] = get(world_path(x, "tree/hard"), O_RDONLY, 0) == -EACCES;
	r[n++] = get(world_path(x, "tree/env2"), O_RDONLY, 0) == -EACCES;
	r[n++] = get(world_path(x, "tree/none"), O_RDONLY, 0) == -ENOENT;
	r[n++] = get(world_path(x, "tree/in"), O_RDONLY | O_NOFOLLOW, 0) == -ELOOP;
	r[n++] = get(world_path(x, "tree/file"), O_RDONLY | O_DIRECTORY, 0) == -ENOTDIR;
	r[n++] = get(world_path(x, "tree/sub"), O_RDWR, 0) == -EISDIR;
	/* By a descriptor that reads nothing, and by /proc. */
	char text[64];
	snprintf(text, sizeof text, "/proc/self/fd/%ld", get(world_path(x, "tree/.env"), O_PATH, 0));
	r[n++] = get(text, O_RDONLY, 0) == -EACCES;
	snprintf(text, sizeof text, "/proc/self/fd/%ld", get(world_path(x, "tree/file"), O_PATH, 0));
	r[n++] = get(text, O_RDONLY, 0) >= 0;
	r[0] = n;
}

static void what_is_read(void **state)
{
	assert_true(world_run(&w, read_body));
	w.result[0] = (w.result[0] == 19) ? 1 : w.result[0];
	all_true(19);
	assert_string_equal(world_event(&w, world_path(&w, "tree/.env"))->rule, "file.project.env");
	assert_string_equal(world_event(&w, world_path(&w, "tree/hard"))->rule, "file.link.protected");
}

/* Everything for everybody: what is made in that folder later gets it too. */
static const unsigned char open_to_all[] = {2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 4, 0, 7, 0, 255, 255, 255, 255, 32, 0, 7, 0, 255, 255, 255, 255};

static void write_body(struct world *x)
{
	long *r = x->result;
	int n = 1;
	struct stat st;
	umask(027);
	long fd = get(world_path(x, "tree/new"), O_WRONLY | O_CREAT, 0666);
	r[n++] = fd >= 0 && write((int)fd, "new", 3) == 3 && ftruncate((int)fd, 1) == 0 && fstat((int)fd, &st) == 0 && (st.st_mode & 0777) == 0640;
	r[n++] = (fcntl((int)fd, F_GETFL) & O_NONBLOCK) == 0;
	r[n++] = get(world_path(x, "tree/new"), O_WRONLY | O_CREAT | O_EXCL, 0666) == -EEXIST;
	r[n++] = get(world_path(x, "tree/new"), O_RDWR | O_TRUNC | O_CREAT, 0666) >= 0;
	r[n++] = get(world_path(x, "tree/other/"), O_WRONLY | O_CREAT, 0666) == -EISDIR;
	r[n++] = get(world_path(x, "tree/.env"), O_WRONLY | O_TRUNC, 0) == -EACCES;
	r[n++] = get(world_path(x, "tree/ci.yml"), O_RDWR, 0) == -EACCES;
	r[n++] = get(world_path(x, "tree/ci.yml"), O_RDONLY | O_TRUNC, 0) == -EACCES;
	r[n++] = get(world_path(x, "tree/.git/hook"), O_WRONLY | O_CREAT, 0666) == -EACCES && !there(world_path(x, "tree/.git/hook"));
	r[n++] = get(world_path(x, "tree/.git"), O_TMPFILE | O_RDWR, 0600) == -EACCES;
	r[n++] = TRY(SYS_mkdir, world_path(x, "tree/dir"), 0777) == 0 && stat(world_path(x, "tree/dir"), &st) == 0 && (st.st_mode & 0777) == 0750;
	r[n++] = TRY(SYS_mkdirat, AT_FDCWD, world_path(x, "tree/dir"), 0777) == -EEXIST;
	r[n++] = TRY(SYS_mkdirat, AT_FDCWD, world_path(x, "tree/sub/.git"), 0777) == -EACCES;
	r[n++] = TRY(SYS_symlinkat, "anything", AT_FDCWD, world_path(x, "tree/dir/soft")) == 0;
	r[n++] = TRY(SYS_mknodat, AT_FDCWD, world_path(x, "tree/fifo"), S_IFIFO | 0600, 0) == 0;
	r[n++] = TRY(SYS_mknodat, AT_FDCWD, world_path(x, "tree/dev"), S_IFCHR | 0600, 1) == -EPERM;
	r[n++] = get(world_path(x, "tree/fifo"), O_RDWR, 0) >= 0;
	r[n++] = TRY(SYS_unlinkat, AT_FDCWD, world_path(x, "tree/.env"), 0) == -EACCES && there(world_path(x, "tree/.env"));
	r[n++] = TRY(SYS_unlinkat, AT_FDCWD, world_path(x, "tree/dir/soft"), 0) == 0;
	r[n++] = TRY(SYS_unlinkat, AT_FDCWD, world_path(x, "tree/dir"), AT_REMOVEDIR) == 0;
	r[n++] = TRY(SYS_unlinkat, AT_FDCWD, world_path(x, "tree/nothing"), 0) == -ENOENT;
	r[n++] = TRY(SYS_truncate, world_path(x, "tree/file"), 2) == 0 && stat(world_path(x, "tree/file"), &st) == 0 && st.st_size == 2;
	r[n++] = TRY(SYS_truncate, world_path(x, "tree/ci.yml"), 0) == -EACCES;
	r[n++] = TRY(SYS_fchmodat, AT_FDCWD, world_path(x, "tree/file"), 0755) == 0;
	r[n++] = TRY(SYS_setxattr, x->own, "system.posix_acl_default", open_to_all, sizeof open_to_all, 0) == 0;
	r[n++] = TRY(SYS_setxattr, world_path(x, "tree"), "system.posix_acl_default", open_to_all, sizeof open_to_all, 0) == -EOPNOTSUPP;
	r[n++] = TRY(SYS_fchmodat, AT_FDCWD, world_path(x, "tree/.git/HEAD"), 0777) == -EPERM;
	r[n++] = TRY(SYS_fchmodat, AT_FDCWD, world_path(x, "tree/.env"), 0777) == -EPERM;
	r[0] = n;
}

static void what_is_written(void **state)
{
	assert_true(world_run(&w, write_body));
	w.result[0] = w.result[0] == 29 ? 1 : w.result[0];
	all_true(29);
}

/* What a file system that folds case would show: the name as it was asked for. */
static void folded_body(struct world *x)
{
	long *r = x->result;
	int n = 0;
	r[n++] = get(world_path(x, "tree/.ENV"), O_RDONLY, 0) == -EACCES;
	r[n++] = get(world_path(x, "tree/.GIT/x"), O_WRONLY | O_CREAT, 0644) == -EACCES;
	r[n++] = TRY(SYS_mkdirat, AT_FDCWD, world_path(x, "tree/sub/.Git"), 0777) == -EACCES;
	r[n++] = TRY(SYS_mkdirat, AT_FDCWD, world_path(x, "tree/VENV/x"), 0777) == -EACCES;
	r[n++] = reads(world_path(x, "tree/.GIT/CONFIG"), "[remote \"o\"]\n\turl = https://h/x\n");
	r[n++] = TRY(SYS_mkdirat, AT_FDCWD, world_path(x, "tree/Sub"), 0777) == 0;
}

static void what_is_folded(void **state)
{
	make("tree/.GIT");
	make("tree/VENV");
	world_file(&w, world_path(&w, "tree/.ENV"), "env", 0644);
	world_file(&w, world_path(&w, "tree/.GIT/CONFIG"), "[remote \"o\"]\n\turl = https://u:p@h/x\n", 0644);
	served.folds = true;
	assert_true(world_run(&w, folded_body));
	all_true(6);
}

static void move_body(struct world *x)
{
	long *r = x->result;
	int n = 1;
	int dirfd = (int)get(world_path(x, "tree/sub"), O_PATH, 0);
	r[n++] = TRY(SYS_rename, world_path(x, "tree/file"), world_path(x, "tree/sub/moved")) == 0;
	r[n++] = TRY(SYS_renameat2, dirfd, "moved", AT_FDCWD, world_path(x, "tree/file"), 0) == 0;
	r[n++] = TRY(SYS_rename, world_path(x, "tree/sub"), world_path(x, "tree/sub2")) == 0;
	r[n++] = TRY(SYS_rename, world_path(x, "tree/.env"), world_path(x, "tree/x")) == -EACCES;
	r[n++] = TRY(SYS_rename, world_path(x, "tree/file"), world_path(x, "tree/ci.yml")) == -EACCES;
	r[n++] = TRY(SYS_rename, world_path(x, "tree/.git"), world_path(x, "tree/git")) == -EACCES;
	r[n++] = TRY(SYS_rename, world_path(x, "tree/anchored"), world_path(x, "tree/adrift")) == -EACCES;
	r[n++] = TRY(SYS_rename, world_path(x, "tree/venv"), world_path(x, "tree/v")) == -EACCES;
	/* Across the border: files as they are, folders and links by copying. */
	r[n++] = TRY(SYS_rename, world_path(x, "home/mine"), world_path(x, "tree/mine")) == 0 && there(world_path(x, "tree/mine"));
	r[n++] = TRY(SYS_rename, world_path(x, "tree/mine"), world_path(x, "home/mine")) == 0 && there(world_path(x, "home/mine"));
	r[n++] = TRY(SYS_rename, world_path(x, "home/d"), world_path(x, "tree/d")) == -EXDEV;
	r[n++] = TRY(SYS_rename, world_path(x, "tree/sub2"), world_path(x, "home/sub2")) == -EXDEV;
	r[n++] = TRY(SYS_link, world_path(x, "tree/file"), world_path(x, "home/alias")) == -EXDEV;
	r[n++] = TRY(SYS_link, world_path(x, "home/mine"), world_path(x, "tree/alias")) == -EXDEV;
	r[n++] = TRY(SYS_link, world_path(x, "tree/file"), world_path(x, "tree/alias")) == 0;
	r[n++] = TRY(SYS_link, world_path(x, "tree/.env"), world_path(x, "tree/alias2")) == -EACCES;
	r[n++] = TRY(SYS_link, world_path(x, "outside/secret"), world_path(x, "tree/alias3")) == -EACCES;
	r[n++] = TRY(SYS_linkat, AT_FDCWD, world_path(x, "tree/out"), AT_FDCWD, world_path(x, "tree/alias4"), AT_SYMLINK_FOLLOW) == -EACCES;
	r[n++] = TRY(SYS_rename, world_path(x, "outside/plain"), world_path(x, "tree/plain")) == -EACCES;
	r[n++] = TRY(SYS_rename, world_path(x, "tree/file"), world_path(x, "outside/file")) == -EACCES;
	r[n++] = TRY(SYS_rename, world_path(x, "tree"), world_path(x, "tree2")) == -EACCES || there(world_path(x, "tree2"));
	r[n++] = TRY(SYS_rename, world_path(x, "tree/none"), world_path(x, "tree/x")) == -ENOENT;
	r[0] = n;
}

static void what_is_moved(void **state)
{
	assert_true(world_run(&w, move_body));
	w.result[0] = w.result[0] == 23 ? 1 : w.result[0];
	all_true(23);
	assert_true(there(world_path(&w, "outside/plain")));
	assert_false(there(world_path(&w, "outside/file")));
}

/* Rules are the kernel's; here they are counted. */
static struct stat ruled[16];
static int rules;

int ruleset_add_fd(struct ruleset *r, int path_fd, unsigned grants)
{
	assert_int_equal(grants, GRANT_EXECUTE);
	assert_true(rules < 16);
	assert_int_equal(fstat(path_fd, &ruled[rules++]), 0);
	return 0;
}

/* Has a rule, and is known to have one. */
static bool is_ruled(const char *name)
{
	struct stat st;
	const char *path = world_path(&w, "%s", name);
	int fd = open(path, O_PATH | O_CLOEXEC), found = 0;
	assert_int_equal(fstat(fd, &st), 0);
	for (int i = 0; i < rules; i++)
		found += ruled[i].st_ino == st.st_ino && ruled[i].st_dev == st.st_dev;
	assert_int_equal(served_executes(&w.sb, fd, path), found || strncmp(name, "tree/", 5) != 0 || strncmp(name, "tree/venv/", 10) == 0);
	close(fd);
	return found == 1;
}

static void what_is_executed_in_place(void **state)
{
	static const char *const in_place[] = {"tree/tool", "tree/sub/deep/elf", NULL};
	static const char *const not[] = {"tree/plain.sh", "tree/data", "tree/ci.yml", "tree/.env", "tree/env2", "tree/hard", "tree/.git/hook", "tree/venv/tool",
	                                  "tree/key.pem", "tree/empty", "home/d", NULL};
	make("tree/folder");
	world_file(&w, world_path(&w, "tree/tool"), "#!/bin/sh\n", 0755);
	world_file(&w, world_path(&w, "tree/sub/deep/elf"), "\177ELF\2\1\1", 0711);
	world_file(&w, world_path(&w, "tree/plain.sh"), "#!/bin/sh\n", 0644);
	world_file(&w, world_path(&w, "tree/data"), "on a file system where everything has the bits", 0777);
	world_file(&w, world_path(&w, "tree/empty"), "", 0755);
	world_file(&w, world_path(&w, "tree/.env"), "#!/bin/sh\n", 0755);
	world_file(&w, world_path(&w, "tree/key.pem"), "#!\n-----BEGIN PRIVATE KEY-----\n", 0755);
	world_file(&w, world_path(&w, "outside/secret"), "#!/bin/sh\n", 0755);
	world_file(&w, world_path(&w, "tree/.git/hook"), "#!/bin/sh\n", 0755);
	world_file(&w, world_path(&w, "tree/ci.yml"), "#!/bin/sh\n", 0755);
	world_file(&w, world_path(&w, "tree/venv/tool"), "#!/bin/sh\n", 0755);
	assert_int_equal(symlink("../outside/program", world_path(&w, "tree/led")), 0);
	world_file(&w, world_path(&w, "outside/program"), "#!/bin/sh\n", 0755);
	rules = 0;
	assert_int_equal(served_programs(&served, &w.sb, NULL), 0);
	for (const char *const *name = in_place; *name; name++)
		if (!is_ruled(*name))
			fail_msg("%s", *name);
	for (const char *const *name = not; *name; name++)
		if (is_ruled(*name))
			fail_msg("%s", *name);
	assert_int_equal(rules, 2);
	free(served.programs);
}

static int group(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {TEST(what_is_read), TEST(what_is_written), TEST(what_is_folded), TEST(what_is_moved), TEST(what_is_executed_in_place)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_as_both(group);
}
