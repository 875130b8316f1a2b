# SPDX-License-Identifier: ISC
# Manual pages, mdoc, with the paths of the Debian package. The build writes
# those of configure into copies under installed/, and for a line
#
#   .\" list: NAME
#
# what man/lists prints for NAME: a list that has one source, in the code.

noinst_PROGRAMS += man/lists
man_lists_SOURCES = man/lists.c
man_lists_LDADD = programs/cli/libmgcli.a milters/dkim/libmgdkim.a milters/log/libmglog.a $(TRACK_LDADD)

PAGES = $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/man/*.[1578]))
EXTRA_DIST += $(PAGES)

all-local: $(PAGES:%=installed/%)

installed/man/%: man/% Makefile man/lists
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(put_paths) <$< >$@.page && $(put_lists) $@.page >$@.new && \
		rm -f $@.page && mv $@.new $@

put_lists = awk '/^\.\\" list: / { if (system("man/lists " $$3)) { status = 1; exit }; next } \
	{ print; fflush() } END { exit status }'

install-pages: $(PAGES:%=installed/%)
	for file in $(notdir $(PAGES)); do \
		folder="$(DESTDIR)$(mandir)/man$${file##*.}"; \
		$(MKDIR_P) "$$folder" && $(INSTALL_DATA) installed/man/$$file "$$folder" || exit 1; \
	done

uninstall-pages:
	for file in $(notdir $(PAGES)); do rm -f "$(DESTDIR)$(mandir)/man$${file##*.}/$$file"; done

man-lint: $(PAGES:%=installed/%)
	@test -n "$(MANDOC)" || { echo "mandoc was not found by configure: apt-get install mandoc" >&2; exit 1; }
	$(MANDOC) -T lint -W warning $(PAGES:%=installed/%)

.PHONY: install-pages uninstall-pages man-lint
