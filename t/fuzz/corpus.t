#!/bin/sh
# SPDX-License-Identifier: ISC
# Every fuzz target takes every file of its corpus without a crash.
corpus=$MG_SRCDIR/t/fuzz/corpus
count=0
for target in "$MG_SRCDIR"/t/fuzz/*.c; do
	name=$(basename "$target" .c)
	[ "$name" != replay ] || continue
	count=$((count + 1))
	if [ -z "$(find "$corpus/$name" -type f 2>/dev/null | head -n 1)" ]; then
		echo "not ok $count - $name has a corpus"
	elif output=$("$MG_BUILDDIR/t/fuzz/$name" -runs=0 "$corpus/$name" 2>&1); then
		echo "ok $count - $name takes its corpus"
	else
		echo "not ok $count - $name takes its corpus"
		echo "$output" | tail -n 40 | sed 's/^/# /'
	fi
done
if [ $count -eq 0 ]; then echo "1..0 # SKIP no fuzz target"; else echo "1..$count"; fi
