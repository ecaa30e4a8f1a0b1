/* AF_UNIX sockets by their paths: who listens there. */
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "launcher/supervise/place.h"

static const struct {
	const char *pattern; /* fnmatch without FNM_PATHNAME: * crosses slashes */
	const char *rule;
} known[] = {
	/* Whoever may speak to a container engine is root. */
	{"*/docker.sock", "net.unix.docker"},
	{"*/docker.raw.sock", "net.unix.docker"},
	{"*/containerd*.sock*", "net.unix.docker"},
	{"*/podman*.sock", "net.unix.docker"},
	{"*/crio.sock", "net.unix.docker"},
	{"*/buildkitd.sock", "net.unix.docker"},
	{"*/lxd/unix.socket", "net.unix.docker"},
	{"*/incus/unix.socket", "net.unix.docker"},
	{"*/libvirt-sock*", "net.unix.docker"},
	/* Keys that can be used without being read. */
	{"*/ssh-*/agent.*", "net.unix.agent"},
	{"*/.ssh/agent/*", "net.unix.agent"},
	{"*/S.gpg-agent*", "net.unix.agent"},
	{"*/S.scdaemon", "net.unix.agent"},
	{"*/S.keyboxd", "net.unix.agent"},
	{"*/keyring*/ssh", "net.unix.agent"},
	{"*/keyring*/control", "net.unix.agent"},
	{"*/keyring*/pkcs11", "net.unix.agent"},
	{"*ssh-agent*", "net.unix.agent"},
	{"*ssh_auth_sock*", "net.unix.agent"},
	{"*/.1password/*", "net.unix.agent"},
	{"*/agent.sock", "net.unix.agent"},
	{"*/vscode-ssh-auth*", "net.unix.agent"},
	{"*/vscode-git-*", "net.unix.agent"},
	{"*/vscode-ipc-*", "net.unix.agent"},
	/* Starts programs outside on request. */
	{"*/dbus/system_bus_socket", "net.unix.dbus"},
	{"/run/user/*/bus", "net.unix.dbus"},
	{"/tmp/dbus-*", "net.unix.dbus"},
	{"@/tmp/dbus-*", "net.unix.dbus"},
	{"/run/systemd/private", "net.unix.dbus"},
	{"/run/user/*/systemd/*", "net.unix.dbus"},
	/* Sees the keyboard. */
	{"/tmp/.X11-unix/*", "net.unix.display"},
	{"@/tmp/.X11-unix/*", "net.unix.display"},
	{"*/wayland-*", "net.unix.display"},
	{"/tmp/tmux-*", "net.unix.display"},
	{"*/S.screen-*", "net.unix.display"},
	/* What a libc asks of its own accord. */
	{"/run/nscd/socket", "net.unix.system"},
	{"/var/run/nscd/socket", "net.unix.system"},
	{"/run/systemd/userdb/*", "net.unix.system"},
	{"/var/run/systemd/userdb/*", "net.unix.system"},
	{"/var/lib/sss/pipes/*", "net.unix.system"},
	{"/run/systemd/resolve/*", "net.unix.system"},
	{"/var/run/systemd/resolve/*", "net.unix.system"},
	{"/run/systemd/nss*", "net.unix.system"},
	{"/run/nslcd/socket", "net.unix.system"},
	{"/var/run/nslcd/socket", "net.unix.system"},
	{"/run/avahi-daemon/socket", "net.unix.system"},
	{"/var/run/avahi-daemon/socket", "net.unix.system"},
	{"/run/systemd/journal/*", "net.unix.system"},
	{"/dev/log", "net.unix.system"},
	{"/run/uuidd/request", "net.unix.system"}, /* libuuid: Python's uuid1 */
	{"/var/run/uuidd/request", "net.unix.system"},
};

/* Answer who a user is, and take nothing that could carry data away.  Not systemd-resolved: names are decided by the supervisor. */
static const char *const name_services[] = {
	"/run/nscd/socket", "/var/run/nscd/socket", "/run/systemd/userdb/*", "/var/run/systemd/userdb/*", "/var/lib/sss/pipes/*",
	"/run/nslcd/socket", "/var/run/nslcd/socket",
};

const char *place_rule(const char *path)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (!fnmatch(known[i].pattern, path, FNM_NOESCAPE))
			return known[i].rule;
	}
	return "net.unix";
}

bool place_name_service(const char *path)
{
	if (strstr(path, "/../") || strstr(path, "/./"))
		return false;
	for (size_t i = 0; i < sizeof name_services / sizeof name_services[0]; i++) {
		if (!fnmatch(name_services[i], path, FNM_NOESCAPE | FNM_PATHNAME | FNM_PERIOD))
			return true;
	}
	return false;
}
