# SPDX-License-Identifier: ISC

noinst_LIBRARIES += lib/mail/libmgmail.a
lib_mail_libmgmail_a_SOURCES =
