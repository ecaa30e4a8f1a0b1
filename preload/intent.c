#include "preload/intent.h"

#include <stdatomic.h>

__thread struct shim_thread shim_self __attribute__((tls_model("initial-exec")));

static struct pw_intents ring;
static _Atomic uint32_t turns;

const struct pw_intents *intent_ring(void)
{
	ring.magic = PW_INTENTS_MAGIC;
	ring.self = (uintptr_t)&ring;
	return &ring;
}

static void put(char *to, size_t size, const char *from)
{
	to[0] = '\0';
	if (from)
		shim_append(to, size, from);
}

static void publish(struct pw_intent *i, uint32_t turn)
{
	__atomic_store_n(&i->turn, turn, turn ? __ATOMIC_RELEASE : __ATOMIC_SEQ_CST);
}

/* Should two threads come to the same slot, one of them sixteen turns late, texts are mixed, and an explanation is wrong. */
uint32_t intent_tell(const struct intent *intent)
{
	uint32_t turn = atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed) + 1;
	struct pw_intent *i = &ring.intent[turn % PW_INTENTS];

	publish(i, 0);
	i->kind = intent->kind;
	i->port = intent->port;
	i->line = intent->origin.line;
	i->data = (uintptr_t)intent->data;
	i->data_len = (uint32_t)intent->data_len;
	i->flags = intent->flags;
	put(i->text, sizeof(i->text), intent->text);
	put(i->file, sizeof(i->file), intent->origin.file);
	put(i->function, sizeof(i->function), intent->origin.function);
	put(i->object, sizeof(i->object), intent->origin.object);
	publish(i, turn);
	return turn;
}

void intent_connects(const struct shim *shim, const char *address, unsigned port, const void *caller)
{
	uint32_t turn = shim_self.connects;
	struct pw_intent *i = &ring.intent[turn % PW_INTENTS];

	shim_self.connects = 0;
	if (turn && i->turn == turn) { /* a name may have been given: what is connected to is what the kernel sees */
		publish(i, 0);
		put(i->text, sizeof(i->text), address);
		i->port = port;
		publish(i, turn);
		return;
	}
	intent_tell(&(struct intent){ .kind = PW_IN_CONNECT, .text = address, .port = port,
		.origin = { .object = shim_object(shim, caller), .function = shim_symbol(shim, caller) } });
}
