# SPDX-License-Identifier: ISC
# A module a line.

noinst_LIBRARIES += lib/auth/libmgauth.a
lib_auth_libmgauth_a_SOURCES = \
	lib/auth/dkim_canon.c lib/auth/dkim_canon.h
