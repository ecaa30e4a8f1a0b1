/* MITRE ATT&CK (Enterprise) techniques of rules.  Values: a table beside the rules, whose ids are stable; a rule of another layer gets what
 * its family has.  tests/unit/policy/test_attack.c sees to it that each built-in rule has one or is excused. */
#ifndef POLICY_ATTACK_H
#define POLICY_ATTACK_H

#include <stdbool.h>

#define ATTACK_OF_RULE_MAX 3

/* Ids of the techniques that an attempt against the rule belongs to, NULL-terminated, static; never NULL, none for a rule that is excused or unknown. */
const char *const *attack_of_rule(const char *rule);
/* A rule of something that honest programs do, or of which nothing can be said. */
bool attack_excused(const char *rule);
/* "Exfiltration Over Webhook"; "" for an id that is not in use here. */
const char *attack_name(const char *id);

#endif
