#include "launcher/record/decode.h"

#include <string.h>

static bool take_text(char *dst, const char *src, size_t len, size_t max)
{
	if (len > max || memchr(src, '\0', len) != NULL) {
		return false;
	}
	memcpy(dst, src, len);
	dst[len] = '\0';
	return true;
}

bool record_decode(const void *buf, size_t len, struct record_view *out)
{
	struct pw_record record; /* buf need not be aligned */
	if (len != sizeof(record)) {
		return false;
	}
	memcpy(&record, buf, sizeof(record));
	if (record.type < PW_EV_ENV_READ || record.type > PW_EV_LOAD || record.type == 2 || record.type == 3 || record.text_len == 0 || record.line > INT32_MAX ||
	    (record.line != 0 && record.file_len == 0)) {
		return false;
	}
	out->type = (enum pw_record_type)record.type;
	out->line = record.line;
	return take_text(out->text, record.text, record.text_len, sizeof(record.text)) &&
	       take_text(out->object, record.object, record.object_len, sizeof(record.object)) &&
	       take_text(out->file, record.file, record.file_len, sizeof(record.file)) &&
	       take_text(out->function, record.function, record.function_len, sizeof(record.function));
}
