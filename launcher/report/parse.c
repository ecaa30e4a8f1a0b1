#include "launcher/report/parse.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "launcher/record/encode.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53 */

#define PARTS_START_MAX 16384 /* of run.start and run.end: lists of names, packages */
#define PARTS_MAX 256         /* of an event: two argument vectors, thirty members */

bool parse_fits(const char *line, size_t len)
{
	size_t parts = 0;
	bool inside = false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\0') {
			return false;
		}
		if (line[i] == '"') {
			inside = !inside;
		} else if (line[i] == '\\' && inside) {
			i++;
		} else if (!inside) {
			parts += line[i] == ',' || line[i] == '[' || line[i] == '{';
		}
	}
	return parts <= PARTS_MAX || (parts <= PARTS_START_MAX && (strstr(line, "\"run.start\"") != NULL || strstr(line, "\"run.end\"") != NULL));
}

const char *parse_text(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool parse_number(const cJSON *item, uint64_t *out)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1) || item->valuedouble > WHOLE_MAX || item->valuedouble != (double)(uint64_t)item->valuedouble) {
		return false;
	}
	*out = (uint64_t)item->valuedouble;
	return true;
}

const char **parse_words(const cJSON *object, const char *key, size_t max)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, key), *item;
	size_t n = 0, room = cJSON_IsArray(array) ? (size_t)cJSON_GetArraySize(array) : 0;
	const char **words = calloc((room < max ? room : max) + 1, sizeof(*words));
	if (words == NULL || room == 0) {
		return words;
	}
	cJSON_ArrayForEach(item, array) {
		if (n < max && cJSON_IsString(item)) {
			words[n++] = item->valuestring;
		}
	}
	return words;
}

static unsigned small_number(const cJSON *object, const char *key)
{
	uint64_t n;
	return parse_number(cJSON_GetObjectItemCaseSensitive(object, key), &n) && n <= INT32_MAX ? (unsigned)n : 0;
}

static bool action_of(const char *text, enum event_action *out)
{
	for (enum event_action a = EV_ALLOWED; text != NULL && a <= EV_OBSERVED; a++) {
		if (strcmp(text, event_action_name(a)) == 0) {
			*out = a;
			return true;
		}
	}
	return false;
}

int64_t parse_moment(const char *text)
{
	struct tm tm = {0};
	const char *end = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (end == NULL || *end != '.' || strspn(end + 1, "0123456789") != 9 || strcmp(end + 10, "Z") != 0 || tm.tm_year < 70 || tm.tm_year > 8000) {
		return 0;
	}
	return (int64_t)timegm(&tm) * 1000 + (end[1] - '0') * 100 + (end[2] - '0') * 10 + (end[3] - '0');
}

static void take_target(const cJSON *o, struct event_target *t, struct reader_program *program)
{
	uint64_t bytes;
	const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(o, "argv"), 0), *size = cJSON_GetObjectItemCaseSensitive(o, "bytes");
	*t = (struct event_target){
		.name = parse_text(o, "name"), .path = parse_text(o, "path"), .as_written = parse_text(o, "as_written"), .host = parse_text(o, "host"),
		.address = parse_text(o, "address"), .protocol = parse_text(o, "protocol"), .port = small_number(o, "port"),
		.url = parse_text(o, "url"), .method = parse_text(o, "method"), .digest = parse_text(o, "digest"), .bytes = parse_number(size, &bytes) ? bytes : 0,
	};
	*program = (struct reader_program){{cJSON_IsString(first) ? first->valuestring : NULL}};
}

static struct event_decoy decoy_of(const cJSON *o)
{
	uint64_t read;
	return (struct event_decoy){.name = parse_text(o, "name"), .path = parse_text(o, "path"), .encoding = parse_text(o, "encoding"), .in = parse_text(o, "in"),
	                            .read = parse_number(cJSON_GetObjectItemCaseSensitive(o, "read"), &read) ? read : 0};
}

/* The list as an event has it, in one text, which the tree keeps under a name that no journal has; NULL: there is none. */
static const char *take_above(cJSON *package)
{
	static const char key[] = "for\n";
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(package, "for"), *one;
	size_t room = 1;

	cJSON_ArrayForEach(one, list) {
		room += cJSON_IsString(one) ? strlen(one->valuestring) + 1 : 0;
	}
	char *text = room > 1 ? calloc(room, 1) : NULL, *at = text;
	cJSON_ArrayForEach(one, list) {
		if (text != NULL && cJSON_IsString(one)) {
			at = stpcpy(at > text ? stpcpy(at, "\n") : at, one->valuestring);
		}
	}
	const cJSON *kept = text != NULL ? cJSON_AddStringToObject(package, key, text) : NULL;
	free(text);
	return kept != NULL ? kept->valuestring : NULL;
}

bool parse_event(cJSON *line, struct attempt *a, struct reader_program *program)
{
	const char *severity = parse_text(line, "severity"), *role = parse_text(line, "role"), *source = parse_text(line, "source");
	const char *would = parse_text(line, "would");
	cJSON *package = cJSON_GetObjectItemCaseSensitive(line, "package");
	const cJSON *origin = cJSON_GetObjectItemCaseSensitive(line, "origin"),
	            *process = cJSON_GetObjectItemCaseSensitive(line, "process");
	struct event *ev = &a->ev;

	*ev = (struct event){.type = parse_text(line, "type"), .detail = parse_text(line, "hint")};
	if (ev->type == NULL || severity == NULL || !severity_parse(severity, &ev->verdict.severity) || role == NULL ||
	    !role_parse(role, strlen(role), &ev->role) || !action_of(parse_text(line, "action"), &ev->action)) {
		return false;
	}
	ev->audited = would != NULL && action_of(would, &ev->would);
	ev->verdict.rule = parse_text(line, "rule");
	ev->verdict.kind = parse_text(line, "kind");
	ev->source = source != NULL && strcmp(source, "shim") == 0 ? SRC_SHIM : SRC_KERNEL;
	ev->shim_absent = parse_text(line, "shim") != NULL;
	ev->package = (struct event_package){.name = parse_text(package, "name"), .version = parse_text(package, "version"), .stage = parse_text(package, "stage"),
	                                    .digest = parse_text(package, "digest"), .above = take_above(package)};
	ev->process = (struct event_process){.exe = parse_text(process, "exe"), .pid = (pid_t)small_number(process, "pid")};
	ev->origin = (struct event_origin){.object = parse_text(origin, "object"), .file = parse_text(origin, "file"), .function = parse_text(origin, "function"), .symbol = parse_text(origin, "symbol"),
	                                   .line = small_number(origin, "line")};
	take_target(cJSON_GetObjectItemCaseSensitive(line, "target"), &ev->target, program);
	ev->decoy = decoy_of(cJSON_GetObjectItemCaseSensitive(line, "decoy"));
	a->when = parse_moment(parse_text(line, "ts"));
	return true;
}
