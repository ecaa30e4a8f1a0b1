#include "policy/attack.h"

#include <stddef.h>
#include <string.h>

#include "policy/match.h"

/* What is in use of ATT&CK, version 18, with the names that it has there. */
static const struct {
	const char *id, *name;
} techniques[] = {
	{"T1003", "OS Credential Dumping"},
	{"T1003.007", "Proc Filesystem"},
	{"T1003.008", "/etc/passwd and /etc/shadow"},
	{"T1005", "Data from Local System"},
	{"T1014", "Rootkit"},
	{"T1016", "System Network Configuration Discovery"},
	{"T1036.005", "Match Legitimate Resource Name or Location"},
	{"T1037.004", "RC Scripts"},
	{"T1040", "Network Sniffing"},
	{"T1041", "Exfiltration Over C2 Channel"},
	{"T1046", "Network Service Discovery"},
	{"T1048.003", "Exfiltration Over Unencrypted Non-C2 Protocol"},
	{"T1053.003", "Cron"},
	{"T1055", "Process Injection"},
	{"T1055.008", "Ptrace System Calls"},
	{"T1057", "Process Discovery"},
	{"T1059.006", "Python"},
	{"T1068", "Exploitation for Privilege Escalation"},
	{"T1071", "Application Layer Protocol"},
	{"T1071.003", "Mail Protocols"},
	{"T1071.004", "DNS"},
	{"T1083", "File and Directory Discovery"},
	{"T1090.003", "Multi-hop Proxy"},
	{"T1090.004", "Domain Fronting"},
	{"T1095", "Non-Application Layer Protocol"},
	{"T1098", "Account Manipulation"},
	{"T1098.004", "SSH Authorized Keys"},
	{"T1102", "Web Service"},
	{"T1113", "Screen Capture"},
	{"T1132.001", "Standard Encoding"},
	{"T1195.001", "Compromise Software Dependencies and Development Tools"},
	{"T1195.002", "Compromise Software Supply Chain"},
	{"T1489", "Service Stop"},
	{"T1499", "Endpoint Denial of Service"},
	{"T1528", "Steal Application Access Token"},
	{"T1539", "Steal Web Session Cookie"},
	{"T1543.002", "Systemd Service"},
	{"T1546", "Event Triggered Execution"},
	{"T1546.004", "Unix Shell Configuration Modification"},
	{"T1546.018", "Python Startup Hooks"},
	{"T1547.006", "Kernel Modules and Extensions"},
	{"T1547.013", "XDG Autostart Entries"},
	{"T1548.001", "Setuid and Setgid"},
	{"T1552", "Unsecured Credentials"},
	{"T1552.001", "Credentials In Files"},
	{"T1552.003", "Shell History"},
	{"T1552.004", "Private Keys"},
	{"T1552.005", "Cloud Instance Metadata API"},
	{"T1552.007", "Container API"},
	{"T1554", "Compromise Host Software Binary"},
	{"T1555", "Credentials from Password Stores"},
	{"T1555.003", "Credentials from Web Browsers"},
	{"T1559", "Inter-Process Communication"},
	{"T1562.001", "Disable or Modify Tools"},
	{"T1562.006", "Indicator Blocking"},
	{"T1563.001", "SSH Hijacking"},
	{"T1565.001", "Stored Data Manipulation"},
	{"T1567", "Exfiltration Over Web Service"},
	{"T1567.001", "Exfiltration to Code Repository"},
	{"T1567.002", "Exfiltration to Cloud Storage"},
	{"T1567.003", "Exfiltration to Text Storage Sites"},
	{"T1567.004", "Exfiltration Over Webhook"},
	{"T1568", "Dynamic Resolution"},
	{"T1571", "Non-Standard Port"},
	{"T1572", "Protocol Tunneling"},
	{"T1574", "Hijack Execution Flow"},
	{"T1574.006", "Dynamic Linker Hijacking"},
	{"T1574.007", "Path Interception by PATH Environment Variable"},
	{"T1611", "Escape to Host"},
	{"T1620", "Reflective Code Loading"},
	{"T1674", "Input Injection"},
};

/* The first pattern that matches counts.  No id: excused. */
static const struct row {
	const char *rules;
	const char *ids[ATTACK_OF_RULE_MAX + 1];
} rows[] = {
	// secrets in files
	{"file.ssh-key", {"T1552.004"}},
	{"file.ssh", {"T1552.001"}},
	{"file.gnupg", {"T1552.004"}},
	{"file.tls-key", {"T1552.004"}},
	{"file.system-key", {"T1552.004"}},
	{"file.system-pem", {"T1552.004"}},
	{"file.project.key", {"T1552.004"}},
	{"file.wallet", {"T1552.004", "T1005"}},
	{"file.vault", {"T1555"}},
	{"file.browser", {"T1555.003", "T1539"}},
	{"file.messenger", {"T1528", "T1005"}},
	{"file.history", {"T1552.003"}},
	{"file.shadow", {"T1003.008"}},
	{"file.memory", {"T1003"}},

	// what makes code run later
	{"file.persistence.shell", {"T1546.004"}},
	{"file.persistence.desktop", {"T1547.013"}},
	{"file.persistence.systemd", {"T1543.002"}},
	{"file.persistence.cron", {"T1053.003"}},
	{"file.persistence.init", {"T1037.004"}},
	{"file.persistence.loader", {"T1574.006"}},
	{"file.persistence.accounts", {"T1098"}},
	{"file.persistence.names", {"T1565.001"}},
	{"file.persistence.packages", {"T1546"}},
	{"file.persistence.ssh", {"T1098.004"}},
	{"file.persistence.pip", {"T1195.001"}},
	{"file.persistence.project-pip", {"T1195.001"}},
	{"file.persistence.registry", {"T1195.001"}},
	{"file.persistence.python", {"T1546.018"}},
	{"file.persistence.bin", {"T1574.007"}},
	{"file.persistence.ci", {"T1195.002"}},
	{"file.persistence.project-ci", {"T1195.002"}},
	{"file.persistence.*", {"T1546"}},
	{"file.project.git-refresh", {NULL}},
	{"file.project.git-planted", {"T1546"}},
	{"file.project.git", {"T1565.001"}},

	// files, by what code raises itself
	{"file.write.environment", {"T1554"}},
	{"file.write.build", {"T1195.002"}},
	{"file.write.*", {NULL}}, // outside, byte code, pip's own: no more than a place
	{"file.read.outside", {"T1083"}},
	{"file.terminal", {NULL}},
	{"file.meta.environment", {"T1554"}},
	{"file.meta.setid", {"T1548.001"}},
	{"file.meta.outside", {NULL}},
	{"file.link.planted", {"T1574"}},
	{"file.link.protected", {"T1552.001"}},
	{"file.open.memory", {NULL}},
	{"file.flood", {"T1562.006"}},
	{"file.*", {"T1552.001"}},

	// collectors and what is used as one
	{"net.exfil.webhost", {"T1567"}},
	{"net.exfil.dyndns", {"T1568"}},
	{"net.exfil.collaborator", {"T1567.004", "T1071.004"}},
	{"net.exfil.interactsh", {"T1567.004", "T1071.004"}},
	{"net.exfil.canarytokens", {"T1567.004", "T1071.004"}},
	{"net.exfil.ceye", {"T1567.004", "T1071.004"}},
	{"net.exfil.dnslog", {"T1048.003", "T1071.004"}},
	{"net.exfil.ngrok", {"T1572", "T1567"}},
	{"net.exfil.cloudflared", {"T1572", "T1567"}},
	{"net.exfil.localhost-run", {"T1572", "T1567"}},
	{"net.exfil.serveo", {"T1572", "T1567"}},
	{"net.exfil.localtunnel", {"T1572", "T1567"}},
	{"net.exfil.playit", {"T1572", "T1567"}},
	{"net.exfil.portmap", {"T1572", "T1567"}},
	{"net.exfil.tunnel", {"T1572", "T1567"}},
	{"net.exfil.gsocket", {"T1572", "T1567"}},
	{"net.exfil.canister", {"T1102", "T1567"}},
	{"net.exfil.chain", {"T1102"}},
	{"net.exfil.tor", {"T1090.003"}},
	{"net.exfil.discord", {"T1567.004", "T1102"}},
	{"net.exfil.telegram", {"T1567", "T1102"}},
	{"net.exfil.zulip", {"T1567", "T1102"}},
	{"net.exfil.session", {"T1567"}},
	{"net.exfil.push", {"T1567"}},
	{"net.exfil.gmail-smtp", {"T1071.003", "T1048.003"}},
	{"net.exfil.paste*", {"T1567.003"}},
	{"net.exfil.transfer", {"T1567.002"}},
	{"net.exfil.file-*", {"T1567.002"}},
	{"net.exfil.gofile", {"T1567.002"}},
	{"net.exfil.catbox", {"T1567.002"}},
	{"net.exfil.ip-echo", {"T1016"}},
	{"net.exfil.incident", {"T1041"}},
	{"net.exfil.*", {"T1567.004"}},
	{"net.dns.over-https", {"T1071.004", "T1572"}},
	{"net.metadata.kubernetes", {"T1552.007"}},
	{"net.metadata.container", {"T1552.005", "T1552.007"}},
	{"net.metadata.*", {"T1552.005"}},
	{"net.watch.webhook", {"T1567.004"}},
	{"net.watch.echo", {"T1567"}},
	{"net.watch.form", {"T1567"}},
	{"net.watch.mail", {"T1071.003"}},
	{"net.watch.dropbox", {"T1567.002"}},
	{"net.watch.bucket", {"T1567.002"}},
	{"net.watch.drive", {"T1567.002"}},
	{"net.watch.image", {"T1567.002"}},
	{"net.watch.github", {"T1567.001"}},
	{"net.watch.code-host", {"T1567.001"}},
	{"net.watch.sigstore", {"T1102"}},
	{"net.watch.resolver", {"T1071.004"}},
	{"net.watch.*", {"T1102"}},

	// the network, by what code raises itself
	{"net.resolve.tunnel", {"T1048.003", "T1071.004"}},
	{"net.resolve.type", {"T1071.004"}},
	{"net.resolve.private", {"T1046"}},
	{"net.resolve.installer", {"T1071"}},
	{"net.resolve", {"T1071"}},
	{"net.resolve.*", {NULL}},
	{"net.connect.installer", {"T1071"}},
	{"net.connect.name", {"T1090.004"}},
	{"net.connect.port", {"T1571"}},
	{"net.connect*", {NULL}},
	{"net.outside.probe", {NULL}},
	{"net.outside", {"T1071"}},
	{"net.address", {"T1071"}},
	{"net.loopback.daemon", {"T1046"}},
	{"net.loopback", {NULL}},
	{"net.sweep", {"T1046"}},
	{"net.socket.raw", {"T1040"}},
	{"net.socket*", {NULL}},
	{"net.unix.agent", {"T1563.001", "T1552.004"}},
	{"net.unix.docker", {"T1611", "T1552.007"}},
	{"net.unix.dbus", {"T1559"}},
	{"net.unix.display", {"T1113"}},
	{"net.unix", {"T1559"}},
	{"net.unix.*", {NULL}},
	{"net.fastopen", {"T1095"}},
	{"net.send", {"T1095"}},
	{"net.send.local", {NULL}},
	{"net.bind", {NULL}},

	// programs, processes, system calls
	{"exec.installer", {"T1059.006", "T1195.001"}},
	{"exec.memory", {"T1620"}},
	{"exec.enter", {"T1562.001"}},
	{"exec.credential*", {"T1555"}},
	{"exec.*", {NULL}},
	{"process.signal", {"T1489"}},
	{"process.limits", {"T1489"}},
	{"process.inspect", {"T1057", "T1003.007"}},
	{"process.*", {NULL}},
	{"syscall.ptrace", {"T1055.008"}},
	{"syscall.enter", {"T1562.001"}},
	{"syscall.other-process", {"T1489"}},
	{"syscall.process-memory", {"T1003", "T1055"}},
	{"syscall.bpf", {"T1014"}},
	{"syscall.perf", {"T1068"}},
	{"syscall.keyring", {"T1552"}},
	{"syscall.mount", {"T1611"}},
	{"syscall.module", {"T1547.006"}},
	{"syscall.handle", {"T1611"}},
	{"syscall.foreign-abi", {"T1562.001"}},
	{"syscall.terminal", {"T1674"}},
	{"syscall.set-id", {"T1548.001"}},
	{"syscall.supervisor", {"T1562.001"}},
	{"syscall.*", {NULL}},
	{"terminal.*", {NULL}},

	// sandboxes
	{"sandbox.flood", {"T1562.006"}},
	{"sandbox.escape", {"T1611"}},
	{"sandbox.*", {NULL}},
	{"resource.*", {"T1499"}},
	{"shim.absent", {NULL}},

	// environment and decoys
	{"env.*", {"T1552"}},
	{"decoy.seen", {"T1041"}},
	{"decoy.unread", {"T1562.006"}},
	{"decoy.*", {"T1552.001"}},

	// pip and what is installed
	{"hook.*", {"T1036.005"}},
	{"install.pip-modified", {"T1554"}},
	{"install.pth*", {"T1546.018"}},
	{"install.start*", {"T1546.018"}},
	{"install.*custom*", {"T1546.018"}},
	{"install.shadow.command", {"T1574.007"}},
	{"install.shadow*", {"T1574"}},
	{"install.mode.setid", {"T1548.001"}},
	{"install.data", {"T1546"}},
	{"install.*", {"T1195.001"}},
	{"pip.start-up", {"T1546.018"}},
	{"start-up.*", {"T1546.018"}},
	{"pip.import", {"T1574"}},
	{"python.import.*", {"T1574"}},
	{"pip.write", {NULL}},
	{"python.unread", {"T1562.006"}},
	{"python.*", {NULL}},
};

static const struct row *row_of(const char *rule)
{
	size_t len = strlen(rule);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (glob_match(rows[i].rules, strlen(rows[i].rules), rule, len))
			return &rows[i];
	return NULL;
}

const char *const *attack_of_rule(const char *rule)
{
	static const char *const none[] = {NULL};
	const struct row *row = rule ? row_of(rule) : NULL;

	return row ? row->ids : none;
}

bool attack_excused(const char *rule)
{
	const struct row *row = row_of(rule);

	return row && !row->ids[0];
}

const char *attack_name(const char *id)
{
	for (size_t i = 0; i < sizeof(techniques) / sizeof(*techniques); i++)
		if (!strcmp(techniques[i].id, id))
			return techniques[i].name;
	return "";
}
