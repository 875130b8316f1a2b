# SPDX-License-Identifier: ISC
# CMOCKA_TESTS += t/unit/NAME.t
# t_unit_NAME_t_SOURCES = t/unit/NAME.c
# t_unit_NAME_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

SCRIPT_TESTS += t/unit/layers.t

CMOCKA_TESTS += t/unit/arena.t
t_unit_arena_t_SOURCES = t/unit/arena.c
t_unit_arena_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/base64.t
t_unit_base64_t_SOURCES = t/unit/base64.c
t_unit_base64_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/buf.t
t_unit_buf_t_SOURCES = t/unit/buf.c
t_unit_buf_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/clock.t
t_unit_clock_t_SOURCES = t/unit/clock.c
t_unit_clock_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/digest.t
t_unit_digest_t_SOURCES = t/unit/digest.c
t_unit_digest_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/error.t
t_unit_error_t_SOURCES = t/unit/error.c
t_unit_error_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/parallel.t
t_unit_parallel_t_SOURCES = t/unit/parallel.c
t_unit_parallel_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
TSAN_TESTS += t/unit/parallel.t t/unit/index.t

CMOCKA_TESTS += t/unit/log.t
t_unit_log_t_SOURCES = t/unit/log.c
t_unit_log_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/str.t
t_unit_str_t_SOURCES = t/unit/str.c
t_unit_str_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/client.t
t_unit_client_t_SOURCES = t/unit/client.c
t_unit_client_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/wire.t
t_unit_wire_t_SOURCES = t/unit/wire.c
t_unit_wire_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

TSAN_TESTS += t/unit/client.t
TSAN_TESTS += t/unit/arena.t t/unit/digest.t t/unit/log.t t/unit/metrics.t

CMOCKA_TESTS += t/unit/endpoint.t
t_unit_endpoint_t_SOURCES = t/unit/endpoint.c
t_unit_endpoint_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/metrics.t
t_unit_metrics_t_SOURCES = t/unit/metrics.c
t_unit_metrics_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/net.t
t_unit_net_t_SOURCES = t/unit/net.c
t_unit_net_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/address.t
t_unit_address_t_SOURCES = t/unit/address.c
t_unit_address_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/charset.t
t_unit_charset_t_SOURCES = t/unit/charset.c
t_unit_charset_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/header.t
t_unit_header_t_SOURCES = t/unit/header.c
t_unit_header_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/mailbox.t
t_unit_mailbox_t_SOURCES = t/unit/mailbox.c
t_unit_mailbox_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/log_content.t
t_unit_log_content_t_SOURCES = t/unit/log_content.c t/unit/event_value.c t/unit/event_value.h
t_unit_log_content_t_LDADD = milters/log/libmglog.a $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/log_tags.t
t_unit_log_tags_t_SOURCES = t/unit/log_tags.c t/unit/event_value.c t/unit/event_value.h
t_unit_log_tags_t_LDADD = milters/log/libmglog.a $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/log_urls.t
t_unit_log_urls_t_SOURCES = t/unit/log_urls.c
t_unit_log_urls_t_LDADD = milters/log/libmglog.a $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/file_type.t
t_unit_file_type_t_SOURCES = t/unit/file_type.c
t_unit_file_type_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/parameters.t
t_unit_parameters_t_SOURCES = t/unit/parameters.c
t_unit_parameters_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/message.t
t_unit_message_t_SOURCES = t/unit/message.c
t_unit_message_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/transfer.t
t_unit_transfer_t_SOURCES = t/unit/transfer.c
t_unit_transfer_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/mime.t
t_unit_mime_t_SOURCES = t/unit/mime.c t/unit/mime_story.c t/unit/mime_story.h
t_unit_mime_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

# What other readers of MIME find.
SCRIPT_TESTS += t/unit/mime_oracles.t
check_PROGRAMS += t/unit/mime_print
t_unit_mime_print_SOURCES = t/unit/mime_print.c t/unit/mime_story.c t/unit/mime_story.h
if HAVE_GMIME
check_PROGRAMS += t/unit/mime_gmime
t_unit_mime_gmime_SOURCES = t/unit/mime_gmime.c
t_unit_mime_gmime_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS)
t_unit_mime_gmime_LDADD = $(GMIME_LIBS)
endif

CMOCKA_TESTS += t/unit/milter_macros.t
t_unit_milter_macros_t_SOURCES = t/unit/milter_macros.c
t_unit_milter_macros_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

# What reads strangers' text, with a call at each branch: see t/unit/linear.c.
check_LIBRARIES = t/unit/libcounted.a
t_unit_libcounted_a_SOURCES = lib/mail/address.c lib/mail/charset.c lib/mail/header.c lib/mail/mailbox.c \
	lib/mail/match.c lib/mail/match_facts.c lib/mail/match_header.c lib/mail/message.c \
	lib/mail/mime.c lib/mail/mime_boundary.c lib/mail/mime_fields.c lib/mail/mime_header.c \
	lib/mail/mime_layer.c lib/mail/parameters.c lib/mail/patterns.c lib/mail/transfer.c \
	lib/mail/transfer_x86.c lib/base/buf.c lib/base/digest.c lib/base/str.c lib/base/table.c \
	milters/dkim/long_lines.c \
	lib/base/error.c lib/base/net.c milters/log/hosts.c milters/log/json.c milters/log/references.c \
	milters/log/urls.c
t_unit_libcounted_a_CFLAGS = $(AM_CFLAGS) -fsanitize-coverage=trace-pc

CMOCKA_TESTS += t/unit/linear.t
t_unit_linear_t_SOURCES = t/unit/linear.c
t_unit_linear_t_LDADD = t/unit/libcounted.a $(CRYPTO_LIBS) $(IDN2_LIBS) $(CMOCKA_LIBS)

# DKIM.
CMOCKA_TESTS += t/unit/dkim_canon.t
t_unit_dkim_canon_t_SOURCES = t/unit/dkim_canon.c t/unit/dkim_canon_bodies.c t/unit/dkim_canon_bodies.h \
	t/unit/dkim_canon_plain.c t/unit/dkim_canon_plain.h
t_unit_dkim_canon_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

# Canonical forms by other implementations.
CMOCKA_TESTS += t/unit/dkim_canon_opendkim.t
t_unit_dkim_canon_opendkim_t_SOURCES = t/unit/dkim_canon_opendkim.c t/unit/dkim_canon_bodies.c \
	t/unit/dkim_canon_bodies.h
t_unit_dkim_canon_opendkim_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/dkim_canon_print
t_unit_dkim_canon_print_SOURCES = t/unit/dkim_canon_print.c
SCRIPT_TESTS += t/unit/dkim_canon_python.t

# The event log.
CMOCKA_TESTS += t/unit/event_settings.t
t_unit_event_settings_t_SOURCES = t/unit/event_settings.c
t_unit_event_settings_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/event_objects.t
t_unit_event_objects_t_SOURCES = t/unit/event_objects.c
t_unit_event_objects_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/cursor.t
t_unit_cursor_t_SOURCES = t/unit/cursor.c t/unit/spool_place.c t/unit/spool_place.h
t_unit_cursor_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/event.t
t_unit_event_t_SOURCES = t/unit/event.c t/unit/spool_place.c t/unit/spool_place.h
t_unit_event_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/index.t
t_unit_index_t_SOURCES = t/unit/index.c t/unit/spool_place.c t/unit/spool_place.h
t_unit_index_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/logs.t
t_unit_logs_t_SOURCES = t/unit/logs.c t/unit/spool_place.c t/unit/spool_place.h
t_unit_logs_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/keys.t
t_unit_keys_t_SOURCES = t/unit/keys.c t/unit/keys_plain.c t/unit/keys_plain.h
t_unit_keys_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/reading.t
t_unit_reading_t_SOURCES = t/unit/reading.c
t_unit_reading_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/redact.t
t_unit_redact_t_SOURCES = t/unit/redact.c
t_unit_redact_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/spool_trim.t
t_unit_spool_trim_t_SOURCES = t/unit/spool_trim.c t/unit/spool_place.c t/unit/spool_place.h
t_unit_spool_trim_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/spool.t
t_unit_spool_t_SOURCES = t/unit/spool.c t/unit/spool_place.c t/unit/spool_place.h
t_unit_spool_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/spool_read.t
t_unit_spool_read_t_SOURCES = t/unit/spool_read.c t/unit/spool_place.c t/unit/spool_place.h
t_unit_spool_read_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/spool_kill.t
t_unit_spool_kill_t_SOURCES = t/unit/spool_kill.c t/unit/spool_place.c t/unit/spool_place.h
t_unit_spool_kill_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

TSAN_TESTS += t/unit/spool.t

CMOCKA_TESTS += t/unit/conf.t
t_unit_conf_t_SOURCES = t/unit/conf.c t/unit/conf_case.c t/unit/conf_case.h
t_unit_conf_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/block.t
t_unit_block_t_SOURCES = t/unit/block.c
t_unit_block_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/session_chain.t
t_unit_session_chain_t_SOURCES = t/unit/session_chain.c t/unit/session_place.c t/unit/session_place.h
t_unit_session_chain_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/session.t
t_unit_session_t_SOURCES = t/unit/session.c t/unit/session_place.c t/unit/session_place.h
t_unit_session_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/session_bounds.t
t_unit_session_bounds_t_SOURCES = t/unit/session_bounds.c t/unit/session_place.c \
	t/unit/session_place.h
t_unit_session_bounds_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/fields.t
t_unit_fields_t_SOURCES = t/unit/fields.c
t_unit_fields_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/conf_errors.t
t_unit_conf_errors_t_SOURCES = t/unit/conf_errors.c t/unit/conf_case.c t/unit/conf_case.h
t_unit_conf_errors_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/conf_files.t
t_unit_conf_files_t_SOURCES = t/unit/conf_files.c t/unit/conf_case.c t/unit/conf_case.h
t_unit_conf_files_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/conf_installed.t
t_unit_conf_installed_t_SOURCES = t/unit/conf_installed.c t/unit/conf_case.c t/unit/conf_case.h
t_unit_conf_installed_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/table.t
t_unit_table_t_SOURCES = t/unit/table.c
t_unit_table_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/table_lmdb.t
t_unit_table_lmdb_t_SOURCES = t/unit/table_lmdb.c
t_unit_table_lmdb_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

TSAN_TESTS += t/unit/table_lmdb.t

CMOCKA_TESTS += t/unit/regex.t
t_unit_regex_t_SOURCES = t/unit/regex.c
t_unit_regex_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/match.t
t_unit_match_t_SOURCES = t/unit/match.c
t_unit_match_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/match_cost.t
t_unit_match_cost_t_SOURCES = t/unit/match_cost.c
t_unit_match_cost_t_LDADD = t/unit/libcounted.a $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/mime_cost.t
t_unit_mime_cost_t_SOURCES = t/unit/mime_cost.c
t_unit_mime_cost_t_LDADD = t/unit/libcounted.a $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/origin.t
t_unit_origin_t_SOURCES = t/unit/origin.c
t_unit_origin_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/cli.t
t_unit_cli_t_SOURCES = t/unit/cli.c
t_unit_cli_t_LDADD = programs/cli/libmgcli.a $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/letter.t
t_unit_letter_t_SOURCES = t/unit/letter.c
t_unit_letter_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/dkim_verify.t
t_unit_dkim_verify_t_SOURCES = t/unit/dkim_verify.c
t_unit_dkim_verify_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
TSAN_TESTS += t/unit/dkim_verify.t

# millgate-track.
line_case = t/unit/line_case.c t/unit/line_case.h t/unit/line_fields.c t/unit/line_fields.h
CMOCKA_TESTS += t/unit/line.t
t_unit_line_t_SOURCES = t/unit/line.c $(line_case)
t_unit_line_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/line_kinds.t
t_unit_line_kinds_t_SOURCES = t/unit/line_kinds.c $(line_case)
t_unit_line_kinds_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/line_versions.t
t_unit_line_versions_t_SOURCES = t/unit/line_versions.c $(line_case)
t_unit_line_versions_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/line_hostile.t
t_unit_line_hostile_t_SOURCES = t/unit/line_hostile.c $(line_case)
t_unit_line_hostile_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)

check_LIBRARIES += t/unit/libcountedlines.a
t_unit_libcountedlines_a_SOURCES = programs/track/line.c programs/track/line_cursor.c \
	programs/track/line_delivery.c programs/track/line_parts.c programs/track/line_pattern.c \
	programs/track/line_queue.c programs/track/line_screen.c programs/track/line_silent.c \
	programs/track/line_smtpd.c programs/track/line_tls.c
t_unit_libcountedlines_a_CFLAGS = $(AM_CFLAGS) -fsanitize-coverage=trace-pc
CMOCKA_TESTS += t/unit/line_linear.t
t_unit_line_linear_t_SOURCES = t/unit/line_linear.c
t_unit_line_linear_t_LDADD = t/unit/libcountedlines.a $(CMOCKA_LIBS)

join_place = t/unit/join_place.c t/unit/join_place.h
CMOCKA_TESTS += t/unit/join.t
t_unit_join_t_SOURCES = t/unit/join.c $(join_place)
t_unit_join_t_LDADD = programs/track/libmgtrack.a $(LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/join_refusals.t
t_unit_join_refusals_t_SOURCES = t/unit/join_refusals.c $(join_place)
t_unit_join_refusals_t_LDADD = programs/track/libmgtrack.a $(LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/join_links.t
t_unit_join_links_t_SOURCES = t/unit/join_links.c $(join_place)
t_unit_join_links_t_LDADD = programs/track/libmgtrack.a $(LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/join_due.t
t_unit_join_due_t_SOURCES = t/unit/join_due.c $(join_place)
t_unit_join_due_t_LDADD = programs/track/libmgtrack.a $(LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/join_hostile.t
t_unit_join_hostile_t_SOURCES = t/unit/join_hostile.c $(join_place)
t_unit_join_hostile_t_LDADD = programs/track/libmgtrack.a $(LDADD) $(CMOCKA_LIBS)

# Runners of public test data: make conformance.
conformance_runners = t/unit/conformance_addresses.t t/unit/conformance_charset.t \
	t/unit/conformance_dkim.t t/unit/conformance_dkim_canon.t \
	t/unit/conformance_dkim_rfc8463.t t/unit/conformance_header_fields.t t/unit/conformance_postfix_log.t
CONFORMANCE_TESTS += $(conformance_runners) t/unit/conformance_mime.t
EXTRA_DIST += t/unit/conformance_mime.t t/unit/mime_readers.py
if HAVE_CMOCKA
check_PROGRAMS += $(conformance_runners)
endif
t_unit_conformance_addresses_t_SOURCES = t/unit/conformance_addresses.c t/unit/suite.c t/unit/suite.h
t_unit_conformance_addresses_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
t_unit_conformance_charset_t_SOURCES = t/unit/conformance_charset.c t/unit/suite.c t/unit/suite.h
t_unit_conformance_charset_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
t_unit_conformance_dkim_canon_t_SOURCES = t/unit/conformance_dkim_canon.c t/unit/suite.c t/unit/suite.h
t_unit_conformance_dkim_canon_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
t_unit_conformance_dkim_rfc8463_t_SOURCES = t/unit/conformance_dkim_rfc8463.c t/unit/dkim_letters.c \
	t/unit/dkim_letters.h t/unit/suite.c t/unit/suite.h
t_unit_conformance_dkim_rfc8463_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
t_unit_conformance_dkim_t_SOURCES = t/unit/conformance_dkim.c t/unit/suite.c t/unit/suite.h
t_unit_conformance_dkim_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
t_unit_conformance_header_fields_t_SOURCES = t/unit/conformance_header_fields.c t/unit/suite.c t/unit/suite.h
t_unit_conformance_header_fields_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
t_unit_conformance_postfix_log_t_SOURCES = t/unit/conformance_postfix_log.c t/unit/line_fields.c \
	t/unit/line_fields.h t/unit/suite.c t/unit/suite.h
t_unit_conformance_postfix_log_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/offline.t
t_unit_offline_t_SOURCES = t/unit/offline.c
t_unit_offline_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/judge_case.t
t_unit_judge_case_t_SOURCES = t/unit/judge_case.c
t_unit_judge_case_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/native_connection.t
t_unit_native_connection_t_SOURCES = t/unit/native_connection.c
t_unit_native_connection_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
TSAN_TESTS += t/unit/native_connection.t

CMOCKA_TESTS += t/unit/dkim_tags.t
t_unit_dkim_tags_t_SOURCES = t/unit/dkim_tags.c
t_unit_dkim_tags_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/dkim_key.t
t_unit_dkim_key_t_SOURCES = t/unit/dkim_key.c
t_unit_dkim_key_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
TSAN_TESTS += t/unit/dkim_key.t

CMOCKA_TESTS += t/unit/dkim_names.t
t_unit_dkim_names_t_SOURCES = t/unit/dkim_names.c
t_unit_dkim_names_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

# The signer, by itself and judged by two other implementations.
CMOCKA_TESTS += t/unit/dkim_sign.t
t_unit_dkim_sign_t_SOURCES = t/unit/dkim_sign.c t/unit/dkim_letters.c t/unit/dkim_letters.h
t_unit_dkim_sign_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/dkim_sign_all
t_unit_dkim_sign_all_SOURCES = t/unit/dkim_sign_all.c t/unit/dkim_letters.c t/unit/dkim_letters.h
SCRIPT_TESTS += t/unit/dkim_sign_python.t

CMOCKA_TESTS += t/unit/dkim_sign_opendkim.t
t_unit_dkim_sign_opendkim_t_SOURCES = t/unit/dkim_sign_opendkim.c t/unit/dkim_letters.c t/unit/dkim_letters.h
t_unit_dkim_sign_opendkim_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

# The log of Postfix.
CMOCKA_TESTS += t/unit/stamp.t
t_unit_stamp_t_SOURCES = t/unit/stamp.c
t_unit_stamp_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/source_file.t
t_unit_source_file_t_SOURCES = t/unit/source_file.c t/unit/log_place.c t/unit/log_place.h
t_unit_source_file_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/source_kill.t
t_unit_source_kill_t_SOURCES = t/unit/source_kill.c t/unit/log_place.c t/unit/log_place.h
t_unit_source_kill_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/source_journal.t
t_unit_source_journal_t_SOURCES = t/unit/source_journal.c t/unit/log_place.c t/unit/log_place.h
t_unit_source_journal_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)

# Modules of millgate-dkim.
CMOCKA_TESTS += t/unit/dkim_fragile.t
t_unit_dkim_fragile_t_SOURCES = t/unit/dkim_fragile.c
t_unit_dkim_fragile_t_LDADD = milters/dkim/libmgdkim.a $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/dkim_long_lines.t
t_unit_dkim_long_lines_t_SOURCES = t/unit/dkim_long_lines.c
t_unit_dkim_long_lines_t_LDADD = t/unit/libcounted.a milters/dkim/libmgdkim.a $(LDADD) $(CMOCKA_LIBS)

# The folder of keys.
CMOCKA_TESTS += t/unit/dkim_folder.t
t_unit_dkim_folder_t_SOURCES = t/unit/dkim_folder.c t/unit/key_place.c t/unit/key_place.h
t_unit_dkim_folder_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
keys_case = t/unit/key_place.c t/unit/key_place.h t/unit/keys_case.c t/unit/keys_case.h
CMOCKA_TESTS += t/unit/dkim_keys.t
t_unit_dkim_keys_t_SOURCES = t/unit/dkim_keys.c $(keys_case)
t_unit_dkim_keys_t_LDADD = milters/dkim/libmgdkim.a $(LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/dkim_keys_dns.t
t_unit_dkim_keys_dns_t_SOURCES = t/unit/dkim_keys_dns.c $(keys_case)
t_unit_dkim_keys_dns_t_LDADD = milters/dkim/libmgdkim.a $(LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/dkim_keys_threads.t
t_unit_dkim_keys_threads_t_SOURCES = t/unit/dkim_keys_threads.c $(keys_case)
t_unit_dkim_keys_threads_t_LDADD = milters/dkim/libmgdkim.a $(LDADD) $(CMOCKA_LIBS)
TSAN_TESTS += t/unit/dkim_keys_dns.t t/unit/dkim_keys_threads.t

# The DNS.
CMOCKA_TESTS += t/unit/dns.t
t_unit_dns_t_SOURCES = t/unit/dns.c
t_unit_dns_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/dns_cache.t
t_unit_dns_cache_t_SOURCES = t/unit/dns_cache.c
t_unit_dns_cache_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/dns_live.t
t_unit_dns_live_t_SOURCES = t/unit/dns_live.c t/unit/name_server.c t/unit/name_server.h
t_unit_dns_live_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
TSAN_TESTS += t/unit/dns_live.t

CMOCKA_TESTS += t/unit/resolver.t
t_unit_resolver_t_SOURCES = t/unit/resolver.c t/unit/name_server.c t/unit/name_server.h
t_unit_resolver_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
TSAN_TESTS += t/unit/resolver.t

# Stores.
store_place = t/unit/store_place.c t/unit/store_place.h
CMOCKA_TESTS += t/unit/store.t
t_unit_store_t_SOURCES = t/unit/store.c $(store_place)
t_unit_store_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
TSAN_TESTS += t/unit/store.t
CMOCKA_TESTS += t/unit/store_lmdb.t
t_unit_store_lmdb_t_SOURCES = t/unit/store_lmdb.c $(store_place)
t_unit_store_lmdb_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/store_kill.t
t_unit_store_kill_t_SOURCES = t/unit/store_kill.c $(store_place)
t_unit_store_kill_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
CMOCKA_TESTS += t/unit/store_damage.t
t_unit_store_damage_t_SOURCES = t/unit/store_damage.c $(store_place)
t_unit_store_damage_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/delivery.t
t_unit_delivery_t_SOURCES = t/unit/delivery.c
t_unit_delivery_t_LDADD = $(LDADD) $(CMOCKA_LIBS)
# millgate-track.
SCRIPT_TESTS += t/unit/service.t
CMOCKA_TESTS += t/unit/track_written.t
t_unit_track_written_t_SOURCES = t/unit/track_written.c
t_unit_track_written_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/track_output.t
t_unit_track_output_t_SOURCES = t/unit/track_output.c t/unit/spool_place.c t/unit/spool_place.h
t_unit_track_output_t_LDADD = $(TRACK_LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/stuck.t
t_unit_stuck_t_SOURCES = t/unit/stuck.c
t_unit_stuck_t_LDADD = programs/cli/libmgcli.a $(LDADD) $(CMOCKA_LIBS)

CMOCKA_TESTS += t/unit/logins.t
t_unit_logins_t_SOURCES = t/unit/logins.c
t_unit_logins_t_LDADD = programs/cli/libmgcli.a $(LDADD) $(CMOCKA_LIBS)
