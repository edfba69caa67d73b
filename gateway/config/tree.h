/*
 * tree.h: a YAML (or JSON) document as a tree that knows its lines and columns.
 *
 * Scalars come with ${NAME}, ${NAME:-default} and @file: already replaced. Anchors and
 * aliases, several documents, duplicate keys, and more than TREE_DEPTH levels or TREE_NODES
 * nodes are refused. tree.c is the one file that meets libyaml.
 */
#ifndef WEIR_CONFIG_TREE_H
#define WEIR_CONFIG_TREE_H

#include <stdbool.h>

#include "base/arena.h"
#include "config/report.h"

enum { TREE_DEPTH = 32, TREE_NODES = 200000, TREE_FILE_MAX = 16 * 1024 * 1024, TREE_SECRET_MAX = 64 * 1024 };

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_LIST };

struct node {
	enum node_kind kind;
	unsigned line, column;
	bool quoted;		/* a scalar written in quotes: never null, never a number's neighbour */
	bool replaced;		/* its value came from a variable or a file, and is not shown in messages */
	struct str variable;	/* the first one that was asked for it; empty for none */
	bool broken;		/* what should have replaced it is missing, which was reported */
	struct str key;		/* in a map: its name there */
	unsigned key_line, key_column;
	struct str value;	/* scalars, after replacement; NUL behind */
	struct node *first, *next;	/* children, siblings */
	unsigned n;		/* children */
};

/* Files read on the way, for `watch`. */
struct tree_files {
	struct str *names;
	unsigned n, cap;
};

/* NULL after an error was reported. `environment`: whether ${} and @file: are replaced. */
struct node *tree_read(struct str text, bool environment, struct arena *a, struct tree_files *files,
		       struct config_report *r);

/* Reads a whole file into the arena; false with the reason in errno. */
bool tree_file(const char *path, size_t max, struct arena *a, struct str *out);

struct node *node_get(const struct node *map, struct str key);
bool node_is_null(const struct node *n);
const char *node_kind_name(const struct node *n);

#endif
