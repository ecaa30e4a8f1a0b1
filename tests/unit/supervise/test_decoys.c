/* A private home's decoys, made where somebody hostile lives already; and what is given in a protected file's place. */
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

#include "launcher/supervise/decoys.h"

static const uint8_t key[DECOY_KEY_LEN] = "an example key for the decoys!!";
static char root[64];

static const char *at(const char *below)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof *path, "%s/%s", root, below);
	return p;
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int begin(void **state)
{
	strcpy(root, "/tmp/pw-decoys-XXXXXX");
	return mkdtemp(root) == NULL || mkdir(at("home"), 0700) || mkdir(at("theirs"), 0700);
}

static int end(void **state)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

static void all_are_there_once(void **state)
{
	struct decoys d = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct stat st;
	char path[256];
	size_t count = 0;

	decoys_plant(&d, at("home"), key);
	for (; decoy_file_path(count) != NULL; count++) {
		snprintf(path, sizeof path, "%s/%s", at("home"), decoy_file_path(count));
		int fd = open(path, O_RDONLY);
		assert_true(fd >= 0 && fstat(fd, &st) == 0 && decoys_have(&d, fd));
		assert_int_equal(st.st_mode & 07777, 0600);
		close(fd);
	}
	assert_true(count <= DECOYS_MAX);
	assert_int_equal(d.count, count);
	/* What was removed stays away; what took its place is none of ours. */
	snprintf(path, sizeof path, "%s/.netrc", at("home"));
	assert_int_equal(rename(path, at("home/kept")), 0);
	decoys_plant(&d, at("home"), key);
	assert_int_equal(access(path, F_OK), -1);
	write_text(path, "mine");
	int fd = open(path, O_RDONLY);
	assert_false(decoys_have(&d, fd));
	close(fd);
}

/* Links and files in the way: nothing outside is made or changed, nothing inside is written over. */
static void links_lead_nowhere(void **state)
{
	struct decoys d = {.lock = PTHREAD_MUTEX_INITIALIZER};
	char text[32] = "";
	struct stat st;

	write_text(at("theirs/config"), "theirs");
	write_text(at("theirs/new"), "theirs");
	assert_int_equal(symlink(at("theirs"), at("home/.aws")), 0);
	assert_int_equal(symlink(at("theirs"), at("home/.config")), 0);
	assert_int_equal(symlink(at("theirs/missing"), at("home/.netrc")), 0);
	assert_int_equal(symlink(at("theirs/new"), at("home/.npmrc")), 0);
	assert_int_equal(link(at("theirs/new"), at("home/.pypirc")), 0);
	assert_int_equal(mkdir(at("home/.kube"), 0700), 0);
	assert_int_equal(symlink(at("theirs/config"), at("home/.kube/config")), 0);
	write_text(at("home/.docker"), "no folder");
	decoys_plant(&d, at("home"), key);
	assert_int_equal(d.count, 2); /* .ssh/id_ed25519, .git-credentials */
	assert_int_equal(access(at("theirs/missing"), F_OK), -1);
	assert_int_equal(access(at("theirs/credentials"), F_OK), -1);
	assert_int_equal(access(at("theirs/gcloud"), F_OK), -1);
	for (int i = 0; i < 2; i++) {
		FILE *f = fopen(at(i ? "theirs/config" : "theirs/new"), "r");
		assert_non_null(fgets(text, sizeof text, f));
		assert_string_equal(text, "theirs");
		fclose(f);
	}
	assert_true(lstat(at("home/.aws"), &st) == 0 && S_ISLNK(st.st_mode));
}

static void in_the_place_of_a_file(void **state)
{
	struct reply r = decoys_instead(key, "/home/u/.ssh/id_rsa", O_RDONLY | O_CLOEXEC);
	char text[64] = "";

	assert_int_equal(r.kind, REPLY_FD);
	assert_int_equal(r.fd_flags, O_CLOEXEC);
	assert_int_equal(fcntl((int)r.value, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(read((int)r.value, text, sizeof text - 1) > 0);
	assert_int_equal(strncmp(text, "-----BEGIN OPENSSH", 18), 0);
	assert_int_equal(write((int)r.value, "x", 1), -1);
	close((int)r.value);
	assert_int_equal(decoys_instead(key, "/home/u/.ssh/id_rsa", O_DIRECTORY).kind, REPLY_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_are_there_once, begin, end),
		cmocka_unit_test_setup_teardown(links_lead_nowhere, begin, end),
		cmocka_unit_test(in_the_place_of_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
