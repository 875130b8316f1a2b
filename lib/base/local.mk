# SPDX-License-Identifier: ISC
# A module a line.

noinst_LIBRARIES += lib/base/libmgbase.a
lib_base_libmgbase_a_SOURCES = \
	lib/base/arena.c lib/base/arena.h \
	lib/base/base64.c lib/base/base64.h \
	lib/base/buf.c lib/base/buf.h \
	lib/base/clock.c lib/base/clock.h \
	lib/base/conf.c lib/base/conf.h \
	lib/base/conf_lex.c lib/base/conf_lex.h \
	lib/base/conf_load.c lib/base/conf_load.h \
	lib/base/conf_parse.c lib/base/conf_parse.h \
	lib/base/conf_print.c \
	lib/base/conf_raw.c lib/base/conf_raw.h \
	lib/base/conf_schema.c lib/base/conf_schema.h \
	lib/base/conf_tree.c lib/base/conf_tree.h \
	lib/base/conf_unit.c lib/base/conf_unit.h \
	lib/base/conf_value.c lib/base/conf_value.h \
	lib/base/digest.c lib/base/digest.h \
	lib/base/dns.c lib/base/dns.h \
	lib/base/dns_answer.c lib/base/dns_answer.h \
	lib/base/dns_cache.c lib/base/dns_cache.h \
	lib/base/dns_case.c lib/base/dns_case.h \
	lib/base/dns_live.c lib/base/dns_live.h \
	lib/base/dns_record.c lib/base/dns_record.h \
	lib/base/dns_servers.c lib/base/dns_servers.h \
	lib/base/dns_unbound.c lib/base/dns_unbound.h \
	lib/base/dns_wire.c lib/base/dns_wire.h \
	lib/base/endpoint.c lib/base/endpoint.h \
	lib/base/error.c lib/base/error.h \
	lib/base/log.c lib/base/log.h \
	lib/base/metrics.c lib/base/metrics.h \
	lib/base/net.c lib/base/net.h \
	lib/base/parallel.c lib/base/parallel.h \
	lib/base/regex.c lib/base/regex.h \
	lib/base/store.c lib/base/store.h \
	lib/base/store_environment.c lib/base/store_environment.h \
	lib/base/store_lmdb.c lib/base/store_lmdb.h \
	lib/base/store_memory.c lib/base/store_memory.h \
	lib/base/store_place.c lib/base/store_place.h \
	lib/base/store_private.h \
	lib/base/store_verify.c lib/base/store_verify.h \
	lib/base/str.c lib/base/str.h \
	lib/base/table.c lib/base/table.h \
	lib/base/table_cidr.c lib/base/table_cidr.h \
	lib/base/table_file.c lib/base/table_file.h \
	lib/base/table_lines.c lib/base/table_lines.h \
	lib/base/table_lmdb.c lib/base/table_lmdb.h \
	lib/base/textfile.c lib/base/textfile.h
