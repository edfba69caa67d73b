/*
 * redis_url.c: reads a Redis URL. What it says of a bad one never quotes it: there may be a password in it.
 */
#include "store/redis_url.h"

#include <sys/un.h>

#include "wire/url.h"

enum { DB_MAX = 65535, PORT_DEFAULT = 6379, SENTINEL_PORT_DEFAULT = 26379, HOST_MAX = 255 };

static bool number_parse(struct str s, uint64_t most, uint64_t *out)
{
	return str_u64(s, out) && *out <= most;
}

/* [user[:password]@] off the front of the authority. */
static const char *login_take(struct arena *a, struct str *authority, struct redis_url *out)
{
	ptrdiff_t at = str_rchr(*authority, '@');
	if (at < 0)
		return NULL;
	struct str login = str_head(*authority, (size_t)at), password = STR_NONE;
	*authority = str_skip(*authority, (size_t)at + 1);
	ptrdiff_t colon = str_chr(login, ':');
	if (colon >= 0) {
		password = str_skip(login, (size_t)colon + 1);
		login = str_head(login, (size_t)colon);
	}
	if (!url_decode(a, login, false, &out->user) || !url_decode(a, password, false, &out->password))
		return "has a broken percent-escape in its user or password";
	if (str_empty(out->password))
		return "has a user but no password (redis://user:password@host)";
	return NULL;
}

static bool host_good(struct str host)
{
	if (str_empty(host) || host.n > HOST_MAX)
		return false;
	for (size_t i = 0; i < host.n; i++) {
		unsigned char c = (unsigned char)host.p[i];
		if (c <= ' ' || c >= 0x7f || strchr("/\\?#@[]%,\"'<>", c))
			return false;
	}
	return true;
}

/* host[:port]; `out->port` is the default where none is written. */
static const char *host_parse(struct str s, struct redis_host *out)
{
	ptrdiff_t colon = str_rchr(s, ':');
	bool v6 = str_starts(s, STR("["));
	if (v6) {
		ptrdiff_t end = str_chr(s, ']');
		if (end < 0)
			return "has no `]` behind its IPv6 address";
		colon = (size_t)end + 1 < s.n ? end + 1 : -1;
		out->host = str_of(s.p + 1, (size_t)end - 1);
		if (colon >= 0 && s.p[colon] != ':')
			return "has no valid host";
	} else {
		out->host = colon < 0 ? s : str_head(s, (size_t)colon);
	}
	uint64_t port = out->port;
	if (colon >= 0 && (!number_parse(str_skip(s, (size_t)colon + 1), 65535, &port) || port == 0))
		return "has no valid port";
	out->port = (uint16_t)port;
	if (!host_good(out->host) || (!v6 && str_chr(out->host, ':') >= 0))
		return "has no valid host";
	return NULL;
}

static const char *db_parse(struct str s, struct redis_url *out)
{
	uint64_t db = 0;
	if (!str_empty(s) && !number_parse(s, DB_MAX, &db))
		return "has no valid database number";
	out->db = (unsigned)db;
	return NULL;
}

/* The database of ?db=n; nothing else may be asked. */
static const char *query_parse(struct str query, struct redis_url *out)
{
	struct str db;
	if (str_empty(query))
		return NULL;
	if (url_query_find(query, STR("db"), &db) != 1 || str_chr(query, '&') >= 0)
		return "has something other than ?db=n behind its path";
	return db_parse(db, out);
}

static const char *unix_parse(struct arena *a, struct str rest, struct str query, struct redis_url *out)
{
	ptrdiff_t slash = str_chr(rest, '/');
	struct str authority = slash < 0 ? rest : str_head(rest, (size_t)slash);
	const char *wrong = login_take(a, &authority, out);
	if (wrong)
		return wrong;
	if (slash < 0 || authority.n > 0 || !url_decode(a, str_skip(rest, (size_t)slash), false, &out->path))
		return "has no path of a socket (redis+unix:///path)";
	if (out->path.n >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return "has a path too long for a socket";
	return query_parse(query, out);
}

/* Takes what stands before the first `/` behind the login off `*rest`. */
static struct str authority_take(struct str *rest)
{
	ptrdiff_t at = str_rchr(*rest, '@');	/* a `/` in a password may stand unescaped */
	size_t from = at < 0 ? 0 : (size_t)at;
	ptrdiff_t slash = str_chr(str_skip(*rest, from), '/');
	struct str authority = slash < 0 ? *rest : str_head(*rest, from + (size_t)slash);
	*rest = str_skip(*rest, authority.n + 1);
	return authority;
}

static const char *tcp_parse(struct arena *a, struct str rest, struct str query, struct redis_url *out)
{
	struct str authority = authority_take(&rest);
	struct redis_host server = { .port = PORT_DEFAULT };
	const char *wrong = login_take(a, &authority, out);
	if (!wrong)
		wrong = host_parse(authority, &server);
	if (!wrong)
		wrong = db_parse(rest, out);
	out->host = server.host;
	out->port = server.port;
	return wrong ? wrong : query_parse(query, out);
}

/* Several hosts, comma-separated. */
static const char *hosts_parse(struct str authority, uint16_t port, struct redis_host *hosts, unsigned *n)
{
	struct str part;
	while (str_split(&authority, ',', &part)) {
		if (*n == REDIS_SENTINELS_MAX)
			return "names more than 8 hosts";
		struct redis_host *h = &hosts[(*n)++];
		h->port = port;
		const char *wrong = host_parse(part, h);
		if (wrong)
			return wrong;
	}
	return *n ? NULL : "names no host";
}

static const char *cluster_parse(struct arena *a, struct str rest, struct str query, struct redis_url *out)
{
	struct str authority = authority_take(&rest);
	const char *wrong = login_take(a, &authority, out);
	if (!wrong)
		wrong = hosts_parse(authority, PORT_DEFAULT, out->seeds, &out->n_seeds);
	if (!wrong && (!str_empty(query) || !(str_empty(rest) || str_eq(rest, STR("0")))))
		return "names a database, and a cluster has none but 0";
	return wrong;
}

static const char *sentinel_parse(struct arena *a, struct str rest, struct str query, struct redis_url *out)
{
	struct str authority = authority_take(&rest), password = STR_NONE;
	const char *wrong = login_take(a, &authority, out);
	if (!wrong)
		wrong = hosts_parse(authority, SENTINEL_PORT_DEFAULT, out->sentinels, &out->n_sentinels);
	if (wrong)
		return wrong;
	if (!str_split(&rest, '/', &out->master) || !host_good(out->master))
		return "names no master (redis+sentinel://host:26379/mymaster)";
	if (url_query_find(query, STR("sentinel_password"), &password) > 0) {
		if (str_chr(query, '&') >= 0 || str_empty(password) ||
		    !url_decode(a, password, false, &out->sentinel_password))
			return "has something other than ?sentinel_password=... behind its path";
		query = STR_NONE;
	}
	wrong = db_parse(rest, out);
	return wrong ? wrong : query_parse(query, out);
}

enum url_kind { URL_TCP, URL_TLS, URL_UNIX, URL_SENTINEL, URL_CLUSTER };

static const char *kind_parse(struct str text, struct str *rest, enum url_kind *kind)
{
	static const struct {
		struct str scheme;
		enum url_kind kind;
	} kinds[] = {
		{ STR_INIT("redis://"), URL_TCP }, { STR_INIT("rediss://"), URL_TLS },
		{ STR_INIT("redis+unix://"), URL_UNIX }, { STR_INIT("redis+sentinel://"), URL_SENTINEL },
		{ STR_INIT("redis+cluster://"), URL_CLUSTER },
	};
	for (size_t i = 0; i < array_len(kinds); i++) {
		if (!str_istarts(text, kinds[i].scheme))
			continue;
		*rest = str_skip(text, kinds[i].scheme.n);
		*kind = kinds[i].kind;
		return NULL;
	}
	return "must be `memory`, or begin with redis://, rediss://, redis+unix://, redis+sentinel:// or "
	       "redis+cluster://";
}

const char *redis_url_parse(struct arena *a, struct str text, struct redis_url *out)
{
	struct str rest, query = STR_NONE;
	enum url_kind kind;
	*out = (struct redis_url){ 0 };
	const char *wrong = kind_parse(text, &rest, &kind);
	if (wrong)
		return wrong;
	ptrdiff_t at = str_rchr(rest, '@'), mark = str_rchr(rest, '?');
	if (mark > at) {
		query = str_skip(rest, (size_t)mark + 1);
		rest = str_head(rest, (size_t)mark);
	}
	out->tls = kind == URL_TLS;
	return kind == URL_UNIX ? unix_parse(a, rest, query, out) :
	       kind == URL_CLUSTER ? cluster_parse(a, rest, query, out) :
	       kind == URL_SENTINEL ? sentinel_parse(a, rest, query, out) : tcp_parse(a, rest, query, out);
}
