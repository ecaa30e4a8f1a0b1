#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

#define LISTED(list, word) (bsearch(&(const char *){word}, list, sizeof list / sizeof *list, sizeof *list, by_text) != NULL)

/* No package on an index has a reason to bring one of these names; python, pip, node, cmake, aws and their like are not among them.  Sorted. */
static const char *const commands[] = {
	"apk", "apt", "apt-get", "ash", "awk", "basename", "bash", "cat", "chgrp", "chmod", "chown", "chroot", "chsh", "clear", "cp", "crontab", "csh", "curl", "cut",
	"dash", "date", "dd", "df", "diff", "dirname", "dmesg", "dnf", "doas", "docker", "dpkg", "du", "echo", "env", "expr", "false", "fgrep", "find", "fish", "git",
	"gpg", "gpg-agent", "gpg2", "gpgv", "grep", "groups", "gunzip", "gzip", "halt", "head", "hostname", "id", "ifconfig", "ip", "journalctl", "kill", "killall",
	"ksh", "kubectl", "ldd", "less", "ln", "login", "ls", "lsof", "man", "md5sum", "mkdir", "mktemp", "more", "mount", "mv", "nano", "nc", "netstat", "newgrp",
	"nohup", "openssl", "pass", "passwd", "ping", "pkexec", "podman", "poweroff", "printenv", "ps", "pwd", "readlink", "realpath", "reboot", "rm", "rmdir", "rsync",
	"scp", "screen", "sed", "sftp", "sh", "sha256sum", "shutdown", "sleep", "sort", "ssh", "ssh-add", "ssh-agent", "ssh-copy-id", "ssh-keygen", "stat", "strace",
	"stty", "su", "sudo", "sudoedit", "systemctl", "tail", "tar", "tee", "telnet", "tmux", "top", "touch", "tr", "true", "tty", "umount", "uname", "uniq", "unzip",
	"useradd", "vi", "vim", "visudo", "wc", "wget", "which", "who", "whoami", "xargs", "yum", "zsh",
};

static const char *const builtins[] = {
	"_abc", "_ast", "_codecs", "_collections", "_functools", "_imp", "_io", "_locale", "_operator", "_signal", "_sre", "_stat", "_string", "_symtable", "_thread",
	"_tracemalloc", "_typing", "_warnings", "_weakref", "atexit", "builtins", "errno", "faulthandler", "gc", "itertools", "marshal", "posix", "pwd", "sys", "time",
};

static const char *const common[] = {
	"LICENSE", "LICENSE.md", "LICENSE.txt", "README", "README.md", "README.rst", "benchmark", "benchmarks", "conftest.py", "doc", "docs", "example", "examples",
	"samples", "scripts", "setup.py", "src", "test", "testing", "tests", "tools", "utils",
};

static const char *const plugins[] = {
	"distutils.commands", "distutils.setup_keywords", "egg_info.writers", "hatch", "keyring.backends", "pytest11", "setuptools.file_finders",
	"setuptools.finalize_distribution_options",
};

bool words_is_command(const char *name)
{
	return LISTED(commands, name);
}

bool words_is_builtin(const char *module)
{
	return LISTED(builtins, module);
}

bool words_is_common(const char *top)
{
	return LISTED(common, top);
}

bool words_is_plugin(const char *group)
{
	return LISTED(plugins, group);
}

enum place words_place(const char *path)
{
	static const char *const starts[] = {
		"/systemd/", "/cron.", "/cron/", "/init.d/", "/profile.d/", "/autostart/", "/dbus-1/", "/sudoers.d/", "/pam.d/", "/ld.so.conf.d/", "/udev/", "/rc.d/",
		"/xinit/", "/environment.d/", "/modprobe.d/", "/apt.conf.d/", "/logrotate.d/", "/NetworkManager/", "/ssh/",
	};
	static const char *const completions[] = {"/bash_completion.d/", "/bash-completion/", "/site-functions/", "/vendor-completions/", "/fish/"};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		if (strstr(path, starts[i]) != NULL) {
			return PLACE_STARTS;
		}
	}
	for (size_t i = 0; i < sizeof completions / sizeof *completions; i++) {
		if (strstr(path, completions[i]) != NULL) {
			return PLACE_COMPLETION;
		}
	}
	return PLACE_PLAIN;
}

bool words_next_group(const char **at, char *out, size_t size)
{
	while (**at != '\0') {
		const char *line = *at + strspn(*at, " \t"), *end;
		size_t n = strcspn(line, "\r\n");
		*at = line + n;
		*at += strspn(*at, "\r\n");
		end = *line == '[' ? memchr(line, ']', n) : NULL;
		if (end == NULL) {
			continue;
		}
		line++;
		while (line < end && (*line == ' ' || *line == '\t')) {
			line++;
		}
		n = (size_t)(end - line);
		while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t')) {
			n--;
		}
		if (n > 0 && n < size) {
			memcpy(out, line, n);
			out[n] = '\0';
			return true;
		}
	}
	return false;
}

size_t words_top(const char *path)
{
	return strcspn(path, "/");
}

bool words_is_bytecode(const char *path, bool *cached)
{
	size_t len = strlen(path);

	*cached = strncmp(path, "__pycache__/", 12) == 0 || strstr(path, "/__pycache__/") != NULL;
	return len > 4 && (strcmp(path + len - 4, ".pyc") == 0 || strcmp(path + len - 4, ".pyo") == 0);
}

bool words_source(const char *path, char *out, size_t size)
{
	static const char folder[] = "__pycache__/";
	bool cached;
	const char *name = strrchr(path, '/'), *dot;
	size_t above = sizeof folder - 1;

	if (!words_is_bytecode(path, &cached) || !cached || name == NULL) {
		return false;
	}
	name++;
	dot = strchr(name, '.');
	if ((size_t)(name - path) < above || strncmp(name - above, folder, above) != 0) {
		return false;
	}
	return snprintf(out, size, "%.*s%.*s.py", (int)(name - above - path), path, (int)(dot - name), name) < (int)size;
}
