/*
 * plugin_set.c: finding plugins, and the instances a configuration makes of them.
 */
#include "plugin_host/plugin_set.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "plugin_host/hooks.h"
#include "plugin_host/record.h"

#ifndef WEIR_PLUGIN_DIRECTORY
#define WEIR_PLUGIN_DIRECTORY "/usr/local/lib/weir/plugins"
#endif

enum { FILE_MOST = 256 * 1024 * 1024, CHUNK = 64 * 1024 };

extern const struct weir_plugin guard_plugin, redact_plugin, rules_plugin;

static const struct weir_plugin *const built_in[] = { &guard_plugin, &redact_plugin, &rules_plugin, NULL };

/* --- sets --- */

struct plugin_set *plugin_set_new(void)
{
	struct plugin_set *s = mem_alloc(sizeof(*s));
	atomic_init(&s->refs, 1);
	return s;
}

struct plugin_set *plugin_set_ref(struct plugin_set *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void plugin_set_unref(struct plugin_set *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	for (unsigned i = 0; i < s->n; i++)
		if (s->uses[i].self && s->uses[i].plugin->release)
			s->uses[i].plugin->release(s->uses[i].self);
	arena_wipe(&s->arena);
	free(s);
}

/* --- loading --- */

static const struct weir_plugin *find_built_in(struct str name)
{
	for (size_t i = 0; built_in[i]; i++)
		if (str_eq(str_c(built_in[i]->name), name))
			return built_in[i];
	return NULL;
}

/* Of hooks that are older than this weir, what they lack is NULL. The copy lives as long as the process. */
static const struct weir_plugin *adopt(const struct weir_plugin *theirs)
{
	struct weir_plugin *p = mem_alloc(sizeof(*p));
	memcpy(p, theirs, theirs->size < sizeof(*p) ? theirs->size : sizeof(*p));
	return p;
}

static const struct weir_plugin *check(void *library, struct str name, struct buf *why)
{
	const struct weir_plugin *p = dlsym(library, "weir_plugin");
	size_t least = offsetof(struct weir_plugin, configure) + sizeof(p->configure);
	if (!p)
		buf_addf(why, "it has no symbol weir_plugin");
	else if (p->abi != WEIR_PLUGIN_ABI)
		buf_addf(why, "it was made for version %u of the plugin interface, this is version %u", p->abi, WEIR_PLUGIN_ABI);
	else if (p->size < least || !p->name || !p->configure)
		buf_addf(why, "its struct weir_plugin is incomplete");
	else if (!str_eq(str_c(p->name), name))
		buf_addf(why, "it calls itself `%.64s`", p->name);
	else
		return adopt(p);
	return NULL;
}

static bool is_safe(int fd, struct buf *why)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		buf_addf(why, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		buf_addf(why, "it is no regular file");
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		buf_addf(why, "it belongs neither to root nor to the user weir runs as");
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		buf_addf(why, "others than its owner can write it");
	else if (st.st_size > FILE_MOST)
		buf_addf(why, "it is larger than 256 MiB");
	else
		return true;
	return false;
}

static bool has_digest(int fd, struct str sha256, struct buf *why)
{
	uint8_t want[DIGEST_SIZE], got[DIGEST_SIZE];
	struct buf bytes = BUF_INIT(FILE_MOST);
	ssize_t n = 1;
	if (str_empty(sha256))
		return true;
	for (off_t at = 0; n > 0 && buf_reserve(&bytes, CHUNK); at += n) {
		n = pread(fd, bytes.p + bytes.n, CHUNK, at);
		bytes.n += n > 0 ? (size_t)n : 0;
	}
	digest_sha256(buf_str(&bytes), got);
	buf_free(&bytes);
	bool same = n == 0 && sha256.n == 2 * DIGEST_SIZE && digest_from_hex(sha256, want) && memcmp(want, got, DIGEST_SIZE) == 0;
	if (!same)
		buf_addf(why, "its SHA-256 is not the one in the configuration");
	return same;
}

/* A truncated file would be mapped all the same, and end weir at the first touch of what is missing. */
static bool is_whole(int fd, struct buf *why)
{
	Elf64_Ehdr h;
	struct stat st;
	bool good = fstat(fd, &st) == 0 && pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) &&
		    memcmp(h.e_ident, ELFMAG, SELFMAG) == 0 && h.e_ident[EI_CLASS] == ELFCLASS64 &&
		    h.e_shoff <= (uint64_t)st.st_size && (uint64_t)h.e_shnum * h.e_shentsize <= (uint64_t)st.st_size - h.e_shoff;
	for (unsigned i = 0; good && i < h.e_phnum; i++) {
		Elf64_Phdr ph;
		good = pread(fd, &ph, sizeof(ph), (off_t)(h.e_phoff + (uint64_t)i * h.e_phentsize)) == (ssize_t)sizeof(ph) &&
		       ph.p_offset <= (uint64_t)st.st_size && ph.p_filesz <= (uint64_t)st.st_size - ph.p_offset;
	}
	if (!good)
		buf_addf(why, "it is no shared object, or not the whole of one");
	return good;
}

/*
 * By its descriptor, so what was judged is what is loaded. The descriptor stays open: its number is the
 * library's name to the loader, and must not become another's.
 */
static const struct weir_plugin *open_checked(int fd, struct str name, struct buf *why)
{
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	void *library = dlopen(self, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		const char *error = dlerror();
		buf_addf(why, "%.300s", error ? error : "it cannot be loaded");
		return NULL;
	}
	const struct weir_plugin *p = check(library, name, why);
	if (!p)
		dlclose(library);
	return p;
}

/* A file that was loaded is not loaded again at each reload, unless it changed. */
struct loaded {
	struct loaded *next;
	dev_t device;
	ino_t inode;
	struct timespec changed;
	struct str name;
	const struct weir_plugin *plugin;
};

static struct loaded *all_loaded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const struct weir_plugin *find_or_open(int fd, struct str name, struct str sha256, bool *kept, struct buf *why)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !is_safe(fd, why) || !has_digest(fd, sha256, why) || !is_whole(fd, why))
		return NULL;
	for (struct loaded *l = all_loaded; l; l = l->next)
		if (l->device == st.st_dev && l->inode == st.st_ino && l->changed.tv_sec == st.st_ctim.tv_sec &&
		    l->changed.tv_nsec == st.st_ctim.tv_nsec && str_eq(l->name, name))
			return l->plugin;
	const struct weir_plugin *p = open_checked(fd, name, why);
	if (!p)
		return NULL;
	*kept = true;
	struct loaded *l = mem_alloc(sizeof(*l));
	*l = (struct loaded){ all_loaded, st.st_dev, st.st_ino, st.st_ctim, str_of(mem_copy(name), name.n), p };
	all_loaded = l;
	return p;
}

const struct weir_plugin *plugin_load(struct str name, struct str path, struct str sha256, struct buf *why)
{
	char file[4096];
	bool kept = false;
	const struct weir_plugin *p = str_empty(path) ? find_built_in(name) : NULL;
	if (p)
		return p;
	int n = str_empty(path) ? snprintf(file, sizeof(file), WEIR_PLUGIN_DIRECTORY "/%.*s.so", STR_FMT(name)) :
				  snprintf(file, sizeof(file), "%.*s", STR_FMT(path));
	if (n >= (int)sizeof(file) || str_has(name, STR("/"))) {
		buf_addf(why, "its path is too long, or its name has a slash");
		return NULL;
	}
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		buf_addf(why, "%s: %s", file, strerror(errno));
		return NULL;
	}
	pthread_mutex_lock(&lock);
	p = find_or_open(fd, name, sha256, &kept, why);
	pthread_mutex_unlock(&lock);
	if (!kept)
		close(fd);
	return p;
}

bool plugin_configure(struct plugin_use *use, struct weir_setup *s, const struct weir_node *config)
{
	use->record = plugin_record_of(use->name);
	s->name = use->name;
	use->self = use->plugin->configure(&plugin_host, s, config);
	return use->self;
}

bool plugin_passes(const struct plugin_use *use, struct str text)
{
	if (plugin_is_off(use))
		return true;
	hook_begin(use, "check");
	bool good = use->plugin->check(use->self, (struct weir_text){ text.p, text.n });
	hook_end(use);
	return good;
}
