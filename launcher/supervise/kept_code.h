/* Texts that became code at run time, kept for who analyses the run.  Any thread. */
#ifndef SUPERVISE_KEPT_CODE_H
#define SUPERVISE_KEPT_CODE_H

#include "supervise.h"

/* In the run's state folder, under the digest: code/<digest>.py, 0600, without the run's own secrets; bounded in number and size.  digest gets the hex SHA-256
 * of the text itself.  False: it was not kept (no state folder, bound, disk). */
#define KEPT_CODE_DIGEST 65
bool kept_code_add(struct sandbox *sb, const char *text, size_t len, char digest[KEPT_CODE_DIGEST]);

#endif
