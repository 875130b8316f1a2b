# SPDX-License-Identifier: ISC
# Run by ./bootstrap demo, tested by t/gateway/demo.t.

EXTRA_DIST += t/demo/demo
