/*
 * token_fuzz.c: any bytes as the answer of those who give tokens, as a shared file of AWS, and as Google's file. The first
 * byte chooses. What is taken fits into a header, and lives.
 */
#include "base/clock.h"
#include "providers/aws_files.h"
#include "providers/token_reply.h"
#include "tests/fuzz/fuzz.h"

static struct str given;

static void answer(struct token_io *io, const struct token_question *q, struct token_answer *out)
{
	(void)io;
	must(q->n_headers <= TOKEN_HEADERS_MAX && q->url.n > 0);
	*out = (struct token_answer){ .status = 200, .body = given, .date = str_head(given, 29), .flavor = STR("Google") };
}

static bool file(struct token_io *io, struct str path, struct str *out)
{
	(void)io, (void)path;
	*out = given;
	return true;
}

static bool is_sendable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return true;
}

static void fetch(enum token_origin origin)
{
	struct arena a = ARENA_INIT;
	struct buf why = BUF_INIT(4096);
	struct token_io io = { .ask = answer, .read_file = file, .arena = &a, .wall_us = 1893456000 * SECOND_US };
	struct token_source s = { .origin = origin };
	int64_t again_us;
	s.field[TOKEN_PROFILE] = STR("default");
	s.field[TOKEN_FILE] = s.field[TOKEN_CONFIG_FILE] = STR("file");
	s.field[TOKEN_ENDPOINT] = STR("http://127.0.0.1/");
	struct token *t = token_fetch(&s, &io, &again_us, &why);
	must(t || why.n);
	if (t && origin != TOKEN_AWS_FILES)
		must(t->secret.n && is_sendable(t->secret) && is_sendable(t->id) && is_sendable(t->session) && t->expires_us > io.wall_us);
	token_unref(t);
	buf_free(&why);
	arena_wipe(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum token_origin origins[] = {
		TOKEN_AWS_FILES, TOKEN_AWS_WEB_IDENTITY, TOKEN_AWS_CONTAINER, TOKEN_AWS_INSTANCE, TOKEN_GOOGLE_FILE, TOKEN_GOOGLE_METADATA,
		TOKEN_ENTRA, TOKEN_AZURE_INSTANCE, TOKEN_AZURE_APP,
	};
	if (size == 0)
		return 0;
	struct str in = str_of((const char *)data + 1, size - 1);
	char *copy = alone(in);
	given = str_of(copy, in.n);
	fetch(origins[data[0] % array_len(origins)]);
	must(lies_in(aws_file_get(given, AWS_CONFIG, STR("default"), STR("region")), given));
	free(copy);
	return 0;
}
