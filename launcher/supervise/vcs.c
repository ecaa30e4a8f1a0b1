#include "vcs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkouts.h"
#include "launcher/base/fd.h"
#include "launcher/findings/pkg_info.h"
#include "pathtext.h"
#include "pip_temp.h"
#include "places.h"

/* --- which tool -------------------------------------------------------------------------------------------------- */

static const struct tool {
	const char *name;
	enum vcs_tool tool;
	const char *fetch, *also; /* the commands by which pip has a repository fetched: COMMAND … URL FOLDER */
} tools[] = {
	{"git", VCS_GIT, "clone", NULL}, {"hg", VCS_HG, "clone", NULL}, {"svn", VCS_SVN, "checkout", NULL}, {"bzr", VCS_BZR, "checkout", "branch"},
};

static const struct tool *tool_named(const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; slash != NULL && i < sizeof tools / sizeof *tools; i++) {
		if (strcmp(slash + 1, tools[i].name) == 0) {
			return &tools[i];
		}
	}
	return NULL;
}

static bool fetches(const struct tool *tool, char *const *argv)
{
	const char *command = argv[0] != NULL ? argv[1] : NULL;

	return command != NULL && (strcmp(command, tool->fetch) == 0 || (tool->also != NULL && strcmp(command, tool->also) == 0));
}

/* Of the system and not of the environment, into which packages are installed; or where the user says that such programs are. */
static bool is_trusted_place(const struct supervisor *s, const char *path)
{
	if (places_below_one(path, policy_grants(s->run->policy, ROLE_VCS, FILE_READ))) {
		return true;
	}
	if (places_below_one(path, (const char *const *)s->run->installer->env.write_dirs.v)) {
		return false;
	}
	for (const struct place *p = places_system; p->path != NULL; p++) {
		if ((p->grants & GRANT_EXECUTE) != 0 && places_below(path, p->path)) {
			return true;
		}
	}
	return false;
}

/* The file, and the folder in which PATH has it: a link that a package put there chooses the program. */
static bool is_trusted(const struct supervisor *s, const char *path)
{
	char folder[PATH_MAX], real[PATH_MAX];
	int n = snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);

	return path[0] == '/' && n > 0 && (size_t)n < sizeof folder && realpath(folder, real) != NULL && is_trusted_place(s, real) &&
	       realpath(path, real) != NULL && is_trusted_place(s, real);
}

/* --- which requirement ------------------------------------------------------------------------------------------- */

/* The URL and the folder, with which such a call ends. */
static bool read_fetch(char *const *argv, const char **url, const char **folder)
{
	size_t n = 0;

	while (argv[n] != NULL) {
		n++;
	}
	*url = n > 3 ? argv[n - 2] : "";
	*folder = n > 3 ? argv[n - 1] : "";
	return n > 3;
}

static const struct vcs_requirement *requirement_named(const struct supervisor *s, enum vcs_tool tool, const char *url)
{
	const struct installer *ins = s->run->installer;

	for (size_t i = 0; i < ins->vcs_count; i++) {
		if (ins->vcs[i].tool == tool && strcmp(url, ins->vcs[i].url) == 0) {
			return &ins->vcs[i];
		}
	}
	return NULL;
}

static bool is_src(const struct supervisor *s, const char *folder)
{
	const char *src = s->run->installer->src_dir;
	char real[PATH_MAX];

	return src != NULL && realpath(src, real) != NULL && strcmp(real, folder) == 0;
}

/* The editable requirement whose checkout, made before this run, the folder is. */
static const struct vcs_requirement *editable_at(const struct supervisor *s, enum vcs_tool tool, const char *folder)
{
	const struct installer *ins = s->run->installer;
	const char *name = strrchr(folder, '/');
	char above[PATH_MAX];

	snprintf(above, sizeof above, "%.*s", name != NULL ? (int)(name - folder) : 0, folder);
	for (size_t i = 0; name != NULL && is_src(s, above) && i < ins->vcs_count; i++) {
		const struct vcs_requirement *one = &ins->vcs[i];
		if (one->editable && one->tool == tool && one->name != NULL && pkg_info_same_name(one->name, name + 1)) {
			return one;
		}
	}
	return NULL;
}

/* --- where to ----------------------------------------------------------------------------------------------------- */

/* pip names a folder that is not there yet.  It is made here, so that nothing around it has to be granted.  Its name as the kernel has it, or -errno. */
static int make_folder(const struct supervisor *s, const char *asked, mode_t umask, char folder[PATH_MAX], bool *made)
{
	const char *name = strrchr(asked, '/');
	char above[PATH_MAX], real[PATH_MAX];

	*made = false;
	if (asked[0] != '/' || name[1] == '\0' || strcmp(name + 1, ".") == 0 || strcmp(name + 1, "..") == 0) {
		return -EINVAL;
	}
	snprintf(above, sizeof above, "%.*s", (int)(name - asked), asked);
	if (realpath(above, real) == NULL) {
		return -errno;
	}
	if (snprintf(folder, PATH_MAX, "%.4000s%s", real, name) >= 4096) {
		return -ENAMETOOLONG;
	}
	char *unit = pip_temp_unit(s, folder);
	bool allowed = is_src(s, real) || (unit != NULL && strcmp(unit, folder) == 0);
	free(unit);
	cleanup_fd int dir = allowed ? fd_open_nofollow(real) : -EACCES;
	if (dir < 0) {
		return dir;
	}
	*made = mkdirat(dir, name + 1, 0700) == 0;
	cleanup_fd int at = openat(dir, name + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return at < 0 || (*made && fchmod(at, 0777 & ~umask) < 0) ? -errno : 0;
}

/* --- the decision ------------------------------------------------------------------------------------------------- */

static bool become_vcs(struct supervisor *s, const struct vcs_requirement *requirement, const char *folder, struct birthright *b)
{
	if (checkouts_add(s, folder, requirement) < 0 || !supervisor_own_directory(s, folder, folder) || strings_add(&b->write, folder) < 0) {
		birthright_refuse(b, "file.write.build", EACCES, "%.120s is another package's folder", folder);
		return true;
	}
	b->become = b->wanted = BECOME_VCS;
	b->role = ROLE_VCS;
	b->requirement = requirement;
	b->checkout = strdup(folder);
	b->package = requirement->name != NULL ? strdup(requirement->name) : NULL;
	return true;
}

/* Without the user and password that it may hold. */
static const char *shown_url(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *user = authority != NULL ? memrchr(authority + 3, '@', strcspn(authority + 3, "/")) : NULL;

	return user != NULL ? user + 1 : url;
}

static bool decide_fetch(struct supervisor *s, const struct tool *tool, const struct start *r, bool of_pip, struct birthright *b)
{
	const char *url, *asked;
	const struct vcs_requirement *requirement = read_fetch(r->argv, &url, &asked) && of_pip ? requirement_named(s, tool->tool, url) : NULL;
	char folder[PATH_MAX];

	if (requirement == NULL) {
		birthright_refuse(b, "install.requirement", EACCES, "a package asks for %.80s; only pip's command line and its files name repositories: name it there",
		                  shown_url(url));
		return true;
	}
	int error = make_folder(s, asked, r->umask, folder, &b->checkout_made);
	if (error < 0) {
		birthright_refuse(b, "file.write.build", -error, "%.120s is no folder that pip checks out to", asked);
		return true;
	}
	return become_vcs(s, requirement, folder, b);
}

static bool decide_existing(struct supervisor *s, const struct vcs_requirement *requirement, const char *folder, struct birthright *b)
{
	char *why = vcs_distrust(requirement->tool, folder);

	if (why != NULL) {
		birthright_refuse(b, "install.checkout", EACCES, "%.70s: %.90s; remove it, to have it made anew", folder, why);
		free(why);
		return true;
	}
	return become_vcs(s, requirement, folder, b);
}

/* In a folder that was checked out in this run.  Once a build has begun there it does with a build's rights; but a light checkout of Bazaar's is half a one, and
 * the repository of it is asked to the end: nothing but `.bzr`, which no build changes, says where that is. */
static bool decide_known(struct supervisor *s, const struct tool *tool, const struct checkout *known, struct birthright *b)
{
	if (known->requirement->tool != tool->tool || (known->built && tool->tool != VCS_BZR)) {
		return false;
	}
	return become_vcs(s, known->requirement, known->folder, b);
}

bool vcs_decide(struct supervisor *s, const struct start *r, const char *cwd, bool of_pip, struct birthright *b)
{
	const struct tool *tool = tool_named(r->path);
	const struct vcs_requirement *requirement;
	struct checkout known;

	if (tool == NULL || r->argv[0] == NULL) {
		return false;
	}
	b->wanted = BECOME_BUILD;
	if (!is_trusted(s, r->path)) {
		if (fetches(tool, r->argv)) {
			birthright_refuse(b, "install.requirement", EACCES, "it is not the system's, and packages may have written it; --allow-read vcs:%.120s trusts it", r->path);
		}
		return b->become == BECOME_REFUSED;
	}
	if (fetches(tool, r->argv)) {
		return decide_fetch(s, tool, r, of_pip, b);
	}
	if (!of_pip) {
		return false;
	}
	if (checkouts_find(s, cwd, &known)) {
		return decide_known(s, tool, &known, b);
	}
	requirement = editable_at(s, tool->tool, cwd);
	return requirement != NULL && decide_existing(s, requirement, cwd, b);
}
