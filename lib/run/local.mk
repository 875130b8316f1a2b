# SPDX-License-Identifier: ISC

noinst_LIBRARIES += lib/run/libmgrun.a
lib_run_libmgrun_a_SOURCES =
