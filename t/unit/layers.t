#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# The strata of the source: includes point down, a program keeps to itself, a
# module is one .c and one .h, a library is seen by the modules that hide it.
use strict;
use warnings;
use File::Find;
use Test::More;

chdir($ENV{MG_SRCDIR} // '.') or die "MG_SRCDIR: $!";

# Height of each folder; equal heights do not see each other.
my %height = (base => 0, event => 1, mail => 2, auth => 3, content => 3, run => 4);

# Who may include what hides behind a module.
my %hidden = (
	'libmilter/mfapi.h' => [qw(lib/run/front_libmilter)],
	'lmdb.h' => [qw(lib/base/store_environment lib/base/store_lmdb lib/base/table_lmdb)],
	'jansson.h' => [qw(lib/event/reading lib/run/judge_case programs/cli/json)],
	'openssl/' => [qw(lib/base/digest lib/auth/dkim_key lib/auth/dkim_key_private lib/auth/dkim_key_read)],
	'unbound.h' => [qw(lib/base/dns_unbound)],
	'pcre2.h' => [qw(lib/base/regex)],
	'opendkim/' => [qw(lib/auth/dkim_verify)],
	'idn2.h' => [qw(lib/mail/address)],
	'iconv.h' => [qw(lib/mail/charset)],
	'systemd/' => [qw(programs/track/source_journal)],
	'zlib.h' => [qw(programs/track/stream)],
);

# A main has no header; these headers are types only.
my %alone = map { $_ => 1 } qw(lib/event/field.h lib/mail/filter.h lib/run/front.h);

# "milters/log/record.c" is (milters, log): its place in the picture.
sub place { return (split m{/}, $_[0])[0, 1] }

# What is wrong with a file of the source that includes these headers.
sub wrong_includes {
	my ($file, @includes) = @_;
	my ($tree, $folder) = place($file);
	my @wrong;
	for (@includes) {
		my ($kind, $header) = /^([<"])(.*)/;
		if ($kind eq '<') {
			for my $prefix (grep { index($header, $_) == 0 } keys %hidden) {
				(my $module = $file) =~ s/\.[ch]$//;
				push @wrong, "$file: only @{$hidden{$prefix}} include <$header>"
					unless grep { $_ eq $module } @{$hidden{$prefix}};
			}
			next;
		}
		my ($target) = $header =~ m{^(\w+)/[\w-]+\.h$};
		if (!defined $target) {
			push @wrong, "$file: \"$header\" is not FOLDER/NAME.h";
		} elsif (exists $height{$target}) {
			next if $tree ne 'lib' || $target eq $folder || $height{$target} < $height{$folder};
			push @wrong, "$file: lib/$target is not below lib/$folder: \"$header\"";
		} elsif ($tree eq 'lib') {
			push @wrong, "$file: a library includes a program's \"$header\"";
		} elsif ($target ne $folder && !($folder eq 'chain' && $header eq "$target/$target.h")) {
			push @wrong, "$file: another program's \"$header\"";
		}
	}
	return @wrong;
}

sub read_lines {
	open(my $stream, '<', $_[0]) or die "$_[0]: $!";
	return <$stream>;
}

sub includes { return map { /^\s*#\s*include\s*([<"][^>"]+)/ ? $1 : () } read_lines($_[0]) }

my @sources;
find({no_chdir => 1, wanted => sub { push @sources, $_ if /\.[ch]$/ }},
	grep { -d } qw(lib milters programs t));
@sources = sort @sources;
my @product = grep { !m{^t/} } @sources;
my %exists = map { $_ => 1 } @sources;

sub none_of {
	my ($name, @wrong) = @_;
	ok(!@wrong, $name) or diag(join("\n", @wrong));
}

is_deeply([map { scalar wrong_includes(@$_) }
	['lib/base/a.c', '"event/event.h'], ['lib/auth/a.c', '"content/scan.h'], ['lib/run/a.c', '"log/log.h'],
	['milters/log/a.c', '"dkim/dkim.h'], ['programs/chain/a.c', '"log/record.h'], ['lib/base/a.c', '"b.h'],
	['lib/mail/a.c', '<lmdb.h'], ['lib/event/a.h', '<openssl/evp.h']],
	[(1) x 8], 'each kind of wrong include is seen');
is_deeply([map { scalar wrong_includes(@$_) }
	['lib/run/a.c', '"base/buf.h', '"run/b.h'], ['milters/log/a.c', '"log/record.h', '"mail/filter.h'],
	['programs/chain/main.c', '"log/log.h'], ['lib/base/table_lmdb.c', '<lmdb.h']],
	[(0) x 4], 'a right include is not complained of');

cmp_ok(scalar(@product), '>', 20, 'the source is found');
none_of('includes point down the strata, and libraries stay hidden',
	map { wrong_includes($_, includes($_)) } @product);
# A module too long for one file has parts: NAME_PART.c beside NAME.h, or files
# that share NAME_private.h beside NAME.c.
sub is_part {
	my ($file) = @_;
	my ($folder, $name) = $file =~ m{^(.*)/(\w+)\.[ch]$};
	return 1 if $name =~ /^(.+)_private$/ && $exists{"$folder/$1.c"};
	return $exists{"$folder/$1.h"} if $name =~ /^([a-z]+)_/ && $exists{"$folder/$1.c"};
	return scalar grep { /^"\w+\/(\w+)_private\.h$/ && $exists{"$folder/$1.c"} } includes($file);
}
none_of('every .c of a module has its .h',
	grep { my $header = s/\.c$/.h/r; /\.c$/ && !m{/main\.c$} && !$exists{$header} && !is_part($_) } @product);
none_of('every .h of a module has its .c',
	grep { my $code = s/\.h$/.c/r; /\.h$/ && !$alone{$_} && !$exists{$code} && !/_private\.h$/ } @product);
my $fragments = join('', map { join('', read_lines($_)) } grep { -f } glob('{lib,milters,programs,t}/*/local.mk'));
none_of('every source file is in a local.mk', grep { $fragments !~ m{(?<![\w/])\Q$_\E(?!\w)} } @sources);
none_of('every source file names its licence first',
	grep { ((read_lines($_))[0] // '') !~ m{^/\* SPDX-License-Identifier: \S+ \*/} } @sources);

my %lines = map { $_ => scalar(my @all = read_lines($_)) } @sources;
none_of('no file is over 700 lines, no test over 1,000',
	map { "$_: $lines{$_}" } grep { $lines{$_} > (m{^t/} ? 1000 : 700) } @sources);
diag("$_: $lines{$_} lines, two rooms?") for grep { $lines{$_} > 600 } @product;
done_testing();
