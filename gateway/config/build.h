/*
 * build.h: between load.c and the build_*.c files: drafts become the snapshot's nouns.
 */
#ifndef WEIR_CONFIG_BUILD_H
#define WEIR_CONFIG_BUILD_H

#include "config/options.h"

struct build {
	struct snapshot *s;
	struct settings_draft draft;
	struct option_context context;
	struct config_report *report;
	struct arena *arena;
	struct buf later;
	bool environment;	/* presets' variables are looked at */
	bool budgets;		/* some key or team has a budget, which is not enforced yet */
};

void build_settings(struct build *b);
void build_providers(struct build *b);
void build_models(struct build *b);
void build_keys(struct build *b);

/* A provider from a preset alone, as zero-configuration makes it. */
void build_preset_provider(struct build *b, struct str name);
void build_demo_provider(struct build *b);

/* Appends to one of the snapshot's lists. */
void build_add_provider(struct build *b, struct provider *p);
void build_add_target(struct build *b, struct target *t);
void build_add_model(struct build *b, struct model *m);

/* The target of a written name "provider/model"; NULL after an error at `n` (or without a word when n is NULL). */
struct target *build_target(struct build *b, const struct node *n, struct str name);

#endif
