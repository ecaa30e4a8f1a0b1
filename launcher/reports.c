#include "reports.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folders.h"
#include "launch.h"
#include "launcher/record/text.h"
#include "launcher/report/explain.h"
#include "launcher/report/report.h"
#include "launcher/report/runs.h"

/* A path comes from the command line, but its name may be a package's. */
static int cannot_read(const char *path, const char *why)
{
	struct line l = {0};
	text_append(&l, path, PATH_MAX, TEXT_TERMINAL, NULL);
	line_text(&l, " ");
	text_append(&l, why, 512, TEXT_TERMINAL, NULL);
	char *text = line_steal(&l);
	int status = launch_error(125, "%s", text != NULL ? text : "no memory");
	free(text);
	return status;
}

/* 0, or a status after a line on standard error. */
static int read_run(const struct options *o, struct record *record, char path[PATH_MAX])
{
	char state[PATH_MAX], why[512];
	const char *wrong = NULL;
	folders_state(state);
	FILE *in = runs_open(o->run, state, path, why, sizeof why);
	if (in == NULL) {
		return cannot_read(path, why);
	}
	int error = reader_read(record, in, &wrong);
	fclose(in);
	if (error < 0) {
		snprintf(why, sizeof why, "cannot be read as the record of a run: %s", wrong);
		return cannot_read(path, why);
	}
	return 0;
}

static bool colour_of(const struct options *o, FILE *out)
{
	if (o->colour != COLOUR_AUTO) {
		return o->colour == COLOUR_ALWAYS;
	}
	return isatty(fileno(out)) && getenv("NO_COLOR") == NULL;
}

static int write_report(const struct options *o, const struct report *r, FILE *out)
{
	switch (o->format) {
	case REPORT_JSON: return report_json(r, out);
	case REPORT_SARIF: return report_sarif(r, out);
	case REPORT_TEXT: break;
	}
	return report_text(r, out, colour_of(o, out));
}

static int write_out(const struct options *o, const struct report *r)
{
	bool file = o->output != NULL && strcmp(o->output, "-") != 0;
	FILE *out = file ? fopen(o->output, "we") : stdout;
	if (out == NULL) {
		return launch_error(125, "%s cannot be written: %s", o->output, strerror(errno));
	}
	int wrong = write_report(o, r, out);
	wrong |= file ? fclose(out) : fflush(out);
	return wrong == 0 ? 0 : launch_error(125, "the report could not be written: %s", strerror(errno != 0 ? errno : ENOMEM));
}

static int make_report(const struct options *o, struct report *r)
{
	/* Without a right policy there is a report all the same, after a word on what is wrong with it. */
	return report_make(r, SEV_LOW) ? write_out(o, r) : launch_error(125, "no memory");
}

static int explain(const struct options *o, struct report *r)
{
	if (r->policy == NULL) {
		return 125;
	}
	if (o->event != 0 && reader_find(&r->record, o->event) == NULL) {
		char why[160];
		snprintf(why, sizeof why, "has no event %llu: its lines go to %llu, of which the first and the last are about the run itself",
		         (unsigned long long)o->event, (unsigned long long)r->record.last_seq);
		return cannot_read(r->path, why);
	}
	if (!report_make(r, SEV_INFO) || explain_text(r, o->event, stdout, colour_of(o, stdout)) < 0 || fflush(stdout) != 0) {
		return launch_error(125, "the explanation could not be written");
	}
	return 0;
}

static int of_run(const struct options *o, int (*tell)(const struct options *, struct report *))
{
	static char path[PATH_MAX];
	struct report r = {.path = path};
	int status = read_run(o, &r.record, path);
	if (status != 0) {
		return status;
	}
	struct policy *policy = launch_policy(o, ROLE_INSTALLER);
	r.policy = policy;
	r.command_at = options_command_at((const char *const *)r.record.command);
	status = tell(o, &r);
	report_finish(&r);
	policy_free(policy);
	return status;
}

int reports_report(const struct options *o)
{
	return of_run(o, make_report);
}

int reports_explain(const struct options *o)
{
	return of_run(o, explain);
}
