#include <stdio.h>
#include <stdlib.h>

#include "launcher/installer/parts.h"
#include "preload/pw_event.h"

/* A JSON string.  Bytes that are not UTF-8 pass: Python decodes its arguments with surrogateescape, and json keeps those. */
static void write_string(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\') {
			fprintf(out, "\\%c", *text);
		} else if ((unsigned char)*text < ' ') {
			fprintf(out, "\\u%04x", (unsigned)*text);
		} else {
			putc(*text, out);
		}
	}
	putc('"', out);
}

static void write_pair(FILE *out, const char *key, const char *value)
{
	fprintf(out, ",\"%s\":", key);
	if (value) {
		write_string(out, value);
	} else {
		fputs("null", out);
	}
}

static void write_list(FILE *out, const char *key, const struct strings *list)
{
	fprintf(out, ",\"%s\":[", key);
	for (size_t i = 0; list && i < list->n; i++) {
		fputs(i ? "," : "", out);
		write_string(out, list->v[i]);
	}
	putc(']', out);
}

char *installer_boot_spec(const struct installer *ins, const struct boot *boot)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		return NULL;
	}
	fprintf(out, "{\"module\":%s,\"sealed\":%s", ins->module && !boot->runner ? "true" : "false", ins->pip_is_target ? "false" : "true");
	write_pair(out, "program", boot->runner ? ins->runner : ins->program);
	write_pair(out, "pip_dir", ins->pip_dir);
	/* A pip of an archive runs as its folder does. */
	write_pair(out, "runner", boot->runner ? ins->runner : ins->zip ? ins->pip_dir : NULL);
	write_pair(out, "pythonpath", boot->pythonpath);
	if (boot->started) {
		fprintf(out, ",\"started\":%llu", boot->started);
	}
	if (boot->audit) {
		fputs(",\"audit\":true", out);
	}
	for (size_t i = 0; i < ins->proxies.n; i++) {
		if (ins->proxies.v[i].kind == PROXY_SOCKS) {
			fputs(",\"socks\":true", out);
			break;
		}
	}
	write_list(out, "allow_pth", boot->allow_pth);
	write_list(out, "for", boot->above);
	write_list(out, "archives", &ins->archives);
	write_list(out, "projects", &ins->local_roots);
	fprintf(out, ",\"event\":{\"magic\":%u,\"op\":%d,\"type\":%d,\"write\":%d,\"read\":%d,\"start\":%d}}", PW_MAGIC, PW_OP_EVENT, PW_EV_IMPORT_REFUSED,
	        PW_EV_WRITE_REFUSED, PW_EV_READ_REFUSED, PW_EV_START_REFUSED);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
