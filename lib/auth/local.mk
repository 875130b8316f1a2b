# SPDX-License-Identifier: ISC
# A module a line.

noinst_LIBRARIES += lib/auth/libmgauth.a
lib_auth_libmgauth_a_SOURCES = \
	lib/auth/dkim_canon.c lib/auth/dkim_canon.h \
	lib/auth/dkim_choice.c lib/auth/dkim_choice.h \
	lib/auth/dkim_domain.c lib/auth/dkim_domain.h \
	lib/auth/dkim_folder.c lib/auth/dkim_folder.h \
	lib/auth/dkim_key.c lib/auth/dkim_key.h lib/auth/dkim_key_private.h \
	lib/auth/dkim_key_read.c \
	lib/auth/dkim_key_record.c \
	lib/auth/dkim_names.c lib/auth/dkim_names.h \
	lib/auth/dkim_path.c lib/auth/dkim_path.h \
	lib/auth/dkim_public.c lib/auth/dkim_public.h \
	lib/auth/dkim_sign.c lib/auth/dkim_sign.h \
	lib/auth/dkim_signature.c lib/auth/dkim_signature.h \
	lib/auth/dkim_tags.c lib/auth/dkim_tags.h \
	lib/auth/dkim_trust.c lib/auth/dkim_trust.h \
	lib/auth/dkim_verify.c lib/auth/dkim_verify.h
