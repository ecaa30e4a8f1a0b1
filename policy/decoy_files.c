/* Files of decoys: templates, in which every {{sample}} becomes the decoy of a value of that shape. */
#include "policy/decoy.h"

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct template {
	const char *path;   /* below a home */
	const char *ending; /* of a real path that it stands for as well; NULL: its own */
	const char *text;   /* NULL: an OpenSSH key */
	const char *host;   /* that the secrets are for; NULL: not one */
};

#define GITHUB "{{ghp_Q7wErT9yUiOp2AsDfGhJkLzXcVbNm1Kd83Lq}}"

static const struct template templates[] = {
	{".aws/credentials", NULL,
	 "[default]\naws_access_key_id = {{AKIA4XQ7ZL2M9KD3WPTB}}\naws_secret_access_key = {{wJ4rXUtnF7MI+K7MDENGbPxRfiCYzT9qLw2vB8sh}}\n", NULL},
	{".ssh/id_ed25519", NULL, NULL, NULL},
	{".netrc", NULL, "machine github.com\n  login deploy\n  password " GITHUB "\n", "github.com"},
	{".git-credentials", NULL, "https://deploy:" GITHUB "@github.com\n", "github.com"},
	{".npmrc", NULL, "//npm.pkg.github.com/:_authToken=" GITHUB "\n", "npm.pkg.github.com"},
	{".pypirc", NULL,
	 "[distutils]\nindex-servers = pypi\n\n[pypi]\nusername = __token__\n"
	 "password = {{pypi-AgEIcHlwaS5vcmcCJDU0ZTAwYzYzLTYyMzctNDA2Yi1iNzZkLWE4YmU5ZjYzYzFjOAACKlszLCI0Q2kXw7}}\n", NULL},
	{".docker/config.json", NULL, "{\n\t\"auths\": {\n\t\t\"ghcr.io\": {\n\t\t\t\"auth\": \"{{ZGVwbG95OmdocF9RN3dFclQ5eVVpT3AyQXNEZkdo}}\"\n\t\t}\n\t}\n}\n", NULL},
	{".kube/config", NULL,
	 "apiVersion: v1\nkind: Config\ncurrent-context: production\nclusters:\n- name: production\n  cluster:\n    server: https://kubernetes.internal:6443\n"
	 "contexts:\n- name: production\n  context:\n    cluster: production\n    user: deploy\nusers:\n- name: deploy\n  user:\n"
	 "    token: {{k8s7aQw3Er9Ty2Ui5Op1As8Df6Gh4Jk0LzXcVbNm}}\n", NULL},
	{".config/gcloud/application_default_credentials.json", NULL,
	 "{\n  \"client_id\": \"{{764086051850}}-{{6qr4p6gpi6hn506pt8ejuq83di341hur}}.apps.googleusercontent.com\",\n"
	 "  \"client_secret\": \"{{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}}\",\n"
	 "  \"refresh_token\": \"1//{{0gQ7wErT9yUiOp2AsDfGhJkLzXcVbNm1Kd83LqWeRtYuIoPa}}\",\n  \"type\": \"authorized_user\"\n}\n", NULL},
	/* Not in a private home; for real paths alone. */
	{NULL, ".env", "API_KEY={{sk7aQw3Er9Ty2Ui5Op1As8Df6Gh4Jk0LzXc}}\nDATABASE_URL=postgres://app:{{Q7wErT9yUiOp2As}}@localhost/app\n", NULL},
	{NULL, "", "{{Kq7aQw3Er9Ty2Ui5Op1As8Df6Gh4Jk0LzXcVbNmQ8}}\n", NULL},
};
enum { TEMPLATES = sizeof templates / sizeof *templates, SSH_KEY = 1, SAMPLES_MAX = 8 };
_Static_assert(TEMPLATES == DECOY_FILES, "decoy.h");

const char *decoy_file_path(size_t index)
{
	return index < TEMPLATES ? templates[index].path : NULL;
}

/* --- an OpenSSH key, without a passphrase ---------------------------------------------------------- */

static char *base64(const unsigned char *bytes, size_t len, size_t width)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t chars = (len + 2) / 3 * 4, n = 0;
	char *out = malloc(chars + chars / width + 2);

	for (size_t i = 0; out && i < len; i += 3) {
		unsigned v = (unsigned)bytes[i] << 16 | (i + 1 < len ? (unsigned)bytes[i + 1] << 8 : 0) | (i + 2 < len ? bytes[i + 2] : 0);
		for (int k = 0; k < 4; k++) {
			out[n++] = i + (size_t)k <= len ? digits[v >> (18 - 6 * k) & 63] : '=';
			if (n % (width + 1) == width)
				out[n++] = '\n';
		}
	}
	if (out) {
		if (n && out[n - 1] != '\n')
			out[n++] = '\n';
		out[n] = '\0';
	}
	return out;
}

struct blob {
	unsigned char bytes[512];
	size_t len;
};

static void put_raw(struct blob *b, const void *data, size_t len)
{
	memcpy(b->bytes + b->len, data, len);
	b->len += len;
}

static void put_number(struct blob *b, size_t n)
{
	put_raw(b, (const unsigned char[]){(unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n}, 4);
}

static void put_string(struct blob *b, const void *data, size_t len)
{
	put_number(b, len);
	put_raw(b, data, len);
}

static void digest(const uint8_t *key, const char *name, uint8_t out[SHA256_DIGEST_LENGTH])
{
	SHA2_CTX sha;

	SHA256Init(&sha);
	SHA256Update(&sha, key, DECOY_KEY_LEN);
	SHA256Update(&sha, (const uint8_t *)name, strlen(name) + 1);
	SHA256Final(out, &sha);
}

/* The length of what stands before the 64 bytes that are secret. */
static size_t ssh_blob(const uint8_t *key, struct blob *all)
{
	static const char type[] = "ssh-ed25519", comment[] = "deploy@localhost";
	struct blob public = {.len = 0}, private = {.len = 0};
	uint8_t seed[SHA256_DIGEST_LENGTH], point[SHA256_DIGEST_LENGTH], check[SHA256_DIGEST_LENGTH];
	size_t secret;

	digest(key, "file:ssh seed", seed);
	digest(key, "file:ssh point", point);
	digest(key, "file:ssh check", check);
	put_string(&public, type, strlen(type));
	put_string(&public, point, 32);
	put_raw(&private, check, 4);
	put_raw(&private, check, 4);
	put_raw(&private, public.bytes, public.len);
	put_number(&private, 64);
	secret = private.len;
	put_raw(&private, seed, 32);
	put_raw(&private, point, 32);
	put_string(&private, comment, strlen(comment));
	for (unsigned char pad = 1; private.len % 8; pad++)
		put_raw(&private, &pad, 1);
	put_raw(all, "openssh-key-v1", 15);
	put_string(all, "none", 4);
	put_string(all, "none", 4);
	put_string(all, "", 0);
	put_number(all, 1);
	put_string(all, public.bytes, public.len);
	secret += all->len + 4;
	put_string(all, private.bytes, private.len);
	return secret;
}

static char *ssh_key(const uint8_t *key)
{
	struct blob all = {.len = 0};
	char *text, *out = NULL;

	ssh_blob(key, &all);
	text = base64(all.bytes, all.len, 70);
	if (text && asprintf(&out, "-----BEGIN OPENSSH PRIVATE KEY-----\n%s-----END OPENSSH PRIVATE KEY-----\n", text) < 0)
		out = NULL;
	free(text);
	return out;
}

/* Of its text what is no other key's: the digits that the secret alone decides. */
static char *ssh_secret(const uint8_t *key)
{
	struct blob all = {.len = 0};
	size_t secret = ssh_blob(key, &all), first = (secret * 8 + 5) / 6, end = (secret + 64) * 8 / 6;
	char *text = base64(all.bytes, all.len, 2 * sizeof(all.bytes)), *out = text ? strndup(text + first, end - first) : NULL;

	free(text);
	return out;
}

/* --- templates ------------------------------------------------------------------------------------- */

/* The decoy for the sample that begins behind `open`; *at: what follows it.  NULL: no memory. */
static char *sample_decoy(const uint8_t *key, const struct template *t, unsigned part, const char *open, const char **at)
{
	const char *close = strstr(open, "}}");
	char *sample = strndup(open, (size_t)(close - open)), name[96];
	bool remove;

	snprintf(name, sizeof(name), "file:%s:%u", t->path ? t->path : t->ending, part);
	char *value = sample ? decoy_value(key, name, sample, &remove) : NULL;
	free(sample);
	*at = close + 2;
	return value;
}

static char *fill(const uint8_t *key, const struct template *t)
{
	char *out = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&out, &len);
	unsigned part = 0;

	if (!to)
		return NULL;
	for (const char *at = t->text, *open; (open = strstr(at, "{{"));) {
		fwrite(at, 1, (size_t)(open - at), to);
		char *value = sample_decoy(key, t, part++, open + 2, &at);
		fputs(value ? value : "", to);
		free(value);
		if (!strstr(at, "{{"))
			fputs(at, to);
	}
	if (fclose(to)) {
		free(out);
		out = NULL;
	}
	return out;
}

static bool ends_in(const char *path, const char *ending)
{
	size_t len = strlen(path), n = strlen(ending);

	return len >= n && !strcmp(path + len - n, ending);
}

size_t decoy_file_kind(const char *path)
{
	const char *file = strrchr(path, '/');
	size_t i = 0;

	file = file ? file : path;
	while (i < TEMPLATES - 1 && !ends_in(path, templates[i].path ? templates[i].path : templates[i].ending))
		i++;
	/* Keys have many names. */
	if (i == TEMPLATES - 1 && (strstr(path, "/.ssh/") || strstr(file, "id_") || ends_in(path, ".pem") || ends_in(path, ".key")))
		i = SSH_KEY;
	return i;
}

char *decoy_file(const uint8_t key[DECOY_KEY_LEN], const char *path)
{
	size_t i = decoy_file_kind(path);

	return templates[i].text ? fill(key, &templates[i]) : ssh_key(key);
}

char **decoy_file_secrets(const uint8_t key[DECOY_KEY_LEN], size_t kind, const char **host)
{
	const struct template *t = &templates[kind];
	char **all = calloc(SAMPLES_MAX + 1, sizeof(*all));
	bool good = all != NULL;

	*host = t->host;
	if (good && !t->text)
		good = (all[0] = ssh_secret(key)) != NULL;
	for (const char *at = t->text, *open; good && at && (open = strstr(at, "{{"));) {
		unsigned part = 0;
		while (all[part])
			part++;
		good = part < SAMPLES_MAX && (all[part] = sample_decoy(key, t, part, open + 2, &at));
	}
	if (!good) {
		env_secrets_free(all);
		return NULL;
	}
	return all;
}
