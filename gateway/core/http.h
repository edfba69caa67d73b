/*
 * http.h: the nouns of HTTP that every room speaks of.
 */
#ifndef WEIR_CORE_HTTP_H
#define WEIR_CORE_HTTP_H

enum http_method {
	HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_PATCH, HTTP_OPTIONS,
	HTTP_TRACE, HTTP_CONNECT, HTTP_UNKNOWN
};

#endif
