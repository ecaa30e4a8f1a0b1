/* Programs that know passwords: which of them pip will find, and which of those are the user's own.
 *
 * A helper is what PATH led to before anything ran.  One that lies in the environment that pip installs into, or runs by its Python, is code of packages,
 * whatever its name: it is found all the same, with the reason why it does not get the role. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/installer/parts.h"

enum base { OF_HOME, OF_DATA, OF_CONFIG, OF_VARIABLE };
enum { PLACES = 2 };

/* What a helper is for: a file or folder that it reads, a socket that it connects to. */
static const struct kind {
	const char *name; /* the program's */
	bool key_store;   /* it may ask the desktop's, over the session's message bus */
	struct place {
		enum base base;   /* the home, an XDG folder (its variable's, or the usual one), or a variable that holds the whole path */
		const char *name; /* below it, or the variable's */
	} places[PLACES];
} kinds[] = {
	/* keyring's own settings, and the file of the back ends that keep one. */
	{ "keyring", true, { { OF_DATA, "python_keyring" }, { OF_CONFIG, "python_keyring" } } },
	{ "ssh", false, { { OF_HOME, ".ssh" }, { OF_VARIABLE, "SSH_AUTH_SOCK" } } },
};

/* The absolute path, the caller's; NULL: the variable holds none. */
static char *place_path(const struct place *place, char *const envp[], const char *home)
{
	static const struct {
		const char *variable, *below;
	} bases[] = { [OF_HOME] = { NULL, "" }, [OF_DATA] = { "XDG_DATA_HOME", "/.local/share" }, [OF_CONFIG] = { "XDG_CONFIG_HOME", "/.config" } };
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

static void add(struct installer *ins, const struct kind *kind, char *path, char *const envp[], const char *cwd, const char *home)
{
	struct helper h = { .path = path };
	cleanup_text char *real = NULL;
	struct stat st;

	h.refused = resolve_shim(&h, kind->name, envp, cwd, home);
	real = realpath(h.program, NULL);
	if (!real || stat(real, &st)) {
		free(h.program);
		free(h.path);
		return;
	}
	h.device = st.st_dev;
	h.inode = st.st_ino;
	h.changed = st.st_ctim;
	python_env_of_script(real, envp, home, &h.env);
	for (size_t i = 0; i < PLACES; i++) {
		cleanup_text char *place = place_path(&kind->places[i], envp, home);

		if (place) {
			strings_put(&h.places, place);
		}
	}
	h.bus = kind->key_store ? session_bus(envp) : NULL;
	if (!h.refused) {
		h.refused = why_refused(ins, &h, real, envp, cwd, home);
	}
	ins->helpers = inst_grow(ins->helpers, ins->helper_count, sizeof(*ins->helpers));
	ins->helpers[ins->helper_count++] = h;
}

static void look_in(struct installer *ins, const struct kind *kind, const char *folder, char *const envp[], const char *cwd, const char *home)
{
	char *file = *folder == '/' ? inst_path_join(folder, kind->name) : NULL; /* a relative folder means whatever the working directory is */

	if (file && inst_path_is_file(file) && !access(file, X_OK)) {
		add(ins, kind, file, envp, cwd, home);
	} else {
		free(file);
	}
}

static void find(struct installer *ins, const struct kind *kind, char *const envp[], const char *cwd, const char *home)
{
	const char *path = inst_env(envp, "PATH");
	cleanup_text char *copy = inst_dup(path ? path : "/bin:/usr/bin");
	char *save = NULL;

	for (char *folder = strtok_r(copy, ":", &save); folder; folder = strtok_r(NULL, ":", &save)) {
		look_in(ins, kind, folder, envp, cwd, home);
	}
}

bool installer_is_helper(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i].name, name)) {
			return true;
		}
	}
	return false;
}

void inst_helpers_plan(struct installer *ins, char *const envp[], const char *cwd, const char *home)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		find(ins, &kinds[i], envp, cwd, home);
	}
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
	free(ins->helpers);
	ins->helpers = NULL;
	ins->helper_count = 0;
}
