/*
 * build.h: between load.c and the build_*.c files: drafts become the snapshot's nouns.
 */
#ifndef WEIR_CONFIG_BUILD_H
#define WEIR_CONFIG_BUILD_H

#include "config/options.h"
#include "core/money.h"

struct preset;
struct weir_node;
struct weir_setup;

struct build {
	struct snapshot *s;
	const struct node *root;
	struct settings_draft draft;
	struct option_context context;
	struct config_report *report;
	struct arena *arena;
	bool environment;	/* variables and files are looked at */
	struct tree_files *files;	/* to be watched */
	struct buf *said;	/* what files say that plugins read is added here; NULL: nobody asks */
	const struct node *plugin;	/* the entry that is being configured: where its mistakes without a place stand */
};

void build_prices(struct build *b);	/* first of all: targets ask them */
void build_settings(struct build *b);
void build_providers(struct build *b);
void build_models(struct build *b);
void build_keys(struct build *b);
void build_plugins(struct build *b);	/* finds and configures them */
/* What they ask is answered out of `b`, and copied to the arena; so is a part of the tree. */
struct weir_setup build_plugin_setup(struct build *b, struct arena *a);
const struct weir_node *build_plugin_node(struct arena *a, const struct node *n);
void build_advise(struct build *b);	/* warnings about what would surprise; last of all */

/* A provider from a preset alone, as zero-configuration makes it. */
void build_preset_provider(struct build *b, const struct preset *preset);
void build_demo_provider(struct build *b);
/* Whether the environment holds all that this preset needs; `*variable` is where its credential is. */
bool build_preset_ready(const struct preset *preset, const char **variable);

/* Credentials, headers and extras of one provider. */
void build_credentials(struct build *b, const struct node *n, const struct provider_draft *d, const struct preset *preset,
		       struct provider *p);
/*
 * Who we are to a cloud, where that is not a key: the provider's one credential that signs or is fetched. False: it
 * is not known, and `*lacks` says what to set.
 */
bool build_identity(struct build *b, const struct node *n, const struct provider_draft *d, struct provider *p, struct str *lacks);
void build_headers(struct build *b, const struct node *map, struct provider *p);

/* The context of those that say nothing about TLS: a reference, or NULL with `why` filled. */
struct tls_context *build_usual_tls(struct buf *why);

/* Room for one more pointer in a list of `n` of them. */
void *build_room(struct arena *a, const void *items, unsigned n);

/* The target of a written name "provider/model"; NULL after an error at `n`. */
struct target *build_target(struct build *b, const struct node *n, struct str name);

/* What a model falls back on, its other models included. */
void build_ladder(struct build *b, const struct node *n, const struct model_draft *d, struct model *m);
/* A mistake about the i-th of these models stands here. */
const struct node *build_ladder_node(const struct node *model, unsigned i);
/* A ladder that is not written out: the rungs that can answer. When the plugins are known. */
void build_prune_ladder(struct build *b, const struct node *n, struct model *m);
/* Rungs that never answer. */
void build_advise_ladder(struct build *b, const struct node *n, const struct model *m);

/*
 * Fill `definition`, when all else is built: `said` is by what the files it names are known. Neither may be NULL but the
 * node, where nothing is written.
 */
void build_model_definition(const struct node *n, const struct buf *said, struct model *m);
void build_provider_definition(const struct node *n, struct provider *p);
void build_add_tree(struct buf *b, const struct node *n);	/* all that is written from `n` on down */

/* A model's cascade; NULL where its strategy is another, or after an error. */
const struct cascade *build_cascade(struct build *b, const struct node *n, const struct model_draft *d, const struct model *m);

/* Budgets and limits of a key and its team; and of a team, checked alone. */
void build_limits(struct build *b, struct key *k, const struct node *of, bool closed);
void build_check_limits(struct build *b, const struct node *team);

/* Beyond loopback nobody serves without a key unless it is said: one is taken from WEIR_KEY, or made. */
void settings_need_key(struct snapshot *s, bool environment);

/* Is this address (as listen.address has them) one that only this machine reaches? */
bool address_is_local(struct str address);
/* NULL when good, otherwise what is wrong with it. */
const char *address_check(struct str address);

/* An error at `n`, which may be NULL. */
#define build_error(b, n, ...) report_error((b)->report, (n) ? (n)->line : 0, (n) ? (n)->column : 0, __VA_ARGS__)
#define build_warn(b, n, ...) report_warning((b)->report, (n) ? (n)->line : 0, (n) ? (n)->column : 0, __VA_ARGS__)

#endif
