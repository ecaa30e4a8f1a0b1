/* Programs that know passwords: which of them pip will find, and which of those are the user's own.
 *
 * A helper is what PATH led to before anything ran.  One that lies in the environment that pip installs into, or runs by its Python, is code of packages,
 * whatever its name: it is found all the same, with the reason why it does not get the role. */
#include <dirent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/installer/parts.h"

enum base { OF_HOME, OF_DATA, OF_CONFIG, OF_CACHE, OF_VARIABLE };
enum { PLACES = 5 };

static const char *const credential_store[] = { "credential-store", NULL }, *const credential_cache[] = { "credential-cache", NULL },
	*const auth_git[] = { "auth", "git-credential", NULL };

/* What a helper is for: a file or folder that it reads, a socket that it connects to. */
static const struct kind {
	const char *name; /* the program's; one that ends in a hyphen begins it */
	enum helper_use use;
	const char *const *words;
	bool key_store;   /* it may ask the desktop's, over the session's message bus */
	struct place {
		enum base base;   /* the home, an XDG folder (its variable's, or the usual one), or a variable that holds the whole path */
		const char *name; /* below it, or the variable's */
	} places[PLACES];
} kinds[] = {
	/* keyring's own settings, and the file of the back ends that keep one. */
	{ "keyring", HELPER_OF_PIP, NULL, true, { { OF_DATA, "python_keyring" }, { OF_CONFIG, "python_keyring" } } },
	{ "ssh", HELPER_SSH, NULL, false, { { OF_HOME, ".ssh" }, { OF_VARIABLE, "SSH_AUTH_SOCK" } } },
	{ "git", HELPER_OF_GIT, credential_store, false, { { OF_HOME, ".git-credentials" }, { OF_HOME, ".gitconfig" }, { OF_CONFIG, "git" } } },
	{ "git", HELPER_OF_GIT, credential_cache, false, { { OF_CACHE, "git/credential" }, { OF_HOME, ".git-credential-cache" }, { OF_HOME, ".gitconfig" }, { OF_CONFIG, "git" } } },
	{ "git-credential-store", HELPER_OF_GIT, NULL, false, { { OF_HOME, ".git-credentials" }, { OF_HOME, ".gitconfig" }, { OF_CONFIG, "git" } } },
	{ "git-credential-cache", HELPER_OF_GIT, NULL, false, { { OF_CACHE, "git/credential" }, { OF_HOME, ".git-credential-cache" }, { OF_HOME, ".gitconfig" }, { OF_CONFIG, "git" } } },
	{ "git-credential-", HELPER_OF_GIT, NULL, true, { { OF_HOME, ".gitconfig" }, { OF_CONFIG, "git" } } },
	{ "gh", HELPER_OF_GIT, auth_git, true, { { OF_CONFIG, "gh" } } },
	{ "glab", HELPER_OF_GIT, auth_git, true, { { OF_CONFIG, "glab-cli" } } },
};

/* Whatever its name: GIT_ASKPASS, SSH_ASKPASS, core.askPass. */
static const struct kind askpass = { "", HELPER_ASKPASS, NULL, false, { { 0 } } };

/* Where git keeps its own programs: they come before PATH. */
static const char *const git_folders[] = { "/usr/lib/git-core", "/usr/libexec/git-core" };

struct search {
	struct installer *ins;
	char *const *envp;
	const char *cwd, *home;
	const struct helper_words *words; /* NULL: no version control tool will ask */
};

/* The absolute path, the caller's; NULL: the variable holds none. */
static char *place_path(const struct place *place, char *const envp[], const char *home)
{
	static const struct {
		const char *variable, *below;
	} bases[] = { [OF_HOME] = { NULL, "" }, [OF_DATA] = { "XDG_DATA_HOME", "/.local/share" }, [OF_CONFIG] = { "XDG_CONFIG_HOME", "/.config" },
		    [OF_CACHE] = { "XDG_CACHE_HOME", "/.cache" } };
	const char *variable = place->base == OF_VARIABLE ? place->name : bases[place->base].variable;
	const char *value = variable ? inst_env(envp, variable) : NULL;

	if (place->base == OF_VARIABLE) {
		return value && *value == '/' ? inst_dup(value) : NULL;
	}
	return value && *value == '/' ? inst_format("%s/%s", value, place->name) : inst_format("%s%s/%s", home, bases[place->base].below, place->name);
}

/* The socket of a session's bus, as its clients find it; the caller's.  NULL: none that has a path. */
static char *session_bus(char *const envp[])
{
	static const char unix_path[] = "unix:path=";
	const char *address = inst_env(envp, "DBUS_SESSION_BUS_ADDRESS"), *runtime = inst_env(envp, "XDG_RUNTIME_DIR");

	if (!address || !*address) {
		return runtime && *runtime == '/' ? inst_path_join(runtime, "bus") : NULL;
	}
	address += strlen(unix_path) * inst_starts(address, unix_path);
	return *address == '/' ? inst_dup_n(address, strcspn(address, ",;")) : NULL;
}

static bool below_one(const char *path, const struct strings *folders)
{
	for (size_t i = 0; i < folders->n; i++) {
		cleanup_text char *real = realpath(folders->v[i], NULL);

		if (pathtext_below(path, real ? real : folders->v[i])) {
			return true;
		}
	}
	return false;
}

/* Does pip put packages there, in this run or in others?  path: links resolved. */
static bool is_installed_into(const struct installer *ins, const char *path)
{
	const struct python_env *env = &ins->env;
	cleanup_text char *prefix = env->venv ? realpath(env->prefix, NULL) : NULL;

	if (prefix && pathtext_below(path, prefix)) {
		return true;
	}
	/* A virtual environment may see the packages of the Python that it was made of: it does not install there. */
	return below_one(path, &env->write_dirs) || below_one(path, &ins->outputs) || (!env->venv && below_one(path, &env->site_dirs));
}

static bool shares_environment(const struct installer *ins, const struct python_env *env)
{
	for (size_t i = 0; i < env->site_dirs.n; i++) {
		cleanup_text char *real = realpath(env->site_dirs.v[i], NULL);

		if (real && is_installed_into(ins, real)) {
			return true;
		}
	}
	return false;
}

/* Python looks there before it looks where the helper is installed. */
static bool leads_into_environment(const struct installer *ins, const char *pythonpath)
{
	cleanup_text char *copy = inst_dup(pythonpath ? pythonpath : "");
	char *save = NULL;

	for (char *folder = strtok_r(copy, ":", &save); folder; folder = strtok_r(NULL, ":", &save)) {
		cleanup_text char *real = realpath(folder, NULL);

		if (real && is_installed_into(ins, real)) {
			return true;
		}
	}
	return false;
}

static const char *why_refused(const struct installer *ins, const struct helper *h, const char *real, char *const envp[], const char *cwd, const char *home)
{
	if (inst_planted(h->path, h->path, envp, cwd, home)) {
		return "it lies below the working directory";
	}
	if (is_installed_into(ins, real)) {
		return "it lies where pip installs packages: install it outside of this environment (pipx install keyring)";
	}
	if (shares_environment(ins, &h->env)) {
		return "it runs in the environment that pip installs into: install it outside of that (pipx install keyring)";
	}
	if (leads_into_environment(ins, inst_env(envp, "PYTHONPATH"))) {
		return "PYTHONPATH leads it into the environment that pip installs into";
	}
	return NULL;
}

/* A version manager's shim stands for a file of the version that it would choose. */
static const char *resolve_shim(struct helper *h, const char *name, char *const envp[], const char *cwd, const char *home)
{
	struct installer_error unused = { 0 };
	char *real = NULL;
	int shim = inst_shim_resolve(h->path, name, envp, cwd, home, &real, &unused);

	h->program = shim > 0 ? inst_path_absolute(cwd, real) : inst_dup(h->path);
	free(real);
	return shim < 0 ? "it is a version manager's shim, and the chosen version has none" : NULL;
}

static void add_places(const struct search *s, const struct kind *kind, struct helper *h)
{
	for (size_t i = 0; i < PLACES && kind->places[i].name; i++) {
		cleanup_text char *place = place_path(&kind->places[i], s->envp, s->home);

		if (place) {
			strings_put(&h->places, place);
		}
	}
	for (size_t i = 0; kind->use == HELPER_SSH && s->words && i < s->words->ssh_files.n; i++) {
		strings_put(&h->places, s->words->ssh_files.v[i]);
	}
	for (size_t i = 0; (kind->words == credential_store || !strcmp(kind->name, "git-credential-store")) && s->words && i < s->words->git.n; i++) { /* store --file PATH, --file=PATH */
		const char *word = s->words->git.v[i], *path = inst_starts(word, "--file=") ? word + strlen("--file=") : word;

		if (*path == '/') {
			strings_put(&h->places, path);
		}
	}
}

/* Takes path over. */
static void add(const struct search *s, const struct kind *kind, char *path)
{
	struct helper h = { .use = kind->use, .words = kind->words, .path = path };
	cleanup_text char *real = NULL;
	struct stat st;

	h.refused = resolve_shim(&h, inst_path_base(path), s->envp, s->cwd, s->home);
	real = realpath(h.program, NULL);
	if (!real || stat(real, &st)) {
		free(h.program);
		free(h.path);
		return;
	}
	h.device = st.st_dev;
	h.inode = st.st_ino;
	h.changed = st.st_ctim;
	python_env_of_script(real, s->envp, s->home, &h.env);
	add_places(s, kind, &h);
	h.bus = kind->key_store ? session_bus(s->envp) : NULL;
	if (!h.refused) {
		h.refused = why_refused(s->ins, &h, real, s->envp, s->cwd, s->home);
	}
	s->ins->helpers = inst_grow(s->ins->helpers, s->ins->helper_count, sizeof(*s->ins->helpers));
	s->ins->helpers[s->ins->helper_count++] = h;
}

static void add_file(const struct search *s, const struct kind *kind, const char *path)
{
	if (*path == '/' && inst_path_is_file(path) && !access(path, X_OK)) { /* what is relative means whatever the working directory is */
		add(s, kind, inst_dup(path));
	}
}

static bool is_named(const struct kind *kind, const char *name)
{
	size_t len = strlen(kind->name);

	if (kind->name[len - 1] != '-') {
		return !strcmp(name, kind->name);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i].name, name)) {
			return false; /* it is a kind of its own */
		}
	}
	return inst_starts(name, kind->name) && name[len] && !strstr(name, "--"); /* credential-cache--daemon is nobody to ask */
}

static void look_in(const struct search *s, const struct kind *kind, const char *folder)
{
	bool many = kind->name[strlen(kind->name) - 1] == '-';
	cleanup_text char *one = many ? NULL : inst_path_join(folder, kind->name);
	DIR *dir = many && *folder == '/' ? opendir(folder) : NULL;
	struct dirent *entry;

	if (one) {
		add_file(s, kind, one);
	}
	while (dir && (entry = readdir(dir))) {
		cleanup_text char *path = is_named(kind, entry->d_name) ? inst_path_join(folder, entry->d_name) : NULL;

		if (path) {
			add_file(s, kind, path);
		}
	}
	if (dir) {
		closedir(dir);
	}
}

static void find(const struct search *s, const struct kind *kind)
{
	const char *path = inst_env(s->envp, "PATH"), *own = inst_env(s->envp, "GIT_EXEC_PATH");
	cleanup_text char *copy = inst_dup(path ? path : "/bin:/usr/bin");
	char *save = NULL;

	for (char *folder = strtok_r(copy, ":", &save); folder; folder = strtok_r(NULL, ":", &save)) {
		look_in(s, kind, folder);
	}
	for (size_t i = 0; kind->use == HELPER_OF_GIT && i < sizeof(git_folders) / sizeof(*git_folders); i++) {
		look_in(s, kind, git_folders[i]);
	}
	if (kind->use == HELPER_OF_GIT && own) {
		look_in(s, kind, own);
	}
}

/* What a command of the user's names by its path. */
static void find_named(const struct search *s, const struct strings *words)
{
	for (size_t i = 0; i < words->n; i++) {
		for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
			if (words->v[i][0] == '/' && kinds[k].use != HELPER_OF_PIP && is_named(&kinds[k], inst_path_base(words->v[i]))) {
				add_file(s, &kinds[k], words->v[i]);
			}
		}
	}
}

static void find_askpass(const struct search *s)
{
	static const char *const variables[] = { "GIT_ASKPASS", "SSH_ASKPASS" };

	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		const char *value = inst_env(s->envp, variables[i]);

		if (value) {
			add_file(s, &askpass, value);
		}
	}
	for (size_t i = 0; i < s->words->askpass.n; i++) {
		add_file(s, &askpass, s->words->askpass.v[i]);
	}
}

bool installer_is_helper(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (kinds[i].use <= HELPER_SSH && !strcmp(kinds[i].name, name)) {
			return true;
		}
	}
	return false;
}

/* The home that ssh goes by, whatever HOME says. */
static const char *account_home(const char *home)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw && pw->pw_dir[0] == '/' ? pw->pw_dir : home;
}

void inst_helpers_plan(struct installer *ins, char *const envp[], const char *cwd, const char *home)
{
	struct helper_words words = { 0 };
	struct search s = { .ins = ins, .envp = envp, .cwd = cwd, .home = home, .words = ins->vcs_count ? &words : NULL };

	if (s.words) {
		inst_helper_words(&words, envp, home, account_home(home));
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (kinds[i].use <= HELPER_SSH || s.words) {
			find(&s, &kinds[i]);
		}
	}
	if (s.words) {
		find_named(&s, &words.ssh);
		find_named(&s, &words.git);
		find_askpass(&s);
	}
	ins->git_asks = words.askpass.n > 0;
	ins->ssh_words = words.ssh;
	ins->git_words = words.git;
	words.ssh = words.git = (struct strings){ 0 };
	inst_helper_words_finish(&words);
}

void inst_helpers_finish(struct installer *ins)
{
	for (size_t i = 0; i < ins->helper_count; i++) {
		free(ins->helpers[i].path);
		free(ins->helpers[i].program);
		free(ins->helpers[i].bus);
		strings_finish(&ins->helpers[i].places);
		python_env_finish(&ins->helpers[i].env);
	}
	strings_finish(&ins->ssh_words);
	strings_finish(&ins->git_words);
	free(ins->helpers);
	ins->helpers = NULL;
	ins->helper_count = 0;
}
