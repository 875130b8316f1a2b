# SPDX-License-Identifier: ISC
# The operator's command.
