#include "places.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>

#include "launcher/sandbox/ruleset.h"
#include "pathtext.h"

#define R GRANT_READ
#define RX (GRANT_READ | GRANT_EXECUTE)
#define RW (GRANT_READ | GRANT_WRITE_FILE)

const struct place places_system[] = {
	{"/usr", RX}, {"/bin", RX}, {"/sbin", RX}, {"/lib", RX}, {"/lib32", RX}, {"/lib64", RX}, {"/libx32", RX},
	{"/sys/devices/system/cpu", R}, {"/sys/devices/system/node", R},
	{"/dev/null", RW | GRANT_DEVICE}, {"/dev/zero", RW}, {"/dev/full", RW}, {"/dev/random", R}, {"/dev/urandom", R},
	/* the loader and the C library */
	{"/etc/ld.so.cache", R}, {"/etc/ld.so.preload", R}, {"/etc/ld.so.conf", R}, {"/etc/ld.so.conf.d", R},
	{"/etc/localtime", R}, {"/etc/timezone", R}, {"/etc/locale.alias", R}, {"/etc/locale.conf", R}, {"/etc/default/locale", R},
	{"/etc/passwd", R}, {"/etc/group", R}, {"/etc/nsswitch.conf", R}, {"/etc/shells", R}, {"/etc/login.defs", R},
	/* names: read, though nothing can be asked */
	{"/etc/host.conf", R}, {"/etc/hosts", R}, {"/etc/hostname", R}, {"/etc/resolv.conf", R}, {"/etc/gai.conf", R},
	{"/etc/services", R}, {"/etc/protocols", R}, {"/etc/networks", R},
	/* which distribution is this */
	{"/etc/os-release", R}, {"/etc/lsb-release", R}, {"/etc/debian_version", R}, {"/etc/redhat-release", R}, {"/etc/fedora-release", R},
	{"/etc/system-release", R}, {"/etc/alpine-release", R}, {"/etc/arch-release", R}, {"/etc/SuSE-release", R}, {"/etc/dpkg/origins", R},
	/* shells, terminals, tools */
	{"/etc/bash.bashrc", R}, {"/etc/profile", R}, {"/etc/inputrc", R}, {"/etc/terminfo", R}, {"/etc/gitconfig", R},
	{"/etc/alternatives", RX}, {"/etc/perl", R}, {"/etc/python3", R}, {"/etc/python3.11", R}, {"/etc/mime.types", R}, {"/etc/magic", R},
	{"/etc/fonts", R},
	/* certificates that everybody may see */
	{"/etc/ssl/certs", R}, {"/etc/ssl/cert.pem", R}, {"/etc/ssl/openssl.cnf", R}, {"/etc/ca-certificates.conf", R}, {"/etc/pki/tls/certs", R},
	{"/etc/pki/tls/cert.pem", R}, {"/etc/pki/tls/openssl.cnf", R}, {"/etc/pki/ca-trust/extracted", R}, {"/etc/crypto-policies", R},
	{0},
};

const char *const places_global_proc[] = {
	"/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/uptime", "/proc/version", "/proc/filesystems", "/proc/devices",
	"/proc/sys/kernel/osrelease", "/proc/sys/kernel/ostype", "/proc/sys/kernel/version", "/proc/sys/kernel/pid_max", "/proc/sys/kernel/ngroups_max",
	"/proc/sys/kernel/cap_last_cap", "/proc/sys/kernel/random/uuid", "/proc/sys/kernel/random/boot_id", "/proc/sys/vm/overcommit_memory",
	"/proc/sys/vm/mmap_min_addr", "/proc/sys/fs/pipe-max-size", "/proc/sys/fs/file-max", "/proc/sys/net/core/somaxconn", NULL,
};

const char *const places_home_tools[] = {".cargo/bin", ".rustup", NULL};

const char *const places_installer_devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/pts", "/dev/console", NULL};

bool places_granted(const char *path)
{
	for (const struct place *p = places_system; p->path != NULL; p++) {
		if (pathtext_below(path, p->path)) {
			return true;
		}
	}
	return false;
}

bool places_below(const char *real, const char *root)
{
	char resolved[PATH_MAX];

	return realpath(root, resolved) != NULL && pathtext_below(real, resolved);
}

bool places_below_one(const char *real, const char *const *roots)
{
	for (size_t i = 0; roots != NULL && roots[i] != NULL; i++) {
		if (places_below(real, roots[i])) {
			return true;
		}
	}
	return false;
}
