/* A JSON document that is written piece by piece: what has been put into the encoder's line goes to the stream.  Failures are kept, and told at the end. */
#ifndef REPORT_DOCUMENT_H
#define REPORT_DOCUMENT_H

#include <stdio.h>

#include "launcher/record/encode.h"

/* Only where no comma is due next but one that the caller puts. */
void document_flush(struct encoder *e, FILE *out);
/* The last of it.  0, or -1: something of it was not written. */
int document_end(struct encoder *e, FILE *out);

#endif
