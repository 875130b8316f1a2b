# SPDX-License-Identifier: ISC
# The operator's command. All but its main is a library: the manual's lists and tests use it, too.

noinst_LIBRARIES += programs/cli/libmgcli.a
programs_cli_libmgcli_a_SOURCES = \
	programs/cli/auth.c programs/cli/auth.h \
	programs/cli/backlog.c programs/cli/backlog.h \
	programs/cli/child.c programs/cli/child.h \
	programs/cli/command.c programs/cli/command.h \
	programs/cli/commands.c programs/cli/commands.h \
	programs/cli/dkim.c programs/cli/dkim.h \
	programs/cli/event_line.c programs/cli/event_line.h \
	programs/cli/events.c programs/cli/events.h \
	programs/cli/fold.c programs/cli/fold.h \
	programs/cli/json.c programs/cli/json.h \
	programs/cli/key.c programs/cli/key.h \
	programs/cli/key_check.c \
	programs/cli/key_dns.c \
	programs/cli/key_file.c programs/cli/key_file.h \
	programs/cli/key_list.c \
	programs/cli/key_new.c \
	programs/cli/key_retire.c \
	programs/cli/keyring.c programs/cli/keyring.h \
	programs/cli/logins.c programs/cli/logins.h \
	programs/cli/manual.c programs/cli/manual.h \
	programs/cli/message.c programs/cli/message.h \
	programs/cli/outcome.c programs/cli/outcome.h \
	programs/cli/postfix.c programs/cli/postfix.h \
	programs/cli/record.c programs/cli/record.h \
	programs/cli/resolver.c programs/cli/resolver.h \
	programs/cli/screen.c programs/cli/screen.h \
	programs/cli/servers.c programs/cli/servers.h \
	programs/cli/settings.c programs/cli/settings.h \
	programs/cli/sheet.c programs/cli/sheet.h \
	programs/cli/story.c programs/cli/story.h \
	programs/cli/story_line.c programs/cli/story_line.h \
	programs/cli/story_print.c programs/cli/story_print.h \
	programs/cli/stuck.c programs/cli/stuck.h \
	programs/cli/stuck_print.c \
	programs/cli/tally.c programs/cli/tally.h \
	programs/cli/tell.c programs/cli/tell.h \
	programs/cli/trace.c programs/cli/trace.h \
	programs/cli/usage.c programs/cli/usage.h \
	programs/cli/when.c programs/cli/when.h \
	programs/cli/wrap.c programs/cli/wrap.h \
	programs/cli/zone.c programs/cli/zone.h

bin_PROGRAMS += millgate
millgate_SOURCES = programs/cli/main.c
millgate_LDADD = programs/cli/libmgcli.a $(LDADD)

all-local: installed/completion/millgate

installed/completion/millgate: Makefile man/lists
	$(AM_V_GEN)$(MKDIR_P) $(@D) && man/lists completion >$@.new && mv $@.new $@

completiondir = $(datadir)/bash-completion/completions

install-completion: installed/completion/millgate
	$(MKDIR_P) "$(DESTDIR)$(completiondir)"
	$(INSTALL_DATA) installed/completion/millgate "$(DESTDIR)$(completiondir)/millgate"

uninstall-completion:
	rm -f "$(DESTDIR)$(completiondir)/millgate"

.PHONY: install-completion uninstall-completion
