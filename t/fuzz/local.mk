# SPDX-License-Identifier: ISC
# A target is t/fuzz/NAME.c with LLVMFuzzerTestOneInput, its first inputs and
# every input that ever crashed it are files of t/fuzz/corpus/NAME. With
# configure --enable-fuzzers it is a libFuzzer program, otherwise it replays the
# files it is given: make check runs every target over its corpus.
#
# FUZZ_TARGETS += t/fuzz/NAME
# t_fuzz_NAME_SOURCES = t/fuzz/NAME.c $(FUZZ_MAIN)
# t_fuzz_NAME_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS =
if FUZZERS
FUZZ_MAIN =
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = t/fuzz/replay.c
FUZZ_LINK = $(AM_LDFLAGS)
endif

FUZZ_TARGETS += t/fuzz/wire
t_fuzz_wire_SOURCES = t/fuzz/wire.c $(FUZZ_MAIN)
t_fuzz_wire_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/native
t_fuzz_native_SOURCES = t/fuzz/native.c $(FUZZ_MAIN)
t_fuzz_native_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/address
t_fuzz_address_SOURCES = t/fuzz/address.c $(FUZZ_MAIN)
t_fuzz_address_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/delivery
t_fuzz_delivery_SOURCES = t/fuzz/delivery.c $(FUZZ_MAIN)
t_fuzz_delivery_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/dkim_verify
t_fuzz_dkim_verify_SOURCES = t/fuzz/dkim_verify.c $(FUZZ_MAIN)
t_fuzz_dkim_verify_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/header
t_fuzz_header_SOURCES = t/fuzz/header.c $(FUZZ_MAIN)
t_fuzz_header_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/keys
t_fuzz_keys_SOURCES = t/fuzz/keys.c t/unit/keys_plain.c t/unit/keys_plain.h $(FUZZ_MAIN)
t_fuzz_keys_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/reading
t_fuzz_reading_SOURCES = t/fuzz/reading.c $(FUZZ_MAIN)
t_fuzz_reading_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/file_type
t_fuzz_file_type_SOURCES = t/fuzz/file_type.c $(FUZZ_MAIN)
t_fuzz_file_type_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/log_tags
t_fuzz_log_tags_SOURCES = t/fuzz/log_tags.c $(FUZZ_MAIN)
t_fuzz_log_tags_LDFLAGS = $(FUZZ_LINK)
t_fuzz_log_tags_LDADD = milters/log/libmglog.a $(LDADD)

FUZZ_TARGETS += t/fuzz/log_urls
t_fuzz_log_urls_SOURCES = t/fuzz/log_urls.c $(FUZZ_MAIN)
t_fuzz_log_urls_LDFLAGS = $(FUZZ_LINK)
t_fuzz_log_urls_LDADD = milters/log/libmglog.a $(LDADD)

FUZZ_TARGETS += t/fuzz/parameters
t_fuzz_parameters_SOURCES = t/fuzz/parameters.c $(FUZZ_MAIN)
t_fuzz_parameters_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/spool_read
t_fuzz_spool_read_SOURCES = t/fuzz/spool_read.c $(FUZZ_MAIN)
t_fuzz_spool_read_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/conf
t_fuzz_conf_SOURCES = t/fuzz/conf.c $(FUZZ_MAIN)
t_fuzz_conf_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/dkim_canon
t_fuzz_dkim_canon_SOURCES = t/fuzz/dkim_canon.c t/unit/dkim_canon_plain.c t/unit/dkim_canon_plain.h \
	$(FUZZ_MAIN)
t_fuzz_dkim_canon_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/dkim_key
t_fuzz_dkim_key_SOURCES = t/fuzz/dkim_key.c $(FUZZ_MAIN)
t_fuzz_dkim_key_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/dkim_record
t_fuzz_dkim_record_SOURCES = t/fuzz/dkim_record.c $(FUZZ_MAIN)
t_fuzz_dkim_record_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/dkim_tags
t_fuzz_dkim_tags_SOURCES = t/fuzz/dkim_tags.c $(FUZZ_MAIN)
t_fuzz_dkim_tags_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/match
t_fuzz_match_SOURCES = t/fuzz/match.c $(FUZZ_MAIN)
t_fuzz_match_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/stamp
t_fuzz_stamp_SOURCES = t/fuzz/stamp.c $(FUZZ_MAIN)
t_fuzz_stamp_LDFLAGS = $(FUZZ_LINK)
t_fuzz_stamp_LDADD = $(TRACK_LDADD)

FUZZ_TARGETS += t/fuzz/dns_wire
t_fuzz_dns_wire_SOURCES = t/fuzz/dns_wire.c $(FUZZ_MAIN)
t_fuzz_dns_wire_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/dkim_lines
t_fuzz_dkim_lines_SOURCES = t/fuzz/dkim_lines.c $(FUZZ_MAIN)
t_fuzz_dkim_lines_LDFLAGS = $(FUZZ_LINK)
t_fuzz_dkim_lines_LDADD = milters/dkim/libmgdkim.a $(LDADD)

FUZZ_TARGETS += t/fuzz/mime
t_fuzz_mime_SOURCES = t/fuzz/mime.c t/unit/mime_story.c t/unit/mime_story.h $(FUZZ_MAIN)
t_fuzz_mime_LDFLAGS = $(FUZZ_LINK)

FUZZ_TARGETS += t/fuzz/line
t_fuzz_line_SOURCES = t/fuzz/line.c t/unit/line_fields.c t/unit/line_fields.h $(FUZZ_MAIN)
t_fuzz_line_LDFLAGS = $(FUZZ_LINK)
t_fuzz_line_LDADD = programs/track/libmgtrack.a $(LDADD)

FUZZ_TARGETS += t/fuzz/join
t_fuzz_join_SOURCES = t/fuzz/join.c $(FUZZ_MAIN)
t_fuzz_join_LDFLAGS = $(FUZZ_LINK)
t_fuzz_join_LDADD = programs/track/libmgtrack.a $(LDADD)

check_PROGRAMS += $(FUZZ_TARGETS)
SCRIPT_TESTS += t/fuzz/corpus.t
EXTRA_DIST += t/fuzz/replay.c t/fuzz/corpus

FUZZ_SECONDS = 60
# New inputs are kept in fuzz/NAME of the build tree, a crash as fuzz/NAME-crash-*.
fuzz: $(FUZZ_TARGETS)
if FUZZERS
	@for target in $(FUZZ_TARGETS); do \
		name=$${target##*/}; \
		mkdir -p fuzz/$$name && \
		./$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
			-print_final_stats=0 -artifact_prefix=fuzz/$$name- fuzz/$$name $(srcdir)/t/fuzz/corpus/$$name \
			>fuzz/$$name.log 2>&1 </dev/null || \
			{ echo "$$name: failed, see fuzz/$$name.log and fuzz/$$name-*" >&2; tail -n 40 fuzz/$$name.log >&2; exit 1; }; \
		echo "$$name: `sed -n 's/^Done \([0-9]*\) runs.*/\1 inputs/p' fuzz/$$name.log`, no crash"; \
	done
else
	@echo "make fuzz: configure with --enable-fuzzers CC=clang" >&2; exit 1
endif

.PHONY: fuzz
