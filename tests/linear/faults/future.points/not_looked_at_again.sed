# SPDX-License-Identifier: MIT
# await: that it was completed before the lock was held is not seen.
s/\tif \(magi_load_rlx\(&future->done\)\) \{ [^\n]*\n\t\trc = future->result;\n[^\n]*\n\t\} else if/\tif/
