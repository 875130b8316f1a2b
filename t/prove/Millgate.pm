# SPDX-License-Identifier: ISC
# prove's plain formatter with one more line at the end, over all tests of all
# files: "N passed, N failed, N skipped". Passed is without the skipped ones. A
# file that broke without a failed test (no plan, a signal, a wrong exit) counts
# as one failed; one that is skipped as a whole as one skipped.
package Millgate;
use strict;
use warnings;
use parent 'TAP::Formatter::File';

sub summary {
	my ($self, $aggregate, $interrupted) = @_;
	$self->SUPER::summary($aggregate, $interrupted);
	my ($passed, $failed, $skipped) = (0, 0, 0);
	for my $parser ($aggregate->parsers) {
		my $file_failed = scalar $parser->failed;
		$file_failed ||= 1 if $parser->has_problems;
		my $file_skipped = scalar $parser->skipped;
		$passed += scalar($parser->passed) - $file_skipped;
		$failed += $file_failed;
		$skipped += $file_skipped || ($parser->skip_all ? 1 : 0);
	}
	$self->_output("$passed passed, $failed failed, $skipped skipped\n");
}

1;
