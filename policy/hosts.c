/* Host names and addresses.  The deny list is asked for every name of every process, so it is a hash of names: a name is
 * looked up whole and then by each of its suffixes. */
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"
#include "policy/match.h"

struct host_slot {
	const char *name; /* NULL: free */
	const struct rule *exact, *below;
};

struct host_wild {
	const char *pattern;
	const struct rule *rule;
};

struct host_block {
	struct net_block block;
	const struct rule *rule;
};

struct host_table {
	struct host_slot *slots;
	size_t mask;
	struct host_wild *wild;
	size_t wild_count, wild_cap;
	struct host_block *blocks;
	size_t block_count, block_cap;
};

const char *host_pattern_error(const char *pattern)
{
	char plain[HOST_TEXT_MAX], normal[HOST_TEXT_MAX];
	size_t n = 0;

	if (!strcmp(pattern, "*"))
		return "\"*\" stands for every host; name one";
	if (strstr(pattern, "://") || strchr(pattern, '/'))
		return "a host name was expected, not a URL";
	for (const char *c = pattern; *c; c++) {
		bool whole_label = (c == pattern || c[-1] == '.') && (c[1] == '\0' || c[1] == '.');
		if (*c == '*' && !whole_label)
			return "'*' stands for a whole label: *.example.com, hook.*.example.com";
		if ((unsigned char)*c >= 128)
			return "not ASCII: write an international name in its xn-- form";
		if (n + 1 >= sizeof(plain))
			return "longer than a host name can be";
		plain[n++] = *c == '*' ? 'x' : *c;
	}
	plain[n] = '\0';
	if (!host_normal(plain, normal))
		return "not a host name";
	const char *last = strrchr(pattern, '.');
	if (!strcmp(pattern, "*.*") || (last && !strcmp(last, ".*")))
		return "'*' cannot be the last label";
	return NULL;
}

/* The pattern in lower case, without the last dot. */
static char *normal_pattern(struct arena *a, const char *pattern)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '.')
		len--;
	char *copy = arena_copy(a, pattern, len);
	for (char *c = copy; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return copy;
}

const char *allowed_host_parse(struct arena *a, const char *text, struct allowed_host *out)
{
	*out = (struct allowed_host){.text = text};
	if (*text == '@') {
		if (strcmp(text, "@index") && strcmp(text, "@requirement"))
			return "the words are @index and @requirement";
		out->word = true;
		return NULL;
	}
	const char *bracket = *text == '[' ? strchr(text, ']') : NULL;
	const char *colon = bracket ? strchr(bracket, ':') : strchr(text, ':');
	if (*text == '[' && (!bracket || (bracket[1] && bracket[1] != ':')))
		return "not [ADDRESS] or [ADDRESS]:PORT";
	if (!bracket && colon && strchr(colon + 1, ':'))
		return "an IPv6 address stands in brackets";
	if (strstr(text, "://"))
		return "a host name was expected, not a URL";
	if (colon && !port_read(colon + 1, strlen(colon + 1), &out->port))
		return "not a port after the colon";
	char *host = arena_copy(a, text, colon ? (size_t)(colon - text) : strlen(text));
	if (!host)
		return "no memory";
	if (!strcmp(host, "*")) {
		out->any = true;
		return NULL;
	}
	out->address = bracket ? address_parse(host, &out->block) : block_parse(host, &out->block);
	if (out->address)
		return NULL;
	if (bracket)
		return "not an IPv6 address";
	const char *wrong = host_pattern_error(host);
	if (wrong)
		return wrong;
	out->host = normal_pattern(a, host);
	return out->host ? NULL : "no memory";
}

static size_t hash_name(const char *name, size_t len)
{
	size_t h = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 1099511628211u;
	return h;
}

static struct host_slot *find_slot(const struct host_table *t, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = hash_name(name, len);; i++) {
		struct host_slot *s = &t->slots[i & t->mask];
		if (!s->name || !strcmp(s->name, name))
			return s;
	}
}

/* Of two rules for the same name the more severe one speaks. */
static void put(const struct rule **where, const struct rule *rule)
{
	if (!*where || rule->severity >= (*where)->severity)
		*where = rule;
}

static bool add_host(struct policy *p, struct host_table *t, const struct rule *rule, const char *text)
{
	char *pattern = normal_pattern(&p->arena, text);

	if (!pattern)
		return false;
	bool below = !strncmp(pattern, "*.", 2);
	const char *name = below ? pattern + 2 : pattern;
	if (strchr(name, '*')) {
		if (!array_grow(&t->wild, t->wild_count, &t->wild_cap, sizeof(*t->wild)))
			return false;
		t->wild[t->wild_count++] = (struct host_wild){pattern, rule};
		return true;
	}
	struct host_slot *s = find_slot(t, name);
	s->name = name;
	put(below ? &s->below : &s->exact, rule);
	return true;
}

static bool fill_table(struct policy *p, struct host_table *t, enum rule_list list)
{
	size_t names = 0, size = 64;

	for (size_t i = 0; i < p->rule_count; i++)
		names += p->rules[i].list == list ? p->rules[i].patterns.n : 0;
	while (size < names * 2)
		size *= 2;
	t->slots = calloc(size, sizeof(*t->slots));
	t->mask = size - 1;
	if (!t->slots)
		return false;
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		if (r->list != list)
			continue;
		for (size_t k = 0; k < r->patterns.n; k++)
			if (!add_host(p, t, r, r->patterns.v[k]))
				return false;
		for (size_t k = 0; k < r->addresses.n; k++) {
			struct host_block b = {.rule = r};
			if (!block_parse(r->addresses.v[k], &b.block))
				continue; /* read_rules.c has checked it */
			if (!array_grow(&t->blocks, t->block_count, &t->block_cap, sizeof(*t->blocks)))
				return false;
			t->blocks[t->block_count++] = b;
		}
	}
	return true;
}

static void table_free(struct host_table *t)
{
	if (!t)
		return;
	free(t->slots);
	free(t->wild);
	free(t->blocks);
	free(t);
}

int hosts_compile(struct policy *p, struct policy_error *err)
{
	p->denied = calloc(1, sizeof(*p->denied));
	p->watched = calloc(1, sizeof(*p->watched));
	if (!p->denied || !p->watched || !fill_table(p, p->denied, LIST_DENY) || !fill_table(p, p->watched, LIST_WATCH))
		return policy_no_memory(err);
	return 0;
}

void hosts_finish(struct policy *p)
{
	table_free(p->denied);
	table_free(p->watched);
}

static const struct rule *lookup_name(const struct host_table *t, const char *host)
{
	const struct host_slot *s = find_slot(t, host);

	if (s->name && (s->exact || s->below))
		return s->exact ? s->exact : s->below;
	for (size_t i = 0; i < t->wild_count; i++)
		if (host_match(t->wild[i].pattern, host))
			return t->wild[i].rule;
	for (const char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.')) {
		s = find_slot(t, dot + 1);
		if (s->name && s->below)
			return s->below;
	}
	return NULL;
}

/* The smallest block that holds the address. */
static const struct rule *lookup_address(const struct host_table *t, const struct net_block *address)
{
	const struct host_block *best = NULL;

	for (size_t i = 0; i < t->block_count; i++) {
		const struct host_block *b = &t->blocks[i];
		if (block_holds(&b->block, address) && (!best || b->block.bits > best->block.bits))
			best = b;
	}
	return best ? best->rule : NULL;
}

static bool answer(const struct rule *rule, struct verdict *out)
{
	if (rule && out)
		*out = rule->verdict;
	return rule != NULL;
}

/* The longest end of a name that is a host name: DNS carries any bytes in a label, so "a b.example.com" leads to who runs example.com all the same. */
static bool normal_end(const char *host, char out[HOST_TEXT_MAX])
{
	while (!host_normal(host, out)) {
		host = strchr(host, '.');
		if (!host)
			return false;
		host++;
	}
	return true;
}

static bool table_has(const struct host_table *t, const char *host, struct verdict *out)
{
	char normal[HOST_TEXT_MAX];
	struct net_block address;

	if (address_parse_loose(host, &address))
		return answer(lookup_address(t, &address), out);
	return normal_end(host, normal) && answer(lookup_name(t, normal), out);
}

bool policy_host_denied(const struct policy *p, const char *host, struct verdict *out)
{
	return table_has(p->denied, host, out);
}

bool policy_host_watched(const struct policy *p, const char *host, struct verdict *out)
{
	return table_has(p->watched, host, out);
}

/* The IPv4 address that a translator (NAT64, RFC 6052) or a tunnel (6to4, RFC 3056) makes of an IPv6 one. */
static bool translated(const struct net_block *six, struct net_block *four)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b}, tunnel[2] = {0x20, 0x02};
	bool through = !memcmp(six->bytes, nat64, sizeof(nat64));

	if (!through && memcmp(six->bytes, tunnel, sizeof(tunnel)))
		return false;
	*four = (struct net_block){.bytes = {[10] = 0xff, [11] = 0xff}, .bits = 128};
	memcpy(four->bytes + 12, six->bytes + (through ? sizeof(nat64) : sizeof(tunnel)), 4);
	return true;
}

bool policy_address_denied(const struct policy *p, const char *address, struct verdict *out)
{
	struct net_block parsed, four;

	if (!address_parse(address, &parsed))
		return false;
	return answer(lookup_address(p->denied, &parsed), out) || (translated(&parsed, &four) && answer(lookup_address(p->denied, &four), out));
}

static bool entry_holds(const struct allowed_host *e, const char *normal, const struct net_block *address)
{
	if (e->word)
		return false;
	if (e->any)
		return !address; /* a literal address has to be listed as one */
	if (e->address)
		return address && block_holds(&e->block, address);
	return !address && host_match(e->host, normal);
}

static bool lists_host(const struct policy *p, enum role role, const char *host, unsigned port, bool opaque)
{
	char normal[HOST_TEXT_MAX];
	struct net_block address;
	bool is_address = address_parse_loose(host, &address);

	if (!is_address && !host_normal(host, normal))
		return false;
	for (size_t i = 0; i < p->hosts[role].n; i++) {
		const struct allowed_host *e = &p->hosts[role].v[i];
		if ((e->opaque || !opaque) && (!e->port || !port || e->port == port) && entry_holds(e, normal, is_address ? &address : NULL))
			return true;
	}
	return false;
}

bool policy_host_allowed(const struct policy *p, enum role role, const char *host, unsigned port)
{
	return lists_host(p, role, host, port, false);
}

bool policy_host_opaque(const struct policy *p, enum role role, const char *host, unsigned port)
{
	return lists_host(p, role, host, port, true);
}

bool policy_host_word(const struct policy *p, enum role role, const char *word)
{
	for (size_t i = 0; i < p->hosts[role].n; i++)
		if (p->hosts[role].v[i].word && !strcmp(p->hosts[role].v[i].text, word))
			return true;
	return false;
}

bool policy_role_has_hosts(const struct policy *p, enum role role)
{
	for (size_t i = 0; i < p->hosts[role].n; i++) {
		if (!p->hosts[role].v[i].word) {
			return true;
		}
	}
	return false;
}
