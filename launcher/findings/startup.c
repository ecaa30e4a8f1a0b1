#include "startup.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_HONEST 1200 /* the longest honest one is a namespace package's, of some 600 */
#define LINES_MAX_HONEST 20   /* of code; google-cloud-core's had two */
#define MODULE_MAX 256        /* of a namespace package's name */

/* --- names --------------------------------------------------------------------------------------- */

bool startup_is_pth(const char *name)
{
	size_t len = strlen(name);

	return len >= 4 && strcmp(name + len - 4, ".pth") == 0;
}

bool startup_is_customize(const char *name)
{
	static const char *const names[] = {"sitecustomize", "usercustomize"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t len = strlen(names[i]);
		if (strncmp(name, names[i], len) == 0 && (name[len] == '\0' || name[len] == '.')) {
			return true;
		}
	}
	return false;
}

void name_normal(const char *name, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		bool mark = name[i] == '-' || name[i] == '_' || name[i] == '.';
		if (!mark || i == 0 || !(name[i - 1] == '-' || name[i - 1] == '_' || name[i - 1] == '.')) {
			*out++ = mark ? '-' : (char)tolower((unsigned char)name[i]);
		}
	}
	*out = '\0';
}

/* --- words --------------------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const struct {
	const char *word, *why;
} hostile_words[] = {
	{"exec", "it runs text as code"},          {"eval", "it runs text as code"},           {"compile", "it runs text as code"},
	{"execfile", "it runs text as code"},      {"__import__", "it imports by a text"},     {"importlib", "it imports by a text"},
	{"runpy", "it runs a file as code"},       {"os", "it uses the operating system"},     {"posix", "it uses the operating system"},
	{"subprocess", "it starts programs"},      {"pty", "it starts programs"},              {"popen", "it starts programs"},
	{"_posixsubprocess", "it starts programs"}, {"multiprocessing", "it starts programs"}, {"ctypes", "it calls native code"},
	{"socket", "it uses the network"},         {"_socket", "it uses the network"},         {"urllib", "it uses the network"},
	{"requests", "it uses the network"},       {"http", "it uses the network"},            {"ssl", "it uses the network"},
	{"ftplib", "it uses the network"},         {"smtplib", "it uses the network"},         {"asyncio", "it uses the network"},
	{"base64", "it unpacks itself"},           {"binascii", "it unpacks itself"},          {"codecs", "it unpacks itself"},
	{"zlib", "it unpacks itself"},             {"bz2", "it unpacks itself"},               {"lzma", "it unpacks itself"},
	{"marshal", "it unpacks itself"},          {"pickle", "it unpacks itself"},            {"b64decode", "it unpacks itself"},
	{"fromhex", "it unpacks itself"},          {"chr", "it unpacks itself"},               {"decode", "it unpacks itself"},
	{"getattr", "it reaches by a text"},       {"globals", "it reaches by a text"},        {"locals", "it reaches by a text"},
	{"vars", "it reaches by a text"},          {"builtins", "it reaches by a text"},       {"__builtins__", "it reaches by a text"},
	{"__dict__", "it reaches by a text"},      {"__getattribute__", "it reaches by a text"}, {"__subclasses__", "it reaches by a text"},
	{"__class__", "it reaches by a text"},     {"modules", "it reaches by a text"},        {"attrgetter", "it reaches by a text"},
	{"open", "it opens files"},                {"pathlib", "it opens files"},              {"shutil", "it opens files"},
	{"threading", "it starts threads"},        {"_thread", "it starts threads"},           {"atexit", "it acts at the end"},
	{"settrace", "it watches other code"},     {"setprofile", "it watches other code"},
};

bool startup_hostile(const char *text, size_t len, const char **why)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x80 || (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
			*why = "it has letters in it that hide what it is"; /* Python takes ｅｘｅｃ for exec */
			return true;
		}
		if (c == '\\' && i + 1 < len && strchr("xuUN01234567", text[i + 1]) != NULL && text[i + 1] != '\0') {
			*why = "it has escapes in it that hide what it is";
			return true;
		}
		size_t n = 0;
		while (i + n < len && is_word(text[i + n])) {
			n++;
		}
		for (size_t k = 0; n > 0 && k < sizeof hostile_words / sizeof *hostile_words; k++) {
			if (strlen(hostile_words[k].word) == n && strncmp(text + i, hostile_words[k].word, n) == 0) {
				*why = hostile_words[k].why;
				return true;
			}
		}
		i += n > 0 ? n : 1;
	}
	return false;
}

/* --- lines that are known ------------------------------------------------------------------------ */

/* A line as it is in honest files; \1 stands for a dotted name, \2 for names in quotes and commas. */
struct known {
	const char *line;
	const char *dist; /* whose it is: what it imports is that one's own; NULL: it imports nothing */
};

#define NAMESPACE_BEGIN "import sys, types, os;"
#define NAMESPACE_PATH "p = os.path.join(sys._getframe(1).f_locals['sitedir'], *(\2));"
#define NAMESPACE_END "mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)"
#define NAMESPACE_NEW "m = m or sys.modules.setdefault('\1', types.ModuleType('\1'));" NAMESPACE_END
#define NAMESPACE_SPEC "sys.modules.setdefault('\1', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('\1', [os.path.dirname(p)])));"
#define NAMESPACE_MFS NAMESPACE_BEGIN "has_mfs = sys.version_info > (3, 5);" NAMESPACE_PATH "importlib = has_mfs and __import__('importlib.util');" \
	"has_mfs and __import__('importlib.machinery');m = has_mfs and " NAMESPACE_SPEC NAMESPACE_NEW
#define NAMESPACE_TODAY NAMESPACE_BEGIN NAMESPACE_PATH "importlib = __import__('importlib.util');__import__('importlib.machinery');m = " NAMESPACE_SPEC NAMESPACE_NEW
#define NAMESPACE_OLD NAMESPACE_BEGIN NAMESPACE_PATH "ie = os.path.exists(os.path.join(p,'__init__.py'));" \
	"m = not ie and sys.modules.setdefault('\1', types.ModuleType('\1'));" NAMESPACE_END
#define NAMESPACE_PARENT ";m and setattr(sys.modules['\1'], '\1', m)"
#define DISTUTILS "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, '\1') == 'local'; " \
	"enabled and __import__('_distutils_hack').add_shim();"

static const struct known known_lines[] = {
	{DISTUTILS, "setuptools"},
	{NAMESPACE_TODAY, NULL}, {NAMESPACE_TODAY NAMESPACE_PARENT, NULL},
	{NAMESPACE_MFS, NULL}, {NAMESPACE_MFS NAMESPACE_PARENT, NULL},
	{NAMESPACE_OLD, NULL}, {NAMESPACE_OLD NAMESPACE_PARENT, NULL},
	{"import _virtualenv", ""}, /* virtualenv writes it when it makes an environment: no distribution's */
	{"import sys; exec('import os\\n\\nif os.getenv(\"COVERAGE_PROCESS_START\") or os.getenv(\"COVERAGE_PROCESS_CONFIG\"):\\n try:\\n  import coverage\\n"
	 " except:\\n  pass\\n else:\\n  coverage.process_startup(slug=\"pth\")')", "coverage"},
	{"import os, sys;exec('if \\'COV_CORE_SOURCE\\' in os.environ:\\n try:\\n  from pytest_cov.embed import init\\n  init()\\n except Exception as exc:\\n"
	 "  sys.stderr.write(\\n   \"pytest-cov: Failed to setup subprocess coverage. \"\\n   \"Environ: {0!r} \"\\n   \"Exception: {1!r}\\\\n\".format(\\n"
	 "    dict((k, v) for k, v in os.environ.items() if k.startswith(\\'COV_CORE\\')),\\n    exc\\n   )\\n  )\\n')", "pytest-cov"},
	{"import sys; exec('try:\\n    import future_fstrings\\nexcept ImportError:\\n    pass\\nelse:\\n    future_fstrings.register()\\n')", "future-fstrings"},
};

/* How many bytes of text a placeholder takes. */
static size_t placeholder(char kind, const char *text, size_t len)
{
	size_t n = 0;

	if (kind == '\1') {
		while (n < len && (is_word(text[n]) || text[n] == '.')) {
			n++;
		}
		return n;
	}
	while (n < len && (is_word(text[n]) || strchr("', -", text[n]) != NULL) && text[n] != '\0') {
		n++;
	}
	return n;
}

static bool matches(const char *pattern, const char *text, size_t len)
{
	size_t i = 0;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '\1' || *pattern == '\2') {
			size_t n = placeholder(*pattern, text + i, len - i);
			if (n == 0) {
				return false;
			}
			i += n;
		} else if (i == len || text[i++] != *pattern) {
			return false;
		}
	}
	return i == len;
}

static bool starts(const char *text, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && strncmp(text, prefix, n) == 0;
}

/* The word at *i, without white space before it; its length. */
static size_t word_at(const char *text, size_t len, size_t *i)
{
	size_t n = 0;

	while (*i < len && (text[*i] == ' ' || text[*i] == '\t')) {
		(*i)++;
	}
	while (*i + n < len && (is_word(text[*i + n]) || text[*i + n] == '.')) {
		n++;
	}
	return n;
}

/* "import M" alone or "import M; M.install()", M a back end's name for the finder of an editable install. */
static bool is_editable(const char *line, size_t len)
{
	char module[128], whole[400];
	size_t at = 6, n = word_at(line, len, &at);

	if (n == 0 || n >= sizeof module || line[at] != '_') {
		return false;
	}
	snprintf(module, sizeof module, "%.*s", (int)n, line + at);
	if (strstr(module, "editable") == NULL || strchr(module, '.') != NULL) {
		return false;
	}
	snprintf(whole, sizeof whole, "import %s; %s.install()", module, module);
	return at + n == len || (strlen(whole) == len && strncmp(whole, line, len) == 0);
}

static bool is_known(const char *line, size_t len, const char *dist, bool editable)
{
	for (size_t i = 0; i < sizeof known_lines / sizeof *known_lines; i++) {
		const struct known *k = &known_lines[i];
		if ((k->dist == NULL || dist == NULL || strcmp(k->dist, dist) == 0) && matches(k->line, line, len)) {
			return true;
		}
	}
	return editable && is_editable(line, len);
}

/* Does a namespace package's line look for a module?  Then where: google.cloud is looked for as `cloud` in the folder google, and *at is that name, of *n bytes.
 * The folder is what the tuple says, so the two must be one, as setuptools writes them: else *n is 0. */
static bool namespace_of(const char *line, size_t len, const char **at, size_t *n)
{
	static const char mark[] = "PathFinder.find_spec('", list[] = ", *(";
	char tuple[2 * MODULE_MAX + 4];
	const char *folder = memmem(line, len, list, sizeof list - 1), *end;
	size_t to = 0;

	*at = memmem(line, len, mark, sizeof mark - 1);
	if (*at == NULL || folder == NULL) {
		return false;
	}
	folder += sizeof list - 1;
	*at += sizeof mark - 1;
	end = memchr(*at, '\'', len - (size_t)(*at - line));
	*n = end != NULL && end - *at < MODULE_MAX ? (size_t)(end - *at) : 0;
	tuple[to++] = '\'';
	for (size_t i = 0; i < *n && to + 8 < sizeof tuple; i++) {
		const char *add = (*at)[i] == '.' ? "', '" : NULL;
		size_t more = add != NULL ? 4 : 1;
		memcpy(tuple + to, add != NULL ? add : *at + i, more);
		to += more;
	}
	strcpy(tuple + to, memchr(*at, '.', *n) != NULL ? "')" : "',)");
	if (!starts(folder, len - (size_t)(folder - line), tuple)) {
		*n = 0;
	}
	return true;
}

static void judge_namespace(const char *line, size_t len, const struct startup_of *of, struct startup *s)
{
	char module[MODULE_MAX];
	const char *at;
	size_t n;

	if (!namespace_of(line, len, &at, &n)) {
		return;
	}
	snprintf(module, sizeof module, "%.*s", (int)n, at);
	if (n == 0) {
		s->level = STARTUP_HOSTILE;
		s->why = "it is the line of a namespace package, and looks for another name than the folder's";
	} else if (of->is_extension != NULL && of->is_extension(of->context, module)) {
		s->level = STARTUP_HOSTILE;
		s->why = "it loads an extension module by the line of a namespace package";
	}
}

/* --- files --------------------------------------------------------------------------------------- */

/* A line's end for some Pythons: those from 3.12 on take more for one, \v, \f, \x1c to \x1e, U+0085, U+2028 and U+2029. */
static size_t odd_end(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text;

	if (*c == '\v' || *c == '\f' || (*c >= 0x1c && *c <= 0x1e)) {
		return 1;
	}
	if (len >= 2 && c[0] == 0xc2 && c[1] == 0x85) {
		return 2;
	}
	return len >= 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9) ? 3 : 0;
}

static bool is_code(const char *line, size_t len)
{
	return starts(line, len, "import ") || starts(line, len, "import\t");
}

/* Is there code behind an end of a line that only some Pythons know? */
static bool hides_code(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t n = odd_end(line + i, len - i);
		if (n > 0 && is_code(line + i + n, len - i - n)) {
			return true;
		}
	}
	return false;
}

static bool leads_outside(const char *line, size_t len)
{
	if (*line == '/') {
		return true;
	}
	for (size_t i = 0; i + 1 < len; i++) {
		bool begins = i == 0 || line[i - 1] == '/';
		if (begins && line[i] == '.' && line[i + 1] == '.' && (i + 2 == len || line[i + 2] == '/')) {
			return true;
		}
	}
	return false;
}

static struct startup judge_code(const char *line, size_t len, const struct startup_of *of)
{
	struct startup s = {.level = STARTUP_CODE, .why = "it runs code when Python starts"};
	size_t at = 6, n;

	while (len > 0 && isspace((unsigned char)line[len - 1])) {
		len--;
	}
	n = word_at(line, len, &at);
	snprintf(s.module, sizeof s.module, "%.*s", n < sizeof s.module ? (int)n : 0, line + at);
	if (is_known(line, len, of->dist, of->editable)) {
		s.level = STARTUP_KNOWN;
		s.why = "a line that many packages have";
		judge_namespace(line, len, of, &s);
	} else if (len > LINE_MAX_HONEST) {
		s.level = STARTUP_HOSTILE;
		s.why = "it is longer than any honest line";
	} else if (startup_hostile(line, len, &s.why)) {
		s.level = STARTUP_HOSTILE;
	}
	return s;
}

static struct startup judge_line(const char *line, size_t len, const struct startup_of *of)
{
	struct startup s = {.level = STARTUP_PATHS, .why = "folders of the environment"};

	if (is_code(line, len)) {
		return judge_code(line, len, of);
	}
	if (hides_code(line, len)) {
		s.level = STARTUP_HOSTILE;
		s.why = "it hides code behind a line's end that only some Pythons know";
	} else if (len > 0 && *line != '#' && !of->editable && leads_outside(line, len)) {
		s.level = STARTUP_OUTSIDE;
		s.why = "it puts a folder outside of the environment on Python's path";
	}
	return s;
}

struct startup startup_pth(const char *text, size_t len, const struct startup_of *of)
{
	struct startup gravest = {.level = STARTUP_PATHS, .why = "folders of the environment"};
	size_t at = starts(text, len, "\xef\xbb\xbf") ? 3 : 0;
	unsigned code = 0;

	for (unsigned number = 1; at < len; number++) {
		size_t n = 0;
		while (at + n < len && text[at + n] != '\n' && text[at + n] != '\r') {
			n++;
		}
		struct startup s = judge_line(text + at, n, of);
		if (is_code(text + at, n) && ++code > LINES_MAX_HONEST) {
			return (struct startup){.level = STARTUP_HOSTILE, .why = "it has more lines of code than any honest one", .line = number};
		}
		if (s.level > gravest.level) {
			gravest = s;
			gravest.line = number;
		}
		at += n;
		at += at + 1 < len && text[at] == '\r' && text[at + 1] == '\n' ? 2 : 1;
	}
	return gravest;
}
