/*
 * expand.c: what a configuration takes from the environment and from files.
 *
 * The text before the replacement may hold a secret, as may what was read: both are
 * overwritten where they are no longer needed.
 */
#include "config/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"

static bool read_all(int fd, struct buf *b)
{
	for (;;) {
		if (!buf_reserve(b, b->cap > b->n ? b->cap - b->n : 4096)) {
			errno = EFBIG;
			return false;
		}
		ssize_t n = read(fd, b->p + b->n, b->cap - b->n);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		b->n += n > 0 ? (size_t)n : 0;
	}
}

/* What every user of this machine can read is hardly a secret; containers' own mounts are so by custom. */
static void warn_readable(const struct node *n, const char *path, struct config_report *r)
{
	struct stat st;
	bool mounted = str_starts(str_c(path), STR("/run/")) || str_starts(str_c(path), STR("/var/run/"));
	if (!mounted && stat(path, &st) == 0 && (st.st_mode & (S_IRGRP | S_IROTH)) == (S_IRGRP | S_IROTH))
		report_warning(r, n->line, n->column, "%s can be read by every user of this machine", path);
}

bool tree_file(const char *path, size_t max, struct arena *a, struct str *out)
{
	struct stat st;
	struct buf b = BUF_INIT(max);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool good = fstat(fd, &st) == 0;
	if (good && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		good = false;
	}
	good = good && read_all(fd, &b);
	int error = errno;
	close(fd);
	if (good)
		*out = arena_copy(a, buf_str(&b));
	secret_wipe(b.p, b.n);
	buf_free(&b);
	errno = error;
	return good;
}

static void broken(struct node *n)
{
	n->broken = true;
	n->value = STR_NONE;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_' ||
		      (i && s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	return s.n > 0;
}

/* One ${...} at the front of `*rest`. */
static bool replace_one(struct node *n, struct str *rest, struct buf *out, struct arena *a, struct config_report *r)
{
	ptrdiff_t end = str_chr(*rest, '}');
	if (end < 0) {
		report_error(r, n->line, n->column, "`${` without its `}`; a literal `${` is written `$${`");
		return false;
	}
	struct str inside = str_of(rest->p + 2, (size_t)end - 2), fallback = STR_NONE;
	ptrdiff_t mark = str_find(inside, STR(":-"));
	if (mark >= 0) {
		fallback = str_skip(inside, (size_t)mark + 2);
		inside = str_head(inside, (size_t)mark);
	}
	*rest = str_skip(*rest, (size_t)end + 1);
	if (!is_name(inside)) {
		report_error(r, n->line, n->column, "`${%.*s}` is no variable's name", STR_FMT(str_head(inside, 60)));
		return false;
	}
	struct str name = arena_copy(a, inside);
	if (str_empty(n->variable))
		n->variable = name;
	const char *value = getenv(name.p);
	if (value && (*value || mark < 0))
		return buf_add(out, str_c(value));
	if (mark >= 0)
		return buf_add(out, fallback);
	report_error(r, n->line, n->column, "the environment variable %.*s is not set; set it, or write ${%.*s:-default}",
		     STR_FMT(inside), STR_FMT(inside));
	return false;
}

/* Copies up to the next ${ that is not written $${, which becomes ${. */
static void copy_plain(struct str *rest, struct buf *out)
{
	ptrdiff_t at = str_find(*rest, STR("${"));
	size_t n = at < 0 ? rest->n : (size_t)at;
	if (at > 0 && rest->p[at - 1] == '$') {
		buf_add(out, str_head(*rest, n - 1));
		buf_add(out, STR("${"));
		n += 2;
	} else {
		buf_add(out, str_head(*rest, n));
	}
	*rest = str_skip(*rest, n);
}

static void replace(struct node *n, struct arena *a, struct config_report *r)
{
	struct str before = n->value, rest = before;
	struct buf out = BUF_INIT(TREE_SECRET_MAX);
	bool good = true;
	while (good && rest.n) {
		if (str_starts(rest, STR("${")))
			good = replace_one(n, &rest, &out, a, r);
		else
			copy_plain(&rest, &out);
	}
	if (good && out.failed) {
		report_error(r, n->line, n->column, "longer than %d bytes after replacement", TREE_SECRET_MAX);
		good = false;
	}
	n->replaced = true;
	n->value = good ? arena_copy(a, buf_str(&out)) : STR_NONE;
	n->broken = !good;
	secret_wipe((char *)(uintptr_t)before.p, before.n);
	secret_wipe(out.p, out.n);
	buf_free(&out);
}

static void remember(struct tree_files *f, struct str name, struct arena *a)
{
	if (f->n == f->cap) {
		struct str *names = arena_array(a, struct str, f->cap * 2 + 8);
		if (f->n)
			memcpy(names, f->names, f->n * sizeof(*names));
		f->names = names;
		f->cap = f->cap * 2 + 8;
	}
	f->names[f->n++] = name;
}

static void read_file(struct node *n, struct arena *a, struct tree_files *files, struct config_report *r)
{
	struct str path = arena_copy(a, str_skip(n->value, 6)), text;
	if (memchr(path.p, '\0', path.n)) {
		report_error(r, n->line, n->column, "a file's name holds no NUL");
		broken(n);
		return;
	}
	remember(files, path, a);
	if (!tree_file(path.p, TREE_SECRET_MAX, a, &text)) {
		report_error(r, n->line, n->column, "cannot read %s: %s", path.p, strerror(errno));
		broken(n);
		return;
	}
	warn_readable(n, path.p, r);
	while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		((char *)(uintptr_t)text.p)[--text.n] = '\0';
	n->value = text;
	n->replaced = true;
}

void expand_scalar(struct node *n, struct arena *a, struct tree_files *files, struct config_report *r)
{
	bool file = str_starts(n->value, STR("@file:"));
	if (str_has(n->value, STR("${")))
		replace(n, a, r);
	if (file && !n->broken)
		read_file(n, a, files, r);
}
