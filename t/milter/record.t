#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# What millgate-log records of messages that mean harm, or went wrong: always an event, never an error.
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;

my $log = ($ENV{MG_BUILDDIR} // '.') . '/millgate-log';
my $folder = tempdir(CLEANUP => 1);

sub put {
	my ($name, $text) = @_;
	open(my $file, '>:raw', "$folder/$name") or die "$name: $!";
	print {$file} $text;
	close($file) or die "$name: $!";
	return "$folder/$name";
}

my $configuration = put('log.conf', <<'END');
gateway = "gw.example.net"
metrics = ""
headers = { "X-Campaign" }
END
my $case = put('case.json',
	'{"client":"203.0.113.5","sender":"envelope@example.com","recipients":["to@example.org"],"queue_id":"4jYh153qZyz1bkdK"}');

# What is printed of a message.
sub judge {
	my ($message, @options) = @_;
	my $path = put('message', $message);
	open(my $out, '-|', $log, '-c', $configuration, '--judge', $path, '--case', $case, @options) or die "$log: $!";
	local $/ = undef;
	my $told = <$out>;
	close($out);
	is($? >> 8, 0, 'the message is accepted');
	return decode_json($told);
}

# Its message-accepted event.
sub event {
	my ($message, @options) = @_;
	my ($accepted) = grep { $_->{event}{action} eq 'message-accepted' } @{judge($message, @options)->{events}};
	ok($accepted, 'there is an event');
	return $accepted;
}

sub hosts { return $_[0]{millgate}{urls}{hosts} }

{
	my $event = event("From: header\@example.com\nTo: other\@example.org\nReply-To: r\@example.net\nCc: c\@example.org\n\nx\n");
	is_deeply([$event->{email}{sender}{address}, @{$event->{email}{to}{address}}],
		['envelope@example.com', 'to@example.org'], 'sender and recipients are of the envelope');
	is_deeply([$event->{email}{from}{address}, $event->{millgate}{header}{to}, $event->{millgate}{header}{cc},
			$event->{email}{reply_to}{address}],
		[['header@example.com'], ['other@example.org'], ['c@example.org'], ['r@example.net']],
		'what the header says stands apart');
}
{
	my $event = event("Subject: one\nSubject: two\nTo: a\@example.org\nTo: b\@example.org\nFrom: a\@example.com\n"
		. "From: b\@example.com\nContent-Type: text/plain\nContent-Type: text/html\n\nhttp://a.example\n");
	is($event->{email}{subject}, 'one', 'of a field that is there twice the first counts');
	is_deeply($event->{email}{from}{address}, ['a@example.com', 'b@example.com'], 'but every From');
	is_deeply($event->{millgate}{mime}{facts}, ['ambiguous'], 'and two types are a fact');
}
{
	my $big = 'v' x 100_000;
	my $event = event("Subject: $big\nX-Campaign: $big\nX-PM-Tag: $big\nX-PM-Metadata-a: $big\nX-SMTPAPI: [$big\n"
		. "DKIM-Signature: $big\nAuthentication-Results: gw.example.net; $big\n\nx\n");
	my %cut = map { $_ => 1 } @{$event->{millgate}{truncated}};
	is_deeply([grep { !$cut{$_} } qw(email.subject millgate.headers.value millgate.tags millgate.metadata)], [],
		'huge values are cut, and that is told');
	cmp_ok(length(encode_json($event)), '<', 64 * 1024, 'the event stays small');
}
{
	my $event = event(join('', map { "X-Campaign: $_\nX-Mailgun-Tag: $_\nDKIM-Signature: d=d$_; s=s\n" } 1 .. 100) . "\nx\n");
	is_deeply([scalar(@{$event->{millgate}{headers}}), scalar(@{$event->{millgate}{tags}}),
			scalar(@{$event->{millgate}{dkim}{signatures}})],
		[50, 50, 20], 'many fields are bounded');
	is_deeply([sort @{$event->{millgate}{truncated}}], ['millgate.dkim.signatures', 'millgate.headers', 'millgate.tags'],
		'and that is told');
}
{
	# Names of strangers stay within one field.
	my $event = event(qq{X-Mailgun-Variables: {"event.hash": "x", "a\\"b": "y", "": "z", "__proto__": 1}\n\nx\n});
	is_deeply($event->{millgate}{metadata}, {event_hash => 'x', a_b => 'y', __proto__ => '1'},
		'names of strangers are harmless members of one object');
}
{
	my $event = event("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/x; name=\"\x01\xff\u202ex.exe\"\n"
		. "Content-Disposition: \x80; filename*0*=utf-8''%00%0a; filename*1=b\n\n\x00\xff");
	is($event->{email}{attachments}[0]{file}{name}, "\x{fffd} b", 'a hostile name is text without controls');
	is_deeply($event->{millgate}{mime}{facts}, ['unclosed'], 'what is missing is a fact');
}
{
	my $parts = join('', map { "--b$_\nContent-Type: multipart/mixed; boundary=b" . ($_ + 1) . "\n\n" } 1 .. 200);
	my $event = event("Content-Type: multipart/mixed; boundary=b1\n\n${parts}http://deep.example\n");
	is_deeply([grep { $_ eq 'too_deep' } @{$event->{millgate}{mime}{facts}}], ['too_deep'], 'depth has a bound, which is told');
	$parts = join('', map { "--b\n\nhttp://h$_.example\n" } 1 .. 1500);
	$event = event("Content-Type: multipart/mixed; boundary=b\n\n$parts--b--\n");
	is($event->{millgate}{mime}{parts}, 1000, 'so has the number of parts');
	is(scalar(@{hosts($event)}), 200, 'and that of hosts');
	is_deeply($event->{millgate}{truncated}, ['millgate.urls.hosts'], 'which is told, too');
}
{
	my $event = event("Content-Type: text/html\n\n" . '<a href="http://' . 'a' x 100_000 . '@bad.example/">' . "\n");
	is_deeply(hosts($event), ['bad.example'], 'a long user name does not hide the host');
}
{
	# Over a bound: the event is there, and says so.
	my $fields = join('', map { "X-Field-$_: " . 'v' x 1000 . "\n" } 1 .. 200);
	my $event = event("From: a\@example.com\nSubject: before the bound\n$fields\nhttp://a.example\n",
		'-o', 'bounds.message_memory=64K');
	is_deeply([$event->{millgate}{bound}, $event->{email}{subject}, hosts($event)],
		['bounds.message_memory', 'before the bound', ['a.example']],
		'a message over message_memory is recorded with what is known of it');
	$event = event("Subject: one\nX-B: b\nX-C: c\n\nhttp://a.example\n", '-o', 'bounds.headers=2');
	is_deeply([$event->{millgate}{bound}, $event->{email}{subject}], ['bounds.headers', 'one'],
		'and one with too many fields');
}
{
	my $told = judge(join('', map { "X-Millgate-Hold: code-$_\n" } 1 .. 20_000) . "Subject: x\n\nx\n",
		'-o', 'bounds.headers=30000', '-o', 'bounds.message_memory=64M');
	is(scalar(grep { $_->{edit} eq 'delete-header' } @{$told->{edits}}), 20_000, 'any number of holds is taken off');
}
{
	my $event = event("X-PM-Tag: t\nContent-Type: application/pdf; name=a.pdf\n\nhttp://a.example\n",
		map { ('-o', $_) } 'attachments=no', 'urls=no', 'tags=no', 'headers={ }');
	is_deeply([grep { exists($event->{millgate}{$_}) } qw(attachments mime urls tags metadata headers)], [],
		'what is switched off is not recorded');
	ok(!exists($event->{email}{attachments}), 'attachments neither');
}
done_testing();
