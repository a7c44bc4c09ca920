/* SPDX-License-Identifier: MIT */
#include "sha256.h"

#include <openssl/evp.h>

struct arc_sha256 {
	EVP_MD_CTX *md;
};

int arc_sha256_new(struct arc_sha256 **ret)
{
	arc_cleanup(arc_sha256_freep) struct arc_sha256 *s = NULL;
	int err;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->md = EVP_MD_CTX_new();
	if (!s->md)
		return -ENOMEM;
	err = arc_sha256_reset(s);
	if (err < 0)
		return err;
	*ret = arc_steal(s);
	return 0;
}

void arc_sha256_free(struct arc_sha256 *s)
{
	if (!s)
		return;
	EVP_MD_CTX_free(s->md);
	free(s);
}

/*
 * With a valid context libcrypto fails for want of memory or, where the system
 * forbids the algorithm, for want of an implementation; it is known here.
 */
int arc_sha256_reset(struct arc_sha256 *s)
{
	return EVP_DigestInit_ex(s->md, EVP_sha256(), NULL) ? 0 : -EOPNOTSUPP;
}

int arc_sha256_update(struct arc_sha256 *s, const void *p, size_t n)
{
	if (n == 0)
		return 0;
	return EVP_DigestUpdate(s->md, p, n) ? 0 : -ENOMEM;
}

int arc_sha256_zeros(struct arc_sha256 *s, uint64_t n)
{
	static const uint8_t zeros[4 * ARC_KIB];
	int err = 0;

	while (n > 0 && err == 0) {
		size_t part = (size_t)ARC_MIN(n, sizeof(zeros));

		err = arc_sha256_update(s, zeros, part);
		n -= part;
	}
	return err;
}

int arc_sha256_value(struct arc_sha256 *s, uint8_t ret[32])
{
	return EVP_DigestFinal_ex(s->md, ret, NULL) ? 0 : -ENOMEM;
}
