/*
 * chunked.c: the chunked transfer coding, a byte at a time but for the data.
 */
#include "wire/chunked.h"

#include "wire/http_lex.h"

enum state {
	SIZE,		/* hex digits of a chunk's size */
	EXTENSION,	/* behind the `;`, to the CR */
	SIZE_LF,
	DATA,
	DATA_CR, DATA_LF,
	TRAILER,	/* at the start of a trailer line, or of the blank line */
	TRAILER_NAME, TRAILER_VALUE, TRAILER_LF,
	LAST_LF,
	END,
	BROKEN
};

enum { DIGITS_MAX = 15 };

static enum state size_step(struct chunked *c, char b)
{
	if (lex_is(b, LEX_HEX)) {
		c->left = c->left << 4 | lex_hex(b);
		return ++c->run > DIGITS_MAX ? BROKEN : SIZE;
	}
	if (c->run == 0 || (b != ';' && b != '\r'))
		return BROKEN;
	c->run = 0;
	return b == ';' ? EXTENSION : SIZE_LF;
}

static enum state extension_step(struct chunked *c, char b)
{
	if (b == '\r')
		return SIZE_LF;
	return lex_is_text(b) && ++c->run <= CHUNKED_EXTENSION_MAX ? EXTENSION : BROKEN;
}

static enum state size_end(struct chunked *c)
{
	c->run = 0;
	return c->left ? DATA : TRAILER;
}

static enum state trailer_step(struct chunked *c, char b)
{
	if (b == '\r')
		return LAST_LF;
	return lex_is(b, LEX_TOKEN) && ++c->trailers <= CHUNKED_TRAILERS_MAX ? TRAILER_NAME : BROKEN;
}

static enum state name_step(char b)
{
	return b == ':' ? TRAILER_VALUE : lex_is(b, LEX_TOKEN) ? TRAILER_NAME : BROKEN;
}

static enum state value_step(char b)
{
	return b == '\r' ? TRAILER_LF : lex_is_text(b) ? TRAILER_VALUE : BROKEN;
}

static enum state expect(char b, char wanted, enum state then)
{
	return b == wanted ? then : BROKEN;
}

static enum state framing_step(struct chunked *c, char b)
{
	if (c->state >= TRAILER && ++c->run > CHUNKED_TRAILER_MAX)
		return BROKEN;
	switch ((enum state)c->state) {
	case SIZE:
		return size_step(c, b);
	case EXTENSION:
		return extension_step(c, b);
	case SIZE_LF:
		return b == '\n' ? size_end(c) : BROKEN;
	case DATA_CR:
		return expect(b, '\r', DATA_LF);
	case DATA_LF:
		return expect(b, '\n', SIZE);
	case TRAILER:
		return trailer_step(c, b);
	case TRAILER_NAME:
		return name_step(b);
	case TRAILER_VALUE:
		return value_step(b);
	case TRAILER_LF:
		return expect(b, '\n', TRAILER);
	case LAST_LF:
		return expect(b, '\n', END);
	case DATA:
	case END:
	case BROKEN:
		break;
	}
	return BROKEN;
}

static void data_take(struct chunked *c, struct str *in, struct str *payload)
{
	*payload = str_head(*in, c->left < in->n ? (size_t)c->left : in->n);
	*in = str_skip(*in, payload->n);
	c->left -= payload->n;
	if (c->left == 0)
		c->state = DATA_CR;
}

enum http_result chunked_next(struct chunked *c, struct str *in, struct str *payload)
{
	*payload = STR_NONE;
	while (c->state < END && in->n) {
		if (c->state == DATA) {
			data_take(c, in, payload);
			return HTTP_MORE;
		}
		c->state = (uint8_t)framing_step(c, in->p[0]);
		*in = str_skip(*in, 1);
	}
	return c->state == END ? HTTP_DONE : c->state == BROKEN ? HTTP_BAD : HTTP_MORE;
}
