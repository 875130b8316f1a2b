# SPDX-License-Identifier: ISC
# The filter is a library of its own: millgate-chain, the manual's lists and tests use it, too.

noinst_LIBRARIES += milters/dkim/libmgdkim.a
milters_dkim_libmgdkim_a_SOURCES =
