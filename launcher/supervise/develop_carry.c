/* What `setup.py develop` left goes into the environment. */
#include "develop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/base/fd.h"
#include "launcher/base/made.h"
#include "launcher/sandbox/start.h"
#include "roles.h"

/* Has nothing been put into the user's own folder yet, which was made for this run?  setuptools would have made it, for its owner alone. */
static bool is_untouched(int packages)
{
	int copy = openat(packages, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	bool untouched = entries != NULL;

	while (untouched && (entry = readdir(entries)) != NULL) {
		untouched = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || strncmp(entry->d_name, MADE_HOLD, strlen(MADE_HOLD)) == 0;
	}
	if (entries != NULL) {
		closedir(entries);
	} else if (copy >= 0) {
		close(copy);
	}
	return untouched;
}

static int carry_one(const struct develop_file *f, int enter_sock, int folder)
{
	struct enter_message m = {.kind = ENTER_WRITE, .value = f->script ? 0777 : 0666};
	cleanup_fd int content = fd_sealed("pipwarden-develop", f->content, f->len);
	int fds[2] = {folder, content};
	int error;

	if (content < 0 || strlen(f->name) >= sizeof m.text) {
		return content < 0 ? content : -ENAMETOOLONG;
	}
	snprintf(m.text, sizeof m.text, "%s", f->name);
	if ((error = fd_send(enter_sock, &m, sizeof m, fds, 2)) < 0) {
		return error;
	}
	do {
		ssize_t n = fd_receive(enter_sock, &m, sizeof m, NULL, NULL);
		if (n != sizeof m) {
			return n < 0 ? (int)n : -EPIPE; /* pip is gone, and `enter` with it */
		}
	} while (m.kind != ENTER_WRITTEN); /* signals for what has ended */
	return -m.value;
}

static int carry_all(const struct develop_files *f, int enter_sock, int packages, int scripts)
{
	for (size_t i = 0; i < f->n; i++) {
		int error = carry_one(&f->v[i], enter_sock, f->v[i].script ? scripts : packages);
		if (error < 0) {
			return error;
		}
	}
	return 0;
}

bool develop_carry(const struct develop *d, struct sandbox *sb, const struct birthright *right, int enter_sock)
{
	struct develop_files files = {.n = 0};
	char *packages = NULL, *scripts = NULL;
	const char *why = "this environment's folders are not known", *name = NULL;
	char path[PATH_MAX];
	int error = 0;

	bool known = python_env_scheme(sb->sup->run->env, right->develop_user, &packages, &scripts);
	cleanup_fd int to_packages = known ? open(packages, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	cleanup_fd int to_scripts = known ? open(scripts, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool good = to_packages >= 0 && to_scripts >= 0 && develop_collect(d, right->tree, to_packages, to_scripts, &files, &why, &name);
	if (good && right->develop_user && strings_has(&sb->sup->run->env->make_dirs, packages) && is_untouched(to_packages)) {
		fchmod(to_packages, 0700);
	}
	if (good && (error = carry_all(&files, enter_sock, to_packages, to_scripts)) < 0) {
		why = strerror(-error);
		good = false;
	}
	if (!good) {
		snprintf(path, sizeof path, "%.3000s/%.255s", packages != NULL ? packages : "", name != NULL ? name : "");
		struct event ev = {
			.type = "file.write", .action = EV_DENIED, .source = SRC_KERNEL, .verdict = policy_rule(sb->sup->run->policy, "file.write.environment"),
			.target = {.path = path}, .detail = why,
		};
		supervisor_record(sb, 0, &ev);
	}
	develop_files_finish(&files);
	free(packages);
	free(scripts);
	return good;
}
