/*
 * follow.c: what a reload cannot change.
 *
 * Sockets are bound and threads made once. A new file that names another address must not
 * make the present one open: it is judged by the addresses that are really served.
 */
#include "config/build.h"
#include "config/load.h"

static bool same_addresses(const struct listen_settings *a, const struct listen_settings *b)
{
	bool same = a->n_addresses == b->n_addresses;
	for (unsigned i = 0; same && i < a->n_addresses; i++)
		same = str_eq(a->addresses[i], b->addresses[i]);
	return same;
}

static void name(struct buf *kept, const char *what)
{
	buf_addf(kept, "%s%s", kept->n ? ", " : "", what);
}

static void keep_text(struct snapshot *fresh, struct str *mine, struct str theirs, const char *what, struct buf *kept)
{
	if (str_eq(*mine, theirs))
		return;
	*mine = arena_copy(&fresh->arena, theirs);
	name(kept, what);
}

static void keep_addresses(const struct listen_settings *running, struct snapshot *fresh, struct buf *kept)
{
	struct listen_settings *l = &fresh->settings.listen;
	if (same_addresses(running, l))
		return;
	struct str *copy = arena_array(&fresh->arena, struct str, running->n_addresses);
	for (unsigned i = 0; i < running->n_addresses; i++)
		copy[i] = arena_copy(&fresh->arena, running->addresses[i]);
	l->addresses = copy;
	l->n_addresses = running->n_addresses;
	name(kept, "listen.address");
	if (fresh->default_key) {	/* made for the other address */
		fresh->n_keys = 0;
		fresh->default_key = fresh->made_key = false;
		fresh->made_secret = STR_NONE;
		snapshot_index(fresh);
	}
	settings_need_key(fresh, true);
}

void config_follow(const struct snapshot *running, struct snapshot *fresh, struct buf *kept)
{
	const struct settings *r = &running->settings;
	struct settings *f = &fresh->settings;
	keep_addresses(&r->listen, fresh, kept);
	keep_text(fresh, &f->admin.address, r->admin.address, "admin.address", kept);
	keep_text(fresh, &f->admin.metrics_address, r->admin.metrics_address, "admin.metrics_address", kept);
	keep_text(fresh, &f->store, r->store, "store", kept);
	keep_text(fresh, &f->ledger, r->ledger, "ledger", kept);
	keep_text(fresh, &f->ledger_lines, r->ledger_lines, "ledger_lines", kept);
	const struct capture_settings *mine = &f->capture, *theirs = &r->capture;
	if (mine->share != theirs->share || mine->keep_us != theirs->keep_us || mine->redact != theirs->redact ||
	    mine->max_size != theirs->max_size || !str_eq(mine->directory, theirs->directory))
		name(kept, "capture");
	if (f->reservation_ttl_us != r->reservation_ttl_us) {
		f->reservation_ttl_us = r->reservation_ttl_us;
		name(kept, "reservation_ttl");
	}
	if (f->store_timeout_us != r->store_timeout_us) {
		f->store_timeout_us = r->store_timeout_us;
		name(kept, "store_timeout");
	}
	if (f->store_replicas != r->store_replicas) {
		f->store_replicas = r->store_replicas;
		name(kept, "store_replicas");
	}
	keep_text(fresh, &f->keys_file, r->keys_file, "keys_file", kept);
	if (f->workers != r->workers) {
		f->workers = r->workers;
		name(kept, "workers");
	}
}
