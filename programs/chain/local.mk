# SPDX-License-Identifier: ISC

sbin_PROGRAMS += millgate-chain
millgate_chain_SOURCES = programs/chain/main.c
millgate_chain_LDADD = milters/dkim/libmgdkim.a milters/log/libmglog.a $(LDADD)
