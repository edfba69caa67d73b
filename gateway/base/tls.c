/*
 * tls.c: TLS connections over our own sockets.
 *
 * Small pieces of a writev are gathered into one record; a large piece goes alone. After a
 * write that has to wait, OpenSSL wants the same bytes again: callers keep what was not
 * taken and come back with it, which moving-write-buffer mode allows from another address.
 */
#include "base/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io_error.h"
#include "base/tls_context.h"

enum { RECORD = 16 * 1024 };

static _Thread_local char gather[RECORD];

static enum io_result failed(SSL *ssl, int result)
{
	unsigned long e = ERR_peek_last_error();
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:   return IO_WANT_READ;
	case SSL_ERROR_WANT_WRITE:  return IO_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN: return IO_END;
	case SSL_ERROR_SYSCALL:
		io_set_error(errno ? strerror(errno) : "the connection was cut without a closing alert");
		break;
	default: {
		char text[200];
		long verify = SSL_get_verify_result(ssl);
		if (verify != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE)
			snprintf(text, sizeof(text), "certificate: %s", X509_verify_cert_error_string(verify));
		else
			snprintf(text, sizeof(text), "TLS: %s", ERR_reason_error_string(e) ? ERR_reason_error_string(e) : "protocol error");
		io_set_error(text);
	}
	}
	ERR_clear_error();
	return IO_BROKEN;
}

static enum io_result tls_handshake(struct io *io)
{
	ERR_clear_error();
	errno = 0;
	int r = SSL_do_handshake(io->tls);
	return r == 1 ? IO_OK : failed(io->tls, r);
}

static ssize_t tls_read(struct io *io, void *to, size_t n)
{
	size_t got = 0;
	ERR_clear_error();
	errno = 0;
	int r = SSL_read_ex(io->tls, to, n, &got);
	return r == 1 ? (ssize_t)got : (ssize_t)failed(io->tls, r);
}

static size_t collect(const struct iovec *iov, int count)
{
	size_t n = 0;
	for (int i = 0; i < count && n < RECORD; i++) {
		size_t part = iov[i].iov_len < RECORD - n ? iov[i].iov_len : RECORD - n;
		memcpy(gather + n, iov[i].iov_base, part);
		n += part;
	}
	return n;
}

static ssize_t write_one(struct io *io, const void *from, size_t n)
{
	size_t sent = 0;
	ERR_clear_error();
	errno = 0;
	int r = SSL_write_ex(io->tls, from, n, &sent);
	return r == 1 ? (ssize_t)sent : (ssize_t)failed(io->tls, r);
}

/* As much as the socket takes, a record at a time. */
static ssize_t tls_writev(struct io *io, const struct iovec *iov, int count)
{
	ssize_t total = 0;
	size_t skip = 0;
	int i = 0;
	while (i < count) {
		struct iovec first = { (char *)iov[i].iov_base + skip, iov[i].iov_len - skip };
		ssize_t sent;
		if (first.iov_len == 0) {
			i++;
			skip = 0;
			continue;
		}
		if (first.iov_len >= RECORD || i == count - 1) {
			sent = write_one(io, first.iov_base, first.iov_len < RECORD ? first.iov_len : RECORD);
		} else {
			struct iovec some[16];
			int n = 0;
			some[n++] = first;
			for (int j = i + 1; j < count && n < 16; j++)
				some[n++] = iov[j];
			sent = write_one(io, gather, collect(some, n));
		}
		if (sent < 0)
			return total ? total : sent;
		total += sent;
		for (size_t left = (size_t)sent; left > 0 && i < count;) {
			size_t here = iov[i].iov_len - skip;
			if (left < here) {
				skip += left;
				break;
			}
			left -= here;
			skip = 0;
			i++;
		}
	}
	return total ? total : IO_WANT_WRITE;
}

/*
 * Decrypted bytes only. SSL_has_pending() also counts the beginning of a record, of which nothing
 * can be read before the socket brings the rest; whole records are never kept without read-ahead.
 */
static size_t tls_pending(struct io *io)
{
	return (size_t)SSL_pending(io->tls);
}

static void tls_shutdown(struct io *io)
{
	ERR_clear_error();
	SSL_shutdown(io->tls);
	ERR_clear_error();
	shutdown(io->fd, SHUT_WR);
}

static void tls_close(struct io *io)
{
	if (SSL_is_init_finished(io->tls) && !io->reset)	/* a closing alert would make it look complete */
		tls_shutdown(io);
	struct tls_context *c = SSL_get_app_data((SSL *)io->tls);
	SSL_free(io->tls);
	tls_unref(c);	/* callbacks of the connection may use it until here */
	close(io->fd);
	io->tls = NULL;
	io->fd = -1;
}

static const struct io_ops tls_ops = {
	.handshake = tls_handshake, .read = tls_read, .writev = tls_writev, .pending = tls_pending,
	.shutdown = tls_shutdown, .close = tls_close,
};

static SSL *attach(struct io *io, struct tls_context *c)
{
	SSL *ssl = SSL_new(tls_context_ssl(c));
	if (!ssl || SSL_set_fd(ssl, io->fd) != 1) {
		SSL_free(ssl);
		io_set_error("no memory for TLS");
		return NULL;
	}
	SSL_set_app_data(ssl, tls_ref(c));
	io->tls = ssl;
	io->ops = &tls_ops;
	return ssl;
}

bool tls_accept(struct io *io, struct tls_context *c)
{
	SSL *ssl = attach(io, c);
	if (!ssl)
		return false;
	SSL_set_accept_state(ssl);
	return true;
}

static bool is_address(struct str host)
{
	unsigned char a[sizeof(struct in6_addr)];
	char text[64];
	if (host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(AF_INET, text, a) == 1 || inet_pton(AF_INET6, text, a) == 1;
}

/* The host whose name the certificate must carry. */
static bool expect_host(SSL *ssl, struct str host)
{
	char name[256];
	if (host.n >= sizeof(name))
		return false;
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	SSL_set_connect_state(ssl);
	X509_VERIFY_PARAM *verify = SSL_get0_param(ssl);
	if (is_address(host)) {
		X509_VERIFY_PARAM_set1_ip_asc(verify, name);
	} else {
		X509_VERIFY_PARAM_set1_host(verify, name, host.n);
		SSL_set_tlsext_host_name(ssl, name);
	}
	return true;
}

bool tls_connect(struct io *io, struct tls_context *c, struct str host)
{
	SSL *ssl = attach(io, c);
	if (!ssl || !expect_host(ssl, host))
		return false;
	tls_context_resume(c, ssl, host);
	return true;
}

void *tls_lend_connection(struct tls_context *c, struct str host)
{
	SSL *ssl = SSL_new(tls_context_ssl(c));
	if (ssl && expect_host(ssl, host) && SSL_set_alpn_protos(ssl, NULL, 0) == 0) {
		tls_context_resume(c, ssl, host);
		return ssl;
	}
	SSL_free(ssl);
	return NULL;
}

void tls_lend_back(void *connection)
{
	SSL_free(connection);
}
