/* `network.stand-in`: the networks of the addresses that stand for allowed hosts in sandboxes, one of IPv4 and one of IPv6. */
#include <string.h>

#include "policy/match.h"
#include "policy/reader.h"

#define MAPPED_BITS 96 /* before the bits of an IPv4 address (struct net_block) */

/* Of networks that no public host has: an address there can mean nobody else. */
static const char *const of4[] = {"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", NULL};
static const char *const of6[] = {"fc00::/7", NULL};

static bool is_four(const char *text)
{
	return !strchr(text, ':');
}

static bool holds_all(const struct net_block *outer, const struct net_block *inner)
{
	return outer->bits <= inner->bits && block_holds(outer, inner);
}

static bool overlap(const struct net_block *a, const struct net_block *b)
{
	return block_holds(a->bits <= b->bits ? a : b, a->bits <= b->bits ? b : a);
}

static bool is_in_one_of(const struct net_block *block, const char *const *networks)
{
	struct net_block outer;

	for (; *networks; networks++)
		if (block_parse(*networks, &outer) && holds_all(&outer, block))
			return true;
	return false;
}

static bool has_bits_behind(const struct net_block *block)
{
	for (unsigned bit = block->bits; bit < 128; bit++)
		if (block->bytes[bit / 8] >> (7 - bit % 8) & 1)
			return true;
	return false;
}

/* NULL, or the error in words. */
static const char *network_error(const char *text, struct net_block *out)
{
	bool four = is_four(text);

	if (!strchr(text, '/') || !block_parse(text, out))
		return "ADDRESS/BITS was expected";
	if (has_bits_behind(out))
		return "the address has bits behind its length";
	if (out->bits > 128 - POLICY_STAND_IN_BITS)
		return four ? "too small: at most /18" : "too small: at most /114";
	if (!is_in_one_of(out, four ? of4 : of6))
		return four ? "public hosts have such addresses: one of 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 or 198.18.0.0/15 was expected"
		            : "public hosts have such addresses: one of fc00::/7 was expected";
	return NULL;
}

int reader_stand_in(struct reader *r, const cJSON *section)
{
	const cJSON *array = reader_member(section, "stand-in"), *e;
	bool seen[2] = {false, false};

	if (!array)
		return 0;
	if (reader_want_array(r, array, "stand-in"))
		return -1;
	cJSON_ArrayForEach(e, array) {
		struct stand_in_network n = {.at = reader_place(r, e, false)};
		if (reader_want_string(r, e, "stand-in"))
			return -1;
		const char *wrong = network_error(e->valuestring, &n.block);
		if (wrong)
			return reader_fail(r, e, false, "stand-in: \"%s\": %s", e->valuestring, wrong);
		bool six = !is_four(e->valuestring);
		if (seen[six])
			return reader_fail(r, e, false, "stand-in: a second network of %s", six ? "IPv6" : "IPv4");
		seen[six] = true;
		n.text = reader_keep(r, e->valuestring);
		if (!n.text)
			return policy_no_memory(r->err);
		r->p->stand_in[six] = n;
	}
	return 0;
}

/* An address that means somebody by itself, and would mean a host as well. */
static int check_network(const struct policy *p, const struct stand_in_network *n, struct policy_error *err)
{
	struct net_block block;

	for (size_t i = 0; i < p->rule_count; i++)
		for (size_t k = 0; p->rules[i].list == LIST_DENY && k < p->rules[i].addresses.n; k++)
			if (block_parse(p->rules[i].addresses.v[k], &block) && overlap(&n->block, &block))
				return policy_fail(err, &n->at, "stand-in: \"%s\" holds %s, which is %s's", n->text, p->rules[i].addresses.v[k], p->rules[i].id);
	for (int role = ROLE_BUILD; role <= ROLE_GUEST; role++)
		for (size_t i = 0; i < p->hosts[role].n; i++)
			if (p->hosts[role].v[i].address && overlap(&n->block, &p->hosts[role].v[i].block))
				return policy_fail(err, &n->at, "stand-in: \"%s\" holds addresses of %s, which network.%s allows", n->text, p->hosts[role].v[i].text,
				                   role_name((enum role)role));
	return 0;
}

int stand_in_compile(struct policy *p, struct policy_error *err)
{
	for (int six = 0; six < 2; six++)
		if (p->stand_in[six].text && check_network(p, &p->stand_in[six], err))
			return -1;
	return 0;
}

struct policy_network policy_stand_in(const struct policy *p, bool six)
{
	const struct net_block *block = &p->stand_in[six].block;
	struct policy_network out = {.bits = six ? block->bits : block->bits - MAPPED_BITS};

	memcpy(out.bytes, six ? block->bytes : block->bytes + 12, six ? 16 : 4);
	return out;
}
