# SPDX-License-Identifier: ISC
# A module a line.

noinst_LIBRARIES += lib/mail/libmgmail.a
lib_mail_libmgmail_a_SOURCES = \
	lib/mail/address.c lib/mail/address.h \
	lib/mail/charset.c lib/mail/charset.h \
	lib/mail/delivery.c lib/mail/delivery.h \
	lib/mail/fields.c lib/mail/fields.h \
	lib/mail/file_compound.c lib/mail/file_compound.h \
	lib/mail/file_text.c lib/mail/file_text.h \
	lib/mail/file_type.c lib/mail/file_type.h \
	lib/mail/file_zip.c lib/mail/file_zip.h \
	lib/mail/filter.h \
	lib/mail/header.c lib/mail/header.h \
	lib/mail/letter.c lib/mail/letter.h \
	lib/mail/mailbox.c lib/mail/mailbox.h \
	lib/mail/match.c lib/mail/match.h \
	lib/mail/match_facts.c lib/mail/match_facts.h \
	lib/mail/match_header.c lib/mail/match_header.h \
	lib/mail/match_number.c lib/mail/match_number.h \
	lib/mail/message.c lib/mail/message.h \
	lib/mail/milter_macros.c lib/mail/milter_macros.h \
	lib/mail/mime.c lib/mail/mime.h lib/mail/mime_private.h \
	lib/mail/mime_boundary.c lib/mail/mime_fields.c lib/mail/mime_header.c lib/mail/mime_layer.c \
	lib/mail/origin.c lib/mail/origin.h \
	lib/mail/parameters.c lib/mail/parameters.h \
	lib/mail/patterns.c lib/mail/patterns.h \
	lib/mail/transfer.c lib/mail/transfer.h lib/mail/transfer_private.h lib/mail/transfer_x86.c
