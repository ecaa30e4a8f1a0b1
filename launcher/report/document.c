#include "launcher/report/document.h"

void document_flush(struct encoder *e, FILE *out)
{
	/* What fails stays so: a line that is full or has no memory, a stream that took an error. */
	if (!e->line.failed && fwrite(e->line.data, 1, e->line.len, out) == e->line.len) {
		e->line.len = 0;
	} else {
		e->line.failed = true;
	}
}

int document_end(struct encoder *e, FILE *out)
{
	document_flush(e, out);
	bool wrong = e->line.failed || ferror(out);
	line_finish(&e->line);
	return wrong ? -1 : 0;
}
