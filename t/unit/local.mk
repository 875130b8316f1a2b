# SPDX-License-Identifier: ISC
# CMOCKA_TESTS += t/unit/NAME.t
# t_unit_NAME_t_SOURCES = t/unit/NAME.c
# t_unit_NAME_t_LDADD = $(LDADD) $(CMOCKA_LIBS)

SCRIPT_TESTS += t/unit/layers.t
