# SPDX-License-Identifier: ISC
# Configuration and units stand here with the paths of the Debian package; the
# build writes those of configure into copies under installed/, and make install
# puts them in place. A file that is there in sysconfdir stays: it is the
# operator's.

CONFIGURATION = $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/etc/*.conf $(srcdir)/etc/*.regexp))
UNITS = $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/etc/*.service $(srcdir)/etc/*.socket))
EXTRA_DIST += $(CONFIGURATION) $(UNITS)

# For an operator to copy: they change what is not ours.
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/examples/postfix-journal.conf

all-local: $(CONFIGURATION:%=installed/%) $(UNITS:%=installed/%)

installed/etc/%: etc/% Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(put_paths) <$< >$@.new && mv $@.new $@

# Postfix's queue directory is Postfix's, whatever our prefix.
put_paths = $(SED) -e 's,/etc/millgate,$(sysconfdir)/millgate,g' \
	-e 's,/usr/sbin/millgate,$(sbindir)/millgate,g' \
	-e 's,/usr/bin/millgate,$(bindir)/millgate,g' \
	-e 's,/var/log/millgate,$(localstatedir)/log/millgate,g' \
	-e 's,/var/lib/millgate,$(localstatedir)/lib/millgate,g' \
	-e 's,/run/millgate,$(runstatedir)/millgate,g'

install-configuration: $(CONFIGURATION:%=installed/%)
	$(MKDIR_P) "$(DESTDIR)$(sysconfdir)/millgate"
	for file in $(notdir $(CONFIGURATION)); do \
		test -e "$(DESTDIR)$(sysconfdir)/millgate/$$file" || \
		$(INSTALL_DATA) installed/etc/$$file "$(DESTDIR)$(sysconfdir)/millgate" || exit 1; \
	done

uninstall-configuration:
	for file in $(notdir $(CONFIGURATION)); do \
		! cmp -s installed/etc/$$file "$(DESTDIR)$(sysconfdir)/millgate/$$file" || \
		rm -f "$(DESTDIR)$(sysconfdir)/millgate/$$file"; \
	done

install-units: $(UNITS:%=installed/%)
if HAVE_SYSTEMD
	$(MKDIR_P) "$(DESTDIR)$(systemdsystemunitdir)"
	for file in $(notdir $(UNITS)); do \
		$(INSTALL_DATA) installed/etc/$$file "$(DESTDIR)$(systemdsystemunitdir)" || exit 1; \
	done
endif

uninstall-units:
if HAVE_SYSTEMD
	for file in $(notdir $(UNITS)); do rm -f "$(DESTDIR)$(systemdsystemunitdir)/$$file"; done
endif

.PHONY: install-configuration uninstall-configuration install-units uninstall-units
