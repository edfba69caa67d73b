/*
 * aws_files.h: AWS's shared config and credentials files.
 *
 * Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files", read 2026-11: sections in
 * brackets, `key = value`, comments of whole lines or behind a blank; indented lines belong to the key above and
 * are of no interest here. Of what is given twice, the last one counts.
 */
#ifndef WEIR_PROVIDERS_AWS_FILES_H
#define WEIR_PROVIDERS_AWS_FILES_H

#include <stdbool.h>

#include "base/str.h"

enum aws_file {
	AWS_CREDENTIALS,	/* [name] */
	AWS_CONFIG		/* [profile name], and [default] */
};

/* The value, within `text`; empty when there is none. Keys ignore case, names of profiles do not. */
struct str aws_file_get(struct str text, enum aws_file kind, struct str profile, struct str key);

/* Is there such a section? */
bool aws_file_has(struct str text, enum aws_file kind, struct str profile);

#endif
