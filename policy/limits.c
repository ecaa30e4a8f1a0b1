/* What builds and guests may use. */
#include <string.h>

#include "policy/reader.h"

#define LIMIT_MAX 9007199254740991.0 /* what a JSON number holds exactly */

static const char *const names[] = {
	[LIMIT_PROCESSES] = "processes", [LIMIT_OPEN_FILES] = "open-files", [LIMIT_FILE_SIZE] = "file-size", [LIMIT_TIME] = "time", [LIMIT_COUNT] = NULL};

const char *limit_name(enum limit l)
{
	return names[l];
}

uint64_t policy_limit(const struct policy *p, enum role role, enum limit l)
{
	return p->limits[role].v[l];
}

void policy_set_limit(struct policy *p, enum limit l, uint64_t value)
{
	p->limits[ROLE_BUILD].v[l] = p->limits[ROLE_GUEST].v[l] = value;
	p->limits[ROLE_BUILD].at[l] = p->limits[ROLE_GUEST].at[l] = (struct place){.origin = "option"};
	policy_mix(p, "limit", names[l], strlen(names[l]));
	policy_mix(p, "value", (const char *)&value, sizeof(value));
}

static int read_role(struct reader *r, const cJSON *section, const char *name, struct role_limits *out)
{
	const cJSON *item = section;

	if (!section)
		return 0;
	if (reader_want_keys(r, section, name, names))
		return -1;
	cJSON_ArrayForEach(item, section) {
		int l = 0;
		while (strcmp(names[l], item->string))
			l++;
		if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > LIMIT_MAX || item->valuedouble != (double)(uint64_t)item->valuedouble)
			return reader_fail(r, item, false, "%s: a whole number was expected; 0: no limit", names[l]);
		out->v[l] = (uint64_t)item->valuedouble;
		out->at[l] = reader_place(r, item, false);
	}
	return 0;
}

int reader_limits(struct reader *r, const cJSON *section)
{
	static const char *const roles[] = {"build", "guest", NULL};

	if (!section)
		return 0;
	if (reader_want_keys(r, section, "limits", roles) || read_role(r, reader_member(section, "build"), "limits.build", &r->p->limits[ROLE_BUILD]))
		return -1;
	return read_role(r, reader_member(section, "guest"), "limits.guest", &r->p->limits[ROLE_GUEST]);
}
