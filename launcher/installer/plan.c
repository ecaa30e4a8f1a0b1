#include <stdlib.h>
#include <string.h>

#include "launcher/installer/parts.h"

static void add_list(struct installer *ins, const struct sourced_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		inst_hosts_add(ins, list->v[i].value, NULL, list->v[i].origin, list->v[i].where);
	}
}

/* pip asks for a newer pip where the command line said to look, whatever the requirements files say. */
static bool checks_version(const struct asked *a)
{
	return !a->flag[OPT_NO_VERSION_CHECK] && !a->flag[OPT_NO_INDEX];
}

/* What a sub-pip of build isolation reads in the settings again: it is told pip's indexes in the end, and adds those. */
static void add_settings_extra(struct index_scope *to, const struct asked *a)
{
	const struct sourced_list *urls = &a->command.urls;

	for (size_t i = 0; i < urls->n; i++) {
		if (urls->v[i].origin != HOST_ARGUMENT && !(i == 0 && a->single[OPT_INDEX_URL].value)) {
			inst_sourced_add(&to->urls, urls->v[i].value, urls->v[i].where, urls->v[i].origin);
		}
	}
}

static void add_scope(struct index_scope *to, const struct index_scope *more)
{
	to->standard |= more->standard;
	for (size_t i = 0; i < more->urls.n; i++) {
		inst_sourced_add(&to->urls, more->urls.v[i].value, more->urls.v[i].where, more->urls.v[i].origin);
	}
}

/* Every index that is asked in the run: for packages, by sub-pips, for pip's own version. */
static void all_indexes(struct index_scope *all, const struct asked *a, unsigned command)
{
	const unsigned builds = CMD_INSTALL | CMD_DOWNLOAD | CMD_WHEEL | CMD_LOCK;

	if (command != CMD_LIST || a->flag[OPT_OUTDATED]) {
		add_scope(all, &a->scope);
		if ((command & builds) && (all->standard || all->urls.n)) {
			add_settings_extra(all, a);
		}
	}
	if (checks_version(a)) {
		add_scope(all, &a->command);
	}
}

static bool has_host(const struct sourced_list *urls, const char *host)
{
	bool found = false;

	for (size_t i = 0; i < urls->n && !found; i++) {
		struct url u;

		if (pip_url_parse(urls->v[i].value, NULL, &u)) {
			found = !strcmp(u.host, host);
			free(u.host);
		}
	}
	return found;
}

static int plan_indexes(struct installer *ins, const struct index_scope *all, struct installer_error *err)
{
	static const char module[] = "_internal/models/index.py";
	bool none = !all->standard && !all->urls.n; /* then it matters to nobody what pip's own would be */
	cleanup_text char *text = none ? NULL : inst_pip_text(ins, module);
	cleanup_text char *index_url = NULL;
	cleanup_text char *file_host = NULL;
	cleanup_text char *file_url = NULL;
	struct url standard;

	if (none) {
		return 0;
	}
	if (!text || !inst_default_index(text, &index_url, &file_host) || !pip_url_parse(index_url, NULL, &standard)) {
		return inst_fail(err, 125, "pip's default index cannot be read from its %s (a newer pip than this pipwarden knows?)", module);
	}
	add_list(ins, &all->urls);
	if (all->standard || has_host(&all->urls, standard.host)) {
		file_url = inst_format("https://%s/", file_host);
		inst_hosts_add(ins, file_url, NULL, HOST_DEFAULT, "pip's file host");
	}
	if (all->standard) {
		inst_hosts_add(ins, index_url, NULL, HOST_DEFAULT, "pip's default index");
	}
	free(standard.host);
	return 0;
}

static void plan_requirements(struct installer *ins, const struct asked *a, const char *cwd)
{
	for (size_t i = 0; i < a->positionals.n; i++) {
		const struct sourced *one = &a->positionals.v[i];
		cleanup_text char *where = NULL;

		if (pip_requirement_kind(one->value, cwd, &where) == REQ_URL) {
			inst_hosts_add(ins, where, NULL, one->origin, one->where);
		}
	}
}

static int plan_hosts(struct installer *ins, const struct asked *a, char *const envp[], const char *cwd, struct installer_error *err)
{
	const unsigned packages = CMD_INSTALL | CMD_DOWNLOAD | CMD_WHEEL | CMD_LOCK;
	unsigned command = pip_command_bit(ins->command);
	struct index_scope all = { 0 };
	int result = 0;

	if (command & (packages | CMD_LIST | CMD_INDEX | CMD_SEARCH)) {
		all_indexes(&all, a, command);
		result = plan_indexes(ins, &all, err);
		inst_sourced_clear(&all.urls);
		add_list(ins, &a->find_links);
	}
	if (command & packages) {
		plan_requirements(ins, a, cwd);
	}
	add_list(ins, &a->fetched);
	if (command & (packages | CMD_LIST | CMD_INDEX | CMD_SEARCH | CMD_UNINSTALL)) {
		inst_proxies_plan(ins, a, envp);
	}
	return result;
}

static void keep_urls(struct installer *ins, const struct sourced_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strstr(list->v[i].value, "://")) {
			strings_put(&ins->urls, list->v[i].value);
		}
	}
}

static void plan_urls(struct installer *ins, struct asked *a)
{
	const struct sourced_list *const lists[] = { &a->command.urls, &a->scope.urls, &a->find_links, &a->positionals, &a->editables, &a->fetched };
	const struct sourced_list singles[] = { { &a->single[OPT_INDEX_URL], 1 }, { &a->single[OPT_PROXY], 1 } };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		keep_urls(ins, lists[i]);
	}
	for (size_t i = 0; i < sizeof(singles) / sizeof(*singles); i++) {
		if (singles[i].v->value) {
			keep_urls(ins, &singles[i]);
		}
	}
}

/* pip's decide_user_install: asked for, or the site-packages cannot be written. */
static bool installs_for_user(const struct installer *ins, const struct asked *a)
{
	static const char *const folders[] = { "/site-packages", "/dist-packages" };
	const struct python_env *env = &ins->env;

	if (a->flag[OPT_USER]) {
		return true;
	}
	if (a->flag[OPT_NO_USER] || a->single[OPT_PREFIX].value || a->single[OPT_TARGET].value || a->single[OPT_ROOT].value) {
		return false;
	}
	for (size_t i = 0; i < env->write_dirs.n; i++) {
		const char *dir = env->write_dirs.v[i];

		if (env->user_base && pathtext_below(dir, env->user_base)) {
			continue;
		}
		for (size_t k = 0; k < 2; k++) {
			if (inst_ends(dir, folders[k])) {
				return false;
			}
		}
	}
	return true;
}

/* Before 21.3, and in Pythons before 3.10, pip asks distutils for the user's folders, which makes them for their owner alone. */
static void plan_private_site(struct installer *ins)
{
	const struct python_env *env = &ins->env;
	cleanup_text char *site = env->user_base ? inst_format("%s/lib/python%s/site-packages", env->user_base, env->version) : NULL;

	if (site && strings_has(&env->make_dirs, site) && (inst_version_before(ins->pip_version, 21, 3) || inst_version_before(env->version, 3, 10))) {
		inst_set(&ins->private_site, inst_dup(site));
	}
}

/* git+https://HOST/pypa/pip.git, or egg=pip */
static bool is_pips_repository(const char *url)
{
	struct vcs_requirement one;
	bool parsed = pip_vcs_parse(url, &one), is = false;

	if (parsed) {
		const char *last = inst_path_base(one.url);

		is = one.name ? pip_requirement_is_pip(one.name) : !strcmp(last, "pip") || !strcmp(last, "pip.git");
	}
	pip_vcs_finish(&one);
	return is;
}

static bool names_pip(const struct asked *a, const char *cwd)
{
	for (size_t i = 0; i < a->positionals.n; i++) {
		cleanup_text char *where = NULL;

		switch (pip_requirement_kind(a->positionals.v[i].value, cwd, &where)) {
		case REQ_URL:
		case REQ_FILE:
			if (inst_starts(inst_path_base(where), "pip-")) {
				return true;
			}
			break;
		case REQ_VCS:
			if (is_pips_repository(where)) {
				return true;
			}
			break;
		case REQ_NAME:
		case REQ_DIRECTORY:
			break;
		}
		if (pip_requirement_is_pip(a->positionals.v[i].value)) {
			return true;
		}
	}
	return false;
}

static int plan(struct installer *ins, struct asked *a, const struct policy *p, char *const envp[], const char *cwd, const char *home,
                struct installer_error *err)
{
	unsigned command = pip_command_bit(ins->command);

	if (inst_refuse(a, ins, err) || inst_outputs_plan(ins, a, p, envp, cwd, home, err)) {
		return -1;
	}
	python_env_narrow(&ins->env, command & (CMD_INSTALL | CMD_UNINSTALL), installs_for_user(ins, a));
	plan_private_site(ins);
	if (command == CMD_INSTALL) {
		inst_schemes_plan(ins, a, cwd, home);
	}
	inst_archives_plan(ins, a, cwd, home);
	if ((command & (CMD_INSTALL | CMD_DOWNLOAD | CMD_WHEEL | CMD_LOCK)) && (inst_local_plan(ins, a, p, cwd, err) || inst_vcs_plan(ins, a, cwd, err))) {
		return -1;
	}
	if (plan_hosts(ins, a, envp, cwd, err)) {
		return -1;
	}
	/* Older pips run `setup.py install` in place where they may not or cannot make a wheel; that writes the environment itself. */
	ins->use_pep517 = command == CMD_INSTALL && inst_version_before(ins->pip_version, 23, 1) && !a->flag[OPT_NO_PEP517] &&
	                  (!inst_has_package(&ins->env, "wheel") || a->single[OPT_NO_BINARY].value);
	ins->copies_local = ins->local_dirs.n && inst_version_before(ins->pip_version, 21, 3);
	/* From 80 on the `setup.py develop` of setuptools is itself a pip, and asks for just this. */
	ins->use_pep517 |= command == CMD_INSTALL && a->editables.n && !a->flag[OPT_NO_PEP517] && !inst_version_before(ins->pip_version, 21, 3) &&
	                   !inst_package_before(&ins->env, "setuptools", 80);
	plan_urls(ins, a);
	inst_helpers_plan(ins, envp, cwd, home);
	/* Older ones do not know the option; by themselves they try the import and then the program. */
	ins->keyring_over = a->single[OPT_KEYRING].value && !strcmp(a->single[OPT_KEYRING].value, "import") && !inst_version_before(ins->pip_version, 23, 1);
	ins->pip_is_target = (command & (CMD_INSTALL | CMD_UNINSTALL)) && names_pip(a, cwd);
	return 0;
}

int installer_plan(struct installer *ins, const struct policy *p, char *const envp[], const char *cwd, const char *home,
                   struct installer_error *err)
{
	cleanup_strings struct strings without = { 0 };
	struct asked a = { 0 };
	int result;

	if (ins->ensurepip) {
		for (; *envp; envp++) {
			if (!inst_starts(*envp, "PIP_")) {
				strings_put(&without, *envp);
			}
		}
		strings_put(&without, "PIP_CONFIG_FILE=/dev/null");
		envp = without.v;
	}
	result = inst_asked_collect(&a, ins, envp, cwd, home, err);
	if (!result) {
		result = plan(ins, &a, p, envp, cwd, home, err);
	}
	inst_asked_finish(&a);
	return result;
}

void installer_finish(struct installer *ins)
{
	python_env_finish(&ins->env);
	free(ins->pip_dir);
	free(ins->pip_version);
	free(ins->program);
	free(ins->command);
	if (ins->zip) {
		free(ins->zip->data);
		free(ins->zip);
	}
	free(ins->runner);
	free(ins->runner_real);
	free(ins->private_site);
	inst_helpers_finish(ins);
	free(ins->cache_dir);
	free(ins->src_dir);
	for (size_t i = 0; i < ins->vcs_count; i++) {
		pip_vcs_finish(&ins->vcs[i]);
	}
	free(ins->vcs);
	strings_finish(&ins->args);
	strings_finish(&ins->outputs);
	strings_finish(&ins->output_files);
	strings_finish(&ins->local_dirs);
	strings_finish(&ins->local_roots);
	strings_finish(&ins->archives);
	strings_finish(&ins->package_dirs);
	strings_finish(&ins->script_dirs);
	strings_finish(&ins->data_dirs);
	free(ins->target_dir);
	strings_finish(&ins->urls);
	for (size_t i = 0; i < ins->host_count; i++) {
		free(ins->hosts[i].host);
		free(ins->hosts[i].where);
	}
	free(ins->hosts);
	proxies_finish(&ins->proxies);
	*ins = (struct installer){ 0 };
}
