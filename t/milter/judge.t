#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# --judge of millgate-log and millgate-probe: files in, one JSON object out, and the exit status.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use Test::More;

my $build = $ENV{MG_BUILDDIR} // '.';
my $probe = "$build/t/milter/millgate-probe";
my $log = "$build/millgate-log";
my $folder = tempdir(CLEANUP => 1);

sub put {
	my ($name, $text) = @_;
	open(my $file, '>', "$folder/$name") or die "$name: $!";
	print {$file} $text;
	close($file) or die "$name: $!";
	return "$folder/$name";
}

sub get {
	open(my $file, '<', $_[0]) or die "$_[0]: $!";
	local $/ = undef;
	return scalar(<$file>) // q{};
}

# Runs a program with standard input; (exit status, what it printed, what it complained of).
sub run {
	my ($input, @command) = @_;
	my $in = put('input', $input);
	my $child = fork() // die "fork: $!";
	if ($child == 0) {
		open(STDIN, '<', $in) && open(STDOUT, '>', "$folder/out") && open(STDERR, '>', "$folder/err")
			or die "redirection: $!";
		exec(@command) or die "$command[0]: $!";
	}
	waitpid($child, 0);
	return ($? & 127 ? "signal $?" : $? >> 8, get("$folder/out"), get("$folder/err"));
}

my $configuration = put('probe.conf', qq{gateway = "gw.example.net"\nmetrics = ""\n});

# Judges a message by the probe; (exit status, the object, complaints).
sub judge {
	my ($message, @options) = @_;
	my ($status, $out, $err) = run($message, $probe, '-c', $configuration, '--judge', '-', @options);
	return ($status, $out eq '' ? undef : decode_json($out), $err);
}

sub forget_ids { my ($text) = @_; $text =~ s/"id":"[-0-9a-f]{36}"/"id":""/g; return $text }

my @verdicts = (
	['', 0, 'accepted', undef],
	['reject 550 5.7.1 No', 2, 'rejected', '550 5.7.1 No'],
	['tempfail 451 4.7.1 Later', 1, 'deferred', '451 4.7.1 Later'],
	['discard', 1, 'discarded', undef],
	['hold payment-cards', 1, 'held', undef],
);
for my $row (@verdicts) {
	my ($command, $want, $verdict, $reply) = @$row;
	my ($status, $object) = judge("X-Probe: $command\n\nbody\n");
	is_deeply([$status, @{$object}{qw(verdict reply)}], [$want, $verdict, $reply],
		"$verdict is status $want");
}
{
	my ($status, $object) = judge("A: b\n\n", qw(--rcpt reject-rcpt@example.org --rcpt b@example.org));
	is_deeply([$status, map { $_->{recipient} } @{$object->{refused}}], [1, 'reject-rcpt@example.org'],
		'a recipient that is refused among others is status 1');
}
{
	my ($status, $object) = judge("Subject: old\nX-Probe: insert 1 X-New one\nX-Probe: change Subject 1 new\n"
		. "X-Probe: delete X-Probe 1\nX-Probe: add-recipient c\@example.org\n"
		. "X-Probe: delete-recipient b\@example.org\nX-Probe: sender d\@example.org\n"
		. "X-Probe: body other\nX-Probe: hold why\n\nbody\n");
	is_deeply($object->{edits}, [
			{edit => 'insert-header', name => 'X-New', position => 1, value => ' one'},
			{edit => 'change-header', name => 'Subject', position => 1, value => ' new'},
			{edit => 'delete-header', name => 'X-Probe', position => 1},
			{edit => 'add-recipient', value => 'c@example.org'},
			{edit => 'delete-recipient', value => 'b@example.org'},
			{edit => 'change-sender', value => 'd@example.org'},
			{edit => 'replace-body', value => "other\r\n"},
		], 'each edit is told, in order');
	is($object->{hold}, 'why', 'the code of a hold is told');
}
{
	my (undef, $object) = judge("X-Probe: insert 1 X-New one\nX-Probe: reject 550 5.7.1 No\n\n");
	is_deeply($object->{edits}, [], 'edits of a message that is refused come to nothing');
}
for my $step (qw(connect helo mail rcpt)) {
	my %way = (connect => ['--case', put('case.json', '{"client_name":"reject-connect"}')],
		helo => ['--helo', 'reject-helo'], mail => ['--from', 'reject-mail@example.com'],
		rcpt => ['--rcpt', 'reject-rcpt@example.com']);
	my ($status, $object) = judge("A: b\n\n", @{$way{$step}});
	is_deeply([$status, $object->{reply}], [2, "550 5.7.1 Probe at $step 100% [probe 00000000]"],
		"a refusal at $step ends it");
}

my @facts = qw(--client 192.0.2.7 --helo mail.example.net --user acme --tls TLSv1.2 --from a@example.com
	--rcpt b@example.org --rcpt c@example.org);
{
	my (undef, $object) = judge("A: b\n\n", @facts);
	my $event = $object->{events}[0];
	is_deeply([$event->{source}{ip}, $event->{millgate}{smtp}{helo}, $event->{user}{name},
			$event->{tls}{version}, $event->{email}{sender}{address}, $event->{email}{to}{address}],
		['192.0.2.7', 'mail.example.net', 'acme', '1.2', 'a@example.com', ['b@example.org', 'c@example.org']],
		'options are the circumstances');
}
{
	my $record = "$folder/record.json";
	my $message = "Subject: x\nX-Probe: hold why\n\nbody\n";
	my @judge = ($probe, '-c', $configuration, '--judge');
	my (undef, $first) = run($message, @judge, '-', '--record', $record, @facts);
	my ($status, $second) = run('', @judge, put('m.eml', $message), '--case', $record);
	is(forget_ids($second), forget_ids($first), 'a recorded case gives the same, byte for byte but ids');
	is($status, 1, 'and the same status');
	my $case = decode_json(get($record));
	is_deeply([@{$case}{qw(client port)}], ['192.0.2.7', 49152], 'defaults are recorded, too');
	my (undef, $over) = judge($message, '--case', $record, '--from', 'over@example.com');
	is($over->{events}[0]{email}{sender}{address}, 'over@example.com', 'options go over the case');
}
{
	my ($status, $out) = run("From: \"A. B\" <a\@example.com>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\nx\n",
		$log, '-c', $configuration, '--judge', '-');
	my $event = decode_json($out)->{events}[0];
	is_deeply([$status, $event->{event}{action}, $event->{email}{subject}, $event->{email}{from}{address}],
		[0, 'message-accepted', "Gr\x{fc}\x{df}e", ['a@example.com']], 'millgate-log records what it would');
	ok(!exists $event->{event}{sequence}, 'an event of no log has no sequence');
}
{
	my $events = "$folder/events";
	mkdir($events);
	my ($status) = run("A: b\n\n", $log, '-c', $configuration, '-o', "events.directory=$events", '--judge', '-');
	is_deeply([$status, glob("$events/*")], [0], 'nothing is written to the event log');
}
{
	my ($status, $object) = judge("X-Probe: error why\n\n", '-o', 'on_error=accept');
	is_deeply([$status, $object->{verdict}, $object->{events}[0]{event}{action}],
		[0, 'accepted', 'message-passed'], 'settings of -o hold');
}


# What the probe was told by the DNS: (exit status, the values of X-Dns, complaints).
sub asked {
	my ($questions, @options) = @_;
	my $message = join('', map { "X-Probe: dns $_\n" } @$questions) . "\nbody\n";
	my ($status, $object, $err) = judge($message, @options);
	return ($status, [map { $_->{value} } @{$object->{edits}}], $err);
}

my @questions = ('a.example.org TXT', 'A.Example.org. TXT', 'b.example.org MX', 'c.example.org TXT',
	'd.example.org TXT', 'a.example.org NS', 'e.example.org TXT', 'a..b TXT');
my @answers = (' found: one', ' found: one', ' found: mx.example.net', ' no answer', ' no answer in time',
	' no record', ' no such name', ' not a name');
my $answers = put('dns.json', '{"dns":{"a.example.org TXT":["one","two"],"B.example.org MX":["10 mx.example.net"],'
	. '"c.example.org TXT":"SERVFAIL","d.example.org TXT":"TIMEOUT","f.example.org A":["192.0.2.1"]}}');
{
	my (undef, $told) = asked(\@questions, '--case', $answers);
	is_deeply([map { s/: $//r } @$told], \@answers, 'the dns of a case answers');
}
{
	my $record = "$folder/recorded.json";
	my (undef, $told) = asked(\@questions, '--case', $answers, '--record', $record);
	my $recorded = decode_json(get($record))->{dns};
	is_deeply($recorded, {'a.example.org TXT' => ['one', 'two'], 'b.example.org MX' => ['10 mx.example.net'],
			'c.example.org TXT' => 'SERVFAIL', 'd.example.org TXT' => 'TIMEOUT',
			'a.example.org NS' => [], 'e.example.org TXT' => 'NXDOMAIN'},
		'what was asked is recorded, and nothing else');
	my (undef, $again) = asked(\@questions, '--case', $record);
	is_deeply($again, $told, 'and answers the same');
}
{
	# A port where nobody answers.
	my $socket = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') or die "socket: $!";
	my $dead = 'resolver.servers={ "127.0.0.1@' . $socket->sockport . '" }';
	my $record = "$folder/dead.json";
	my (undef, $told) = asked(['a.example.org TXT'], '-o', $dead, '-o', 'resolver.timeout=1s',
		'--record', $record);
	is_deeply($told, [' no answer in time: '], 'without dns in the case the resolver of the settings is asked');
	is_deeply(decode_json(get($record))->{dns}, {'a.example.org TXT' => 'TIMEOUT'}, 'which is recorded, too');
}
{
	my $record = "$folder/silent.json";
	judge("A: b\n\n", '--record', $record);
	is_deeply(decode_json(get($record))->{dns}, {}, 'of a message that asks nothing no answers are recorded');
}

my @wrong = (
	['a case of no DNS answers', 65, qr/dns: a: expected "NAME TYPE"/, '--judge', '-', '--case',
		put('name.json', '{"dns":{"a":[]}}')],
	['a record of another type', 65, qr/dns: a A: no record of this type: "x"/, '--judge', '-', '--case',
		put('type.json', '{"dns":{"a A":["x"]}}')],
	['an answer that is no list', 65, qr/dns: a A: expected a list of texts, or NXDOMAIN/, '--judge', '-', '--case',
		put('list.json', '{"dns":{"a A":1}}')],
	['a list of other things', 65, qr/dns: a A: expected a list of texts, or NXDOMAIN/, '--judge', '-', '--case',
		put('things.json', '{"dns":{"a A":["192.0.2.1",1]}}')],
	['no resolver', 78, qr/resolver: servers "ns\.example\.org"; expected IP, IP\@PORT or recursive/, '-o',
		'resolver.servers={ "ns.example.org" }', '-t'],
	['a resolver beside the root', 78, qr/servers: "recursive" stands alone/, '-o',
		'resolver.servers={ "recursive", "192.0.2.1" }', '-t'],
	['no such message', 66, qr/none\.eml: No such file/, '--judge', "$folder/none.eml"],
	['no such case', 66, qr/none\.json: No such file/, '--judge', '-', '--case', "$folder/none.json"],
	['a folder', 66, qr/Is a directory/, '--judge', $folder],
	['an empty message', 65, qr/empty/, '--judge', '/dev/null'],
	['a case that is no JSON', 65, qr/no\.json:1:1: /, '--judge', '-', '--case', put('no.json', '{')],
	['a wrong member', 65, qr/nearest: recipients/, '--judge', '-', '--case', put('member.json', '{"recipient":1}')],
	['a wrong option', 64, qr/nearest: --judge/, '--juge', '-'],
	['a wrong address', 64, qr/client: expected an IP address/, '--judge', '-', '--client', 'x'],
	['an option without --judge', 64, qr/--case goes with --judge/, '--case', 'x'],
	['a record that cannot be written', 74, qr/No such file/, '--judge', '-', '--record', '/nowhere/x'],
	['a wrong configuration', 78, qr/on_eror/, '-o', 'on_eror=accept', '--judge', '-'],
);
for my $row (@wrong) {
	my ($name, $want, $text, @options) = @$row;
	my ($status, $out, $err) = run("A: b\n\n", $probe, '-c', $configuration, @options);
	is_deeply([$status, $out], [$want, ''], "$name is status $want");
	like($err, $text, "$name is told");
}
done_testing();
