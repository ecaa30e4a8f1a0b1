/* The commands report and explain.  Exit status: 0 when one was made, 125 after a line on standard error. */
#ifndef LAUNCHER_REPORTS_H
#define LAUNCHER_REPORTS_H

#include "options.h"

int reports_report(const struct options *o);
int reports_explain(const struct options *o);

#endif
