#include "findings.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/base/fd.h"
#include "launcher/sandbox/escapes.h"
#include "supervisor.h"
#include "target.h"

#define LEFT_RECORDED 16 /* of what a command left running */

void findings_escape(struct sandbox *sb, int kind)
{
	struct event ev = {
		.type = "terminal.write", .action = EV_ALLOWED, .source = SRC_KERNEL, .verdict = policy_rule(sb->sup->run->policy, "terminal.escape"),
		.target = {.name = kind >= 0 ? escape_name((enum escape_kind)kind) : ""}, .detail = "a build wrote it to its output, which pip may show on the terminal",
	};

	if (ev.target.name[0] != '\0') {
		supervisor_record(sb, 0, &ev);
	}
}

void findings_limit(struct sandbox *sb, int l, const char *count)
{
	static const char *const rules[] = {[LIMIT_PROCESSES] = "resource.processes", [LIMIT_OPEN_FILES] = "resource.files",
	                                    [LIMIT_FILE_SIZE] = "resource.file-size", [LIMIT_TIME] = "resource.time"};
	const struct policy *policy = sb->sup->run->policy;
	char why[160];

	if (l < 0 || l >= LIMIT_COUNT) {
		return;
	}
	const char *name = limit_name((enum limit)l);
	unsigned long long limit = policy_limit(policy, sb->role == ROLE_CREDENTIAL ? ROLE_BUILD : sb->role, (enum limit)l);
	snprintf(why, sizeof why, "the limit is %llu%s%.20s%s; --limit-%s sets another", limit, l == LIMIT_PROCESSES ? ", and there were " : "",
	         l == LIMIT_PROCESSES ? count : "", l == LIMIT_PROCESSES || l == LIMIT_TIME ? ": the sandbox was ended" : "", name);
	struct event ev = {
		.type = "resource.limit", .action = EV_DENIED, .source = SRC_KERNEL, .verdict = policy_rule(policy, rules[l]),
		.target = {.name = name}, .detail = why,
	};
	supervisor_record(sb, 0, &ev);
}

void findings_left(struct sandbox *sb)
{
	char path[64], text[32 * LEFT_RECORDED], *at = text;
	struct target_identity who;
	struct event ev = {
		.type = "process.exit", .action = EV_DENIED, .enforced = true, .source = SRC_KERNEL, .target = {.path = who.exe},
		.verdict = policy_rule(sb->sup->run->policy, "process.left"), .detail = "what a build or a command leaves running ends with it",
	};

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)sb->init, (int)sb->init);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	text[len > 0 ? len : 0] = '\0';
	for (unsigned i = 0; i < LEFT_RECORDED; i++) {
		pid_t pid = (pid_t)strtol(at, &at, 10);
		if (pid <= 0) {
			break;
		}
		target_identify(pid, &who);
		if (who.exe[0] != '\0') { /* a zombie has none */
			supervisor_record(sb, pid, &ev);
		}
	}
}

void findings_refusal(const struct sandbox *sb, const struct birthright *right, const char *path)
{
	struct event ev = {
		.type = strncmp(right->rule, "file.", 5) == 0 ? "file.write" : "exec", .action = EV_DENIED, .source = SRC_KERNEL,
		.verdict = policy_rule(sb->sup->run->policy, right->rule), .target = {.path = path}, .detail = right->why,
	};
	struct sandbox sandbox = *sb; /* never born; who it would have been */

	const struct event_package package = birthright_package(right);
	sandbox.package = &package;
	supervisor_record(&sandbox, 0, &ev);
}

bool findings_output(struct sandbox *sb, const struct birthright *right)
{
	const char *why = "";

	if (birthright_check_output(right, &why)) {
		return true;
	}
	struct event ev = {
		.type = "file.write", .action = EV_DENIED, .source = SRC_KERNEL, .verdict = policy_rule(sb->sup->run->policy, "hook.output"),
		.target = {.name = right->hook, .path = right->control_dir}, .detail = why,
	};
	supervisor_record(sb, 0, &ev);
	return sb->audit;
}
