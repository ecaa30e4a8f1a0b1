#include "homes.h"

#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOMES_MAX 64

static const char *find_home(void)
{
	static char home_of_user[PATH_MAX];
	const char *home = getenv("HOME");

	if (home == NULL || home[0] != '/') {
		struct passwd *pw = getpwuid(geteuid());
		home = pw != NULL && pw->pw_dir[0] == '/' ? pw->pw_dir : "/nonexistent";
	}
	snprintf(home_of_user, sizeof home_of_user, "%s", home);
	for (size_t len = strlen(home_of_user); len > 1 && home_of_user[len - 1] == '/'; len--) {
		home_of_user[len - 1] = '\0';
	}
	return home_of_user;
}

static bool is_home(const char *path)
{
	struct stat st;

	return path[0] == '/' && path[1] != '\0' && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Service accounts "live" in /usr/sbin, /bin, /var/lib…: no home of anybody. */
static bool is_persons(const struct passwd *pw)
{
	return (pw->pw_uid == 0 || pw->pw_uid >= 1000 || pw->pw_uid == geteuid()) && is_home(pw->pw_dir) && strncmp(pw->pw_dir, "/usr", 4) != 0 &&
	       strncmp(pw->pw_dir, "/proc", 5) != 0 && strncmp(pw->pw_dir, "/dev", 4) != 0;
}

const char *const *homes_find(void)
{
	static const char *homes[HOMES_MAX + 1];
	size_t n = 0;
	struct passwd *pw;
	FILE *passwd;
	char *real;

	if (homes[0] != NULL) { /* found before */
		return homes;
	}
	homes[n++] = find_home();
	real = realpath(homes[0], NULL);
	if (real != NULL && strcmp(real, homes[0]) != 0) {
		homes[n++] = real;
	} else {
		free(real);
	}
	passwd = fopen("/etc/passwd", "re");
	while (passwd != NULL && n < HOMES_MAX && (pw = fgetpwent(passwd)) != NULL) {
		if (is_persons(pw) && strcmp(pw->pw_dir, homes[0]) != 0) {
			homes[n++] = strdup(pw->pw_dir);
		}
	}
	if (passwd != NULL) {
		fclose(passwd);
	}
	homes[n] = NULL;
	return homes;
}
