/* Prints what is found of a pip that really is there, for test_real.py and tests/e2e/test_pip_hosts.py: no interpreter is started. */
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/installer/support.h"

static void show(const char *name, const struct strings *s)
{
	for (size_t i = 0; i < s->n; i++) {
		printf("%s=%s\n", name, s->v[i]);
	}
}

int main(int argc, char **argv)
{
	struct installer ins;
	struct installer_error err = { 0 };
	char cwd[4096];
	const char *home = inst_env(environ, "HOME");

	if (argc < 2 || !getcwd(cwd, sizeof(cwd)) || !home) {
		return 2;
	}
	if (installer_find(&ins, argv + 1, environ, cwd, &err)) {
		printf("error=%d %s\n", err.status, err.message);
		return 1;
	}
	if (installer_plan(&ins, NULL, environ, cwd, home, &err)) {
		printf("error=%d %s\n", err.status, err.message);
		installer_finish(&ins);
		return 1;
	}
	printf("interpreter=%s\nprefix=%s\nbase_prefix=%s\nversion=%s\nvenv=%d\ndebian=%d\npip_dir=%s\npip_version=%s\nprogram=%s\nmodule=%d\nhosts=%zu\n",
	       ins.env.interpreter, ins.env.prefix, ins.env.base_prefix, ins.env.version, ins.env.venv, ins.env.debian, ins.pip_dir, ins.pip_version,
	       ins.program, ins.module, ins.host_count);
	printf("cache=%s\n", ins.cache_dir ? ins.cache_dir : "");
	for (size_t i = 0; i < ins.host_count; i++) {
		printf("host=%s:%u\n", ins.hosts[i].host, ins.hosts[i].port);
	}
	show("site", &ins.env.site_dirs);
	show("write", &ins.env.write_dirs);
	show("make", &ins.env.make_dirs);
	show("read", &ins.env.read_dirs);
	show("output", &ins.outputs);
	installer_finish(&ins);
	return 0;
}
